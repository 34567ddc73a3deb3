"""Read a target's configuration strictly: every mistake is named, nothing unknown is ignored."""

import grp
import pwd
import re
from collections.abc import Callable, Mapping
from typing import Any

from deployments.connectors import commands, paths
from foundation.errors import ConnectorError, FieldError, Invalid

_MODE = re.compile(r"0?([0-7]{3})")
_OTHERS_WRITE = 0o022
_OWNER_READS = 0o400
_MAX_NAME = 64


class Fields:
    """The keys of one configuration: read one by one, then `finish` says what was wrong.

    `local` also asks whether this server allows the paths and the programs.
    """

    def __init__(self, config: Mapping[str, Any], *, local: bool, prefix: str = "config") -> None:
        self.config = config
        self.local = local
        self.prefix = prefix
        self.errors: list[FieldError] = []
        self._known: set[str] = set()

    def path(self, key: str, *, required: bool = False) -> str:
        """Return an absolute path, "" where there is none."""
        value = self._value(key)
        if value is None or value == "":
            if required:
                self._wrong(key, "required", "It is required.")
            return ""
        problem = paths.shape_error(value)
        if problem:
            self._wrong(key, "invalid_path", problem)
            return ""
        if self.local:
            try:
                paths.place_of(value)
            except ConnectorError as error:
                self._wrong(key, "path_not_allowed", error.detail)
        return str(value)

    def any_path(self, key: str) -> str:
        """Return an absolute path that is only handed on, "" where there is none."""
        value = self._value(key)
        if value is None or value == "":
            return ""
        problem = paths.shape_error(value)
        if problem:
            self._wrong(key, "invalid_path", problem)
            return ""
        return str(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._value(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self._wrong(key, "invalid", "It must be true or false.")
            return default
        return value

    def mode(self, key: str) -> int | None:
        """Return the permissions of a file, given in octal as "0644"; None where not given."""
        value = self._value(key)
        if value is None or value == "":
            return None
        match = _MODE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self._wrong(key, "invalid_mode", 'It must be octal digits as text, as "0644".')
            return None
        mode = int(match[1], 8)
        if mode & _OTHERS_WRITE or not mode & _OWNER_READS:
            self._wrong(
                key,
                "invalid_mode",
                "Its owner must be able to read it, and nobody else to write it.",
            )
        return mode

    def account(self, key: str, number_of: Callable[[str], int]) -> str:
        """Return the name or number of a user or group; "" where not given."""
        value = self._value(key)
        if value is None or value == "":
            return ""
        if not isinstance(value, str) or len(value) > _MAX_NAME or not value.isprintable():
            self._wrong(key, "invalid", "It must be a name, or a number as text.")
            return ""
        if self.local:
            try:
                number_of(value)
            except ConnectorError as error:
                self._wrong(key, "unknown_account", error.detail)
        return value

    def command(self, key: str, default: list[str] | None = None) -> tuple[str, ...]:
        """Return an argument list; () where there is none and there need not be one."""
        value = self._value(key)
        if value is None:
            value = default
        if value is None:
            return ()
        problem = commands.shape_error(value)
        if problem:
            self._wrong(key, "invalid_command", problem)
            return ()
        if self.local:
            why = commands.refusal(value)
            if why:
                self._wrong(key, "command_not_allowed", why)
        return tuple(value)

    def wrong(self, key: str, code: str, detail: str) -> None:
        """Note one more mistake."""
        self._wrong(key, code, detail)

    def finish(self) -> None:
        """Raise Invalid if anything was wrong, or if there are keys that nobody asked for."""
        for key in sorted(set(map(str, self.config)) - self._known):
            self._wrong(key[:64], "unknown_key", "There is no such setting.")
        if self.errors:
            raise Invalid("The target's configuration is not valid.", errors=self.errors)

    def _value(self, key: str) -> Any:
        self._known.add(key)
        return self.config.get(key)

    def _wrong(self, key: str, code: str, detail: str) -> None:
        self.errors.append(FieldError(f"{self.prefix}.{key}", code, detail))


def uid_of(name: str) -> int:
    """Return the number of a user; raises ConnectorError (permanent) where there is none."""
    return _number(name, lambda known: pwd.getpwnam(known).pw_uid, "user")


def gid_of(name: str) -> int:
    """Return the number of a group; raises ConnectorError (permanent) where there is none."""
    return _number(name, lambda known: grp.getgrnam(known).gr_gid, "group")


def _number(name: str, lookup: Callable[[str], int], what: str) -> int:
    try:
        return lookup(name)
    except KeyError:
        if name.isascii() and name.isdecimal() and int(name) < 2**31:
            return int(name)
    raise ConnectorError(f"There is no {what} {name} on this server.", permanent=True)

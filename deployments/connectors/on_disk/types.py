"""What the settings of files take: paths, modes, accounts and programs."""

import grp
import pwd
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from deployments.connectors.base import Allowed
from deployments.connectors.fields import Wrong
from deployments.connectors.on_disk import commands, paths
from foundation.errors import ConnectorError

_MODE = re.compile(r"0?([0-7]{3})")
_OTHERS_WRITE = 0o022
_OWNER_READS = 0o400
_MAX_NAME = 64


def _text(**more: Any) -> Callable[[], Mapping[str, Any]]:
    return lambda: {"type": "string", **more}


@dataclass(frozen=True, slots=True)
class Path:
    """An absolute path; where it is `ours`, one that the machine must allow."""

    ours: bool = True
    nothing: str = ""
    schema: Mapping[str, Any] = field(default_factory=_text(maxLength=paths.MAX_PATH))

    def read(self, value: object, allowed: Allowed | None) -> str:
        """Return it as it was given: each file has one spelling."""
        problem = paths.shape_error(value)
        if problem:
            raise Wrong("invalid_path", problem)
        if self.ours and allowed is not None:
            try:
                paths.place_of(str(value), allowed.roots)
            except ConnectorError as error:
                raise Wrong("path_not_allowed", error.detail) from error
        return str(value)

    def bounds(self, allowed: Allowed) -> str:
        """Name the folders that it may be in."""
        return _named("Below", allowed.roots, "CERTCTL_TARGET_ROOTS") if self.ours else ""


@dataclass(frozen=True, slots=True)
class Mode:
    """The permissions of a file, in octal as text."""

    nothing: None = None
    schema: Mapping[str, Any] = field(default_factory=_text(pattern=f"^{_MODE.pattern}$"))

    def read(self, value: object, allowed: Allowed | None) -> int:
        """Return the number."""
        match = _MODE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise Wrong("invalid_mode", 'It must be octal digits as text, as "0644".')
        mode = int(match[1], 8)
        if mode & _OTHERS_WRITE or not mode & _OWNER_READS:
            raise Wrong(
                "invalid_mode", "Its owner must be able to read it, and nobody else to write it."
            )
        return mode

    def bounds(self, allowed: Allowed) -> str:
        """Return "": the same everywhere."""
        return ""


@dataclass(frozen=True, slots=True)
class Account:
    """A user or a group by name, or by number as text; `number_of` says which there are."""

    number_of: Callable[[str], int]
    nothing: str = ""
    schema: Mapping[str, Any] = field(default_factory=_text(maxLength=_MAX_NAME))

    def read(self, value: object, allowed: Allowed | None) -> str:
        """Return it as it was given: numbers may change until it is used."""
        if not isinstance(value, str) or len(value) > _MAX_NAME or not value.isprintable():
            raise Wrong("invalid", "It must be a name, or a number as text.")
        if allowed is not None:
            try:
                self.number_of(value)
            except ConnectorError as error:
                raise Wrong("unknown_account", error.detail) from error
        return value

    def bounds(self, allowed: Allowed) -> str:
        """Return "": those that the machine has."""
        return ""


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments; there is no shell."""

    nothing: tuple[str, ...] = ()
    schema: Mapping[str, Any] = field(
        default_factory=lambda: {
            "type": "array",
            "items": {"type": "string", "maxLength": commands.MAX_ARGUMENT},
            "minItems": 1,
            "maxItems": commands.MAX_ARGUMENTS,
        }
    )

    def read(self, value: object, allowed: Allowed | None) -> tuple[str, ...]:
        """Return the arguments, the program first."""
        problem = commands.shape_error(value)
        if problem or not isinstance(value, list):
            raise Wrong("invalid_command", problem)
        why = commands.refusal(value, allowed.programs) if allowed is not None else ""
        if why:
            raise Wrong("command_not_allowed", why)
        return tuple(value)

    def bounds(self, allowed: Allowed) -> str:
        """Name the programs that it may be."""
        return _named("One of", allowed.programs, "CERTCTL_TARGET_COMMANDS")


def _named(how: str, those: Collection[str], setting: str) -> str:
    if not those:
        return f"{setting} allows none on this server."
    return f"{how} {', '.join(sorted(those))} on this server ({setting})."


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

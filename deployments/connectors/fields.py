"""What can be said of a target, described once: read strictly, documented and shown from here.

A connector's class lists its `FIELDS`. From them come the reading of a configuration (every
mistake is named at its key, nothing unknown is ignored), the schema of the REST API, the words of
the forms and the table in docs/deployment.md.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from deployments.connectors.base import Allowed
from foundation.errors import FieldError, Invalid

MAX_KEY = 64  # characters of an unknown key that are told back
_MAX_SECRET = 16 * 1024  # characters


class Holds(StrEnum):
    """What is in the file that a field names."""

    CERTIFICATES = "certificates"
    KEY = "a private key"


class Wrong(Exception):
    """A value is not what its field takes; `code` is API, the text is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Type(Protocol):
    """What a field takes."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """Its JSON Schema."""

    @property
    def nothing(self) -> Any:
        """What a field is read as that is not given and has no default; "" where it is text."""

    def read(self, value: object, allowed: Allowed | None) -> Any:
        """Return what was given, as the connector uses it; raises Wrong.

        With `allowed` it is asked, too, whether the machine allows it.
        """

    def bounds(self, allowed: Allowed) -> str:
        """Return what of it the machine allows, in words for people; "" where that is not asked."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a configuration: how it is named, what it takes, and the words for people."""

    name: str
    type: Type
    help: str
    example: Any
    default: Any = None
    required: bool = False
    holds: Holds | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "boolean"})
    nothing: bool = False

    def read(self, value: object, allowed: Allowed | None) -> bool:
        """Return it; a word or a number is neither."""
        if not isinstance(value, bool):
            raise Wrong("invalid", "It must be true or false.")
        return value

    def bounds(self, allowed: Allowed) -> str:
        """Return "": either is allowed everywhere."""
        return ""


class Reading:
    """What a configuration says, read field by field; `finish` gives it, or all that is wrong."""

    def __init__(
        self,
        fields: Sequence[Field],
        config: Mapping[str, Any],
        allowed: Allowed | None,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        """Read `config`; `defaults` are those that depend on what is allowed."""
        self.errors: list[FieldError] = []
        given = {each.name: each.default for each in fields} | dict(defaults or {})
        self.values = {
            each.name: self._read(each, config.get(each.name), given[each.name], allowed)
            for each in fields
        }
        for key in sorted(set(map(str, config)) - set(given)):
            self.wrong(key[:MAX_KEY], "unknown_key", "There is no such setting.")

    def wrong(self, key: str, code: str, detail: str) -> None:
        """Note one more mistake."""
        self.errors.append(FieldError(f"config.{key}", code, detail))

    def finish(self) -> dict[str, Any]:
        """Return the value of each field; raises Invalid where anything was wrong."""
        if self.errors:
            raise Invalid("The target's configuration is not valid.", errors=self.errors)
        return self.values

    def _read(self, each: Field, value: object, default: object, allowed: Allowed | None) -> Any:
        if value is None or (value == "" and _is_text(each)):
            value = default
        if value is None:
            if each.required:
                self.wrong(each.name, "required", "It is required.")
            return each.type.nothing
        try:
            return each.type.read(value, allowed)
        except Wrong as error:
            self.wrong(each.name, error.code, str(error))
            return each.type.nothing


def schema_of(fields: Sequence[Field]) -> dict[str, Any]:
    """Return the JSON Schema of a configuration that has these fields."""
    properties = {}
    for each in fields:
        shown = {**each.type.schema, "description": each.help, "examples": [each.example]}
        if each.default is not None:
            shown["default"] = each.default
        properties[each.name] = shown
    schema: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    required = [each.name for each in fields if each.required]
    return {**schema, "required": required} if required else schema


def check_secrets(secrets: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise Invalid for a secret that its kind does not have, or that is no text."""
    errors = []
    for key, value in secrets.items():
        if key not in known:
            at = f"secrets.{key}"[:MAX_KEY]
            errors.append(FieldError(at, "unknown_key", "There is no such secret."))
        elif not isinstance(value, str) or len(value) > _MAX_SECRET:
            errors.append(FieldError(f"secrets.{key}", "invalid", "It must be text."))
    if errors:
        raise Invalid(errors=errors)


def _is_text(each: Field) -> bool:
    return each.type.schema.get("type") == "string"

"""Errors that every app may raise; foundation.outcomes says which HTTP status each one becomes."""

from typing import ClassVar


class CertctlError(Exception):
    """Something that the caller must be told, in words and with a stable code.

    `code` is API and never changes; `detail` is for people; `errors` names the offending fields.
    """

    code: ClassVar[str] = "error"
    message: ClassVar[str] = "The request could not be carried out."

    def __init__(self, detail: str = "", *, errors: "list[FieldError] | None" = None) -> None:
        super().__init__(detail or self.message)
        self.errors = errors or []

    @property
    def detail(self) -> str:
        """The sentence for people."""
        return str(self)


class FieldError(dict[str, str]):
    """One thing that is wrong with one field of the input: `field`, `code`, `detail`."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(field=field, code=code, detail=detail)


class Invalid(CertctlError):
    """The input itself is wrong: asking again with the same input never helps."""

    code = "invalid"
    message = "The input is not valid."


class NotAuthenticated(CertctlError):
    """Nobody is known to be asking: no credentials, or ones that do not hold."""

    code = "not_authenticated"
    message = "You are not known here."


class NotPermitted(CertctlError):
    """The actor may not do this."""

    code = "permission_denied"
    message = "You may not do this."


class MissingPermission(NotPermitted):
    """The actor lacks a permission, whichever the row; the words say which."""

    code = "missing_permission"


class NotFound(CertctlError):
    """What was named does not exist (or not for this actor)."""

    code = "not_found"
    message = "There is no such thing."


class Conflict(CertctlError):
    """The state of things does not allow it now."""

    code = "conflict"
    message = "The current state does not allow this."


class ChangedMeanwhile(Conflict):
    """The database undid the change because of another one, as it is meant to."""

    code = "changed_meanwhile"
    message = "Something that this refers to was changed at the same moment: look again."


class PreconditionFailed(CertctlError):
    """The row is not, or no longer, what the asker expects; nothing was changed."""

    code = "precondition_failed"
    message = "It has changed since you looked at it: look again."


class TooMany(CertctlError):
    """Too many requests, or too many wrong tries; `wait` says how many seconds to wait."""

    code = "throttled"
    message = "Too many requests."

    def __init__(self, detail: str = "", *, wait: float) -> None:
        super().__init__(detail)
        self.wait = wait


class ConnectorError(CertctlError):
    """An issuer or a target did not do what it was asked; `permanent` says whether to try again."""

    code = "connector_error"
    message = "The remote side did not do what it was asked."

    def __init__(self, detail: str = "", *, permanent: bool) -> None:
        super().__init__(detail)
        self.permanent = permanent


class TooLarge(CertctlError):
    """The input has more bytes than are read here."""

    code = "body_too_large"
    message = "The body is too large."


class Unavailable(CertctlError):
    """A part of the installation does not answer in time; the same again will do later."""

    code = "unavailable"
    message = "The installation is busy or restarting: try again in a few seconds."
    retry_after_seconds: ClassVar[int] = 5

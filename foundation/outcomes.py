"""What an error is at any door: its status, its stable code, its words; one table for all."""

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import IntegrityError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404

from foundation import errors

STATUS: dict[type[errors.CertctlError], int] = {
    errors.Invalid: 400,
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooMany: 429,
    errors.ConnectorError: 502,
}

# Of PostgreSQL: a foreign key, a deadlock, a lock not to be had, a serialisation failure.
_RACES = {"23503", "40P01", "55P03", "40001"}
_RACES_OF_SQLITE = ("FOREIGN KEY constraint failed", "database is locked")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What went wrong, for whoever asked: an HTTP status, a code that is API, words, fields."""

    status: int
    code: str
    detail: str
    errors: list[Any] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


def outcome_of(error: BaseException) -> Outcome | None:  # noqa: PLR0911 - a table, one row a kind
    """Return what `error` means at every door; None for what nobody foresaw (a 500)."""
    match error:
        case errors.CertctlError():
            status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
            return Outcome(status, error.code, error.detail, list(error.errors), _headers(error))
        case Http404() | ObjectDoesNotExist():
            return Outcome(404, "not_found", "There is no such thing.")
        case PermissionDenied():
            return Outcome(403, "missing_permission", "You may not do this.")
        case ProtectedError():
            return Outcome(409, "in_use", "Something else still refers to it.")
        case _ if is_a_race(error):
            return outcome_of(errors.ChangedMeanwhile())
        case ValidationError():
            return Outcome(400, "invalid", "; ".join(error.messages))
    return None


def _headers(error: errors.CertctlError) -> dict[str, str]:
    # Whole seconds, rounded up, lest somebody who obeys comes too early.
    return {"Retry-After": str(int(error.wait) + 1)} if isinstance(error, errors.TooMany) else {}


def is_a_race(error: BaseException) -> bool:
    """Whether it is the database's way to undo a change because of another one."""
    if not isinstance(error, IntegrityError | OperationalError):
        return False
    return getattr(error.__cause__, "sqlstate", None) in _RACES or str(error) in _RACES_OF_SQLITE

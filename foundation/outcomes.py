"""What an error is at any door: its status, its stable code, its words; one table for all."""

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404

from foundation import errors
from foundation.texts import usable

STATUS: dict[type[errors.CertctlError], int] = {
    errors.Invalid: 400,
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.TooMany: 429,
    errors.ConnectorError: 502,
    errors.Unavailable: 503,
}

# Of PostgreSQL: a foreign key, a deadlock, a serialisation failure.
_RACES = {"23503", "40P01", "40001"}
_RACES_OF_SQLITE = ("FOREIGN KEY constraint failed",)
# A lock, a statement or a session that took too long (decision 0029), and a database that stops,
# restarts, takes no more sessions or cannot be reached.
_TOO_LONG = {"55P03", "57014", "25P03", "25P04"}
_AWAY = ("08", "57P", "53")
_AWAY_ON_SQLITE = ("database is locked", "database table is locked")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What went wrong, for whoever asked: an HTTP status, a code that is API, words, fields."""

    status: int
    code: str
    detail: str
    errors: list[Any] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Leave no text that neither the answer nor the trail can carry: words repeat input."""
        object.__setattr__(self, "detail", usable(self.detail))
        cleaned = [{name: usable(str(text)) for name, text in one.items()} for one in self.errors]
        object.__setattr__(self, "errors", cleaned)


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
        case DataError() | OverflowError():
            # A value that a column cannot hold, such as a date before our era.
            return Outcome(400, "invalid", "There is a value that cannot be worked with.")
        case _ if is_a_race(error):
            return outcome_of(errors.ChangedMeanwhile())
        case _ if is_away(error):
            return outcome_of(errors.Unavailable())
        case ValidationError():
            return Outcome(400, "invalid", "; ".join(error.messages))
    return None


def _headers(error: errors.CertctlError) -> dict[str, str]:
    if isinstance(error, errors.TooMany):
        # Whole seconds, rounded up, lest somebody who obeys comes too early.
        return {"Retry-After": str(int(error.wait) + 1)}
    if isinstance(error, errors.Unavailable):
        return {"Retry-After": str(error.retry_after_seconds)}
    return {}


def is_a_race(error: BaseException) -> bool:
    """Whether it is the database's way to undo a change because of another one."""
    if not isinstance(error, IntegrityError | OperationalError):
        return False
    return getattr(error.__cause__, "sqlstate", None) in _RACES or str(error) in _RACES_OF_SQLITE


def is_away(error: BaseException) -> bool:
    """Whether the database did not answer, or not in time: the same again will do later."""
    if isinstance(error, InterfaceError):
        return True  # the connection was closed under us
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    if state is None:
        # psycopg could not connect, or lost the connection; SQLite waited for the write lock.
        return not _is_sqlite(error) or str(error) in _AWAY_ON_SQLITE
    return state in _TOO_LONG or state.startswith(_AWAY)


def _is_sqlite(error: BaseException) -> bool:
    return isinstance(error.__cause__, sqlite3.Error)

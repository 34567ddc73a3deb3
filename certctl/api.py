"""Errors on their way out: the one table from domain error to HTTP status, and their audit."""

from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, OperationalError
from django.db.models import Model, ProtectedError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from audit.services import Entry, record_many, record_unknown
from audit.via import Door
from certctl import errors, problems
from owners.actors import via_of
from owners.models import Principal

STATUS: dict[type[errors.CertctlError], int] = {
    errors.Invalid: 400,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.ConnectorError: 502,
}
SAFE = ("GET", "HEAD", "OPTIONS")


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception into a problem; None (a 500) for what nobody foresaw.

    Whoever tried to change something, or to read what is not theirs, leaves an audit event.
    """
    answer = _answer(exc)
    if answer is None:
        return None
    status, code, detail, fields, headers = answer
    request: Request = context["request"]
    set_rollback()
    _audit(request, context.get("view"), context.get("kwargs") or {}, status, code)
    return Response(
        problems.body(request._request, status, code, detail, fields),  # noqa: SLF001
        status=status,
        headers=headers,
        content_type=problems.CONTENT_TYPE,
    )


# Of PostgreSQL: a foreign key, a deadlock, a lock not to be had, a serialisation failure.
_RACES = {"23503", "40P01", "55P03", "40001"}
_RACES_OF_SQLITE = ("FOREIGN KEY constraint failed", "database is locked")


def is_a_race(exc: Exception) -> bool:
    """Whether it is the database's way to undo a change because of another one."""
    if not isinstance(exc, IntegrityError | OperationalError):
        return False
    return getattr(exc.__cause__, "sqlstate", None) in _RACES or str(exc) in _RACES_OF_SQLITE


Answer = tuple[int, str, str, list[Any], dict[str, str]]


def _answer(exc: Exception) -> Answer | None:  # noqa: PLR0911 - a table, one row a kind
    match exc:
        case errors.CertctlError():
            status = next(STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS)
            return status, exc.code, exc.detail, exc.errors, {}
        case Http404() | ObjectDoesNotExist():
            return 404, "not_found", "There is no such thing.", [], {}
        case PermissionDenied():
            return 403, "missing_permission", "You may not do this.", [], {}
        case ProtectedError():
            return 409, "in_use", "Something else still refers to it.", [], {}
        case _ if is_a_race(exc):
            return _answer(errors.ChangedMeanwhile())
        case DjangoValidationError():
            return 400, "invalid", "; ".join(exc.messages), [], {}
        case exceptions.ValidationError():
            fields = list(_fields(exc.get_full_details()))
            return 400, "invalid", "Some of the input is not valid.", fields, {}
        case exceptions.APIException():
            return _rest(exc)
    return None


def _rest(exc: exceptions.APIException) -> Answer:
    headers = {}
    if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = getattr(exc, "auth_header", "Bearer")
    wait = getattr(exc, "wait", None)  # seconds, of a Throttled
    if wait is not None:
        headers["Retry-After"] = str(int(wait) + 1)
    codes = exc.get_codes()
    code = codes if isinstance(codes, str) else exc.default_code
    code = {"parse_error": "malformed", "permission_denied": "missing_permission"}.get(code, code)
    return exc.status_code, code, str(exc.detail), [], headers


def _fields(details: Any, path: str = "") -> Any:
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield errors.FieldError(path, str(details["code"]), str(details["message"]))
    elif isinstance(details, dict):
        for key, value in details.items():
            yield from _fields(value, f"{path}.{key}" if path else str(key))
    elif isinstance(details, list):
        for value in details:
            yield from _fields(value, path)


def _audit(request: Request, view: Any, kwargs: dict[str, Any], status: int, code: str) -> None:
    tried_to_act = request.method not in SAFE
    if status == 429 or not (tried_to_act or status == 403):  # noqa: PLR2004
        return
    if code == "invalid_key":
        return  # owners.authentication has written it, under the key's name
    what = getattr(view, "basename", "") or type(view).__name__.lower()
    action = f"{what}.{getattr(view, 'action', None) or str(request.method).lower()}.refuse"[:64]
    data = {"code": code, "status": status, "path": request.path[:255]}
    # Never the body: it may hold a secret.
    actor = request._user if hasattr(request, "_user") else None  # noqa: SLF001
    if isinstance(actor, Principal):
        record_many([Entry(actor, action, _subject(view, kwargs), data)])
    else:
        record_unknown(name="", action=action, via=via_of(request, door=Door.REST), **data)


def _subject(view: Any, kwargs: dict[str, Any]) -> Model | None:
    """Return the row that the URL names, so that its history shows the refusal too."""
    queryset = getattr(view, "queryset", None)
    if queryset is None or "pk" not in kwargs:
        return None
    try:
        found: Model | None = queryset.model._default_manager.filter(pk=kwargs["pk"]).first()  # noqa: SLF001
    except (ValueError, TypeError, DjangoValidationError):
        return None  # no key at all, such as "not-a-uuid"
    return found

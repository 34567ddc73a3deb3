"""Errors on their way out of REST framework: problem details, and a record of what was refused."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from foundation import problems
from foundation.errors import FieldError
from foundation.outcomes import Outcome, outcome_of


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception into a problem; None (a 500) for what nobody foresaw.

    Whoever tried to change something, or to read what is not theirs, leaves an audit event, once:
    `settings.REFUSAL_RECORDER` sees to it, since this floor knows no trail. By now no transaction
    is open any more, also where one was around the use case (an Idempotency-Key).
    """
    outcome = outcome_at_rest(exc)
    if outcome is None:
        return None
    request: Request = context["request"]
    set_rollback()
    record = import_string(settings.REFUSAL_RECORDER)
    record(exc, outcome, request, context.get("view"), context.get("kwargs") or {})
    return Response(
        problems.body(
            request._request,  # noqa: SLF001 - Django's own request
            outcome.status,
            outcome.code,
            outcome.detail,
            outcome.errors,
        ),
        status=outcome.status,
        headers=outcome.headers,
        content_type=problems.CONTENT_TYPE,
    )


def outcome_at_rest(exc: Exception) -> Outcome | None:
    """Return what an exception means over REST: every door's table, and the framework's own."""
    if isinstance(exc, exceptions.ValidationError):
        fields = list(_fields(exc.get_full_details()))
        return Outcome(400, "invalid", "Some of the input is not valid.", fields)
    if isinstance(exc, exceptions.APIException):
        return _framework(exc)
    return outcome_of(exc)


def _framework(exc: exceptions.APIException) -> Outcome:
    headers = {}
    if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = getattr(exc, "auth_header", "Bearer")
    wait = getattr(exc, "wait", None)  # seconds, of a Throttled
    if wait is not None:
        headers["Retry-After"] = str(int(wait) + 1)
    codes = exc.get_codes()
    code = codes if isinstance(codes, str) else exc.default_code
    code = {"parse_error": "malformed", "permission_denied": "missing_permission"}.get(code, code)
    return Outcome(exc.status_code, code, str(exc.detail), [], headers)


def _fields(details: Any, path: str = "") -> Iterator[FieldError]:
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield FieldError(path, str(details["code"]), str(details["message"]))
    elif isinstance(details, dict):
        for key, value in details.items():
            yield from _fields(value, f"{path}.{key}" if path else str(key))
    elif isinstance(details, list):
        for value in details:
            yield from _fields(value, path)

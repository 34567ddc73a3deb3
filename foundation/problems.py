"""Problem details (RFC 9457): the one shape of every error under /api/."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, JsonResponse

from foundation.texts import usable

CONTENT_TYPE = "application/problem+json"


def body(
    request: HttpRequest, status: int, code: str, detail: str, errors: Sequence[Any] = ()
) -> dict[str, Any]:
    """Return the members of a problem; `code` is stable, `detail` is for people."""
    members: dict[str, Any] = {
        "type": f"urn:certctl:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": usable(request.path),
        "request_id": request.META.get("certctl.request_id", ""),
    }
    if errors:
        members["errors"] = list(errors)
    return members


def problem(
    request: HttpRequest, status: int, code: str, detail: str, errors: Sequence[Any] = ()
) -> JsonResponse:
    """Return a problem as a plain Django response, for what never reaches REST framework."""
    return JsonResponse(
        body(request, status, code, detail, errors), status=status, content_type=CONTENT_TYPE
    )

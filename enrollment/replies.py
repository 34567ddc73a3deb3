"""What EST and SCEP have in common as HTTP: a body that nobody keeps, one line of plain text."""

from collections.abc import Iterable

from django.http import HttpResponse

from foundation.outcomes import Outcome

TEXT = "text/plain; charset=utf-8"
MAX_WORDS = 1000


def closed(response: HttpResponse, body: bytes) -> HttpResponse:
    """Return a response with the headers that all of them have; `body` is what is told of."""
    response["Content-Length"] = str(len(body))
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def words(status: int, text: str) -> HttpResponse:
    """Return a status with one line of plain text (RFC 7030 §4.2.3)."""
    body = f"{' '.join(text.split())[:MAX_WORDS]}\n".encode()
    return closed(HttpResponse(body, status=status, content_type=TEXT), body)


def said(outcome: Outcome) -> str:
    """Return what went wrong in words, with that of each field which they do not have yet."""
    more = [one["detail"] for one in outcome.errors if one.get("detail", "") not in outcome.detail]
    return " ".join([outcome.detail, *more])


def not_allowed(methods: Iterable[str]) -> HttpResponse:
    """Return 405 with the methods that are answered."""
    response = words(405, "This method is not answered here.")
    response["Allow"] = ", ".join(methods)
    return response

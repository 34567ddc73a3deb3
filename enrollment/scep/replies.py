"""SCEP over HTTP (RFC 8894 §4): what is given out, and one line of text where there is no CertRep.

Never 401, 403 or 429: clients know SCEP's own FAILURE, and of HTTP little more than that it worked.
"""

from collections.abc import Iterable

from django.http import HttpResponse

from foundation.outcomes import Outcome

TEXT = "text/plain; charset=utf-8"
MAX_WORDS = 1000
BAD, NOT_FOUND, TOO_LARGE, TRY_LATER = 400, 404, 413, 503
_PLAIN = {BAD, NOT_FOUND, TOO_LARGE}


def give(body: bytes, content_type: str) -> HttpResponse:
    """Return 200 with a body."""
    return _closed(HttpResponse(body, content_type=content_type), body)


def words(status: int, text: str) -> HttpResponse:
    """Return a status with one line of plain text."""
    body = f"{' '.join(text.split())[:MAX_WORDS]}\n".encode()
    return _closed(HttpResponse(body, status=status, content_type=TEXT), body)


def not_allowed(methods: Iterable[str]) -> HttpResponse:
    """Return 405 with the methods that are answered."""
    response = words(405, "This method is not answered here.")
    response["Allow"] = ", ".join(methods)
    return response


def refuse(outcome: Outcome) -> HttpResponse:
    """Return what went wrong before there was a message to answer: 400, 404, 413 or 503."""
    status = outcome.status if outcome.status in _PLAIN else TRY_LATER
    response = words(status, outcome.detail)
    if status == TRY_LATER:
        response["Retry-After"] = outcome.headers.get("Retry-After", "60")
    return response


def _closed(response: HttpResponse, body: bytes) -> HttpResponse:
    response["Content-Length"] = str(len(body))
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response

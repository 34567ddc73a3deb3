"""SCEP over HTTP (RFC 8894 §4): what is given out, and one line of text where there is no CertRep.

Never 401, 403 or 429: clients know SCEP's own FAILURE, and of HTTP little more than that it worked.
"""

from django.http import HttpResponse

from enrollment.replies import closed, words
from foundation.outcomes import Outcome

BAD, NOT_FOUND, TOO_LARGE, TRY_LATER = 400, 404, 413, 503
_PLAIN = {BAD, NOT_FOUND, TOO_LARGE}


def give(body: bytes, content_type: str) -> HttpResponse:
    """Return 200 with a body."""
    return closed(HttpResponse(body, content_type=content_type), body)


def refuse(outcome: Outcome) -> HttpResponse:
    """Return what went wrong before there was a message to answer: 400, 404, 413 or 503."""
    status = outcome.status if outcome.status in _PLAIN else TRY_LATER
    response = words(status, outcome.detail)
    if status == TRY_LATER:
        response["Retry-After"] = outcome.headers.get("Retry-After", "60")
    return response

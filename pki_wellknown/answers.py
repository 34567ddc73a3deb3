"""HTTP answers to relying parties, with the headers that RFC 9919 §6 and RFC 9110 ask for."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date

from foundation import csp

# Caches on the way must ask again soon: a revocation is worth nothing while they repeat "good".
MAX_AGE = timedelta(minutes=15)
MAX_AGE_SECONDS = MAX_AGE.total_seconds()
RETRY_AFTER = 60  # seconds
TEXT = "text/plain; charset=utf-8"
OCSP = "application/ocsp-response"
POLICY = csp.NOTHING  # which its middleware says of whatever is no page
# Where the view leaves, in the request's META, the stored row that it answered with: the front
# (pki_wellknown.front) remembers it.
ROW = "certctl.ocsp_row"


def cacheable(  # noqa: PLR0913 - keyword-only, one argument a fact
    request: HttpRequest,
    body: bytes,
    content_type: str,
    *,
    modified: datetime,
    expires: datetime,
    fresh_until: datetime,
    now: datetime,
    etag: str = "",
) -> HttpResponse:
    """Return signed bytes with their validators, or 304 for a GET or HEAD that has them.

    `expires` is the end that the bytes state; `fresh_until` is when newer ones will be there.
    """
    tag = quoted(etag or hashlib.sha256(body).hexdigest())
    response = der(request, body, content_type)
    response["ETag"] = tag
    response["Last-Modified"] = date(modified.timestamp())
    response["Expires"] = date(expires.timestamp())
    response["Cache-Control"] = cache_control(_max_age(expires, fresh_until, now))
    if request.method == "POST":
        return response
    conditional = get_conditional_response(request, tag, int(modified.timestamp()), response)
    return conditional if isinstance(conditional, HttpResponse) else response


def quoted(etag: str) -> str:
    """Return it as a strong entity tag (RFC 9110 §8.8.3)."""
    return f'"{etag}"'


def date(seconds: float) -> str:
    """Return a time, in seconds since 1970, as HTTP writes it."""
    return http_date(seconds)


def cache_control(max_age: int) -> str:
    """Return what caches may do with a signed answer, for so many seconds (RFC 9919 §6)."""
    return f"max-age={max_age}, public, no-transform, must-revalidate"


def _max_age(expires: datetime, fresh_until: datetime, now: datetime) -> int:
    # Always before the end that the bytes state, and by when newer ones are there.
    left = min(fresh_until - now, expires - now - timedelta(seconds=1), MAX_AGE)
    return max(0, int(left.total_seconds()))


def der(request: HttpRequest, body: bytes, content_type: str) -> HttpResponse:
    """Return DER that no cache may keep; `cacheable` says otherwise of signed answers."""
    response = HttpResponse(b"" if request.method == "HEAD" else body, content_type=content_type)
    response["Content-Length"] = str(len(body))
    response["Cache-Control"] = "no-cache, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def not_found() -> HttpResponse:
    """Return 404: there is no such issuer."""
    return _text(404, "There is no such issuer.")


def not_allowed(methods: Iterable[str]) -> HttpResponse:
    """Return 405 with the methods that would be answered."""
    response = _text(405, "This method is not answered here.")
    response["Allow"] = ", ".join(methods)
    return response


def unavailable(why: str) -> HttpResponse:
    """Return 503: ask again."""
    response = _text(503, why)
    response["Retry-After"] = str(RETRY_AFTER)
    return response


def _text(status: int, words: str) -> HttpResponse:
    body = f"{words}\n".encode()
    response = HttpResponse(body, status=status, content_type=TEXT)
    response["Content-Length"] = str(len(body))
    response["Cache-Control"] = "no-cache, no-store"
    return response

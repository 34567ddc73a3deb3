"""HTTP answers to relying parties, with the headers that RFC 9919 §6 and RFC 9110 ask for."""

import hashlib
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date

from foundation import csp
from foundation.middleware import REQUEST_ID
from pki_wellknown import ranges

# Caches on the way must ask again soon: a revocation is worth nothing while they repeat "good".
MAX_AGE = timedelta(minutes=15)
MAX_AGE_SECONDS = int(MAX_AGE.total_seconds())
RETRY_AFTER = 60  # seconds
TEXT = "text/plain; charset=utf-8"
CRL, OCSP, CA = "application/pkix-crl", "application/ocsp-response", "application/pkix-cert"
NO_STORE = "no-cache, no-store"
# Which its middleware says of whatever is no page.
POLICY_HEADER = ("Content-Security-Policy", csp.NOTHING)
# Where the view leaves, in the request's META, the stored row that it answered with: the front
# (pki_wellknown.front) remembers it.
ROW = "certctl.ocsp_row"


@dataclass(frozen=True, slots=True)
class Large:
    """Bytes that are fetched only where they are sent."""

    size: int
    etag: str  # their SHA-256, in lower-case hexadecimal
    read: Callable[[], bytes]


def cacheable(  # noqa: PLR0913 - keyword-only, one argument a fact
    request: HttpRequest,
    body: bytes | Large,
    content_type: str,
    *,
    modified: datetime,
    expires: datetime,
    fresh_until: datetime,
    now: datetime,
    etag: str = "",
) -> HttpResponse:
    """Return signed bytes with their validators, or 304 for a GET or HEAD that has them.

    `expires` is the end that the bytes state; `fresh_until` is when newer ones will be there. Of
    what is `Large` a GET may have one range (206, or 416 where there is no such).
    """
    if isinstance(body, Large):
        etag, size = body.etag, body.size
    else:
        etag, size = etag or hashlib.sha256(body).hexdigest(), len(body)
    tag = quoted(etag)
    response = der(request, b"", content_type)
    response["Content-Length"] = str(size)
    response["ETag"] = tag
    response["Last-Modified"] = date(modified.timestamp())
    response["Expires"] = date(expires.timestamp())
    response["Cache-Control"] = control_until(expires, fresh_until, now)
    if isinstance(body, Large):
        response["Accept-Ranges"] = "bytes"
    if request.method != "POST":
        conditional = get_conditional_response(request, tag, int(modified.timestamp()), response)
        if conditional is not response:
            return conditional  # type: ignore[return-value]  # made from what was given
    if request.method == "HEAD":
        return response
    if isinstance(body, Large):
        return _sent(request, response, body)
    response.content = body
    return response


def _sent(request: HttpRequest, response: HttpResponse, body: Large) -> HttpResponse:
    try:
        asked = ranges.asked(
            request.headers.get("Range", ""),
            request.headers.get("If-Range", ""),
            size=body.size,
            etag=response["ETag"],
            modified=response["Last-Modified"],
        )
    except ranges.NoSuchRange:
        refused = _text(416, f"It has {body.size} octets.")
        refused["Content-Range"] = f"bytes */{body.size}"
        return refused
    if asked is None:
        response.content = body.read()
        return response
    begin, end = asked
    response.status_code = 206
    response["Content-Range"] = f"bytes {begin}-{end - 1}/{body.size}"
    response["Content-Length"] = str(end - begin)
    response.content = body.read()[begin:end]
    return response


def control_until(expires: datetime, fresh_until: datetime, now: datetime) -> str:
    """Return for how long a cache may keep what is signed until `expires`."""
    return cache_control(_max_age(expires, fresh_until, now))


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
    response["Cache-Control"] = NO_STORE
    response["X-Content-Type-Options"] = "nosniff"
    return response


def of_middleware(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the headers that middlewares add to every answer, for who answers before Django."""
    return [POLICY_HEADER, *ids(environ)]


def ids(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the headers that are of one request alone: its id, and the client's beside it."""
    # Nobody has to be unable to guess it, and asking the system for entropy lets other threads run.
    headers = [("X-Request-ID", f"{random.getrandbits(128):032x}")]
    given = environ.get("HTTP_X_REQUEST_ID")
    if given and REQUEST_ID.fullmatch(given):
        headers.append(("X-Client-Request-ID", given))
    return headers


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
    response["Cache-Control"] = NO_STORE
    return response

"""Read a request's body whole and in bounds, in whatever transfer coding it came (RFC 9112 §6)."""

from io import BytesIO

from django.http import HttpRequest
from django.http.request import UnreadablePostError

from foundation.errors import Invalid, TooLarge

MAX_DIGITS = 18  # of a Content-Length that is read at all


class BadBody(Invalid):
    """The body did not arrive as its headers say."""

    code = "malformed"


def read_whole(request: HttpRequest, *, limit: int) -> None:
    """Have `request.body` hold all of the body, of `limit` bytes at most.

    Django reads a body of chunked transfer coding as empty, for it has no Content-Length; here it
    is read to its end. Done before anything else, it costs nobody a connection to the database
    while a body is slow. Raises TooLarge, BadBody.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    if length and not (length.isascii() and length.isdecimal()):
        raise BadBody("Content-Length is not a number.")
    if len(length) > MAX_DIGITS or int(length or 0) > limit:
        raise TooLarge(f"The body has {length[:MAX_DIGITS]} bytes; {limit} are allowed.")
    try:
        if not length and request.META.get("HTTP_TRANSFER_ENCODING"):
            _read_chunks(request, limit)
        elif len(request.body) < int(length or 0):
            raise BadBody("The body is shorter than its Content-Length.")
    except UnreadablePostError:
        raise BadBody("The body stopped before its end.") from None


def _read_chunks(request: HttpRequest, limit: int) -> None:
    try:
        body: bytes = request.META["wsgi.input"].read(limit + 1)
    except OSError:
        raise BadBody("The body stopped before its end.") from None
    if len(body) > limit:
        raise TooLarge(f"The body has more than the {limit} bytes that are allowed.")
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)  # noqa: SLF001 - where Django reads from

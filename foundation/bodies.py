"""Read a request's body whole and in bounds, in whatever transfer coding it came (RFC 9112 §6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast

from django.http import HttpRequest
from django.http.request import UnreadablePostError

from foundation.errors import Invalid, TooLarge

MAX_DIGITS = 18  # of a Content-Length that is read at all
IN_MEMORY = 1024 * 1024  # bytes of a large body
CHUNK = 64 * 1024


class BadBody(Invalid):
    """The body did not arrive as its headers say."""

    code = "malformed"


def read_whole(request: HttpRequest, *, limit: int) -> None:
    """Have `request.body` hold all of the body, of `limit` bytes at most.

    Django reads a body of chunked transfer coding as empty, for it has no Content-Length; here it
    is read to its end. Done before anything else, it costs nobody a connection to the database
    while a body is slow. Raises TooLarge, BadBody.
    """
    length = _length(request, limit)
    try:
        if not length and request.META.get("HTTP_TRANSFER_ENCODING"):
            _read_chunks(request, limit)
        elif len(request.body) < int(length or 0):
            raise BadBody("The body is shorter than its Content-Length.")
    except UnreadablePostError:
        raise BadBody("The body stopped before its end.") from None


@contextmanager
def spooled(request: HttpRequest, *, limit: int) -> Iterator[None]:
    """Read all of the body, of `limit` bytes at most, into a file that Django then reads from.

    For bodies that are too large for memory: nothing of it stays there but IN_MEMORY bytes. Forms
    can be read from it as ever, `request.body` cannot. The file goes at the end. Raises TooLarge,
    BadBody.
    """
    length = _length(request, limit)
    has_body = bool(length) or bool(request.META.get("HTTP_TRANSFER_ENCODING"))
    with SpooledTemporaryFile(max_size=IN_MEMORY) as kept:
        if has_body:
            count = _copy(request.META["wsgi.input"], kept, int(length) if length else None, limit)
            kept.seek(0)
            request.META["CONTENT_LENGTH"] = str(count)
            request._stream = cast("BinaryIO", kept)  # noqa: SLF001 - where Django reads from
        yield


def _copy(stream: IO[bytes], kept: IO[bytes], length: int | None, limit: int) -> int:
    count = 0
    try:
        while part := stream.read(CHUNK if length is None else min(CHUNK, length - count)):
            count += len(part)
            if count > limit:
                raise TooLarge(f"The body has more than the {limit} bytes that are allowed.")
            kept.write(part)
    except OSError:
        raise BadBody("The body stopped before its end.") from None
    if count < (length or 0):
        raise BadBody("The body is shorter than its Content-Length.")
    return count


def _length(request: HttpRequest, limit: int) -> str:
    length = request.META.get("CONTENT_LENGTH") or ""
    if length and not (length.isascii() and length.isdecimal()):
        raise BadBody("Content-Length is not a number.")
    if len(length) > MAX_DIGITS or int(length or 0) > limit:
        raise TooLarge(f"The body has {length[:MAX_DIGITS]} bytes; {limit} are allowed.")
    return length


def _read_chunks(request: HttpRequest, limit: int) -> None:
    try:
        body: bytes = request.META["wsgi.input"].read(limit + 1)
    except OSError:
        raise BadBody("The body stopped before its end.") from None
    if len(body) > limit:
        raise TooLarge(f"The body has more than the {limit} bytes that are allowed.")
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)  # noqa: SLF001 - where Django reads from

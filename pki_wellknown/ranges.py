"""Range requests (RFC 9110 §14): one range of octets, for whoever goes on with a download."""

import re

# More digits than any length has would only cost time to read.
_ONE = re.compile(r"bytes=\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*", re.ASCII | re.IGNORECASE)


class NoSuchRange(Exception):
    """The range begins past the end: 416."""


def asked(
    header: str, condition: str, *, size: int, etag: str, modified: str
) -> tuple[int, int] | None:
    """Return the octets (first, behind the last) that Range asks for; raises NoSuchRange.

    None where it asks for nothing that we give in parts: no such header, several ranges, another
    unit or what cannot be read (RFC 9110 §14.2 lets a server ignore it), or an If-Range
    (`condition`) of other bytes. `etag` and `modified` are as the answer says them: both are
    compared whole (§13.1.5).
    """
    if condition and condition not in (etag, modified):
        return None
    match = _ONE.fullmatch(header)
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        length = min(int(suffix), size)
        if not length:
            raise NoSuchRange
        return size - length, size
    begin = int(first)
    if last and int(last) < begin:
        return None  # the last before the first: no range at all (§14.1.1)
    end = int(last) + 1 if last else size
    if begin >= size:
        raise NoSuchRange
    return begin, min(end, size)

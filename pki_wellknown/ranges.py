"""Range requests (RFC 9110 §14): one range of octets, for whoever goes on with a download."""

import re
from typing import Final, Literal

WHOLE: Final = "whole"
NOWHERE: Final = "nowhere"
# More digits than any length has would only cost time to read.
_ONE = re.compile(r"bytes=\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*", re.ASCII | re.IGNORECASE)


def asked(
    header: str, condition: str, *, size: int, etag: str, modified: str
) -> tuple[int, int] | Literal["whole", "nowhere"]:
    """Return the octets (first, behind the last) that Range asks for.

    WHOLE where it asks for nothing that we give in parts: no such header, several ranges, another
    unit or what cannot be read (RFC 9110 §14.2 lets a server ignore it), or an If-Range
    (`condition`) of other bytes. NOWHERE is for a range past the end, which is answered with 416.
    `etag` and `modified` are as the answer says them: both are compared whole (§13.1.5).
    """
    if condition and condition not in (etag, modified):
        return WHOLE
    match = _ONE.fullmatch(header)
    if match is None:
        return WHOLE
    first, last, suffix = match.groups()
    if suffix is not None:
        length = min(int(suffix), size)
        return (size - length, size) if length else NOWHERE
    begin = int(first)
    end = int(last) + 1 if last else size
    if end <= begin:
        return WHOLE  # the last before the first: no range at all (§14.1.1)
    return (begin, min(end, size)) if begin < size else NOWHERE

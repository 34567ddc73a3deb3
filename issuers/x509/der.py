"""A little DER (X.690), written and read: for what libraries refuse, or would rewrite."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
ENUMERATED, UTC_TIME, GENERALIZED_TIME = 0x0A, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31

_LONG_TAG = 0x1F
_LONG_LENGTH = 0x80
_MAX_LENGTH_OCTETS = 4
_UTC_TIMES = b"1950", b"2049"  # the first and the last year (RFC 5280 §4.1.2.5)
# Seconds may be missing and an offset may be there: BER had both (X.690 §8.25), DER has neither.
_TIME = re.compile(
    rb"(?P<year>\d{2}|\d{4})(?P<rest>\d{8})(?P<second>\d{2})?"
    rb"(?:[.,]\d+)?(?:Z|(?P<sign>[+-])(?P<hours>\d{2})(?P<minutes>\d{2}))"
)


class NotDER(ValueError):
    """The bytes do not hold together."""


@dataclass(frozen=True, slots=True)
class Element:
    """One value: its tag, its contents, and all of it with tag and length."""

    tag: int
    contents: memoryview
    whole: memoryview

    def __iter__(self) -> Iterator["Element"]:
        """Go through the elements that it is made of; raises NotDER."""
        return elements(self.contents)


# --- Reading --------------------------------------------------------------------------------


def elements(data: bytes | memoryview) -> Iterator[Element]:
    """Go through the elements that follow each other in `data`; raises NotDER.

    Lengths must be definite and no longer than they need be (X.690 §10.1).
    """
    view = memoryview(data)
    while view:
        element = _first(view)
        yield element
        view = view[len(element.whole) :]


def read(data: bytes | memoryview) -> Element:
    """Return the only element in `data`; raises NotDER for none or for what follows it."""
    element = _first(memoryview(data))
    if len(element.whole) != len(data):
        raise NotDER("something follows the end")
    return element


def begins_well(data: bytes) -> bool:
    """Whether `data` is one element from its first to its last byte, by its outer length."""
    try:
        read(data)
    except NotDER:
        return False
    return True


def expect(element: Element | None, tag: int) -> Element:
    """Return `element` if it is there and has `tag`; raises NotDER."""
    if element is None or element.tag != tag:
        raise NotDER(f"a value of type {tag:#04x} was expected")
    return element


def integer_of(element: Element) -> int:
    """Return an INTEGER of any length and sign, or an ENUMERATED; raises NotDER for none."""
    if not element.contents:
        raise NotDER("a number without octets")
    return int.from_bytes(element.contents, "big", signed=True)


def dotted(contents: bytes | memoryview) -> str:
    """Return an OBJECT IDENTIFIER's contents as text, "2.5.29.20" (X.690 §8.19); raises NotDER."""
    numbers, value = [], 0
    for octet in contents:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(value)
            value = 0
    if not numbers or value:
        raise NotDER("an object identifier that is none")
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def time_of(element: Element) -> datetime:
    """Return a UTCTime or GeneralizedTime to the second, in UTC; raises NotDER.

    A year of two digits is that of RFC 5280 §4.1.2.5.1: 50 to 99 are 1950 to 1999.
    """
    match = _TIME.fullmatch(element.contents)
    digits = {UTC_TIME: 2, GENERALIZED_TIME: 4}.get(element.tag)
    if match is None or len(match["year"]) != digits:
        raise NotDER("a time that is none")
    year = int(match["year"])
    if element.tag == UTC_TIME:
        year += 1900 if year >= 50 else 2000  # noqa: PLR2004
    rest = match["rest"]
    month, day, hour, minute = (int(rest[at : at + 2]) for at in range(0, 8, 2))
    offset = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
    zone = timezone(-offset if match["sign"] == b"-" else offset) if offset else UTC
    try:
        moment = datetime(year, month, day, hour, minute, int(match["second"] or 0), tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotDER("a time that is none") from None


def _first(view: memoryview) -> Element:
    if len(view) < 2:  # noqa: PLR2004 - tag and length
        raise NotDER("it ends too early")
    tag, length, begin = view[0], view[1], 2
    if tag & _LONG_TAG == _LONG_TAG:
        raise NotDER("a tag of several octets")
    if length >= _LONG_LENGTH:
        count = length - _LONG_LENGTH
        begin += count
        if not 1 <= count <= _MAX_LENGTH_OCTETS or len(view) < begin:
            raise NotDER("a length that is none")
        length = int.from_bytes(view[2:begin], "big")
        if length < _LONG_LENGTH or not view[2]:
            raise NotDER("a length with more octets than it needs")
    end = begin + length
    if len(view) < end:
        raise NotDER("it ends too early")
    return Element(tag, view[begin:end], view[:end])


# --- Writing --------------------------------------------------------------------------------


@lru_cache(1024)  # few lengths come again and again
def header(tag: int, length: int) -> bytes:
    """Return tag and length of a value whose contents have `length` octets."""
    if length < _LONG_LENGTH:
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_LENGTH | len(octets))) + octets


def encode(tag: int, *parts: bytes) -> bytes:
    """Return a value of the contents `parts`, one after the other."""
    return b"".join((header(tag, sum(map(len, parts))), *parts))


def integer(number: int, tag: int = INTEGER) -> bytes:
    """Return an INTEGER of any length and sign in as few octets as it needs (X.690 §8.3)."""
    bits = (number if number >= 0 else ~number).bit_length()
    return encode(tag, number.to_bytes(bits // 8 + 1, "big", signed=True))


def time(moment: datetime) -> bytes:
    """Return UTCTime from 1950 to 2049, GeneralizedTime else (RFC 5280 §4.1.2.5), to the second."""
    whole = generalized_time(moment)
    if _UTC_TIMES[0] <= whole[2:6] <= _UTC_TIMES[1]:
        return header(UTC_TIME, 13) + whole[4:]
    return whole


@lru_cache(256)  # batches are signed at one moment
def generalized_time(moment: datetime) -> bytes:
    """Return GeneralizedTime to the second (RFC 5280 §4.1.2.5.2)."""
    year, month, day, hour, minute, second = moment.utctimetuple()[:6]
    # Not strftime, whose %Y has fewer digits for early years on some systems, and which is slow.
    text = b"%04d%02d%02d%02d%02d%02dZ" % (year, month, day, hour, minute, second)
    return encode(GENERALIZED_TIME, text)

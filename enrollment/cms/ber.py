"""The shape of BER (X.690), checked before a parser is let near it.

asn1crypto parses only what is looked at and goes down by recursion. This walk goes over all of a
message once, without recursion, so that what is too deep, too long, or ends too early is refused
at the cost of reading it.

Indefinite lengths are read: clients that stream write them around constructed OCTET STRINGs. Where
a signature needs DER (certificates, requests, signed attributes) its reader refuses them.
"""

from enrollment.cms.errors import Malformed

MAX_BYTES = 256 * 1024
MAX_DEPTH = 24  # a certificate in a bag in a message goes 14 deep
MAX_ELEMENTS = 10_000

_CONSTRUCTED, _LONG_TAG, _LONG_LENGTH = 0x20, 0x1F, 0x80
_MAX_LENGTH_OCTETS = 4
_END_OF_CONTENTS = b"\x00\x00"
_TOO_EARLY = "The message ends too early."


def check(data: bytes, *, max_bytes: int = MAX_BYTES, max_elements: int = MAX_ELEMENTS) -> None:
    """Raise Malformed unless `data` is one BER value, whole, within the limits.

    What OCTET STRINGs hold in the primitive form is not looked at: it is for whoever reads it.
    """
    if len(data) > max_bytes:
        raise Malformed(f"A message may have {max_bytes} bytes.")
    if not data:
        raise Malformed("The message is empty.")
    position, elements = 0, 0
    # Where each open value ends at the latest, and whether an end-of-contents must end it.
    open_values: list[tuple[int, bool]] = []
    while not elements or open_values:
        limit, is_indefinite = open_values[-1] if open_values else (len(data), False)
        if is_indefinite and data[position : position + 2] == _END_OF_CONTENTS:
            position += 2
            open_values.pop()
        elif open_values and position == limit and not is_indefinite:
            open_values.pop()
        else:
            position, inside = _value(data, position, limit)
            elements += 1
            open_values += inside
            _check_limits(elements, max_elements, len(open_values))
    if position != len(data):
        raise Malformed("Something follows the end of the message.")


def _check_limits(elements: int, max_elements: int, depth: int) -> None:
    if elements > max_elements:
        raise Malformed(f"A message may have {max_elements} elements.")
    if depth > MAX_DEPTH:
        raise Malformed(f"A message may be {MAX_DEPTH} values deep.")


def _value(data: bytes, position: int, limit: int) -> tuple[int, list[tuple[int, bool]]]:
    """Step over a primitive value, or into a constructed one, which is then open."""
    tag, length, position = _header(data, position, limit)
    if tag & _CONSTRUCTED:
        return position, [(limit, True) if length is None else (position + length, False)]
    if length is None:
        raise Malformed("A primitive value has an indefinite length.")
    return position + length, []


def _header(data: bytes, position: int, limit: int) -> tuple[int, int | None, int]:
    """Return tag, length (None: indefinite) and where the contents begin."""
    if position + 2 > limit:
        raise Malformed(_TOO_EARLY)
    tag, length = data[position], data[position + 1]
    position += 2
    if tag & _LONG_TAG == _LONG_TAG:
        raise Malformed("A tag has several octets.")
    if not tag:
        raise Malformed("An end-of-contents stands where nothing was open.")
    if length == _LONG_LENGTH:
        return tag, None, position
    if length > _LONG_LENGTH:
        count = length - _LONG_LENGTH
        if count > _MAX_LENGTH_OCTETS:
            raise Malformed("A length has more octets than any message.")
        if position + count > limit:
            raise Malformed(_TOO_EARLY)
        length = int.from_bytes(data[position : position + count], "big")
        position += count
    if position + length > limit:
        raise Malformed(_TOO_EARLY)
    return tag, length, position

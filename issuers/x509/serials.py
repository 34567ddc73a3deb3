"""Serial and CRL numbers as people write them: with colons, spaces, 0x, in decimal."""

import re

MAX_HEX = 40  # digits of 20 octets
_SEPARATORS = re.compile(r"[\s:.\-_]+")
_HEX = re.compile(r"[0-9a-f]+")


def number_of(text: str) -> int:
    """Return a number: hexadecimal with 0x, colons or letters, else decimal; raises ValueError."""
    plain = text.strip().lower()
    if plain.isascii() and plain.isdigit():
        return int(plain)
    digits = _SEPARATORS.sub("", plain).removeprefix("0x")
    if plain.startswith("-") or not _HEX.fullmatch(digits):
        raise ValueError("it is no number")
    return int(digits, 16)


def readings(text: str) -> tuple[str, ...]:
    """Return which serials may be meant, in lower-case hexadecimal; none where it is no number.

    Digits alone are read both ways, as hexadecimal and as decimal, where both have 20 octets at
    most: people copy serials from programs of either kind.
    """
    plain = text.strip().lower()
    digits = _SEPARATORS.sub("", plain).removeprefix("0x")
    if not _HEX.fullmatch(digits):
        return ()
    meant = [digits.lstrip("0") or "0"]
    if plain.isascii() and plain.isdigit() and len(plain) <= 2 * MAX_HEX:
        meant.append(f"{int(plain):x}")
    return tuple(dict.fromkeys(one for one in meant if len(one) <= MAX_HEX))

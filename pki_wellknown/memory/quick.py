"""Read the common question without an ASN.1 library; whatever else comes is Django's.

The common one asks about one certificate and nothing else (RFC 9919 §3.1.1): no extension, no
requestorName, no signature, a hash that we know. Then question and CertID are one to one, so the
bytes of the question are the name under which its answer is remembered.
"""

import base64
import binascii

# The longest common question, with SHA-512, has under 200 bytes.
MAX_BYTES = 256
MAX_TEXT = 4 * MAX_BYTES // 3 + 4
_SEQUENCE, _OCTETS, _INTEGER = 0x30, 0x04, 0x02
_LONG = 0x80
MAX_SERIAL = 21  # octets of a serial's encoding (RFC 5280 §4.1.2.2, and a leading zero)
# AlgorithmIdentifiers with NULL and without, and how long a hash is: SHA-1, -256, -384, -512.
_HASHES = [
    (bytes.fromhex(text), size)
    for texts, size in (
        (("300906052b0e03021a0500", "300706052b0e03021a"), 20),
        (("300d06096086480165030402010500", "300b0609608648016503040201"), 32),
        (("300d06096086480165030402020500", "300b0609608648016503040202"), 48),
        (("300d06096086480165030402030500", "300b0609608648016503040203"), 64),
    )
    for text in texts
]


def decode(text: str) -> bytes | None:
    """Return the question that a path's base64 holds, as the view reads it; None for the others."""
    text = text.lstrip("/").replace(" ", "+")
    if len(text) > MAX_TEXT:
        return None
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def is_common(der: bytes) -> bool:
    """Whether these bytes are the common question, in DER, to the last byte."""
    inner: bytes | None = der if len(der) <= MAX_BYTES else None
    # OCSPRequest, TBSRequest, requestList, Request, CertID: each holds the next and nothing else.
    for _ in range(5):
        inner = _only(inner)
    if inner is None:
        return False
    for algorithm, size in _HASHES:
        if inner.startswith(algorithm):
            return _is_rest(inner[len(algorithm) :], size)
    return False


def _only(data: bytes | None) -> bytes | None:
    """Return the contents of the one SEQUENCE that `data` is."""
    if data is None or len(data) < 2 or data[0] != _SEQUENCE:  # noqa: PLR2004 - tag and length
        return None
    if data[1] < _LONG:
        begin, length = 2, data[1]
    elif data[1] == _LONG + 1 and len(data) > 2 and data[2] >= _LONG:  # noqa: PLR2004
        begin, length = 3, data[2]  # DER has the shortest form
    else:
        return None
    return data[begin:] if len(data) == begin + length else None


def _is_rest(rest: bytes, size: int) -> bool:
    """Whether these are two hashes of `size` octets and a serial."""
    head = bytes((_OCTETS, size))
    name, key, number = rest[: size + 2], rest[size + 2 : 2 * (size + 2)], rest[2 * (size + 2) :]
    if not (name.startswith(head) and key.startswith(head) and len(number) > 2):  # noqa: PLR2004
        return False
    if number[0] != _INTEGER or number[1] != len(number) - 2 or number[1] > MAX_SERIAL:
        return False
    # The shortest form again: nine equal bits in front are one octet too many (X.690 §8.3.2).
    return not (len(number) > 3 and (number[2], number[3] >> 7) in {(0, 0), (0xFF, 1)})  # noqa: PLR2004

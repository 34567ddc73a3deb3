"""The question of nearly everybody, read without a parser: what is asked, as a key of the memory.

A plain request is four SEQUENCEs, one in the other, around one CertID (RFC 6960 §4.1.1): no
version, no requestorName, no extension, no signature. Anything else is None, and the one parser
(issuers.x509.ocsp) says what it is. What is None here costs time; what is not None must mean the
same there, which a test holds to both.
"""

import binascii
import re

LONGEST = 127  # bytes: up to here each length is one byte
_DEPTH = 4
_SEQUENCE = 0x30
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,180}={0,2}")
_SERIAL = re.compile(r"[0-9a-fA-F]{1,40}")
_SLUG = re.compile(r"[-a-zA-Z0-9_]+")

Key = tuple[str, bytes | str]


def of_request(issuer: str, der: bytes) -> Key | None:
    """Return the key of a posted request to an issuer's responder."""
    size = len(der)
    if not 2 * _DEPTH < size <= LONGEST + 2:
        return None
    for begin in range(0, 2 * _DEPTH + 2, 2):
        if der[begin] != _SEQUENCE or der[begin + 1] != size - begin - 2:
            return None
    return issuer, der[2 * _DEPTH :]


def of_serial(issuer: str, serial: str) -> Key:
    """Return the key of a question by serial alone, in hexadecimal."""
    return issuer, f"{int(serial, 16):x}"


def of_path(tail: str) -> Key | None:
    """Return the key of a GET: `tail` is `{issuer}/{base64 or serial}`, with its escapes undone."""
    issuer, _, encoded = tail.partition("/")
    if not _SLUG.fullmatch(issuer):
        return None
    if _SERIAL.fullmatch(encoded):
        return of_serial(issuer, encoded)
    if not _BASE64.fullmatch(encoded):
        return None
    try:
        return of_request(issuer, binascii.a2b_base64(encoded, strict_mode=True))
    except binascii.Error:
        return None

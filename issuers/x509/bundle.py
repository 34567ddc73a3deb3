"""Certificates out of the files that people keep them in: PEM, bundles, PKCS #7, DER.

Bytes in, pieces out; what cannot be read is a piece too, which says why. No private key is read.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from issuers.x509 import certs, reading

# RFC 7468: a label, base64, and the same label again.
_BLOCK = re.compile(
    rb"-----BEGIN ([A-Z0-9 #]{1,40})-----([A-Za-z0-9+/=\s]*)-----END \1-----", re.ASCII
)
_ANY_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY", re.IGNORECASE)
_CERTIFICATES = {b"CERTIFICATE", b"X509 CERTIFICATE"}
_MESSAGES = {b"PKCS7", b"CMS", b"PKCS #7 SIGNED DATA"}
# The OID of SignedData, 1.2.840.113549.1.7.2 (RFC 5652 §5.1), as DER has it near the beginning.
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")


class HoldsPrivateKey(ValueError):
    """There is a private key in it: nothing of it is read."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One certificate of a file, or what is there instead and why it is none."""

    where: str
    certificate: x509.Certificate | None = None
    fault: str = ""


def pieces(data: bytes, name: str) -> Iterator[Piece]:
    """Go through the certificates in a file of that name; raises HoldsPrivateKey."""
    if _ANY_KEY.search(data):
        raise HoldsPrivateKey
    count = 0
    for count, block in enumerate(_BLOCK.finditer(data), start=1):
        yield from _of_block(block[1], block[2], f"{name}, block {count}")
    if count:
        return
    if data.lstrip()[:1] == b"0":
        yield from _of_der(data.lstrip(), name)
    elif data.strip():
        yield Piece(name, fault="There is no certificate in it: neither PEM, PKCS #7 nor DER.")


def _of_block(label: bytes, body: bytes, where: str) -> Iterator[Piece]:
    if label in _CERTIFICATES or label in _MESSAGES:
        try:
            der = base64.b64decode(b"".join(body.split()), validate=True)
        except ValueError:
            yield Piece(where, fault="Its base64 is damaged.")
            return
        yield from _of_der(der, where)
    else:
        yield Piece(where, fault=f"It is no certificate but {label.decode().lower()}.")


def _of_der(der: bytes, where: str) -> Iterator[Piece]:
    if _SIGNED_DATA in der[:32]:
        yield from _of_message(der, where)
        return
    try:
        for certificate in reading.certificates(_pem(der)):
            yield Piece(where, certificate)
    except reading.Unreadable as error:
        yield Piece(where, fault=f"It is malformed: {error}.")


def _of_message(der: bytes, where: str) -> Iterator[Piece]:
    try:
        listed = pkcs7.load_der_pkcs7_certificates(der)
    except reading.UNREADABLE as error:
        yield Piece(where, fault=f"The PKCS #7 message is malformed: {str(error)[:120]}.")
        return
    for at, one in enumerate(listed, start=1):
        try:
            # Read whole, as each certificate that comes alone.
            (certificate,) = reading.certificates(certs.pem(one))
        except reading.Unreadable as error:
            yield Piece(f"{where}, certificate {at}", fault=f"It is malformed: {error}.")
        else:
            yield Piece(f"{where}, certificate {at}", certificate)


def _pem(der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"

"""CRLs that others signed, read with suspicion: what a CA has revoked before we took it over."""

import binascii
import hashlib
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from issuers.x509 import crl, der, raw
from issuers.x509.der import Element, NotDER
from issuers.x509.signing import verify

_BASE64 = re.compile(rb"\A\s*(M[A-Za-z0-9+/=\s]+)\Z")  # a SEQUENCE of over 127 octets begins so
_BLOCK = re.compile(rb"-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----")
# The contents of OIDs: 2.5.29.20, .21, .24, .27, .28, .29.
_NUMBER = bytes.fromhex("551d14")
_REASON = bytes.fromhex("551d15")
_INVALIDITY_DATE = bytes.fromhex("551d18")
_DELTA = bytes.fromhex("551d1b")
_DISTRIBUTION_POINT = bytes.fromhex("551d1c")
_CERTIFICATE_ISSUER = bytes.fromhex("551d1d")
_MAX_SERIAL_OCTETS = 1000  # RFC 5280 §4.1.2.2 has 20; more than this fits no index
_MAX_NUMBER_OCTETS = 20  # RFC 5280 §5.2.3
_TIMES = (der.UTC_TIME, der.GENERALIZED_TIME)
# The fields of IssuingDistributionPoint by their tags (RFC 5280 §5.2.5).
_SOME_REASONS, _INDIRECT, _ATTRIBUTES = 0x83, 0x84, 0x85
_EXTENSIONS_TAG = 0xA0


class MalformedCRL(ValueError):
    """It is no CRL, or none that can be taken over; the message says why, as a sentence."""


@dataclass(frozen=True, slots=True)
class OldCRL:
    """A CRL of another program: complete, or a part of one, but neither delta nor indirect."""

    issuer: bytes  # the Name as it stands there
    number: int | None  # none in version 1
    this_update: datetime
    next_update: datetime | None
    entries: tuple[crl.Entry, ...]
    sha256: str  # of the whole, in lower-case hexadecimal
    is_partial: bool  # an issuingDistributionPoint says that there are others beside it
    _signed: bytes
    _algorithm: bytes
    _signature: bytes

    def check_signed_by(self, ca: x509.Certificate) -> None:
        """Raise MalformedCRL unless `ca` has this CRL's name, and its key has signed it."""
        if raw.subject(ca) != self.issuer:
            raise MalformedCRL("The CRL is that of another issuer.")
        try:
            self._verify(ca)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
            raise MalformedCRL("The CRL's signature is not that of the CA's key.") from None

    def _verify(self, ca: x509.Certificate) -> None:
        # The library reads the algorithm, but may refuse the entries: it is given a list of none.
        some_time = der.encode(der.UTC_TIME, b"260101000000Z")
        fields = der.integer(1), self._algorithm, self.issuer, some_time
        empty = der.encode(
            der.SEQUENCE,
            der.encode(der.SEQUENCE, *fields),
            self._algorithm,
            der.encode(der.BIT_STRING, b"\x00"),
        )
        shell = x509.load_der_x509_crl(empty)
        verify(ca.public_key(), shell, self._signature, self._signed)


def read(data: bytes | str) -> OldCRL:
    """Read a CRL in DER, PEM or base64 alone; raises MalformedCRL.

    Serials of any sign and of up to 1000 octets are read, and dates of any year. Refused are a
    delta CRL, an indirect one (entries of other issuers), one that tells of some reasons or of
    attribute certificates alone, and any with a critical extension that we do not know (RFC 5280
    §5.2).
    """
    try:
        return _read(_der(data.encode("utf-8", "replace") if isinstance(data, str) else data))
    except NotDER as error:
        raise MalformedCRL(f"The CRL cannot be read: {error}.") from None


def _der(data: bytes) -> bytes:
    if der.begins_well(data):
        return data
    blocks = _BLOCK.findall(data) or _BASE64.findall(data)
    if len(blocks) != 1:
        words = "several were" if blocks else "none was"
        raise MalformedCRL(f"Exactly one X509 CRL is wanted, in PEM or DER; {words} there.")
    try:
        return b64decode(b"".join(blocks[0].split()), validate=True)
    except binascii.Error:
        raise MalformedCRL("The CRL's base64 is broken.") from None


def _read(data: bytes) -> OldCRL:
    whole = list(der.expect(der.read(data), der.SEQUENCE))
    if len(whole) != 3:  # noqa: PLR2004 - tbsCertList, signatureAlgorithm, signatureValue
        raise NotDER("a CRL has three parts")
    signed, algorithm, signature = whole
    der.expect(signature, der.BIT_STRING)
    fields = list(der.expect(signed, der.SEQUENCE))
    if fields and fields[0].tag == der.INTEGER:
        fields.pop(0)  # version 2; version 1 does not say it
    if len(fields) < 3:  # noqa: PLR2004 - signature, issuer, thisUpdate
        raise NotDER("a CRL has a signature algorithm, an issuer and a date")
    inner, issuer, begins, *rest = fields
    if inner.whole != algorithm.whole:
        raise NotDER("its two signature algorithms differ")  # RFC 5280 §5.1.1.2
    ends = rest.pop(0) if rest and rest[0].tag in _TIMES else None
    listed = rest.pop(0) if rest and rest[0].tag == der.SEQUENCE else None
    extensions = rest.pop(0) if rest and rest[0].tag == _EXTENSIONS_TAG else None
    if rest:
        raise NotDER("a CRL has no such part")
    number, is_partial = _of_the_list(extensions)
    return OldCRL(
        issuer=bytes(der.expect(issuer, der.SEQUENCE).whole),
        number=number,
        this_update=der.time_of(begins),
        next_update=der.time_of(ends) if ends else None,
        entries=tuple(_entry(entry) for entry in listed or ()),
        sha256=hashlib.sha256(data).hexdigest(),
        is_partial=is_partial,
        _signed=bytes(signed.whole),
        _algorithm=bytes(algorithm.whole),
        _signature=bytes(signature.contents[1:]),
    )


def _of_the_list(extensions: Element | None) -> tuple[int | None, bool]:
    number, is_partial = None, False
    for oid, critical, value in _extensions(extensions):
        if oid == _DELTA:
            raise MalformedCRL("This is a delta CRL; a complete one is wanted (RFC 5280 §5.2.4).")
        if oid == _NUMBER:
            number = _number(value)
        elif oid == _DISTRIBUTION_POINT:
            is_partial = _check_scope(value)
        elif critical:
            raise MalformedCRL(
                f"The CRL has a critical extension that is not known (OID {der.dotted(oid)})."
            )
    return number, is_partial


def _number(value: Element) -> int:
    number = der.integer_of(der.expect(value, der.INTEGER))
    if number < 0 or len(value.contents) > _MAX_NUMBER_OCTETS:
        raise MalformedCRL("The CRL's number is negative or over 20 octets (RFC 5280 §5.2.3).")
    return number


def _check_scope(value: Element) -> bool:
    fields = {field.tag for field in der.expect(value, der.SEQUENCE) if _says_yes(field)}
    if _INDIRECT in fields:
        raise MalformedCRL("This is an indirect CRL, which speaks for other issuers too.")
    if _SOME_REASONS in fields:
        raise MalformedCRL("This CRL tells of some reasons alone; one with all is wanted.")
    if _ATTRIBUTES in fields:
        raise MalformedCRL("This CRL is about attribute certificates.")
    return bool(fields)


def _says_yes(field: Element) -> bool:
    # Of BOOLEANs, FALSE is the default; all else says something by being there.
    return bytes(field.contents) != b"\x00"


def _entry(entry: Element) -> crl.Entry:
    fields = list(der.expect(entry, der.SEQUENCE))
    if len(fields) not in {2, 3}:
        raise NotDER("an entry has a serial, a date and perhaps extensions")
    reason, invalid_since = x509.ReasonFlags.unspecified, None
    extensions = fields[2] if len(fields) > 2 else None  # noqa: PLR2004
    if len(fields[0].contents) > _MAX_SERIAL_OCTETS:
        raise MalformedCRL(f"A serial has more than {_MAX_SERIAL_OCTETS} octets.")
    serial = der.integer_of(der.expect(fields[0], der.INTEGER))
    for oid, critical, value in _list(extensions):
        if oid == _REASON:
            reason = _reason(value)
        elif oid == _INVALIDITY_DATE:
            invalid_since = der.time_of(value)
        elif oid == _CERTIFICATE_ISSUER:
            raise MalformedCRL("This is an indirect CRL, which speaks for other issuers too.")
        elif critical:
            raise MalformedCRL(
                f"The entry {serial:x} has a critical extension that is not known"
                f" (OID {der.dotted(oid)})."
            )
    return crl.Entry(serial, der.time_of(fields[1]), reason, invalid_since)


def _reason(value: Element) -> x509.ReasonFlags:
    code = der.integer_of(der.expect(value, der.ENUMERATED))
    reason = crl.REASONS.get(code)
    if reason is None or reason is x509.ReasonFlags.remove_from_crl:
        raise MalformedCRL(f"An entry of a complete CRL has no reason {code} (RFC 5280 §5.3.1).")
    return reason


def _extensions(tagged: Element | None) -> Iterator[tuple[bytes, bool, Element]]:
    if tagged is not None:
        yield from _list(der.read(tagged.contents))


def _list(extensions: Element | None) -> Iterator[tuple[bytes, bool, Element]]:
    """Go through extensions as the contents of their OID, whether critical, and their value."""
    if extensions is None:
        return
    seen = set()
    for extension in der.expect(extensions, der.SEQUENCE):
        oid, *flags, value = _at_least_two(der.expect(extension, der.SEQUENCE))
        name = bytes(der.expect(oid, der.OID).contents)
        if name in seen:
            raise NotDER("an extension is there twice")
        seen.add(name)
        if len(flags) > 1 or (flags and flags[0].tag != der.BOOLEAN):
            raise NotDER("an extension has no such part")
        critical = any(any(flag.contents) for flag in flags)
        yield name, critical, der.read(der.expect(value, der.OCTET_STRING).contents)


def _at_least_two(extension: Element) -> list[Element]:
    parts = list(extension)
    if len(parts) < 2:  # noqa: PLR2004
        raise NotDER("an extension has an identifier and a value")
    return parts

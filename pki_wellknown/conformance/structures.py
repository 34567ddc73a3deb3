"""CRLs and OCSP answers taken apart byte for byte: a library would tidy what rules look at."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from issuers.x509 import der
from issuers.x509.der import Element, NotDER

BASIC = "1.3.6.1.5.5.7.48.1.1"
NONCE = "1.3.6.1.5.5.7.48.1.2"
# How a signature algorithm hashes; None: the key's own way.
SIGNATURES: dict[str, hashes.HashAlgorithm | None] = {
    "1.2.840.113549.1.1.5": hashes.SHA1(),  # noqa: S303 - to be told of
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
    "1.2.840.10045.4.1": hashes.SHA1(),  # noqa: S303 - to be told of
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
    "1.3.101.112": None,
    "1.3.101.113": None,
}


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension: whether it is critical, and what its OCTET STRING holds."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A revoked certificate on a CRL."""

    serial: int
    serial_octets: int
    date: Element
    extensions: tuple[Extension, ...]


@dataclass(frozen=True, slots=True)
class Crl:
    """A CertificateList (RFC 5280 §5.1)."""

    tbs: bytes
    version: int | None
    inner_algorithm: bytes
    outer_algorithm: bytes
    issuer: bytes
    this_update: Element
    next_update: Element | None
    has_list: bool
    entries: tuple[Entry, ...]
    extensions: tuple[Extension, ...]
    signature: bytes

    def extension(self, oid: str) -> Extension | None:
        """Return one extension, or None."""
        return next((one for one in self.extensions if one.oid == oid), None)


@dataclass(frozen=True, slots=True)
class Single:
    """A SingleResponse (RFC 6960 §4.2.1); `status` is good, revoked or unknown."""

    cert_id: bytes
    status: str
    revoked_at: Element | None
    reason: int | None
    this_update: Element
    next_update: Element | None
    extensions: tuple[Extension, ...]

    @property
    def serial(self) -> int:
        """The serial that its CertID names."""
        return der.integer_of([*der.read(self.cert_id)][3])


@dataclass(frozen=True, slots=True)
class Response:
    """An OCSPResponse; what is signed is empty unless `status` is 0 (successful)."""

    status: int
    kind: str = ""
    tbs: bytes = b""
    responder: Element | None = None
    produced_at: Element | None = None
    singles: tuple[Single, ...] = ()
    extensions: tuple[Extension, ...] = ()
    algorithm: bytes = b""
    signature: bytes = b""
    certificates: tuple[x509.Certificate, ...] = field(default=())

    @property
    def nonce(self) -> bytes | None:
        """The nonce that it carries (RFC 9654 §2.1), or None."""
        for one in self.extensions:
            if one.oid == NONCE:
                return bytes(der.expect(der.read(one.value), der.OCTET_STRING).contents)
        return None


def crl_of(data: bytes) -> Crl:
    """Take a CRL apart; raises NotDER where it is none, or not alone."""
    tbs, algorithm, signature = _three(der.read(data))
    rest = _Rest(tbs)
    version = rest.take(der.INTEGER)
    inner, issuer = rest.need(der.SEQUENCE), rest.need(der.SEQUENCE)
    this_update = rest.need(der.UTC_TIME, der.GENERALIZED_TIME)
    next_update = rest.take(der.UTC_TIME, der.GENERALIZED_TIME)
    revoked = rest.take(der.SEQUENCE)
    extensions = rest.take(0xA0)
    rest.end()
    return Crl(
        tbs=bytes(tbs.whole),
        version=der.integer_of(version) if version else None,
        inner_algorithm=bytes(inner.whole),
        outer_algorithm=bytes(algorithm.whole),
        issuer=bytes(issuer.whole),
        this_update=this_update,
        next_update=next_update,
        has_list=revoked is not None,
        entries=tuple(map(_entry, revoked)) if revoked else (),
        extensions=_extensions(der.read(extensions.contents)) if extensions else (),
        signature=_bits(signature),
    )


def response_of(data: bytes) -> Response:
    """Take an OCSPResponse apart; raises NotDER where it is none, or not alone."""
    outer = _Rest(der.expect(der.read(data), der.SEQUENCE))
    status = der.integer_of(outer.need(der.ENUMERATED))
    content = outer.take(0xA0)
    outer.end()
    if content is None:
        return Response(status)
    inner = _Rest(der.read(content.contents))
    kind, octets = der.dotted(inner.need(der.OID).contents), inner.need(der.OCTET_STRING)
    inner.end()
    if kind != BASIC:
        return Response(status, kind)
    basic = _Rest(der.expect(der.read(octets.contents), der.SEQUENCE))
    tbs, algorithm = basic.need(der.SEQUENCE), basic.need(der.SEQUENCE)
    signature, carried = basic.need(der.BIT_STRING), basic.take(0xA0)
    basic.end()
    rest = _Rest(tbs)
    rest.take(0xA0)  # the version
    responder = rest.need(0xA1, 0xA2)
    produced_at = rest.need(der.GENERALIZED_TIME)
    singles, extensions = rest.need(der.SEQUENCE), rest.take(0xA1)
    rest.end()
    return Response(
        status,
        kind,
        tbs=bytes(tbs.whole),
        responder=responder,
        produced_at=produced_at,
        singles=tuple(map(_single, singles)),
        extensions=_extensions(der.read(extensions.contents)) if extensions else (),
        algorithm=bytes(algorithm.whole),
        signature=_bits(signature),
        certificates=tuple(_certificates(carried)) if carried else (),
    )


def algorithm_oid(identifier: bytes) -> str:
    """Return the OID of an AlgorithmIdentifier; raises NotDER."""
    return der.dotted(der.expect(next(iter(der.read(identifier)), None), der.OID).contents)


def verifies(key: PublicKeyTypes, algorithm: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `key` made a signature over `data`; False also where the algorithm is unknown."""
    digest = SIGNATURES.get(algorithm_oid(algorithm), _Unknown)
    try:
        if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) and digest is None:
            key.verify(signature, data)
        elif isinstance(key, rsa.RSAPublicKey) and isinstance(digest, hashes.HashAlgorithm):
            key.verify(signature, data, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(
            digest, hashes.HashAlgorithm
        ):
            key.verify(signature, data, ec.ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True


class _Unknown:
    """Stands for no algorithm that we know; None is Ed25519's digest."""


class _Rest:
    """The elements of a SEQUENCE, taken one after the other."""

    def __init__(self, element: Element) -> None:
        self.left = list(element)

    def take(self, *tags: int) -> Element | None:
        return self.left.pop(0) if self.left and self.left[0].tag in tags else None

    def need(self, *tags: int) -> Element:
        element = self.take(*tags)
        if element is None:
            raise NotDER(f"a value of type {tags[0]:#04x} was expected")
        return element

    def end(self) -> None:
        if self.left:
            raise NotDER("it has more than it should")


def _three(element: Element) -> tuple[Element, Element, Element]:
    rest = _Rest(der.expect(element, der.SEQUENCE))
    three = rest.need(der.SEQUENCE), rest.need(der.SEQUENCE), rest.need(der.BIT_STRING)
    rest.end()
    return three


def _bits(element: Element) -> bytes:
    if not element.contents or element.contents[0]:
        raise NotDER("a signature of odd bits")
    return bytes(element.contents[1:])


def _extensions(element: Element) -> tuple[Extension, ...]:
    extensions = []
    for one in der.expect(element, der.SEQUENCE):
        rest = _Rest(der.expect(one, der.SEQUENCE))
        oid, critical = rest.need(der.OID), rest.take(der.BOOLEAN)
        value = rest.need(der.OCTET_STRING)
        rest.end()
        extensions.append(
            Extension(
                der.dotted(oid.contents),
                critical is not None and bytes(critical.contents) != b"\x00",
                bytes(value.contents),
            )
        )
    return tuple(extensions)


def _entry(element: Element) -> Entry:
    rest = _Rest(der.expect(element, der.SEQUENCE))
    serial, date = rest.need(der.INTEGER), rest.need(der.UTC_TIME, der.GENERALIZED_TIME)
    extensions = rest.take(der.SEQUENCE)
    rest.end()
    return Entry(
        der.integer_of(serial),
        len(serial.contents),
        date,
        _extensions(extensions) if extensions else (),
    )


_CERT_ID = [der.SEQUENCE, der.OCTET_STRING, der.OCTET_STRING, der.INTEGER]
_STATUSES = {0x80: "good", 0xA1: "revoked", 0x82: "unknown"}


def _single(element: Element) -> Single:
    rest = _Rest(der.expect(element, der.SEQUENCE))
    cert_id, status = rest.need(der.SEQUENCE), rest.need(*_STATUSES)
    this_update, next_update = rest.need(der.GENERALIZED_TIME), rest.take(0xA0)
    extensions = rest.take(0xA1)
    rest.end()
    if [one.tag for one in cert_id] != _CERT_ID:
        raise NotDER("a CertID that is none")
    revoked_at, reason = None, None
    if _STATUSES[status.tag] == "revoked":
        parts = _Rest(status)
        revoked_at, tagged = parts.need(der.GENERALIZED_TIME), parts.take(0xA0)
        reason = der.integer_of(der.read(tagged.contents)) if tagged else None
    return Single(
        bytes(cert_id.whole),
        _STATUSES[status.tag],
        revoked_at,
        reason,
        this_update,
        der.read(next_update.contents) if next_update else None,
        _extensions(der.read(extensions.contents)) if extensions else (),
    )


def _certificates(carried: Element) -> Iterator[x509.Certificate]:
    for one in der.read(carried.contents):
        try:
            yield x509.load_der_x509_certificate(bytes(one.whole))
        except ValueError as error:
            raise NotDER(f"a certificate that is none: {error}") from None


def moment_of(element: Element) -> datetime:
    """Return a time in UTC; raises NotDER."""
    return der.time_of(element)

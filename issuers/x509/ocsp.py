"""OCSP (RFC 6960, lightweight profile RFC 9919): questions parsed, answers signed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Literal

from asn1crypto import core
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from issuers.x509 import crl, der, raw
from issuers.x509.signing import hash_of_first, sign, signature_algorithm

# OCSPResponse without responseBytes (RFC 6960 §4.2.1): a SEQUENCE of one ENUMERATED.
MALFORMED = b"\x30\x03\x0a\x01\x01"
INTERNAL_ERROR = b"\x30\x03\x0a\x01\x02"
TRY_LATER = b"\x30\x03\x0a\x01\x03"
UNAUTHORIZED = b"\x30\x03\x0a\x01\x06"

HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
# Contents of OIDs: 1.3.14.3.2.26 and 2.16.840.1.101.3.4.2.1 to .3; 1.3.6.1.5.5.7.48.1.1.
_HASH_OIDS = {
    "sha1": bytes.fromhex("2b0e03021a"),
    "sha256": bytes.fromhex("608648016503040201"),
    "sha384": bytes.fromhex("608648016503040202"),
    "sha512": bytes.fromhex("608648016503040203"),
}
_BASIC = bytes.fromhex("2b0601050507300101")
_NONCE = bytes.fromhex("2b0601050507300102")  # 1.3.6.1.5.5.7.48.1.2
_SUCCESSFUL = der.encode(der.ENUMERATED, b"\x00")
# Of what every answer of one responder repeats, how much is kept as bytes: a process has few.
_PREPARED = 256
MAX_NONCE = 128  # RFC 9654 §2.1
MAX_SERIAL_OCTETS = 20  # RFC 5280 §4.1.2.2
MAX_CERT_IDS = 32  # of one request: more than a chain has, and a bound for one signature's work
MAX_EXTENSIONS = 32  # of a request, and of each of its CertIDs: RFC 6960 knows six in all
# The request extensions that we know; of others only the non-critical ones can be ignored.
_UNDERSTOOD = {"nonce", "acceptable_responses", "preferred_signature_algorithms"}


class MalformedRequest(ValueError):
    """The question is none that RFC 6960 allows, or that we answer."""


@dataclass(frozen=True, slots=True)
class CertID:
    """How a request names a certificate (RFC 6960 §4.1.1)."""

    hash_algorithm: str
    name_hash: bytes
    key_hash: bytes
    serial: int
    # Both are allowed: parameters NULL, or absent (RFC 4055 §2.1, RFC 5754 §2). Clients compare
    # bytes, so each is answered in its own form; which certificate is meant does not hang on it.
    has_null: bool = field(default=True, compare=False)

    @property
    def form(self) -> str:
        """The algorithm, with "/0" where its parameters are absent: at most 8 characters."""
        return self.hash_algorithm if self.has_null else f"{self.hash_algorithm}/0"

    def is_of(self, ca: x509.Certificate) -> bool:
        """Whether both hashes name `ca` (RFC 6960 §4.1.1): one of another CA must never match."""
        return self == cert_id(ca, self.serial, self.hash_algorithm)

    def encode(self) -> bytes:
        """Return its DER, which is that of the request."""
        ca = _ca(self.hash_algorithm, self.name_hash, self.key_hash, self.has_null)
        return der.encode(der.SEQUENCE, ca, der.integer(self.serial))


@lru_cache(_PREPARED)
def _ca(hash_algorithm: str, name_hash: bytes, key_hash: bytes, has_null: bool) -> bytes:
    """Return what all CertIDs of one CA begin with."""
    null = der.encode(der.NULL) if has_null else b""
    oid = der.encode(der.OID, _HASH_OIDS[hash_algorithm])
    return b"".join(
        (
            der.encode(der.SEQUENCE, oid, null),
            der.encode(der.OCTET_STRING, name_hash),
            der.encode(der.OCTET_STRING, key_hash),
        )
    )


@dataclass(frozen=True, slots=True)
class Question:
    """A request: one certificate, maybe a nonce, and maybe more certificates.

    `preferred` are the signature algorithms that the client would like best (RFC 6960 §4.4.7.1),
    such as "sha384_rsa".
    """

    cert_id: CertID
    nonce: bytes | None = None
    others: tuple[CertID, ...] = ()
    preferred: tuple[str, ...] = field(default=(), compare=False)

    @property
    def cert_ids(self) -> tuple[CertID, ...]:
        """Every CertID, each once, in the order of the request."""
        return (self.cert_id, *self.others)

    @property
    def is_plain(self) -> bool:
        """Whether an answer that exists already can be all of the answer."""
        return self.nonce is None and not self.others


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be said of a certificate; fractions of seconds are dropped.

    "unknown" is said of those among several for which the responder cannot speak.
    `produced_at` is when it is signed, not before `this_update` (RFC 6960 §2.4), which it is where
    nothing is said.
    """

    status: Literal["good", "revoked", "unknown"]
    this_update: datetime
    next_update: datetime
    revoked_at: datetime | None = None
    reason: x509.ReasonFlags | None = None
    produced_at: datetime | None = None


GOOD: Literal["good"] = "good"
REVOKED: Literal["revoked"] = "revoked"
UNKNOWN: Literal["unknown"] = "unknown"
_STATUSES = {GOOD: b"\x80\x00", UNKNOWN: b"\x82\x00"}  # [0] and [2], each an IMPLICIT NULL


def parse(der: bytes) -> Question:
    """Parse a DER OCSPRequest about 1 to `MAX_CERT_IDS` certificates (RFC 6960 §4.1).

    One that is asked about twice, in the same bytes, is one. A signature is ignored (RFC 9919
    §3.1.2), and so is a requestorName. Raises MalformedRequest for anything else, such as trailing
    bytes, an unknown critical extension, or a nonce of 0 or over 128 octets (RFC 9654 §2.1).
    """
    try:
        request = asn1.OCSPRequest.load(der, strict=True)
        tbs = request["tbs_request"]
        _check_shape(request, tbs)
        _check_version(tbs)
        first, *others = _cert_ids(tbs["request_list"])
        nonce, preferred = _check_extensions(tbs["request_extensions"])
    except MalformedRequest:
        raise
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise MalformedRequest(str(error)[:200]) from None
    return Question(first, nonce, tuple(others), preferred)


def cert_id(issuer: x509.Certificate, serial: int, hash_algorithm: str) -> CertID:
    """Return the CertID of a certificate of `issuer`, hashed with "sha1", "sha256", …."""
    name = hashes.Hash(HASHES[hash_algorithm]())
    name.update(raw.subject(issuer))
    key = hashes.Hash(HASHES[hash_algorithm]())
    key.update(raw.bits(raw.key(issuer)))
    return CertID(hash_algorithm, name.finalize(), key.finalize(), serial)


def build(
    *,
    cert_id: CertID,
    answer: Answer,
    responder_cert: x509.Certificate,
    key: CertificateIssuerPrivateKeyTypes,
    above: Sequence[x509.Certificate] = (),
) -> bytes:
    """Sign an OCSPResponse for one certificate and return its DER, as `build_all` does."""
    return build_all(
        answers=[(cert_id, answer)],
        produced_at=answer.produced_at or answer.this_update,
        responder_cert=responder_cert,
        key=key,
        above=above,
    )


def build_all(  # noqa: PLR0913 - one argument a field
    *,
    answers: Sequence[tuple[CertID, Answer]],
    produced_at: datetime,
    responder_cert: x509.Certificate,
    key: CertificateIssuerPrivateKeyTypes,
    above: Sequence[x509.Certificate] = (),
    nonce: bytes | None = None,
    preferred: Sequence[str] = (),
) -> bytes:
    """Sign one OCSPResponse for several certificates and return its DER.

    The responder is named by key (RFC 9919 §3.2.1), and its certificate always comes along: who
    has the CA's needs it no more, but Apache's SSLOCSPEnable looks nowhere else. Nor does it for
    the CA of a delegate that it does not trust directly, so that goes `above`. There are no
    extensions but `nonce`, as it came (RFC 9654 §2.1); a reason "unspecified" is left out, as in
    the CRL. Signed with the first of the `preferred` algorithms that the key can do and that is
    none of yesterday's, else as the CA signs everything.
    """
    data = der.encode(
        der.SEQUENCE,
        _by_key(responder_cert),
        der.generalized_time(produced_at),
        der.encode(der.SEQUENCE, *(_single(*one) for one in answers)),
        b"" if nonce is None else _echo(nonce),
    )
    digest = hash_of_first(preferred, key)
    basic = der.encode(
        der.SEQUENCE,
        data,
        signature_algorithm(key, digest),
        sign(key, data, digest),
        _sent((responder_cert, *above)),
    )
    content = der.encode(der.OID, _BASIC), der.encode(der.OCTET_STRING, basic)
    return der.encode(
        der.SEQUENCE, _SUCCESSFUL, der.encode(0xA0, der.encode(der.SEQUENCE, *content))
    )


@lru_cache(_PREPARED)
def _by_key(responder_cert: x509.Certificate) -> bytes:
    """Return ResponderID byKey."""
    name = der.encode(der.OCTET_STRING, raw.key_identifier(raw.key(responder_cert)))
    return der.encode(0xA2, name)


@lru_cache(_PREPARED)
def _sent(certificates: tuple[x509.Certificate, ...]) -> bytes:
    """Return the certificates that come along."""
    ders = [one.public_bytes(serialization.Encoding.DER) for one in certificates]
    return der.encode(0xA0, der.encode(der.SEQUENCE, *ders))


def _echo(nonce: bytes) -> bytes:
    """Return responseExtensions with the nonce alone, which is not critical."""
    value = der.encode(der.OCTET_STRING, der.encode(der.OCTET_STRING, nonce))
    extension = der.encode(der.SEQUENCE, der.encode(der.OID, _NONCE), value)
    return der.encode(0xA1, der.encode(der.SEQUENCE, extension))


def _single(cert_id: CertID, answer: Answer) -> bytes:
    """Return a SingleResponse (RFC 6960 §4.2.1)."""
    return der.encode(
        der.SEQUENCE,
        cert_id.encode(),
        _status(answer),
        der.generalized_time(answer.this_update),
        der.encode(0xA0, der.generalized_time(answer.next_update)),
    )


def _status(answer: Answer) -> bytes:
    if answer.status != REVOKED:
        return _STATUSES[answer.status]
    if answer.revoked_at is None:
        raise ValueError("what is revoked has been so since some time")
    code = crl.code(answer.reason) if answer.reason else 0
    reason = der.encode(0xA0, der.integer(code, der.ENUMERATED)) if code else b""
    return der.encode(0xA1, der.generalized_time(answer.revoked_at), reason)


def _check_shape(*parts: core.Sequence) -> None:
    """Refuse what the parser leaves unread: elements besides a type's own, another version."""
    for part in parts:
        if len(part) > len(part._fields):
            raise MalformedRequest(f"{type(part).__name__} has elements besides its own")


def _check_version(tbs: asn1.TBSRequest) -> None:
    if tbs["version"].native != "v1":
        raise MalformedRequest("the version is not v1")


def _cert_ids(requests: asn1.Requests) -> list[CertID]:
    if not 1 <= len(requests) <= MAX_CERT_IDS:
        raise MalformedRequest(f"1 to {MAX_CERT_IDS} certificates can be asked about")
    asked: dict[bytes, CertID] = {}
    for single in requests:
        _check_shape(single, single["req_cert"])
        _check_extensions(single["single_request_extensions"])
        one = _cert_id(single["req_cert"])
        asked.setdefault(one.encode(), one)
    return list(asked.values())


def _cert_id(found: asn1.CertId) -> CertID:
    name = found["hash_algorithm"]["algorithm"].native
    if name not in HASHES:
        raise MalformedRequest(f"CertIDs hashed with {name} are not answered")
    name_hash, key_hash = found["issuer_name_hash"].native, found["issuer_key_hash"].native
    serial = found["serial_number"].native
    size = HASHES[name]().digest_size
    if len(name_hash) != size or len(key_hash) != size:
        raise MalformedRequest("a hash of the CertID has the wrong length")
    # The serial's own encoding may have a leading zero octet over its 20.
    if len(found["serial_number"].contents) > MAX_SERIAL_OCTETS + 1:
        raise MalformedRequest("the serial is longer than 20 octets")
    cert_id = CertID(name, name_hash, key_hash, serial, has_null=True)
    absent = replace(cert_id, has_null=False)
    # Another encoding of the same would come back to everybody who asks in the usual one.
    if found.dump() not in {cert_id.encode(), absent.encode()}:
        raise MalformedRequest("the CertID is not in DER, or its hash has parameters")
    return cert_id if found.dump() == cert_id.encode() else absent


def _check_extensions(
    extensions: asn1.RequestExtensions,
) -> tuple[bytes | None, tuple[str, ...]]:
    """Refuse critical extensions that we do not know; return nonce and preferred algorithms."""
    nonce: bytes | None = None
    preferred: tuple[str, ...] = ()
    if len(extensions) > MAX_EXTENSIONS:
        raise MalformedRequest(f"there are more than {MAX_EXTENSIONS} extensions")
    # An absent OPTIONAL field is a Void, which has a length of 0 but cannot be iterated.
    for extension in extensions if len(extensions) else ():
        name = extension["extn_id"].native
        if name == "nonce":
            if nonce is not None:
                raise MalformedRequest("there are two nonces")
            nonce = _nonce(extension)
        elif name == "preferred_signature_algorithms":
            preferred = _preferred(extension)
        elif extension["critical"].native and name not in _UNDERSTOOD:
            raise MalformedRequest(f"the critical extension {name} is not understood")
    return nonce, preferred


def _preferred(extension: asn1.TBSRequestExtension) -> tuple[str, ...]:
    listed = extension["extn_value"].parsed
    if not isinstance(listed, asn1.PreferredSignatureAlgorithms):
        raise MalformedRequest("the preferred signature algorithms are no list")
    # RFC 6960 §4.4.7.1: the most preferred one is first. The tail of an endless list is not read.
    known = islice(listed, MAX_EXTENSIONS)
    return tuple(one["sig_identifier"]["algorithm"].native for one in known)


def _nonce(extension: asn1.TBSRequestExtension) -> bytes:
    # extnValue is an OCTET STRING that holds the OCTET STRING of the nonce (RFC 9654 §2.1).
    inner = core.OctetString.load(extension["extn_value"].contents, strict=True)
    nonce = bytes(inner.native)
    if not 1 <= len(nonce) <= MAX_NONCE:
        raise MalformedRequest(f"a nonce has 1 to {MAX_NONCE} octets")
    return nonce

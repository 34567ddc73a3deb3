"""OCSP (RFC 6960, lightweight profile RFC 9919): questions parsed, answers signed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from asn1crypto import core, keys
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509 import ocsp

from issuers.x509.signing import hash_for

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
MAX_NONCE = 128  # RFC 9654 §2.1
MAX_SERIAL_OCTETS = 20  # RFC 5280 §4.1.2.2
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


@dataclass(frozen=True, slots=True)
class Question:
    """A request: one certificate, and maybe a nonce."""

    cert_id: CertID
    nonce: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be said of a certificate; times with whole seconds."""

    status: Literal["good", "revoked"]
    this_update: datetime
    next_update: datetime
    revoked_at: datetime | None = None
    reason: x509.ReasonFlags | None = None


GOOD: Literal["good"] = "good"
REVOKED: Literal["revoked"] = "revoked"


def parse(der: bytes) -> Question:
    """Parse a DER OCSPRequest that asks about one certificate.

    RFC 6960 allows several; RFC 9919 §3.1.1 clients send one, and each answer is signed once for
    all askers, so a request for several is refused as malformed. A signature is ignored (RFC 9919
    §3.1.2), and so is a requestorName. Raises MalformedRequest for anything else, such as trailing
    bytes, an unknown critical extension, or a nonce of 0 or over 128 octets (RFC 9654 §2.1).
    """
    try:
        request = asn1.OCSPRequest.load(der, strict=True)
        tbs = request["tbs_request"]
        (single,) = tbs["request_list"]
        _check_shape(request, tbs, single, single["req_cert"])
        cert_id = _cert_id(single["req_cert"])
        _check_extensions(single["single_request_extensions"])
        nonce = _check_extensions(tbs["request_extensions"])
    except MalformedRequest:
        raise
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise MalformedRequest(str(error)[:200]) from None
    return Question(cert_id, nonce)


def cert_id(issuer: x509.Certificate, serial: int, hash_algorithm: str) -> CertID:
    """Return the CertID of a certificate of `issuer`, hashed with "sha1", "sha256", …."""
    algorithm = HASHES[hash_algorithm]()
    name = hashes.Hash(algorithm)
    name.update(issuer.subject.public_bytes())
    key = hashes.Hash(HASHES[hash_algorithm]())
    key.update(_key_bits(issuer))
    return CertID(hash_algorithm, name.finalize(), key.finalize(), serial)


def build(
    *,
    cert_id: CertID,
    answer: Answer,
    responder_cert: x509.Certificate,
    key: CertificateIssuerPrivateKeyTypes,
) -> bytes:
    """Sign an OCSPResponse for one certificate and return its DER.

    The responder is named by key (RFC 9919 §3.2.1). Signed by the CA itself, it carries no
    certificates: whoever asks has the CA's. There are no extensions; a reason "unspecified" is
    left out, as in the CRL.
    """
    revoked = answer.status == REVOKED
    reason = answer.reason if answer.reason is not x509.ReasonFlags.unspecified else None
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            issuer_name_hash=cert_id.name_hash,
            issuer_key_hash=cert_id.key_hash,
            serial_number=cert_id.serial,
            algorithm=HASHES[cert_id.hash_algorithm](),
            cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
            this_update=answer.this_update.replace(microsecond=0),
            next_update=answer.next_update.replace(microsecond=0),
            revocation_time=_whole(answer.revoked_at) if revoked else None,
            revocation_reason=reason if revoked else None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder_cert)
    )
    return builder.sign(key, hash_for(key)).public_bytes(serialization.Encoding.DER)


def _whole(moment: datetime | None) -> datetime | None:
    return moment.replace(microsecond=0) if moment else None


def _key_bits(certificate: x509.Certificate) -> bytes:
    """Return the value of the key's BIT STRING without tag and length (RFC 6960 §4.1.1)."""
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return bytes(keys.PublicKeyInfo.load(spki)["public_key"].contents[1:])


def _check_shape(*parts: core.Sequence) -> None:
    """Refuse what the parser leaves unread: elements besides a type's own, another version."""
    for part in parts:
        if len(part) > len(part._fields):
            raise MalformedRequest(f"{type(part).__name__} has elements besides its own")
    if parts[1]["version"].native != "v1":
        raise MalformedRequest("the version is not v1")


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
    return CertID(name, name_hash, key_hash, serial)


def _check_extensions(extensions: asn1.RequestExtensions) -> bytes | None:
    """Refuse critical extensions that we do not know; return the nonce, if there is one."""
    nonce: bytes | None = None
    # An absent OPTIONAL field is a Void, which has a length of 0 but cannot be iterated.
    for extension in extensions if len(extensions) else ():
        name = extension["extn_id"].native
        if name == "nonce":
            if nonce is not None:
                raise MalformedRequest("there are two nonces")
            nonce = _nonce(extension)
        elif extension["critical"].native and name not in _UNDERSTOOD:
            raise MalformedRequest(f"the critical extension {name} is not understood")
    return nonce


def _nonce(extension: asn1.TBSRequestExtension) -> bytes:
    # extnValue is an OCTET STRING that holds the OCTET STRING of the nonce (RFC 9654 §2.1).
    inner = core.OctetString.load(extension["extn_value"].contents, strict=True)
    nonce = bytes(inner.native)
    if not 1 <= len(nonce) <= MAX_NONCE:
        raise MalformedRequest(f"a nonce has 1 to {MAX_NONCE} octets")
    return nonce

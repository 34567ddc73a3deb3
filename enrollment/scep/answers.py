"""SCEP answers: CertRep (RFC 8894 §3.3.2), capabilities, and the CA's certificates (§4).

Nonces and times are given. The envelope's key and IV are the operating system's random numbers.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from asn1crypto import core
from cryptography import x509

from enrollment.cms import algorithms, bags, enveloped, naming, signed
from enrollment.cms.signed import Signer
from enrollment.scep import message as scep
from enrollment.scep.message import FailInfo, Message, MessageType

CA_CERTIFICATE = "application/x-x509-ca-cert"
CA_AND_RA_CERTIFICATES = "application/x-x509-ca-ra-cert"
NEXT_CA_CERTIFICATE = "application/x-x509-next-ca-cert"
PKI_MESSAGE = "application/x-pki-message"
CAPABILITIES = "text/plain"
# Where there is no pkcsPKIEnvelope (RFC 8894 §3.3.2.2) the content is empty and not left out: what
# is signed is the same, and OpenSSL verifies nothing whose content is not there ("no content"), so
# certmonger takes its absence for a server that is out of order.
NOTHING = b""
MAX_TEXT = 255  # characters of failInfoText: some clients print it into a line of a log


class PKIStatus(IntEnum):
    """What became of a request (RFC 8894 §3.2.1.3)."""

    SUCCESS = 0
    FAILURE = 2
    PENDING = 3


@dataclass(frozen=True, slots=True)
class Signing:
    """What every CertRep takes: the RA that signs, when, and a nonce of ours, of 16 octets.

    With `legacy` a request in SHA-1 and 3DES is answered in the same; else in SHA-256 and AES.
    """

    ra: Signer
    signing_time: datetime
    sender_nonce: bytes
    legacy: bool = False


def issued(request: Message, certificates: Sequence[x509.Certificate], by: Signing) -> bytes:
    """Return a CertRep SUCCESS with `certificates`: the one asked for, then its chain.

    They are encrypted to the key that signed the request; raises BadAlgorithm where it is not RSA.
    """
    return _success(request, bags.build(certificates), by)


def revocation_list(request: Message, crl: bytes, by: Signing) -> bytes:
    """Return the CertRep SUCCESS of a GetCRL, with a CRL in DER (RFC 8894 §3.3.5)."""
    return _success(request, bags.build([], crl=crl), by)


def pending(request: Message, by: Signing) -> bytes:
    """Return a CertRep PENDING: the client polls until somebody decided (RFC 8894 §3.3.2.3)."""
    return _signed(request, NOTHING, PKIStatus.PENDING, {}, by)


def failure(request: Message, fail_info: FailInfo, words: str, by: Signing) -> bytes:
    """Return a CertRep FAILURE, with `words` as failInfoText (RFC 8894 §3.3.2.2, §3.2.1.4).

    Of words that are longer, the first 255 characters are sent.
    """
    details = {scep.FAIL_INFO: _printable(str(int(fail_info)))}
    if words:
        details[scep.FAIL_INFO_TEXT] = core.UTF8String(words[:MAX_TEXT]).dump()
    return _signed(request, NOTHING, PKIStatus.FAILURE, details, by)


def capabilities(*, legacy: bool = False, next_ca: bool = False) -> bytes:
    """Return the lines of GetCACaps (RFC 8894 §3.5.2), text/plain.

    `legacy` adds what a label's option allows, `next_ca` that GetNextCACert has an answer.
    """
    # SHA-384 is no keyword of the RFC's, and who does not know it passes over it. strongSwan 5.9.8
    # takes no AES where it is not said.
    lines = ["AES", "POSTPKIOperation", "Renewal", "SHA-256", "SHA-384", "SHA-512", "SCEPStandard"]
    lines += ["DES3", "SHA-1"] if legacy else []
    lines += ["GetNextCACert"] if next_ca else []
    return "".join(f"{line}\n" for line in lines).encode()


def ca_certificates(certificates: Sequence[x509.Certificate]) -> tuple[str, bytes]:
    """Return GetCACert's content type and body (RFC 8894 §4.2.1): one in DER, several in a bag."""
    if len(certificates) == 1:
        return CA_CERTIFICATE, naming.der_of(certificates[0])
    return CA_AND_RA_CERTIFICATES, bags.build(certificates)


def next_ca_certificates(
    certificates: Sequence[x509.Certificate],
    ca: Signer,
    *,
    signing_time: datetime,
) -> bytes:
    """Return GetNextCACert's body: a bag signed by the CA of today (RFC 8894 §4.7.1)."""
    return signed.sign(
        bags.build(certificates),
        ca,
        attributes={},
        signing_time=signing_time,
    )


def _success(request: Message, bag: bytes, by: Signing) -> bytes:
    cipher = request.cipher if _answerable(request.cipher, algorithms.CIPHERS, by) else None
    content = enveloped.seal(bag, recipient=request.signer, cipher=cipher or algorithms.AES128)
    return _signed(request, content, PKIStatus.SUCCESS, {}, by)


def _signed(
    request: Message,
    content: bytes | None,
    status: PKIStatus,
    details: dict[str, bytes],
    by: Signing,
) -> bytes:
    digest = request.digest if _answerable(request.digest, algorithms.HASHES, by) else None
    attributes = {
        scep.MESSAGE_TYPE: _printable(str(int(MessageType.CERT_REP))),
        scep.PKI_STATUS: _printable(str(int(status))),
        scep.TRANSACTION_ID: _printable(request.transaction_id),
        scep.SENDER_NONCE: core.OctetString(by.sender_nonce).dump(),
        scep.RECIPIENT_NONCE: core.OctetString(request.sender_nonce).dump(),
        **details,
    }
    return signed.sign(
        content,
        by.ra,
        attributes=attributes,
        signing_time=by.signing_time,
        digest=digest or algorithms.SHA256,
    )


def _answerable(name: str | None, known: Container[str], by: Signing) -> bool:
    """Whether the request's algorithm will do for the answer, which is in kind if it will."""
    return name in known and (by.legacy or name not in algorithms.LEGACY)


def _printable(text: str) -> bytes:
    return bytes(core.PrintableString(text).dump())

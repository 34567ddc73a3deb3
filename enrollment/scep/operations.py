"""PKIOperation: a message that was read, and the CertRep that answers it (RFC 8894 §3.3).

Who asks is told by the certificate that signed the message, or by the challenge in its request;
what may be done is for the services. The signing time is not looked at: much gear has no clock
before it has a certificate, and the same message sent again is the same request.
"""

import base64
import logging
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from audit.via import Via
from certificates.models import Version
from enrollment import door, services
from enrollment.cms.signed import Signer
from enrollment.models import Label
from enrollment.ra_keys import RA
from enrollment.scep import answers, message
from enrollment.scep.answers import Signing
from enrollment.scep.message import (
    Enrollment,
    FailInfo,
    IssuerAndSerial,
    IssuerAndSubject,
    Message,
    MessageType,
    Refused,
)
from enrollment.services import Answer, Caller
from enrollment.states import Stand
from issuers.x509 import certs

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """A message at a label, how it came, and the RA that it is for."""

    label: Label
    via: Via
    message: Message
    ra: RA

    @property
    def signing_key(self) -> str:
        """SHA-256 of the key that signed the message."""
        return certs.key_fingerprint(self.message.signer.public_key())


def addressed(sent: Message, keys: list[RA]) -> RA:
    """Return the RA that the message is encrypted to; the newest where it is to none.

    It answers, too: a client that has not seen the newest knows that one.
    """
    return next((ra for ra in keys if sent.is_for(ra.certificate)), keys[0])


def signing(question: Question, now: datetime) -> Signing:
    """Return what every CertRep takes, with a fresh nonce."""
    return Signing(
        ra=Signer(question.ra.certificate, question.ra.key),
        signing_time=now,
        sender_nonce=secrets.token_bytes(message.NONCE),
        legacy=question.label.legacy_algorithms,
    )


def answer(question: Question, by: Signing, *, instead: Exception | None = None) -> bytes:
    """Return the CertRep; raises Refused, and what the use cases raise.

    `instead` is raised where the answer is no already.
    """
    if instead is not None:
        raise instead
    sent, label = question.message, question.label
    content = sent.open(
        key=question.ra.key,
        certificate=question.ra.certificate,
        legacy=label.legacy_algorithms,
    )
    if sent.weak:
        logger.warning("a device at %s speaks %s, which is weak", label, " and ".join(sent.weak))
    match content:
        case Enrollment():
            return _told(question, by, _ask(question, content))
        case IssuerAndSubject():
            # Transaction and key say which request is meant; the names would say less.
            return _told(question, by, _ask_after(question))
        case IssuerAndSerial() if sent.message_type == MessageType.GET_CRL:
            crl = services.crl_of(label=label, issuer=content.issuer)
            return answers.revocation_list(sent, crl, by)
        case IssuerAndSerial():
            return _get_cert(question, by, content)


def _ask(question: Question, content: Enrollment) -> Answer:
    caller = replace(_caller(question, content), signing_key=question.signing_key)
    return services.ask(
        actor=door.actor_at(question.label, question.via, caller),
        label_id=question.label.pk,
        caller=caller,
        csr_pem=_pem(content.request),
        transaction=question.message.transaction_id,
    )


def _ask_after(question: Question) -> Answer:
    return services.ask_after(
        actor=door.actor_at(question.label, question.via),
        label_id=question.label.pk,
        transaction_id=question.message.transaction_id,
        key_fingerprint=question.signing_key,
    )


def _get_cert(question: Question, by: Signing, content: IssuerAndSerial) -> bytes:
    caller = _by_certificate(question)
    version = services.own_version(
        actor=door.actor_at(question.label, question.via, caller),
        label_id=question.label.pk,
        caller=caller,
        issuer=content.issuer,
        serial=content.serial,
    )
    return answers.issued(question.message, _with_chain(version), by)


def _caller(question: Question, content: Enrollment) -> Caller:
    """Return who asks for a certificate.

    Whoever signs with a certificate that was enrolled here renews it, by RenewalReq or, as older
    clients do, by PKCSReq; a challenge beside it is not looked at. A first request is known by its
    challenge, or by the manufacturer's certificate that signed it.
    """
    sent = question.message
    if sent.message_type == MessageType.RENEWAL_REQ:
        caller = _by_certificate(question)
        if caller.version is None:
            words = "A RenewalReq is signed with the certificate that was enrolled at this label."
            raise Refused(FailInfo.BAD_REQUEST, words)
        return caller
    if _is_ours(sent.signer):
        return _by_certificate(question)
    if content.challenge is not None:
        return services.by_secret(
            label=question.label, text=content.challenge, user="", via=question.via
        )
    if sent.is_self_signed:
        words = "The request has no challengePassword, and nobody's certificate signed it."
        raise Refused(FailInfo.BAD_REQUEST, words)
    return _by_certificate(question)


def _by_certificate(question: Question) -> Caller:
    return services.by_certificate(
        label=question.label,
        certificate=question.message.signer,
        chain=question.message.carried,
        via=question.via,
    )


def _is_ours(certificate: x509.Certificate) -> bool:
    return Version.objects.filter(fingerprint=certs.fingerprint(certificate)).exists()


def _told(question: Question, by: Signing, told: Answer) -> bytes:
    sent = question.message
    if told.stand is Stand.ISSUED and told.version is not None:
        return answers.issued(sent, _with_chain(told.version), by)
    if told.stand is Stand.WAITING:
        return answers.pending(sent, by)
    return answers.failure(sent, FailInfo.BAD_REQUEST, told.reason, by)


def _with_chain(version: Version) -> list[x509.Certificate]:
    return [certs.load(version.pem), *certs.load_all(version.chain_pem)]


def _pem(request: bytes) -> str:
    """Return a request in PEM, not parsed: its check reads the bytes as they came."""
    body = base64.encodebytes(request).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"

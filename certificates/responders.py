"""Who signs an issuer's OCSP answers: its delegated responder where it has one, else the CA itself.

The only module of this app that opens a key which the server made. The switch from one signer to
the other needs no moment of its own: each answer names its signer and brings its certificate, and
relying parties take either.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from django.db.models import F

from certificates import answer_log
from certificates.models import OCSPResponse, Revocation, Version
from foundation.clock import database_clock
from foundation.errors import ConnectorError
from foundation.locks import share_at_once
from foundation.sealed import CannotDecrypt
from issuers.connectors import revocation_signer
from issuers.connectors.base import SignsAnswers
from issuers.models import Issuer
from issuers.server_keys import SERVER_KEY
from issuers.x509 import certs, ocsp
from issuers.x509.ocsp import Answer, CertID, Question

logger = logging.getLogger(__name__)

# One with less left than this signs no more: an answer ends with its signer's certificate, and one
# that ends so soon is asked for again and again.
LEAST_LEFT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Signer:
    """What signs for `issuer`, and the version of a delegate's certificate."""

    issuer: Issuer
    by: SignsAnswers
    version: Version | None = None

    def ends(self, wanted: datetime) -> datetime:
        """Return `wanted` or the end of the delegate's certificate, whichever comes first."""
        return wanted if self.version is None else min(wanted, self.version.not_after)


class Delegate:
    """A delegated responder's key and certificate."""

    def __init__(self, issuer: Issuer, version: Version) -> None:
        self.issuer, self.version = issuer, version

    def sign_ocsp(self, *, cert_id: CertID, answer: Answer) -> bytes:
        """Return an OCSPResponse as DER, signed by the delegate (RFC 6960 §4.2.2.2)."""
        return ocsp.build(
            cert_id=cert_id,
            answer=answer,
            responder_cert=self._certificate,
            key=self._key,
            above=[self._ca],
        )

    def sign_live(
        self,
        *,
        question: Question,
        answers: Sequence[tuple[CertID, Answer]],
        produced_at: datetime,
        echo: bool,
    ) -> bytes:
        """Return one for who asked `question` alone."""
        return ocsp.build_all(
            answers=answers,
            produced_at=produced_at,
            responder_cert=self._certificate,
            key=self._key,
            above=[self._ca],
            nonce=question.nonce if echo else None,
            preferred=question.preferred,
        )

    @cached_property
    def _certificate(self) -> x509.Certificate:
        return certs.load(self.version.pem)

    @property
    def _ca(self) -> x509.Certificate:
        if self.issuer.certificate is None:
            raise ConnectorError("This CA has no certificate.", permanent=True)
        return self.issuer.certificate

    @cached_property
    def _key(self) -> CertificateIssuerPrivateKeyTypes:
        assert self.version.encrypted_key is not None  # noqa: S101 - those alone are asked for
        try:
            pem = self.version.encrypted_key.open(SERVER_KEY)
        except CannotDecrypt as error:
            raise ConnectorError(str(error), permanent=True) from None
        # What was sealed here is what was made here: its arithmetic need not be checked each time.
        return serialization.load_pem_private_key(  # type: ignore[return-value]  # its profile's kinds
            pem, password=None, unsafe_skip_rsa_key_validation=True
        )


def signer_of(issuer: Issuer, now: datetime) -> Signer | None:
    """Return what signs for `issuer` now; None where its CA answers for itself.

    Without a delegate that is valid, unrevoked and has some time left it is the CA's own key.
    """
    own = revocation_signer(issuer)
    if own is None:
        return None
    version = delegate_of(issuer, now)
    if version is None:
        return Signer(issuer, own)
    return Signer(issuer, Delegate(issuer, version), version)


def signer_until_commit(issuer: Issuer, now: datetime) -> Signer | None:
    """Do the same, and let nobody revoke the delegate before the transaction ends.

    For what is kept: whoever revokes the delegate either waits and then voids the answer too, or
    was first. That is not waited for, since the caller has rows locked which a wave of revocations
    may wait for with the delegate's in hand: the CA signs itself, whose answers nobody voids.
    """
    signer = signer_of(issuer, now)
    if signer is None or signer.version is None:
        return signer
    version = signer.version.pk
    if share_at_once(Version, version) and not Revocation.objects.filter(version=version).exists():
        return signer
    own = revocation_signer(issuer)
    return None if own is None else Signer(issuer, own)


def delegate_of(issuer: Issuer, now: datetime) -> Version | None:
    """Return the newest certificate of the issuer's delegate that may sign at `now`."""
    if not issuer.ocsp_delegated:
        return None
    rows = Version.objects.filter(
        certificate__responds_for=issuer.pk,
        issuer=issuer,  # RFC 6960 §4.2.2.2: issued directly by the CA that is asked about
        not_before__lte=now,
        not_after__gt=now + LEAST_LEFT,
        revocation__isnull=True,
        encrypted_key__isnull=False,
    )
    return rows.order_by("-number").first()


def void_answers_of(versions: Collection[Version]) -> int:
    """End the stored answers that these delegates signed; the caller has locked and revoked them.

    They stay as rows until the sweep, so that what is signed instead is dated later; whoever keeps
    answers of theirs in memory drops all of the issuer's. They are due to be signed ahead at once,
    which the caller tells the worker. Returns how many.
    """
    rows = OCSPResponse.objects.filter(signer__in=versions)
    # In the order of `ocsp_ahead`, which writes over those that another delegate signed.
    ordered = rows.order_by("issuer", "serial", "hash_algorithm")
    keys = list(ordered.select_for_update(no_key=True).values_list("pk", flat=True))
    if not keys:
        return 0
    issuers = {version.issuer_id for version in versions if version.issuer_id is not None}
    answer_log.append([(issuer_id, answer_log.ALL, ()) for issuer_id in sorted(issuers)])
    return OCSPResponse.objects.filter(pk__in=keys).update(
        next_update=F("this_update"), renew_at=database_clock.now()
    )

"""Issuance and renewal: have the certificate's next version signed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, ClassVar, TypedDict

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from typing_extensions import override

import certificates.policy
import certificates.services
import issuers.services
from certificates import signers
from certificates.models import Certificate, CertificateStatus, Version
from deployments.models import Deployment as Deployed
from foundation.errors import ConnectorError, FieldError, Invalid
from foundation.statements import Given, Rows
from issuers.connectors.base import OrderRefused, WrongCertificate
from issuers.models import Issuer, Profile
from issuers.services import CheckedRequest, OrderState, SignedCertificate, Waiting
from issuers.x509 import certs, csr
from jobs.kinds.base import ClaimLost, Follow, Kept, KeyOf, Kind, Skipped
from jobs.models import Job
from jobs.states import Status
from owners.models import Principal


class CompromisedKey(Invalid):
    """A key that leaked is never certified again (CA/B BR 6.1.1.3)."""

    code = "compromised_key"
    message = "A certificate with this key was revoked for a compromise."


def check_key(csr_pem: str) -> None:
    """Raise CompromisedKey where the CSR's key is known to have leaked."""
    fingerprint = certs.key_fingerprint(csr.parse(csr_pem).public_key())
    if certificates.policy.has_leaked(fingerprint):
        raise CompromisedKey(
            errors=[FieldError("csr", CompromisedKey.code, CompromisedKey.message)]
        )


def next_kind(certificate: Certificate) -> Job.Kind:
    """Return what the next signature is: a Renewal only of what was issued here, and stands.

    The first signature of ours under a name is an Issuance, whatever version came before: an
    imported certificate was agreed to by nobody. So is the one that brings back a revoked name.
    """
    if certificates.policy.revoked_for(certificate) is not None or not _is_issued(certificate):
        return Job.Kind.ISSUANCE
    return Job.Kind.RENEWAL


def _is_issued(certificate: Certificate) -> bool:
    """Whether a version came from a job of ours that was decided as the profile wants."""
    made = Job.objects.filter(
        certificate=certificate,
        pk__in=certificate.versions.filter(job_id__isnull=False).values("job_id"),
    )
    if certificate.profile.needs_approval(Job.Kind.ISSUANCE):
        made = made.exclude(approved_digest="")
    return made.exists()


class Wanted(TypedDict):
    """What is to be signed: the digest of an approval and the work are made of the very same."""

    issuer: Issuer
    profile: Profile
    csr_pem: str
    common_name: str
    sans: Sequence[str]
    lifetime: timedelta | None


def _wanted(job: Job, certificate: Certificate) -> Wanted:
    return Wanted(
        issuer=certificate.issuer,
        profile=certificate.profile,
        csr_pem=job.csr,
        common_name=certificate.common_name,
        sans=certificate.sans,
        lifetime=job.lifetime,
    )


@lru_cache(maxsize=1024)
def _key_in(csr_pem: str) -> KeyOf:
    """Return the key of a CSR; lists ask it of the same ones again and again."""
    public = csr.parse(csr_pem).public_key()
    return KeyOf(*certs.key_algorithm_of(public), certs.key_fingerprint(public))


def _has_csr(job: Job) -> bool:
    return bool(job.csr_pem) or job.sealed_csr is not None


def _overtaken(certificate: Any) -> QuerySet[Job]:
    deployments = Job.objects.open().filter(certificate_id=certificate, kind=Job.Kind.DEPLOYMENT)
    return deployments.exclude(status=Status.RUNNING)


_OVERTAKEN: Rows[Job] = Rows(
    lambda: _overtaken(Given("certificate", Certificate)).only("pk").order_by()[:1]
)
_BOUND: Rows[Deployed] = Rows(
    lambda: (
        Deployed.objects.filter(certificate=Given("certificate", Certificate))
        .select_related("target")
        .order_by("pk")
    )
)


class Signing(Kind[SignedCertificate]):
    """What issuance and renewal have in common, which is nearly all."""

    signs: ClassVar[bool] = True

    @override
    def inputs(self, job: Job, certificate: Certificate) -> Mapping[str, Any] | None:
        if not _has_csr(job):
            return None
        inputs = issuers.services.signing_inputs(**_wanted(job, certificate))
        revoked = certificates.policy.revoked_for(certificate)
        # Only where it is so: what was approved before this was known keeps its digest.
        return inputs if revoked is None else {**inputs, "after_revocation": str(revoked)}

    @override
    def needs_approval(self, job: Job, certificate: Certificate) -> bool:
        """Also of what the profile names under the other kind, where the two could be mistaken.

        A certificate that has a version which nobody agreed to, or which is revoked, would
        otherwise get round a profile that names Renewal alone, or Issuance alone.
        """
        kinds = {job.kind}
        if certificate.current_id is not None and (
            job.kind == Job.Kind.ISSUANCE or next_kind(certificate) == Job.Kind.ISSUANCE
        ):
            kinds = {Job.Kind.ISSUANCE, Job.Kind.RENEWAL}
        return job.wants_approval or any(certificate.profile.needs_approval(kind) for kind in kinds)

    @override
    def same_work(self, job: Job) -> Q:
        # Each gives the certificate its next version.
        return Q(kind__in=(Job.Kind.ISSUANCE, Job.Kind.RENEWAL))

    @override
    def key(self, job: Job) -> KeyOf:
        if not _has_csr(job):
            # One that held a challenge is not kept: what it brought tells of its key.
            signed = job.version is not None
            return super().key(job) if signed else KeyOf(fingerprint=job.key_fingerprint)
        if job.sealed_csr is None:
            return _key_in(job.csr_pem)
        return _key_in.__wrapped__(job.csr)  # one with a challenge is not kept in memory

    @override
    def set_up(self, job: Job) -> None:
        job.key_fingerprint = self.key(job).fingerprint
        job.seal_challenge()

    @override
    def predecessor(self, job: Job) -> Version | None:
        if job.version is None:
            return job.certificate.current
        # It is done: what it took the place of.
        return job.certificate.versions.filter(number=job.version.number - 1).first()

    @override
    def waits_for_csr(self, job: Job) -> bool:
        return not _has_csr(job)

    @override
    def prepare(self, job: Job) -> Certificate:
        return Certificate.objects.select_related("issuer", "profile").get(pk=job.certificate_id)

    @override
    def run(
        self, job: Job, certificate: Certificate, actor: Principal
    ) -> SignedCertificate | Waiting:
        check_key(job.csr)
        signers.check_may_sign(certificate.issuer)

        def placing() -> None:
            if not Job.objects.order(job, lease=settings.JOB_LEASE, actor=actor):
                raise ClaimLost

        return issuers.services.sign(
            **_wanted(job, certificate),
            order=OrderState(job.order_key, job.order_ref, job.ordered_at),
            placing=placing,
        )

    def sign(
        self, job: Job, certificate: Certificate, checked: CheckedRequest
    ) -> SignedCertificate | Waiting:
        """Do the same by a key that lies here, for whoever has just checked request and issuer."""
        order = OrderState(job.order_key)
        return issuers.services.sign(**_wanted(job, certificate), order=order, checked=checked)

    def has_to_overtake(self, job: Job) -> bool:
        """Whether there is what `overtakes` would lock."""
        return _OVERTAKEN.exist(certificate=job.certificate_id)

    @override
    def overtakes(self, held: Job) -> Sequence[Job]:
        """Deployments of the old version that nobody began."""
        rows = _overtaken(held.certificate_id)
        return list(rows.select_for_update(no_key=True).order_by("pk"))

    @override
    def keep(self, held: Job, result: SignedCertificate | Skipped, actor: Principal) -> Kept:
        assert not isinstance(result, Skipped)  # noqa: S101 - `prepare` never does
        # What was signed before a revocation that is first in the trail is never brought out.
        signers.check_may_sign_until_commit(held.certificate.issuer)
        try:
            with transaction.atomic():  # so that what is there can be asked for
                return self.store(held, result, actor)
        except IntegrityError:
            if Version.objects.filter(fingerprint=result.fingerprint).exists():
                raise WrongCertificate(
                    "What came back is a certificate that certctl has already."
                ) from None
            raise

    def store(
        self, held: Job, result: SignedCertificate, actor: Principal, *, is_new: bool = False
    ) -> Kept:
        """Do the same for whoever has made sure that nobody revokes the CA before the commit.

        `is_new` is a certificate that the caller's transaction has made, and has bound to nothing:
        it has no version and no target.
        """
        certificate = held.certificate
        version = certificates.services.add_version(
            certificate=certificate,
            signed=result,
            actor=actor,
            origin=certificates.services.Origin(
                # Not one that holds a challenge: it is used once.
                csr_pem=held.csr_pem,
                job_id=held.pk,
                encrypted_key=held.encrypted_key,
                requested_by=held.requested_by,
                csr_by=held.csr_by or held.requested_by,
                device=held.device,
            ),
            is_new=is_new,
        )
        held.version = version
        bound = [] if is_new else _BOUND.all(certificate=certificate.pk)
        return Kept(
            {"version": version.number, "serial": version.serial},
            [Follow(Job.Kind.DEPLOYMENT, deployment.target, version) for deployment in bound],
        )

    @override
    def failed(self, held: Job, error: Exception) -> None:
        if isinstance(error, OrderRefused):
            held.close_order()

    @override
    def restore(self, job: Job, actor: Principal) -> None:
        """Give the certificate its status back; one that never had a version has failed.

        The caller holds the lock of the certificate.
        """
        certificate = job.certificate
        if certificate.current_id is not None:
            # Only what shows the renewal is taken back: the expiry sweep keeps the rest true.
            if certificate.status == CertificateStatus.RENEWAL_IN_PROGRESS:
                certificates.services.settle(certificate=certificate)
        elif certificate.status == CertificateStatus.PENDING:
            why = job.last_error or job.decision_reason
            certificates.services.mark_failed(certificate=certificate, actor=actor, why=why)

    @override
    def resume(self, certificate: Certificate) -> None:
        if certificate.current_id is None:
            if certificate.status == CertificateStatus.FAILED:
                certificate.become(CertificateStatus.PENDING)
        elif certificate.status in {CertificateStatus.ACTIVE, CertificateStatus.EXPIRING}:
            certificate.become(CertificateStatus.RENEWAL_IN_PROGRESS)


class Issuance(Signing):
    """The first version that is agreed to, and the first after a revocation."""

    name: ClassVar[Job.Kind] = Job.Kind.ISSUANCE


class Renewal(Signing):
    """The next version."""

    name: ClassVar[Job.Kind] = Job.Kind.RENEWAL

    @override
    def check_still_meant(self, job: Job, certificate: Certificate) -> None:
        if certificates.policy.revoked_for(certificate) is not None:
            check_key(job.csr)  # the worse news first
            raise ConnectorError(
                "The certificate was revoked since this renewal was asked for: ask for it again, "
                "if it is to come back.",
                permanent=True,
            )

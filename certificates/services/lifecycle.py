"""From a name under management to its signed versions."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from audit.changes import changed
from audit.services import record
from certificates import answer_log, policy, queue, responders
from certificates.details import Details
from certificates.models import (
    Certificate,
    CertificateName,
    CertificateStatus,
    OCSPResponse,
    Revocation,
    Version,
)
from foundation.sealed import Sealed
from foundation.statements import Given, Rows, insert, insert_all
from issuers.models import Issuer, Profile
from issuers.services import shard_of
from issuers.x509.description import SignedCertificate
from owners.models import Principal


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version comes from: its CSR and job, the key if the server made it, and whose it is.

    `requested_by` asked when the key was brought, `csr_by` brought it; None where nobody knows.
    """

    csr_pem: str = ""
    job_id: UUID | None = None
    encrypted_key: Sealed | None = None
    requested_by: Principal | None = None
    csr_by: Principal | None = None
    device: str = ""


@transaction.atomic(savepoint=False)
def register(
    *, actor: Principal, details: Details, common_name: str = "", sans: Sequence[str] = ()
) -> Certificate:
    """Take a name under management: Pending until its first version is signed."""
    said = {field.name: getattr(details, field.name) for field in fields(details)}
    certificate = Certificate(common_name=common_name, sans=list(sans), **said)
    insert(certificate)
    if names := CertificateName.of(certificate):
        insert_all(names)
    record(
        actor=actor,
        action="certificate.register",
        subject=certificate,
        common_name=common_name,
        sans=list(sans),
        owner=str(details.owner),
        issuer=details.issuer.slug,
        profile=details.profile.slug,
    )
    return certificate


@transaction.atomic
def move_under(
    *, certificate: Certificate, issuer: Issuer, profile: Profile, actor: Principal
) -> None:
    """Have the next versions signed by another issuer, or under another profile.

    For the label that a device enrolls at, which says both. The caller holds the lock.
    """
    done = changed(certificate, {"issuer": issuer, "profile": profile}, ("issuer", "profile"))
    if done:
        policy.check_may_change(certificate)
        certificate.save(update_fields=[*done, "updated_at"])
        record(actor=actor, action="certificate.update", subject=certificate, changes=done)


@transaction.atomic(savepoint=False)
def add_version(
    *,
    certificate: Certificate,
    signed: SignedCertificate,
    actor: Principal,
    origin: Origin = Origin(),
    is_new: bool = False,
) -> Version:
    """Record what the issuer signed; it becomes current and supersedes its predecessor.

    The caller holds the certificate's lock, or has made it in this transaction (`is_new`). Raises
    Archived for an archived one.
    """
    policy.check_may_change(certificate)
    version = store_version(
        certificate=certificate,
        signed=signed,
        issuer=certificate.issuer,
        origin=origin,
        is_new=is_new,
    )
    record(
        actor=actor,
        action="certificate.issue",
        subject=certificate,
        version=version.number,
        version_id=str(version.pk),
        serial=version.serial,
        issuer=certificate.issuer.slug,
        fingerprint=version.fingerprint,
        not_after=version.not_after.isoformat(),
        job=str(origin.job_id) if origin.job_id else None,
    )
    return version


_NEWEST: Rows[Version] = Rows(
    lambda: Version.objects.filter(certificate=Given("certificate", Certificate)).order_by(
        "-number"
    )[:1]
)


def store_version(
    *,
    certificate: Certificate,
    signed: SignedCertificate,
    issuer: Issuer | None,
    origin: Origin = Origin(),
    is_new: bool = False,
) -> Version:
    """Insert the next version and make it current; the caller holds the lock and audits.

    `is_new` says that the caller's transaction has made the certificate: no version is looked for.
    A key that the certificate had before stays theirs who brought it then, whoever asks now.
    """
    now = timezone.now()
    newest = None if is_new else _NEWEST.first(certificate=certificate.pk)
    before = None
    if newest is not None:
        before = (
            certificate.versions.filter(key_fingerprint=signed.key_fingerprint)
            .select_related("requested_by", "csr_by")
            .order_by("number")
            .first()
        )
        certificate.versions.filter(superseded_at__isnull=True).update(superseded_at=now)
    if before is not None:
        origin = replace(
            origin,
            requested_by=before.requested_by,
            csr_by=before.csr_by,
            device=before.device,
        )
    version = Version(
        certificate=certificate,
        issuer=issuer,
        number=newest.number + 1 if newest else 1,
        serial=signed.serial_hex,
        subject=signed.subject[:500],
        sans=list(signed.sans),
        not_before=signed.not_before,
        not_after=signed.not_after,
        fingerprint=signed.fingerprint,
        key_fingerprint=signed.key_fingerprint,
        key_algorithm=signed.key_algorithm,
        key_size=signed.key_size,
        pem=signed.certificate_pem,
        chain_pem=signed.chain_pem,
        csr_pem=origin.csr_pem,
        encrypted_key=origin.encrypted_key,
        short_lived=signed.short_lived,
        shard=shard_of(issuer, signed.crl_urls),
        job_id=origin.job_id,
        requested_by=origin.requested_by,
        csr_by=origin.csr_by,
        device=origin.device,
    )
    insert(version)
    certificate.current = version
    certificate.become(_by_clock(certificate, now, is_revoked=False), also=["current"])
    return version


def standing_of(certificate: Certificate, now: datetime) -> CertificateStatus:
    """Return the status by current version and clock, read afresh under the caller's lock."""
    version = certificate.current
    revoked = version is not None and Revocation.objects.filter(version=version).exists()
    return _by_clock(certificate, now, is_revoked=revoked)


def _by_clock(certificate: Certificate, now: datetime, *, is_revoked: bool) -> CertificateStatus:
    renewal, version = certificate.renewal_policy, certificate.current
    return policy.standing(
        version=version, is_revoked=is_revoked, window=renewal.window if renewal else None, now=now
    )


@transaction.atomic
def start_renewal(*, certificate: Certificate, actor: Principal) -> None:
    """Show that a renewal is under way; the caller holds the lock and audits the job.

    A certificate without a version stays Pending: there is nothing to renew yet.
    """
    policy.check_may_change(certificate)
    if certificate.current_id is not None:
        certificate.become(CertificateStatus.RENEWAL_IN_PROGRESS)


@transaction.atomic
def mark_failed(*, certificate: Certificate, actor: Principal, why: str = "") -> None:
    """Show that issuing or renewing failed for good; the caller holds the lock."""
    if certificate.status in (CertificateStatus.ARCHIVED, CertificateStatus.REVOKED):
        return
    done = certificate.become(CertificateStatus.FAILED)
    record(actor=actor, action="certificate.fail", subject=certificate, changes=done, why=why)


@transaction.atomic
def settle(*, certificate: Certificate) -> None:
    """Give the certificate the status that its current version has: no job is open any more.

    For a renewal that was rejected, cancelled or timed out. The caller holds the lock.
    """
    if certificate.status != CertificateStatus.ARCHIVED:
        certificate.become(standing_of(certificate, timezone.now()))


def revoke_answers(versions: Collection[Version]) -> None:
    """End all OCSP answers that the revocation of these makes wrong; as `drop_answers`.

    Those about them, and those that they signed themselves as an issuer's delegates.
    """
    drop_answers(versions)
    if responders.void_answers_of(versions):
        transaction.on_commit(queue.sign_ahead)


def drop_answers(versions: Collection[Version]) -> None:
    """Delete the stored OCSP answers about these; the caller holds the versions' locks.

    What is signed from now on is dated later than what is deleted here. Every web process learns
    that what it remembers of these serials holds no longer, at the commit (`answer_log`).
    """
    answers = OCSPResponse.objects.filter(version__in=versions)
    # In one order with who signs in batches, and who voids what a delegate signed.
    ordered = answers.order_by("issuer", "serial", "hash_algorithm").select_for_update(no_key=True)
    newest: dict[UUID, datetime] = {}
    forms: defaultdict[UUID, list[str]] = defaultdict(list)
    for key, form, at in ordered.values_list("version_id", "hash_algorithm", "this_update"):
        newest[key] = max(at, newest.get(key, at))
        forms[key].append(form)
    if newest:
        latest = OCSPResponse.objects.filter(version=OuterRef("pk")).order_by("-this_update")
        Version.objects.filter(pk__in=newest).update(
            answers_after=Subquery(latest.values("this_update")[:1])
        )
        answers.delete()
    for version in versions:
        version.answers_after = newest.get(version.pk, version.answers_after)
    answer_log.append(
        [(one.issuer_id, one.serial, forms[one.pk]) for one in versions if one.issuer_id]
    )
    if newest:
        transaction.on_commit(queue.sign_ahead)

"""What people may change about a certificate, and what they may take away from it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.services import record
from certificates import export as files
from certificates import policy
from certificates.models import Certificate, CertificateStatus, Version
from certificates.services.lifecycle import check_tags, standing_of
from foundation.errors import Conflict, FieldError, Invalid
from owners.models import Principal

EDITABLE = ("name", "owner", "team", "renewal_policy", "environment", "tags")
# What separation of duties is judged by; jobs live above us, so their rows are named by string.
_ANSWERABLE = ("owner", "team")
_OPEN = ("Pending", "AwaitingCSR", "AwaitingApproval", "Running")


class StillValid(Conflict):
    """Archiving would hide a certificate that relying parties still accept."""

    code = "still_valid"
    message = "A version is still valid: revoke it, or wait until it has expired."


class JobOpen(Conflict):
    """A job is open for the certificate, and this change would get in its way."""

    code = "job_open"
    message = "A job is open for this certificate: decide or cancel it first."


@transaction.atomic
def update_details(
    *, certificate_id: UUID, actor: Principal, changes: Mapping[str, Any]
) -> Certificate:
    """Change name, owner, team, renewal policy, environment or tags.

    Owner and team stay while a job is open: who answers for the certificate is who may not
    approve the job, and nobody is to leave the owner in order to decide. Raises Archived, JobOpen.
    """
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        wrong = [FieldError(name, "not_editable", "This cannot be changed.") for name in unknown]
        raise Invalid(f"These cannot be changed: {', '.join(unknown)}.", errors=wrong)
    certificate = Certificate.objects.lock(certificate_id)
    policy.check_may_change(certificate)
    wanted = dict(changes)
    if "tags" in wanted:
        wanted["tags"] = check_tags(wanted["tags"])
    changed = {name: new for name, new in wanted.items() if getattr(certificate, name) != new}
    if not changed:
        return certificate
    if any(name in changed for name in _ANSWERABLE) and _has_open_job(certificate):
        raise JobOpen
    before = {name: _shown(getattr(certificate, name)) for name in changed}
    for name, new in changed.items():
        setattr(certificate, name, new)
    certificate.save(update_fields=[*changed, "updated_at"])
    if "renewal_policy" in changed and certificate.status in (
        CertificateStatus.ACTIVE,
        CertificateStatus.EXPIRING,
    ):
        certificate.become(standing_of(certificate, timezone.now()))
    record(
        actor=actor,
        action="certificate.update",
        subject=certificate,
        before=before,
        after={name: _shown(new) for name, new in changed.items()},
    )
    return certificate


@transaction.atomic
def archive(*, certificate_id: UUID, actor: Principal) -> Certificate:
    """Put a certificate away for good; its history and its revocations stay.

    Raises StillValid while any version, also a superseded one, is unexpired and unrevoked;
    JobOpen while a job could still give it a new one.
    """
    certificate = Certificate.objects.lock(certificate_id)
    policy.check_may_change(certificate)
    valid = certificate.versions.filter(not_after__gt=timezone.now(), revocation__isnull=True)
    if valid.exists():
        raise StillValid
    if _has_open_job(certificate):
        raise JobOpen
    before = certificate.status
    certificate.become(CertificateStatus.ARCHIVED)
    record(actor=actor, action="certificate.archive", subject=certificate, before=before)
    return certificate


@transaction.atomic
def export(*, version: Version, form: str, actor: Principal, password: str = "") -> bytes:
    """Return the version as "pem", "der" or "pkcs12", and record who took it. Never a key."""
    match form:
        case "pem":
            data = files.pem_chain(version)
        case "der":
            data = files.der(version)
        case "pkcs12":
            data = files.pkcs12_store(version, password)
        case _:
            detail = "It can be exported as pem, der or pkcs12."
            raise Invalid(detail, errors=[FieldError("format", "unknown_format", detail)])
    record(
        actor=actor,
        action="certificate.export",
        subject=version.certificate,
        version=version.number,
        serial=version.serial,
        format=form,
    )
    return data


def _has_open_job(certificate: Certificate) -> bool:
    return Certificate.objects.filter(pk=certificate.pk, jobs__status__in=_OPEN).exists()


def _shown(value: Any) -> Any:
    return value if isinstance(value, list) else str(value) if value is not None else None

"""What people may change about a certificate, and what they may take away from it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit.changes import changed
from audit.services import record
from audit.use_cases import use_case
from certificates import export as files
from certificates import policy
from certificates.details import EDITABLE, checked
from certificates.models import Certificate, CertificateStatus, Version
from certificates.services.lifecycle import standing_of
from foundation.errors import Conflict, FieldError, Invalid
from foundation.preconditions import as_expected
from owners import policy as people
from owners.models import Principal
from owners.services import OwnWayOut

_ANSWERABLE = ("owner", "team")  # what separation of duties is judged by


class StillValid(Conflict):
    """Archiving would hide a certificate that relying parties still accept."""

    code = "still_valid"
    message = "A version is still valid: revoke it, or wait until it has expired."


class JobOpen(Conflict):
    """A job is open for the certificate, and this change would get in its way."""

    code = "job_open"
    message = "A job is open for this certificate: decide or cancel it first."


@use_case("certificate.update", on=Certificate)
def update_details(
    *, certificate_id: UUID, actor: Principal, changes: Mapping[str, Any]
) -> Certificate:
    """Change what people say of a certificate: any of EDITABLE.

    Owner and team stay while a job is open: who answers for the certificate is who may not
    approve the job. With or without one nobody leaves by their own hand, in order to decide on
    the next. Raises Archived, JobOpen, OwnWayOut.
    """
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        wrong = [FieldError(name, "not_editable", "This cannot be changed.") for name in unknown]
        raise Invalid(f"These cannot be changed: {', '.join(unknown)}.", errors=wrong)
    certificate = as_expected(actor, Certificate.objects.lock(certificate_id))
    policy.check_may_change(certificate)
    said = checked(changes)
    people.hold_handover(certificate, said, actor)
    answered = policy.answers_for(actor, certificate.owner, certificate.team)
    done = changed(certificate, said, EDITABLE)
    if not done:
        return certificate
    if answered and not policy.answers_for(actor, certificate.owner, certificate.team):
        raise OwnWayOut
    if not done.keys().isdisjoint(_ANSWERABLE) and _has_open_job(certificate):
        raise JobOpen
    certificate.save(update_fields=[*done, "updated_at"])
    if "renewal_policy" in done and certificate.status in (
        CertificateStatus.ACTIVE,
        CertificateStatus.EXPIRING,
    ):
        done |= certificate.become(standing_of(certificate, timezone.now()))
    record(actor=actor, action="certificate.update", subject=certificate, changes=done)
    return certificate


@use_case("certificate.archive", on=Certificate)
def archive(*, certificate_id: UUID, actor: Principal) -> Certificate:
    """Put a certificate away for good; its history and its revocations stay.

    Raises StillValid while any version, also a superseded one, is unexpired and unrevoked;
    JobOpen while a job could still give it a new one.
    """
    certificate = as_expected(actor, Certificate.objects.lock(certificate_id))
    policy.check_may_change(certificate)
    valid = certificate.versions.filter(not_after__gt=timezone.now(), revocation__isnull=True)
    if valid.exists():
        raise StillValid
    if _has_open_job(certificate):
        raise JobOpen
    done = certificate.become(CertificateStatus.ARCHIVED)
    record(actor=actor, action="certificate.archive", subject=certificate, changes=done)
    return certificate


@use_case("certificate.export", on=Version)
def export(
    *, version: Version, form: str, actor: Principal, password: str = "", legacy: bool = False
) -> bytes:
    """Return the version as "pem", "der" or "pkcs12", and record who took it. Never a key.

    "pem" has the chain, "leaf" is the certificate alone in PEM.
    `legacy` is for programs that open only old PKCS#12, which has a password always.
    """
    if legacy and not (form == "pkcs12" and password):
        detail = "Only PKCS#12 with a password has a legacy form."
        raise Invalid(detail, errors=[FieldError("legacy", "invalid", detail)])
    match form:
        case "pem":
            data = files.pem_chain(version)
        case "leaf":
            data = files.pem_alone(version)
        case "der":
            data = files.der(version)
        case "pkcs12":
            data = files.pkcs12_store(version, password, legacy=legacy)
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
    # Jobs live above us and say themselves which of them are open.
    return certificate.jobs.open().exists()

"""Ask for work: what makes jobs. A job is only made for what could be done if it is agreed to."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import certificates.policy
import certificates.services
import deployments.services
from audit.use_cases import DEVICES, PEOPLE_AND_PROGRAMS, use_case
from certificates.details import Details
from certificates.models import Certificate, RenewalPolicy
from deployments.models import Target
from foundation.errors import Conflict, FieldError, Invalid
from foundation.preconditions import as_expected
from foundation.sealed import Sealed
from issuers.models import Issuer, Profile
from issuers.services import CheckedRequest
from jobs import approvals, policy
from jobs.kinds.signing import next_kind
from jobs.models import Job
from jobs.services import csrs, justifying
from jobs.services.foresight import Refusals, check_rules, foresee_issuance
from jobs.services.opening import (
    ForDevice,
    announce,
    of_device,
    open_job,
)
from owners.models import Owner, Principal, Team


class NothingToDeploy(Conflict):
    """The certificate has no version yet."""

    code = "no_version"
    message = "The certificate has no version yet."


@dataclass(frozen=True, slots=True)
class Asked:
    """A job that was asked for, and what the asker should know about it."""

    job: Job
    warnings: Sequence[str] = ()
    checked: CheckedRequest | None = None  # for a device: its CSR, for the names of the certificate
    is_new: bool = False  # its certificate was made with it, and is bound to no target


@use_case("certificate.request", on=Certificate, doors=PEOPLE_AND_PROGRAMS | DEVICES)
def request_issuance(  # noqa: PLR0913 - one argument a column
    *,
    actor: Principal,
    owner: Owner,
    issuer: Issuer,
    profile: Profile,
    name: str = "",
    common_name: str = "",
    sans: Sequence[str] = (),
    csr_pem: str = "",
    team: Team | None = None,
    renewal_policy: RenewalPolicy | None = None,
    environment: str = "",
    tags: Sequence[str] = (),
    targets: Iterable[Target] = (),
    lifetime: timedelta | None = None,
    generate_key: bool = False,
    justification: str = "",
    device: ForDevice | None = None,
) -> Asked:
    """Put a name under management and ask for its first certificate.

    Names that are not given are those of the CSR. Without a CSR the job waits for one, unless the
    server may make the key. Raises Invalid: a CSR outside the profile (code csr_rejected), an
    issuer that does not serve the profile or is revoked, a lifetime that the profile refuses, a
    justification that is missing or too long, server_keys_disabled; all that is wrong at once.
    """
    encrypted_key: Sealed | None = None
    warnings: tuple[str, ...] = ()
    if generate_key:
        check_rules(issuer, profile, lifetime)
        encrypted_key, csr_pem = csrs.server_made(profile, common_name, sans, csr_pem)
        warnings = (csrs.SERVER_KEY_WARNING,)
    foreseen = foresee_issuance(
        actor=actor,
        issuer=issuer,
        profile=profile,
        common_name=common_name,
        sans=sans,
        csr_pem=csr_pem,
        lifetime=lifetime,
        justification=justification,
        device=device,
    )
    common_name, sans, checked = foreseen.common_name, foreseen.sans, foreseen.checked
    certificate = certificates.services.register(
        actor=actor,
        details=Details(
            name=name or common_name or sans[0].partition(":")[2],
            owner=owner,
            team=team,
            issuer=issuer,
            profile=profile,
            renewal_policy=renewal_policy,
            environment=environment,
            tags=tags,
        ),
        common_name=common_name,
        sans=sans,
    )
    bound = [
        deployments.services.bind(actor=actor, certificate=certificate, target=target)
        for target in targets
    ]
    job = open_job(
        Job(
            kind=Job.Kind.ISSUANCE,
            csr_pem=csr_pem,
            encrypted_key=encrypted_key,
            lifetime=lifetime,
            justification=foreseen.justification,
            **of_device(device),
        ),
        certificate,
        actor,
        device=device,
    )
    announce(job, actor, server_key=generate_key)
    if device is not None:
        # A device reads no warnings; whoever decides sees them at the job.
        return Asked(job, checked=checked, is_new=not bound)
    return Asked(job, (*warnings, *approvals.of_asking(job, has_brought=bool(csr_pem))))


@use_case("certificate.renew", on=Certificate, doors=PEOPLE_AND_PROGRAMS | DEVICES)
def request_renewal(  # noqa: PLR0913 - one argument a column
    *,
    actor: Principal,
    certificate_id: uuid.UUID,
    csr_pem: str = "",
    generate_key: bool = False,
    lifetime: timedelta | None = None,
    not_before: datetime | None = None,
    new_key: bool = False,
    justification: str = "",
    device: ForDevice | None = None,
) -> Asked:
    """Ask for the next version of a certificate: an Issuance where it is the first agreed to.

    That is so where issuing it had failed, where it was imported, and where it is revoked: then
    the request says that it comes back, and a compromised key is refused.

    Without a CSR the last one is used where the renewal policy reuses keys (as it does without a
    policy) and no `new_key` is wanted; otherwise the job waits for one. `not_before` delays the
    work, not the decision. `justification` is this request's own: that of the version before says
    nothing of it. Raises DuplicateJob, Archived, Invalid, Certificate.DoesNotExist.
    """
    certificate = as_expected(actor, Certificate.objects.lock(certificate_id))
    certificates.policy.check_may_change(certificate)
    refusals = Refusals()
    with refusals.gather():
        check_rules(
            certificate.issuer,
            certificate.profile,
            lifetime,
            until_commit=device is not None and device.at_once,
        )
    words = justifying.justified(
        justification, profile=certificate.profile, actor=actor, device=device
    )
    with refusals.gather():
        justifying.check(words, profile=certificate.profile)
    refusals.check()
    encrypted_key: Sealed | None = None
    warnings: tuple[str, ...] = ()
    checked: CheckedRequest | None = None
    revoked = certificates.policy.revoked_for(certificate)
    last = csrs.Last()
    if generate_key:
        encrypted_key, csr_pem = csrs.server_made(
            certificate.profile, certificate.common_name, certificate.sans, csr_pem
        )
        warnings = (csrs.SERVER_KEY_WARNING,)
    has_brought = bool(csr_pem)
    if has_brought:
        checked = csrs.check(csr_pem, certificate)
    elif not new_key:
        last = csrs.last_of(certificate)
        csr_pem, encrypted_key = last.csr_pem, last.encrypted_key
    job = open_job(
        Job(
            kind=next_kind(certificate),
            csr_pem=csr_pem,
            encrypted_key=encrypted_key,
            lifetime=lifetime,
            justification=words,
            last_error=last.why_not,
            **(
                {"csr_by": last.by, "wants_approval": policy.waits_for_others(certificate)}
                | of_device(device)
            ),
        ),
        certificate,
        actor,
        not_before=not_before,
        device=device,
    )
    # After the insert: it is the insert that may find that the work is already asked for.
    # What is revoked shows it until there is something better.
    if certificate.current_id and revoked is None:
        certificates.services.start_renewal(certificate=certificate, actor=actor)
    announce(
        job, actor, server_key=generate_key, **({"after_revocation": revoked} if revoked else {})
    )
    if device is not None:
        return Asked(job, checked=checked)
    return Asked(job, (*warnings, *approvals.of_asking(job, has_brought=has_brought)))


@use_case("certificate.deploy", on=Certificate)
def request_deployment(*, actor: Principal, certificate_id: uuid.UUID, target: Target) -> Job:
    """Ask to have the current version put in place at `target`, and bind the two.

    Raises DuplicateJob, Archived, NothingToDeploy, TargetDisabled, Certificate.DoesNotExist.
    """
    certificate = _deployable(certificate_id, actor)
    deployments.services.check_enabled(target)
    job = open_job(
        Job(kind=Job.Kind.DEPLOYMENT, target=target, version=certificate.current),
        certificate,
        actor,
    )
    deployments.services.bind(actor=actor, certificate=certificate, target=target)
    announce(job, actor)
    return job


@use_case("certificate.verify", on=Certificate)
def request_validation(*, actor: Principal, certificate_id: uuid.UUID, target: Target) -> Job:
    """Ask to have looked at what the endpoint of `target` serves.

    Raises DuplicateJob, Archived, NothingToDeploy, Invalid (no endpoint known).
    """
    certificate = _deployable(certificate_id, actor)
    if not target.has_endpoint:
        raise Invalid(
            errors=[FieldError("target", "no_endpoint", f"{target} has no endpoint to look at.")]
        )
    job = open_job(
        Job(kind=Job.Kind.VALIDATION, target=target, version=certificate.current),
        certificate,
        actor,
    )
    announce(job, actor)
    return job


def _deployable(certificate_id: uuid.UUID, actor: Principal) -> Certificate:
    certificate = as_expected(actor, Certificate.objects.lock(certificate_id))
    certificates.policy.check_may_change(certificate)
    if certificate.current_id is None:
        raise NothingToDeploy
    return certificate

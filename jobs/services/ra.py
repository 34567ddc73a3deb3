"""RA certificates of SCEP labels: asked for as all others are, with a key that is made here.

Under a profile that nobody else may use, so what nobody approves is certctl's own alone. The key
is sealed, and `enrollment.ra_keys` alone opens it.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

import certificates.policy
import certificates.services
import issuers.services
from audit.use_cases import use_case
from certificates.details import Details
from certificates.models import Certificate
from foundation.clock import database_clock
from foundation.errors import FieldError, Invalid
from issuers.models import Issuer
from jobs.kinds.signing import next_kind
from jobs.models import Job
from jobs.services.foresight import check_rules
from jobs.services.opening import HEAD_START, announce, open_job
from owners.models import Owner, Principal, Team


@use_case("certificate.request_ra")
def request_ra(  # noqa: PLR0913 - one argument a column
    *,
    actor: Principal,
    common_name: str,
    issuer: Issuer,
    owner: Owner,
    team: Team | None = None,
    environment: str = "",
    tags: Sequence[str] = (),
    at_once: bool = False,
) -> Job:
    """Ask for the first certificate of a SCEP label's RA.

    `at_once` has workers leave it to the caller for a while. Raises Invalid (an issuer that is
    disabled or revoked, or has a rule against such a certificate), ProfileTaken.
    """
    profile = issuers.services.ra_profile()
    check_rules(issuer, profile, for_itself=True)
    key, csr_pem = issuers.services.new_ra_key(profile=profile, common_name=common_name)
    issuers.services.check_csr(csr_pem=csr_pem, profile=profile, issuer=issuer)
    certificate = certificates.services.register(
        actor=actor,
        details=Details(
            name=common_name,
            owner=owner,
            team=team,
            issuer=issuer,
            profile=profile,
            environment=environment,
            tags=tags,
        ),
        common_name=common_name,
    )
    job = Job(kind=Job.Kind.ISSUANCE, csr_pem=csr_pem, encrypted_key=key)
    job = open_job(job, certificate, actor, not_before=_begins(at_once=at_once))
    announce(job, actor, server_key=True)
    return job


@use_case("certificate.renew_ra", on=Certificate)
def renew_ra(*, actor: Principal, certificate_id: uuid.UUID) -> Job:
    """Ask for the next certificate of a SCEP label's RA, with a new key.

    Raises DuplicateJob, Archived, Invalid, Certificate.DoesNotExist.
    """
    certificate = Certificate.objects.lock(certificate_id)
    certificates.policy.check_may_change(certificate)
    if not certificate.profile.is_ra:
        words = f"{certificate} is no RA's certificate."
        raise Invalid(errors=[FieldError("certificate", "invalid", words)])
    check_rules(certificate.issuer, certificate.profile, for_itself=True)
    key, csr_pem = issuers.services.new_ra_key(
        profile=certificate.profile, common_name=certificate.common_name
    )
    job = Job(kind=next_kind(certificate), csr_pem=csr_pem, encrypted_key=key)
    job = open_job(job, certificate, actor)
    if certificate.current_id and certificates.policy.revoked_for(certificate) is None:
        certificates.services.start_renewal(certificate=certificate, actor=actor)
    announce(job, actor, server_key=True)
    return job


def _begins(*, at_once: bool) -> datetime | None:
    return database_clock.now() + HEAD_START if at_once else None

"""RA certificates of SCEP labels; their keys `enrollment.ra_keys` alone opens."""

import uuid
from collections.abc import Sequence

import certificates.policy
import issuers.services
from audit.use_cases import use_case
from certificates.details import Details
from certificates.models import Certificate
from foundation.errors import FieldError, Invalid
from issuers.models import Issuer
from jobs.models import Job
from jobs.services import own
from jobs.services.foresight import check_rules
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
    made = issuers.services.new_ra_key(profile=profile, common_name=common_name)
    issuers.services.check_csr(csr_pem=made[1], profile=profile, issuer=issuer)
    details = Details(
        name=common_name,
        owner=owner,
        team=team,
        issuer=issuer,
        profile=profile,
        environment=environment,
        tags=tags,
    )
    return own.first(actor=actor, requester=actor, details=details, made=made, at_once=at_once)


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
    made = issuers.services.new_ra_key(
        profile=certificate.profile, common_name=certificate.common_name
    )
    return own.following(actor=actor, certificate=certificate, made=made)

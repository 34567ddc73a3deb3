"""Certificates that certctl has for itself, with keys that are made here and that nobody else has.

RA certificates of SCEP labels and delegated OCSP responders: asked for as all others are, under
profiles that nobody else may use, so what nobody approves is certctl's own alone.
"""

from datetime import datetime

import certificates.policy
import certificates.services
from certificates.details import Details
from certificates.models import Certificate
from certificates.policy import DEFAULT_WINDOW, renewal_window
from foundation.clock import database_clock
from foundation.sealed import Sealed
from jobs.kinds.signing import next_kind
from jobs.models import Job
from jobs.services.foresight import check_rules
from jobs.services.opening import HEAD_START, announce, open_job
from jobs.services.renewals import LEAST_GAIN, PAUSE
from jobs.states import OPEN
from owners.models import Principal

KeyAndCsr = tuple[Sealed, str]


def first(
    *,
    actor: Principal,
    requester: Principal,
    details: Details,
    made: KeyAndCsr,
    at_once: bool = False,
) -> Job:
    """Take a name under management and ask for its first certificate, in a requester's name.

    `made` are its key and request. `at_once` has workers leave it to the caller for a while.
    """
    key, csr_pem = made
    certificate = certificates.services.register(
        actor=actor, details=details, common_name=details.name
    )
    job = Job(kind=Job.Kind.ISSUANCE, csr_pem=csr_pem, encrypted_key=key)
    not_before = database_clock.now() + HEAD_START if at_once else None
    job = open_job(job, certificate, requester, not_before=not_before)
    announce(job, actor, server_key=True, **_on_behalf(requester, actor))
    return job


def following(*, actor: Principal, certificate: Certificate, made: KeyAndCsr) -> Job:
    """Ask for the next certificate of a locked row, with a new key.

    Raises DuplicateJob, Invalid.
    """
    check_rules(certificate.issuer, certificate.profile, for_itself=True)
    key, csr_pem = made
    job = Job(kind=next_kind(certificate), csr_pem=csr_pem, encrypted_key=key)
    job = open_job(job, certificate, actor)
    if certificate.current_id and certificates.policy.revoked_for(certificate) is None:
        certificates.services.start_renewal(certificate=certificate, actor=actor)
    announce(job, actor, server_key=True)
    return job


def is_due(certificate: Certificate, now: datetime) -> bool:
    """Whether the next certificate is to be asked for now.

    Not while one is asked for, nor soon after one came to nothing, nor where its CA ends so soon
    that nothing is gained.
    """
    jobs = Job.objects.filter(certificate=certificate)
    if jobs.filter(status__in=OPEN).exists() or _rests(jobs.order_by("-created_at").first(), now):
        return False
    version = certificate.current
    if version is None or hasattr(version, "revocation") or version.not_after <= now:
        return True
    if now < version.not_after - renewal_window(
        DEFAULT_WINDOW, version.not_before, version.not_after
    ):
        return False
    ca = certificate.issuer.described
    life = version.not_after - version.not_before
    return ca is None or ca.not_after >= version.not_after + life / LEAST_GAIN


def _rests(last: Job | None, now: datetime) -> bool:
    if last is None:
        return False
    if last.will_be_retried:
        return True
    return last.version_id is None and (last.completed_at or last.created_at) > now - PAUSE


def _on_behalf(requester: Principal, actor: Principal) -> dict[str, str]:
    if requester.pk == actor.pk:
        return {}
    return {
        "on_behalf_of": requester.get_username(),
        "on_behalf_of_id": str(requester.pk),
    }

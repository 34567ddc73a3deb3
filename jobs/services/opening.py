"""How a job comes to be: saved in the status in which it starts, and told to the trail."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

import deployments.services
from audit.services import record
from certificates.models import Certificate
from foundation.clock import database_clock
from foundation.errors import Conflict
from foundation.statements import insert
from issuers.services import CheckedRequest
from jobs import policy, queue
from jobs.kinds import kind_of
from jobs.kinds.base import Follow
from jobs.models import Job
from jobs.states import Status
from owners.models import Principal


class DuplicateJob(Conflict):
    """The same work is already asked for."""

    code = "duplicate_job"
    message = "There is already an open job of this kind for this certificate."


# What a door that waits for the answer has before a worker takes the job from it; where the door
# dies in between, a worker does it then.
HEAD_START = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class ForDevice:
    """On behalf of which device something is asked for, and who answers for that it may ask.

    `vouched_by` counts among those who asked: whoever made the credential that it enrolled with.
    """

    name: str
    vouched_by: Principal
    wants_approval: bool
    at_once: bool = False  # the door does it itself, so workers leave it alone for HEAD_START
    # Its CSR as label's profile and issuer allow it, which are those of the certificate to be.
    checked: CheckedRequest | None = None


def follow_up(cause: Job, follow: Follow, actor: Principal) -> Job | None:
    """Ask for the work that follows from `cause`, in the name of whoever asked for that.

    `actor` is the worker that does so: the trail names both.
    None where it is asked for already, or the target is disabled: its certificates are told so.
    The caller holds the certificate's lock.
    """
    why_not = deployments.services.why_closed(follow.target)
    if why_not is not None:
        record(
            actor=actor,
            action="deployment.skip",
            subject=cause.certificate,
            on_behalf_of=cause.requested_by.get_username(),
            kind=follow.kind,
            target=str(follow.target),
            version=follow.version.number if follow.version else None,
            why=why_not.message,
        )
        return None
    job = Job(
        kind=follow.kind,
        target=follow.target,
        version=follow.version,
        # Whoever gave the CSR gains from its deployment as from its signature.
        csr_by=cause.csr_by,
    )
    try:
        job = open_job(job, cause.certificate, cause.requested_by)
    except DuplicateJob:
        return None
    record(
        actor=actor,
        action="job.follow",
        subject=job,
        on_behalf_of=cause.requested_by.get_username(),
        on_behalf_of_id=str(cause.requested_by_id),
        kind=job.kind,
        status=job.status,
        after=str(cause.pk),
        target=str(follow.target),
        **undecided(job),
    )
    return job


def open_job(
    job: Job,
    certificate: Certificate,
    actor: Principal,
    *,
    not_before: datetime | None = None,
    device: ForDevice | None = None,
) -> Job:
    """Save a new job in the status in which it starts; raises DuplicateJob."""
    now = database_clock.now()
    job.certificate = certificate
    job.requested_by = actor
    job.created_at = now
    job.scheduled_at = not_before or now
    if job.target is not None:
        # What an agent carries the server never claims.
        job.agent = job.target.agent
    if certificate.renewal_policy is not None:
        job.max_attempts = certificate.renewal_policy.max_attempts
        job.retry_delay = certificate.renewal_policy.retry_delay
    kind = kind_of(job)
    kind.set_up(job)
    if kind.waits_for_csr(job):
        job.csr_agent = deployments.services.keymaker_of(certificate)
        job.begin(Status.AWAITING_CSR, waits_until=now + settings.CSR_TIMEOUT)
    elif kind.needs_approval(job, certificate):
        job.begin(Status.AWAITING_APPROVAL, waits_until=now + settings.APPROVAL_TIMEOUT)
    else:
        job.begin(Status.PENDING)
        if device is not None and device.at_once:
            # Not where somebody has to agree first: its door has long gone then.
            job.scheduled_at = max(job.scheduled_at, now + HEAD_START)
    try:
        # A device that finds it asked for already is refused, and its transaction is over.
        with transaction.atomic(savepoint=device is None):
            insert(job)
    except IntegrityError:
        raise DuplicateJob from None
    job.lacks_decider = policy.lacks_decider(job)
    return job


def undecided(job: Job) -> dict[str, Any]:
    """Return what an event says of a job that nobody could decide on."""
    return {"nobody_may_decide": True} if job.lacks_decider else {}


def of_device(device: ForDevice | None) -> dict[str, Any]:
    """Return the columns of a job that a device asks for; none where somebody else does."""
    if device is None:
        return {}
    return {
        "csr_by": device.vouched_by,
        "device": device.name,
        "wants_approval": device.wants_approval,
    }


def announce(job: Job, actor: Principal, **what: Any) -> None:
    """Tell the trail that a job was asked for, and workers where it is due."""
    record(
        actor=actor,
        action="job.request",
        subject=job,
        kind=job.kind,
        status=job.status,
        certificate=str(job.certificate_id),
        target=str(job.target) if job.target else None,
        **undecided(job),
        **({"device": job.device} if job.device else {}),
        **({"justification": job.justification} if job.justification else {}),
        **what,
    )
    if job.status == Status.PENDING and job.scheduled_at <= database_clock.now():
        transaction.on_commit(queue.nudge)

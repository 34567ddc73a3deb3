"""What the use cases share: locking in the house's order, and what newer work takes over."""

import uuid

from django.db.models import Q

import owners.policy
from certificates.models import Certificate, CertificateStatus
from foundation.preconditions import as_expected
from jobs import policy
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.states import OPEN, Move, Status
from owners.models import Principal


def lock_certificate(job: Job) -> Certificate:
    """Lock the certificate of `job`, whose row the caller has locked, and put it in its place.

    What is read through `job.certificate` afterwards is what was true after the wait.
    """
    certificate = Certificate.objects.lock(job.certificate_id)
    job.certificate = certificate
    return certificate


def lock_to_decide(job_id: uuid.UUID, actor: Principal) -> tuple[Job, Principal]:
    """Lock a job and its certificate, hold what a decision on it rests on; return it and the actor.

    What apps above say of it, then Job, Certificate, and Owner, Team and Principal, shared: whoever
    changes a label's owner, a membership, a seat, an address, a role or an activity does so before
    this, and is seen, or after it. Raises Job.DoesNotExist, KeyGone.
    """
    of = Job.objects.filter(pk=job_id).values_list("certificate", flat=True).first()
    if of is not None:
        policy.hold_others(of)
    job = lock_both(job_id, actor)
    certificate = job.certificate
    # By their ids: what is read of them here would be what was true before the wait.
    others = [*policy.others_answering(certificate)]
    owners.policy.hold(
        owners=[certificate.owner_id, *(owner.pk for owner, _ in others)],
        teams=[certificate.team_id, *(team.pk for _, team in others if team is not None)],
        people=[actor.pk, job.requested_by_id, job.csr_by_id, *policy.who_brought(job)],
    )
    return job, owners.policy.afresh(actor)


def lock_both(job_id: uuid.UUID, actor: Principal) -> Job:
    """Lock a job, then its certificate; raises Job.DoesNotExist, PreconditionFailed."""
    job = as_expected(actor, Job.objects.lock(job_id))
    lock_certificate(job)
    return job


def call_off(job: Job, *, actor: Principal, why: str, reason: str) -> None:
    """Cancel `job`, locked with its certificate: `why` stands at the job, `reason` in the trail."""
    job.last_error = why
    job.waits_until = None
    replaced = has_successor(job)
    job.move(Move.CANCEL, actor=actor, reason=reason)
    if not replaced:  # else the certificate shows how that stands
        kind_of(job).restore(job, actor)


def has_successor(job: Job) -> bool:
    """Whether work of the same kind was asked for since, which would be done twice otherwise."""
    if job.certificate.status == CertificateStatus.ARCHIVED:
        return True
    others = Job.objects.filter(certificate_id=job.certificate_id).exclude(pk=job.pk)
    return (
        others.filter(kind_of(job).same_work(job))
        .filter(Q(status__in=OPEN) | Q(created_at__gt=job.created_at, status=Status.COMPLETED))
        .exists()
    )

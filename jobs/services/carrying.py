"""Work that an agent carries: taken under a lease as a worker takes it, reported under the fence.

An agent is the one worker of its targets, so to take a job again that it has is to go on with it:
after a restart, or where the answer was lost. A lease that is over is reaped as any other.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

import deployments.services
from audit.services import record_many
from audit.use_cases import AGENTS, use_case
from deployments.models import Agent
from deployments.services import Material, Outcome, Seen
from foundation.clock import database_clock
from foundation.errors import Conflict, ConnectorError, FieldError, Invalid
from jobs import approvals, policy
from jobs.kinds import kind_of
from jobs.kinds.at_target import target_of
from jobs.kinds.base import Skipped
from jobs.models import InvalidMove, Job
from jobs.services import settle
from jobs.states import Move, Status
from owners.models import Principal


class CannotCarry(Conflict):
    """What was asked for must not be done, or cannot be; the job has failed with the reason."""

    code = "cannot_carry"
    message = "This cannot be carried out."


class ClaimGone(Conflict):
    """The job went back, to be taken anew, or was called off: nothing is written of this try."""

    code = "claim_gone"
    message = "This try is over: the job was taken back, called off, or given to another try."


@dataclass(frozen=True, slots=True)
class Carried:
    """A job that an agent has, and what to put in place; None where there is nothing to do."""

    job: Job
    material: Material | None


@dataclass(frozen=True, slots=True)
class Report:
    """What an agent says of a try: what is in place or was seen, by SHA-256; or what failed."""

    ok: bool
    fingerprint: str = ""
    changed: bool = True
    detail: str = ""
    permanent: bool = False


@use_case("job.carry", on=Job, doors=AGENTS, atomic=False)
def carry(*, actor: Principal, agent: Agent, job_id: uuid.UUID) -> Carried:
    """Take a job that `agent` carries, or go on with it; return what to put in place.

    What is approved is compared here with what is handed out. Raises Job.DoesNotExist (also for
    what is another's), InvalidMove, CannotCarry.
    """
    job = _take(actor, agent, job_id)
    kind = kind_of(job)
    try:
        certificate = kind.prepare(job)
        if isinstance(certificate, Skipped):
            done = settle.complete(job=job, result=certificate, actor=actor)
            return Carried(done or job, None)
        approvals.check_unchanged(job, certificate)
        assert job.version is not None  # noqa: S101 - `prepare` has set it
        material = deployments.services.for_agent(version=job.version, target=target_of(job))
        # What is reported later is about this one, whatever came since.
        if not Job.objects.claimed(job).update(version=job.version):
            raise ClaimGone
    except ConnectorError as error:
        settle.fail_job(job=job, actor=actor, error=error)
        raise CannotCarry(error.detail) from error
    return Carried(job, material)


@use_case("job.report", on=Job, doors=AGENTS)
def report(*, actor: Principal, agent: Agent, job_id: uuid.UUID, claim: int, result: Report) -> Job:
    """Keep what an agent says of its try number `claim`; said again, it changes nothing.

    Raises Job.DoesNotExist (also for what is another's), ClaimGone, Invalid (another fingerprint
    than that of what was handed out).
    """
    job = _own(actor, agent, Job.objects.lock(job_id))
    if job.claim_number == claim and _is_settled(job, result):
        return job
    if job.claim_number != claim or job.status != Status.RUNNING:
        raise ClaimGone
    if not result.ok:
        why = ConnectorError(result.detail or "The agent says no more.", permanent=result.permanent)
        settle.fail_job(job=job, actor=actor, error=why)
    else:
        settle.complete(job=job, result=_result(job, result), actor=actor)
    return Job.objects.get(pk=job_id)


def _take(actor: Principal, agent: Agent, job_id: uuid.UUID) -> Job:
    with transaction.atomic():
        job = _own(actor, agent, Job.objects.lock(job_id))
        now = database_clock.now()
        lease = settings.JOB_LEASE + kind_of(job).longest(job)
        if job.status == Status.RUNNING:
            Job.objects.extend([job], lease=lease)
            return job
        policy.check_state(job, Move.CLAIM)
        if job.scheduled_at > now:
            raise InvalidMove(job, Move.CLAIM)
        entry = job.take(actor, now=now, lease=lease)
        job.save(update_fields=["status", "claim_number", "attempts", "started_at", "lease_until"])
        record_many([entry])
    return job


def _own(actor: Principal, agent: Agent, job: Job) -> Job:
    """Return `job` where it is `agent`'s to carry, and `actor` is that agent."""
    if job.agent_id != agent.pk or agent.principal_id != actor.pk:
        raise Job.DoesNotExist
    return job


def _is_settled(job: Job, result: Report) -> bool:
    """Whether the same was said of this try before, and only the answer was lost."""
    if result.ok:
        return job.status == Status.COMPLETED
    return job.status in {Status.FAILED, Status.PENDING}


def _result(job: Job, result: Report) -> Any:
    expected = job.version.fingerprint if job.version is not None else ""
    if job.kind == Job.Kind.VALIDATION:
        matches = result.fingerprint == expected
        detail = result.detail or ("" if matches else "Another certificate is served.")
        return Seen(result.fingerprint or None, matches=matches, detail=detail, expected=expected)
    if result.fingerprint != expected:
        words = "It is not the certificate that was handed out."
        raise Invalid(errors=[FieldError("fingerprint", "other_certificate", words)])
    return Outcome(changed=result.changed, fingerprint=result.fingerprint, detail=result.detail)

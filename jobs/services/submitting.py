"""Give a job the CSR that it waits for: a person does, a program, or the agent with the key."""

import uuid

from django.conf import settings
from django.db import transaction

from audit.use_cases import PEOPLE_AND_PROGRAMS, use_case
from audit.via import Door
from certificates import signers
from deployments.models import Agent
from foundation.clock import database_clock
from jobs import policy, queue
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.services import csrs
from jobs.services.common import lock_both
from jobs.services.opening import undecided
from jobs.states import Move, Status
from owners.models import Principal


@use_case("job.submit_csr", on=Job, doors=PEOPLE_AND_PROGRAMS | {Door.AGENT})
def submit_csr(
    *, actor: Principal, job_id: uuid.UUID, csr_pem: str, agent: Agent | None = None
) -> Job:
    """Give a job the CSR that it waits for; it then waits for approval or goes ahead.

    An `agent` gives that of a key which it made, to a job that waits for it: whoever vouched for
    the agent counts as who brought it. The same CSR again, after a lost answer, changes nothing.
    Raises InvalidMove, IssuerRevoked, Invalid (a CSR outside the profile), Job.DoesNotExist (also
    for what is another agent's).
    """
    job = lock_both(job_id, actor)
    if actor.via.door is Door.AGENT:
        _check_its_own(job, agent, actor)
        if _has_it(job, csr_pem):
            return job
    policy.check_state(job, Move.SUBMIT_CSR)
    certificate = job.certificate
    signers.check_may_sign(certificate.issuer)
    checked = csrs.check(csr_pem, certificate)
    job.csr_pem = csr_pem
    job.csr_by = (agent.vouched_by if agent is not None else None) or actor
    kind_of(job).set_up(job)
    job.last_error = ""
    if kind_of(job).needs_approval(job, certificate):
        job.waits_until = database_clock.now() + settings.APPROVAL_TIMEOUT
        move = Move.SUBMIT_CSR_FOR_APPROVAL
    else:
        job.waits_until = None
        move = Move.SUBMIT_CSR
        transaction.on_commit(queue.nudge)
    # It still waits for its CSR, and has it: what decides is the same.
    job.lacks_decider = policy.lacks_decider(job)
    job.move(
        move,
        actor=actor,
        key_algorithm=checked.key_algorithm,
        names=checked.sans,
        **({"vouched_by": str(job.csr_by)} if agent is not None else {}),
        **undecided(job),
    )
    return job


def _check_its_own(job: Job, agent: Agent | None, actor: Principal) -> None:
    """Raise Job.DoesNotExist where the job waits for the CSR of somebody else."""
    if agent is None or agent.principal_id != actor.pk or job.csr_agent_id != agent.pk:
        raise Job.DoesNotExist


def _has_it(job: Job, csr_pem: str) -> bool:
    return job.status != Status.AWAITING_CSR and bool(job.csr_pem) and job.csr_pem == csr_pem

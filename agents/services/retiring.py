"""An agent that is no more: what still depends on it is told first, and its open work ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from agents.services.keys import end_keys
from audit.changes import change
from audit.services import record
from audit.use_cases import use_case
from certificates.models import Certificate
from deployments.models import Agent, Target
from foundation.preconditions import as_expected
from jobs.models import Job
from jobs.services import cancel_held, hold_to_cancel
from owners.models import Principal

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Dependents:
    """What depends on an agent: the first of each, and how many there are."""

    targets: Sequence[Target]
    certificates: Sequence[Certificate]
    jobs: Sequence[Job]
    target_count: int
    certificate_count: int
    job_count: int


def dependents_of(agent: Agent) -> Dependents:
    """Return the targets that `agent` carries to, what is served there, and its open work."""
    targets = Target.objects.filter(agent=agent).order_by("name")
    certificates = _served_by(agent).order_by("name", "pk")
    jobs = _open_work(agent).select_related("certificate", "target").order_by("-created_at", "pk")
    return Dependents(
        list(targets[:SHOWN]),
        list(certificates[:SHOWN]),
        list(jobs[:SHOWN]),
        targets.count(),
        certificates.count(),
        jobs.count(),
    )


@use_case("agent.retire", on=Agent)
def retire_agent(*, actor: Principal, agent_id: UUID) -> Agent:
    """Let an agent in no more, and end its open work; its targets stay until another has them.

    Nothing is deployed there until then, and what is served there runs on. Its name stays taken.
    Raises Agent.DoesNotExist.
    """
    agent = as_expected(actor, Agent.objects.lock(agent_id))
    if agent.retired_at is not None:
        return agent
    open_jobs, actor = hold_to_cancel(jobs=_open_work(agent), actor=actor)
    now = timezone.now()
    changes = change("state", agent.state, Agent.State.RETIRED)
    agent.state, agent.retired_at, agent.enabled = Agent.State.RETIRED, now, False
    agent.save(update_fields=["state", "retired_at", "enabled"])
    record(
        actor=actor,
        action="agent.retire",
        subject=agent,
        changes=changes,
        keys_ended=end_keys(agent),
        jobs_ended=len(open_jobs),
        targets=Target.objects.filter(agent=agent).count(),
        certificates=_served_by(agent).count(),
    )
    cancel_held(jobs=open_jobs, actor=actor, reason=f"The agent {agent} was retired.")
    return agent


def _served_by(agent: Agent) -> QuerySet[Certificate]:
    return Certificate.objects.filter(deployments__target__agent=agent).distinct()


def _open_work(agent: Agent) -> QuerySet[Job]:
    return Job.objects.under_way().filter(Q(agent=agent) | Q(csr_agent=agent))

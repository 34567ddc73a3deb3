"""What an agent tells of its host, how long it was silent, and whether its clock is right."""

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.changes import Changes, change, changed
from audit.services import record
from audit.use_cases import AGENTS, use_case
from deployments.models import Agent
from foundation.clock import database_clock
from foundation.errors import Conflict
from owners.models import Principal

logger = logging.getLogger(__name__)

BATCH = 500
# What the trail tells when it changes; the rest changes with every heartbeat.
FACTS = ("os", "architecture", "version", "address")
WRONG_BY_AT_MOST = 10**9  # seconds, some thirty years: what an integer column surely holds


class OtherInstance(Conflict):
    """Two agents have one key; this is not the one that registered."""

    code = "other_instance"
    message = (
        "Another installation of this agent registered with this key: a key is for one host. "
        "Register this one with a token of its own."
    )


class Retired(Conflict):
    """The agent was retired while it was asking."""

    code = "agent_retired"
    message = "The agent was retired."


@dataclass(frozen=True, slots=True)
class Host:
    """What an agent says of its host; `clock` is its time now, None where it does not say."""

    os: str = ""
    architecture: str = ""
    version: str = ""
    address: str | None = None
    clock: datetime | None = None


@use_case("agent.heartbeat", on=Agent, doors=AGENTS)
def heartbeat(*, actor: Principal, agent: Agent, instance: str, host: Host) -> Agent:
    """Keep what an agent says of its host, and that it was heard of; raises OtherInstance, Retired.

    A wrong clock is kept as its distance from ours and told to the agent; it refuses nothing.
    """
    row = lock_own(agent)
    check_instance(row, instance)
    was_wrong, came_back = row.clock_is_wrong, row.state != Agent.State.ONLINE
    changes = describe(row, host, database_clock.now())
    changes |= change("clock_is_wrong", was_wrong, row.clock_is_wrong)
    row.state = Agent.State.ONLINE
    row.save()
    if came_back:
        record(actor=actor, action="agent.go_online", subject=row, version=row.version)
    if changes:
        record(
            actor=actor,
            action="agent.describe",
            subject=row,
            changes=changes,
            **({"clock_offset": row.clock_offset} if "clock_is_wrong" in changes else {}),
        )
    return row


def lock_own(agent: Agent) -> Agent:
    """Return the row of the agent that asks, locked; raises Retired.

    Its key let it in a moment ago: who retired it since is seen here, and not undone.
    """
    row = Agent.objects.lock(agent.pk)
    if row.retired_at is not None:
        raise Retired
    return row


def check_instance(agent: Agent, instance: str) -> None:
    """Raise OtherInstance where the agent that asks is not the installation that registered."""
    if agent.instance and instance != agent.instance:
        raise OtherInstance


def describe(agent: Agent, host: Host, now: datetime) -> Changes:
    """Set on `agent` what its host is like and when it was heard of, in memory."""
    facts = asdict(host)
    clock = facts.pop("clock")
    agent.last_seen_at = now
    if clock is not None:
        offset = round((clock - now).total_seconds())
        agent.clock_offset = max(-WRONG_BY_AT_MOST, min(offset, WRONG_BY_AT_MOST))
    return changed(agent, facts, FACTS)


def miss_silent_agents(*, actor: Principal) -> int:
    """Show as offline the agents that were not heard of for AGENT_SILENCE; return how many.

    Each in a transaction of its own, skipped where somebody is at it: a heartbeat wins.
    """
    since = database_clock.now() - settings.AGENT_SILENCE
    count = 0
    for pk in list(Agent.objects.silent(since).values_list("pk", flat=True)[:BATCH]):
        try:
            count += _miss(pk, since, actor)
        except Exception:
            logger.exception("agent %s could not be shown as offline", pk)
    return count


def _miss(pk: UUID, since: datetime, actor: Principal) -> int:
    with transaction.atomic():
        rows = Agent.objects.silent(since).filter(pk=pk)
        row = rows.select_for_update(no_key=True, skip_locked=True).order_by().first()
        if row is None or row.last_seen_at is None:
            return 0
        row.state = Agent.State.OFFLINE
        row.save(update_fields=["state"])
        record(
            actor=actor,
            action="agent.go_offline",
            subject=row,
            last_seen_at=row.last_seen_at.isoformat(),
        )
        return 1


def next_heartbeat() -> timedelta:
    """Return when an agent is to be heard of again: several times before it counts as silent."""
    silence: timedelta = settings.AGENT_SILENCE
    return silence / 5

"""Keys of agents: replaced by their agents without a moment in which none lets them in."""

from uuid import UUID

from django.utils import timezone

from agents import secret_texts
from agents.models import Key
from agents.services.heartbeats import lock_own
from audit.services import record
from audit.use_cases import AGENTS, use_case
from deployments.models import Agent
from foundation.errors import Conflict, FieldError, Invalid
from owners.models import Principal


class KeyKnown(Conflict):
    """Each key is used by one agent, and never again once it ended."""

    code = "key_known"
    message = "Make a new key: this one is known already."


@use_case("agent.rotate_key", on=Agent, doors=AGENTS)
def rotate_key(*, actor: Principal, agent: Agent, key_digest: str) -> Key:
    """Let the agent in with the key of that SHA-256 too; the old ones end with its first use.

    So an agent that dies between the asking and the writing is not locked out. To say it again is
    no error. Raises Invalid, KeyKnown, Retired.
    """
    check_digest(key_digest, of="the agent's new key")
    row = lock_own(agent)
    known = Key.objects.filter(digest=key_digest).first()
    if known is not None:
        if known.agent_id != row.pk or known.ended_at is not None:
            raise KeyKnown(errors=[FieldError("key_digest", KeyKnown.code, KeyKnown.message)])
        return known
    # One that was announced and never used is replaced: its agent died before it was written.
    now = timezone.now()
    Key.objects.filter(agent=row, used_at=None, ended_at=None).update(ended_at=now)
    key = Key.objects.create(agent=row, digest=key_digest)
    record(actor=actor, action="agent.rotate_key", subject=row, key=key_digest[:10])
    return key


def begin_using(*, actor: Principal, key_id: UUID) -> None:
    """End the other keys of an agent, for this one let it in; nothing for one used before.

    Call it in a transaction.
    """
    agent_id = Key.objects.values_list("agent", flat=True).get(pk=key_id)
    agent = Agent.objects.lock(agent_id)
    now = timezone.now()
    if not Key.objects.filter(pk=key_id, used_at=None, ended_at=None).update(used_at=now):
        return
    ended = Key.objects.filter(agent=agent, ended_at=None).exclude(pk=key_id).update(ended_at=now)
    record(actor=actor, action="agent.first_use", subject=agent, ended=ended)


def check_digest(key_digest: str, *, of: str) -> None:
    """Raise Invalid where an agent sent what is no SHA-256 in the place of one."""
    if not secret_texts.DIGEST.fullmatch(key_digest):
        detail = f"The SHA-256 of {of}, in lower-case hexadecimal."
        raise Invalid(errors=[FieldError("key_digest", "invalid", detail)])


def end_keys(agent: Agent) -> int:
    """Let the agent in by no key any more; the caller holds its row. Returns how many ended."""
    return Key.objects.filter(agent=agent, ended_at=None).update(ended_at=timezone.now())

"""Which agent asks: by a key of its own, which is no API key and opens no other address."""

from dataclasses import replace

from django.db import transaction

from agents import secret_texts, services
from agents.models import Key
from audit.via import Door, Via
from deployments.models import Agent
from foundation.errors import NotAuthenticated
from owners import strangers
from owners.models import Principal


class InvalidAgentKey(NotAuthenticated):
    """It is no agent's key, or one that lets nobody in any more."""

    code = "invalid_key"
    message = "This is not a valid agent's key."


def authenticate(text: str, via: Via) -> tuple[Principal, Agent]:
    """Return the principal and the agent whose key `text` is; `via` says how it came.

    The first use of a key ends those before it. Raises InvalidAgentKey, which the trail knows.
    """
    digest = secret_texts.key_digest(text)
    key = (
        Key.objects.select_related("agent__principal", "agent__vouched_by")
        .filter(digest=digest)
        .first()
        if digest
        else None
    )
    if key is None:
        strangers.tell(action="agent.refuse", via=via, why="unknown key")
        raise InvalidAgentKey
    agent = key.agent
    principal = agent.principal
    why = _why_not(key, agent)
    if why or principal is None:
        strangers.tell(action="agent.refuse", via=via, name=agent.name, why=why)
        raise InvalidAgentKey(f"The agent's key cannot be used: {why}.")
    principal.via = replace(via, door=Door.AGENT)
    if key.used_at is None:
        with transaction.atomic():
            services.begin_using(actor=principal, key_id=key.pk)
    return principal, agent


def _why_not(key: Key, agent: Agent) -> str:
    if agent.retired_at is not None:
        return "the agent was retired"
    if key.ended_at is not None:
        return "a newer one has taken its place"
    if not agent.enabled or agent.principal is None or not agent.principal.is_active:
        return "the agent is disabled"
    return ""

"""How an agent comes to be: a token that was made for it, and a key that it made itself."""

from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction
from django.utils import timezone

import owners.policy
import owners.services
from agents import secret_texts
from agents.models import Key, Token
from agents.services.heartbeats import Host, describe
from agents.services.keys import check_digest
from agents.services.tokens import check_name
from audit.services import record
from audit.use_cases import AGENTS, use_case
from audit.via import Door, Via
from deployments.models import Agent
from foundation.errors import ChangedMeanwhile, FieldError, Invalid, NotAuthenticated
from owners import keys
from owners.models import Principal

MAKE_TOKENS = "agents.add_token"
PRINCIPAL = "agent:"  # before its name: so that nobody is called as an agent is


class InvalidToken(NotAuthenticated):
    """It is no token, or one that lets nobody register; who has the right one is told why."""

    code = "invalid_token"
    message = "This is not a valid registration token."


@dataclass(frozen=True, slots=True)
class Registered:
    """An agent, and whether it was made now: the same may be asked twice, after a lost answer."""

    agent: Agent
    is_new: bool


def register(*, token: str, key_digest: str, instance: str, host: Host, via: Via) -> Registered:
    """Make the agent that `token` was made for, known by the key of that SHA-256 from now on.

    The key stays on its host. The token's row is locked, so of two who come with it one registers;
    the same key with it again gets the same answer. Raises InvalidToken, Invalid, NameTaken,
    ChangedMeanwhile.
    """
    check_digest(key_digest, of="the agent's key")
    parsed = secret_texts.parse_token(token)
    if parsed is None:
        raise InvalidToken
    prefix, secret = parsed
    with transaction.atomic():
        row = Token.objects.lock_prefix(prefix)
        # Compared for an unknown one too, so that time tells nothing.
        matches = keys.matches(secret, row.digest if row else None)
        if row is None or not matches:
            raise InvalidToken
        known = _again(row, key_digest)
        if known is not None:
            return Registered(known, is_new=False)
        why = row.why_not(timezone.now(), via.remote_address) or _why_no_word(row)
        if why:
            raise InvalidToken(f"The registration token cannot be used: {why}.")
        try:
            with transaction.atomic():
                return Registered(_made(row, key_digest, instance, host, via), is_new=True)
        except IntegrityError:
            # Another token's host was first with the name or the key; asked again, it says which.
            raise ChangedMeanwhile from None


def _again(token: Token, key_digest: str) -> Agent | None:
    """Return the agent that registered so before, where only the answer was lost."""
    key = (
        Key.objects.select_related("agent")
        .filter(agent=token.agent_id, digest=key_digest, ended_at=None)
        .first()
        if token.agent_id
        else None
    )
    return key.agent if key else None


def _why_no_word(token: Token) -> str:
    """Return why its maker's word is worth nothing any more; "" where it is.

    They are held until the commit: whoever is disabled, or no administrator any more, lets no host
    in by what they took away with them.
    """
    owners.policy.hold(owners=[], teams=[], people=[token.created_by_id])
    maker = Principal.objects.get(pk=token.created_by_id)
    may = maker.is_active and maker.has_perm(MAKE_TOKENS)
    return "" if may else "whoever made it may make none any more"


def _made(token: Token, key_digest: str, instance: str, host: Host, via: Via) -> Agent:
    if Key.objects.filter(digest=key_digest).exists():
        # Whoever has the key of another agent is not to be two.
        detail = "Make a new key: this one is known already."
        raise Invalid(errors=[FieldError("key_digest", "key_known", detail)])
    check_name(token.name)
    principal = owners.services.create_principal(
        actor=Principal.objects.system(),
        username=f"{PRINCIPAL}{token.name}",
        role=None,
        kind=Principal.Kind.MACHINE,
        for_devices=True,
    )
    principal.via = replace(via, door=Door.AGENT)
    agent = Agent(
        name=token.name, principal=principal, vouched_by=token.created_by, instance=instance
    )
    describe(agent, host, timezone.now())
    return make_agent(actor=principal, agent=agent, token=token, key_digest=key_digest)


@use_case("agent.register", on=Agent, doors=AGENTS)
def make_agent(*, actor: Principal, agent: Agent, token: Token, key_digest: str) -> Agent:
    """Make an agent of whoever came with its token, known by the key of that SHA-256.

    The caller has locked the token, and made sure that it may be used.
    """
    agent.save()
    Key.objects.create(agent=agent, digest=key_digest)
    token.agent, token.used_at = agent, agent.created_at
    token.save(update_fields=["agent", "used_at"])
    record(
        actor=actor,
        action="agent.register",
        subject=agent,
        token=token.prefix,
        vouched_by=token.created_by.get_username(),
        address=agent.address,
    )
    return agent

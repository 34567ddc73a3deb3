"""Use cases on registration tokens: made by whoever sets up hosts, used once, or withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cryptography import x509
from django.conf import settings
from django.utils import timezone

import foundation.networks
from agents import secret_texts
from agents.models import MAX_NETWORKS, Token
from audit.changes import change
from audit.services import record
from audit.use_cases import use_case
from deployments.models import Agent
from foundation.errors import Conflict, FieldError, Invalid
from foundation.preconditions import as_expected
from issuers.x509 import certs
from owners.models import Principal

LIVES = timedelta(hours=24)
LONGEST = timedelta(days=30)
MAX_NAME = 140  # what its principal is called has a prefix, and 150 characters


class AgentNameTaken(Conflict):
    """Agents are known by their names."""

    code = "name_taken"
    message = "There is, or was, an agent of that name."


class TokenUsed(Conflict):
    """There is nothing to withdraw any more."""

    code = "token_used"
    message = "An agent has registered with this token: retire the agent instead."


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token, its text, which is never to be seen again, and the CA that the agent is to trust."""

    token: Token
    text: str
    ca_pem: str = ""


@use_case("agent.create_token", on=Token)
def create_token(
    *,
    actor: Principal,
    name: str,
    networks: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> MadeToken:
    """Make a token with which one agent of that name registers; it counts as the maker's word.

    It ends after a day unless said otherwise, and after 30 days at most. Raises AgentNameTaken,
    Invalid.
    """
    now = timezone.now()
    ends = expires_at or now + LIVES
    nets, errors = _networks(networks)
    if not name or name != name.strip() or not name.isprintable():
        errors.append(FieldError("name", "invalid", "Give the agent a name, of printable text."))
    if len(name) > MAX_NAME:
        errors.append(FieldError("name", "too_long", f"At most {MAX_NAME} characters."))
    if not now < ends <= now + LONGEST:
        errors.append(
            FieldError(
                "expires_at", "invalid", f"It ends later than now, within {LONGEST.days} days."
            )
        )
    if errors:
        raise Invalid(errors=errors)
    check_name(name)
    ca_pem = settings.AGENT_CA_PEM
    text, prefix, digest = secret_texts.make_token(_fingerprint(ca_pem) if ca_pem else "")
    token = Token.objects.create(
        name=name,
        networks=nets,
        prefix=prefix,
        digest=digest,
        expires_at=ends,
        created_by=actor,
    )
    record(
        actor=actor,
        action="agent.create_token",
        subject=token,
        networks=nets,
        expires_at=ends.isoformat(),
    )
    return MadeToken(token, text, ca_pem)


@use_case("agent.withdraw_token", on=Token)
def withdraw_token(*, actor: Principal, token_id: UUID) -> Token:
    """Have nobody register with a token any more; raises TokenUsed, Token.DoesNotExist."""
    token = as_expected(actor, Token.objects.lock(token_id))
    if token.used_at is not None:
        raise TokenUsed
    if token.withdrawn_at is None:
        token.withdrawn_at = timezone.now()
        token.save(update_fields=["withdrawn_at"])
        record(
            actor=actor,
            action="agent.withdraw_token",
            subject=token,
            changes=change("withdrawn_at", None, token.withdrawn_at),
        )
    return token


def check_name(name: str) -> None:
    """Raise AgentNameTaken where there is an agent of that name, or one that looks the same."""
    if Agent.objects.filter(name__iexact=name).exists():
        raise AgentNameTaken(errors=[FieldError("name", "name_taken", AgentNameTaken.message)])


def _networks(texts: Sequence[str]) -> tuple[list[str], list[FieldError]]:
    if len(texts) > MAX_NETWORKS:
        return [], [FieldError("networks", "invalid", f"At most {MAX_NETWORKS} networks.")]
    return foundation.networks.read(texts, "networks")


def _fingerprint(pem: str) -> str:
    """Return the SHA-256 of the first certificate in `pem`, in lower-case hexadecimal."""
    return certs.fingerprint(x509.load_pem_x509_certificate(pem.encode()))

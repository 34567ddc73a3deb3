"""Tokens that let one agent register, and the keys by which agents are known."""

import uuid
from datetime import datetime

from django.db import models
from django.utils import timezone

from deployments.models import Agent
from foundation import networks
from foundation.statements import locked
from owners.models import Principal

MAX_NETWORKS = 32


class TokenQuerySet(models.QuerySet["Token"]):
    """Tokens as services look for them."""

    def lock(self, pk: uuid.UUID) -> "Token":
        """Return the bare row, locked; raises Token.DoesNotExist."""
        return locked(Token, pk)

    def lock_prefix(self, prefix: str) -> "Token | None":
        """Return the token of that prefix, locked, or None."""
        return self.select_for_update(no_key=True).filter(prefix=prefix).first()


class Token(models.Model):
    """What lets one agent of one name register, once. Stored nowhere but as SHA-256."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, help_text="What the agent is called that registers.")
    networks = models.JSONField(
        default=list,
        blank=True,
        help_text='Networks it may be used from, as ["10.0.0.0/8"]; empty means anywhere.',
    )
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    agent = models.OneToOneField(
        Agent,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="token",
        editable=False,
        help_text="Who registered with it; empty: nobody has.",
    )
    used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(Principal, models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = "registration token"
        ordering = ["-created_at", "pk"]
        indexes = [models.Index(fields=["-created_at", "id"], name="agents_token_newest")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def why_not(self, now: datetime, address: str | None) -> str:
        """Return why nobody may register with it from `address` at `now`; "" where they may."""
        if self.withdrawn_at is not None:
            return "it was withdrawn"
        if self.expires_at <= now:
            return "it has expired"
        if self.used_at is not None:
            return "it was used"
        if not self.allows(address):
            return "it may not be used from this address"
        return ""

    def allows(self, address: str | None) -> bool:
        """Whether it may be used from `address`; fails closed for an unknown one."""
        return networks.allow(self.networks, address)

    def state(self, now: datetime) -> str:
        """Return one word for it: open, used, expired or withdrawn."""
        if self.used_at is not None:
            return "used"
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "expired" if self.expires_at <= now else "open"


class Key(models.Model):
    """A key of one agent, made on its host: only the SHA-256 ever came here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="keys")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it first let the agent in."
    )
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        default_permissions = ()
        ordering = ["-created_at", "pk"]

    def __str__(self) -> str:
        return f"{self.agent} ({self.digest[:10]}…)"

"""Agents, targets, and that a certificate is served at a target."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from audit.about import About
from certificates.models import Certificate, Version
from foundation.sealed import Context, SealedField
from foundation.statements import locked
from owners.models import Principal

TARGET_SECRETS = Context("target:{pk}")


# Seconds: what Kerberos and most of TLS bear is five minutes; a minute is worth telling.
WRONG_CLOCK = 60


class AgentQuerySet(models.QuerySet["Agent"]):
    """Agents as services look for them."""

    def lock(self, pk: uuid.UUID) -> "Agent":
        """Return the bare row, locked; raises Agent.DoesNotExist."""
        return locked(Agent, pk)

    def silent(self, since: datetime) -> Self:
        """Agents that count as online and were not heard of after `since`, the longest first."""
        return self.filter(state="Online", last_seen_at__lt=since).order_by("last_seen_at", "pk")


class Agent(models.Model):
    """A host's process that fetches its own work, and makes its keys where they are used.

    What an agent carries is never claimed by the server.
    """

    class State(models.TextChoices):
        """What is known of it; the values are API."""

        REGISTERED = "Registered"  # and not heard of since
        ONLINE = "Online"
        OFFLINE = "Offline"
        RETIRED = "Retired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    principal = models.OneToOneField(
        Principal, models.PROTECT, null=True, blank=True, related_name="agent"
    )
    vouched_by = models.ForeignKey(
        Principal,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        help_text="Who made the token that it registered with: counts among those who bring its "
        "keys.",
    )
    enabled = models.BooleanField(default=True)
    state = models.CharField(max_length=10, choices=State, default=State.REGISTERED, editable=False)
    instance = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="Which installation it is: another one with the same key is refused.",
    )
    os = models.CharField("operating system", max_length=64, blank=True, editable=False)
    architecture = models.CharField(max_length=32, blank=True, editable=False)
    version = models.CharField(max_length=32, blank=True, editable=False)
    address = models.GenericIPAddressField(null=True, blank=True, editable=False)
    clock_offset = models.IntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="How many seconds its clock was ahead of ours when it was last heard of.",
    )
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AgentQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        indexes = [
            models.Index(
                fields=["last_seen_at"],
                condition=Q(state="Online"),
                name="deployments_agent_online",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def clock_is_wrong(self) -> bool:
        """Whether its clock differs by so much that certificates may seem over, or to come."""
        return self.clock_offset is not None and abs(self.clock_offset) > WRONG_CLOCK


class Target(models.Model):
    """A place where certificates are served."""

    class Kind(models.TextChoices):
        """Which connector speaks to it (see deployments.connectors)."""

        FILE = "file", "Files"
        NGINX = "nginx", "NGINX"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    kind = models.CharField(max_length=16, choices=Kind)
    enabled = models.BooleanField(default=True)
    agent = models.ForeignKey(
        Agent,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="targets",
        help_text="Who carries certificates there; empty: this server does.",
    )
    config = models.JSONField(default=dict, blank=True, help_text="Paths and commands; no secret.")
    secrets = SealedField(TARGET_SECRETS, null=True, blank=True)
    endpoint_host = models.CharField(
        max_length=255, blank=True, help_text="Where a handshake shows what is served."
    )
    endpoint_port = models.PositiveIntegerField(null=True, blank=True)
    server_name = models.CharField(
        max_length=255, blank=True, help_text="SNI to send; empty: the certificate's first name."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # What the last test of the connection said; it stays until the next one.
    tested_at = models.DateTimeField(null=True, editable=False)
    tested_by = models.ForeignKey(
        Principal, models.PROTECT, null=True, editable=False, related_name="+"
    )
    test_passed = models.BooleanField(null=True, editable=False)
    test_words = models.TextField(default="", editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def has_endpoint(self) -> bool:
        """Whether a handshake can be made."""
        return bool(self.endpoint_host and self.endpoint_port)


class Deployment(models.Model):
    """That a certificate is served at a target: which version, and what a handshake saw."""

    class Health(models.TextChoices):
        """What the last handshake said.

        Degraded it says of nothing yet: that is for a certificate which is right while its chain,
        name or stapled answer is not, once handshakes look at those (see docs/deployment.md).
        """

        UNKNOWN = "Unknown"
        HEALTHY = "Healthy"
        DEGRADED = "Degraded"
        DOWN = "Down"
        MISMATCH = "Mismatch"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="deployments")
    target = models.ForeignKey(Target, models.PROTECT, related_name="deployments")
    version = models.ForeignKey(
        Version, models.PROTECT, null=True, blank=True, related_name="deployments", editable=False
    )
    deployed_at = models.DateTimeField(null=True, blank=True, editable=False)
    health = models.CharField(max_length=8, choices=Health, default=Health.UNKNOWN, editable=False)
    served_fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["certificate", "target"], name="deployments_one_per_target"
            )
        ]
        indexes = [
            # What a handshake has not shown, which is little where all is well.
            models.Index(
                fields=["deployed_at"],
                condition=models.Q(version__isnull=False) & ~models.Q(health="Healthy"),
                name="deployments_unproven",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.certificate} on {self.target}"

    @property
    def note(self) -> str:
        """Why nothing newer comes there; "" where it does."""
        if self.target.enabled:
            return ""
        return "The target is disabled: no newer version of the certificate is brought there."

    def about(self) -> About:
        """Return what an event on this deployment is about."""
        return self.certificate.about()

"""Which OCSP answers were dropped, in the order of commits: for who keeps them in memory."""

import uuid

from django.db import models
from django.db.models.functions import Now

from issuers.models import Issuer


class AnswerGeneration(models.Model):
    """How often answers of an issuer's were dropped.

    The row is locked from its change to the commit, so numbers become visible in their order and
    without a gap: whoever has seen one has seen all before it.
    """

    issuer = models.OneToOneField(Issuer, models.CASCADE, primary_key=True, related_name="+")
    number = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.issuer_id}: {self.number}"


class AnswerChange(models.Model):
    """One serial whose answers were dropped, in one generation of its issuer's answers."""

    issuer = models.ForeignKey(Issuer, models.CASCADE, related_name="+")
    generation = models.BigIntegerField()
    serial = models.CharField(max_length=48, blank=True, help_text="Empty: all of the issuer's.")
    at = models.DateTimeField(db_default=Now(), help_text="By the database's clock.")

    class Meta:
        default_permissions = ()
        ordering = ["issuer", "generation"]
        indexes = [models.Index(fields=["at"], name="certs_answer_changed_at")]
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "generation", "serial"], name="certs_answer_changed_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.issuer_id}: {self.generation} {self.serial}"


class AnswerMemory(models.Model):
    """What one process that keeps answers in memory says of itself, every few seconds."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    process = models.CharField(max_length=120, help_text="Host and process id.")
    hits = models.BigIntegerField(default=0)
    misses = models.BigIntegerField(default=0)
    entries = models.BigIntegerField(default=0)
    confirmed_seconds = models.FloatField(
        null=True, help_text="Age of the last confirmation when this was written."
    )
    latencies = models.JSONField(
        default=dict, help_text="Revocations by seconds until this process knew: bound to count."
    )
    latency_sum = models.FloatField(default=0.0)
    reported_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.process

"""The audit trail's rows: events that are only ever inserted, and the head of their chain."""

import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import models

from audit.via import Door

GENESIS = "0" * 64
FORMAT = 2  # of new events; 1, which stands nowhere, knew neither certificate nor owner


class Event(models.Model):
    """One thing that somebody did, or was refused.

    Triggers refuse UPDATE, DELETE and TRUNCATE (see the migrations). `sequence` has no gaps and
    `hash` covers the row and its predecessor's hash, so that an edit or a removal shows.
    """

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty for whoever came without credentials, or with bad ones.",
    )
    actor_name = models.CharField(max_length=150)
    api_key = models.CharField("API key", max_length=100, blank=True)
    door = models.CharField(max_length=16, choices=[(d.value, d.value) for d in Door])
    action = models.CharField(max_length=64, db_index=True)
    subject_type = models.CharField(max_length=64, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    subject_name = models.CharField(max_length=255, blank=True)
    # Keys without a constraint: what they name may be deleted, and this app knows no other.
    certificate = models.UUIDField(null=True, blank=True)
    owner = models.UUIDField(null=True, blank=True)
    data = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    remote_address = models.GenericIPAddressField(null=True, blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)
    # Without a default, so that the columns are added in place, and rows stay as they are.
    format = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Which fields the hash covers; empty: 1."
    )

    class Meta:
        ordering = ["-sequence"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "-sequence"], name="audit_subject"),
            models.Index(fields=["actor", "-sequence"], name="audit_actor"),
            models.Index(fields=["certificate", "-sequence"], name="audit_certificate"),
            models.Index(fields=["owner", "-sequence"], name="audit_owner"),
        ]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"#{self.sequence} {self.action}"

    def digest(self) -> str:
        """Return the SHA-256 that `hash` must hold: of the predecessor's hash and this row."""
        return hashlib.sha256(
            json.dumps(self._hashed(), sort_keys=True, separators=(",", ":")).encode()
        ).hexdigest()

    def _hashed(self) -> dict[str, Any]:
        covered: dict[str, Any] = {
            "sequence": self.sequence,
            "at": self.at.isoformat(timespec="microseconds"),
            "actor": str(self.actor_id) if self.actor_id else None,
            "actor_name": self.actor_name,
            "api_key": self.api_key,
            "door": self.door,
            "action": self.action,
            "subject_type": self.subject_type,
            "subject_id": self.subject_id,
            "subject_name": self.subject_name,
            "data": self.data,
            "request_id": self.request_id,
            "remote_address": self.remote_address,
            "previous_hash": self.previous_hash,
        }
        if self.format is None and self.certificate is None and self.owner is None:
            return covered  # format 1, to the byte
        return covered | {
            "format": self.format,
            "certificate": str(self.certificate) if self.certificate else None,
            "owner": str(self.owner) if self.owner else None,
        }


class ChainHead(models.Model):
    """The last link: its row lock is what makes the sequence gapless under concurrent writers."""

    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="audit_one_head")]

    def __str__(self) -> str:
        return f"#{self.sequence}"

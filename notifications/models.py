"""The outbox: what is to be told to whom, and whether it was."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from foundation.clock import database_clock
from jobs.models import Job
from owners.models import Principal

# Longer than one sending can take (settings.EMAIL_TIMEOUT): meanwhile nobody else sends it.
LEASE = timedelta(minutes=5)
MOST_TRIES = 10
MOST_IN_ONE = 50  # messages to one person that go out as one e-mail


class MessageQuerySet(models.QuerySet["Message"]):
    """Messages as the sender looks for them."""

    def due(self, now: datetime) -> Self:
        """What is to be sent, the longest waiting first."""
        return self.filter(sent_at=None, given_up=False, due_at__lte=now).order_by("due_at", "pk")

    def claim(self) -> "list[Message]":
        """Take what is due to one person, for LEASE; [] where nothing is, or others have it.

        The try is counted with the claim, so one that kills its sender ends. What is being taken
        by somebody else is skipped.
        """
        now = database_clock.now()
        with transaction.atomic():
            rows = self.due(now).select_for_update(skip_locked=True, no_key=True)
            first = rows.first()
            if first is None:
                return []
            claimed = list(rows.filter(recipient_id=first.recipient_id)[:MOST_IN_ONE])
            for message in claimed:
                message.attempts += 1
                message.due_at = now + LEASE
            self.bulk_update(claimed, ["attempts", "due_at"])
        return claimed

    def claimed(self, messages: "list[Message]") -> Self:
        """Those of `messages` whose claim still holds: nobody has tried them again since."""
        held = Q(pk=None)
        for message in messages:
            held |= Q(pk=message.pk, attempts=message.attempts)
        return self.filter(held, sent_at=None)


class Message(models.Model):
    """Something that one person is told."""

    class Kind(models.TextChoices):
        """What is told."""

        WAITING = "waiting", "Waits for a decision"
        OUTCOME = "outcome", "What became of a request"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind)
    recipient = models.ForeignKey(Principal, models.PROTECT, related_name="+")
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+")
    subject = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    due_at = models.DateTimeField(default=timezone.now, help_text="When it is tried next.")
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    sent_to = models.EmailField("sent to", blank=True, max_length=254)
    given_up = models.BooleanField(default=False, help_text="It is not tried again.")
    last_error = models.CharField(max_length=300, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at", "id"],
                condition=Q(sent_at=None, given_up=False),
                name="message_due",
            ),
            models.Index(fields=["-created_at", "id"], name="message_newest"),
        ]

    def __str__(self) -> str:
        return self.subject


class Announced(models.Model):
    """A job that those who may decide on it were told of: once."""

    job = models.OneToOneField(Job, models.PROTECT, primary_key=True, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.job_id)


class Round(models.Model):
    """One row: when deciders were last told of what waits. Whoever holds it tells them."""

    ONLY: ClassVar = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.at)

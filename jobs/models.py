"""Jobs: work on certificates, with the one write to their status."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeAlias

from django.db import models
from django.db.models import Q
from django.utils import timezone

from audit.about import About
from audit.services import Entry, record
from certificates.models import Certificate, Version
from deployments.models import Agent, Target
from foundation.errors import Conflict, ConnectorError
from foundation.sealed import CannotDecrypt, Context, SealedField
from foundation.statements import update
from issuers.server_keys import SERVER_KEY
from issuers.words import JobKind
from issuers.x509.csr import has_challenge
from jobs.querysets import JobQuerySet
from jobs.states import OPEN, Move, Status
from owners.models import Principal

# A request that holds a challenge, which devices may share, while it is needed.
REQUEST = Context("request:{pk}")


class InvalidMove(Conflict):
    """The job's status does not allow the move."""

    code = "invalid_move"

    def __init__(self, job: "Job", move: Move) -> None:
        super().__init__(f"A job that is {job.status} cannot {move.words}.")


_AFTER_MOVE: list[Callable[["Job", Move, Principal], None]] = []


def has_moved(tell: Callable[["Job", Move, Principal], None]) -> None:
    """Have `tell` called after each move but the claim, in its transaction, with who made it.

    For apps above, which are not known here. Whatever it raises undoes the move.
    """
    _AFTER_MOVE.append(tell)


class Job(models.Model):
    """One piece of work on a certificate, from the asking to the end."""

    Kind: TypeAlias = JobKind

    class Verification(models.TextChoices):
        """What a Validation saw."""

        PENDING = "pending", "pending"
        SUCCESS = "success", "success"
        FAILED = "failed", "failed"
        SKIPPED = "skipped", "skipped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    status = models.CharField(max_length=24, choices=Status, default=Status.PENDING, editable=False)
    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="jobs")
    target = models.ForeignKey(Target, models.PROTECT, null=True, blank=True, related_name="jobs")
    # Two facts: who carries the work, which the server then never claims, and who makes the key of
    # what the server signs and brings its CSR.
    agent = models.ForeignKey(Agent, models.PROTECT, null=True, blank=True, related_name="jobs")
    csr_agent = models.ForeignKey(
        Agent,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="csr_jobs",
        editable=False,
        verbose_name="CSR from agent",
        help_text="The agent that makes the key on its host and brings the CSR; empty: somebody "
        "else does.",
    )
    requested_by = models.ForeignKey(Principal, models.PROTECT, related_name="+")
    version = models.ForeignKey(
        Version,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="jobs",
        help_text="What an issuance made, or what a deployment or validation is about.",
    )
    csr_pem = models.TextField(blank=True)
    sealed_csr = SealedField(
        REQUEST,
        null=True,
        help_text="In its place, a CSR that holds a challenge: until it is signed or refused.",
    )
    key_fingerprint = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="SHA-256 of the SubjectPublicKeyInfo of its CSR; empty where it has none.",
    )
    csr_by = models.ForeignKey(
        Principal,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="CSR by",
        help_text="Who brought the CSR, where it was not who asked: it is their key that is "
        "certified. Also of a CSR that is used again.",
    )
    device = models.CharField(
        max_length=170,
        blank=True,
        editable=False,
        help_text="The device that enrolls, with its label; empty: somebody else asked.",
    )
    wants_approval = models.BooleanField(
        default=False,
        editable=False,
        help_text="It waits for approval whatever the profile says.",
    )
    encrypted_key = SealedField(SERVER_KEY, null=True)
    lifetime = models.DurationField(
        null=True, blank=True, help_text="Asked for; empty: the profile's longest."
    )
    # Why it is asked for: part of what is approved, and kept as it is by a trigger.
    justification = models.TextField(blank=True, editable=False)
    claim_number = models.PositiveIntegerField(
        default=0, editable=False, help_text="The fence: rises with every claim, never falls."
    )
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="Tries made. What was not begun, or goes on later, gives its try back."
    )
    max_attempts = models.PositiveSmallIntegerField(default=3)
    given_up = models.BooleanField(
        default=False,
        editable=False,
        help_text="It is not tried again: that cannot help, or newer work took its place.",
    )
    retry_delay = models.DurationField(default=timedelta(minutes=1))
    last_error = models.TextField(blank=True)
    error_code = models.CharField(
        max_length=64, blank=True, editable=False, help_text="The stable code of the last error."
    )
    order_number = models.PositiveIntegerField(
        default=0, editable=False, help_text="Orders before this one that came to nothing."
    )
    order_ref = models.TextField(
        "order reference",
        blank=True,
        editable=False,
        help_text="What the issuer calls the order, once that is known.",
    )
    ordered_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Since when the order may be at the issuer; empty: it is not, or none is needed.",
    )
    scheduled_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    waits_until = models.DateTimeField(
        null=True, blank=True, help_text="When waiting for a CSR or a decision is given up."
    )
    decided_by = models.ForeignKey(
        Principal, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.TextField(blank=True)
    approved_digest = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of exactly what was approved."
    )
    verification = models.CharField(max_length=8, choices=Verification, blank=True)
    verification_detail = models.TextField(blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="job_status_known"),
            # Three partial indexes rather than one with NULLS NOT DISTINCT, which SQLite lacks.
            models.UniqueConstraint(
                fields=["certificate"],
                condition=Q(status__in=OPEN, kind__in=("Issuance", "Renewal")),
                name="job_one_open_signing",
            ),
            models.UniqueConstraint(
                fields=["certificate", "kind", "target"],
                condition=Q(status__in=OPEN, target__isnull=False),
                name="job_one_open_at_target",
            ),
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(status__in=OPEN, kind="Revocation"),
                name="job_one_open_revocation",
            ),
        ]
        indexes = [
            models.Index(
                fields=["scheduled_at", "id"],
                condition=Q(status=Status.PENDING, agent__isnull=True),
                name="job_due",
            ),
            # An agent asks every few seconds, and has years of work behind it.
            models.Index(
                fields=["agent", "scheduled_at"],
                condition=Q(status__in=(Status.PENDING, Status.RUNNING), agent__isnull=False),
                name="job_carried",
            ),
            models.Index(
                fields=["csr_agent"],
                condition=Q(status__in=OPEN, csr_agent__isnull=False),
                name="job_brought",
            ),
            models.Index(
                fields=["scheduled_at"], condition=Q(status=Status.FAILED), name="job_failed"
            ),
            models.Index(
                fields=["lease_until"], condition=Q(status=Status.RUNNING), name="job_running"
            ),
            models.Index(
                fields=["key_fingerprint"],
                condition=Q(status__in=OPEN) & ~Q(key_fingerprint=""),
                name="job_open_key",
            ),
            models.Index(fields=["-created_at", "id"], name="job_newest"),
            models.Index(fields=["status", "-created_at"], name="job_status_newest"),
            # What ended of late, per day: counted without reading a row.
            models.Index(
                fields=["status", "completed_at", "kind"],
                condition=Q(completed_at__isnull=False),
                name="job_ended",
            ),
            models.Index(fields=["requested_by", "-created_at", "id"], name="job_asked_newest"),
        ]
        permissions = [
            ("decide_job", "Can approve and reject jobs"),
            ("cancel_job", "Can cancel jobs of others"),
        ]

    # What was seen when it was asked for, in memory alone: nobody could decide on it.
    lacks_decider: bool = False

    # The statuses that stamp `completed_at`; a retry takes the stamp away again.
    _ends: ClassVar = (Status.COMPLETED, Status.CANCELLED, Status.FAILED)
    # Those of them that no move leaves.
    _stays: ClassVar = (Status.COMPLETED, Status.CANCELLED)

    def __str__(self) -> str:
        return f"{self.kind} of {self.certificate}"

    def about(self) -> About:
        """Return what an event on this job is about."""
        return self.certificate.about()

    @property
    def csr(self) -> str:
        """The CSR as it was sent; "" where there is none, or it was not kept.

        Raises ConnectorError (permanent) where it cannot be decrypted.
        """
        if self.sealed_csr is None:
            return self.csr_pem
        try:
            return self.sealed_csr.open(REQUEST.of(self)).decode()
        except CannotDecrypt as error:
            raise ConnectorError(str(error), permanent=True) from error

    def seal_challenge(self) -> None:
        """Seal the CSR where it holds a challenge, in memory: before it is saved."""
        if has_challenge(self.csr_pem):
            self.sealed_csr = REQUEST.of(self).seal(self.csr_pem.encode())
            self.csr_pem = ""

    @property
    def order_key(self) -> str:
        """What we call the job's order at its issuer, the same until it came to nothing.

        Made of what was committed with the job, so it needs no write of its own.
        """
        return str(uuid.uuid5(self.pk, f"order {self.order_number}"))

    def close_order(self) -> None:
        """Have the next try place another order, in memory: this one came to nothing."""
        if self.ordered_at is not None:
            self.order_number += 1
            self.ordered_at, self.order_ref = None, ""

    def begin(self, status: Status, *, waits_until: datetime | None = None) -> None:
        """Set the status in which a new job starts, in memory; it must not be saved yet."""
        if not self._state.adding:
            raise ValueError("Only a new job begins; any other moves.")
        self.status = status
        self.waits_until = waits_until

    @property
    def will_be_retried(self) -> bool:
        """Whether it failed and another try is to come by itself."""
        is_spent = self.given_up or self.attempts >= self.max_attempts
        return self.status == Status.FAILED and not is_spent

    @property
    def is_rejected(self) -> bool:
        """Whether somebody who decides said no to it; over the wire it is Cancelled all the same.

        What was approved and then called off carries the digest of what was approved.
        """
        has_decision = self.decided_by_id is not None and not self.approved_digest
        return self.status == Status.CANCELLED and has_decision

    def allows(self, move: Move) -> bool:
        """Whether its status lets it make `move`; what failed for good has nothing to cancel."""
        if move is Move.CANCEL and self.status == Status.FAILED:
            return self.will_be_retried
        return self.status in move.sources

    def enter(self, move: Move) -> None:
        """Set the status that `move` leads to, in memory; raises InvalidMove."""
        if not self.allows(move):
            raise InvalidMove(self, move)
        if self.status == Status.RUNNING:
            self.lease_until = None
        self.status = move.target
        if move.target != Status.FAILED:
            self.error_code = ""
        if move.target in self._stays:
            self.sealed_csr = None
        if move.target in self._ends:
            self.completed_at = timezone.now()
        elif move is Move.RETRY:
            self.completed_at, self.given_up = None, False

    def take(self, actor: Principal, *, now: datetime, lease: timedelta) -> Entry:
        """Have `actor` claim it for `lease` from `now`, in memory; return what the trail says."""
        self.claim_number += 1
        self.attempts += 1
        self.started_at, self.lease_until = now, now + lease
        self.enter(Move.CLAIM)
        facts = {"attempt": self.attempts, "claim": self.claim_number}
        return Entry(actor, "job.claim", self, facts)

    def move(self, move: Move, *, actor: Principal, **why: Any) -> None:
        """Make the move, save what else was set on the job, and write the audit event.

        Nothing else writes `status`. The caller holds the row's lock.
        """
        before = self.status
        self.enter(move)
        update(self)
        record(
            actor=actor,
            action=f"job.{move.name.lower()}",
            subject=self,
            before=before,
            after=self.status,
            **why,
        )
        for tell in _AFTER_MOVE:
            tell(self, move, actor)

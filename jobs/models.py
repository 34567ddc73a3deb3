"""Jobs: work on certificates, with the one write to their status."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from audit.about import About
from audit.services import Entry, record, record_many
from certificates.models import Certificate, Version
from deployments.models import Agent, Target
from foundation.errors import Conflict
from jobs.states import OPEN, Move, Status
from owners.models import Principal


class InvalidMove(Conflict):
    """The job's status does not allow the move."""

    code = "invalid_move"

    def __init__(self, job: "Job", move: Move) -> None:
        super().__init__(f"A job that is {job.status} cannot {move.words}.")


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs as the sweeps and the deciders look for them."""

    def lock(self, pk: uuid.UUID) -> "Job":
        """Return the bare row, locked; raises Job.DoesNotExist."""
        return self.select_for_update(no_key=True).get(pk=pk)

    def due(self, now: datetime) -> Self:
        """Pending jobs of the server whose time has come, the longest waiting first.

        What an agent must do is filtered out here, not skipped after a claim.
        """
        return self.filter(
            status=Status.PENDING, agent__isnull=True, scheduled_at__lte=now
        ).order_by("scheduled_at", "pk")

    def held(self, job: "Job") -> "Job | None":
        """Return `job` locked, or None where its worker lost it to a later attempt."""
        # The attempt number fences off a worker that outlived its lease.
        return (
            self.select_for_update(no_key=True)
            .filter(pk=job.pk, status=Status.RUNNING, attempts=job.attempts)
            .first()
        )

    def waiting(self, now: datetime) -> Self:
        """Jobs whose wait for a CSR or for a decision is over, the longest first."""
        return self.filter(
            status__in=(Status.AWAITING_CSR, Status.AWAITING_APPROVAL), waits_until__lte=now
        ).order_by("waits_until", "pk")

    def abandoned(self, now: datetime) -> Self:
        """Running jobs whose lease is over: their worker died or hangs."""
        return self.filter(status=Status.RUNNING, lease_until__lt=now).order_by("lease_until", "pk")

    def retryable(self, now: datetime) -> Self:
        """Failed jobs that have tries left and whose next time has come."""
        return self.filter(
            status=Status.FAILED, attempts__lt=F("max_attempts"), scheduled_at__lte=now
        ).order_by("scheduled_at", "pk")

    def open(self) -> Self:
        """Jobs that are not over."""
        return self.filter(status__in=OPEN)

    def extend(self, jobs: "Sequence[Job]", *, lease: timedelta) -> "set[uuid.UUID]":
        """Have the claims on `jobs` last `lease` from now; return the keys of those still held.

        What was cancelled, or reaped and claimed by somebody else, is not touched.
        """
        if not jobs:
            return set()
        mine = Q()
        for job in jobs:
            mine |= Q(pk=job.pk, attempts=job.attempts)
        held = self.filter(mine, status=Status.RUNNING)
        if held.update(lease_until=timezone.now() + lease) == len(jobs):
            return {job.pk for job in jobs}
        return set(held.values_list("pk", flat=True))

    def claim(self, *, limit: int, lease: timedelta, actor: Principal) -> "list[Job]":
        """Take up to `limit` due jobs and mark them Running; may return none.

        Rows that another worker is taking are skipped, so workers never wait for each other.
        """
        now = timezone.now()
        with transaction.atomic():
            jobs = list(self.due(now).select_for_update(skip_locked=True, no_key=True)[:limit])
            for job in jobs:
                job.attempts += 1
                job.started_at = now
                job.lease_until = now + lease
                job.enter(Move.CLAIM)
            if jobs:
                self.model.objects.bulk_update(
                    jobs, ["status", "attempts", "started_at", "lease_until"]
                )
                # One query for the names that the events carry; names decide nothing.
                models.prefetch_related_objects(jobs, "certificate")
                record_many(
                    Entry(actor, "job.claim", job, {"attempt": job.attempts}) for job in jobs
                )
        return jobs


class Job(models.Model):
    """One piece of work on a certificate, from the asking to the end."""

    class Kind(models.TextChoices):
        """What is to be done; the values are API."""

        ISSUANCE = "Issuance"
        RENEWAL = "Renewal"
        DEPLOYMENT = "Deployment"
        VALIDATION = "Validation"
        REVOCATION = "Revocation"

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
    agent = models.ForeignKey(Agent, models.PROTECT, null=True, blank=True, related_name="jobs")
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
    csr_by = models.ForeignKey(
        Principal,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="CSR by",
        help_text="Who gave the CSR that the job waited for: it is their key that gets certified.",
    )
    encrypted_key = models.BinaryField(null=True, editable=False)
    lifetime = models.DurationField(
        null=True, blank=True, help_text="Asked for; empty: the profile's longest."
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    retry_delay = models.DurationField(default=timedelta(minutes=1))
    last_error = models.TextField(blank=True)
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
            models.Index(
                fields=["scheduled_at"], condition=Q(status=Status.FAILED), name="job_failed"
            ),
            models.Index(
                fields=["lease_until"], condition=Q(status=Status.RUNNING), name="job_running"
            ),
            models.Index(fields=["-created_at", "id"], name="job_newest"),
            models.Index(fields=["status", "-created_at"], name="job_status_newest"),
        ]
        permissions = [
            ("decide_job", "Can approve and reject jobs"),
            ("cancel_job", "Can cancel jobs of others"),
        ]

    # The statuses that stamp `completed_at`; a retry takes the stamp away again.
    _ends: ClassVar = (Status.COMPLETED, Status.CANCELLED, Status.FAILED)

    def __str__(self) -> str:
        return f"{self.kind} of {self.certificate}"

    def about(self) -> About:
        """Return what an event on this job is about."""
        return self.certificate.about()

    def begin(self, status: Status, *, waits_until: datetime | None = None) -> None:
        """Set the status in which a new job starts, in memory; it must not be saved yet."""
        if not self._state.adding:
            raise ValueError("Only a new job begins; any other moves.")
        self.status = status
        self.waits_until = waits_until

    def enter(self, move: Move) -> None:
        """Set the status that `move` leads to, in memory; raises InvalidMove."""
        if self.status not in move.sources:
            raise InvalidMove(self, move)
        if self.status == Status.RUNNING:
            self.lease_until = None
        self.status = move.target
        if move.target in self._ends:
            self.completed_at = timezone.now()
        elif move is Move.RETRY:
            self.completed_at = None

    def move(self, move: Move, *, actor: Principal, **why: Any) -> None:
        """Make the move, save what else was set on the job, and write the audit event.

        Nothing else writes `status`. The caller holds the row's lock.
        """
        before = self.status
        self.enter(move)
        self.save()
        record(
            actor=actor,
            action=f"job.{move.name.lower()}",
            subject=self,
            before=before,
            after=self.status,
            **why,
        )


class IdempotencyRecord(models.Model):
    """What was answered to a request that carried an Idempotency-Key, to answer it again."""

    principal = models.ForeignKey(Principal, models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    request_digest = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["principal", "key"], name="jobs_idempotency_key_once")
        ]

    def __str__(self) -> str:
        return self.key

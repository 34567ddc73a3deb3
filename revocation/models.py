"""Plans of bulk revocation, and the versions that each is about."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from audit.about import About
from audit.services import record
from certificates.models import Reason, Version
from certificates.policy import COMPROMISES
from foundation.errors import Conflict
from jobs.models import Job
from owners.models import Principal
from revocation.states import ENDED, Move, Outcome, Replacement, Status, Unproven

# A worker that is silent for so long has lost its plan; a wave takes a second or two.
LEASE = timedelta(seconds=60)
# What may be a megabyte, and no wave asks for.
_LONG = ("criteria", "preview")
MAX_WAVE = 5000
MAX_PAUSE = 86_400  # seconds


class InvalidPlanMove(Conflict):
    """The plan is not in a status from which this can happen."""

    code = "invalid_move"

    def __init__(self, plan: "Plan", move: Move) -> None:
        super().__init__(f"A plan that is {plan.status} cannot {move.words}.")


class PlanQuerySet(models.QuerySet["Plan"]):
    """Plans as services look for them."""

    def lock(self, pk: uuid.UUID) -> "Plan":
        """Return the plan with its row locked; raises Plan.DoesNotExist."""
        return self.select_for_update(no_key=True).get(pk=pk)

    def due(self, now: datetime) -> Self:
        """Running plans with something to do that no worker has, the longest waiting first."""
        return self.filter(
            Q(lease_until__isnull=True) | Q(lease_until__lt=now),
            status=Status.RUNNING,
            next_at__lte=now,
        ).order_by("next_at", "pk")

    def claim(self, *, lease: timedelta, now: datetime) -> "Plan | None":
        """Take one due plan and return it, or None; what others are taking is skipped."""
        rows = self.due(now).defer(*_LONG)
        plan = rows.select_for_update(skip_locked=True, no_key=True).first()
        if plan is not None:
            plan.claim_number += 1
            plan.lease_until = now + lease
            plan.started_at = plan.started_at or now
            plan.save(update_fields=["claim_number", "lease_until", "started_at"])
        return plan

    def held(self, plan: "Plan") -> "Plan | None":
        """Return `plan` locked, if it still runs under the claim it was read with; else None.

        The fence: the claim's number only ever rises, so a worker that outlived its lease, or
        whose plan was paused or stopped meanwhile, is told from the one that has it now.
        """
        return (
            self.select_for_update(no_key=True)
            .defer(*_LONG)
            .filter(pk=plan.pk, status=Status.RUNNING, claim_number=plan.claim_number)
            .first()
        )

    def counting(self, since: datetime) -> Self:
        """Plans that may count, or come to count, in what one person revokes since then.

        One that has not ended counts whenever it was confirmed: paused, or waiting for
        replacements, it has all of its revocations before it.
        """
        late = Q(confirmed_at__gt=since) | Q(ended_at__gt=since)
        return self.filter(~Q(status__in=ENDED) | late).order_by("pk")

    def unseen(self) -> Self:
        """Those that one administrator carried out at once, and no second one has looked at."""
        return self.filter(
            reason__in=COMPROMISES, is_alone=True, drill=False, looked_at__isnull=True
        ).order_by("-confirmed_at")


class Plan(models.Model):
    """A set of versions that is to be revoked, frozen under an id and a hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(
        max_length=12, choices=Status, default=Status.PREVIEWED, editable=False
    )
    criteria = models.JSONField(help_text="Every one of them was met.")
    reason = models.CharField(max_length=24, choices=Reason, default=Reason.UNSPECIFIED)
    note = models.TextField(blank=True)
    drill = models.BooleanField(
        default=False, help_text="A rehearsal: it goes the whole way and revokes nothing."
    )
    wave_size = models.PositiveIntegerField(default=1000, help_text="Versions at a time.")
    pause_seconds = models.PositiveIntegerField(default=0, help_text="Between two waves.")
    replace_first = models.BooleanField(
        default=False, help_text="Revoke only what has a replacement with a new key in its place."
    )
    replace_by = models.DateTimeField(
        null=True, blank=True, help_text="Until then replacements are waited for."
    )
    unproven = models.CharField(
        max_length=6, choices=Unproven, blank=True, help_text="What then happens to the others."
    )
    digest = models.CharField(
        max_length=64, editable=False, help_text="SHA-256 of the ids of its versions, in order."
    )
    count = models.PositiveIntegerField(default=0, editable=False)
    preview = models.JSONField(default=dict, editable=False)
    made_by = models.ForeignKey(Principal, models.PROTECT, related_name="+", editable=False)
    made_key_by = models.ForeignKey(
        Principal,
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        help_text="Who made the API key that it was made with, if a person did.",
    )
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(
        editable=False, help_text="Unconfirmed until then, it changes nothing any more."
    )
    confirmed_by = models.ForeignKey(
        Principal, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    confirmed_key_by = models.ForeignKey(
        Principal, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_alone = models.BooleanField(
        default=False, editable=False, help_text="Whoever made it confirmed it, nobody else."
    )
    looked_by = models.ForeignKey(
        Principal, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)
    claim_number = models.PositiveIntegerField(
        default=0, editable=False, help_text="The fence: rises with every claim, never falls."
    )
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    next_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When there is something to do again."
    )
    waves = models.PositiveIntegerField(default=0, editable=False)
    revoked = models.PositiveIntegerField(default=0, editable=False)
    already_revoked = models.PositiveIntegerField(default=0, editable=False)
    failed = models.PositiveIntegerField(default=0, editable=False)
    left = models.PositiveIntegerField(default=0, editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at", "pk"]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="plan_status_known"),
            models.CheckConstraint(condition=Q(reason__in=Reason.values), name="plan_reason_known"),
            models.CheckConstraint(
                condition=Q(replace_first=False)
                | Q(replace_by__isnull=False, unproven__in=Unproven.values),
                name="plan_replaces_until",
            ),
            models.CheckConstraint(
                condition=Q(status__in=(Status.PREVIEWED, Status.STOPPED, Status.EXPIRED))
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="plan_runs_confirmed",
            ),
        ]
        indexes = [
            models.Index(fields=["-made_at", "id"], name="plan_newest"),
            models.Index(
                fields=["next_at", "id"], condition=Q(status=Status.RUNNING), name="plan_due"
            ),
            models.Index(
                fields=["expires_at"], condition=Q(status=Status.PREVIEWED), name="plan_expires"
            ),
            models.Index(fields=["confirmed_at"], name="plan_confirmed"),
        ]

    def __str__(self) -> str:
        kind = "Drill" if self.drill else "Revocation"
        return f"{kind} of {self.count} ({self.reason}), {str(self.pk)[:8]}"

    def about(self) -> About:
        """Return what an event on this plan is about: nobody's alone."""
        return About()

    @property
    def done(self) -> int:
        """How many versions have an outcome."""
        return self.revoked + self.already_revoked + self.failed + self.left

    @property
    def pending(self) -> int:
        """How many versions have no outcome yet."""
        return self.count - self.done

    @property
    def is_compromise(self) -> bool:
        """Whether it must not wait for anybody."""
        return self.reason in COMPROMISES

    @property
    def needs_look(self) -> bool:
        """Whether one administrator carried it out at once, and no second one has looked yet."""
        return self.is_compromise and self.is_alone and not self.drill and self.looked_at is None

    def draw_out(self, now: datetime) -> None:
        """Have the claim last anew from now; the caller holds the row's lock."""
        self.lease_until = now + LEASE
        self.save(update_fields=["lease_until"])

    def enter(self, move: Move) -> None:
        """Set the status that `move` leads to, in memory; raises InvalidPlanMove."""
        if self.status not in move.sources:
            raise InvalidPlanMove(self, move)
        self.status = move.target

    def move(self, move: Move, *, actor: Principal, at: datetime, **why: Any) -> None:
        """Make the move, save the plan, and write the audit event.

        Nothing else writes `status`. The caller holds the row's lock.
        """
        before = self.status
        self.enter(move)
        self.lease_until = None
        if move.target in (Status.STOPPED, Status.COMPLETED, Status.EXPIRED):
            self.ended_at, self.next_at = at, None
        self.save()
        record(
            actor=actor,
            action=f"revocation_plan.{move.name.lower()}",
            subject=self,
            before=before,
            after=self.status,
            plan=self.digest,
            **why,
        )


class ItemQuerySet(models.QuerySet["Item"]):
    """The versions of plans as services look for them."""

    def pending(self) -> Self:
        """Those that nothing has become of yet, in the plan's order."""
        return self.filter(outcome="").order_by("position")


class Item(models.Model):
    """One version of a plan, and what became of it."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="items")
    version = models.ForeignKey(Version, models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    code = models.CharField(max_length=64, blank=True)
    detail = models.TextField(blank=True)
    at = models.DateTimeField(null=True, blank=True)
    wave = models.PositiveIntegerField(null=True, blank=True)
    replacement = models.CharField(max_length=8, choices=Replacement, blank=True)
    replacement_detail = models.TextField(blank=True)
    replacement_job = models.ForeignKey(
        Job, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = ItemQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["plan", "position"], name="plan_item_place"),
            models.UniqueConstraint(fields=["plan", "version"], name="plan_item_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=("", *Outcome.values)), name="plan_item_outcome_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["plan", "position"], condition=Q(outcome=""), name="plan_item_pending"
            ),
            models.Index(fields=["plan", "outcome", "position"], name="plan_item_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.outcome or 'pending'}"

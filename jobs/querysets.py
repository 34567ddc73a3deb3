"""Jobs as the sweeps, the workers and the deciders look for them, and take them."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.db import models, transaction
from django.db.models import F, Q

from audit.services import record, record_many
from foundation.clock import database_clock
from foundation.statements import Given, Rows, locked
from issuers.connectors.base import OrderUnanswered
from jobs.states import OPEN, Status
from owners.models import Principal

if TYPE_CHECKING:
    from deployments.models import Agent
    from jobs.models import Job

_TRIED_AGAIN = Q(status=Status.FAILED, given_up=False, attempts__lt=F("max_attempts"))
# As jobs.models.Job.is_rejected has it.
REJECTED = Q(status=Status.CANCELLED, decided_by__isnull=False, approved_digest="")


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs as the sweeps and the deciders look for them."""

    def lock(self, pk: uuid.UUID) -> "Job":
        """Return the bare row, locked; raises Job.DoesNotExist."""
        return locked(self.model, pk)

    def due(self, now: datetime) -> Self:
        """Pending jobs of the server whose time has come, the longest waiting first.

        What an agent must do is filtered out here, not skipped after a claim.
        """
        return self.filter(
            status=Status.PENDING, agent__isnull=True, scheduled_at__lte=now
        ).order_by("scheduled_at", "pk")

    def of_agent(self, agent: "Agent", now: datetime) -> Self:
        """Jobs that are `agent`'s to do now, that it does, or whose key it made and that go on.

        The longest waiting first. What another agent has is none of its.
        """
        carries = Q(agent=agent) & (
            Q(status=Status.RUNNING) | Q(status=Status.PENDING, scheduled_at__lte=now)
        )
        brings = Q(csr_agent=agent, status__in=OPEN)
        return self.filter(carries | brings).order_by("scheduled_at", "pk")

    def claimed(self, job: "Job") -> Self:
        """`job`, if it still runs under the claim that `job` was read with; else nothing.

        The fence: the claim's number only ever rises, so a worker that outlived its lease, or
        that never learnt that its job went back, is told from the one that has it now.
        """
        return self.filter(pk=job.pk, status=Status.RUNNING, claim_number=job.claim_number)

    def held(self, job: "Job") -> "Job | None":
        """Return `job` locked, or None where its worker lost it."""
        return _HELD.first(pk=job.pk, claim=job.claim_number)

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
        return self.filter(_TRIED_AGAIN, scheduled_at__lte=now).order_by("scheduled_at", "pk")

    def open(self) -> Self:
        """Jobs that are not over."""
        return self.filter(status__in=OPEN)

    def rejected(self) -> Self:
        """Jobs to which somebody who decides said no."""
        return self.filter(REJECTED)

    def under_way(self) -> Self:
        """Jobs that are open, or failed and to be tried again."""
        return self.filter(Q(status__in=OPEN) | _TRIED_AGAIN)

    def extend(self, jobs: "Sequence[Job]", *, lease: timedelta) -> "set[uuid.UUID]":
        """Have the claims on `jobs` last `lease` from now; return the keys of those still held.

        What was cancelled, or reaped and claimed by somebody else, is not touched.
        """
        if not jobs:
            return set()
        mine = Q()
        for job in jobs:
            mine |= Q(pk=job.pk, claim_number=job.claim_number)
        held = self.filter(mine, status=Status.RUNNING)
        if held.update(lease_until=database_clock.now() + lease) == len(jobs):
            return {job.pk for job in jobs}
        return set(held.values_list("pk", flat=True))

    def claim(
        self, *, limit: int, lease: timedelta, actor: Principal, early: timedelta = timedelta(0)
    ) -> "list[Job]":
        """Take up to `limit` due jobs and mark them Running; may return none.

        Rows that another worker is taking are skipped, so workers never wait for each other. Of
        the jobs that this queryset is narrowed to, where it is; `early` takes what falls due so
        soon too.
        """
        now = database_clock.now()
        with transaction.atomic():
            jobs = list(
                self.due(now + early).select_for_update(skip_locked=True, no_key=True)[:limit]
            )
            entries = [job.take(actor, now=now, lease=lease) for job in jobs]
            if jobs:
                self.model.objects.bulk_update(
                    jobs, ["status", "claim_number", "attempts", "started_at", "lease_until"]
                )
                # One query for the names that the events carry; names decide nothing.
                models.prefetch_related_objects(jobs, "certificate")
                record_many(entries)
        return jobs

    def order(self, job: "Job", *, lease: timedelta, actor: Principal) -> bool:
        """Commit that the order of `job` may be at its issuer from now on; False where it is lost.

        To be called right before the call. The claim lasts `lease` from now, so whoever looks for
        the order later does so when the call has long ended.
        """
        now = database_clock.now()
        with transaction.atomic():
            if not self.claimed(job).update(ordered_at=now, order_ref="", lease_until=now + lease):
                return False
            record(actor=actor, action="job.order", subject=job, order_key=job.order_key)
        job.ordered_at, job.order_ref = now, ""
        return True

    def with_open_order(self) -> Self:
        """Failed jobs whose order an issuer may still carry out, or has.

        Only a person can tell what became of it; what would order the same anew must not.
        """
        return self.filter(status=Status.FAILED, ordered_at__isnull=False).exclude(
            error_code=OrderUnanswered.code
        )


def _held() -> Any:
    # The fence is `claimed`, as everywhere; the values are given when it is asked.
    job: Any = apps.get_model("jobs", "Job")
    ours = job(pk=Given("pk", job), claim_number=Given("claim", models.IntegerField()))
    return job.objects.claimed(ours).select_for_update(no_key=True).order_by()


_HELD: "Rows[Job]" = Rows(_held)

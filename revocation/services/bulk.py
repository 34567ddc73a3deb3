"""Many at once, answered at once where they are few enough: a plan is made and carried out."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from django.db import transaction

from audit.services import record
from audit.use_cases import use_case
from certificates.models import Reason
from certificates.policy import PlanChanged
from foundation.clock import database_clock
from owners.models import Principal
from revocation import policy, queue
from revocation.models import LEASE, Item, Plan
from revocation.services import deciding, plans, waves
from revocation.services.criteria import brief

AT_MOST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class OutcomeOf:
    """What became of one version: "revoked", "already_revoked" or "failed"."""

    version: UUID
    certificate: UUID
    name: str
    serial: str
    outcome: Literal["revoked", "already_revoked", "failed"]
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of each version of the plan."""

    plan: str
    outcomes: list[OutcomeOf] = field(default_factory=list)
    dry_run: bool = field(default=False, init=False)

    def count(self, outcome: str) -> int:
        """How many versions ended so."""
        return sum(one.outcome == outcome for one in self.outcomes)

    @property
    def total(self) -> int:
        """How many versions the plan had."""
        return len(self.outcomes)

    @property
    def revoked(self) -> int:
        """How many are revoked now."""
        return self.count("revoked")

    @property
    def already_revoked(self) -> int:
        """How many were revoked meanwhile."""
        return self.count("already_revoked")

    @property
    def failed(self) -> int:
        """How many could not be revoked."""
        return self.count("failed")


@use_case("certificate.bulk_revoke", atomic=False)
def bulk_revoke(
    *,
    criteria: Mapping[str, Any],
    actor: Principal,
    reason: str = Reason.UNSPECIFIED,
    note: str = "",
    plan: str | None = None,
) -> Plan:
    """Make a plan of every valid version that meets all criteria, and carry it out here and now.

    Up to MOST_AT_ONCE, where its maker may confirm it; more is the worker's, and what is more than
    one administrator's waits, Previewed, for a second. With the `plan` (digest) of a preview
    nothing happens unless the set is still the same (PlanChanged). Raises MissingPermission,
    InvalidCriteria, InvalidRevocation.
    """
    with transaction.atomic():
        made = plans.freeze(actor=actor, criteria=criteria, reason=reason, note=note, drill=False)
        if plan is not None and plan != made.digest:
            raise PlanChanged
    is_few = made.count <= policy.MOST_AT_ONCE
    with transaction.atomic():
        made = _confirmed(made, actor, is_taken=is_few)
        record(
            actor=actor,
            action="certificate.bulk_revoke",
            criteria=brief(criteria),
            reason=str(reason),
            note=note,
            count=made.count,
            plan=made.digest,
            plan_id=str(made.pk),
            status=made.status,
        )
    if made.confirmed_by is not None and is_few:
        ends = time.monotonic() + AT_MOST.total_seconds()
        waves.run_claimed(made, actor=actor, ends=ends, decider=actor)
    return Plan.objects.get(pk=made.pk)


def _confirmed(made: Plan, actor: Principal, *, is_taken: bool) -> Plan:
    """Confirm the plan, for this caller to carry out where `is_taken`; else see who does."""
    try:
        with transaction.atomic():
            made = deciding.confirm(made.pk, actor, made.digest)
    except policy.SecondNeeded:
        return made
    if not is_taken:
        transaction.on_commit(queue.nudge)
        return made
    now = database_clock.now()
    made.claim_number += 1
    made.started_at, made.lease_until = now, now + LEASE
    made.save(update_fields=["claim_number", "started_at", "lease_until"])
    return made


def result_of(plan: Plan) -> BulkResult:
    """Return what became of each version of a plan, in its order."""
    items = Item.objects.filter(plan=plan).exclude(outcome="").order_by("position")
    rows: Any = items.values_list(
        "version",
        "version__certificate",
        "version__certificate__name",
        "version__serial",
        "outcome",
        "code",
        "detail",
    )
    return BulkResult(plan.digest, [OutcomeOf(*row) for row in rows])

"""Hold a plan, let it go on, end it: by any administrator, whoever made it."""

from uuid import UUID

from django.db import transaction

import owners.policy
from audit.use_cases import use_case
from foundation.clock import database_clock
from foundation.preconditions import as_expected
from owners.models import Principal
from revocation import policy, queue
from revocation.models import Plan
from revocation.states import Move


@use_case("revocation_plan.pause", on=Plan)
def pause_plan(*, plan_id: UUID, actor: Principal, note: str = "") -> Plan:
    """Begin no further wave until somebody resumes; raises MissingPermission, InvalidPlanMove.

    A wave that is under way is waited for: it is one transaction.
    """
    return _move(plan_id, actor, Move.PAUSE, note)


@use_case("revocation_plan.resume", on=Plan)
def resume_plan(*, plan_id: UUID, actor: Principal, note: str = "") -> Plan:
    """Go on where it was paused; raises MissingPermission, InvalidPlanMove."""
    plan = _move(plan_id, actor, Move.RESUME, note)
    transaction.on_commit(queue.nudge)
    return plan


@use_case("revocation_plan.stop", on=Plan)
def stop_plan(*, plan_id: UUID, actor: Principal, note: str = "") -> Plan:
    """End a plan for good; what is revoked stays so. Raises MissingPermission, InvalidPlanMove."""
    return _move(plan_id, actor, Move.STOP, note)


def _move(plan_id: UUID, actor: Principal, move: Move, note: str) -> Plan:
    plan = as_expected(actor, Plan.objects.lock(plan_id))
    owners.policy.hold(owners=[], teams=[], people=[actor.pk])
    policy.check_may_bulk_revoke(owners.policy.afresh(actor))
    now = database_clock.now()
    if move is Move.RESUME:
        plan.next_at = now
    plan.move(move, actor=actor, at=now, pending=plan.pending, note=note)
    return plan

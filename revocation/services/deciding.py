"""Confirm a plan, and look at what was carried out on one administrator's word.

What decides is read under locks that hold until the commit: the plan, all plans that count within
the window (so that two which one person confirms at once see each other), and everybody concerned.
"""

from uuid import UUID

from django.db import models, transaction

import owners.policy
from audit.services import record
from audit.use_cases import use_case
from certificates.policy import PlanChanged
from foundation.clock import database_clock
from foundation.errors import FieldError
from foundation.preconditions import as_expected
from owners.models import Principal
from revocation import policy, queue
from revocation.models import InvalidPlanMove, Item, Plan
from revocation.services import plans as plans_
from revocation.services import preview
from revocation.services.criteria import InvalidCriteria
from revocation.states import Move

NAMED = 5  # of what changed


@use_case("revocation_plan.confirm", on=Plan)
def confirm_plan(*, plan_id: UUID, actor: Principal, digest: str) -> Plan:
    """Have a plan carried out: by its maker, or a second administrator where it is large.

    For a compromise its maker is enough; `look_at_plan` then waits for a second person. Raises
    MissingPermission, InvalidPlanMove, WrongDigest, PlanExpired, PlanChanged, SecondNeeded,
    SubscriberWithdraws.
    """
    plan = confirm(plan_id, actor, digest)
    transaction.on_commit(queue.nudge)
    return plan


def confirm(plan_id: UUID, actor: Principal, digest: str) -> Plan:
    """Do what `confirm_plan` does in the caller's transaction and act, without the hint."""
    now = database_clock.now()
    plans = _lock_with_counting(plan_id)
    plan = as_expected(actor, next(one for one in plans if one.pk == plan_id))
    actor, key_by = _hold(plans, actor)
    policy.check_may_bulk_revoke(actor)
    if plan.status not in Move.CONFIRM.sources:
        raise InvalidPlanMove(plan, Move.CONFIRM)
    if digest != plan.digest:
        raise policy.WrongDigest
    policy.check_fresh(plan, now)
    plan.is_alone = policy.made_by(plan, actor, key_by)
    already = policy.spent(actor, key_by, plans)
    if plan.is_alone:
        policy.check_alone(plan, already)
    _check_unchanged(plan)
    ids = Item.objects.filter(plan=plan).values_list("version", flat=True)
    plans_.check_may_say(actor, list(ids), plan.reason)
    plan.confirmed_by, plan.confirmed_key_by, plan.confirmed_at = actor, key_by, now
    plan.next_at = now
    plan.move(
        Move.CONFIRM,
        actor=actor,
        at=now,
        count=plan.count,
        reason=plan.reason,
        drill=plan.drill,
        made_by=plan.made_by.get_username(),
        alone=plan.is_alone,
        already_alone=already,
        **({"waits_for_a_second_look": True} if plan.needs_look else {}),
    )
    return plan


@use_case("revocation_plan.look", on=Plan)
def look_at_plan(*, plan_id: UUID, actor: Principal, note: str = "") -> Plan:
    """Say that a second administrator has looked at what one carried out at once.

    Raises MissingPermission, NothingToLookAt, SelfLook.
    """
    plan = as_expected(actor, Plan.objects.lock(plan_id))
    actor, key_by = _hold([plan], actor)
    policy.check_may_bulk_revoke(actor)
    if not plan.needs_look or plan.confirmed_by is None:
        raise policy.NothingToLookAt
    if policy.made_by(plan, actor, key_by) or policy.is_one_person(
        actor, key_by, plan.confirmed_by, plan.confirmed_key_by
    ):
        raise policy.SelfLook
    plan.looked_by, plan.looked_at = actor, database_clock.now()
    plan.save(update_fields=["looked_by", "looked_at"])
    record(
        actor=actor,
        action="revocation_plan.look",
        subject=plan,
        plan=plan.digest,
        confirmed_by=plan.confirmed_by.get_username(),
        note=note,
    )
    return plan


def _lock_with_counting(plan_id: UUID) -> list[Plan]:
    """Lock the plan and all that count beside it, by id; raises Plan.DoesNotExist.

    Each is committed before it is confirmed, so whoever comes second here sees the first.
    """
    since = database_clock.now() - policy.WINDOW
    counting = Plan.objects.counting(since) | Plan.objects.filter(pk=plan_id)
    plans = list(counting.order_by("pk").select_for_update(no_key=True))
    if all(one.pk != plan_id for one in plans):
        raise Plan.DoesNotExist
    return plans


def _hold(plans: list[Plan], actor: Principal) -> tuple[Principal, Principal | None]:
    """Hold everybody concerned as they are; return the actor afresh, and who made their key."""
    key_by = policy.key_maker(actor)
    people = [actor.pk, key_by.pk if key_by else None]
    for plan in plans:
        people += [
            plan.made_by_id,
            plan.made_key_by_id,
            plan.confirmed_by_id,
            plan.confirmed_key_by_id,
        ]
    owners.policy.hold(owners=[], teams=[], people=people)
    models.prefetch_related_objects(
        plans, "made_by", "made_key_by", "confirmed_by", "confirmed_key_by"
    )
    fresh = owners.policy.afresh(actor)
    return fresh, policy.key_maker(fresh)


def _check_unchanged(plan: Plan) -> None:
    """Raise PlanChanged, saying what is new and what is gone, where the set is another one."""
    try:
        ids = preview.selected(plan.criteria, database_clock.now())
    except InvalidCriteria as error:
        raise PlanChanged(f"The criteria do not mean what they meant: {error.detail}") from None
    if preview.digest_of(ids) == plan.digest:
        return
    kept = list(Item.objects.filter(plan=plan).values_list("version", flat=True))
    added, removed = preview.difference(ids, kept)
    errors = [
        FieldError(name, name, f"{len(names)}: {', '.join(names[:NAMED])}")
        for name, names in (("added", added), ("removed", removed))
        if names
    ]
    words = "; ".join(f"{one['field']} {one['detail']}" for one in errors)
    raise PlanChanged(f"{PlanChanged.message} Since then {words}. Make a new plan.", errors=errors)

"""Make a plan: who is hit is looked at and frozen, and nothing is revoked yet."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.services import record
from audit.use_cases import use_case
from certificates.models import Reason, Version
from certificates.policy import check_may_say_of_all
from foundation.clock import database_clock
from owners.models import Principal
from revocation import policy
from revocation.models import Item, Plan
from revocation.services import preview
from revocation.services.criteria import brief
from revocation.states import Move, Replacement

DEFAULT_WAVE = 1000
_BATCH = 5000  # rows of one insert
MAX_NOTE = 2000


@use_case("revocation_plan.create")
def create_plan(  # noqa: PLR0913 - keyword-only, one argument a column
    *,
    actor: Principal,
    criteria: Mapping[str, Any],
    reason: str = Reason.UNSPECIFIED,
    note: str = "",
    wave_size: int = DEFAULT_WAVE,
    pause_seconds: int = 0,
    drill: bool = False,
    replace_first: bool = False,
    replace_by: datetime | None = None,
    unproven: str = "",
) -> Plan:
    """Keep a preview as a plan, frozen; raises InvalidCriteria, InvalidPlan, InvalidRevocation.

    It is confirmed within CERTCTL_BULK_PLAN_HOURS, or changes nothing. Raises MissingPermission,
    and SubscriberWithdraws where `reason` is not for `actor` to give.
    """
    return freeze(
        actor=actor,
        criteria=criteria,
        reason=reason,
        note=note,
        wave_size=wave_size,
        pause_seconds=pause_seconds,
        drill=drill,
        replace_first=replace_first,
        replace_by=replace_by,
        unproven=unproven,
    )


def freeze(
    *,
    actor: Principal,
    criteria: Mapping[str, Any],
    reason: str,
    note: str = "",
    **said: Any,
) -> Plan:
    """Do what `create_plan` does in the caller's transaction and act."""
    policy.check_may_bulk_revoke(actor)
    now = database_clock.now()
    said = {
        "wave_size": DEFAULT_WAVE,
        "pause_seconds": 0,
        "replace_first": False,
        "replace_by": None,
        "unproven": "",
        **said,
    }
    shape = {name: value for name, value in said.items() if name != "drill"}
    policy.check_says(reason=reason, now=now, **shape)
    ids, counted = preview.facts(criteria, reason, now)
    check_may_say(actor, ids, reason)
    plan = Plan.objects.create(
        criteria=_plain(criteria),
        reason=reason,
        note=note,
        digest=preview.digest_of(ids),
        count=len(ids),
        preview=counted,
        made_by=actor,
        made_key_by=policy.key_maker(actor),
        made_at=now,
        expires_at=_expires_at(now, said["replace_by"]),
        **said,
    )
    replacement = Replacement.WANTED if plan.replace_first else ""
    for start in range(0, len(ids), _BATCH):
        Item.objects.bulk_create(
            Item(plan=plan, version_id=pk, position=position, replacement=replacement)
            for position, pk in enumerate(ids[start : start + _BATCH], start)
        )
    record(
        actor=actor,
        action="revocation_plan.create",
        subject=plan,
        criteria=brief(criteria),
        reason=str(reason),
        note=note,
        count=plan.count,
        plan=plan.digest,
        drill=plan.drill,
        replace_first=plan.replace_first,
    )
    return plan


def check_may_say(actor: Principal, ids: Sequence[UUID], reason: str) -> None:
    """Raise SubscriberWithdraws where `reason` is not for `actor` to say of one of the versions.

    Under no lock of those who answer for them: each wave asks again under theirs.
    """
    for start in range(0, len(ids), _BATCH):
        rows = Version.objects.filter(pk__in=ids[start : start + _BATCH])
        check_may_say_of_all(actor, rows, Reason(reason))


def _expires_at(now: datetime, replace_by: datetime | None) -> datetime:
    """Return until when a plan is to be confirmed: beyond its deadline there is no replacing first.

    It would revoke, or leave, everything at once, and nobody would have been waited for.
    """
    ends = now + settings.BULK_PLAN_LIFETIME
    return ends if replace_by is None else min(ends, replace_by)


def expire_plans(*, actor: Principal) -> int:
    """End the plans that nobody confirmed in time; return how many."""
    now = database_clock.now()
    old = Plan.objects.filter(status=Move.EXPIRE.sources[0], expires_at__lte=now)
    ended = 0
    for pk in old.order_by("expires_at").values_list("pk", flat=True)[:_BATCH]:
        with transaction.atomic():
            rows = old.filter(pk=pk).select_for_update(skip_locked=True, no_key=True)
            for plan in rows:
                plan.move(Move.EXPIRE, actor=actor, at=now)
                ended += 1
    return ended


def _plain(criteria: Mapping[str, Any]) -> dict[str, Any]:
    """Return the criteria as JSON keeps them, so that they mean the same when read back."""
    return {name: _json(value) for name, value in criteria.items()}


def _json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _json(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_json(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, bool | int | None) else str(value)

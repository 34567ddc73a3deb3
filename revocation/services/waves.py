"""Carry plans out, wave by wave; a wave is one transaction, behind the fence of the plan's claim.

A wave that fails is done again one by one, so that a row which cannot be revoked costs only
itself. A worker that is killed leaves a wave done or not begun; when its lease is over another one
goes on. What `certificates.services.revoke_many` leaves over, each by itself, goes by `revoke`.
A drill does the very same, and every wave of it is taken back.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

import certificates.queue
import certificates.services
from audit.services import gathered, record
from audit.use_cases import record_refused
from certificates import policy
from certificates.models import Version
from foundation.clock import database_clock
from foundation.errors import CertctlError
from foundation.outcomes import is_away
from owners.models import Principal
from revocation.models import LEASE, Item, Plan
from revocation.services import replacing
from revocation.states import Move, Outcome

logger = logging.getLogger(__name__)

BUDGET = timedelta(seconds=50)
LOOK_AGAIN = timedelta(seconds=15)  # for replacements that are under way
_FAILED_HERE = "Something went wrong on our side."


class ClaimLost(Exception):
    """The plan is another worker's, paused or ended: what is under way must not go on."""


def run_plans(*, actor: Principal, budget: timedelta = BUDGET) -> int:
    """Carry out what is due until nothing is left or `budget` is spent; return how many waves."""
    ends = time.monotonic() + budget.total_seconds()
    waves = 0
    while time.monotonic() < ends:
        with transaction.atomic():
            plan = Plan.objects.claim(lease=LEASE, now=database_clock.now())
        if plan is None:
            break
        waves += run_claimed(plan, actor=actor, ends=ends)
    return waves


def run_claimed(
    plan: Plan, *, actor: Principal, ends: float, decider: Principal | None = None
) -> int:
    """Carry out a plan that was claimed until it waits, has ended, is lost, or time is up.

    `actor` is the worker; the revocations are those of whoever confirmed, the `decider`, who is
    named where they are here themselves. Returns how many waves.
    """
    waves = 0
    decider = decider or plan.confirmed_by
    assert decider is not None  # noqa: S101 - a constraint says so of what runs
    try:
        while time.monotonic() < ends:
            if replacing.tend(plan):
                continue
            items = _next(plan, actor)
            if not items:
                return waves
            _wave(plan, items, actor, decider)
            waves += 1
            if plan.pause_seconds:
                _release(plan, timedelta(seconds=plan.pause_seconds))
                return waves
    except ClaimLost:
        return waves
    except BaseException:
        # The database is away, or the worker is told to stop: another one need not wait.
        _release(plan, LOOK_AGAIN, quietly=True)
        raise
    _release(plan, timedelta(0))
    return waves


def _next(plan: Plan, actor: Principal) -> Sequence[Item]:
    """Return the next wave's versions; where there are none, the plan waits or has ended."""
    with transaction.atomic():
        held = _held(plan)
        now = database_clock.now()
        if replacing.leaves_unproven(held, now):
            replacing.leave_unproven(held, now)
        ripe = list(replacing.ripe(held, now)[: held.wave_size])
        items = replacing.still_ripe(held, ripe, now)
        if items:
            held.save(update_fields=["left"])
            held.draw_out(now)
        elif held.pending:
            held.lease_until, held.next_at = None, now + LOOK_AGAIN
            held.save(update_fields=["lease_until", "next_at", "left"])
        else:
            held.move(Move.COMPLETE, actor=actor, at=now, **_totals(held))
    return items


def _wave(plan: Plan, items: Sequence[Item], actor: Principal, decider: Principal) -> None:
    """Revoke the versions of `items`, and have the CRLs that this changes published."""
    rest = list(items)
    touched: set[UUID] = set()
    try:
        done = _together(plan, items, actor, decider)
        rest = [item for item in items if item.version_id not in done]
        touched |= _issuers(done)
    except ClaimLost:
        raise
    except Exception as error:
        if is_away(error):
            raise
        logger.exception("a wave of %s failed, and is done one by one", plan.pk)
        _begin_wave(plan)
    alone: set[UUID] = set()
    try:
        for item in rest:
            # Kept as it goes: the claim may be lost, or the database, before the last of them.
            if _alone(plan, item, decider):
                alone.add(item.version_id)
    finally:
        # One hint an issuer at the wave's end, also after something unforeseen.
        _publish(plan, touched, alone)


def _publish(plan: Plan, touched: set[UUID], alone: set[UUID]) -> None:
    if plan.drill:
        return
    for issuer_id in touched:
        certificates.queue.publish_crl(issuer_id)
    for issuer_id in _issuers(alone) - touched:
        certificates.queue.publish_crl(issuer_id)


def _begin_wave(plan: Plan) -> None:
    """Count a wave whose versions are done one by one: they are told of under its number."""
    with transaction.atomic():
        held = _held(plan)
        held.waves += 1
        _save(held, database_clock.now())


def _together(plan: Plan, items: Sequence[Item], actor: Principal, decider: Principal) -> set[UUID]:
    """Revoke what is ordinary, in one transaction with one step of the chain; return the ids."""
    with transaction.atomic(), gathered():
        held = _held(plan)
        with _rehearsed(held):
            done = certificates.services.revoke_many(
                version_ids=[item.version_id for item in items],
                actor=decider,
                reason=held.reason,
                note=held.note,
            )
        held.waves += 1
        now = database_clock.now()
        mine = [item.pk for item in items if item.version_id in done]
        Item.objects.filter(pk__in=mine).update(outcome=Outcome.REVOKED, at=now, wave=held.waves)
        held.revoked += len(mine)
        _save(held, now)
        record(
            actor=actor,
            action="revocation_plan.wave",
            subject=held,
            wave=held.waves,
            of=len(items),
            revoked=len(mine),
            apart=len(items) - len(mine),
            drill=held.drill,
        )
    plan.waves = held.waves
    return done


def _alone(plan: Plan, item: Item, decider: Principal) -> bool:
    """Revoke one version by itself; return whether it is revoked now. Its refusal is recorded."""
    try:
        with transaction.atomic():
            held = _held(plan)
            with _rehearsed(held):
                certificates.services.revoke(
                    version_id=item.version_id,
                    actor=decider,
                    reason=held.reason,
                    note=held.note,
                    publish=False,
                )
            _settle(held, item, Outcome.REVOKED, "", "")
    except ClaimLost:
        raise
    except Exception as error:
        if is_away(error):
            raise
        if not plan.drill:
            record_refused(error)
        with transaction.atomic():
            _settle(_held(plan), item, *_meaning(item, error))
        return False
    return True


def _meaning(item: Item, error: Exception) -> tuple[Outcome, str, str]:
    match error:
        case policy.NotByName():
            return Outcome.FAILED, "revoked_alone", policy.NotByName.message
        case policy.AlreadyRevoked():
            return Outcome.ALREADY_REVOKED, error.code, error.detail
        case CertctlError():
            return Outcome.FAILED, error.code, error.detail
    # Whatever is wrong with this one, the others must still be revoked.
    logger.error("version %s could not be revoked", item.version_id, exc_info=error)
    return Outcome.FAILED, "internal_error", _FAILED_HERE


def _settle(held: Plan, item: Item, outcome: Outcome, code: str, detail: str) -> None:
    now = database_clock.now()
    Item.objects.filter(pk=item.pk).update(
        outcome=outcome, code=code, detail=detail, at=now, wave=held.waves
    )
    setattr(held, outcome.value, getattr(held, outcome.value) + 1)
    _save(held, now)


def _save(held: Plan, now: datetime) -> None:
    held.lease_until = now + LEASE
    held.save(
        update_fields=["waves", "revoked", "already_revoked", "failed", "left", "lease_until"]
    )


def _held(plan: Plan) -> Plan:
    held = Plan.objects.held(plan)
    if held is None:
        raise ClaimLost
    return held


@contextmanager
def _rehearsed(held: Plan) -> Iterator[None]:
    """Take back what is done in the block where the plan is a drill."""
    with transaction.atomic():
        yield
        if held.drill:
            transaction.set_rollback(True)


def _issuers(version_ids: set[UUID]) -> set[UUID]:
    if not version_ids:
        return set()
    rows = Version.objects.filter(pk__in=version_ids, issuer__isnull=False).order_by()
    return set(rows.values_list("issuer", flat=True).distinct())


def _totals(held: Plan) -> dict[str, int | bool]:
    return {
        "waves": held.waves,
        "revoked": held.revoked,
        "already_revoked": held.already_revoked,
        "failed": held.failed,
        "left": held.left,
        "drill": held.drill,
    }


def _release(plan: Plan, wait: timedelta, *, quietly: bool = False) -> None:
    """Give the plan back, to be gone on with after `wait`, if it is still this claim's."""

    def give_back() -> None:
        with transaction.atomic():
            held = Plan.objects.held(plan)
            if held is not None:
                held.lease_until, held.next_at = None, database_clock.now() + wait
                held.save(update_fields=["lease_until", "next_at"])

    if not quietly:
        give_back()
        return
    _try(give_back)


def _try(act: Callable[[], None]) -> None:
    try:
        act()
    except Exception:
        # A database that is gone too must not hide why we stop; the lease ends it.
        logger.exception("a plan could not be given back")

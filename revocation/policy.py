"""Who may confirm a plan, and what a plan may say: plain predicates that fail closed.

A plan that is larger than CERTCTL_BULK_REVOKE_LIMIT, counted with what the same person revoked in
bulk within a day on nobody else's word, is confirmed by a second administrator: another person
than who made it, under any alias. A compromise waits for nobody.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from certificates.models import Reason
from certificates.policy import COMPROMISES, check_reason
from foundation.errors import Conflict, FieldError, Invalid, MissingPermission, NotPermitted
from owners.models import ApiKey, Principal
from revocation.models import MAX_PAUSE, MAX_WAVE, Plan
from revocation.states import ENDED, Status, Unproven

BULK_REVOKE = "certificates.bulk_revoke"
WINDOW = timedelta(hours=24)
MOST_AT_ONCE = 500  # carried out inside one request, whatever the limit is
LONGEST_WAIT = timedelta(days=90)
_NEVER_REPLACED = "What is compromised is revoked at once: its replacement is not waited for."


class InvalidPlan(Invalid):
    """The plan says something that it may not say."""

    code = "invalid_plan"
    message = "The plan is not valid."


class PlanExpired(Conflict):
    """The plan was looked at too long ago, or its maker may not revoke in bulk any more."""

    code = "plan_expired"
    message = "The plan was not confirmed in time: it changes nothing any more. Make a new one."


class WrongDigest(Conflict):
    """What is confirmed is not what was looked at."""

    code = "wrong_digest"
    message = "This is not the digest of the plan: look at the plan again."


class SecondNeeded(NotPermitted):
    """Separation of duties: nobody revokes so many on their own word."""

    code = "second_administrator"
    message = "A second administrator must confirm this."


class SelfLook(NotPermitted):
    """Separation of duties: whoever made or confirmed a plan is no second look at it."""

    code = "self_look"
    message = "You made or confirmed this plan, so somebody else must look at it."


class NothingToLookAt(Conflict):
    """The plan was not carried out on one administrator's word, or somebody has looked."""

    code = "nothing_to_look_at"
    message = "This plan waits for nobody's look."


def may_bulk_revoke(actor: Principal) -> bool:
    """Whether `actor` may revoke many at once; the system decides nothing."""
    return actor.is_active and actor.kind != Principal.Kind.SYSTEM and actor.has_perm(BULK_REVOKE)


def check_may_bulk_revoke(actor: Principal) -> None:
    """Raise MissingPermission where `actor` may not revoke many at once."""
    if not may_bulk_revoke(actor):
        raise MissingPermission(f"This needs the permission {BULK_REVOKE}.")


def key_maker(actor: Principal) -> Principal | None:
    """Return who made the API key that `actor` came with, and so may hold it; None: no person."""
    if not actor.via.api_key:
        return None
    keys = ApiKey.objects.filter(principal=actor, name=actor.via.api_key)
    key = keys.select_related("created_by").first()
    maker = key.created_by if key is not None else None
    return None if maker is None or maker.kind == Principal.Kind.SYSTEM else maker


def is_one_person(
    one: Principal, one_key_by: Principal | None, other: Principal, other_key_by: Principal | None
) -> bool:
    """Whether two who acted may be one person: as a row, by address, or by a key that they made."""
    return (
        one.is_same_person(other)
        or (one_key_by is not None and one_key_by.is_same_person(other))
        or (other_key_by is not None and one.is_same_person(other_key_by))
    )


def made_by(plan: Plan, actor: Principal, actor_key_by: Principal | None) -> bool:
    """Whether `actor` may be the person who made the plan."""
    return is_one_person(actor, actor_key_by, plan.made_by, plan.made_key_by)


def spent(actor: Principal, key_by: Principal | None, plans: Iterable[Plan]) -> int:
    """Return how many versions this person revoked in bulk on nobody else's word, of `plans`.

    A plan that ended counts with what it revoked, one that runs with all that it is about.
    """
    return sum(
        plan.revoked if plan.status in ENDED else plan.count
        for plan in plans
        if plan.is_alone
        and not plan.drill
        and plan.confirmed_by is not None
        and is_one_person(actor, key_by, plan.confirmed_by, plan.confirmed_key_by)
    )


def check_alone(plan: Plan, already: int) -> None:
    """Raise SecondNeeded where its maker may not confirm `plan`, `already` being `spent`."""
    limit = settings.BULK_REVOKE_LIMIT
    if plan.is_compromise or plan.count + already <= limit:
        return
    before = f" with {already} within the last 24 hours" if already else ""
    raise SecondNeeded(
        f"{plan.count} versions{before} are more than the {limit} that one administrator revokes "
        "alone: a second administrator must confirm the plan."
    )


def check_fresh(plan: Plan, now: datetime) -> None:
    """Raise PlanExpired where `plan` waited too long, or its maker may not revoke any more."""
    if plan.status == Status.PREVIEWED and plan.expires_at <= now:
        raise PlanExpired
    if not may_bulk_revoke(plan.made_by):
        raise PlanExpired(f"{plan.made_by}, who made the plan, may not revoke in bulk any more.")


def check_says(  # noqa: PLR0913 - keyword-only, one argument a fact
    *,
    reason: str,
    wave_size: int,
    pause_seconds: int,
    replace_first: bool,
    replace_by: datetime | None,
    unproven: str,
    now: datetime,
) -> Reason:
    """Return the reason, or raise InvalidPlan, InvalidRevocation naming what is wrong."""
    known = check_reason(reason)
    errors = []
    if not 1 <= wave_size <= MAX_WAVE:
        errors.append(FieldError("wave_size", "invalid", f"A wave has 1 to {MAX_WAVE} versions."))
    if not 0 <= pause_seconds <= MAX_PAUSE:
        words = f"A pause has 0 to {MAX_PAUSE} seconds."
        errors.append(FieldError("pause_seconds", "invalid", words))
    if replace_first:
        errors.extend(_wrong_replacing(known, replace_by, unproven, now))
    elif replace_by is not None or unproven:
        words = "This is for a plan that replaces first."
        field = "replace_by" if replace_by is not None else "unproven"
        errors.append(FieldError(field, "not_replacing", words))
    if errors:
        raise InvalidPlan(errors[0]["detail"], errors=errors)
    return known


def _wrong_replacing(
    reason: Reason, replace_by: datetime | None, unproven: str, now: datetime
) -> Iterable[FieldError]:
    if reason in COMPROMISES:
        yield FieldError("replace_first", "compromise", _NEVER_REPLACED)
    if replace_by is None:
        yield FieldError("replace_by", "required", "Say until when replacements are waited for.")
    elif not now < replace_by <= now + LONGEST_WAIT:
        words = f"It must lie in the future, within {LONGEST_WAIT.days} days."
        yield FieldError("replace_by", "invalid", words)
    if unproven not in Unproven.values:
        words = "Say what then happens to what is not replaced: revoke or leave."
        yield FieldError("unproven", "required", words)

"""Renewal policies: made, changed and deleted, with before and after on record."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from audit.changes import changed, gone, made
from audit.services import lock_to_delete, record
from audit.use_cases import use_case
from certificates.models import RenewalPolicy
from foundation.errors import Conflict, FieldError, Invalid
from foundation.preconditions import as_expected
from owners.models import Principal

FIELDS = (
    "name",
    "auto_renew",
    "window",
    "reuse_key",
    "max_attempts",
    "retry_delay",
    "alert_days",
)
MAX_WINDOW = timedelta(days=365)
# The sweep comes every minute, and the work takes its time too.
MIN_WINDOW = timedelta(minutes=2)
MAX_DELAY = timedelta(days=1)
MAX_ATTEMPTS = 20
MAX_ALERT_DAYS = 3650


class PolicyInUse(Conflict):
    """Certificates are renewed by it."""

    code = "in_use"
    message = "Certificates still use this renewal policy."


@use_case("renewalpolicy.create")
def create_policy(*, actor: Principal, **fields: Any) -> RenewalPolicy:
    """Make a renewal policy."""
    policy = RenewalPolicy(**fields)
    _check(policy)
    policy.save(force_insert=True)
    done = made(policy, FIELDS)
    record(actor=actor, action="renewalpolicy.create", subject=policy, changes=done)
    return policy


@use_case("renewalpolicy.update", on=RenewalPolicy, by="policy_id")
def update_policy(
    *, policy_id: UUID, actor: Principal, changes: Mapping[str, Any]
) -> RenewalPolicy:
    """Change a renewal policy; what it says of each certificate follows with the next sweep."""
    row = RenewalPolicy.objects.select_for_update(no_key=True).get(pk=policy_id)
    policy = as_expected(actor, row)
    done = changed(policy, changes, FIELDS)
    _check(policy)
    if done:
        policy.save(update_fields=list(done))
        record(actor=actor, action="renewalpolicy.update", subject=policy, changes=done)
    return policy


@use_case("renewalpolicy.delete", on=RenewalPolicy, by="policy_id")
def delete_policy(*, policy_id: UUID, actor: Principal) -> None:
    """Delete a renewal policy that no certificate uses; raises PolicyInUse, Busy."""
    policy = as_expected(actor, lock_to_delete(RenewalPolicy.objects.all(), policy_id))
    if policy.certificates.exists():
        raise PolicyInUse
    done = gone(policy, FIELDS)
    record(actor=actor, action="renewalpolicy.delete", subject=policy, changes=done)
    policy.delete()


def _check(policy: RenewalPolicy) -> None:
    wrong = []
    if not MIN_WINDOW <= policy.window <= MAX_WINDOW:
        wrong.append(FieldError("window", "out_of_range", "Two minutes up to 365 days."))
    if not 1 <= policy.max_attempts <= MAX_ATTEMPTS:
        wrong.append(FieldError("max_attempts", "out_of_range", f"1 to {MAX_ATTEMPTS}."))
    if not timedelta(0) < policy.retry_delay <= MAX_DELAY:
        wrong.append(FieldError("retry_delay", "out_of_range", "More than nothing, up to a day."))
    if not _are_days(policy.alert_days):
        wrong.append(FieldError("alert_days", "invalid", "A list of whole days, as [30, 14, 7]."))
    if wrong:
        raise Invalid("The renewal policy is not valid.", errors=wrong)


def _are_days(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(day, int) and not isinstance(day, bool) and 0 <= day <= MAX_ALERT_DAYS
        for day in value
    )

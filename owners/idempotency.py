"""Answers kept by Idempotency-Key: on this floor, since from here on there is what can be made."""

from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from foundation.answers import Answer
from foundation.errors import Conflict
from owners.models import IdempotencyRecord, Principal

KEPT = timedelta(hours=24)


class IdempotencyKeyReused(Conflict):
    """The key was used for another request."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for another request; use a new one."


@transaction.atomic
def once(
    *,
    actor: Principal,
    key: str,
    request_digest: str,
    work: Callable[[], Answer],
    earlier_digest: str = "",
) -> Answer:
    """Do `work`, or give the answer that it had under the same key within the last 24 hours.

    The row comes first and shares the transaction of the work: a duplicate that arrives meanwhile
    waits for it in the unique index and then replays, and work that fails leaves no row, so that
    its key can be used again. `earlier_digest` is the request's as an earlier release kept it.
    Raises IdempotencyKeyReused.
    """
    old = IdempotencyRecord.objects.filter(principal=actor, key=key)
    old.filter(created_at__lte=timezone.now() - KEPT).delete()
    record = IdempotencyRecord(principal=actor, key=key, request_digest=request_digest)
    try:
        with transaction.atomic():
            record.save(force_insert=True)
    except IntegrityError:
        return _replay(old.get(), {request_digest, earlier_digest})
    answer = work()
    record.status_code, record.body = answer.status, answer.body
    record.save(update_fields=["status_code", "body"])
    return answer


def drop_old_idempotency_records() -> int:
    """Forget answers older than 24 hours; return how many."""
    count, _ = IdempotencyRecord.objects.filter(created_at__lte=timezone.now() - KEPT).delete()
    return count


def _replay(record: IdempotencyRecord, digests: set[str]) -> Answer:
    if record.request_digest not in digests:
        raise IdempotencyKeyReused
    # Only committed rows can be seen, and those have their answer.
    assert record.status_code is not None  # noqa: S101
    return Answer(record.status_code, record.body, replayed=True)

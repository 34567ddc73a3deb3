"""Idempotency-Key: the same request again gets the same answer again, and makes no second job."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from foundation.errors import Conflict
from jobs.models import IdempotencyRecord
from owners.models import Principal

logger = logging.getLogger(__name__)

KEPT = timedelta(hours=24)


class IdempotencyKeyReused(Conflict):
    """The key was used for another request."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for another request; use a new one."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered: HTTP status and JSON body, and whether it is an old answer."""

    status: int
    body: Any
    replayed: bool = False


@transaction.atomic
def once(*, actor: Principal, key: str, request_digest: str, work: Callable[[], Answer]) -> Answer:
    """Do `work`, or give the answer that it had under the same key within the last 24 hours.

    The row comes first and shares the transaction of the work: a duplicate that arrives meanwhile
    waits for it in the unique index and then replays, and work that fails leaves no row, so that
    its key can be used again. Raises IdempotencyKeyReused.
    """
    old = IdempotencyRecord.objects.filter(principal=actor, key=key)
    old.filter(created_at__lte=timezone.now() - KEPT).delete()
    record = IdempotencyRecord(principal=actor, key=key, request_digest=request_digest)
    try:
        with transaction.atomic():
            record.save(force_insert=True)
    except IntegrityError:
        return _replay(old.get(), request_digest)
    answer = work()
    record.status_code, record.body = answer.status, answer.body
    record.save(update_fields=["status_code", "body"])
    return answer


def drop_old_idempotency_records() -> int:
    """Forget answers older than 24 hours; return how many."""
    count, _ = IdempotencyRecord.objects.filter(created_at__lte=timezone.now() - KEPT).delete()
    return count


def _replay(record: IdempotencyRecord, request_digest: str) -> Answer:
    if record.request_digest != request_digest:
        raise IdempotencyKeyReused
    # Only committed rows can be seen, and those have their answer.
    assert record.status_code is not None  # noqa: S101
    return Answer(record.status_code, record.body, replayed=True)

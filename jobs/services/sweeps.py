"""What time does to jobs: tries again, gives up, reaps.

Each sweep takes its rows one by one, each in a transaction of its own and each skipped where
somebody else is at it, so any number may overlap. A row that cannot be handled is logged and
pushed forward: it neither stops the sweep nor stands at its head the next time.
"""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from audit.services import record
from audit.use_cases import use_case
from deployments.models import Agent
from foundation.clock import database_clock
from foundation.errors import ConnectorError
from foundation.preconditions import as_expected
from jobs import policy, queue
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.querysets import JobQuerySet
from jobs.services import opening, settle
from jobs.services.common import call_off, has_successor, lock_certificate
from jobs.states import Move, Status
from owners.models import Principal

logger = logging.getLogger(__name__)

BATCH = 500
PUSHED = timedelta(minutes=10)


def fail_abandoned(*, actor: Principal) -> int:
    """Fail the running jobs whose lease is over; return how many.

    Their next try is at once: the lease was wait enough. The attempt counts, so a job that kills
    its workers ends.
    """
    now = database_clock.now()
    return _each(
        Job.objects.abandoned(now),
        lambda job: _reap(job, actor),
        lambda: {"lease_until": database_clock.now() + PUSHED},
    )


def retry_failed(*, actor: Principal) -> int:
    """Put failed jobs that have tries left, and whose time has come, back in the queue."""
    count = _each(
        Job.objects.retryable(database_clock.now()),
        lambda job: _retry(job, actor),
        lambda: {"scheduled_at": database_clock.now() + PUSHED},
    )
    if count:
        queue.nudge()
    return count


def time_out_waiting(*, actor: Principal) -> int:
    """Cancel jobs that waited too long for a CSR or for a decision; return how many."""
    return _each(
        Job.objects.waiting(database_clock.now()),
        lambda job: _time_out(job, actor),
        lambda: {"waits_until": database_clock.now() + PUSHED},
    )


def end_work_of_retired(*, actor: Principal) -> int:
    """Cancel what an agent was to do that is retired; return how many.

    Retiring ends what it sees. Work that follows from a job which was done at that very moment is
    not among it, and nobody else would ever take it.
    """
    retired = Agent.objects.filter(retired_at__isnull=False)
    return _each(
        Job.objects.under_way().filter(Q(agent__in=retired) | Q(csr_agent__in=retired)),
        lambda job: _end(job, actor),
        lambda: {"scheduled_at": database_clock.now() + PUSHED},
    )


@use_case("job.retry", on=Job)
def retry_job(*, job_id: uuid.UUID, actor: Principal) -> Job:
    """Have a failed job tried again now, once more if its tries are spent.

    Raises InvalidMove, DuplicateJob (newer work took its place).
    """
    job = as_expected(actor, Job.objects.lock(job_id))
    lock_certificate(job)
    policy.check_state(job, Move.RETRY)
    if has_successor(job):
        raise opening.DuplicateJob("Newer work has taken the place of this job.")
    job.max_attempts = max(job.max_attempts, job.attempts + 1)
    job.scheduled_at = database_clock.now()
    _back_to_work(job, actor)
    transaction.on_commit(queue.nudge)
    return job


def _each(
    rows: JobQuerySet, handle: Callable[[Job], bool], forward: Callable[[], dict[str, datetime]]
) -> int:
    done = 0
    keys = list(rows.values_list("pk", flat=True)[:BATCH])
    for key in keys:
        try:
            with transaction.atomic():
                # The condition again, on the locked row: it may be done, or moved, meanwhile.
                job = rows.filter(pk=key).select_for_update(skip_locked=True, no_key=True).first()
                if job is not None and handle(job):
                    done += 1
        except Exception:
            logger.exception("job %s could not be handled and is pushed forward", key)
            _push(key, forward())
    return done


def _push(key: uuid.UUID, values: dict[str, datetime]) -> None:
    try:
        Job.objects.filter(pk=key).update(**values)
    except Exception:
        logger.exception("job %s could not be pushed forward", key)


def _reap(job: Job, actor: Principal) -> bool:
    error = ConnectorError("The worker did not finish in time.", permanent=False)
    return settle.fail_job(job=job, actor=actor, error=error, retry_at_once=True)


def _retry(job: Job, actor: Principal) -> bool:
    lock_certificate(job)
    if has_successor(job):
        # Newer work took its place; this one has nothing left to do.
        Job.objects.filter(pk=job.pk).update(given_up=True)
        record(actor=actor, action="job.give_up", subject=job, why="newer work took its place")
        return False
    _back_to_work(job, actor)
    return True


def _back_to_work(job: Job, actor: Principal) -> None:
    job.move(Move.RETRY, actor=actor, attempt=job.attempts)
    kind_of(job).resume(job.certificate)


def _end(job: Job, actor: Principal) -> bool:
    lock_certificate(job)
    why = "The agent that was to do it is retired."
    call_off(job, actor=actor, why=why, reason=why)
    return True


def _time_out(job: Job, actor: Principal) -> bool:
    lock_certificate(job)
    waited_for = "a CSR" if job.status == Status.AWAITING_CSR else "a decision"
    job.last_error = f"Nobody gave it {waited_for} in time."
    job.waits_until = None
    job.move(Move.TIME_OUT, actor=actor, reason=job.last_error)
    kind_of(job).restore(job, actor)
    return True

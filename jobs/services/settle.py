"""What a worker writes after its work, always behind the fence: complete, park, fail, release.

The fence is `Job.objects.held`: a job that was cancelled, or whose lease was reaped, is nobody's
any more, and then nothing at all is written.
"""

import logging
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction

from audit.services import gathered
from foundation.clock import database_clock
from foundation.errors import CertctlError
from issuers.services import Waiting
from jobs import queue
from jobs.kinds import kind_of
from jobs.kinds.base import Follow, Kept
from jobs.models import Job
from jobs.services import opening
from jobs.services.common import lock_certificate
from jobs.states import Move
from owners.models import Principal

logger = logging.getLogger(__name__)

MAX_DELAY = timedelta(hours=6)


@transaction.atomic
@gathered()
def complete(*, job: Job, result: Any, actor: Principal) -> Job | None:
    """Keep what the work gave, and ask for what follows from it; None when fenced off.

    A result may be a failure too: a validation that saw another certificate.
    """
    held = _held(job)
    if held is None:
        return None
    kind = kind_of(held)
    held.version = job.version
    # What is replaced must be locked before the certificate.
    overtaken = kind.overtakes(held)
    lock_certificate(held)
    kept = kind.keep(held, result, actor)
    if kept.failure is not None:
        _fail(held, actor, kept.failure)
        return held
    finish(held, kept, actor, overtaken=overtaken)
    return held


def finish(job: Job, kept: Kept, actor: Principal, *, overtaken: Sequence[Job] = ()) -> None:
    """Complete a job that runs with what was kept of its work, in the caller's transaction."""
    job.last_error = ""
    job.move(Move.COMPLETE, actor=actor, **kept.facts)
    for old in overtaken:
        old.last_error = f"Version {kept.facts['version']} came before it."
        old.waits_until = None
        old.move(Move.CANCEL, actor=actor, reason=old.last_error)
    _follow(job, kept.follows, actor)


@transaction.atomic
def park(*, job: Job, waiting: Waiting, actor: Principal) -> bool:
    """Put a job aside whose issuer has the order and has not answered; False when fenced off.

    What the issuer calls the order is committed with it, and the try is given back.
    """
    held = _held(job)
    if held is None:
        return False
    held.attempts -= 1
    held.order_ref = waiting.ref
    held.scheduled_at = waiting.until
    held.last_error = waiting.why
    held.move(
        Move.PARK, actor=actor, order=waiting.ref, until=waiting.until.isoformat(), why=waiting.why
    )
    return True


@transaction.atomic
def fail_job(*, job: Job, actor: Principal, error: Exception, retry_at_once: bool = False) -> bool:
    """Record that the work failed, and when it is tried again; False when fenced off.

    An error that says that trying again cannot help gives the job up. When no try is left, the
    certificate gets back the status that it had, or becomes Failed if it never had a version.
    """
    held = _held(job)
    if held is None:
        return False
    lock_certificate(held)
    _fail(held, actor, error, retry_at_once=retry_at_once)
    return True


def release(*, jobs: Sequence[Job], actor: Principal) -> int:
    """Put claimed jobs that were not begun back in the queue; return how many were still held."""
    released = 0
    for job in jobs:
        with transaction.atomic():
            held = _held(job)
            if held is None:
                continue
            # Nothing was tried.
            held.attempts -= 1
            held.started_at = None
            held.move(Move.RELEASE, actor=actor)
            released += 1
    return released


def delay_after(job: Job) -> timedelta:
    """Return how long to wait after the failed attempt: doubling, capped, plus up to a quarter.

    The jitter is only ever added, so that a thousand jobs which failed together come back apart
    and none of them early.
    """
    doubled: timedelta = min(job.retry_delay * 2 ** min(max(job.attempts - 1, 0), 16), MAX_DELAY)
    jitter: timedelta = doubled * (secrets.randbelow(251) / 1000)
    return doubled + jitter


def _held(job: Job) -> Job | None:
    held = Job.objects.held(job)
    if held is None:
        logger.warning(
            "job %s is no longer ours (claim %s): its result is dropped", job.pk, job.claim_number
        )
    return held


def _fail(held: Job, actor: Principal, error: Exception, *, retry_at_once: bool = False) -> None:
    kind = kind_of(held)
    held.last_error = _words(error)
    held.error_code = error.code if isinstance(error, CertctlError) else "internal_error"
    kind.failed(held, error)
    # What certctl itself says - the input is wrong, the state does not allow it - stays so.
    permanent = isinstance(error, CertctlError) and getattr(error, "permanent", True)
    spent = permanent or held.attempts >= held.max_attempts
    held.given_up = permanent
    if not spent:
        wait = timedelta(0) if retry_at_once else delay_after(held)
        held.scheduled_at = database_clock.now() + wait
    held.move(
        Move.FAIL,
        actor=actor,
        error=held.last_error,
        code=held.error_code,
        attempt=held.attempts,
        retry_at=None if spent else held.scheduled_at.isoformat(),
    )
    if spent:
        kind.restore(held, actor)
        _follow(held, kind.instead(held), actor)


def _follow(held: Job, follows: Sequence[Follow], actor: Principal) -> None:
    for follow in follows:
        opening.follow_up(held, follow, actor)
    if follows:
        transaction.on_commit(queue.nudge)


def _words(error: Exception) -> str:
    if isinstance(error, CertctlError):
        fields = "; ".join(f"{e['field']}: {e['detail']}" for e in error.errors)
        return f"{error.detail} {fields}".strip()
    # Whatever an unforeseen exception says may hold what nobody should read; the log has it.
    return f"Unexpected error ({type(error).__name__}); the log says more."

"""The worker's loop: claim a batch, do each job, settle it.

Connectors are called with no transaction open. Whatever is written afterwards is written by
jobs.services under the fence (`Job.objects.held`), so a worker that lost its claim - the lease
was over, the job was cancelled - writes nothing.

A batch is small and its lease is drawn out whenever another of its jobs begins, so a lease only
has to outlast one signature; a job that may take longer gets more when it begins. Where the
worker is told to stop, what it had claimed but not begun goes back at once; where it is killed,
the reaper finds it when the lease is over.
"""

import logging
import time
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from foundation.errors import ConnectorError
from issuers.services import Waiting
from jobs import approvals, services
from jobs.kinds import kind_of
from jobs.kinds.base import Skipped
from jobs.models import Job
from owners.models import Principal

logger = logging.getLogger(__name__)

BUDGET = timedelta(seconds=50)


def run_pending(*, budget: timedelta = BUDGET) -> int:
    """Claim and run what is due until nothing is left or `budget` is spent; return how many."""
    system = Principal.objects.system()
    ends = time.monotonic() + budget.total_seconds()
    done = 0
    while time.monotonic() < ends:
        batch = Job.objects.claim(limit=settings.JOB_BATCH, lease=settings.JOB_LEASE, actor=system)
        if not batch:
            break
        done += _run_batch(batch, system, ends)
    return done


def run_at_once(job_id: UUID) -> None:
    """Do one job here and now if nobody has it; what became of it stands in its row.

    One that workers leave alone for a head start is this caller's. For a door whose caller waits
    for the answer. Not for an issuer that is called over a network: nobody keeps a web server's
    thread waiting for that.
    """
    system = Principal.objects.system()
    mine = Job.objects.filter(pk=job_id)
    # One job whose lease has just begun: there is nothing to draw out, and none to put back.
    for job in mine.claim(
        limit=1, lease=settings.JOB_LEASE, actor=system, early=services.HEAD_START
    ):
        if _begins(job, system):
            run(job, actor=system)


def _run_batch(batch: list[Job], actor: Principal, ends: float) -> int:
    waiting = list(batch)
    done = 0
    try:
        while waiting and time.monotonic() < ends:
            held = Job.objects.extend(waiting, lease=settings.JOB_LEASE)
            job = waiting.pop(0)
            if job.pk in held and _begins(job, actor):
                run(job, actor=actor)
                done += 1
    finally:
        # Out of time, or told to stop (SystemExit): what was not begun need not wait for the lease.
        _release(waiting, actor)
    return done


def _release(jobs: list[Job], actor: Principal) -> None:
    try:
        services.release(jobs=jobs, actor=actor)
    except Exception:
        # A database that is gone too must not hide why we stop; the lease ends them.
        logger.exception("%s jobs could not be put back", len(jobs))


def _begins(job: Job, actor: Principal) -> bool:
    """Give the job that begins now the time that it may take; False where it was lost.

    A job that cannot tell, as one of a kind of target that is gone, fails, and no other with it.
    """
    try:
        longest = kind_of(job).longest(job)
    except Exception as error:
        logger.warning("job %s cannot begin: %s", job.pk, error, exc_info=True)
        _fail(job, actor, error)
        return False
    return not longest or bool(Job.objects.extend([job], lease=settings.JOB_LEASE + longest))


def run(job: Job, *, actor: Principal) -> None:
    """Do one claimed job and settle it; an exception of the work fails this job only."""
    try:
        _work(job, actor)
    except Exception as error:
        logger.warning("job %s failed: %s", job.pk, error, exc_info=True)
        _fail(job, actor, error)
    except BaseException:
        # The worker is being stopped in the middle of this job.
        _fail(job, actor, ConnectorError("The worker was stopped.", permanent=False))
        raise


def _work(job: Job, actor: Principal) -> None:
    kind = kind_of(job)
    certificate = kind.prepare(job)
    if isinstance(certificate, Skipped):
        services.complete(job=job, result=certificate, actor=actor)
        return
    # What is compared with the approval and what is worked with are the same objects in memory,
    # so nothing can change in between.
    approvals.check_unchanged(job, certificate)
    result = kind.run(job, certificate, actor)
    if isinstance(result, Waiting):
        services.park(job=job, waiting=result, actor=actor)
    else:
        services.complete(job=job, result=result, actor=actor)


def _fail(job: Job, actor: Principal, error: Exception) -> None:
    try:
        services.fail_job(job=job, actor=actor, error=error)
    except Exception:
        # Then the lease ends it: the reaper tries again.
        logger.exception("job %s could not be settled", job.pk)

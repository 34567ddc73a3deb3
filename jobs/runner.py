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
from collections.abc import Callable, Mapping
from datetime import timedelta

from django.conf import settings

import deployments.services
import issuers.services
from certificates.models import Certificate
from deployments.models import Deployment
from foundation.errors import ConnectorError
from jobs import approvals, services
from jobs.models import Job
from owners.models import Principal

logger = logging.getLogger(__name__)

BUDGET = timedelta(seconds=50)
# What the connectors' own time limits add up to, on top of the lease: a deployment tests the
# configuration and reloads (30 s each, and again to roll back), a validation shakes hands 5 times.
LONGEST = {
    Job.Kind.DEPLOYMENT: timedelta(minutes=3),
    Job.Kind.VALIDATION: timedelta(minutes=1),
}

Handler = Callable[[Job, Principal], None]


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


def _run_batch(batch: list[Job], actor: Principal, ends: float) -> int:
    waiting = list(batch)
    done = 0
    try:
        while waiting and time.monotonic() < ends:
            held = Job.objects.extend(waiting, lease=settings.JOB_LEASE)
            job = waiting.pop(0)
            if job.pk in held and _begins(job):
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


def _begins(job: Job) -> bool:
    """Give the job that begins now the time that its kind may take; False where it was lost."""
    longest = LONGEST.get(Job.Kind(job.kind))
    return longest is None or bool(Job.objects.extend([job], lease=settings.JOB_LEASE + longest))


def run(job: Job, *, actor: Principal) -> None:
    """Do one claimed job and settle it; an exception of the work fails this job only."""
    try:
        HANDLERS.get(Job.Kind(job.kind), _unknown)(job, actor)
    except Exception as error:
        logger.warning("job %s failed: %s", job.pk, error, exc_info=True)
        _fail(job, actor, error)
    except BaseException:
        # The worker is being stopped in the middle of this job.
        _fail(job, actor, ConnectorError("The worker was stopped.", permanent=False))
        raise


def _fail(job: Job, actor: Principal, error: Exception) -> None:
    try:
        services.fail_job(job=job, actor=actor, error=error)
    except Exception:
        # Then the lease ends it: the reaper tries again.
        logger.exception("job %s could not be settled", job.pk)


def _sign(job: Job, actor: Principal) -> None:
    """Issue or renew: have the CSR signed, keep the version."""
    # What is compared with the approval and what is signed are the same objects in memory, so
    # nothing can change in between.
    certificate = Certificate.objects.select_related("issuer", "profile").get(pk=job.certificate_id)
    approvals.check_unchanged(job, certificate)
    approvals.check_key(job.csr_pem)
    signed = issuers.services.sign(
        issuer=certificate.issuer,
        profile=certificate.profile,
        csr_pem=job.csr_pem,
        sans=certificate.sans,
        common_name=certificate.common_name,
        lifetime=job.lifetime,
    )
    services.complete_signing(job=job, signed=signed, actor=actor)


def _deploy(job: Job, actor: Principal) -> None:
    """Put the certificate's current version where the target serves it."""
    certificate = Certificate.objects.select_related("current", "profile").get(
        pk=job.certificate_id
    )
    if certificate.current is None or job.target is None:
        raise ConnectorError("There is no version or no target to deploy to.", permanent=True)
    # A retry may find that a newer version has come since: never put an old one over it.
    job.version = certificate.current
    approvals.check_unchanged(job, certificate)
    outcome = deployments.services.deploy(version=certificate.current, target=job.target)
    services.complete_deployment(job=job, version=certificate.current, outcome=outcome, actor=actor)


def _validate(job: Job, actor: Principal) -> None:
    """Look at the endpoint, whether what was deployed is what is served."""
    if job.target is None:
        raise ConnectorError("There is no target to look at.", permanent=True)
    deployment = (
        Deployment.objects.select_related("target", "version", "certificate__profile")
        .filter(certificate_id=job.certificate_id, target=job.target)
        .first()
    )
    if deployment is None or deployment.version is None or not deployment.target.has_endpoint:
        services.skip_validation(
            job=job, actor=actor, why="Nothing is deployed there, or no endpoint is known."
        )
        return
    job.version = deployment.version
    approvals.check_unchanged(job, deployment.certificate)
    seen = deployments.services.validate(target=deployment.target, version=deployment.version)
    services.complete_validation(job=job, version=deployment.version, seen=seen, actor=actor)


def _unknown(job: Job, actor: Principal) -> None:
    raise ConnectorError(f"This server does no {job.kind} jobs.", permanent=True)


HANDLERS: Mapping[Job.Kind, Handler] = {
    Job.Kind.ISSUANCE: _sign,
    Job.Kind.RENEWAL: _sign,
    Job.Kind.DEPLOYMENT: _deploy,
    Job.Kind.VALIDATION: _validate,
}

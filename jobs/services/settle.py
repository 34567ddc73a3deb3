"""What a worker writes after its work, always behind the fence: complete, fail, release.

The fence is `Job.objects.held`: a job that was cancelled, or whose lease was reaped, is nobody's
any more, and then nothing at all is written.
"""

import logging
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

import certificates.services
import deployments.services
from certificates.models import Version
from deployments.models import Target
from deployments.services import Outcome, Seen
from foundation.errors import CertctlError, ConnectorError, Invalid
from issuers.services import SignedCertificate
from jobs import queue
from jobs.models import Job
from jobs.services import requests
from jobs.services.common import SIGNING, lock_certificate, restore
from jobs.states import Move, Status
from owners.models import Principal

logger = logging.getLogger(__name__)

MAX_DELAY = timedelta(hours=6)


@transaction.atomic
def complete_signing(*, job: Job, signed: SignedCertificate, actor: Principal) -> Version | None:
    """Keep what an issuance or renewal got signed, and have it deployed; None when fenced off."""
    held = _held(job)
    if held is None:
        return None
    # Deployments of the old version that nobody began are replaced, and must be locked before
    # the certificate.
    stale = list(
        Job.objects.open()
        .filter(certificate_id=held.certificate_id, kind=Job.Kind.DEPLOYMENT)
        .exclude(status=Status.RUNNING)
        .select_for_update(no_key=True)
        .order_by("pk")
    )
    certificate = lock_certificate(held)
    version = certificates.services.add_version(
        certificate=certificate,
        signed=signed,
        csr_pem=held.csr_pem,
        job_id=held.pk,
        actor=actor,
        encrypted_key=held.encrypted_key,
    )
    held.version = version
    _complete(held, actor, version=version.number, serial=version.serial)
    for old in stale:
        old.last_error = f"Version {version.number} came before it."
        old.waits_until = None
        old.move(Move.CANCEL, actor=actor, reason=old.last_error)
    for deployment in certificate.deployments.select_related("target").order_by("pk"):
        requests.follow_up(held, Job.Kind.DEPLOYMENT, deployment.target, version)
    transaction.on_commit(queue.nudge)
    return version


@transaction.atomic
def complete_deployment(*, job: Job, version: Version, outcome: Outcome, actor: Principal) -> bool:
    """Record that `version` is in place, and have it checked; False when fenced off."""
    held = _held(job)
    if held is None:
        return False
    certificate = lock_certificate(held)
    target = _target_of(held)
    held.version = version
    # It locks what else is deployed there, which must come before the audit's lock.
    deployments.services.record_deployed(
        certificate=certificate, target=target, version=version, outcome=outcome, actor=actor
    )
    _complete(held, actor, version=version.number, changed=outcome.changed)
    if certificate.current_id != version.pk:
        # A newer version came while this one was carried there.
        requests.follow_up(held, Job.Kind.DEPLOYMENT, target, certificate.current)
    elif target.has_endpoint:
        requests.follow_up(held, Job.Kind.VALIDATION, target, version)
    transaction.on_commit(queue.nudge)
    return True


@transaction.atomic
def complete_validation(*, job: Job, version: Version, seen: Seen, actor: Principal) -> bool:
    """Record what a handshake saw; what is not the deployed version fails the job.

    A server that has just been told to reload may still show the old one, so it is looked at
    again as often as the job has tries. False when fenced off.
    """
    held = _held(job)
    if held is None:
        return False
    certificate = lock_certificate(held)
    held.version = version
    held.verification_detail = seen.detail
    deployments.services.record_seen(
        certificate=certificate, target=_target_of(held), seen=seen, actor=actor
    )
    if seen.matches:
        held.verification = Job.Verification.SUCCESS
        _complete(held, actor, verification=held.verification)
    else:
        held.verification = Job.Verification.FAILED
        error = ConnectorError(seen.detail or "Something else is served.", permanent=False)
        _fail(held, actor, error)
    return True


@transaction.atomic
def skip_validation(*, job: Job, actor: Principal, why: str) -> bool:
    """End a validation that has nothing to look at; False when fenced off."""
    held = _held(job)
    if held is None:
        return False
    lock_certificate(held)
    held.verification = Job.Verification.SKIPPED
    held.verification_detail = why
    _complete(held, actor, verification=held.verification)
    return True


@transaction.atomic
def fail_job(*, job: Job, actor: Principal, error: Exception, retry_at_once: bool = False) -> bool:
    """Record that the work failed, and when it is tried again; False when fenced off.

    An error that says that trying again cannot help spends all tries. When none is left, the
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
            # Nothing was tried. The number comes back with the next claim, and whoever had it
            # before is the caller, who does not run the job any more.
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
            "job %s is no longer ours (attempt %s): its result is dropped", job.pk, job.attempts
        )
    return held


def _complete(held: Job, actor: Principal, **why: object) -> None:
    held.last_error = ""
    held.move(Move.COMPLETE, actor=actor, **why)


def _fail(held: Job, actor: Principal, error: Exception, *, retry_at_once: bool = False) -> None:
    held.last_error = _words(error)
    # What certctl itself says - the input is wrong, the state does not allow it - stays so.
    permanent = isinstance(error, CertctlError) and getattr(error, "permanent", True)
    spent = permanent or held.attempts >= held.max_attempts
    if permanent:
        held.max_attempts = held.attempts
    if not spent:
        wait = timedelta(0) if retry_at_once else delay_after(held)
        held.scheduled_at = timezone.now() + wait
    held.move(
        Move.FAIL,
        actor=actor,
        error=held.last_error,
        attempt=held.attempts,
        retry_at=None if spent else held.scheduled_at.isoformat(),
    )
    if not spent:
        return
    if held.kind in SIGNING:
        restore(held, actor)
    elif held.kind == Job.Kind.DEPLOYMENT:
        _deploy_newer(held)


def _deploy_newer(held: Job) -> None:
    """Have a version deployed that came while this job was failing with an older one."""
    current = held.certificate.current
    if current is not None and held.version_id not in {None, current.pk}:
        requests.follow_up(held, Job.Kind.DEPLOYMENT, _target_of(held), current)
        transaction.on_commit(queue.nudge)


def _target_of(job: Job) -> Target:
    if job.target is None:
        raise Invalid(f"A {job.kind} job without a target.")
    return job.target


def _words(error: Exception) -> str:
    if isinstance(error, CertctlError):
        fields = "; ".join(f"{e['field']}: {e['detail']}" for e in error.errors)
        return f"{error.detail} {fields}".strip()
    # Whatever an unforeseen exception says may hold what nobody should read; the log has it.
    return f"Unexpected error ({type(error).__name__}); the log says more."

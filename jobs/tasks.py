"""Celery's way into the sweeps. Any number of each may run at once."""

from celery import shared_task
from django.conf import settings

from foundation.coalesced import Coalesced
from jobs import queue, runner, services
from owners import idempotency
from owners.models import Principal

# A sweep answers for the messages of this long after it: they piled up behind it.
REST_SECONDS = settings.SWEEP_REST_SECONDS


def _retry() -> int:
    system = Principal.objects.system()
    services.fail_abandoned(actor=system)
    return services.retry_failed(actor=system)


def _renew() -> int:
    system = Principal.objects.system()
    asked = services.request_due_renewals(actor=system)
    services.watch_certificates(actor=system)
    return asked


# Two at once: one job that takes long does not keep the others waiting, and the rest of a
# worker's threads is left for the sweeps.
_run_pending = Coalesced(lambda: runner.run_pending(), most=2)  # noqa: PLW0108 - looked up late
_retry_failed = Coalesced(_retry, rest_seconds=REST_SECONDS)
_time_out_waiting = Coalesced(
    lambda: services.time_out_waiting(actor=Principal.objects.system()), rest_seconds=REST_SECONDS
)
_request_due_renewals = Coalesced(_renew, rest_seconds=REST_SECONDS)


@shared_task(name=queue.RUN_PENDING)
def run_pending_jobs() -> int:
    """Run what is due; return how many jobs were settled."""
    return _run_pending()


@shared_task(name="jobs.retry_failed_jobs")
def retry_failed_jobs() -> int:
    """Give failed and abandoned jobs their next try; return how many got one."""
    return _retry_failed()


@shared_task(name="jobs.time_out_waiting_jobs")
def time_out_waiting_jobs() -> int:
    """Cancel what waited too long for a CSR or a decision; return how many."""
    return _time_out_waiting()


@shared_task(name="jobs.request_due_renewals")
def request_due_renewals() -> int:
    """Ask for the renewals that the policies want now, and see to alerts; return how many."""
    return _request_due_renewals()


@shared_task(name="jobs.drop_old_idempotency_records")
def drop_old_idempotency_records() -> int:
    """Forget the answers that were kept for a day; return how many."""
    return idempotency.drop_old_idempotency_records()

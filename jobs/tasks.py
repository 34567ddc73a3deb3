"""Celery's way into the sweeps. Any number of each may run at once."""

from celery import shared_task

from foundation.sweeps import sweep
from jobs import queue, runner, services
from owners import idempotency
from owners.models import Principal


# Two at once: one job that takes long does not keep the others waiting, and the rest of a
# worker's threads is left for the sweeps.
@sweep(queue.RUN_PENDING, most=2, rest_seconds=0.0)
def run_pending_jobs() -> int:
    """Run what is due; return how many jobs were settled."""
    return runner.run_pending()


@sweep("jobs.retry_failed_jobs")
def retry_failed_jobs() -> int:
    """Give failed and abandoned jobs their next try; return how many got one."""
    system = Principal.objects.system()
    services.fail_abandoned(actor=system)
    return services.retry_failed(actor=system)


@sweep("jobs.time_out_waiting_jobs")
def time_out_waiting_jobs() -> int:
    """Cancel what waited too long, or would wait for ever for a retired agent; return how many."""
    system = Principal.objects.system()
    ended = services.end_work_of_retired(actor=system)
    return ended + services.time_out_waiting(actor=system)


@sweep("jobs.request_due_renewals")
def request_due_renewals() -> int:
    """Ask for the renewals that the policies want now, and see to alerts; return how many."""
    system = Principal.objects.system()
    asked = services.request_due_renewals(actor=system)
    services.watch_certificates(actor=system)
    return asked


@sweep("jobs.tend_responders")
def tend_responders() -> int:
    """Ask for, renew and replace delegated OCSP responders; return how many were asked for."""
    return services.tend_responders(actor=Principal.objects.system())


@shared_task(name="jobs.drop_old_idempotency_records")
def drop_old_idempotency_records() -> int:
    """Forget the answers that were kept for a day; return how many."""
    return idempotency.drop_old_idempotency_records()

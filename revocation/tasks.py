"""Celery's way into plans. Any number of each may run at once."""

from foundation.sweeps import sweep
from owners.models import Principal
from revocation import queue, services


@sweep(queue.RUN_PLANS, most=2, rest_seconds=0.0)
def run_plans() -> int:
    """Carry out plans that have something to do; return how many waves."""
    return services.run_plans(actor=Principal.objects.system())


@sweep("revocation.expire_plans")
def expire_plans() -> int:
    """End the plans that nobody confirmed in time; return how many."""
    return services.expire_plans(actor=Principal.objects.system())

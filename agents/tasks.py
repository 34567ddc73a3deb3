"""Celery's way into the sweep of agents. Any number of it may run at once."""

from agents import services
from foundation.sweeps import sweep
from owners.models import Principal


@sweep("agents.miss_silent")
def miss_silent() -> int:
    """Show as offline whoever was not heard of for too long; return how many."""
    return services.miss_silent_agents(actor=Principal.objects.system())

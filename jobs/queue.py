"""Hints to the workers, by name: the jobs table is the queue, and messages only save waiting."""

from foundation import hints

RUN_PENDING = "jobs.run_pending_jobs"


def nudge() -> None:
    """Tell a worker that something is due now."""
    hints.send(RUN_PENDING)

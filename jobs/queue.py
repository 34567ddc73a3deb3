"""Hints to the workers, by name: the jobs table is the queue, and messages only save waiting."""

from foundation import hints

RUN_PENDING = "jobs.run_pending_jobs"
# A hint that nobody took within a sweep's period says nothing that the sweep does not know.
EXPIRES_SECONDS = 30


def nudge() -> None:
    """Tell a worker that something is due now."""
    hints.send(RUN_PENDING, expires_seconds=EXPIRES_SECONDS)

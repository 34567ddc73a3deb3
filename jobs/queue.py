"""Hints to the workers, by name: the jobs table is the queue, and messages only save waiting."""

import logging

from celery import current_app

logger = logging.getLogger(__name__)

RUN_PENDING = "jobs.run_pending_jobs"
# A hint that nobody took within a sweep's period says nothing that the sweep does not know.
EXPIRES_SECONDS = 30


def nudge() -> None:
    """Tell a worker that something is due now; a broker that is down only costs the wait.

    Called by `transaction.on_commit`, so it must never raise: the change is committed.
    """
    try:
        current_app.send_task(RUN_PENDING, expires=EXPIRES_SECONDS, retry=False)
    except Exception as error:  # noqa: BLE001 - whatever a broker's client raises
        logger.warning("no hint sent, the next sweep will see it: %s", error)

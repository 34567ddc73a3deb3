"""Hints to the workers: the database holds the work, and a message only saves waiting for it."""

import logging
from typing import Any

from celery import current_app

logger = logging.getLogger(__name__)


def send(name: str, *args: Any) -> None:
    """Tell a worker, by the task's name, that there is something to do.

    Called by `transaction.on_commit`, so it never raises: the change is committed, and a broker
    that is down only costs the time until the next sweep.
    """
    try:
        current_app.send_task(name, args=args, retry=False)
    except Exception as error:  # noqa: BLE001 - whatever a broker's client raises
        logger.warning("%s is not sent, the next sweep will see it: %s", name, error)

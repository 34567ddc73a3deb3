"""Hints to the worker, by name. A lost hint costs time, never work: the sweep finds it."""

import logging
from typing import Any
from uuid import UUID

from celery import current_app
from kombu.exceptions import KombuError, OperationalError

logger = logging.getLogger(__name__)


def publish_crl(issuer_id: UUID) -> None:
    """Ask for a new CRL of the issuer soon."""
    _send("certificates.publish_crl", str(issuer_id))


def _send(name: str, *args: Any) -> None:
    try:
        current_app.send_task(name, args=args)
    except (KombuError, OperationalError, OSError):
        # The change is committed; a broker that is down must not turn it into an error.
        logger.warning("could not send %s; the sweep will find the work", name, exc_info=True)

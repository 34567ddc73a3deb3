"""Whose clock decides: what is signed is dated by the database's, where ours is wrong.

Any process may sign, and one whose clock is ahead would publish CRLs from the future, which stay.
All processes share one database, so its clock is the one that they can agree on. It is asked once a
minute and counted on from there by the monotonic clock, which nobody can set: a wall clock that
jumps in between shows too.
"""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

logger = logging.getLogger(__name__)

TOLERANCE = timedelta(seconds=3)
ASKED_EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Reading:
    """The database's time, and what our monotonic clock said then."""

    at: datetime
    monotonic: float


class Clock:
    """This process's idea of the database's clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading: _Reading | None = None
        self._told = float("-inf")

    def now(self) -> datetime:
        """Return the time to date a signature with, aware and in UTC.

        It is this machine's unless that differs from the database's by more than TOLERANCE.
        """
        ours = timezone.now()
        ahead = self.ahead(ours)
        if abs(ahead) <= TOLERANCE:
            return ours
        self._tell(ahead)
        return ours - ahead

    def ahead(self, ours: datetime | None = None) -> timedelta:
        """Return by how much this machine's clock is ahead of the database's; negative: behind.

        Nothing where the database is a file of this machine.
        """
        if connection.vendor == "sqlite" or not settings.TRUST_DATABASE_CLOCK:
            return timedelta(0)
        reading = self._read()
        since = timedelta(seconds=time.monotonic() - reading.monotonic)
        return (ours or timezone.now()) - (reading.at + since)

    def _read(self) -> _Reading:
        with self._lock:
            reading = self._reading
        if reading is not None and time.monotonic() - reading.monotonic < ASKED_EVERY_SECONDS:
            return reading
        before = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            at: datetime = cursor.fetchone()[0]
        reading = _Reading(at, (before + time.monotonic()) / 2)
        with self._lock:
            self._reading = reading
        return reading

    def _tell(self, ahead: timedelta) -> None:
        with self._lock:
            if time.monotonic() - self._told < ASKED_EVERY_SECONDS:
                return
            self._told = time.monotonic()
        seconds = ahead.total_seconds()
        logger.error(
            "This machine's clock is %.0f s %s the database's, which decides. Set it right.",
            abs(seconds),
            "ahead of" if seconds > 0 else "behind",
        )


database_clock = Clock()

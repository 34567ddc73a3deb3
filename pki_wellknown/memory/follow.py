"""How a web process learns what to forget: one thread that reads the log of changes.

It looks each second, and at once when PostgreSQL wakes it. It is started by the first question
that a process gets, so after any fork. Should it die or lose the database, confirmations grow old
and `good` is no longer said from memory: nothing else depends on it.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection

from certificates import answer_log
from foundation.clock import TOLERANCE
from pki_wellknown.memory.clock import elapsed
from pki_wellknown.memory.store import Memory

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
# Between two readings, however many changes are told: a storm of them costs 50 queries a second.
REST_SECONDS = 0.02
RETRY_SECONDS = 0.5
# Of its connection: it must not wait where it could know that it does not know.
WAIT_MILLISECONDS = 1000
# Told at each reading of what was read, on the follower's connection.
Observer = Callable[[Any, answer_log.Page, list[answer_log.Change]], None]


class Follower:
    """Keeps a memory up to the log; `observer` sees each page and the changes that are new."""

    def __init__(self, memory: Memory, observer: Observer | None = None) -> None:
        self._memory, self._observer = memory, observer
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process = 0
        self._stopped = threading.Event()
        # Whether the database was out of reach when it was last asked: who asks it now waits.
        self.is_away = False
        self._since: int | None = None
        self._read_at = float("-inf")
        self._applied: set[int] = set()

    def ensure(self) -> None:
        """Start it, where it does not run in this process."""
        thread = self._thread
        if thread is not None and thread.is_alive() and self._process == os.getpid():
            return
        if self._memory.most < 1:
            return
        with self._lock:
            thread = self._thread
            if thread is not None and thread.is_alive() and self._process == os.getpid():
                return
            self._stopped.clear()
            self._process = os.getpid()
            # What a process before the fork, or a thread that ended, saw of the database is over.
            self.is_away = False
            self._thread = threading.Thread(target=self._run, name="ocsp-follower", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End it, and wait until it has."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(2 * POLL_SECONDS + 1)

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            try:
                source = _own_connection()
                try:
                    self._follow(source)
                finally:
                    source.close()
            except Exception as error:  # noqa: BLE001 - it must not die of any
                self.is_away = True
                failures += 1
                if failures & (failures - 1) == 0:  # the 1st, 2nd, 4th, 8th, …
                    logger.warning("changes of OCSP answers cannot be read: %s", error)
            else:
                failures = 0
            self._stopped.wait(RETRY_SECONDS)

    def _follow(self, source: Any) -> None:
        if source.vendor == "postgresql":
            with source.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = {WAIT_MILLISECONDS}")
                cursor.execute(f"LISTEN {answer_log.CHANNEL}")
        while not self._stopped.is_set():
            self.look(source)
            if source.vendor == "postgresql":
                for _ in source.connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                    self._stopped.wait(REST_SECONDS)
            else:
                self._stopped.wait(POLL_SECONDS)

    def look(self, source: Any) -> None:
        """Read the log once, and have the memory forget what it names."""
        asked_at = elapsed()
        page = answer_log.read(source, self._since)
        wall, read_at = _wall_clock(page.database_time), elapsed()
        missed = page.missed or asked_at - self._read_at > answer_log.MISSED_AFTER_SECONDS
        fresh = [one for one in page.changes if one.number not in self._applied]
        whole = {one.issuer_id for one in fresh if one.serial == answer_log.ALL}
        self._memory.confirm(
            asked_at=asked_at,
            offset=wall - read_at,
            serials=[(one.issuer_id, one.serial) for one in fresh],
            issuers={*page.issuers, *whole},
            everything=missed,
        )
        self.is_away = False
        # While an old transaction is open, the log gives what we know again.
        self._applied = {one.number for one in page.changes}
        self._since, self._read_at = page.since, asked_at
        if self._observer is not None:
            self._observer(source, page, fresh)


def _wall_clock(database_time: float | None) -> float:
    """Return whose time counts, by the rule of foundation.clock, whose readings are a minute old.

    None: the database has no other clock than ours.
    """
    ours = time.time()
    if database_time is None or not settings.TRUST_DATABASE_CLOCK:
        return ours
    return ours if abs(ours - database_time) <= TOLERANCE.total_seconds() else database_time


def _own_connection() -> Any:
    """Return a connection beside Django's: from no pool, and with waits of its own."""
    source: Any = connection.copy()
    options = source.settings_dict["OPTIONS"]
    options.pop("pool", None)
    if source.vendor == "sqlite":
        options["timeout"] = WAIT_MILLISECONDS / 1000
    return source

"""How a process keeps its memory of answers true: it follows the log of what was dropped.

One thread a process, started by the first question. It asks the database at least once a second,
and at once when PostgreSQL notifies it of a revocation. Whatever goes wrong here, the memory says
no more `good` by itself when its last confirmation is too old; the thread just tries again.
"""

import atexit
import logging
import os
import socket
import threading
import time
from uuid import uuid4

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from certificates import answer_log
from certificates.models import AnswerMemory
from foundation.clock import database_clock
from pki_wellknown.memory import Memory, elapsed

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
REPORT_SECONDS = 5.0
# Upper bounds of the histogram of how long after a revocation was written this process knew.
BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


class Follower:
    """The thread that confirms a memory; any thread may ask it to start, after a fork too."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._pid = 0
        self._stop = threading.Event()
        self._latencies = dict.fromkeys(BOUNDS, 0)
        self._latency_sum = 0.0
        self._reported = float("-inf")
        self._id = uuid4()
        self.is_away = False  # the database, when it was last asked

    def start(self) -> None:
        """Have this process followed, unless it is already."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid, self._stop, self._id = os.getpid(), threading.Event(), uuid4()
            threading.Thread(target=self._run, name="answers", daemon=True).start()
            atexit.register(self._stop.set)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
                while not self._stop.is_set():
                    self.look()
                    self._report()
                    self._wait()
            except (DatabaseError, InterfaceError) as error:
                self.is_away = True
                logger.warning("revocations cannot be followed now: %s", error)
            except Exception:
                logger.exception("revocations could not be followed")
            connection.close()
            self._stop.wait(POLL_SECONDS)

    def look(self) -> None:
        """Ask once for what was dropped, and confirm the rest."""
        asked = elapsed()
        at = database_clock.now()
        mark = self._memory.mark()
        news = answer_log.since(mark.generations if mark else {})
        self._memory.confirm(news, asked=asked, at=at)
        self.is_away = False
        if mark is not None:
            self._measure(news)

    def _measure(self, news: answer_log.News) -> None:
        now = database_clock.now()
        for written in news.written:
            seconds = max(0.0, (now - written).total_seconds())
            self._latency_sum += seconds
            # What took longer than every bound is in the count of all, which has none.
            for bound in BOUNDS:
                self._latencies[bound] += seconds <= bound
        self._latencies[float("inf")] = self._latencies.get(float("inf"), 0) + len(news.written)

    def _listen(self) -> None:
        close_old_connections()
        connection.ensure_connection()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {answer_log.CHANNEL}")

    def _wait(self) -> None:
        if connection.vendor != "postgresql":
            self._stop.wait(POLL_SECONDS)
            return
        connection.ensure_connection()
        with connection.wrap_database_errors:
            for _ in connection.connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                pass

    def _report(self) -> None:
        if time.monotonic() - self._reported < REPORT_SECONDS:
            return
        self._reported = time.monotonic()
        mark = self._memory.mark()
        answer_log.report(
            AnswerMemory(
                id=self._id,
                process=f"{socket.gethostname()}:{os.getpid()}",
                hits=self._memory.hits,
                misses=self._memory.misses,
                entries=len(self._memory),
                confirmed_seconds=elapsed() - mark.asked if mark else None,
                latencies={str(bound): count for bound, count in self._latencies.items()},
                latency_sum=self._latency_sum,
            )
        )

"""What goes wrong meanwhile: parts are killed, paused, cut off from database and broker."""

import contextlib
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable

import psycopg

from tools.soak.installation import Installation

WORKERS = ("worker-1", "worker-fast", "sweeper")


class Chaos:
    """One trouble after the other, each of which ends by itself."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.done: Counter[str] = Counter()

    def one(self) -> None:
        """Do one of them, chosen at random."""
        troubles: list[Callable[[], None]] = [
            *(self.kill_worker, self.kill_worker, self.pause_worker, self.kill_web, self.kill_beat),
            *(self.end_sessions, self.hold_the_trail, self.pause_redis),
        ]
        trouble = random.choice(troubles)
        trouble()
        self.done[trouble.__name__] += 1

    def kill_worker(self) -> None:
        """End a worker and its children at once."""
        self.installation.signal(random.choice(WORKERS), signal.SIGKILL)

    def pause_worker(self) -> None:
        """Stop a worker for longer than its lease may last, and let it go on."""
        name = random.choice(WORKERS)
        self.installation.signal(name, signal.SIGSTOP)
        time.sleep(random.uniform(3, 30))
        self.installation.signal(name, signal.SIGCONT)

    def kill_web(self) -> None:
        """End the web server."""
        self.installation.signal("web", signal.SIGKILL)

    def kill_beat(self) -> None:
        """End beat."""
        self.installation.signal("beat", signal.SIGKILL)

    def end_sessions(self) -> None:
        """End every session at the database, as its restart does."""
        with psycopg.connect(self.installation.database_url, autocommit=True) as session:
            session.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND application_name LIKE 'certctl%'"
            )

    def hold_the_trail(self) -> None:
        """Stop with the audit head in hand, as a paused process does."""
        with (
            contextlib.suppress(psycopg.Error),
            psycopg.connect(self.installation.database_url) as session,
        ):
            session.execute("SELECT 1 FROM audit_chainhead FOR UPDATE")
            time.sleep(random.uniform(2, 8))

    def pause_redis(self) -> None:
        """Have Redis hang for a while."""
        found = subprocess.run(
            ["pgrep", "-f", f"(redis|valkey)-server.*{self._redis_port()}"],
            capture_output=True,
            text=True,
            check=False,
        )
        pids = [int(pid) for pid in found.stdout.split()]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        time.sleep(random.uniform(2, 8))
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _redis_port(self) -> str:
        return self.installation.environment["REDIS_URL"].rsplit(":", 1)[1].split("/")[0]

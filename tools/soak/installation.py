"""A production installation of one machine: PostgreSQL, Redis, web servers, workers, beat."""

import base64
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import free_port, postgres, redis

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 20
# A machine whose clock is an hour ahead: what it signs must be dated by the database all the same.
FAST = (
    "import sys, datetime, time_machine;"
    "from certctl.celery import app;"
    "now = datetime.datetime.now(datetime.timezone.utc);"
    "time_machine.travel(now + datetime.timedelta(hours=1), tick=True).start();"
    "app.worker_main(sys.argv[1:])"
)


@dataclass
class Part:
    """One process of the installation, restarted when it dies."""

    name: str
    command: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None
    restarts: int = 0


@dataclass
class Installation:
    """Everything, under one folder; `up` starts it, `revive` replaces what died."""

    folder: Path
    stack: ExitStack = field(default_factory=ExitStack)
    parts: dict[str, Part] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    database_url: str = ""
    redis_pid: int = 0

    def up(self) -> None:
        """Start the services, make the tables, start every part."""
        self.database_url = self.stack.enter_context(postgres())
        redis_url = self.stack.enter_context(redis())
        self.port = free_port()
        for name in ("logs", "static", "files"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "certctl.settings",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": f"{redis_url}/0",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "CERTCTL_KEY_ENCRYPTION_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
            "CERTCTL_PKI_BASE_URL": self.base_url,
            "CERTCTL_VAR_DIR": str(self.folder),
            "CERTCTL_TARGET_ROOTS": f"{self.folder}/files,{self.folder}/demo",
            "CERTCTL_ALLOW_LOOPBACK_TARGETS": "true",
            "CERTCTL_JOB_LEASE_SECONDS": str(LEASE_SECONDS),
            "CERTCTL_API_RATE": "100000/min",
            "CERTCTL_ALLOW_SERVER_KEYS": "true",
            "CERTCTL_DEMO": "true",
        }
        self.run("manage.py", "migrate", "--verbosity", "0")
        self.run("-m", "tools.soak.prepare", self.base_url)
        web = (
            *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
            *("--port", str(self.port), "--workers", "2", "--blocking-threads", "64", "--no-ws"),
            *("--respawn-failed-workers", "--respawn-interval", "0.5", "certctl.wsgi:application"),
        )
        worker = ("-m", "celery", "-A", "certctl", "worker", "--loglevel", "WARNING")
        options = ("--queues", "celery", "--concurrency", "2", "-n")
        self._add("web", web)
        self._add("worker-1", (*worker, *options, "one@soak"))
        self._add(
            "worker-fast", ("-c", FAST, "worker", "--loglevel", "WARNING", *options, "f@soak")
        )
        self._add("sweeper", (*worker, "--queues", "sweeps", "--concurrency", "1", "-n", "s@soak"))
        self._add("beat", ("-m", "celery", "-A", "certctl", "beat", "--pidfile", ""))
        for part in self.parts.values():
            self.spawn(part)

    @property
    def base_url(self) -> str:
        """Where the web server listens."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str) -> str:
        """Run this Python with `arguments` in the installation's environment."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def spawn(self, part: Part) -> None:
        """Start one part, in a group of its own."""
        with (self.folder / "logs" / f"{part.name}.log").open("ab") as log:
            part.process = subprocess.Popen(
                part.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def revive(self) -> None:
        """Start again what died."""
        for part in self.parts.values():
            if part.process is not None and part.process.poll() is not None:
                part.restarts += 1
                self.spawn(part)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a part and all its children."""
        process = self.parts[name].process
        if process is not None and process.poll() is None:
            os.killpg(process.pid, number)

    def down(self) -> None:
        """End everything."""
        for part in self.parts.values():
            if part.process is not None and part.process.poll() is None:
                os.killpg(part.process.pid, signal.SIGKILL)
                part.process.wait()
        self.stack.close()

    def _add(self, name: str, arguments: Sequence[str]) -> None:
        self.parts[name] = Part(name, [sys.executable, *arguments])

"""The embedded installation's processes: web server, worker and beat."""

import os
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

from django.conf import settings

from certctl.embedded import python
from certctl.supervisor import Program

READY_WITHIN = 60.0
# Made when they are needed and ended when they are idle: a thread whose body stops arriving waits
# for ever, and must not be one of a few. Behind a proxy that takes in whole requests first, few are
# faster, for they do not wait for the interpreter's lock: granian's own variable says how many.
THREADS = os.environ.get("GRANIAN_BLOCKING_THREADS", "512")


def programs(*, host: str, port: int, workers: int = 1) -> list[Program]:
    """Return what `manage.py serve` keeps running."""
    logs = Path(settings.VAR_DIR) / "logs"
    web = python(
        "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(workers), "--blocking-threads", THREADS, "--no-ws",
        "--respawn-failed-workers", "--respawn-interval", "0.5",
        "certctl.wsgi:application",
    )  # fmt: skip
    worker = python(
        "-m", "celery", "-A", "certctl", "worker", "--pool", "threads", "--concurrency", "4",
        "--queues", "celery,sweeps", "--without-gossip", "--without-mingle", "--without-heartbeat",
        "--loglevel", "INFO",
    )  # fmt: skip
    beat = python(
        "-m", "celery", "-A", "certctl", "beat", "--loglevel", "INFO",
        "--pidfile", "",
    )  # fmt: skip
    return [
        Program("web", web, logs / "web.log"),
        Program("worker", worker, logs / "worker.log"),
        Program("beat", beat, logs / "beat.log"),
    ]


def port_is_free(host: str, port: int) -> bool:
    """Whether we can listen there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def wait_until_ready(base_url: str, *, within: float = READY_WITHIN) -> bool:
    """Ask /ready until it says yes; False when `within` seconds have passed."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{base_url}/ready", timeout=2) as answer:  # noqa: S310 - our own http URL
                if answer.status == 200:  # noqa: PLR2004
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False

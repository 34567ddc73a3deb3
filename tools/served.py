"""A whole installation for a while: database, web server and worker as they run, behind our nginx.

For programs of ours that ask it over HTTP (`make bench`, `make interop`). Whoever starts it is an
operator of it too: Django's settings are those of the installation, so what people do is done by
the use cases. Every process and folder ends with it.
"""

import base64
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import django
from django.core.management import call_command

from certctl.demo.programs import NGINX
from tests import servers
from tests.shipped_nginx import shipped_nginx

ROOT = Path(__file__).resolve().parent.parent
FRONT_NAME = "certctl.test"  # what the front's certificate is for


@dataclass(frozen=True, slots=True)
class Served:
    """Where it is: the web server's port, the front's (plain, people, devices), and its CA."""

    folder: Path
    port: int
    plain_port: int
    tls_port: int
    devices_port: int
    front_ca: Path


@contextmanager
def served(database: str = "sqlite", *, workers: int = 1, worker: bool = True) -> Iterator[Served]:
    """Run an installation on `database` (sqlite or postgres) with the demo's people and CA.

    `workers` are the web server's processes; without `worker` nothing is done but in requests.
    Raises NoServer, NoProgram.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="certctl-served-")))
        for name in ("logs", "static", "broker", "broker-control", "front"):
            (folder / name).mkdir()
        port = servers.free_port()
        url, redis_url = f"sqlite:///{folder}/db.sqlite3", ""
        if database == "postgres":
            url = stack.enter_context(servers.postgres())
            redis_url = f"{stack.enter_context(servers.redis())}/0"
        os.environ.update(_environment(folder, port, url, redis_url))
        django.setup()
        call_command("migrate", verbosity=0)
        _bootstrap(port)
        _start(stack, folder, port, workers=workers, worker=worker)
        front = folder / "front"
        ports = stack.enter_context(shipped_nginx(NGINX.get(), front, port))
        plain, tls, devices = ports
        yield Served(folder, port, plain, tls, devices, front / "ca.pem")


def _environment(folder: Path, port: int, database_url: str, redis_url: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "certctl.settings",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "CERTCTL_KEY_ENCRYPTION_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
        "CERTCTL_VAR_DIR": str(folder),
        "CERTCTL_PKI_BASE_URL": f"http://127.0.0.1:{port}",
        "CERTCTL_TARGET_ROOTS": str(folder / "demo"),
        "CERTCTL_ALLOW_LOOPBACK_TARGETS": "true",
        "CERTCTL_DEMO": "true",
        "ALLOWED_HOSTS": "*",
        "CERTCTL_TLS_FRONTS": "127.0.0.1",
        "CERTCTL_TRUSTED_PROXIES": "1",
        "CERTCTL_HTTPS": "true",
        "CERTCTL_ENROLLMENT_RATE": "1000000/min",  # all devices have one address here
    }


def _bootstrap(port: int) -> None:
    from certctl.demo.bootstrap import bootstrap

    bootstrap(base_url=f"http://127.0.0.1:{port}", tls_port=1)


def _start(stack: ExitStack, folder: Path, port: int, *, workers: int, worker: bool) -> None:
    from certctl.serving import programs, wait_until_ready

    ourselves = servers.Account(os.geteuid(), os.getegid())
    wanted = {"web", "worker", "beat"} if worker else {"web"}
    for program in programs(host="127.0.0.1", port=port, workers=workers):
        if program.name in wanted:
            stack.enter_context(
                servers.process(
                    list(program.command),
                    owner=ourselves,
                    log=program.log,
                    ready=lambda: True,
                    PYTHONPATH=str(ROOT),
                )
            )
    if not wait_until_ready(f"http://127.0.0.1:{port}"):
        raise servers.NoServer((folder / "logs" / "web.log").read_text(errors="replace")[-4000:])
    time.sleep(0.2)  # the other web processes

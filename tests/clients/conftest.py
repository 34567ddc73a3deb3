"""The command line client, against a web server on the test's own database."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from certctl_cli.__main__ import cli
from certctl_cli.api import Api
from certctl_cli.contexts import Context
from jobs import runner
from tests.clients.answering import SECRET, serve

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "certctl_cli"


@dataclass
class Shell:
    """One person's shell: `shell("list", "jobs")` runs the command as they would."""

    url: str
    key: str

    @property
    def environment(self) -> dict[str, str]:
        """What the command finds around it."""
        return {"CERTCTL_URL": self.url, "CERTCTL_API_KEY": self.key, "COLUMNS": "80"}

    def apart(self, *words: str) -> Callable[[], "subprocess.CompletedProcess[str]"]:
        """Start the command as a process of its own; what is returned waits for its end."""
        process = subprocess.Popen(
            [sys.executable, "-m", "certctl_cli", *words],
            env={**os.environ, **self.environment, "PYTHONPATH": str(CLIENT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

        def ending() -> "subprocess.CompletedProcess[str]":
            out, err = process.communicate(timeout=60)
            return subprocess.CompletedProcess(words, process.returncode, out, err)

        return ending

    def __call__(self, *words: str, input: str | None = None, **environment: str) -> Result:  # noqa: A002
        return CliRunner().invoke(
            cli,
            [str(word) for word in words],
            input=input,
            env={**self.environment, **environment},
        )


def outside(*words: str, **environment: str) -> Result:
    """Run the command with a key and no server."""
    return Shell("", SECRET)(*words, **{"CERTCTL_URL": "", **environment})


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder in which the client keeps what it keeps, and a folder to work in."""
    for name in ("CERTCTL_URL", "CERTCTL_API_KEY", "CERTCTL_CONTEXT", "CERTCTL_CA_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CERTCTL_CONFIG", str(tmp_path / "config" / "config.json"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return tmp_path


@pytest.fixture
def shell_of(live_server, key_of) -> Callable[..., Shell]:
    """A shell of a principal: `shell_of(alice)`."""

    def make(principal, **options):
        return Shell(live_server.url, key_of(principal, **options))

    return make


@pytest.fixture
def worker(transactional_db):
    """A worker that does what is due, until the test ends."""
    stop = threading.Event()

    def work():
        from django.db import connections  # noqa: PLC0415

        try:
            while not stop.wait(0.05):
                runner.run_pending()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(20)


@pytest.fixture
def server():
    server = serve()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def api(server):
    with Api(
        Context("here", f"http://127.0.0.1:{server.server_port}", SECRET),
        pause=lambda seconds: None,
    ) as api:
        yield api

"""Other processes of this installation, on the test's own database: a web server, commands."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[1]


def database_url():
    """The test's own database, for another process."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    user, host, port = values["USER"], values["HOST"], values["PORT"]
    password = f":{values['PASSWORD']}" if values["PASSWORD"] else ""
    return f"postgres://{user}{password}@{host}:{port}/{values['NAME']}"


def environment_of(folder, redis=""):
    """The environment of another process of this installation."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "certctl.settings",
        "DATABASE_URL": database_url(),
        "REDIS_URL": redis,
        "SECRET_KEY": settings.SECRET_KEY,
        "CERTCTL_KEY_ENCRYPTION_KEYS": settings.KEY_ENCRYPTION_KEYS[0],
        "CERTCTL_PKI_BASE_URL": settings.PKI_BASE_URL,
        "CERTCTL_VAR_DIR": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def kill(process):
    """End a process and all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(timeout=20)


def until(condition, seconds=60):
    """Wait until `condition()` is true; False where it never was."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.05)
    return False


class Web:
    """A real web server, started as `manage.py serve` starts it."""

    def __init__(self, folder, redis="", *, workers=1, application="", **environment):
        from certctl import serving  # noqa: PLC0415 - the settings must be there first

        self.port = free_port()
        program = serving.programs(host="127.0.0.1", port=self.port, workers=workers)[0]
        command = [*program.command[:-1], application or program.command[-1]]
        self.log = folder / "web.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment_of(folder, redis) | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # Not /ready: a part of the installation may be away on purpose.
        assert until(lambda: self.status("/health") == 200), self.log.read_text()[-3000:]

    def ask(self, path, *, body=None, key="", timeout=20, headers=None):
        """Return (status, headers, body) of a GET, or of a POST where there is a body."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers or {}
        )
        if key:
            request.add_header("Authorization", f"Bearer {key}")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310 - our own http URL
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def status(self, path, **options):
        """Return the status alone; None where nobody listens."""
        try:
            return self.ask(path, **options)[0]
        except (urllib.error.URLError, OSError):
            return None

    def children(self):
        """Return the pids of the server's own workers."""
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return [
            int(line.split()[0])
            for line in listed.stdout.splitlines()
            if "resource_tracker" not in line
        ]


@pytest.fixture
def web(tmp_path):
    """Start web servers: `web()`; all are stopped in the end."""
    started = []

    def start(**options):
        started.append(Web(tmp_path, **options))
        return started[-1]

    yield start
    for server in started:
        kill(server.process)


def run_python(program, folder, **environment):
    """Run a Python program in an environment of this installation; return what it printed."""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment_of(folder) | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return ended.stdout

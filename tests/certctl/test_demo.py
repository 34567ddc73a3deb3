"""`manage.py demo` as a newcomer meets it: the whole walk, what it leaves, and that it ends."""

import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("CERTCTL_", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "DJANGO_")


@pytest.fixture
def start(tmp_path):
    """Start the demo in a folder of its own: `start(*arguments)` is the running process."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    environment = {**clean, "CERTCTL_VAR_DIR": str(tmp_path / "var")}
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    started = []

    def run(*arguments):
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", port, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def running_in(folder):
    """Return the command lines of processes whose environment names `folder`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"CERTCTL_VAR_DIR={folder}\0".encode() in environment and command:
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.takes(17)
def test_the_demo_walks_to_the_end_and_leaves_nothing_running(start, tmp_path):
    var = tmp_path / "var"

    walked = start("--exit")
    said = walked.communicate(timeout=150)[0]

    assert walked.returncode == 0, said
    for evidence in (
        "403 self_approval",
        "leaf.pem: good",
        "leaf.pem: OK",
        "403 missing_permission",
        "certificate revoked",
        "leaf.pem: revoked",
        "pass, 0 fail",
        "403 second_administrator",
        "made by carol, confirmed by dave",
        "The audit trail holds",
    ):
        assert evidence in said
    assert running_in(var) == []
    told = json.loads((var / "demo.json").read_text())
    assert set(told) >= {"base_url", "issuer", "alice", "bob", "carol", "dave", "victor"}
    assert all(told[name].keys() >= {"username", "password", "api_key"} for name in ("alice",))
    private = ("demo.json", "certctl.env", "certctl.sqlite3", "logs/worker.log", "logs/web.log")
    assert {name: mode_of(var / name) for name in private} == dict.fromkeys(private, 0o600)
    secrets = [told[name][what] for name in ("alice", "carol") for what in ("api_key", "password")]
    logs = "".join(file.read_text(errors="replace") for file in (var / "logs").iterdir())
    assert [secret for secret in secrets if secret in logs] == []


@pytest.mark.takes(15)
def test_a_second_start_keeps_the_data_and_a_signal_ends_all_of_it(start, tmp_path):
    var = tmp_path / "var"
    first = start("--no-walk", "--exit")
    assert first.communicate(timeout=90)[0]
    before = json.loads((var / "demo.json").read_text())

    second = start("--no-walk")
    line = ""
    for line in second.stdout:
        if "Ctrl-C" in line:
            break
    key = before["alice"]["api_key"]
    request = urllib.request.Request(  # noqa: S310 - our own http URL
        f"{before['base_url']}/api/v1/jobs/", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        status = answer.status
    alive = len(running_in(var))
    os.kill(second.pid, signal.SIGINT)
    second.communicate(timeout=30)

    assert (status, alive >= 4, second.returncode) == (200, True, 0)
    deadline = time.monotonic() + 5
    while running_in(var) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert running_in(var) == []


@pytest.mark.takes(12)
def test_port_0_is_a_free_one_that_is_printed(start, tmp_path):
    started = start("--port", "0", "--no-walk", "--exit")
    said = started.communicate(timeout=90)[0]

    assert started.returncode == 0, said
    url = json.loads((tmp_path / "var" / "demo.json").read_text())["base_url"]
    assert f"certctl is up: {url}/admin/" in said
    assert not url.endswith(":0")
    assert f"CERTCTL_PKI_BASE_URL={url}\n" in (tmp_path / "var" / "certctl.env").read_text()


def said_until(process, words):
    """Return what a demo says up to the line with `words`."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            break
    return "".join(lines)


ENROLL = ("--enroll", "--est-port", "0", "--scep-port", "0")


@pytest.mark.takes(30)
def test_devices_enroll_through_the_front_that_we_ship_and_a_second_start_keeps_it(start, tmp_path):
    var = tmp_path / "var"

    walked = start(*ENROLL, "--exit")
    said = walked.communicate(timeout=150)[0]

    assert walked.returncode == 0, said
    for evidence in (
        "202, Retry-After",
        "403 self_approval",
        "device.pem: OK",
        "401 for a request of another key",
        "CertRep SUCCESS",
        "CertRep FAILURE, badRequest",
        "The audit trail holds",
    ):
        assert evidence in said
    assert running_in(var) == []
    front = var / "demo" / "front"
    private = ("tls.key", "tls.crt", "nginx.conf")
    assert {name: mode_of(front / name) for name in private} == dict.fromkeys(private, 0o600)
    certificate = (front / "tls.crt").read_text()

    second = start(*ENROLL, "--no-walk")
    said = said_until(second, "Ctrl-C")
    told = json.loads((var / "demo.json").read_text())["front"]
    assert told["est"] in said
    assert told["scep"] in said
    assert told["ca"] in said
    context = ssl.create_default_context(cafile=told["ca"])
    with urllib.request.urlopen(f"{told['est']}/cacerts", context=context, timeout=10) as answer:  # noqa: S310
        assert answer.headers["Content-Type"].startswith("application/pkcs7-mime")
    with urllib.request.urlopen(f"{told['scep']}?operation=GetCACaps", timeout=10) as answer:  # noqa: S310
        assert b"SCEPStandard" in answer.read()
    assert (front / "tls.crt").read_text() == certificate
    os.kill(second.pid, signal.SIGINT)
    second.communicate(timeout=30)
    assert second.returncode == 0
    deadline = time.monotonic() + 5
    while running_in(var) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert running_in(var) == []


def test_a_port_that_is_taken_is_named_before_anything_starts(start, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = start("--enroll", "--est-port", str(port), "--scep-port", "0")
        said = refused.communicate(timeout=60)[0]

    assert refused.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken. Choose another with --est-port." in said
    assert not (tmp_path / "var" / "certctl.sqlite3").exists()


def test_the_server_s_own_port_that_is_taken_is_named_too(start, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = start("--port", str(port), "--no-walk", "--exit")
        said = refused.communicate(timeout=60)[0]

    assert refused.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken. Choose another with --port." in said
    assert not (tmp_path / "var" / "certctl.sqlite3").exists()


def test_two_doors_are_not_put_on_one_port(start):
    said = start("--enroll", "--est-port", "18443", "--scep-port", "18443").communicate(timeout=60)

    assert "--port, --est-port and --scep-port must differ." in said[0]

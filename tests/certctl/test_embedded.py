"""What `make serve` and `make demo` make ready before the settings load."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from certctl import embedded

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    """Prepare a folder with the arguments of manage.py; give what stands in its certctl.env."""
    names = ("CERTCTL_PKI_BASE_URL", "CERTCTL_DEMO", "CERTCTL_TARGET_ROOTS")
    names += ("CERTCTL_ALLOW_LOOPBACK_TARGETS", "CERTCTL_JOB_LEASE_SECONDS")
    names += ("CERTCTL_TLS_FRONTS", "CERTCTL_TRUSTED_PROXIES")
    umask = os.umask(0o022)

    def run(*arguments, **environment):
        for name in names:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("CERTCTL_VAR_DIR", str(tmp_path / "var"))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        embedded.prepare(tmp_path, arguments)
        lines = (tmp_path / "var" / "certctl.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    yield run
    os.umask(umask)
    for name in names:
        os.environ.pop(name, None)


def test_secrets_are_made_once_and_are_the_owners_alone(prepare, tmp_path):
    first = prepare("serve")
    second = prepare("serve")

    assert first == second
    assert len(first["SECRET_KEY"]) > 50
    file = tmp_path / "var" / "certctl.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("arguments", "url"),
    [
        (("serve",), "http://127.0.0.1:8000"),
        (("serve", "--port", "8123"), "http://127.0.0.1:8123"),
        (("demo", "--host", "::1", "--port=9000"), "http://[::1]:9000"),
    ],
)
def test_other_commands_learn_where_we_listen(prepare, arguments, url):
    before = prepare("serve", "--port", "1")

    after = prepare(*arguments)

    assert after["CERTCTL_PKI_BASE_URL"] == url
    assert after["SECRET_KEY"] == before["SECRET_KEY"]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - what a user may type
def test_port_0_is_one_that_is_free_before_it_is_signed_into_anything(
    tmp_path, monkeypatch, prepare, host
):
    before = prepare("serve", "--port", "1")
    monkeypatch.delenv("CERTCTL_PKI_BASE_URL")

    arguments = embedded.prepare(tmp_path, ["serve", "--host", host, "--port", "0", "--workers=2"])

    *given, chosen = arguments
    assert given == ["serve", "--host", host, "--port", "0", "--workers=2"]
    port = int(chosen.removeprefix("--port="))
    assert port > 1024
    if host == "127.0.0.1":
        assert os.environ["CERTCTL_PKI_BASE_URL"] == f"http://127.0.0.1:{port}"
    assert embedded.prepare(tmp_path, ["serve", "--port", "8123"]) == ["serve", "--port", "8123"]
    assert before["CERTCTL_PKI_BASE_URL"] == "http://127.0.0.1:1"


def test_what_the_environment_says_is_left_to_it(prepare):
    after = prepare("serve", CERTCTL_PKI_BASE_URL="http://pki.example.com")

    assert "CERTCTL_PKI_BASE_URL" not in after


@pytest.mark.takes(2)
def test_an_address_that_leads_nowhere_is_not_signed_into_certificates(tmp_path):
    ours = ("CERTCTL_", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "DJANGO_")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(ours)}

    done = subprocess.run(
        [sys.executable, "manage.py", "serve", "--host", "0.0.0.0", "--port", "0"],  # noqa: S104
        cwd=ROOT,
        env={**clean, "CERTCTL_VAR_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "Set CERTCTL_PKI_BASE_URL" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "fronts"),
    [
        (("demo",), None),
        (("serve", "--enroll"), None),
        (("demo", "--enroll"), "127.0.0.1"),
        (("demo", "--enroll", "--host", "::1"), "::1"),
        (("demo", "--enroll", "--host", "0.0.0.0"), "127.0.0.1"),  # noqa: S104 - to be told from it
    ],
)
def test_a_front_is_believed_from_this_machine_and_only_where_devices_enroll(
    prepare, arguments, fronts
):
    prepare(*arguments, CERTCTL_PKI_BASE_URL="http://pki.test")

    assert os.environ.get("CERTCTL_TLS_FRONTS") == fronts


def test_fronts_that_are_set_are_kept(prepare):
    prepare("demo", "--enroll", CERTCTL_TLS_FRONTS="192.0.2.7")

    assert os.environ["CERTCTL_TLS_FRONTS"] == "192.0.2.7"

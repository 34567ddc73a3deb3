"""What goes wrong around the client: other people's files, half answers, Ctrl-C, odd names."""

import json
import os
import signal
import subprocess
import sys
import time

import click
import pytest
from cryptography import x509

from certctl_cli import contexts, files, keymaking, waiting
from certctl_cli.__main__ import cli
from certctl_cli.api import Api
from certctl_cli.errors import Stop
from tests.clients.answering import ME, SECRET
from tests.clients.conftest import CLIENT, outside

JSON = {"Content-Type": "application/json"}
AWAY = {"id": "1", "kind": "Issuance", "certificate_name": "web", "status": "Pending"}


@pytest.mark.parametrize("url", ["http://certctl.example.internal", "http://u:p@127.0.0.1"])
def test_an_address_of_the_environment_gets_no_key_that_login_would_not_send(url):
    result = outside("status", CERTCTL_URL=url, CERTCTL_API_KEY=SECRET)

    assert result.exit_code == 2
    assert "no answer" not in result.stderr


@pytest.mark.parametrize("url", ["http://[::1", "https://x:99999", "ftp://x", "https://"])
def test_what_is_no_address_is_told_so(url):
    with pytest.raises(Stop, match="is no address"):
        contexts.address(url)


def test_a_file_of_somebody_else_is_not_used(server, home, monkeypatch):
    server.answers.append(ME)
    assert outside("login", f"http://127.0.0.1:{server.server_port}").exit_code == 0
    monkeypatch.setattr(contexts.os, "geteuid", lambda: 4711)

    result = outside("list", "jobs")

    assert result.exit_code == 3
    assert "somebody else" in result.stderr
    assert len(server.asked) == 1


def test_a_page_that_asks_to_log_in_is_no_certificate_and_no_trail(server, api):
    page = (200, {"Content-Type": "text/html; charset=utf-8"}, b"<form>")
    server.answers += [page, page]

    with pytest.raises(Stop, match="not one of certctl's"):
        api.send("GET", "certificates/1/export/")
    with pytest.raises(Stop, match="not one of certctl's"):
        list(api.stream("audit/export/"))


@pytest.mark.parametrize("body", [b"{}", b"[]", b'"x"', b"[" * 100_000, b'{"results": '])
def test_an_answer_of_another_shape_is_told_in_words(server, api, body):
    server.answers.append((200, JSON, body))

    with pytest.raises(Stop):
        list(api.rows("jobs/"))


def test_an_answer_of_ten_megabytes_is_read(server, api):
    rows = [{"id": str(number), "name": "n" * 10_000} for number in range(1000)]
    server.answers.append((200, JSON, json.dumps({"results": rows, "next": None}).encode()))

    assert sum(1 for _ in api.rows("owners/")) == 1000


def test_a_server_that_is_away_is_told_once_while_waiting(server, api, capsys):
    page = (502, {"Content-Type": "text/html"}, b"<h1>Bad gateway")
    server.answers += [page] * 12 + [
        (200, JSON, json.dumps(AWAY | {"status": "Completed"}).encode())
    ]

    waiting.wait(api, dict(AWAY), clock=waiting.Clock(sleep=lambda seconds: None))

    assert capsys.readouterr().err.count("Waiting for it.") == 1


def process(*words, url, cwd):
    return subprocess.Popen(
        [sys.executable, "-m", "certctl_cli", *words],
        env={**os.environ, "PYTHONPATH": str(CLIENT), "CERTCTL_URL": url,
             "CERTCTL_API_KEY": SECRET},
        cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip


def test_ctrl_c_while_waiting_has_its_own_status_and_says_how_to_go_on(server, tmp_path):
    job = AWAY | {"id": "6f1c2b9e-3f50-4ee2-8a5c-0d7b0d6c6d10"}
    server.answers += [(200, JSON, json.dumps(job).encode())] * 100
    running = process("wait", job["id"], url=f"http://127.0.0.1:{server.server_port}", cwd=tmp_path)
    ends = time.monotonic() + 20
    while len(server.asked) < 2 and time.monotonic() < ends:
        time.sleep(0.05)

    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=20)

    assert running.returncode == 130, err
    assert f"certctl wait {job['id']}" in err
    assert "Traceback" not in err


def test_a_key_that_may_have_been_asked_for_stays_and_is_told(server, tmp_path, monkeypatch):
    server.answers += [(500, {"Content-Type": "text/html"}, b"oops")]

    result = outside(
        "request", "web.example.internal", "--profile", "p", "--owner", "o", "--issuer", "i",
        CERTCTL_URL=f"http://127.0.0.1:{server.server_port}", CERTCTL_API_KEY=SECRET,
    )  # fmt: skip

    assert result.exit_code == 1
    assert "web.example.internal.key stays" in result.stderr


@pytest.mark.parametrize(
    ("name", "san"),
    [
        ("bücher.example", "dns:xn--bcher-kva.example"),
        ("*.straße.example", "dns:*.xn--strae-oqa.example"),
        ("ann@bücher.example", "email:ann@xn--bcher-kva.example"),
        ("spiffe://mesh/web", "uri:spiffe://mesh/web"),
        ("2001:DB8::1", "ip:2001:DB8::1"),
        ("dns:web.example", "dns:web.example"),
    ],
)
def test_names_are_asked_for_as_certificates_have_them(name, san):
    assert keymaking.san_of(name) == san
    key = keymaking.make("ecdsa-p256")
    csr = x509.load_pem_x509_csr(keymaking.request(key, common_name="", sans=[san]))
    assert len(csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value) == 1


@pytest.mark.parametrize("name", ["z\u200bw.example", "\u202eelpmaxe", "a\x1b[2J", "bü..cher"])
def test_names_that_mislead_are_refused_before_anything_is_made(name, tmp_path):
    with pytest.raises(Stop):
        keymaking.san_of(name)


def test_a_common_name_that_is_too_long_is_told_so():
    with pytest.raises(Stop, match="common name"):
        keymaking.request(keymaking.make("ecdsa-p256"), common_name="a" * 65, sans=[])


def test_a_private_key_named_in_place_of_the_request_is_not_sent(server, tmp_path):
    key = tmp_path / "web.key"
    key.write_bytes(keymaking.pem_of(keymaking.make("ecdsa-p256")))

    result = outside(
        "request", "--csr", key, "--profile", "p", "--owner", "o", "--issuer", "i",
        CERTCTL_URL=f"http://127.0.0.1:{server.server_port}", CERTCTL_API_KEY=SECRET,
    )  # fmt: skip

    assert result.exit_code == 2
    assert server.asked == []


def test_a_secret_that_is_shown_once_has_its_place_before_it_is_asked_for(tmp_path):
    place = tmp_path / "key"

    def refused():
        with files.reserved(place):
            assert place.stat().st_mode & 0o777 == 0o600
            raise Stop("no right")

    with pytest.raises(Stop, match="no right"):
        refused()
    assert not place.exists()

    with files.reserved(place) as reserved:
        reserved.write("secret")
    assert place.read_text() == "secret\n"
    with pytest.raises(Stop, match="is there already"), files.reserved(place):
        pass


def test_what_is_no_export_of_the_trail_is_told_so_and_offline_needs_no_login(tmp_path):
    file = tmp_path / "trail.jsonl"
    file.write_text("sequence,at\n")

    result = outside("audit", "verify", "--offline", file)

    assert result.exit_code == 2
    assert "is no export" in result.stderr


def commands(command, words=()):
    if isinstance(command, click.Group) and command.name not in {"list", "get"}:
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            yield from commands(command.get_command(ctx, name), (*words, name))
    else:
        yield words, command


def test_the_help_of_every_command_has_an_example():
    without = [words for words, one in commands(cli) if "certctl " not in (one.epilog or "")]

    assert without == []


def test_a_key_is_written_for_its_owner_alone_before_anything_is_asked(server, home, monkeypatch):
    file = home / "work" / "web.example.internal.key"
    seen = []

    def send(self, method, path, **said):
        seen.append((method, file.stat().st_mode & 0o777 if file.exists() else None))
        raise Stop("away")

    monkeypatch.setattr(Api, "send", send)
    outside(
        "request", "web.example.internal", "--profile", "p", "--owner", "o", "--issuer", "i",
        CERTCTL_URL=f"http://127.0.0.1:{server.server_port}", CERTCTL_API_KEY=SECRET,
    )  # fmt: skip

    assert seen == [("POST", 0o600)]

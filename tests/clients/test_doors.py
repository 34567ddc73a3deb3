"""Contexts and what comes back: keys go to one server alone, and no answer is taken on trust."""

import json
import os
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from certctl_cli import contexts, files
from certctl_cli.api import Api
from certctl_cli.contexts import Context
from certctl_cli.errors import Stop
from certctl_cli.text import harmless
from tests.clients.answering import ME, SECRET, serve
from tests.clients.conftest import CLIENT, Shell, outside

PROBLEM = {"Content-Type": "application/problem+json"}


def test_a_redirect_is_not_followed_with_the_key(server, api):
    other = serve()
    server.answers.append((302, {"Location": f"http://127.0.0.1:{other.server_port}/"}, b""))

    with pytest.raises(Stop, match="a key is not taken there"):
        api.get("me/")

    assert not other.asked
    other.shutdown()
    other.server_close()


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/html", b"<h1>Welcome"), ("application/json", b"{broken"), ("", b"")],
)
def test_what_is_no_answer_of_ours_is_told_so(server, api, kind, body):
    server.answers.append((200, {"Content-Type": kind}, body))

    with pytest.raises(Stop, match="not one of certctl's"):
        api.get("me/")


def test_an_error_page_of_a_proxy_is_told_so(server, api):
    server.answers += [(502, {"Content-Type": "text/html"}, b"<h1>Bad")] * 4

    with pytest.raises(Stop, match="502"):
        api.get("me/")
    assert len(server.asked) == 4


def test_reading_is_tried_again_and_asking_only_with_a_key_for_it(server, api):
    busy = (503, {"Content-Type": "text/plain", "Retry-After": "0"}, b"")
    server.answers += [busy, busy]
    assert api.get("me/") == {}

    server.answers.append(busy)
    with pytest.raises(Stop):
        api.post("certificates/", {})
    assert len(server.asked) == 4

    server.answers.append(busy)
    assert api.post("certificates/", {}, once="1") == {}


def test_words_of_a_server_cannot_steer_the_terminal(server, api):
    problem = {"status": 400, "code": "invalid", "detail": "no \x1b]0;pwned\x07", "errors": []}
    server.answers.append((400, PROBLEM, json.dumps(problem).encode()))

    with pytest.raises(Stop) as caught:
        api.get("me/")

    assert caught.value.exit_code == 2
    assert "\x1b" not in caught.value.message
    assert "\\x1b]0;pwned" in caught.value.message


@pytest.mark.parametrize(
    ("status", "exit_"), [(400, 2), (401, 3), (403, 3), (404, 4), (409, 5), (412, 5), (500, 1)]
)
def test_the_exit_status_says_what_it_was(server, api, status, exit_):
    server.answers.append((status, PROBLEM, b'{"detail": "no", "code": "x"}'))

    with pytest.raises(Stop) as caught:
        api.get("me/")

    assert caught.value.exit_code == exit_


def test_a_server_that_is_away_is_told_in_words():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    api = Api(Context("x", f"http://127.0.0.1:{port}", SECRET), pause=lambda seconds: None)

    with pytest.raises(Stop, match="gives no answer"):
        api.get("me/")


# --- Logging in ------------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path):
    """A TLS server whose certificate no machine knows."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", tmp_path / "k.pem", "-out", tmp_path / "c.pem", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
    server = serve(context)
    server.certificate = tmp_path / "c.pem"
    yield server
    server.shutdown()
    server.server_close()


def test_an_unknown_certificate_is_not_trusted_and_gets_no_key(tls):
    result = outside("login", f"https://127.0.0.1:{tls.server_port}")

    assert result.exit_code == 1
    assert "--ca-file" in result.stderr
    assert not tls.asked


def test_a_ca_file_is_kept_with_the_context(tls, home):
    tls.answers += [ME, ME]
    url = f"https://127.0.0.1:{tls.server_port}"

    result = outside("login", url, "--ca-file", str(tls.certificate), "--name", "here")

    assert result.exit_code == 0, result.output
    tls.certificate.unlink()
    kept = contexts.load()
    assert kept.current == "here"
    assert stat.S_IMODE(contexts.place().stat().st_mode) == 0o600
    with Api(contexts.chosen(None)) as api:
        assert api.get("me/")["username"] == "alice"


def test_a_fingerprint_is_compared_before_the_key_is_sent(tls):
    tls.answers.append(ME)
    url = f"https://127.0.0.1:{tls.server_port}"
    der = ssl.PEM_cert_to_DER_cert(tls.certificate.read_text())
    from hashlib import sha256  # noqa: PLC0415

    wrong = outside("login", url, "--fingerprint", "00" * 32)
    assert wrong.exit_code == 3
    assert not tls.asked
    right = outside("login", url, "--fingerprint", sha256(der).hexdigest().upper())

    assert right.exit_code == 0, right.output


def test_a_key_is_not_sent_without_tls_but_to_this_machine():
    result = outside("login", "http://certctl.example.internal")

    assert result.exit_code == 2
    assert "https://" in result.stderr


def test_a_file_that_others_can_read_is_not_used(server, home):
    server.answers.append(ME)
    assert outside("login", f"http://127.0.0.1:{server.server_port}").exit_code == 0
    contexts.place().chmod(0o644)

    result = outside("list", "jobs")

    assert result.exit_code == 3
    assert "chmod 600" in result.stderr
    assert len(server.asked) == 1


def test_contexts_are_listed_chosen_and_removed(server, home):
    server.answers += [ME, ME]
    for name in ("one", "two"):
        url = f"http://127.0.0.1:{server.server_port}"
        assert outside("login", url, "--name", name).exit_code == 0

    assert SECRET not in outside("context", "list").stdout
    assert outside("context", "use", "one").exit_code == 0
    assert contexts.load().current == "one"
    assert outside("context", "use", "three").exit_code == 4
    assert outside("context", "remove", "one").exit_code == 0
    assert list(contexts.load().contexts) == ["two"]


def test_a_broken_file_is_told_and_quotes_no_key(home):
    contexts.place().parent.mkdir(parents=True)
    contexts.place().write_text('{"contexts": {"x": {"api_key": "certctl_secret"')
    contexts.place().chmod(0o600)

    result = outside("list", "jobs")

    assert result.exit_code == 1
    assert "certctl_secret" not in result.output


def test_whoever_is_not_logged_in_is_told_how(home):
    assert "certctl login" in outside("list", "jobs").stderr


def test_what_is_no_key_is_not_kept(server, home):
    shell = Shell("", "")
    url = f"http://127.0.0.1:{server.server_port}"

    result = shell("login", url, "--key-file", "-", input="hunter2\n", CERTCTL_URL="")

    assert result.exit_code == 2
    assert not contexts.place().exists()
    assert not server.asked


def test_doctor_says_what_is_wrong(server, home):
    server.answers.append(ME)
    assert outside("login", f"http://127.0.0.1:{server.server_port}").exit_code == 0
    server.answers += [
        (200, {"Content-Type": "application/json"}, b"{}"),
        (401, PROBLEM, b'{"detail": "This is not a valid API key.", "code": "invalid_key"}'),
    ]

    result = outside("doctor", CERTCTL_API_KEY="")

    assert result.exit_code == 1
    assert "BAD  key: This is not a valid API key." in result.stdout


# --- Files and pipes -------------------------------------------------------------------------


def test_a_private_file_is_its_owners_alone_whatever_the_umask(home):
    before = os.umask(0)
    try:
        files.write(Path("key.pem"), b"x", private=True)
    finally:
        os.umask(before)

    assert stat.S_IMODE(Path("key.pem").stat().st_mode) == 0o600
    assert [one.name for one in Path().iterdir()] == ["key.pem"]


def test_a_link_is_replaced_and_not_followed(home):
    Path("aim").write_text("aim")
    Path("link").symlink_to("aim")

    with pytest.raises(Stop):
        files.write(Path("link"), b"x")
    files.write(Path("link"), b"x", replace=True)

    assert Path("aim").read_text() == "aim"
    assert not Path("link").is_symlink()


def test_a_full_disk_leaves_nothing_half_written(home, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(Stop, match="No space"):
        files.write(Path("key.pem"), b"x", private=True)
    assert not list(Path().iterdir())


def test_a_pipe_that_closes_early_is_no_traceback(server):
    rows = [{"id": str(number), "name": "n" * 200} for number in range(2000)]
    body = json.dumps({"results": rows, "next": None}).encode()
    server.answers.append((200, {"Content-Type": "application/json"}, body))

    told = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m certctl_cli list owners -o json | head -1"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(CLIENT), "CERTCTL_API_KEY": SECRET,
             "CERTCTL_URL": f"http://127.0.0.1:{server.server_port}"},
    )  # fmt: skip

    assert "Traceback" not in told.stderr
    assert told.stdout.startswith("[")


def test_help_reads_neither_http_nor_cryptography():
    code = (
        "import sys; from certctl_cli.__main__ import cli\n"
        "try: cli(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'httpx', 'cryptography', 'rich', 'yaml'} & set(sys.modules)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(CLIENT)},
    )  # fmt: skip

    assert told.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(shell):
    result = outside("completion", shell)

    assert result.exit_code == 0, result.output
    assert "_CERTCTL_COMPLETE" in result.stdout


def test_text_is_made_harmless():
    assert harmless("plain é ✓") == "plain é ✓"
    assert harmless("a\x1b[2Jb\x9b\u202e\u200b\u2028") == r"a\x1b[2Jb\x9b\u202e\u200b\u2028"

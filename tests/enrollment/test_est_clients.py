"""EST with curl and openssl, through the nginx that we ship, against a running server."""

import http.client
import re
import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import certificates.services
from audit.models import Event
from certificates.models import Version
from jobs import runner
from jobs import services as job_services
from jobs.approvals import review
from jobs.models import Job
from tests.enrollment.conftest import DEVICE, OTHER
from tests.enrollment.est_client import basic, body_of, escaped
from tests.fixtures import make_csr
from tests.shipped_nginx import shipped_nginx

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.takes(40)]


def run(*command, folder, stdin=None):
    """Run a program; what it printed."""
    ended = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, input=stdin, timeout=60
    )
    return ended.stdout


@dataclass
class Answer:
    status: int
    headers: str
    body: bytes


@dataclass
class Device:
    """What stands on a device: curl, openssl, and a folder."""

    folder: Path
    port: int
    front: Path

    def key(self, name=DEVICE, *, file="device"):
        """Make a key and a request, as the documentation says."""
        run(
            *("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", f"{file}.key", "-subj", f"/CN={name}"),
            *("-addext", f"subjectAltName=DNS:{name}", "-outform", "DER", "-out", f"{file}.der"),
            folder=self.folder,
        )
        run("openssl", "base64", "-in", f"{file}.der", "-out", f"{file}.p10", folder=self.folder)

    def curl(self, operation, *options, label="cams", url=None):
        """Send a request; the answer."""
        for name in ("head", "answer"):
            (self.folder / name).unlink(missing_ok=True)
        run(
            *("curl", "--silent", "--show-error", "--cacert", self.front / "ca.pem"),
            *("--connect-to", f"certctl.test:8443:127.0.0.1:{self.port}"),
            *("--dump-header", "head", "--output", "answer", *options),
            url or f"https://certctl.test:8443/.well-known/est/{label}/{operation}",
            folder=self.folder,
        )
        head = (self.folder / "head").read_text()
        answer = self.folder / "answer"
        body = answer.read_bytes() if answer.exists() else b""
        return Answer(int(re.findall(r"HTTP/\S+ (\d+)", head)[-1]), head, body)

    def enroll(self, operation="simpleenroll", *options, file="device", **more):
        return self.curl(
            operation,
            *("--header", "Content-Type: application/pkcs10", "--data-binary", f"@{file}.p10"),
            *options,
            **more,
        )

    def keep(self, answer, file="device"):
        """Take the certificate out of the answer, with openssl."""
        assert answer.status == 200, answer.body
        (self.folder / f"{file}.p7").write_bytes(answer.body)
        der = run("openssl", "base64", "-d", "-in", f"{file}.p7", folder=self.folder)
        pem = run(
            "openssl", "pkcs7", "-inform", "DER", "-print_certs", folder=self.folder, stdin=der
        )
        assert pem.count(b"BEGIN CERTIFICATE") == 1
        (self.folder / f"{file}.crt").write_bytes(pem)


@pytest.fixture
def device(web, nginx_binary, tmp_path, monkeypatch):
    """A device, the front, and the server behind it."""
    monkeypatch.setenv("CERTCTL_TLS_FRONTS", "127.0.0.1")
    monkeypatch.setenv("CERTCTL_TRUSTED_PROXIES", "1")
    monkeypatch.setenv("CERTCTL_HTTPS", "true")
    server = web()
    front, folder = tmp_path / "front", tmp_path / "device"
    front.mkdir()
    folder.mkdir()
    with shipped_nginx(nginx_binary, front, server.port) as ports:
        made = Device(folder, ports[2], front)
        made.web, made.ports = server, ports
        yield made


def shown(file="device"):
    return ("--cert", f"{file}.crt", "--key", f"{file}.key")


def as_user(made, user=DEVICE):
    return ("--user", f"{user}:{made.text}")


def test_a_device_asks_waits_is_approved_and_collects(device, slow_label, secret_for, bob):
    made, at = secret_for(slow_label), {"label": slow_label.path}
    device.key()
    answer = device.enroll("simpleenroll", *as_user(made), **at)
    assert answer.status == 202
    assert re.search(r"(?im)^retry-after: \d+", answer.headers)

    job = Job.objects.get()
    job_services.approve_job(job_id=job.pk, actor=bob, digest=review(job).digest)
    device.keep(device.enroll("simpleenroll", *as_user(made), **at))

    assert Version.objects.get().device == f"est/{slow_label.path}/{DEVICE}"


def test_a_device_enrolls_and_renews_by_mutual_tls(device, label, secret_for, bob):
    device.key()
    device.keep(device.enroll("simpleenroll", *as_user(secret_for(label))))
    device.key(file="next")

    device.keep(device.enroll("simplereenroll", *shown(), file="next"), "next")
    first, second = Version.objects.order_by("number")

    assert first.certificate == second.certificate
    assert second.key_fingerprint != first.key_fingerprint
    event = Event.objects.filter(action="enrollment.collect").last()
    assert (event.door, event.remote_address) == ("est", "127.0.0.1")

    # Another device's request, and then one by a revoked certificate.
    device.key(OTHER, file="other")
    assert device.enroll("simplereenroll", *shown("next"), file="other").status == 403
    certificates.services.revoke(version_id=second.pk, actor=bob, reason="keyCompromise")
    device.key(file="third")
    assert device.enroll("simplereenroll", *shown("next"), file="third").status == 401
    assert device.enroll("simpleenroll", *shown("next"), file="third").status == 401
    assert Version.objects.count() == 2


def test_a_rejected_device_is_told_why_and_a_wrong_credential_is_401(
    device, slow_label, secret_for, bob
):
    made, at = secret_for(slow_label), {"label": slow_label.path}
    device.key()
    wrong = device.enroll(
        "simpleenroll", "--user", f"{DEVICE}:{made.credential.prefix}-{'a' * 32}", **at
    )
    assert wrong.status == 401
    assert re.search(r"(?im)^www-authenticate: basic ", wrong.headers)
    assert device.enroll("simpleenroll", **at).status == 401
    assert device.enroll("simpleenroll", *as_user(made), **at).status == 202
    job_services.reject_job(job_id=Job.objects.get().pk, actor=bob, reason="not ours")

    answer = device.enroll("simpleenroll", *as_user(made), **at)

    assert (answer.status, answer.body) == (403, b"The request was rejected: not ours\n")


def test_the_ca_certificates_verify_what_was_issued(device, label, secret_for):
    answer = device.curl("cacerts")
    assert answer.status == 200
    der = run("openssl", "base64", "-d", folder=device.folder, stdin=answer.body)
    cas = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", folder=device.folder, stdin=der)
    (device.folder / "cas.pem").write_bytes(cas)
    device.key()
    device.keep(device.enroll("simpleenroll", *as_user(secret_for(label))))

    verified = run("openssl", "verify", "-CAfile", "cas.pem", "device.crt", folder=device.folder)

    assert b"OK" in verified
    assert device.curl("csrattrs").status == 200


def test_who_does_not_come_through_the_front_is_believed_nothing(device, label, secret_for):
    device.key()
    device.keep(device.enroll("simpleenroll", *as_user(secret_for(label))))
    device.key(file="next")
    header = f"X-SSL-Client-Cert: {escaped(Version.objects.get().pem)}"
    straight = f"http://127.0.0.1:{device.web.port}/.well-known/est/cams/simplereenroll"
    elsewhere = ("--interface", "127.0.0.2", "--header", "X-Forwarded-Proto: https")

    past = device.enroll(
        "simplereenroll", *elsewhere, "--header", header, file="next", url=straight
    )
    plain = device.enroll("simplereenroll", file="next", url=straight)
    through = device.enroll("simplereenroll", "--header", header, file="next")
    # Under the server's gateway such a name is the other one, so it is the front that drops it.
    underscored = device.enroll(
        "simplereenroll", "--header", header.replace("-", "_", 3), file="next"
    )

    assert (past.status, plain.status, through.status) == (403, 404, 403)
    assert b"https" in plain.body
    assert underscored.status == 403
    assert Version.objects.count() == 1


def test_old_and_odd_clients_are_answered(device, label, secret_for):
    device.key()
    made = secret_for(label)
    binary = ("--header", "Content-Type:", "--data-binary", "@device.der")
    raw = device.curl("simpleenroll", *binary, *as_user(made), "--http1.0", "--header", "Host:")
    assert raw.status in {200, 400}  # nginx refuses a request without Host from HTTP/1.1 on
    assert device.curl("simpleenroll", *binary, *as_user(made)).status == 200
    chunked = ("--header", "Transfer-Encoding: chunked")
    assert device.enroll("simpleenroll", *chunked, *as_user(made)).status == 200
    (device.folder / "huge").write_bytes(b"A" * 200_000)
    huge = device.curl("simpleenroll", *binary[:3], "@huge", *as_user(made))
    assert huge.status == 413
    assert Version.objects.count() == 1


def test_http_1_0_without_a_host_and_a_body_that_stops_are_no_500(device, label):
    def talk(*parts):
        context = ssl.create_default_context(cafile=device.front / "ca.pem")
        with (
            socket.create_connection(("127.0.0.1", device.port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname="certctl.test") as line,
        ):
            line.sendall(b"".join(parts))
            response = http.client.HTTPResponse(line)
            response.begin()
            return response.status

    path = b"/.well-known/est/cams/"
    assert talk(b"GET ", path, b"cacerts HTTP/1.0\r\n\r\n") == 200
    straight = socket.create_connection(("127.0.0.1", device.web.port), timeout=20)
    with straight:
        straight.sendall(
            b"POST " + path + b"simpleenroll HTTP/1.0\r\n"
            b"X-Forwarded-Proto: https\r\nContent-Length: 400\r\n\r\nMII"
        )
        straight.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(straight)
        try:
            response.begin()
        except (http.client.BadStatusLine, ConnectionError):
            return  # nobody is there to be answered
        assert response.status == 400


def test_a_key_is_made_for_a_device_and_openssl_reads_it(
    device, make_label, free_device_profile, secret_for
):
    label = make_label("keyed", free_device_profile, server_keys=True)
    device.key()

    answer = device.enroll("serverkeygen", *as_user(secret_for(label)), label="keyed")

    assert answer.status == 200
    boundary = re.search(r"boundary=(\w+)", answer.headers)[1].encode()
    key = answer.body.split(b"--" + boundary)[1].partition(b"\r\n\r\n")[2]
    (device.folder / "made.b64").write_bytes(key)
    der = run("openssl", "base64", "-d", "-in", "made.b64", folder=device.folder)
    pem = run("openssl", "pkey", "-inform", "DER", "-pubout", folder=device.folder, stdin=der)
    assert pem.startswith(b"-----BEGIN PUBLIC KEY-----")
    assert runner.run_pending() == 0


@pytest.mark.parametrize("keys", ["one", "ten"])
def test_ten_who_ask_at_once_by_one_credential_get_one_certificate(device, label, secret_for, keys):
    """The same request is answered to all; of ten requests one is, and the rest are refused."""
    made = secret_for(label)
    csrs = [make_csr(DEVICE) for _ in range(10)] if keys == "ten" else [make_csr(DEVICE)] * 10
    headers = {
        "Authorization": basic(made.text, DEVICE),
        "X-Forwarded-Proto": "https",
        "Content-Type": "application/pkcs10",
    }

    def ask(csr):
        path = "/.well-known/est/cams/simpleenroll"
        for _ in range(20):  # as a device does that is told to come again
            status, _, body = device.web.ask(path, body=body_of(csr), headers=headers)
            if status not in {202, 409, 503}:
                break
            time.sleep(0.3)
        return status, body

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(ask, csrs))

    assert Version.objects.count() == 1
    assert Job.objects.count() == 1
    statuses = sorted(status for status, _ in answers)
    assert statuses == ([200] * 10 if keys == "one" else [200] + [401] * 9)
    assert len({body for status, body in answers if status == 200}) == 1

"""The nginx.conf that we ship, in a real nginx, in front of a server that tells what came."""

import http.client
import re
import socket
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from enrollment import client_cert
from tests.ca import two_tiers
from tests.shipped_nginx import shipped_nginx

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024


class Echo(BaseHTTPRequestHandler):
    """Notes each request as it came off the wire."""

    seen: list["Echo"] = []
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append(self)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = answer  # noqa: N815 - the standard library's names

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def upstream():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        server.block_on_close = False  # nginx keeps its connections open
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def nginx(upstream, nginx_binary, tmp_path_factory):
    """The ports of nginx: plain, TLS, and TLS for devices."""
    with shipped_nginx(nginx_binary, tmp_path_factory.mktemp("nginx"), upstream) as ports:
        yield ports


@pytest.fixture
def ask(nginx):
    """Send a request as it is: no library tidies its path."""
    Echo.seen.clear()

    def send(path, *, tls=False, method="GET", body=None, **headers):
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection = http.client.HTTPSConnection("127.0.0.1", nginx[1], context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", nginx[0])
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            response.read()
        finally:
            connection.close()
        return response

    return send


OCSP_PATH = "/.well-known/pki/ocsp/x/MEUw//A%2FB%2B%3D"


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    "path",
    [
        OCSP_PATH,
        OCSP_PATH.replace(".well-known/pki", "trust"),
        "/crl/x",
        "/.well-known/pki/ocsp/x/%2f%2F//a/%41%20+=",
        "/.well-known/pki/crl/x.crl?a=//",
    ],
)
def test_a_relying_party_s_path_arrives_byte_for_byte(ask, tls, path):
    assert ask(path, tls=tls).status == 200
    assert [request.path for request in Echo.seen] == [path]


def test_people_s_browsers_may_speak_http_2(nginx):
    """In the words of the oldest nginx that is supported."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", nginx[1]), timeout=5) as plain,
        context.wrap_socket(plain) as secure,
    ):
        assert secure.selected_alpn_protocol() == "h2"


def test_an_ocsp_request_may_be_posted_by_plain_http(ask):
    assert ask("/.well-known/pki/ocsp/x", method="POST", body=b"0" * 100).status == 200


@pytest.mark.parametrize("path", ["/scep", "/scep?operation=GetCACaps", "/scep/cams/pkiclient.exe"])
def test_scep_is_answered_by_plain_http(ask, path):
    assert ask(path).status == 200
    assert [request.path for request in Echo.seen] == [path]


def device(nginx, folder, path, *, shown=True, port=2, **headers):
    """Come as a device that shows a certificate of its own; return the status."""
    certified = two_tiers().certify("cam-1.test")
    (folder / "cam.pem").write_text(certified.served_pem)
    (folder / "cam.key").write_bytes(certified.key_pem)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if shown:
        context.load_cert_chain(folder / "cam.pem", folder / "cam.key")
    connection = http.client.HTTPSConnection("127.0.0.1", nginx[port], context=context)
    Echo.seen.clear()
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status, certified
    finally:
        connection.close()


CLAIMS = {
    "X-SSL-Client-Cert": "mine",
    "X_SSL_Client_Cert": "mine",
    "X-SSL-Client-DER": "mine",
    "Client-Cert": ":bWluZQ==:",
    "Client-Cert-Chain": ":bWluZQ==:",
    "X-TLS-Unique": "bWluZQ==",
}


def test_a_device_s_certificate_is_handed_on_whoever_signed_it(nginx, tmp_path):
    status, certified = device(nginx, tmp_path, "/.well-known/est/cacerts", **CLAIMS)

    assert status == 200
    headers = Echo.seen[0].headers
    (text,) = headers.get_all("X-SSL-Client-Cert")
    assert client_cert.from_nginx(text) == ssl.PEM_cert_to_DER_cert(certified.leaf_pem)
    assert not [name for name in CLAIMS if name != "X-SSL-Client-Cert" and headers[name]]


@pytest.mark.parametrize("port", [1, 2])
def test_no_client_says_itself_which_certificate_it_shows(nginx, tmp_path, port):
    """Nor does anybody who comes to the server for people, with a certificate or without one."""
    for shown in {port == 1, False}:
        status, _ = device(
            nginx, tmp_path, "/.well-known/est/cacerts", shown=shown, port=port, **CLAIMS
        )
        assert status == 200
        assert not [name for name in CLAIMS if Echo.seen[0].headers[name]]


def test_nor_does_anybody_by_plain_http(ask):
    ask("/scep", **CLAIMS)

    assert not [name for name in CLAIMS if Echo.seen[0].headers[name]]
    assert Echo.seen[0].headers["X-Forwarded-Proto"] == "http"


def test_devices_find_nothing_but_est_at_their_port(nginx, tmp_path):
    for path in ("/", "/api/v1/jobs/", "/admin/login/", "/scep", "/.well-known/estx"):
        assert device(nginx, tmp_path, path)[0] == 404
        assert Echo.seen == []


@pytest.mark.parametrize("path", ["/", "/api/v1/jobs", "/.well-known/other", "/ready", "/scepx"])
def test_anything_else_by_plain_http_is_sent_to_https(ask, path):
    response = ask(path, Host="certctl.test")
    assert response.status == 301
    assert response.headers["Location"] == f"https://certctl.test{path}"
    assert Echo.seen == []


def test_a_body_over_1_mib_is_refused(ask):
    assert ask("/api/v1/jobs", tls=True, method="POST", body=b"0" * MIB).status == 200
    assert ask("/api/v1/jobs", tls=True, method="POST", body=b"0" * (2 * MIB)).status == 413
    assert len(Echo.seen) == 1


def test_files_to_import_may_have_16_mib_there_and_nowhere_else(ask):
    there = "/admin/certificates/certificate/import/"
    assert ask(there, tls=True, method="POST", body=b"0" * (16 * MIB)).status == 200
    assert ask(there, tls=True, method="POST", body=b"0" * (16 * MIB + 1)).status == 413
    assert ask(f"{there}x/", tls=True, method="POST", body=b"0" * (2 * MIB)).status == 413


def test_what_a_client_claims_about_itself_is_overwritten(ask):
    claims = {
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.test",
        "Forwarded": "for=192.0.2.1",
        "X-Request-ID": "chosen-by-the-client",
    }
    ask("/", tls=True, **claims)
    headers = Echo.seen[0].headers
    assert headers.get_all("X-Forwarded-For") == ["127.0.0.1"]
    assert headers.get_all("X-Forwarded-Proto") == ["https"]
    assert headers["X-Forwarded-Host"] is None
    assert headers["Forwarded"] is None
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-ID"])


def test_the_metrics_are_not_for_the_outside(ask):
    assert ask("/metrics", tls=True).status == 404
    assert Echo.seen == []


def test_the_compose_file_names_what_is_there():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = compose["services"]
    ours = {"migrate", "web", "worker", "sweeper", "beat"}
    assert set(services) == {"postgres", "redis", "nginx"} | ours
    for name, service in services.items():
        assert service.get("read_only"), name
        for needed in service.get("depends_on", {}):
            assert needed in services
    asked = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    example = (ROOT / "deploy" / "env.example").read_text()
    assert set(re.findall(r"(?m)^(\w+)=", example)) == asked
    assert not re.search(r"(?m)^\w+=.", example), "an example must not hold a value"

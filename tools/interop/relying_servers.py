"""Servers that ask for themselves: nginx staples, Apache checks its clients; curl believes them."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from certctl.demo.programs import NGINX
from tests import servers
from tools.interop.checks import Check
from tools.interop.packages import PATH
from tools.interop.running import Ended, run
from tools.interop.standing import GOOD, HOLD, NEVER, REVOKED, Authority, Subject, authorities
from tools.served import Served

OK, NOT_STAPLED = 0, 91  # curl's: CURLE_SSL_INVALIDCERTSTATUS
# Seconds for nginx to fetch what it staples: its first client does not wait for that.
PATIENCE = 10.0
MODULES = "/usr/lib/apache2/modules"

NGINX_SERVER = """
server {{
  listen 127.0.0.1:{port} ssl;
  server_name {name};
  ssl_certificate {served};
  ssl_certificate_key {key};
  ssl_trusted_certificate {trusted};
  ssl_stapling on;
  ssl_stapling_verify on;
  return 204;
}}
"""
# SSLOCSPEnable with all its defaults: a nonce that must come back, the whole chain, no other trust.
APACHE = """
ServerRoot {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
LogLevel ssl:info
ServerName {name}
Listen 127.0.0.1:{port}
User www-data
Group www-data
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule status_module {modules}/mod_status.so
LoadModule ssl_module {modules}/mod_ssl.so
SSLEngine on
SSLCertificateFile {served}
SSLCertificateKeyFile {key}
SSLCACertificateFile {root}
SSLVerifyClient require
SSLVerifyDepth 3
SSLOCSPEnable on
<Location "/">
  SetHandler server-status
  Require all granted
</Location>
"""
SAID_BY_NGINX = {
    REVOKED: 'certificate status "revoked" in the OCSP response',
    HOLD: 'certificate status "revoked" in the OCSP response',
    NEVER: "OCSP response not successful (6: unauthorized)",
}
SAID_BY_APACHE = {
    GOOD: "certificate status: good",
    REVOKED: "certificate status: revoked (1, 4)",
    HOLD: "certificate status: revoked (1, 6)",
    NEVER: "OCSP response not successful: 6",
}
SAID_BY_CURL = {
    REVOKED: "revocation reason: superseded",
    HOLD: "revocation reason: certificateHold",
}


@dataclass(frozen=True, slots=True)
class Running:
    """A server: its port and what it logs."""

    port: int
    log: Path


def nginx_staples(installation: Served, folder: Path) -> None:
    """Staple what is good, and verified; say of the others why there is nothing to staple."""
    for authority in authorities(installation.folder):
        with _nginx(authority, folder / authority.slug) as nginx:
            _until_stapled(authority, authority.of(GOOD), nginx)
            for standing, words in SAID_BY_NGINX.items():
                subject = authority.of(standing)
                _until_logged(nginx.log, words, str(subject.served))
                _handshake(authority, subject, nginx.port, "--cert-status").expect(NOT_STAPLED)


def curl_believes_what_is_stapled(installation: Served, folder: Path) -> None:
    """Have openssl staple each of our answers, bad ones too, and curl judge them."""
    for authority in authorities(installation.folder):
        for standing in (GOOD, REVOKED, HOLD):
            subject = authority.of(standing)
            with _stapling(authority, subject, folder / f"{authority.slug}-{standing}") as port:
                ended = _handshake(authority, subject, port, "--cert-status")
            ended.expect(OK if standing == GOOD else NOT_STAPLED)
            if SAID_BY_CURL.get(standing, "") not in ended.said:
                raise AssertionError(f"{standing}: {ended.said}")


def apache_checks_its_clients(installation: Served, folder: Path) -> None:
    """Let in the client whose certificate, and whose CA's, is good; and tell why of the others."""
    for authority in authorities(installation.folder):
        with _apache(authority, folder / authority.slug) as apache:
            for subject in authority.subjects:
                shown = ("--cert", str(subject.served), "--key", str(subject.key))
                ended = _handshake(authority, authority.of(GOOD), apache.port, *shown)
                _until_logged(apache.log, SAID_BY_APACHE[subject.standing], "")
                if (ended.status == OK) != (subject.standing == GOOD):
                    raise AssertionError(
                        f"{subject.standing}: curl ended with {ended.status}: "
                        f"{apache.log.read_text(errors='replace')[-1500:]}"
                    )


def _handshake(authority: Authority, server: Subject, port: int, *options: str) -> Ended:
    return run(
        *("curl", "--silent", "--show-error", "--cacert", str(authority.root), *options),
        *("--resolve", f"{server.name}:{port}:127.0.0.1", "--output", "/dev/null"),
        f"https://{server.name}:{port}/",
        folder=authority.root.parent,
    )


@contextmanager
def _nginx(authority: Authority, folder: Path) -> Iterator[Running]:
    folder.mkdir()
    port, log = servers.free_port(), folder / "error.log"
    trusted = folder / "trusted.pem"
    trusted.write_text(authority.issuing.read_text() + authority.root.read_text())
    blocks = [
        NGINX_SERVER.format(
            port=port, name=one.name, served=one.served, key=one.key, trusted=trusted
        )
        for one in authority.subjects
    ]
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {log} info;\n"
        f"events {{}}\nhttp {{ access_log off; {''.join(blocks)} }}\n"
    )
    command: list[str | Path] = [NGINX.get(), "-p", folder, "-e", log, "-c", config]
    with _running(command, folder, port):
        yield Running(port, log)


@contextmanager
def _stapling(authority: Authority, subject: Subject, folder: Path) -> Iterator[int]:
    folder.mkdir()
    run(
        *("openssl", "ocsp", "-issuer", authority.issuing, "-cert", subject.certificate),
        *("-no_nonce", "-CAfile", authority.root, "-url", authority.ocsp_url),
        *("-respout", "answer.der"),
        folder=folder,
    ).expect(0)
    port = servers.free_port()
    command: list[str | Path] = [
        *("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", subject.certificate),
        *("-cert_chain", authority.issuing, "-key", subject.key, "-www", "-quiet"),
        *("-status_file", folder / "answer.der"),
    ]
    with _running(command, folder, port):
        yield port


@contextmanager
def _apache(authority: Authority, folder: Path) -> Iterator[Running]:
    folder.mkdir()
    port, log, config = servers.free_port(), folder / "error.log", folder / "apache.conf"
    served = authority.of(GOOD)
    config.write_text(
        APACHE.format(
            folder=folder,
            port=port,
            name=served.name,
            served=served.served,
            key=served.key,
            root=authority.root,
            modules=MODULES,
        )
    )
    with _running(["apache2", "-f", config, "-DFOREGROUND"], folder, port):
        yield Running(port, log)


@contextmanager
def _running(command: list[str | Path], folder: Path, port: int) -> Iterator[None]:
    with servers.process(
        [str(part) for part in command],
        owner=servers.Account(os.geteuid(), os.getegid()),
        log=folder / "output.log",
        ready=lambda: servers.listens(port),
        PATH=PATH,
    ):
        yield


def _until_stapled(authority: Authority, subject: Subject, server: Running) -> None:
    ends = time.monotonic() + PATIENCE
    while _handshake(authority, subject, server.port, "--cert-status").status != OK:
        if time.monotonic() > ends:
            raise AssertionError(f"nothing is stapled: {server.log.read_text()[-1500:]}")
        time.sleep(0.2)
    for one in authority.subjects:
        _handshake(authority, one, server.port, "--cert-status")  # so that it asks about each


def _until_logged(log: Path, *words: str) -> None:
    """Wait for a line that has all of these."""
    ends = time.monotonic() + PATIENCE
    while not any(
        all(word in line for word in words) for line in log.read_text(errors="replace").splitlines()
    ):
        if time.monotonic() > ends:
            raise AssertionError(f"no {words} in {log.read_text(errors='replace')[-1500:]}")
        time.sleep(0.1)


CHECKS = [
    Check("nginx", "staples what is good and nothing else", nginx_staples),
    Check("curl --cert-status", "believes what is stapled", curl_believes_what_is_stapled),
    Check(
        "Apache SSLOCSPEnable", "lets in who is good, by its defaults", apache_checks_its_clients
    ),
]

"""Certificates made here, a folder to deploy to, programs to start, and a real TLS server."""

import socket
import ssl
import threading
from contextlib import suppress

import pytest
from django.utils import timezone

from certificates.models import Version
from deployments import connectors, policy
from deployments.connectors.base import Material
from deployments.models import Target
from tests.ca import Certified, two_tiers
from tests.factories import CertificateFactory


def connector_for(kind, config):
    """Return a connector that may do what the settings allow this server."""
    return connectors.connector_for(kind, config, allowed=policy.here())


class Certificate(Certified):
    """One that can be handed to a connector."""

    def material(self, *, with_key=False, **changed):
        given = {
            "leaf_pem": self.leaf_pem,
            "chain_pem": self.chain_pem,
            "fingerprint": self.fingerprint,
            "key_fingerprint": self.key_fingerprint,
            "key_pem": self.key_pem if with_key else None,
        }
        return Material(**{**given, **changed})


@pytest.fixture(scope="session")
def authority():
    return two_tiers()


@pytest.fixture
def certify(authority):
    """Have a CA of the test's own sign: `certify("web.demo.internal", lifetime=…)`."""
    return lambda *hosts, **asked: Certificate(**vars(authority.certify(*hosts, **asked)))


@pytest.fixture
def site(tmp_path, settings):
    """The one folder that targets may be in."""
    folder = tmp_path / "site"
    folder.mkdir()
    settings.TARGET_ROOTS = [str(folder)]
    return folder


@pytest.fixture
def program(tmp_path, settings):
    """Make an allowed program of shell lines; it knows nothing but its arguments."""
    folder = tmp_path / "programs"
    folder.mkdir()
    settings.TARGET_COMMANDS = []

    def make(name, *lines):
        path = folder / name
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        path.chmod(0o755)
        settings.TARGET_COMMANDS = [*settings.TARGET_COMMANDS, str(path)]
        return str(path)

    return make


@pytest.fixture
def deploy_files(site):
    """Deploy with the file connector: `deploy_files(material, reload=[...])`."""

    def deploy(material, before_swap=lambda: None, kind="file", **config):
        config = {"certificate_path": str(site / "cert.pem"), **config}
        return connector_for(kind, config).deploy(material, before_swap=before_swap)

    return deploy


@pytest.fixture
def left_over(site):
    """What lies in the folder besides the files and their locks."""

    def look():
        return sorted(
            path.name
            for path in site.iterdir()
            if path.name.startswith(".") and not path.name.endswith(".certctl-lock")
        )

    return look


# --- Rows -----------------------------------------------------------------------------------


@pytest.fixture
def keep(db):
    """Keep a certificate as a version: `keep(certified, certificate=…)`."""

    def make(certified, certificate=None, **fields):
        certificate = certificate or CertificateFactory()
        before = certificate.versions.order_by("-number").first()
        if before is not None:
            before.superseded_at = timezone.now()
            before.save()
        version = Version.objects.create(
            certificate=certificate,
            number=before.number + 1 if before else 1,
            serial=f"{certified.certificate.serial_number:x}",
            subject=certified.certificate.subject.rfc4514_string(),
            sans=fields.pop("sans", ["dns:web.demo.internal"]),
            not_before=certified.certificate.not_valid_before_utc,
            not_after=certified.certificate.not_valid_after_utc,
            fingerprint=certified.fingerprint,
            key_fingerprint=certified.key_fingerprint,
            key_algorithm="ecdsa-p256",
            pem=certified.leaf_pem,
            chain_pem=certified.chain_pem,
            **fields,
        )
        certificate.current = version
        certificate.save()
        return version

    return make


@pytest.fixture
def target(db, site):
    return Target.objects.create(
        name="web", kind="file", config={"certificate_path": str(site / "cert.pem")}
    )


# --- A TLS server ---------------------------------------------------------------------------


class TlsServer:
    """Serves one certificate to whoever comes, and notes the names that were asked for."""

    def __init__(self, folder, address="127.0.0.1"):
        self.folder = folder
        self.names = []
        self.maximum = ssl.TLSVersion.TLSv1_3
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, 0), family=family)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def serve(self, certified):
        self.folder.mkdir(exist_ok=True)
        (self.folder / "cert.pem").write_text(certified.served_pem)
        (self.folder / "key.pem").write_bytes(certified.key_pem)

    def stop(self):
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def _run(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            with plain:
                plain.settimeout(5)
                with suppress(OSError), self._context().wrap_socket(plain, True) as secure:
                    secure.recv(1)

    def _context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "cert.pem", self.folder / "key.pem")
        context.maximum_version = self.maximum
        context.minimum_version = min(self.maximum, ssl.TLSVersion.TLSv1_2)
        context.sni_callback = lambda _, name, __: self.names.append(name)
        return context


@pytest.fixture
def tls_server(tmp_path, settings):
    settings.ALLOW_LOOPBACK_TARGETS = True
    server = TlsServer(tmp_path / "tls")
    yield server
    server.stop()

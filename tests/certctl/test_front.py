"""The demo's TLS front: the nginx.conf that we ship, and a certificate of the demo's own CA."""

import subprocess
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

import certificates.services
from certctl.demo import nginx_conf as module
from certctl.demo.bootstrap import bootstrap
from certctl.demo.front import LIFETIME, Front
from certctl.demo.nginx_conf import NoFront, Ports, arguments, config
from certificates.models import Version
from enrollment.models import Label
from issuers.x509 import certs
from owners.models import Principal

PORTS = Ports(plain=8080, people=8444, devices=8443)


def test_it_is_what_we_ship_with_other_ports_and_folders():
    shipped = module.SHIPPED.read_text().splitlines()
    ours = config(host="127.0.0.1", upstream="127.0.0.1:8000", ports=PORTS).splitlines()

    changed = {line.strip() for line in ours} - {line.strip() for line in shipped}

    assert changed == {
        "pid nginx.pid;",
        *(f"{one}_temp_path {one};" for one in ("proxy", "fastcgi", "uwsgi", "scgi")),
        "client_body_temp_path client;",
        "listen 127.0.0.1:8080 default_server;",
        "listen 127.0.0.1:8444 ssl http2 default_server;",
        "listen 127.0.0.1:8443 ssl default_server;",
        "server 127.0.0.1:8000;",
        "ssl_certificate tls.crt;",
        "ssl_certificate_key tls.key;",
        "root pki;",
    }


def test_a_shipped_file_that_says_it_otherwise_starts_nothing(tmp_path, monkeypatch):
    other = tmp_path / "nginx.conf"
    other.write_text(module.SHIPPED.read_text().replace("listen 8443 ", "listen 9443 "))
    monkeypatch.setattr(module, "SHIPPED", other)

    with pytest.raises(NoFront, match="listen 8443"):
        config(host="127.0.0.1", upstream="127.0.0.1:8000", ports=PORTS)


@pytest.fixture
def start(tmp_path, settings, nginx_binary):
    """Prepare the demo with its front, as each start does: `start(host)` is the front."""
    settings.VAR_DIR = tmp_path
    settings.TARGET_ROOTS = [str(tmp_path / "demo")]
    settings.ALLOW_LOOPBACK_TARGETS = True

    def prepare(host="127.0.0.1"):
        front = Front(
            binary=nginx_binary, folder=tmp_path / "a front", host=host, port=8000, ports=PORTS
        )
        bootstrap(base_url="http://127.0.0.1:8000", tls_port=8445, front=front)
        return front

    return prepare


def shown(front):
    return certs.load((front.folder / "tls.crt").read_text())


@pytest.mark.django_db
def test_nginx_takes_it_in_a_folder_with_a_space_in_its_name_and_on_ipv6(start):
    for host in ("127.0.0.1", "::1"):
        front = start(host)
        command = arguments(front.binary, front.folder, errors=front.folder / "error.log")
        checked = subprocess.run([*command, "-t"], check=False, capture_output=True, text=True)
        assert "syntax is ok" in checked.stderr, checked.stderr
        assert host in str(Version.objects.latest("created_at").sans)


@pytest.mark.django_db
def test_a_start_keeps_the_certificate_while_it_is_good(start):
    first = shown(start())
    assert shown(start()) == first

    bob = Principal.objects.get(username="bob")
    version = Version.objects.get(fingerprint=certs.fingerprint(first))
    certificates.services.revoke(version_id=version.pk, actor=bob, reason="superseded")
    second = shown(start())
    assert second != first

    with time_machine.travel(timezone.now() + LIFETIME - timedelta(days=6), tick=False):
        assert shown(start()) != second


@pytest.mark.django_db
def test_another_start_makes_no_second_label(start):
    start()
    labels = set(Label.objects.values_list("protocol", "path", "is_default"))
    start()

    assert set(Label.objects.values_list("protocol", "path", "is_default")) == labels
    assert labels == {("est", "demo", True), ("scep", "demo", True)}

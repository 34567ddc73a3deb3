"""A handshake shows what is served, and goes nowhere that it must not."""

import socket
import ssl
import threading
import time
from contextlib import suppress

import pytest
from django.conf import settings

from deployments.connectors import addresses, handshake
from foundation.errors import ConnectorError
from tests.deployments.conftest import TlsServer
from tests.servers import free_port


def look(port, name="web.demo.internal", host="127.0.0.1"):
    endpoint = handshake.Endpoint(host, port, name)
    return handshake.served_fingerprint(endpoint, loopback=settings.ALLOW_LOOPBACK_TARGETS)


def unreachable(port):
    with pytest.raises(handshake.Unreachable) as caught:
        look(port)
    return str(caught.value)


def test_it_shows_what_is_served(tls_server, certify):
    made = certify()
    tls_server.serve(made)

    assert look(tls_server.port) == made.fingerprint
    assert tls_server.names == ["web.demo.internal"]


def test_trust_is_not_asked_for(tls_server, certify):
    from datetime import timedelta  # noqa: PLC0415 - only here

    made = certify(lifetime=timedelta(days=-1))
    tls_server.serve(made)

    assert look(tls_server.port, name="something.else") == made.fingerprint


def test_no_name_is_sent_where_there_is_none(tls_server, certify):
    tls_server.serve(certify())

    look(tls_server.port, name="")

    assert tls_server.names == [None]


def test_ipv6_is_looked_at_too(tmp_path, settings, certify):
    settings.ALLOW_LOOPBACK_TARGETS = True
    try:
        server = TlsServer(tmp_path / "tls6", "::1")
    except OSError:
        pytest.skip("no IPv6 here")
    made = certify()
    server.serve(made)

    try:
        assert look(server.port, host="::1") == made.fingerprint
    finally:
        server.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_not_spoken(tls_server, certify):
    tls_server.serve(certify())
    tls_server.maximum = ssl.TLSVersion.TLSv1_1

    assert "TLS failed" in unreachable(tls_server.port)


def test_nobody_there(settings):
    settings.ALLOW_LOOPBACK_TARGETS = True

    assert "refused" in unreachable(free_port())


class Talker:
    """Answers with something that is not TLS, or with nothing."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        with suppress(OSError):
            connection, _ = self.listener.accept()
            with connection:
                self.answer(connection, self.over)

    def stop(self):
        self.over.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@pytest.fixture
def talker(settings):
    settings.ALLOW_LOOPBACK_TARGETS = True
    talkers = []

    def make(answer):
        talkers.append(Talker(answer))
        return talkers[-1].port

    yield make
    for each in talkers:
        each.stop()


def test_not_tls(talker):
    port = talker(lambda connection, _: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))

    assert "TLS failed" in unreachable(port)


def test_a_connection_that_is_closed(talker):
    assert unreachable(talker(lambda connection, _: None))


def test_silence_is_waited_for_no_longer_than_the_timeout(talker, monkeypatch):
    monkeypatch.setattr(handshake, "TIMEOUT", 0.3)
    port = talker(lambda _, over: over.wait(20))
    began = time.monotonic()

    assert "No answer" in unreachable(port)
    assert time.monotonic() - began < 5


def test_a_server_that_drips_gains_no_time(talker, monkeypatch):
    monkeypatch.setattr(handshake, "TIMEOUT", 0.5)

    def drip(connection, over):
        # The beginning of a TLS record of 16 kB, a byte at a time.
        for byte in b"\x16\x03\x03\x40\x00\x02" + b"\0" * 200:
            with suppress(OSError):
                connection.sendall(bytes([byte]))
            if over.wait(0.1):
                return

    began = time.monotonic()

    assert unreachable(talker(drip))
    assert time.monotonic() - began < 3


class Clock:
    """A clock that stands still, but for `jumps`: seconds that pass before it is looked at."""

    def __init__(self, *jumps):
        self.now, self.jumps = 1000.0, list(jumps)

    def monotonic(self):
        self.now += self.jumps.pop(0) if self.jumps else 0
        return self.now


@pytest.mark.parametrize(
    "jumps",
    [
        (0, handshake.TIMEOUT),  # while the name was resolved
        (0, 0, handshake.TIMEOUT),  # between the connection and the handshake
        (0, 0, handshake.TIMEOUT + 1),
    ],
)
def test_time_that_is_over_between_two_steps_ends_it(tls_server, certify, monkeypatch, jumps):
    tls_server.serve(certify())
    monkeypatch.setattr(handshake, "time", Clock(*jumps))

    assert "No answer within" in unreachable(tls_server.port)


def test_an_unknown_name(monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(handshake.Unreachable, match="is not known"):
        look(443, host="nowhere.example")


def test_a_name_that_cannot_be_sent_is_a_permanent_error(tls_server, certify):
    tls_server.serve(certify())

    with pytest.raises(ConnectorError) as caught:
        look(tls_server.port, name=".bad")
    assert caught.value.permanent


# --- Where it must not go -------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "169.254.169.254",
        "169.254.0.1",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "64:ff9b::a9fe:a9fe",
        # An own prefix of 96, 64, 56 and 48 bits, before an address that is refused.
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:fffe:7:8:a9fe:a9fe",
        "64:ff9b:1:5:7f:0:108:808",
        "64:ff9b:1:57f:0:1:808:808",
        "64:ff9b:1:a9fe:a9:fe08:808:808",
        "64:ff9b:1:7f00:0:108:808:808",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "0.0.0.0",  # noqa: S104
        "0.1.2.3",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "240.0.0.1",
        "no address",
    ],
)
def test_these_addresses_are_refused(address):
    assert addresses.refusal(address, loopback=False)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "8.8.8.8",
        "2001:4860::8",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
    ],
)
def test_these_addresses_are_allowed(address):
    assert addresses.refusal(address, loopback=False) == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_allowed_by_a_setting_only(address):
    assert addresses.refusal(address, loopback=True) == ""
    assert addresses.refusal("169.254.169.254", loopback=True)


def test_a_refused_address_is_not_connected_to(tls_server, certify, settings):
    tls_server.serve(certify())
    settings.ALLOW_LOOPBACK_TARGETS = False

    with pytest.raises(ConnectorError) as caught:
        look(tls_server.port)

    assert caught.value.permanent
    assert tls_server.names == []


def answers(*found):
    """Stand in for DNS: each call gives the next answer, the last for ever."""
    left = list(found)
    calls = []

    def getaddrinfo(host, port, *args, **kwargs):
        calls.append(host)
        addresses_ = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses_]

    getaddrinfo.calls = calls
    return getaddrinfo


def test_a_name_that_leads_to_a_refused_address_is_refused(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", answers(["10.0.0.1", "169.254.169.254"]))

    with pytest.raises(ConnectorError, match="link-local"):
        look(443, host="rebind.example")


def test_the_name_is_resolved_once_and_what_was_checked_is_connected_to(
    tls_server, certify, monkeypatch
):
    made = certify()
    tls_server.serve(made)
    dns = answers(["127.0.0.1"], ["169.254.169.254"])
    monkeypatch.setattr(socket, "getaddrinfo", dns)

    assert look(tls_server.port, host="rebind.example") == made.fingerprint
    assert dns.calls == ["rebind.example"]


def test_the_next_address_is_tried_where_one_does_not_answer(tls_server, certify, monkeypatch):
    made = certify()
    tls_server.serve(made)
    monkeypatch.setattr(socket, "getaddrinfo", answers(["127.0.0.2", "127.0.0.1"]))
    monkeypatch.setattr("pytest_socket.host_from_address", lambda _: "127.0.0.1")

    assert look(tls_server.port, host="two.example") == made.fingerprint


@pytest.mark.parametrize("address", ["64:ff9b:1::1:7f00:1", "64:ff9b:1:2:3:4:a9fe:a9fe"])
def test_an_address_behind_nat64_is_the_last_32_bits_whatever_stands_above(address):
    assert addresses.refusal(address, loopback=False)


def test_a_deadline_that_passes_between_two_steps_ends_the_look(tls_server, certify, monkeypatch):
    tls_server.serve(certify())
    resolve = handshake.resolve
    monkeypatch.setattr(handshake, "TIMEOUT", 0.05)

    def slowly(endpoint, *, loopback):
        time.sleep(0.1)
        return resolve(endpoint, loopback=loopback)

    monkeypatch.setattr(handshake, "resolve", slowly)

    assert "No answer" in unreachable(tls_server.port)

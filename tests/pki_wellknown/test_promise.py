"""Two real web processes: no `good` whose confirmation was checked after the promised time.

Asked for the whole time by many connections. A promise of 2 s, so that the tests are short.
"""

import http.client
import os
import signal
import socket
import threading
import time
from functools import cache

import psycopg
import pytest
from cryptography.x509 import ocsp
from django.db import connection

from certificates import answer_log, services
from pki_wellknown.models import WebProcess
from tests.pki_wellknown.test_front import path_of
from tests.pki_wellknown.test_ocsp import LATER, request_for
from tests.processes import until

pytestmark = [pytest.mark.django_db(transaction=True)]
PROMISE = 2.0
SLACK = 0.5  # of the client: its clock is read before the question is on its way
READERS = 8


@cache
def status(body):
    return "LATER" if body == LATER else ocsp.load_der_ocsp_response(body).certificate_status.name


def ask(port, path):
    """Ask once, over a new connection; give the status."""
    reader = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        reader.request("GET", path)
        return status(reader.getresponse().read())
    finally:
        reader.close()


class Load:
    """Readers that ask until they are stopped, over connections that stay open for a while."""

    def __init__(self, port, path):
        self.port, self.path = port, path
        self.given = []  # (when it was asked, when it was answered, what was said)
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(READERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _read(self):
        reader = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self._over.is_set():
            began = time.monotonic()
            try:
                reader.request("GET", self.path)
                body = reader.getresponse().read()
            except (OSError, http.client.HTTPException):
                reader.close()
                continue
            self.given.append((began, time.monotonic(), status(body)))
            if len(self.given) % 40 == 0:
                reader.close()  # the next connection may be the other process's
        reader.close()

    def good_since(self, moment):
        """What was asked after `moment` and answered with `good`."""
        return [one for one in self.given if one[0] > moment and one[2] == "GOOD"]

    def said_since(self, moment):
        return {said for began, _, said in self.given if began > moment}


def both_say_it_from_memory():
    """Whether two processes have written down that they answered from memory."""
    return WebProcess.objects.filter(hits__gt=50).count() == 2


@pytest.fixture
def two(web, tmp_path):
    def start(**environment):
        return web(
            workers=2,
            application="tests.pki_wellknown.shifted:application",
            CERTCTL_OCSP_PROMISE_SECONDS=str(PROMISE),
            CERTCTL_DB_CONNECTIONS="4",
            CERTCTL_TEST_SHIFT=str(tmp_path / "shift"),
            **environment,
        )

    return start


@pytest.mark.takes(12)
@pytest.mark.parametrize("way", ["told", "not told", "clock back", "clock ahead"])
def test_a_revocation_under_load_is_known_to_both_processes_in_time(
    two, version, bob, tmp_path, monkeypatch, way
):
    server = two()
    if way != "told":
        monkeypatch.setattr(answer_log, "wake", lambda: None)
    with Load(server.port, path_of(request_for(version))) as load:
        assert until(both_say_it_from_memory, 20), server.log.read_text()[-4000:]
        if way.startswith("clock"):
            days = -1 if way == "clock back" else 400
            (tmp_path / "shift").write_text(str(days * 86400))
            time.sleep(0.3)
        services.revoke(version_id=version.pk, actor=bob)
        revoked = time.monotonic()
        time.sleep(PROMISE + SLACK + 1.0)

    assert {said for _, _, said in load.given} >= {"GOOD", "REVOKED"}
    assert load.good_since(revoked + PROMISE + SLACK) == []
    assert load.said_since(revoked + PROMISE + SLACK) == {"REVOKED"}


@pytest.mark.takes(8)
def test_processes_that_were_stopped_do_not_say_good_when_they_go_on(two, version, bob):
    server = two()
    path = path_of(request_for(version))
    with Load(server.port, path):
        assert until(both_say_it_from_memory, 20), server.log.read_text()[-4000:]
    workers = server.children()
    assert len(workers) == 2
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    services.revoke(version_id=version.pk, actor=bob)
    with Load(server.port, path) as load:
        time.sleep(PROMISE + SLACK)
        assert load.given == []
        for worker in workers:
            os.kill(worker, signal.SIGCONT)
        assert until(lambda: len(load.given) > 50)

    assert load.good_since(0) == []


@pytest.mark.takes(12)
@pytest.mark.postgres
def test_without_the_database_good_ends_and_revoked_goes_on_and_both_come_back(two, issue, bob):
    good, bad = issue("good.demo.internal"), issue("bad.demo.internal")
    services.revoke(version_id=bad.pk, actor=bob)
    server = two()
    paths = [path_of(request_for(version)) for version in (good, bad)]
    with Load(server.port, paths[0]) as load, Load(server.port, paths[1]) as other:
        assert until(both_say_it_from_memory, 20), server.log.read_text()[-4000:]
        database = connection.settings_dict["NAME"]
        given = connection.get_connection_params()
        connection.close()
        given = {key: given[key] for key in ("user", "password", "host", "port") if key in given}
        with psycopg.connect(**given, dbname="postgres", autocommit=True) as session:
            session.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
            try:
                session.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    [database],
                )
                gone = time.monotonic()
                time.sleep(PROMISE + SLACK + 1.0)
            finally:
                session.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')
        back = time.monotonic()
        services.revoke(version_id=good.pk, actor=bob)
        revoked = time.monotonic()
        assert until(lambda: "REVOKED" in load.said_since(back), 20)

    # Once it is back, and before bob has revoked, `good` is right again.
    late = load.good_since(gone + PROMISE + SLACK)
    assert [began for began, *_ in late if began < back] == []
    assert load.good_since(revoked + PROMISE + SLACK) == []
    assert any(gone + PROMISE < began < back for began, _, said in other.given if said == "REVOKED")
    assert "GOOD" not in {said for _, _, said in other.given}


def half_sent(port, path):
    """A connection whose question stops in the middle."""
    one = socket.create_connection(("127.0.0.1", port), timeout=20)
    one.sendall(
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\n"
        "Content-Length: 90\r\n\r\n0".encode()
    )
    return one


@pytest.mark.takes(6)
def test_a_hundred_questions_that_stop_half_way_keep_nobody_else_waiting(web, version):
    server = web()
    path = path_of(request_for(version))
    ask(server.port, path)
    slow = [half_sent(server.port, "/.well-known/pki/ocsp/issuing") for _ in range(100)]
    try:
        took = []
        for _ in range(50):
            began = time.monotonic()
            assert ask(server.port, path) == "GOOD"
            took.append(time.monotonic() - began)
    finally:
        for one in slow:
            one.close()

    assert sorted(took)[40] < 0.5

"""No relying party is told `good` after a revocation is older than promised, whatever happens.

Two web processes, asked by four at once all the time; bob revokes. Each answer counts from when it
was asked for.
"""

import http.client
import os
import signal
import threading
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
from cryptography.x509 import ocsp
from django.db import connection

from certificates import answer_log, services
from certificates.models import AnswerMemory
from tests.pki_wellknown.test_ocsp import URL, request_for
from tests.processes import database_url, until

pytestmark = pytest.mark.django_db(transaction=True)

PROMISED = 1.5  # seconds; 5 unless set
READERS = 4


class Readers:
    """Relying parties that ask about one certificate, each over a connection that stays."""

    def __init__(self, port, body):
        self._port, self._body = port, body
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.answers = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(READERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def _ask(self):
        server = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        while not self._over.is_set():
            asked = time.monotonic()
            try:
                server.request("POST", URL, self._body)
                der = server.getresponse().read()
            except (OSError, http.client.HTTPException):
                server.close()
                continue
            with self._lock:
                self.answers.append((asked, der))
            time.sleep(0.002)
        server.close()

    def said(self, *, after=0.0, before=float("inf")):
        """Return what was said to questions that were asked between two times."""
        with self._lock:
            ders = {der for asked, der in self.answers if after <= asked < before}
        return {_word(der) for der in ders}

    def is_said(self, word):
        """Whether that was the answer to one of the last questions."""
        return word in self.said(after=time.monotonic() - 0.5)


def _word(der):
    answer = ocsp.load_der_ocsp_response(der)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return answer.response_status.name
    return answer.certificate_status.name


def hits():
    return sum(AnswerMemory.objects.values_list("hits", flat=True))


@pytest.fixture
def start(web, version):
    def start(**options):
        server = web(workers=2, CERTCTL_REVOCATION_PROMISE_SECONDS=str(PROMISED), **options)
        return server, Readers(server.port, request_for(version))

    return start


def revoke(version, bob):
    """Return when it had committed."""
    services.revoke(version_id=version.pk, actor=bob, reason="certificateHold")
    return time.monotonic()


def check(readers, committed):
    """Read on until the promise is over, and a little: nobody may have heard `good` after it."""
    time.sleep(max(0.0, committed + PROMISED + 1 - time.monotonic()))
    assert "GOOD" in readers.said(before=committed)
    late = readers.said(after=committed + PROMISED)
    assert late == {"REVOKED"}


def test_under_load(start, version, bob):
    _, readers = start()
    with readers:
        assert until(lambda: hits() > 100)
        committed = revoke(version, bob)
        check(readers, committed)


def test_where_no_notification_comes(start, version, bob, monkeypatch):
    monkeypatch.setattr(answer_log, "CHANNEL", "nobody_listens")
    _, readers = start()
    with readers:
        assert until(lambda: readers.is_said("GOOD"))
        time.sleep(1)
        check(readers, revoke(version, bob))


def test_where_a_notification_comes_no_process_waits_for_its_turn_to_ask(start, version, bob):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite notifies nobody: what is committed is asked for once a second")
    _, readers = start()
    with readers:
        assert until(lambda: hits() > 100)
        begun = time.monotonic()
        revoke(version, bob)
        assert until(lambda: told() == 2)
        assert time.monotonic() - begun < 30
    latencies = [row.latencies for row in AnswerMemory.objects.all()]
    # Both processes at least, by the clock of the database: under half of what a poll may take.
    assert all(row["0.5"] == row["inf"] for row in latencies if row.get("inf"))


def told():
    return sum(bool(row.latencies.get("inf")) for row in AnswerMemory.objects.all())


def test_with_the_clock_set_back(start, version, bob):
    _, readers = start(application="tests.pki_wellknown.shifted:application")
    with readers:
        assert until(lambda: readers.is_said("GOOD"))
        time.sleep(1)
        check(readers, revoke(version, bob))


def test_with_both_processes_paused(start, version, bob):
    """What came in while they slept is answered by what they know when they wake: too old."""
    server, readers = start()
    with readers:
        assert until(lambda: hits() > 100)
        for pid in server.children():
            os.kill(pid, signal.SIGSTOP)
        time.sleep(0.2)
        committed = revoke(version, bob)
        time.sleep(PROMISED + 0.5)
        woken = time.monotonic()
        for pid in server.children():
            os.kill(pid, signal.SIGCONT)
        time.sleep(1)
    # Each reader has one question that was on its way, and may have been in the middle of it.
    assert readers.said(after=woken) == {"REVOKED"}
    assert readers.said(after=committed) == {"REVOKED"}


@contextmanager
def closed_to_others():
    """Let nobody into the test's database but who is in it here, for a while."""
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        ours = cursor.fetchone()[0]
    url = urlsplit(database_url())._replace(path="/template1").geturl()
    with psycopg.connect(url, autocommit=True) as beside:
        beside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            beside.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> %s",
                [name, ours],
            )
            yield
        finally:
            beside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def test_with_the_database_away(start, version, bob):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is a file: it does not go away")
    _, readers = start()
    with readers:
        assert until(lambda: hits() > 100)
        away = time.monotonic()
        with closed_to_others():
            committed = revoke(version, bob)
            time.sleep(PROMISED + 1)
            late = readers.said(after=committed + PROMISED)
        assert late == {"TRY_LATER"}
        assert "GOOD" in readers.said(after=away, before=committed + PROMISED)
        assert until(lambda: readers.is_said("REVOKED"))
    assert "GOOD" not in readers.said(after=committed + PROMISED)

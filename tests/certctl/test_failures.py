"""When a part fails or stops, the others go on, and say so where they cannot."""

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import load_pem_x509_certificate, ocsp
from django.db import connection

from certificates import crl
from jobs import runner, services
from owners.models import Owner
from tests.fixtures import make_csr
from tests.processes import database_url, run_python, until

pytestmark = pytest.mark.django_db(transaction=True)
TRY_LATER = b"\x30\x03\x0a\x01\x03"
on_postgres = pytest.mark.postgres


@pytest.fixture
def issued(local_ca, owner, free_profile, alice):
    """A certificate with its first version."""
    asked = services.request_issuance(
        actor=alice,
        owner=owner,
        issuer=local_ca,
        profile=free_profile,
        csr_pem=make_csr("web.demo.internal"),
    )
    runner.run_pending()
    asked.job.certificate.refresh_from_db()
    return asked.job.certificate


@contextmanager
def stopped_session(*statements):
    """Somebody's transaction that took locks and goes no further."""
    with psycopg.connect(database_url()) as session:
        for statement in statements:
            session.execute(statement)
        yield session
        session.rollback()


def question_about(version, issuer):
    request = ocsp.OCSPRequestBuilder().add_certificate(
        load_pem_x509_certificate(version.pem.encode()),
        load_pem_x509_certificate(issuer.certificate_pem.encode()),
        hashes.SHA256(),
    )
    return request.build().public_bytes(serialization.Encoding.DER)


@on_postgres
def test_a_session_that_stopped_with_the_trail_in_hand_stops_no_reader(
    web, key_of, carol, local_ca, system, owner, issued
):
    crl.publish(issuer_id=local_ca.pk, actor=system)
    server, key = web(), key_of(carol)
    question = question_about(issued.current, local_ca)
    body = json.dumps({"name": "Somebody new"}).encode()
    assert server.status("/api/v1/certificates/", key=key) == 200  # what is loaded late is loaded
    as_json = {"Content-Type": "application/json"}

    with stopped_session("SELECT 1 FROM audit_chainhead FOR UPDATE"):
        began = time.monotonic()
        assert server.status("/health") == 200
        assert server.status("/ready") == 200
        assert server.status(f"/.well-known/pki/crl/{local_ca.slug}") == 200
        for _ in ("signed on the first question", "stored"):
            status, _, answer = server.ask(f"/.well-known/pki/ocsp/{local_ca.slug}", body=question)
            assert (status, answer[:1]) == (200, b"\x30")
            assert len(answer) > 100
        assert server.status("/api/v1/certificates/", key=key) == 200
        assert time.monotonic() - began < 3

        status, headers, answer = server.ask("/api/v1/owners/", body=body, key=key, headers=as_json)
        assert (status, json.loads(answer)["code"]) == (503, "unavailable")
        assert int(headers["Retry-After"]) > 0
        assert time.monotonic() - began < 12

    assert server.status("/api/v1/owners/", body=body, key=key, headers=as_json) == 201


@on_postgres
def test_many_who_wait_for_the_trail_leave_room_for_those_who_do_not(web, key_of, carol, owner):
    server, key = web(), key_of(carol)
    as_json = {"Content-Type": "application/json"}

    def ask(number):
        body = json.dumps({"name": f"Somebody {number}"}).encode()
        return server.status("/api/v1/owners/", body=body, key=key, headers=as_json)

    with (
        stopped_session("SELECT 1 FROM audit_chainhead FOR UPDATE"),
        ThreadPoolExecutor(40) as all_,
    ):
        asked = [all_.submit(ask, number) for number in range(40)]
        time.sleep(1)
        assert any(is_prompt(server, "/health", key) for _ in range(5))
        assert {one.result() for one in asked} == {503}
    assert Owner.objects.filter(name__startswith="Somebody").count() == 0


@on_postgres
@pytest.mark.parametrize(
    ("process", "lock", "statement", "idle"),
    [
        ("web", "4s", "15s", "10s"),
        ("worker", "20s", "5min", "30s"),
        ("command", "1min", "0", "1min"),
    ],
)
def test_every_process_bounds_its_waits(tmp_path, process, lock, statement, idle):
    program = (
        "import django; django.setup(); from django.db import connection;"
        "cursor = connection.cursor();"
        "[print(cursor.execute('SHOW ' + name).fetchone()[0]) for name in ('lock_timeout',"
        "'statement_timeout', 'idle_in_transaction_session_timeout')]"
    )
    printed = run_python(program, tmp_path, CERTCTL_PROCESS=process)
    assert printed.split() == [lock, statement, idle]


@on_postgres
def test_a_database_that_went_away_is_told_as_such_at_every_door(
    web, key_of, carol, local_ca, system, issued
):
    crl.publish(issuer_id=local_ca.pk, actor=system)
    server, key = web(), key_of(carol)
    question = question_about(issued.current, local_ca)
    name = connection.settings_dict["NAME"]
    elsewhere = database_url().rsplit("/", 1)[0] + "/postgres"
    connection.close()

    with psycopg.connect(elsewhere, autocommit=True) as session:
        session.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            assert server.status("/health") == 200
            assert server.status("/ready") == 503
            status, headers, answer = server.ask("/api/v1/certificates/", key=key)
            assert (status, json.loads(answer)["code"]) == (503, "unavailable")
            assert int(headers["Retry-After"]) > 0
            assert server.status("/admin/", headers={"Cookie": "sessionid=" + "a" * 32}) == 503
            assert server.status(f"/.well-known/pki/crl/{local_ca.slug}") == 503
            status, _, answer = server.ask(f"/.well-known/pki/ocsp/{local_ca.slug}", body=question)
            assert (status, answer) == (200, TRY_LATER)
        finally:
            session.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    assert until(lambda: server.status("/api/v1/certificates/", key=key) == 200, 30)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="rows are locked one by one there")
def test_a_question_on_sqlite_waits_two_seconds_for_the_write_lock_and_no_longer(
    web, local_ca, issued
):
    server = web()
    question = question_about(issued.current, local_ca)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        status, _, answer = server.ask(f"/.well-known/pki/ocsp/{local_ca.slug}", body=question)
        assert (status, answer) == (200, TRY_LATER)
        assert 1.5 < time.monotonic() - began < 6
        cursor.execute("ROLLBACK")
    assert len(server.ask(f"/.well-known/pki/ocsp/{local_ca.slug}", body=question)[2]) > 100


def test_a_web_worker_that_dies_is_replaced(web):
    server = web()
    before = server.children()
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: server.children() and not set(server.children()) & set(before), 30)
    assert until(lambda: server.status("/health") == 200, 30)
    assert server.process.poll() is None


def test_a_hundred_half_sent_bodies_hold_up_nobody(web, key_of, carol):
    server, key = web(), key_of(carol)
    head = (
        f"POST /api/v1/owners/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    ).encode()
    sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
    try:
        for one in sockets:
            one.sendall(head)
        time.sleep(1)
        for path in ("/health", "/api/v1/certificates/"):
            # Of a few tries: the machine that tests may be busy for a moment, the server may not.
            assert any(is_prompt(server, path, key) for _ in range(5)), server.log.read_text()[
                -2000:
            ]
    finally:
        for one in sockets:
            one.close()


def is_prompt(server, path, key):
    began = time.monotonic()
    return server.status(path, key=key, timeout=5) == 200 and time.monotonic() - began < 1


def chunked(body):
    return f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"


def send(server, path, body, *, key="", content_type="application/json"):
    """Send a body in chunks by hand, as clients do that do not know its length."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n"
    )
    head += f"Authorization: Bearer {key}\r\n" if key else ""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(head.encode() + b"\r\n" + chunked(body))
        answer = b""
        while part := line.recv(65536):
            answer += part
    head, _, rest = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), rest


def test_a_body_in_chunks_is_read_at_every_door(web, key_of, carol, local_ca, issued):
    server, key = web(), key_of(carol)
    body = json.dumps({"name": "Sent in chunks"}).encode()

    assert send(server, "/api/v1/owners/", body, key=key)[0] == 201
    assert Owner.objects.filter(name="Sent in chunks").exists()
    status, answer = send(
        server,
        f"/.well-known/pki/ocsp/{local_ca.slug}",
        question_about(issued.current, local_ca),
        content_type="application/ocsp-request",
    )
    assert status == 200
    assert len(answer) > 100
    # The admin's form is read too: it is refused for its missing token, not taken for empty.
    assert (
        send(
            server, "/admin/login/", b"username=x", content_type="application/x-www-form-urlencoded"
        )[0]
        == 403
    )
    assert send(server, "/api/v1/owners/", b" " * (1024 * 1024 + 1), key=key)[0] == 413


def test_with_redis_away_reads_answer_and_rates_still_count(web, key_of, carol):
    server, key = web(redis="redis://127.0.0.1:9/0"), key_of(carol)  # nobody listens there
    for _ in range(3):
        began = time.monotonic()
        assert server.status("/api/v1/certificates/", key=key) == 200
        assert time.monotonic() - began < 3

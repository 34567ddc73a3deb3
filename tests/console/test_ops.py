"""What the installation says of itself."""

import json
import logging

import pytest
import structlog
from django.db import DatabaseError
from django.test import Client

from console import ops
from foundation.logs import logging_config


def test_health_needs_no_database(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = Client().get("/health")

    assert answer.json() == {"status": "ok"}


def test_ready_when_database_and_migrations_are(db):
    answer = Client().get("/ready")

    assert answer.status_code == 200
    assert answer.json()["checks"]["migrations"] == "ok"


def test_not_ready_without_a_database(db, monkeypatch):
    def broken():
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr(ops.connection, "cursor", broken)
        answer = Client().get("/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "unreachable"


def test_metrics_count_jobs_and_certificates(db):
    answer = Client().get("/metrics")

    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'certctl_certificates{status="Active"} 0.0' in answer.content.decode()


def test_an_answer_carries_the_request_id_it_was_given(db):
    answer = Client().get("/health", headers={"x-request-id": "abcdef0123456789"})

    assert answer.headers["X-Request-ID"] == "abcdef0123456789"


@pytest.mark.parametrize("given", ["", "short", "a b c d e f g h", "x" * 65, "evil\nline-123"])
def test_a_request_id_that_is_none_is_replaced(db, given):
    answer = Client().get("/health", headers={"x-request-id": given})

    assert answer.headers["X-Request-ID"] != given
    assert len(answer.headers["X-Request-ID"]) == 32


def test_log_lines_are_json_with_the_request_id(capsys):
    config = logging_config(level="INFO", as_json=True)
    formatter_options = dict(config["formatters"]["structured"])
    formatter = formatter_options.pop("()")(**formatter_options)
    record = logging.LogRecord("jobs", logging.INFO, "x.py", 1, "job %s failed", ("7",), None)

    with structlog.contextvars.bound_contextvars(request_id="abc"):
        line = json.loads(formatter.format(record))

    assert line["event"] == "job 7 failed"
    assert line["request_id"] == "abc"
    assert line["level"] == "info"

"""What the installation says of itself."""

import json
import logging
import re
from datetime import timedelta

import pytest
import structlog
from django.db import DatabaseError
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.utils import timezone

from audit.models import Event
from certificates import crl
from certificates.models import CertificateStatus
from console import ops, stats
from foundation.logs import logging_config
from jobs.states import Status
from revocation.models import Plan
from revocation.states import Status as PlanStatus
from tests.factories import CertificateFactory, JobFactory, VersionFactory


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


def test_not_ready_where_the_connection_is_open_and_dead(db, monkeypatch):
    def dead(cursor, sql, *args):
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr(CursorWrapper, "execute", dead)
        answer = Client().get("/ready")

    assert answer.json()["checks"]["database"] == "unreachable"


def test_metrics_count_jobs_and_certificates(db):
    answer = Client().get("/metrics")

    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'certctl_certificates{status="Active"} 0.0' in answer.content.decode()


def test_metrics_count_jobs_by_kind_and_status_and_say_each_crls_number(local_ca, system):
    JobFactory.create_batch(2, status=Status.RUNNING)
    crl.publish(issuer_id=local_ca.pk, actor=system)
    crl.publish(issuer_id=local_ca.pk, actor=system)

    lines = Client().get("/metrics").text.splitlines()

    assert 'certctl_jobs{kind="Issuance",status="Running"} 2.0' in lines
    assert f'certctl_crl_number{{issuer="{local_ca.slug}"}} 2.0' in lines
    [left] = [line for line in lines if line.startswith("certctl_crl_seconds_left{")]
    assert float(left.split()[-1]) > 3600


def test_metrics_tell_of_plans_of_bulk_revocation_and_not_of_drills(carol):
    now = timezone.now()

    def plan(status, **columns):
        given = {"made_by": carol, "criteria": {}, "expires_at": now, "digest": "0" * 64}
        if status != PlanStatus.PREVIEWED:
            given |= {"confirmed_by": carol, "confirmed_at": now - timedelta(hours=1)}
        return Plan.objects.create(status=status, **given | columns)

    plan(PlanStatus.PREVIEWED, count=50)
    plan(PlanStatus.RUNNING, count=100, revoked=20, failed=3, already_revoked=2, left=1)
    plan(PlanStatus.PAUSED, count=10, confirmed_at=now - timedelta(hours=2))
    plan(PlanStatus.STOPPED, count=9, revoked=4, confirmed_at=now - timedelta(days=9))
    plan(PlanStatus.RUNNING, count=1000, failed=7, drill=True)

    lines = Client().get("/metrics").text.splitlines()

    assert 'certctl_revocation_plans{status="Running"} 1.0' in lines
    assert 'certctl_revocation_plans{status="Expired"} 0.0' in lines
    for outcome, count in {"pending": 84, "revoked": 24, "failed": 3, "left": 1}.items():
        assert f'certctl_revocation_plan_versions{{outcome="{outcome}"}} {count}.0' in lines
    [age] = [one for one in lines if one.startswith("certctl_revocation_plan_oldest_seconds ")]
    assert 7200 <= float(age.split()[-1]) < 7300


def test_metrics_say_that_there_are_no_plans(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert stats.revocation_plans().oldest_seconds == 0


def test_the_counts_name_every_status_zeros_included(victor, client_of):
    JobFactory.create_batch(2, status=Status.RUNNING)
    CertificateFactory(status=CertificateStatus.ARCHIVED)

    counts = client_of(victor).get("/api/v1/stats/").json()

    assert counts["jobs"] == {**dict.fromkeys(Status.values, 0), "Running": 2}
    assert counts["certificates"].keys() == set(CertificateStatus.values)
    assert counts["certificates"]["Archived"] == 1


def test_what_ends_is_counted_in_the_week_in_which_it_ends(db, time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    week, little = timedelta(weeks=1), timedelta(seconds=1)
    ends = (little, week - little, week, 11 * week, 12 * week, 12 * week + little, -little)
    for end in ends:
        VersionFactory(certificate=CertificateFactory(), not_after=now + end)

    counts = [week["count"] for week in stats.expiring_by_week()]

    # The very end of the last week is in it still; what is later is in none.
    assert counts == [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(3.0, ""), (-3.0, ""), (4.0, "4 s ahead of"), (-4.0, "4 s behind")],
)
def test_the_dashboard_says_whose_clock_is_wrong_where_it_is(monkeypatch, ahead, words):
    monkeypatch.setattr(stats, "clock_ahead_seconds", lambda: ahead)

    said = stats.clock_words()

    assert words in said
    assert bool(said) == bool(words)


def test_an_answer_carries_an_id_of_ours_and_the_one_it_was_given_beside_it(db):
    answer = Client().get("/health", headers={"x-request-id": "abcdef0123456789"})

    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert answer.headers["X-Client-Request-ID"] == "abcdef0123456789"


def test_an_event_and_a_log_line_have_both_ids(carol, client_of, monkeypatch):
    bound = []
    monkeypatch.setattr(
        "owners.services.validate_password",
        lambda *_: bound.append(structlog.contextvars.get_contextvars()),
    )
    body = {"username": "dora", "role": "viewer", "password": "correct horse battery"}

    answer = client_of(carol).post(
        "/api/v1/principals/", body, headers={"x-request-id": "deploy-4711"}
    )

    event = Event.objects.get(action="principal.create")
    ours = answer.headers["X-Request-ID"]
    assert (event.request_id, event.data["client_request_id"]) == (ours, "deploy-4711")
    assert bound == [{"request_id": ours, "client_request_id": "deploy-4711"}]
    assert structlog.contextvars.get_contextvars() == {}


def test_a_refusal_has_both_ids_too(victor, client_of, anonymous):
    given = {"x-request-id": "deploy-4711"}
    client_of(victor).post("/api/v1/teams/", {"name": "red"}, headers=given)
    anonymous.post("/api/v1/teams/", {"name": "red"}, headers=given)

    events = Event.objects.filter(action="team.create.refuse")
    assert {event.data["client_request_id"] for event in events} == {"deploy-4711"}
    assert len({event.request_id for event in events}) == 2


@pytest.mark.parametrize("given", ["", "short", "a b c d e f g h", "x" * 65, "evil\nline-123"])
def test_a_request_id_that_is_none_is_replaced(db, given):
    answer = Client().get("/health", headers={"x-request-id": given})

    assert answer.headers["X-Request-ID"] != given
    assert len(answer.headers["X-Request-ID"]) == 32
    assert "X-Client-Request-ID" not in answer.headers


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

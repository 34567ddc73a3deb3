"""What web processes write down of their memories, and what /metrics makes of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from certificates import answer_log, services
from certificates.models import OCSPResponse
from pki_wellknown.memory import figures
from pki_wellknown.memory.figures import Figures
from pki_wellknown.models import WebProcess
from tests.pki_wellknown.fronts import Fronted
from tests.pki_wellknown.test_front import path_of
from tests.pki_wellknown.test_ocsp import request_for


@pytest.fixture
def fronted(db, monkeypatch):
    monkeypatch.setattr(figures, "EVERY_SECONDS", 0)
    monkeypatch.setattr(figures, "IDLE_SECONDS", 0)
    made = Fronted()
    made.follower._observer = Figures(made.memory)
    made.follower.look_now()
    return made


def metrics(client):
    lines = client.get("/metrics").content.decode().splitlines()
    rows = [line.rpartition(" ") for line in lines if "ocsp" in line and line[0] != "#"]
    return {name.partition("{")[0]: float(value) for name, _, value in rows}


def test_whichever_process_is_asked_tells_of_all(fronted, version, bob, client):
    for _ in range(3):
        fronted.ask(path_of(request_for(version)))
    services.revoke(version_id=version.pk, actor=bob)
    fronted.follower.look_now()

    told = metrics(client)

    assert told["certctl_ocsp_memory_hits_total"] == 2
    assert told["certctl_ocsp_memory_misses_total"] == 1
    assert told["certctl_ocsp_memory_entries"] == 0
    assert told["certctl_ocsp_change_latency_seconds_count"] == 1
    assert 0 <= told["certctl_ocsp_change_latency_seconds_sum"] < 60
    assert 0 <= told["certctl_ocsp_confirmation_age_seconds"] < 60


def test_a_process_that_ended_is_told_of_no_longer(fronted, client):
    assert metrics(client)
    WebProcess.objects.update(seen_at=timezone.now() - timedelta(seconds=61))
    assert not metrics(client)

    WebProcess.objects.update(
        name="gone",
        seen_at=timezone.now() - timedelta(seconds=figures.GONE_AFTER_SECONDS + 5),
    )
    fronted.follower.look_now()
    assert not WebProcess.objects.filter(name="gone").exists()


def test_a_change_is_counted_once_however_often_the_log_gives_it(fronted, version, bob, client):
    services.revoke(version_id=version.pk, actor=bob)
    since = fronted.follower._since
    for _ in range(3):
        fronted.follower._since = since
        fronted.follower.look_now()

    assert metrics(client)["certctl_ocsp_change_latency_seconds_count"] == 1


def test_that_somebody_asked_is_noted_once_an_hour(fronted, version):
    def ask_after(**ago):
        OCSPResponse.objects.update(asked_at=timezone.now() - timedelta(**ago))
        before = OCSPResponse.objects.get().asked_at
        fronted.memory._asked.add(OCSPResponse.objects.get().pk)
        fronted.follower.look_now()
        return OCSPResponse.objects.get().asked_at > before

    fronted.ask(path_of(request_for(version)))
    assert fronted.memory._asked

    assert not ask_after(minutes=59)
    assert ask_after(minutes=61)
    assert not fronted.memory._asked


def test_figures_that_cannot_be_written_leave_answers_confirmed(fronted, monkeypatch):
    def broken(self, source):
        raise RuntimeError

    monkeypatch.setattr(Figures, "_write", broken)
    before = fronted.memory.confirmation.asked_at
    fronted.follower.look_now()

    assert fronted.memory.confirmation.asked_at > before
    assert answer_log.read(connection, None).changes == []

"""The machine: each move leaves only its sources, and nothing else writes a status."""

import re
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from jobs.models import InvalidMove, Job
from jobs.states import OPEN, Move, Status
from tests.factories import CertificateFactory, JobFactory, VersionFactory

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("status", Status)
def test_a_move_leaves_only_its_sources(bob, status, move):
    job = JobFactory(status=status)

    if status in move.sources:
        job.move(move, actor=bob)
        job.refresh_from_db()
        assert job.status == move.target
    else:
        with pytest.raises(InvalidMove):
            job.move(move, actor=bob)
        job.refresh_from_db()
        assert job.status == status


@pytest.mark.django_db
def test_a_move_writes_its_event_with_before_and_after(bob):
    job = JobFactory(status=Status.AWAITING_APPROVAL)

    job.move(Move.APPROVE, actor=bob, reason="looks fine")

    event = Event.objects.get(action="job.approve")
    assert (event.actor, event.subject_id) == (bob, str(job.pk))
    assert event.data["before"] == "AwaitingApproval"
    assert event.data["after"] == "Pending"
    assert event.data["reason"] == "looks fine"


@pytest.mark.django_db
@pytest.mark.parametrize("move", [Move.COMPLETE, Move.FAIL, Move.CANCEL, Move.RELEASE])
def test_leaving_running_ends_the_lease(bob, move):
    job = JobFactory(status=Status.RUNNING, lease_until="2030-01-01T00:00:00Z")

    job.move(move, actor=bob)

    assert job.lease_until is None
    assert bool(job.completed_at) == (move is not Move.RELEASE)


@pytest.mark.django_db
def test_the_database_refuses_an_unknown_status():
    job = JobFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(status="Doing")


@pytest.mark.django_db
@pytest.mark.parametrize("status", OPEN)
def test_the_database_refuses_a_second_open_signing_job(status):
    first = JobFactory(status=status)

    with pytest.raises(IntegrityError), transaction.atomic():
        JobFactory(certificate=first.certificate, kind=Job.Kind.RENEWAL)


def test_only_the_model_writes_the_status_of_a_job():
    writes = re.compile(r"job\w*\.status = |held\.status = |self\.status = |update\(\s*status")
    found = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "jobs").rglob("*.py")
        if "migrations" not in file.parts and writes.search(file.read_text())
    ]

    assert found == ["jobs/models.py"]


def test_a_new_job_begins_and_any_other_moves(db):
    job = JobFactory()

    with pytest.raises(ValueError, match="Only a new job"):
        job.begin(Status.RUNNING)


@pytest.mark.django_db
def test_the_database_refuses_a_second_open_revocation(local_ca, free_profile):
    certificate = CertificateFactory(issuer=local_ca, profile=free_profile)
    version = VersionFactory(certificate=certificate)
    wanted = {"kind": Job.Kind.REVOCATION, "certificate": certificate, "version": version}
    JobFactory(**wanted)

    with pytest.raises(IntegrityError), transaction.atomic():
        JobFactory(**wanted)

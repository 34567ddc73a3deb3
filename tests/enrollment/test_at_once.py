"""What need not wait is signed in the transaction that asks: it looks as if a worker had done it.

carol made the labels, alice makes credentials, bob blocks and decides.
"""

from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import certificates.services
from audit.models import Event
from audit.services import verify
from certificates.models import Certificate, Version
from deployments.models import Target
from enrollment import policy, services
from enrollment.services import enrolling
from enrollment.states import Stand
from foundation.errors import Invalid
from issuers.models import Issuer
from jobs import services as job_services
from jobs.models import Job
from jobs.states import Status
from tests.enrollment.conftest import DEVICE, OTHER, ask_by, ask_with, machine
from tests.enrollment.test_taking_over import another_ca
from tests.fixtures import make_csr
from tests.races import meanwhile

pytestmark = pytest.mark.django_db

# What differs from one job to the next, whoever does it.
OF_ITS_OWN = {
    "id", "certificate_id", "version_id", "csr_pem", "key_fingerprint", "device", "scheduled_at",
    "started_at", "completed_at", "created_at",
}  # fmt: skip


@pytest.fixture
def by_a_worker(monkeypatch):
    """Have nothing done with the asking."""
    return lambda: monkeypatch.setattr(enrolling, "sign_at_once", lambda **_: None)


def told(answer):
    """Return what the trail says of a request, by action."""
    events = Event.objects.filter(certificate=answer.enrollment.certificate_id)
    return {
        event.action: (event.actor_name, event.door, event.subject_type, sorted(event.data))
        for event in events
    }


def row_of(answer):
    job = Job.objects.get(pk=answer.enrollment.job_id)
    assert job.created_at <= job.started_at <= job.completed_at <= job.scheduled_at
    return {
        field.attname: getattr(job, field.attname)
        for field in Job._meta.concrete_fields
        if field.attname not in OF_ITS_OWN
    }


def test_job_version_and_trail_are_what_they_are_when_a_worker_does_it(
    label, secret_for, by_a_worker
):
    at_once = ask_by(label, secret_for(label), make_csr(DEVICE))
    by_a_worker()
    later = ask_by(label, secret_for(label, OTHER), make_csr(OTHER))

    assert (at_once.stand, later.stand) == (Stand.ISSUED, Stand.ISSUED)
    assert row_of(at_once) == row_of(later)
    assert row_of(at_once)["claim_number"] == row_of(at_once)["attempts"] == 1
    assert told(at_once) == told(later)
    for answer in (at_once, later):
        version = Version.objects.get(job_id=answer.enrollment.job_id)
        assert (version.requested_by, version.number) == (label.principal, 1)
        assert Certificate.objects.get(pk=version.certificate_id).status == "Active"
        answer.enrollment.refresh_from_db()
        assert answer.enrollment.collected_at is not None
    assert verify()[1] is None


def test_a_renewal_is_signed_at_once_too_and_its_job_looks_the_same(label, secret_for, by_a_worker):
    first = ask_by(label, secret_for(label), make_csr(DEVICE)).version
    at_once = ask_with(label, first, make_csr(DEVICE))
    by_a_worker()
    later = ask_with(label, at_once.version, make_csr(DEVICE))

    assert at_once.enrollment.issued is not None
    assert later.enrollment.issued is None
    assert row_of(at_once) == row_of(later)
    assert Version.objects.filter(superseded_at__isnull=True).get() == later.version


def test_a_renewal_takes_one_transaction_and_few_statements(label, secret_for):
    first = ask_by(label, secret_for(label), make_csr(DEVICE)).version

    with CaptureQueriesContext(connection) as statements:
        assert ask_with(label, first, make_csr(DEVICE)).stand is Stand.ISSUED

    assert len(statements) <= 53  # on PostgreSQL; SQLite has no shared locks
    steps = [one for one in statements if one["sql"].startswith('UPDATE "audit_chainhead"')]
    assert len(steps) == 1


def seen_by_the_door(label, made):
    """Return who asks, with the credential's row as a door has read it."""
    return services.by_secret(label=label, text=made.text, user="", via=machine(label).via)


def ask_as(label, caller):
    return services.ask(
        actor=machine(label), label_id=label.pk, caller=caller, csr_pem=make_csr(DEVICE)
    )


def test_what_the_door_has_read_of_a_credential_decides_nothing(label, secret_for, bob):
    made = secret_for(label)
    caller = seen_by_the_door(label, made)
    services.block_credential(actor=bob, credential_id=made.credential.pk)

    assert caller.known.disabled_at is None
    with pytest.raises(policy.Blocked):
        ask_as(label, caller)
    assert not Job.objects.exists()


def test_what_is_spent_since_the_door_looked_brings_nothing_new(label, secret_for):
    made = secret_for(label)
    late = seen_by_the_door(label, made)
    ask_by(label, made, make_csr(DEVICE))

    with pytest.raises(services.InvalidCredential):
        ask_as(label, late)
    assert Job.objects.count() == 1


def test_what_cannot_be_signed_stays_a_job_that_is_tried_again(label, secret_for):
    Issuer.objects.filter(pk=label.issuer_id).update(secrets=None)

    answer = ask_by(label, secret_for(label), make_csr(DEVICE))

    job = Job.objects.get()
    assert (job.status, job.claim_number) == (Status.FAILED, 1)
    assert "no key" in job.last_error
    assert answer.stand is Stand.REFUSED
    assert not Version.objects.filter(device__gt="").exists()


def test_a_name_that_somebody_else_has_is_not_even_signed(label, secret_for):
    ask_by(label, secret_for(label), make_csr(DEVICE))
    wide = secret_for(label, OTHER, names=["dns:*.demo.internal"])

    with mock.patch("issuers.services.sign") as sign, pytest.raises(policy.NameNotYours):
        ask_by(label, wide, make_csr(DEVICE))

    assert not sign.called


def test_what_a_renewal_overtakes_is_locked_before_its_certificate(label, secret_for, alice):
    first = ask_by(label, secret_for(label), make_csr(DEVICE)).version
    target = Target.objects.create(name="edge", config={"path": "demo"})
    job = job_services.request_deployment(
        actor=alice, certificate_id=first.certificate_id, target=target
    )

    answer = ask_with(label, first, make_csr(DEVICE))

    assert (answer.stand, answer.enrollment.issued) == (Stand.ISSUED, None)
    job.refresh_from_db()
    assert job.status == Status.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_a_ca_that_is_revoked_meanwhile_signs_no_device_s_certificate(
    label, secret_for, owner, carol, system
):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to wait for")
    made = secret_for(label)
    ca = certificates.services.record_ca(actor=system, issuer=label.issuer, owner=owner)

    def revoke():
        certificates.services.revoke(
            version_id=ca.current_id,
            actor=carol,
            reason="cessationOfOperation",
            confirm_name=ca.name,
        )

    with pytest.raises(Invalid) as refused:
        meanwhile(revoke, lambda: ask_by(label, made, make_csr(DEVICE)))

    assert [one["code"] for one in refused.value.errors] == ["issuer_revoked"]
    assert not Version.objects.filter(device__gt="").exists()


def test_an_issuer_elsewhere_is_not_called_while_a_device_waits(
    make_label, free_device_profile, secret_for, local_ca
):
    elsewhere = another_ca(local_ca, kind="acme")
    label = make_label("away", free_device_profile, issuer=elsewhere)

    with mock.patch("issuers.services.sign") as sign:
        answer = ask_by(label, secret_for(label), make_csr(DEVICE))

    assert (answer.stand, sign.called) == (Stand.WAITING, False)
    assert Job.objects.get().status == Status.PENDING

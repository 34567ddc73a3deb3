"""Two at a device's door, or at the door and the switch that shuts it, at the same moment.

carol made the labels, alice makes credentials, bob blocks and decides. PostgreSQL shows the races;
on SQLite writers follow one another and the outcome must be the same.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from audit.services import verify
from certificates.models import Certificate, Version
from enrollment import policy, services
from enrollment.models import Credential, Device, Enrollment
from enrollment.states import Stand
from jobs import runner
from jobs import services as job_services
from jobs.models import InvalidMove, Job
from jobs.states import Status
from tests.enrollment.conftest import DEVICE, ask_by, ask_with
from tests.fixtures import make_csr
from tests.races import beside, meanwhile, together, until_blocked

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def postgres_only():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to wait for")


def errors(outcomes, *kinds):
    assert all(not isinstance(o, Exception) or isinstance(o, kinds) for o in outcomes), outcomes
    return [o for o in outcomes if isinstance(o, Exception)]


def test_ten_devices_with_one_one_time_credential_get_one_certificate(label, secret_for):
    made = secret_for(label)
    requests = [make_csr(DEVICE) for _ in range(10)]

    outcomes = together(*(lambda csr=csr: ask_by(label, made, csr) for csr in requests))

    assert len(errors(outcomes, services.InvalidCredential)) == 9
    assert Version.objects.count() == Job.objects.count() == Enrollment.objects.count() == 1
    assert verify()[1] is None


def test_the_same_request_ten_times_at_once_is_one(label, secret_for):
    made, csr = secret_for(label, one_time=False), make_csr(DEVICE)

    outcomes = together(*[lambda: ask_by(label, made, csr)] * 10)

    assert errors(outcomes) == []
    assert {o.stand for o in outcomes} <= {Stand.ISSUED, Stand.WAITING}
    assert ask_by(label, made, csr).stand is Stand.ISSUED
    assert Version.objects.count() == Enrollment.objects.count() == 1


def test_of_two_who_enroll_one_name_at_two_labels_by_what_all_share_one_gets_it(
    make_label, free_device_profile, secret_for
):
    labels = [
        make_label(path, free_device_profile, accepts=["label-secret"], trust_shared=True)
        for path in ("one", "two")
    ]
    shared = [secret_for(at, "", names=[], one_time=False) for at in labels]

    outcomes = together(
        *(
            lambda at=at, made=made: ask_by(at, made, make_csr(DEVICE))
            for at, made in zip(labels, shared, strict=True)
        )
    )

    assert len(errors(outcomes, policy.NameNotYours)) == 1
    assert Version.objects.count() == Certificate.objects.count() == 1


def test_of_two_new_devices_of_one_name_at_one_label_one_gets_it(
    make_label, free_device_profile, secret_for
):
    label = make_label("one", free_device_profile, accepts=["label-secret"], trust_shared=True)
    shared = secret_for(label, "", names=[], one_time=False)

    outcomes = together(*[lambda: ask_by(label, shared, make_csr(DEVICE))] * 4)

    assert len(errors(outcomes, policy.NameNotYours)) == 3
    assert (Device.objects.count(), Version.objects.count()) == (1, 1)


@pytest.mark.parametrize("blocks", ["device", "credential", "label"])
def test_what_is_blocked_meanwhile_gets_nothing(label, secret_for, bob, blocks):
    made = secret_for(label)
    block = {
        "device": lambda: services.block_device(actor=bob, device_id=made.credential.device_id),
        "credential": lambda: services.block_credential(
            actor=bob, credential_id=made.credential.pk
        ),
        "label": lambda: services.block_label(actor=bob, label_id=label.pk),
    }[blocks]

    with pytest.raises(policy.Blocked):
        meanwhile(block, lambda: ask_by(label, made, make_csr(DEVICE)))

    assert not Job.objects.exists()


@pytest.mark.parametrize("blocks", ["device", "credential", "label"])
def test_what_is_asked_while_it_is_blocked_ends_with_it(slow_label, secret_for, bob, blocks):
    made = secret_for(slow_label)
    block = {
        "device": lambda: services.block_device(actor=bob, device_id=made.credential.device_id),
        "credential": lambda: services.block_credential(
            actor=bob, credential_id=made.credential.pk
        ),
        "label": lambda: services.block_label(actor=bob, label_id=slow_label.pk),
    }[blocks]

    meanwhile(lambda: ask_by(slow_label, made, make_csr(DEVICE)), block)

    assert Job.objects.get().status == Status.CANCELLED


def test_who_approves_while_the_device_is_blocked_comes_too_late(slow_label, secret_for, bob):
    made = secret_for(slow_label)
    job = ask_by(slow_label, made, make_csr(DEVICE)).enrollment.job

    with pytest.raises(InvalidMove):
        meanwhile(
            lambda: services.block_device(actor=bob, device_id=made.credential.device_id),
            lambda: job_services.approve_job(job_id=job.pk, actor=bob),
        )

    job.refresh_from_db()
    assert job.status == Status.CANCELLED


@pytest.mark.parametrize("blocks", ["device", "credential"])
def test_who_blocks_while_somebody_approves_does_not_hold_the_trail_meanwhile(
    slow_label, secret_for, bob, carol, blocks, postgres_only
):
    """Whoever approves holds the job and wants the trail: the block must not have it already."""
    made = secret_for(slow_label)
    job = ask_by(slow_label, made, make_csr(DEVICE)).enrollment.job
    block = {
        "device": lambda: services.block_device(actor=bob, device_id=made.credential.device_id),
        "credential": lambda: services.block_credential(
            actor=bob, credential_id=made.credential.pk
        ),
    }[blocks]

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Job.objects.lock(job.pk)
            other = beside(pool, block)
            until_blocked(other)
            job_services.approve_job(job_id=job.pk, actor=bob)
        other.result(timeout=20)

    job.refresh_from_db()
    assert job.status == Status.CANCELLED


def test_a_new_device_waits_for_what_all_share_before_it_holds_the_trail(
    make_label, free_device_profile, secret_for, bob, postgres_only
):
    label = make_label("one", free_device_profile, accepts=["label-secret"])
    shared = secret_for(label, "", names=[], one_time=False)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Credential.objects.lock(shared.credential.pk)
            other = beside(pool, lambda: ask_by(label, shared, make_csr(DEVICE)))
            until_blocked(other)
            services.block_credential(actor=bob, credential_id=shared.credential.pk)
        with pytest.raises(policy.Blocked):
            other.result(timeout=20)

    assert not Job.objects.exists()


def test_a_device_that_renews_by_the_old_and_the_new_certificate_at_once_gets_one(
    label, secret_for
):
    first = ask_by(label, secret_for(label), make_csr(DEVICE)).version
    second = ask_with(label, first, make_csr(DEVICE)).version

    outcomes = together(
        lambda: ask_with(label, first, make_csr(DEVICE)),
        lambda: ask_with(label, second, make_csr(DEVICE)),
    )

    assert len(errors(outcomes, services.CertificateRefused)) == 1
    assert Version.objects.count() == 3


def test_two_renewals_with_two_keys_at_once_are_one(label, secret_for):
    first = ask_by(label, secret_for(label), make_csr(DEVICE)).version

    outcomes = together(*[lambda: ask_with(label, first, make_csr(DEVICE))] * 4)

    errors(outcomes, services.CertificateRefused, policy.OtherRequestOpen)
    assert Version.objects.count() == 2


def test_a_worker_and_the_door_make_one_version(slow_label, secret_for, bob):
    made, csr = secret_for(slow_label), make_csr(DEVICE)
    job = ask_by(slow_label, made, csr).enrollment.job
    job_services.approve_job(job_id=job.pk, actor=bob)

    outcomes = together(*[lambda: ask_by(slow_label, made, csr)] * 3, runner.run_pending)

    assert errors(outcomes) == []
    assert ask_by(slow_label, made, csr).stand is Stand.ISSUED
    assert Version.objects.count() == 1


def test_what_is_rejected_while_the_device_asks_is_told_at_once_or_the_next_time(
    slow_label, secret_for, bob
):
    made, csr = secret_for(slow_label), make_csr(DEVICE)
    job = ask_by(slow_label, made, csr).enrollment.job

    outcomes = together(
        lambda: ask_by(slow_label, made, csr),
        lambda: job_services.reject_job(job_id=job.pk, actor=bob, reason="not ours"),
    )

    assert errors(outcomes) == []
    assert ask_by(slow_label, made, csr).stand is Stand.REFUSED
    assert Job.objects.count() == 1

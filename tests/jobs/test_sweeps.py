"""What time does: retries, reaping, giving up, renewals."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from audit.models import Event
from certificates.models import CertificateStatus, RenewalPolicy, Revocation
from foundation.answers import Answer
from foundation.errors import ConnectorError
from jobs import runner, services
from jobs.kinds.signing import CompromisedKey
from jobs.models import Job
from jobs.services import renewals, requests, sweeps
from jobs.states import Status
from owners import idempotency
from owners.models import IdempotencyRecord
from tests.factories import JobFactory
from tests.jobs.conftest import LEASE, grow_old, status_of

pytestmark = pytest.mark.django_db
START = datetime(2030, 5, 1, 12, tzinfo=UTC)
BUSY = ConnectorError("busy", permanent=False)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def fail_once(system):
    (job,) = Job.objects.claim(limit=1, lease=LEASE, actor=system)
    services.fail_job(job=job, actor=system, error=BUSY)
    return Job.objects.get(pk=job.pk)


# --- Retries ---------------------------------------------------------------------------------


def test_retries_come_at_doubling_distances_until_the_tries_are_spent(system, clock):
    job = JobFactory(max_attempts=3, retry_delay=timedelta(minutes=4))
    waits = []

    for _ in range(2):
        failed = fail_once(system)
        waits.append(failed.scheduled_at - timezone.now())
        clock.move_to(failed.scheduled_at - timedelta(seconds=1))
        assert services.retry_failed(actor=system) == 0
        clock.shift(timedelta(seconds=1))
        assert services.retry_failed(actor=system) == 1
    fail_once(system)
    clock.shift(timedelta(days=30))

    assert services.retry_failed(actor=system) == 0
    assert status_of(job) == Status.FAILED
    assert timedelta(minutes=4) <= waits[0] <= timedelta(minutes=5)
    assert timedelta(minutes=8) <= waits[1] <= timedelta(minutes=10)
    job.certificate.refresh_from_db()
    assert job.certificate.status == CertificateStatus.FAILED


def test_a_retry_gives_way_to_newer_work(system):
    old = JobFactory(retry_delay=timedelta(0))
    fail_once(system)
    newer = JobFactory(certificate=old.certificate)

    assert services.retry_failed(actor=system) == 0

    assert (status_of(old), status_of(newer)) == (Status.FAILED, Status.PENDING)
    assert Event.objects.filter(action="job.give_up", subject_id=str(old.pk)).exists()
    assert services.retry_failed(actor=system) == 0
    assert Event.objects.filter(action="job.give_up").count() == 1


def test_older_work_that_is_done_took_no_place(system):
    old = JobFactory(retry_delay=timedelta(0))
    fail_once(system)
    before = old.created_at - timedelta(hours=1)
    JobFactory(certificate=old.certificate, status=Status.COMPLETED, created_at=before)

    assert services.retry_failed(actor=system) == 1

    assert status_of(old) == Status.PENDING


def test_a_retry_that_collides_does_not_stop_the_sweep(system, monkeypatch):
    blocked = JobFactory(retry_delay=timedelta(0))
    fail_once(system)
    sound = JobFactory(retry_delay=timedelta(0))
    fail_once(system)
    JobFactory(certificate=blocked.certificate, status=Status.AWAITING_APPROVAL)
    # Without the look beforehand the unique constraint refuses it.
    monkeypatch.setattr(sweeps, "has_successor", lambda job: False)

    assert services.retry_failed(actor=system) == 1

    assert status_of(sound) == Status.PENDING
    blocked.refresh_from_db()
    assert blocked.status == Status.FAILED
    assert blocked.scheduled_at > timezone.now() + timedelta(minutes=5)


def test_a_failed_renewal_that_is_tried_again_shows_on_the_certificate(issued, alice, system):
    services.request_renewal(actor=alice, certificate_id=issued.pk)
    job = fail_once(system)
    Job.objects.filter(pk=job.pk).update(scheduled_at=timezone.now())

    assert services.retry_failed(actor=system) == 1

    issued.refresh_from_db()
    assert issued.status == CertificateStatus.RENEWAL_IN_PROGRESS
    assert runner.run_pending() == 1
    issued.refresh_from_db()
    assert issued.current.number == 2


def test_a_person_tries_a_spent_job_again(alice, system):
    job = JobFactory(max_attempts=1)
    fail_once(system)

    services.retry_job(job_id=job.pk, actor=alice)

    job.refresh_from_db()
    assert (job.status, job.max_attempts) == (Status.PENDING, 2)
    job.certificate.refresh_from_db()
    assert job.certificate.status == CertificateStatus.PENDING


def test_a_person_cannot_try_again_what_newer_work_replaced(alice, system):
    job = JobFactory(max_attempts=1)
    fail_once(system)
    JobFactory(certificate=job.certificate)

    with pytest.raises(services.DuplicateJob):
        services.retry_job(job_id=job.pk, actor=alice)


# --- The reaper ------------------------------------------------------------------------------


def test_a_job_whose_lease_is_over_is_tried_again_at_once(system, clock):
    job = JobFactory(retry_delay=timedelta(hours=1))
    Job.objects.claim(limit=1, lease=LEASE, actor=system)
    clock.shift(LEASE)
    assert services.fail_abandoned(actor=system) == 0
    clock.shift(timedelta(seconds=1))

    assert services.fail_abandoned(actor=system) == 1

    job.refresh_from_db()
    assert (job.status, job.attempts, job.lease_until) == (Status.FAILED, 1, None)
    assert services.retry_failed(actor=system) == 1
    assert status_of(job) == Status.PENDING


def test_a_job_that_kills_its_workers_ends(system, clock):
    job = JobFactory(max_attempts=2)

    for _ in range(2):
        Job.objects.claim(limit=1, lease=LEASE, actor=system)
        clock.shift(LEASE * 2)
        services.fail_abandoned(actor=system)
        services.retry_failed(actor=system)

    assert status_of(job) == Status.FAILED
    assert Job.objects.claim(limit=1, lease=LEASE, actor=system) == []


def test_a_row_that_cannot_be_reaped_does_not_stop_the_reaper(system, clock, monkeypatch):
    poisoned, sound = JobFactory(), JobFactory()
    Job.objects.claim(limit=2, lease=LEASE, actor=system)
    clock.shift(LEASE * 2)
    real = sweeps.settle.fail_job

    def poison(*, job, **rest):
        if job.pk == poisoned.pk:
            raise ZeroDivisionError
        return real(job=job, **rest)

    monkeypatch.setattr(sweeps.settle, "fail_job", poison)

    assert services.fail_abandoned(actor=system) == 1

    assert (status_of(poisoned), status_of(sound)) == (Status.RUNNING, Status.FAILED)
    poisoned.refresh_from_db()
    assert poisoned.lease_until > timezone.now()


# --- Waiting too long ------------------------------------------------------------------------


def test_a_csr_is_waited_for_one_day_and_a_decision_seven(ask, profile, system, clock):
    csr = ask(profile, csr_pem="", sans=["dns:a.demo.internal"])
    decision = ask(profile, "b.demo.internal")

    clock.move_to(START + timedelta(hours=24) - timedelta(seconds=1))
    assert services.time_out_waiting(actor=system) == 0
    clock.shift(timedelta(seconds=1))
    assert services.time_out_waiting(actor=system) == 1
    assert (status_of(csr), status_of(decision)) == (Status.CANCELLED, Status.AWAITING_APPROVAL)
    clock.move_to(START + timedelta(days=7))
    assert services.time_out_waiting(actor=system) == 1

    csr.refresh_from_db()
    decision.refresh_from_db()
    assert csr.last_error == "Nobody gave it a CSR in time."
    assert decision.status == Status.CANCELLED
    assert decision.last_error == "Nobody gave it a decision in time."
    assert decision.decided_by is None
    decision.certificate.refresh_from_db()
    assert decision.certificate.status == CertificateStatus.FAILED


# --- Due renewals ----------------------------------------------------------------------------


@pytest.fixture
def renewing(issued):
    issued.renewal_policy = RenewalPolicy.objects.create(
        name="fourteen days", window=timedelta(days=14), max_attempts=5
    )
    issued.save()
    return issued


def test_a_renewal_is_asked_for_when_the_window_opens_and_once(renewing, system):
    opens = renewing.current.not_after - timedelta(days=14)

    with time_machine.travel(opens - timedelta(minutes=1), tick=False):
        assert services.request_due_renewals(actor=system) == 0
    with time_machine.travel(opens, tick=False):
        assert services.request_due_renewals(actor=system) == 1
        assert services.request_due_renewals(actor=system) == 0

    job = Job.objects.get(kind=Job.Kind.RENEWAL)
    assert (job.requested_by, job.max_attempts) == (system, 5)
    assert opens <= job.scheduled_at <= opens + renewals.SPREAD
    renewing.refresh_from_db()
    assert renewing.status == CertificateStatus.RENEWAL_IN_PROGRESS


def test_a_renewal_that_was_refused_is_not_asked_for_again_that_day(
    renewing, system, bob, free_profile
):
    free_profile.approval_required_for = ["Renewal"]
    free_profile.save()
    with time_machine.travel(renewing.current.not_after - timedelta(days=3), tick=False) as clock:
        services.request_due_renewals(actor=system)
        job = Job.objects.get(kind=Job.Kind.RENEWAL)
        services.reject_job(job_id=job.pk, actor=bob, reason="to be retired")
        assert services.request_due_renewals(actor=system) == 0
        clock.shift(timedelta(hours=23))  # what only came to nothing rests for an hour
        assert services.request_due_renewals(actor=system) == 0
        clock.shift(timedelta(hours=1))
        assert services.request_due_renewals(actor=system) == 1


def test_one_certificate_that_cannot_be_renewed_does_not_stop_the_others(
    ask, free_profile, system, monkeypatch
):
    rules = RenewalPolicy.objects.create(name="always", window=timedelta(days=400))
    for name in ("a", "b"):
        ask(free_profile, f"{name}.demo.internal", renewal_policy=rules)
    runner.run_pending()
    grow_old()
    poisoned = Job.objects.order_by("created_at").first().certificate_id
    real = requests.request_renewal

    def poison(*, certificate_id, **rest):
        if certificate_id == poisoned:
            raise ZeroDivisionError
        return real(certificate_id=certificate_id, **rest)

    monkeypatch.setattr(requests, "request_renewal", poison)

    assert services.request_due_renewals(actor=system) == 1


def test_what_its_policy_does_not_renew_is_left_alone_whatever_others_want(renewing, system):
    RenewalPolicy.objects.update(auto_renew=False)
    RenewalPolicy.objects.create(name="eager", window=timedelta(days=30))

    with time_machine.travel(renewing.current.not_after - timedelta(days=1)):
        assert services.request_due_renewals(actor=system) == 0


def test_a_renewal_waits_for_a_csr_where_keys_are_not_reused(renewing, system):
    RenewalPolicy.objects.update(reuse_key=False)

    with time_machine.travel(renewing.current.not_after - timedelta(days=1)):
        services.request_due_renewals(actor=system)

    job = Job.objects.get(kind=Job.Kind.RENEWAL)
    assert (job.status, job.csr_pem) == (Status.AWAITING_CSR, "")


def test_a_leaked_key_is_not_used_again(issued, alice, csr_for):
    Revocation.objects.create(
        version=issued.current,
        reason="keyCompromise",
        revoked_at=timezone.now(),
        revoked_by=alice,
    )

    job = services.request_renewal(actor=alice, certificate_id=issued.pk).job

    assert job.status == Status.AWAITING_CSR
    with pytest.raises(CompromisedKey) as refused:
        services.submit_csr(actor=alice, job_id=job.pk, csr_pem=issued.current.csr_pem)
    assert refused.value.code == "compromised_key"
    services.submit_csr(actor=alice, job_id=job.pk, csr_pem=csr_for("web.demo.internal"))
    runner.run_pending()
    issued.refresh_from_db()
    assert (issued.current.number, issued.status) == (2, CertificateStatus.ACTIVE)


# --- Forgetting ------------------------------------------------------------------------------


def test_answers_are_kept_for_a_day(alice, clock):
    IdempotencyRecord.objects.create(principal=alice, key="k", request_digest="d")

    clock.shift(timedelta(hours=24) - timedelta(seconds=1))
    assert idempotency.drop_old_idempotency_records() == 0
    clock.shift(timedelta(seconds=1))
    assert idempotency.drop_old_idempotency_records() == 1


def test_a_key_can_be_used_again_after_a_day(alice, clock):
    def once(number):
        return idempotency.once(
            actor=alice, key="k", request_digest="d", work=lambda: Answer(201, number)
        ).body

    assert [once(1), once(2)] == [1, 1]
    clock.shift(timedelta(hours=24))

    assert once(3) == 3


def test_renewals_are_spread_over_five_minutes_and_no_more(clock):
    now = timezone.now()

    waits = [renewals._spread(now, now + timedelta(days=400)) - now for _ in range(99)]

    assert timedelta(minutes=1) < max(waits) <= timedelta(minutes=5)
    assert min(waits) >= timedelta(0)


def test_work_on_what_is_archived_is_not_tried_again(alice, system):
    job = JobFactory(max_attempts=2, retry_delay=timedelta(0))
    fail_once(system)
    job.certificate.become(CertificateStatus.ARCHIVED)

    assert services.retry_failed(actor=system) == 0
    with pytest.raises(services.DuplicateJob):
        services.retry_job(job_id=job.pk, actor=alice)


@pytest.mark.parametrize(("auto_renew", "revoked", "asked"), [(1, 0, 1), (0, 0, 0), (1, 1, 0)])
def test_what_is_due_is_served_and_renewed_by_itself(
    renewing, system, alice, auto_renew, revoked, asked
):
    RenewalPolicy.objects.update(auto_renew=auto_renew)
    if revoked:
        # Found before the sweep of statuses has come to it.
        Revocation.objects.create(
            version=renewing.current, revoked_at=timezone.now(), revoked_by=alice
        )

    with time_machine.travel(renewing.current.not_after - timedelta(days=1)):
        assert services.request_due_renewals(actor=system) == asked

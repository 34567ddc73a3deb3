"""Real concurrency: threads with connections of their own. PostgreSQL shows the races; on SQLite
writers follow one another and the outcome must be the same."""

from datetime import timedelta
from queue import Queue
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit.services import verify
from certificates.models import Certificate, RenewalPolicy, Version
from foundation.answers import Answer
from jobs import runner, services
from jobs.models import InvalidMove, Job
from jobs.states import Status
from owners import idempotency
from owners.models import IdempotencyRecord, Principal
from tests.factories import JobFactory
from tests.jobs.conftest import LEASE, grow_old, status_of
from tests.races import until_blocked

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def postgres_only():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to wait for")


def claim(actor, limit=1):
    return Job.objects.claim(limit=limit, lease=LEASE, actor=actor)


def conflicts(outcomes, *kinds):
    assert all(not isinstance(o, Exception) or isinstance(o, kinds) for o in outcomes), outcomes
    return [o for o in outcomes if isinstance(o, Exception)]


@pytest.mark.parametrize("round_", range(5))
def test_of_two_deciders_one_decides(bob, carol, together, round_):
    job = JobFactory(status=Status.AWAITING_APPROVAL)

    outcomes = together(
        lambda: services.approve_job(job_id=job.pk, actor=bob),
        lambda: services.reject_job(job_id=job.pk, actor=carol, reason="no"),
    )

    assert len(conflicts(outcomes, InvalidMove)) == 1
    winner = next(o for o in outcomes if isinstance(o, Job))
    assert status_of(job) == winner.status
    job.refresh_from_db()
    assert job.decided_by == winner.decided_by
    assert verify()[1] is None


def test_a_decider_waits_for_the_other_and_then_sees_what_was_decided(
    bob, carol, aside, postgres_only
):
    job = JobFactory(status=Status.AWAITING_APPROVAL)

    with transaction.atomic():
        services.approve_job(job_id=job.pk, actor=bob)
        second = aside(lambda: services.reject_job(job_id=job.pk, actor=carol, reason="no"))
        until_blocked(second)

    with pytest.raises(InvalidMove):
        second.result(timeout=10)
    assert status_of(job) == Status.PENDING


def test_a_decider_who_becomes_owner_meanwhile_is_refused(awaiting, bob, aside, postgres_only):
    """The owner is read after the certificate's lock, not before."""
    with transaction.atomic():
        certificate = Certificate.objects.lock(awaiting.certificate_id)
        decision = aside(lambda: services.approve_job(job_id=awaiting.pk, actor=bob))
        until_blocked(decision)
        owner = type(certificate.owner).objects.create(name="bob's", email=bob.email)
        certificate.owner = owner
        certificate.save()

    with pytest.raises(services.decisions.policy.SelfApproval):
        decision.result(timeout=10)
    assert status_of(awaiting) == Status.AWAITING_APPROVAL


def test_what_changes_while_a_decider_waits_is_not_approved(awaiting, bob, aside, postgres_only):
    shown = services.decisions.approvals.review(awaiting).digest
    with transaction.atomic():
        certificate = Certificate.objects.lock(awaiting.certificate_id)
        decision = aside(lambda: services.approve_job(job_id=awaiting.pk, actor=bob, digest=shown))
        until_blocked(decision)
        certificate.sans = ["dns:other.demo.internal"]
        certificate.save()

    with pytest.raises(services.ChangedSinceShown):
        decision.result(timeout=10)


def test_claimers_never_take_the_same_job(system, together):
    for _ in range(12):
        JobFactory()

    outcomes = together(*[lambda: claim(system, limit=3)] * 4)

    taken = [job.pk for jobs in outcomes for job in jobs]
    assert len(taken) == len(set(taken))
    assert len(taken) + Job.objects.filter(status=Status.PENDING).count() == 12
    assert set(Job.objects.values_list("attempts", flat=True)) <= {0, 1}


def test_a_claim_waits_for_nobody(system, aside, postgres_only):
    held = JobFactory(scheduled_at=timezone.now() - LEASE)
    free = JobFactory()

    with transaction.atomic():
        Job.objects.lock(held.pk)
        assert aside(lambda: claim(system)).result(timeout=5) == [free]


def test_a_sweep_waits_for_nobody(system, aside, postgres_only):
    held, free = (
        JobFactory(status=Status.RUNNING, attempts=1, lease_until=timezone.now() - LEASE)
        for _ in range(2)
    )

    with transaction.atomic():
        Job.objects.lock(held.pk)
        reaped = aside(lambda: services.fail_abandoned(actor=system)).result(timeout=5)

    assert reaped == 1
    assert (status_of(held), status_of(free)) == (Status.RUNNING, Status.FAILED)


@pytest.mark.parametrize("round_", range(3))
def test_a_cancel_and_a_settling_worker_agree(ask, free_profile, alice, system, together, round_):
    ask(free_profile)
    (job,) = claim(system)

    outcomes = together(
        lambda: runner.run(job, actor=system),
        lambda: services.cancel_job(job_id=job.pk, actor=alice),
    )

    conflicts(outcomes, InvalidMove)
    assert status_of(job) in {Status.COMPLETED, Status.CANCELLED}
    assert Version.objects.count() == (status_of(job) == Status.COMPLETED)


@pytest.mark.parametrize("round_", range(3))
def test_the_reaper_and_a_settling_worker_agree(ask, free_profile, system, together, round_):
    ask(free_profile)
    (job,) = claim(system)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))

    together(
        lambda: runner.run(job, actor=system),
        lambda: services.fail_abandoned(actor=system),
    )

    assert status_of(job) in {Status.COMPLETED, Status.FAILED}
    assert Version.objects.count() == (status_of(job) == Status.COMPLETED)


def test_a_worker_waits_for_the_one_who_settles_and_then_writes_nothing(
    ask, free_profile, alice, system, aside, postgres_only
):
    ask(free_profile)
    (job,) = claim(system)
    with transaction.atomic():
        services.cancel_job(job_id=job.pk, actor=alice)
        worker = aside(lambda: runner.run(job, actor=system))
        until_blocked(worker)

    worker.result(timeout=10)
    assert status_of(job) == Status.CANCELLED
    assert not Version.objects.exists()


def test_parallel_sweeps_ask_for_each_renewal_once(ask, free_profile, system, together):
    rules = RenewalPolicy.objects.create(name="always", window=timedelta(days=400))
    for number in range(5):
        ask(free_profile, f"{number}.demo.internal", renewal_policy=rules)
    assert runner.run_pending() == 5
    grow_old()

    outcomes = together(*[lambda: services.request_due_renewals(actor=system)] * 4)

    assert sum(outcomes) == 5, outcomes
    assert Job.objects.filter(kind=Job.Kind.RENEWAL).count() == 5
    assert verify()[1] is None


def test_parallel_requests_for_one_renewal_make_one_job(issued, alice, bob, together):
    def ask(actor):
        return services.request_renewal(actor=actor, certificate_id=issued.pk)

    outcomes = together(*[lambda: ask(alice), lambda: ask(bob)] * 2)

    assert len(conflicts(outcomes, services.DuplicateJob)) == 3
    assert Job.objects.filter(kind=Job.Kind.RENEWAL).count() == 1


def test_a_retry_and_a_new_request_make_one_open_job(issued, alice, system, together):
    services.request_renewal(actor=alice, certificate_id=issued.pk)
    (job,) = claim(system)
    services.fail_job(job=job, actor=system, error=TimeoutError(), retry_at_once=True)

    outcomes = together(
        lambda: services.retry_failed(actor=system),
        lambda: services.request_renewal(actor=alice, certificate_id=issued.pk),
    )

    conflicts(outcomes, services.DuplicateJob)
    assert Job.objects.filter(kind=Job.Kind.RENEWAL).open().count() == 1


def test_workers_side_by_side_do_everything_once(
    ask, free_profile, watched_target, places, together, settings
):
    settings.JOB_BATCH = 2
    jobs = [
        ask(free_profile, f"{number}.demo.internal", targets=[watched_target])
        for number in range(8)
    ]

    outcomes = together(*[runner.run_pending] * 3)
    # What came last may have been asked for after the other workers had gone.
    rest = runner.run_pending()

    assert sum(outcomes) + rest == 24, outcomes
    assert set(Job.objects.values_list("status", flat=True)) == {Status.COMPLETED}
    assert Version.objects.count() == len(jobs)
    assert Job.objects.count() == 3 * len(jobs)
    assert verify()[1] is None


@pytest.mark.parametrize("round_", range(3))
def test_parallel_duplicates_of_a_request_make_one_job(
    client_of, alice, owner, local_ca, profile, csr_for, together, round_
):
    body = {
        "owner": owner.name,
        "issuer": local_ca.slug,
        "profile": profile.slug,
        "csr": csr_for("web.demo.internal"),
    }
    clients = [client_of(alice) for _ in range(4)]

    def post(client):
        return client.post("/api/v1/certificates/", body, HTTP_IDEMPOTENCY_KEY="k")

    outcomes = together(*[lambda client=client: post(client) for client in clients])

    assert [response.status_code for response in outcomes] == [201] * 4
    assert len({response.json()["id"] for response in outcomes}) == 1
    assert sum("Idempotency-Replayed" in response.headers for response in outcomes) == 3
    assert Job.objects.count() == 1
    assert IdempotencyRecord.objects.count() == 1


def test_a_duplicate_waits_for_the_first_answer(alice, aside, postgres_only):
    principal = Principal.objects.get(pk=alice.pk)

    def once(work):
        return idempotency.once(actor=principal, key="k", request_digest="d", work=work)

    working, others = Event(), Queue()

    def slow():
        working.set()
        until_blocked(others.get(timeout=20))
        return Answer(201, {"n": 1})

    first = aside(lambda: once(slow))
    assert working.wait(20)
    second = aside(lambda: once(lambda: Answer(201, {"n": 2})))
    others.put(second)

    assert first.result(timeout=10).body == second.result(timeout=10).body == {"n": 1}
    assert second.result().replayed

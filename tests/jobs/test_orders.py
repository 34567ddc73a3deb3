"""Signing as an order: a CA that answers late, twice, wrongly and never, and workers that die."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from cryptography import x509
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Event
from audit.services import verify
from certificates.models import Certificate, CertificateStatus, RenewalPolicy, Version
from foundation.errors import ConnectorError
from issuers.connectors.base import OrderRefused, UnknownOutcome
from issuers.services import Waiting
from jobs import approvals, runner, services
from jobs.kinds import kind_of
from jobs.kinds.base import ClaimLost
from jobs.models import Job
from jobs.states import Status
from tests.fixtures import make_csr
from tests.jobs.conftest import LEASE, grow_old, status_of
from tests.races import meanwhile
from tests.remote_ca import LATER, LONGEST, reads

pytestmark = pytest.mark.django_db
GONE = ConnectorError("The desk is closed.", permanent=False)


class Killed(BaseException):
    """The worker is gone in this very moment, and writes nothing any more."""


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def order(remote_ca, ask, free_profile):
    """An issuance from a CA that can be asked for what it has."""
    return ask(free_profile)


@pytest.fixture
def blind_order(mute_ca, ask, free_profile):
    """An issuance from a CA that cannot tell what it has."""
    return ask(free_profile)


def claim(system):
    (job,) = Job.objects.claim(limit=1, lease=LEASE, actor=system)
    return job


def work(job, system):
    """Do the work and give its result, as the runner does, but settle nothing."""
    kind = kind_of(job)
    return kind.run(job, kind.prepare(job), system)


def die(job, system):
    with pytest.raises(Killed):
        work(job, system)


def come_back(clock, system):
    """Let the lease of a dead worker end, and have its job tried again."""
    clock.shift(LEASE * 10)
    assert services.fail_abandoned(actor=system) == 1
    assert services.retry_failed(actor=system) == 1
    return runner.run_pending()


def always_due(certificate):
    rules = RenewalPolicy.objects.create(name="always", window=timedelta(days=400))
    Certificate.objects.filter(pk=certificate.pk).update(renewal_policy=rules)
    grow_old()
    return certificate


def fresh(job):
    return Job.objects.get(pk=job.pk)


# --- Late ------------------------------------------------------------------------------------


def test_an_issuer_that_says_much_later_is_asked_once_more_at_the_orders_end(
    order, desk, clock, monkeypatch
):
    monkeypatch.setattr("tests.remote_ca.LATER", LONGEST + timedelta(hours=3))
    runner.run_pending()

    parked = fresh(order)
    assert parked.scheduled_at == parked.ordered_at + LONGEST
    clock.shift(LONGEST)
    desk.is_ready = True
    assert runner.run_pending() == 1
    assert fresh(order).status == Status.COMPLETED


def test_what_is_answered_later_is_asked_for_later_and_ordered_once(order, desk, clock):
    runner.run_pending()

    parked = fresh(order)
    assert (parked.status, parked.order_ref, parked.attempts) == (Status.PENDING, "order-1", 0)
    assert parked.scheduled_at == timezone.now() + LATER
    assert runner.run_pending() == 0
    clock.shift(LATER)
    runner.run_pending()
    assert status_of(order) == Status.PENDING
    desk.is_ready = True
    clock.shift(LATER)
    runner.run_pending()
    assert status_of(order) == Status.COMPLETED
    assert Version.objects.get().job_id == order.pk
    assert desk.keys == [order.order_key]
    moves = Event.objects.filter(subject_id=str(order.pk)).order_by("sequence")
    assert [event.action for event in moves if event.action in {"job.order", "job.park"}] == [
        "job.order",
        "job.park",
        "job.park",
    ]
    assert verify()[1] is None


def test_that_an_order_goes_out_is_committed_before_the_call(order, desk):
    seen = []

    def look(key):
        job = fresh(order)
        # Nothing is open but the test's own transaction: what is read here is committed.
        blocks = [block for block in connection.atomic_blocks if not block._from_testcase]
        seen.append((key == job.order_key, job.ordered_at is not None, blocks))

    desk.when_called = look

    runner.run_pending()

    assert seen == [(True, True, [])]


def test_a_claim_lasts_from_the_moment_that_its_order_goes_out(
    order, desk, clock, system, settings
):
    job = claim(system)
    clock.shift(LEASE / 2)

    work(job, system)

    assert fresh(order).lease_until == timezone.now() + settings.JOB_LEASE


def test_a_person_sees_whose_answer_is_waited_for(order, client_of, victor):
    runner.run_pending()

    body = client_of(victor).get(f"/api/v1/jobs/{order.pk}/").json()

    assert body["waiting_for"]["what"] == "order"
    assert body["order"]["key"] == order.order_key
    assert body["order"]["ref"] == "order-1"
    assert approvals.waits_for(fresh(order)).short.startswith("its issuer, ")


def test_no_issuer_is_asked_all_the_time(order, desk, clock, monkeypatch):
    monkeypatch.setattr("tests.remote_ca.LATER", timedelta(0))

    runner.run_pending()

    assert fresh(order).scheduled_at >= timezone.now() + timedelta(seconds=10)


def test_an_issuer_that_is_down_costs_no_tries_while_it_has_the_order(order, desk, clock):
    runner.run_pending()
    for _ in range(10):
        desk.on_asking = [GONE]
        clock.move_to(fresh(order).scheduled_at)
        assert runner.run_pending() == 1

    job = fresh(order)
    assert (job.status, job.attempts, job.last_error) == (Status.PENDING, 0, "The desk is closed.")
    desk.is_ready = True
    clock.move_to(job.scheduled_at)
    runner.run_pending()
    assert status_of(order) == Status.COMPLETED
    assert fresh(order).last_error == ""


# --- Never -----------------------------------------------------------------------------------


def test_an_order_that_is_never_answered_fails_when_its_time_is_over(order, desk, clock):
    runner.run_pending()
    placed = fresh(order).ordered_at
    while status_of(order) == Status.PENDING:
        clock.move_to(fresh(order).scheduled_at)
        runner.run_pending()

    job = fresh(order)
    assert (job.status, job.error_code) == (Status.FAILED, "order_unanswered")
    assert timezone.now() == placed + LONGEST
    assert "order-1" in job.last_error
    assert services.retry_failed(actor=job.requested_by) == 0
    job.certificate.refresh_from_db()
    assert job.certificate.status == CertificateStatus.FAILED
    assert len(desk.keys) == 1


def test_an_issuer_that_wants_to_be_asked_too_late_is_asked_at_the_very_end(
    order, desk, clock, monkeypatch
):
    monkeypatch.setattr("tests.remote_ca.LATER", LONGEST * 3)

    runner.run_pending()

    parked = fresh(order)
    assert parked.scheduled_at == parked.ordered_at + LONGEST


def test_an_order_is_asked_for_again_when_a_person_tries_again(order, desk, clock, alice):
    runner.run_pending()
    clock.shift(LONGEST)
    runner.run_pending()
    assert fresh(order).error_code == "order_unanswered"
    desk.is_ready = True

    services.retry_job(job_id=order.pk, actor=alice)
    assert fresh(order).error_code == ""
    runner.run_pending()

    assert status_of(order) == Status.COMPLETED
    assert len(desk.keys) == 1


# --- Unknown ---------------------------------------------------------------------------------


def test_an_order_whose_answer_was_lost_is_looked_up(order, desk, clock):
    desk.on_the_way_back = [GONE]

    runner.run_pending()

    job = fresh(order)
    assert (job.status, job.order_ref, job.attempts) == (Status.PENDING, "", 0)
    desk.is_ready = True
    clock.move_to(job.scheduled_at)
    runner.run_pending()
    assert status_of(order) == Status.COMPLETED
    assert len(desk.keys) == 1


def test_an_order_that_never_arrived_is_placed_under_the_same_key(order, desk, clock):
    desk.on_the_way = [GONE]
    desk.at_once = True

    runner.run_pending()
    first = fresh(order)
    clock.move_to(first.scheduled_at)
    runner.run_pending()

    job = fresh(order)
    assert job.status == Status.COMPLETED
    assert desk.keys == [first.order_key]
    assert job.ordered_at > first.ordered_at


@pytest.mark.parametrize("error", [GONE, ConnectorError("?", permanent=True), ZeroDivisionError()])
def test_where_the_issuer_cannot_tell_a_person_must_and_nothing_is_ordered_again(
    blind_order, desk, alice, system, error
):
    desk.on_the_way_back = [error]

    runner.run_pending()

    job = fresh(blind_order)
    assert (job.status, job.error_code) == (Status.FAILED, "unknown_outcome")
    assert job.given_up
    assert job.order_key in job.last_error
    job.certificate.refresh_from_db()
    assert job.certificate.status == CertificateStatus.FAILED
    assert services.retry_failed(actor=system) == 0
    services.retry_job(job_id=job.pk, actor=alice)
    runner.run_pending()
    assert fresh(job).error_code == "unknown_outcome"
    assert len(desk.keys) == 1


def test_a_person_who_has_looked_asks_anew_and_gets_another_order(blind_order, desk, alice):
    desk.on_the_way_back = [GONE]
    runner.run_pending()
    desk.at_once = True

    anew = services.request_renewal(actor=alice, certificate_id=blind_order.certificate_id).job
    assert anew.status == Status.AWAITING_CSR
    services.submit_csr(actor=alice, job_id=anew.pk, csr_pem=make_csr("web.demo.internal"))
    runner.run_pending()

    assert status_of(anew) == Status.COMPLETED
    assert desk.keys == [blind_order.order_key, anew.order_key]
    assert blind_order.order_key != anew.order_key


def test_the_sweep_orders_nothing_anew_that_may_have_been_carried_out(
    blind_order, desk, alice, system
):
    """Else every hour would bring another order, with nobody looking."""
    desk.at_once = True
    runner.run_pending()
    certificate = always_due(blind_order.certificate)
    assert services.request_due_renewals(actor=system) == 1
    desk.on_the_way_back = [GONE]
    Job.objects.update(scheduled_at=timezone.now())
    runner.run_pending()
    renewal = Job.objects.get(kind=Job.Kind.RENEWAL)
    assert renewal.error_code == "unknown_outcome"

    # Also when what failed has rested: it is the order that is open, and stays so.
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        assert services.request_due_renewals(actor=system) == 0

    # A person looks, and asks; then it goes on by itself.
    services.request_renewal(actor=alice, certificate_id=certificate.pk)
    runner.run_pending()
    grow_old()
    assert services.request_due_renewals(actor=system) == 1


def test_the_sweep_asks_again_for_what_was_never_answered(order, desk, clock, system):
    desk.at_once = True
    runner.run_pending()
    always_due(order.certificate)
    clock.shift(timedelta(seconds=1))
    services.request_due_renewals(actor=system)
    desk.at_once = False
    for _ in range(3):
        clock.shift(LONGEST)
        runner.run_pending()
    assert Job.objects.get(kind=Job.Kind.RENEWAL).error_code == "order_unanswered"

    assert services.request_due_renewals(actor=system) == 1


def test_an_order_that_could_not_be_looked_up_in_time_is_no_unanswered_one(order, desk, clock):
    """It may have been carried out: the sweep must not order it anew."""
    desk.on_the_way_back = [GONE]
    desk.on_asking = [GONE] * 200
    while status_of(order) == Status.PENDING:
        runner.run_pending()
        clock.shift(timedelta(minutes=30))

    assert fresh(order).error_code == "unknown_outcome"
    assert len(desk.keys) == 1


def test_an_issuer_that_cannot_be_asked_again_must_not_answer_later(curt_ca, ask, free_profile):
    job = ask(free_profile)

    runner.run_pending()

    assert fresh(job).error_code == "unknown_outcome"


def test_an_error_that_stays_ends_the_job_and_leaves_its_order_open(order, desk, clock):
    runner.run_pending()
    desk.on_asking = [ConnectorError("Your account is closed.", permanent=True)]
    clock.shift(LATER)

    runner.run_pending()

    job = fresh(order)
    assert (job.status, job.error_code) == (Status.FAILED, "connector_error")
    assert job.given_up
    assert job in Job.objects.with_open_order()


def test_a_connector_may_say_itself_that_it_cannot_tell(order, desk):
    desk.on_the_way_back = [UnknownOutcome("Two orders have that key.")]

    runner.run_pending()

    assert fresh(order).error_code == "unknown_outcome"


# --- Refused ---------------------------------------------------------------------------------


def test_what_the_issuer_refuses_is_ordered_under_another_key_when_it_is_tried_again(
    order, desk, alice
):
    desk.on_the_way = [OrderRefused("Not this name.", permanent=True)]
    desk.at_once = True

    runner.run_pending()

    job = fresh(order)
    assert (job.status, job.error_code) == (Status.FAILED, "order_refused")
    assert job.ordered_at is None
    services.retry_job(job_id=order.pk, actor=alice)
    runner.run_pending()
    assert status_of(order) == Status.COMPLETED
    assert desk.keys == [job.order_key]
    assert job.order_key != order.order_key


def test_an_order_that_is_turned_down_later_is_over(order, desk, clock):
    runner.run_pending()
    desk.on_asking = [OrderRefused("The validation failed.", permanent=False)]
    clock.shift(LATER)
    runner.run_pending()
    job = fresh(order)
    assert (job.status, job.order_ref) == (Status.FAILED, "")
    assert job.will_be_retried

    clock.move_to(job.scheduled_at)
    services.retry_failed(actor=job.requested_by)
    runner.run_pending()

    assert len(set(desk.keys)) == 2


# --- Workers that die between two steps --------------------------------------------------------


def test_killed_before_the_call_arrives(order, desk, clock, system):
    desk.on_the_way = [Killed()]
    die(claim(system), system)
    desk.at_once = True

    come_back(clock, system)

    assert status_of(order) == Status.COMPLETED
    assert len(desk.keys) == 1


def test_killed_before_the_answer_arrives(order, desk, clock, system):
    desk.on_the_way_back = [Killed()]
    die(claim(system), system)
    desk.is_ready = True

    come_back(clock, system)

    assert status_of(order) == Status.COMPLETED
    assert len(desk.keys) == 1


def test_killed_before_the_answer_arrives_where_the_issuer_cannot_tell(
    blind_order, desk, clock, system
):
    desk.on_the_way_back = [Killed()]
    die(claim(system), system)

    come_back(clock, system)

    assert fresh(blind_order).error_code == "unknown_outcome"
    assert len(desk.keys) == 1


def test_killed_before_the_reference_is_committed(order, desk, clock, system):
    result = work(claim(system), system)
    assert isinstance(result, Waiting)

    come_back(clock, system)

    assert fresh(order).order_ref == "order-1"
    assert len(desk.keys) == 1


def test_killed_with_the_certificate_in_hand(order, desk, clock, system):
    runner.run_pending()
    desk.is_ready = True
    clock.shift(LATER)
    work(claim(system), system)

    come_back(clock, system)

    assert status_of(order) == Status.COMPLETED
    assert Version.objects.count() == len(desk.keys) == 1


def test_told_to_stop_in_the_middle_of_the_call(order, desk, clock, system):
    desk.on_the_way_back = [SystemExit()]
    with pytest.raises(SystemExit):
        runner.run_pending()
    assert status_of(order) == Status.FAILED

    clock.shift(timedelta(hours=1))
    services.retry_failed(actor=system)
    runner.run_pending()

    assert fresh(order).order_ref == "order-1"
    assert len(desk.keys) == 1


def test_what_was_never_begun_was_never_ordered(blind_order, desk, clock, system):
    claim(system)
    desk.at_once = True

    come_back(clock, system)

    assert status_of(blind_order) == Status.COMPLETED


# --- Twice -----------------------------------------------------------------------------------


def test_what_is_answered_to_two_workers_makes_one_version(order, desk, clock, system):
    runner.run_pending()
    desk.is_ready = True
    clock.shift(LATER)
    late = claim(system)
    given = work(late, system)

    come_back(clock, system)

    assert services.complete(job=late, result=given, actor=system) is None
    assert not services.park(job=late, waiting=Waiting("x", timezone.now()), actor=system)
    assert Version.objects.count() == 1


def test_a_certificate_that_was_given_before_is_no_answer(order, desk, clock, alice):
    desk.at_once = True
    runner.run_pending()
    (_, old), *_ = desk.orders.values()
    desk.alters = lambda signed: old

    services.request_renewal(actor=alice, certificate_id=order.certificate_id)
    runner.run_pending()

    job = Job.objects.get(kind=Job.Kind.RENEWAL)
    assert (job.status, job.error_code) == (Status.FAILED, "wrong_certificate")
    assert job.given_up
    assert Version.objects.count() == 1


def test_a_worker_that_lost_its_job_orders_nothing(order, desk, alice, system):
    job = claim(system)
    services.cancel_job(job_id=job.pk, actor=alice)

    with pytest.raises(ClaimLost):
        work(job, system)

    assert desk.keys == []
    assert fresh(job).ordered_at is None


# --- Wrongly ---------------------------------------------------------------------------------

OTHER = make_csr("web.demo.internal")
WRONG = {
    "another key": reads(csr=x509.load_pem_x509_csr(OTHER.encode())),
    "other names": reads(sans=["dns:web.demo.internal", "dns:evil.demo.internal"]),
    "another common name": reads(
        subject=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "evil.demo.internal")])
    ),
    "it lives longer": reads(lifetime=timedelta(days=48)),
    "other key usages": reads(key_usage=["digitalSignature", "keyAgreement"]),
    "other purposes": reads(extended_key_usage=["serverAuth", "clientAuth"]),
}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_not_as_asked_for_is_never_kept(order, desk, clock, wrong, at_once):
    desk.reads, desk.at_once = WRONG[wrong], at_once

    runner.run_pending()
    desk.is_ready = True
    clock.shift(LATER)
    runner.run_pending()

    job = fresh(order)
    assert (job.status, job.error_code) == (Status.FAILED, "wrong_certificate")
    assert job.last_error == f"What came back is not what was asked for: {wrong}."
    assert job.given_up
    assert not Version.objects.exists()
    assert len(desk.keys) == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"certificate_pem": "no"}, "cannot be read"),
        ({"chain_pem": ""}, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_never_kept(order, desk, changes, says):
    desk.at_once, desk.alters = True, lambda signed: replace(signed, **changes)

    runner.run_pending()

    assert says in fresh(order).last_error
    assert not Version.objects.exists()


def test_a_chain_that_did_not_sign_it_is_never_kept(order, desk, root_ca):
    desk.at_once = True
    desk.alters = lambda signed: replace(signed, chain_pem=root_ca.certificate_pem)

    runner.run_pending()

    assert "a signature that is not its chain's" in fresh(order).last_error


def test_a_ca_certificate_is_never_kept(order, desk, local_ca):
    desk.at_once = True
    desk.alters = lambda signed: replace(signed, certificate_pem=local_ca.certificate_pem)

    runner.run_pending()

    assert "it is a CA" in fresh(order).last_error


def test_what_begins_tomorrow_is_never_kept(order, desk):
    desk.at_once, desk.is_ahead = True, timedelta(days=1)

    runner.run_pending()

    assert "it is not valid yet; it lives longer" in fresh(order).last_error


def test_what_ended_before_it_came_is_never_kept(remote_ca, desk, ask, free_profile, clock):
    job = ask(free_profile, lifetime=timedelta(minutes=70))
    runner.run_pending()
    desk.is_ready = True
    clock.shift(timedelta(minutes=70))

    runner.run_pending()

    assert "it has ended" in fresh(job).last_error


# --- The fence and the tries -----------------------------------------------------------------


def test_a_worker_that_never_learnt_that_its_job_was_parked_is_fenced_off(
    order, desk, clock, system, monkeypatch
):
    """Parking gives the try back: were the tries the fence, the next claim would open it again."""
    real = services.park

    def lose_the_answer(**given):
        real(**given)
        clock.shift(LATER)
        others.append(claim(system))
        raise OperationalError("the connection was lost")

    others = []
    monkeypatch.setattr(services, "park", lose_the_answer)
    job = claim(system)

    runner.run(job, actor=system)

    (other,) = others
    assert other.attempts == job.attempts
    assert other.claim_number > job.claim_number
    now = fresh(job)
    assert (now.status, now.claim_number) == (Status.RUNNING, other.claim_number)
    assert Job.objects.extend([job], lease=LEASE) == set()
    assert not Job.objects.order(job, lease=LEASE, actor=system)


def test_a_worker_that_never_learnt_that_its_job_went_back_is_fenced_off(
    local_ca, ask, free_profile, system
):
    ask(free_profile)
    job = claim(system)
    # It is committed, and its answer is lost: to the worker it is as if nothing had happened.
    assert services.release(jobs=[job], actor=system) == 1
    other = claim(system)
    assert other.attempts == job.attempts

    signed = work(job, system)

    assert services.complete(job=job, result=signed, actor=system) is None
    assert not services.fail_job(job=job, actor=system, error=GONE)
    assert services.release(jobs=[job], actor=system) == 0
    assert not Version.objects.exists()
    assert fresh(job).status == Status.RUNNING
    assert services.complete(job=other, result=work(other, system), actor=system)


def test_the_number_of_a_claim_never_falls(order, desk, clock, system):
    numbers = []
    for _ in range(3):
        job = claim(system)
        numbers.append(job.claim_number)
        services.release(jobs=[job], actor=system)
        clock.move_to(fresh(order).scheduled_at)
        runner.run_pending()
        numbers.append(fresh(order).claim_number)
        clock.move_to(fresh(order).scheduled_at)

    assert numbers == sorted(set(numbers))
    assert fresh(order).attempts == 0


# --- Races -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_is_cancelled_meanwhile_is_not_parked(remote_ca, ask, free_profile, alice, system):
    ask(free_profile)
    job = claim(system)
    waiting = work(job, system)

    parked = meanwhile(
        lambda: services.cancel_job(job_id=job.pk, actor=alice),
        lambda: services.park(job=job, waiting=waiting, actor=system),
    )

    assert not parked
    assert status_of(job) == Status.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_what_is_cancelled_meanwhile_is_not_ordered(
    remote_ca, desk, ask, free_profile, alice, system
):
    ask(free_profile)
    job = claim(system)

    with pytest.raises(ClaimLost):
        meanwhile(
            lambda: services.cancel_job(job_id=job.pk, actor=alice), lambda: work(job, system)
        )

    assert desk.keys == []


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_reaped_meanwhile_keeps_nothing(
    remote_ca, desk, ask, free_profile, system
):
    job = ask(free_profile)
    runner.run_pending()
    desk.is_ready = True
    Job.objects.update(scheduled_at=timezone.now())
    late = claim(system)
    given = work(late, system)
    Job.objects.update(lease_until=timezone.now() - LEASE)

    done = meanwhile(
        lambda: services.fail_abandoned(actor=system),
        lambda: services.complete(job=late, result=given, actor=system),
    )

    assert done is None
    assert not Version.objects.exists()
    services.retry_failed(actor=system)
    runner.run_pending()
    assert status_of(job) == Status.COMPLETED
    assert Version.objects.count() == len(desk.keys) == 1


# --- What a local CA does not pay for --------------------------------------------------------


def test_a_local_ca_has_no_orders_and_no_statement_for_them(ask, free_profile):
    job = ask(free_profile)

    with CaptureQueriesContext(connection) as queries:
        assert runner.run_pending() == 1

    assert status_of(job) == Status.COMPLETED
    assert fresh(job).ordered_at is None
    assert not Event.objects.filter(action="job.order").exists()
    # As many as before there were orders (44), two looks whether it is still what was meant, and
    # two whether its CA is revoked: of two queries before it signs, and three at the commit.
    assert len(queries) <= 51

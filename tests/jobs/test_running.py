"""Claim, do, settle: what a worker does to jobs, and what it must not do any more."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import deployments.services
import issuers.services
from audit.models import Event
from audit.services import verify
from certificates.models import CertificateStatus, Revocation, Version
from certificates.services import revoke
from deployments.models import Agent, Deployment, Target
from foundation.errors import ConnectorError, Invalid
from jobs import approvals, runner, services
from jobs.kinds.base import Skipped
from jobs.models import Job
from jobs.services.settle import MAX_DELAY, delay_after
from jobs.states import Status
from tests.connectors import RememberingTarget
from tests.factories import JobFactory
from tests.jobs.conftest import LEASE, status_of

pytestmark = pytest.mark.django_db


def claim(system, limit=10):
    return Job.objects.claim(limit=limit, lease=LEASE, actor=system)


def open_jobs(certificate):
    return set(
        Job.objects.filter(certificate=certificate).open().values_list("kind", "target__name")
    )


# --- From the asking to the end --------------------------------------------------------------


def test_an_approved_job_becomes_a_version(awaiting, bob):
    assert runner.run_pending() == 0

    services.approve_job(job_id=awaiting.pk, actor=bob)
    assert runner.run_pending() == 1

    awaiting.refresh_from_db()
    assert awaiting.status == Status.COMPLETED, awaiting.last_error
    version = Version.objects.get()
    assert (version.job_id, awaiting.version) == (awaiting.pk, version)
    certificate = awaiting.certificate
    certificate.refresh_from_db()
    assert (certificate.status, certificate.current) == (CertificateStatus.ACTIVE, version)
    assert verify()[1] is None


def test_a_version_is_deployed_and_then_looked_at(ask, free_profile, watched_target, places, alice):
    job = ask(free_profile, targets=[watched_target])

    assert runner.run_pending() == 3

    kinds = list(Job.objects.order_by("created_at").values_list("kind", "status"))
    assert kinds == [
        ("Issuance", "Completed"),
        ("Deployment", "Completed"),
        ("Validation", "Completed"),
    ]
    assert places.deployed == [("web-2", 1)]
    assert set(Job.objects.values_list("requested_by", flat=True)) == {alice.pk}
    assert Job.objects.get(kind="Validation").verification == "success"
    assert Deployment.objects.get().version == Version.objects.get()
    assert Job.objects.get(kind="Deployment").version.job_id == job.pk


def test_without_an_endpoint_nothing_is_looked_at(ask, free_profile, target, places):
    ask(free_profile, targets=[target])

    assert runner.run_pending() == 2

    assert not Job.objects.filter(kind="Validation").exists()


def test_a_renewal_replaces_the_version_and_is_deployed_again(
    ask, free_profile, watched_target, places, alice
):
    certificate = ask(free_profile, targets=[watched_target]).certificate
    runner.run_pending()

    services.request_renewal(actor=alice, certificate_id=certificate.pk)
    runner.run_pending()

    assert places.deployed == [("web-2", 1), ("web-2", 2)]
    certificate.refresh_from_db()
    assert (certificate.current.number, certificate.status) == (2, CertificateStatus.ACTIVE)
    assert Version.objects.get(number=1).superseded_at is not None


def test_what_is_served_otherwise_fails_the_validation_and_is_looked_at_again(
    ask, free_profile, watched_target, places, system
):
    places.shows = False
    ask(free_profile, targets=[watched_target])

    runner.run_pending()

    job = Job.objects.get(kind="Validation")
    assert (job.status, job.verification) == (Status.FAILED, "failed")
    assert job.verification_detail == f"Another certificate is served: {'0' * 64}."
    assert job.attempts < job.max_attempts
    places.shows = True
    Job.objects.filter(pk=job.pk).update(scheduled_at=timezone.now())
    services.retry_failed(actor=system)
    runner.run_pending()
    job.refresh_from_db()
    assert (job.status, job.verification) == (Status.COMPLETED, "success")


def test_a_validation_of_nothing_is_skipped(issued, watched_target, alice, places):
    services.request_validation(actor=alice, certificate_id=issued.pk, target=watched_target)

    runner.run_pending()

    job = Job.objects.get(kind="Validation")
    assert (job.status, job.verification) == (Status.COMPLETED, "skipped")


def test_a_deployment_that_nobody_began_gives_way_to_the_newer_version(
    issued, alice, target, places
):
    old = services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)
    Job.objects.filter(pk=old.pk).update(scheduled_at=timezone.now() + timedelta(hours=1))
    services.request_renewal(actor=alice, certificate_id=issued.pk)

    runner.run_pending()

    assert status_of(old) == Status.CANCELLED
    assert places.deployed == [("web-1", 2)]


def test_a_deployment_overtaken_by_a_newer_version_is_followed_by_another(
    issued, alice, system, target, places
):
    services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)
    (running,) = claim(system)
    first = issued.current
    outcome = deployments.services.deploy(version=first, target=target)
    services.request_renewal(actor=alice, certificate_id=issued.pk)
    runner.run_pending()
    assert places.deployed == [("web-1", 1)]

    services.complete(job=running, result=outcome, actor=system)
    runner.run_pending()

    assert places.deployed == [("web-1", 1), ("web-1", 2)]


# --- The approval is bound to what is signed -------------------------------------------------


def test_what_changed_after_the_approval_is_not_signed(awaiting, bob, profile):
    services.approve_job(job_id=awaiting.pk, actor=bob)
    profile.max_lifetime += timedelta(days=300)
    profile.save()

    runner.run_pending()

    awaiting.refresh_from_db()
    assert awaiting.status == Status.FAILED
    assert "has changed since" in awaiting.last_error
    assert awaiting.given_up
    assert not Version.objects.exists()


def test_names_changed_after_the_approval_are_not_signed(awaiting, bob):
    services.approve_job(job_id=awaiting.pk, actor=bob)
    certificate = awaiting.certificate
    certificate.sans = [*certificate.sans, "dns:more.demo.internal"]
    certificate.save()

    runner.run_pending()

    assert status_of(awaiting) == Status.FAILED
    assert not Version.objects.exists()


def test_what_nobody_approved_is_not_signed(ask, free_profile):
    job = ask(free_profile)
    free_profile.approval_required_for = ["Issuance"]
    free_profile.save()

    runner.run_pending()

    job.refresh_from_db()
    assert job.status == Status.FAILED
    assert "wants an approval" in job.last_error
    assert not Version.objects.exists()


def test_a_key_that_leaks_after_the_asking_is_not_certified_again(issued, alice):
    job = services.request_renewal(actor=alice, certificate_id=issued.pk).job
    assert job.status == Status.PENDING
    Revocation.objects.create(
        version=issued.current,
        reason="keyCompromise",
        revoked_at=timezone.now(),
        revoked_by=alice,
    )

    runner.run_pending()

    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FAILED, "compromised_key")
    assert Version.objects.count() == 1


def test_an_approved_deployment_of_an_older_version_does_not_go_ahead(
    issued, alice, bob, target, places, free_profile
):
    free_profile.approval_required_for = ["Deployment"]
    free_profile.save()
    job = services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)
    assert job.status == Status.AWAITING_APPROVAL
    services.approve_job(job_id=job.pk, actor=bob)
    target.config = {"certificate": "/elsewhere"}
    target.save()

    runner.run_pending()

    assert status_of(job) == Status.FAILED
    assert places.deployed == []


# --- Claims ----------------------------------------------------------------------------------


def test_a_claim_takes_what_is_due_the_longest_waiting_first(system):
    now = timezone.now()
    later = JobFactory(scheduled_at=now - timedelta(minutes=1))
    first = JobFactory(scheduled_at=now - timedelta(minutes=2))
    JobFactory(scheduled_at=now + timedelta(minutes=1))
    JobFactory(status=Status.AWAITING_APPROVAL)

    claimed = claim(system)

    assert claimed == [first, later]
    assert {job.status for job in claimed} == {Status.RUNNING}
    assert all(job.attempts == 1 and job.lease_until > now for job in claimed)
    assert Event.objects.filter(action="job.claim").count() == 2
    assert claim(system) == []


def test_a_claim_takes_no_more_than_its_batch(system):
    for _ in range(3):
        JobFactory()

    assert len(claim(system, limit=2)) == 2


def test_the_query_count_of_a_claim_does_not_grow(system):
    counts = []
    for size in (1, 2, 9):
        JobFactory.create_batch(size)
        with CaptureQueriesContext(connection) as queries:
            assert len(claim(system, limit=size)) == size
        counts.append(len(queries))

    assert counts[1] == counts[2]


def test_what_is_routed_to_an_agent_is_never_claimed_by_the_server(issued, alice, target, system):
    target.agent = Agent.objects.create(name="host-1")
    target.save()

    job = services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)

    assert job.agent == target.agent
    assert claim(system) == []
    assert runner.run_pending() == 0
    assert status_of(job) == Status.PENDING


# --- The fence -------------------------------------------------------------------------------


def signed_for(job):
    certificate = job.certificate
    return issuers.services.sign(
        issuer=certificate.issuer,
        profile=certificate.profile,
        csr_pem=job.csr_pem,
        sans=certificate.sans,
        common_name=certificate.common_name,
        lifetime=None,
    )


def test_a_worker_whose_job_was_cancelled_writes_no_version(ask, free_profile, system, alice):
    ask(free_profile)
    (job,) = claim(system)
    signed = signed_for(job)
    services.cancel_job(job_id=job.pk, actor=alice)

    assert services.complete(job=job, result=signed, actor=system) is None

    assert not Version.objects.exists()
    assert status_of(job) == Status.CANCELLED


def test_a_worker_that_outlived_its_lease_writes_no_version(ask, free_profile, system):
    ask(free_profile)
    (late,) = claim(system)
    signed = signed_for(late)
    Job.objects.filter(pk=late.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    services.fail_abandoned(actor=system)
    services.retry_failed(actor=system)
    (current,) = claim(system)

    assert services.complete(job=late, result=signed, actor=system) is None
    assert not services.fail_job(job=late, actor=system, error=RuntimeError("late"))
    assert services.release(jobs=[late], actor=system) == 0

    assert not Version.objects.exists()
    assert status_of(late) == Status.RUNNING
    assert services.complete(job=current, result=signed_for(current), actor=system)
    assert Version.objects.count() == 1


def test_a_worker_whose_job_was_cancelled_records_no_deployment(
    issued, alice, system, target, places
):
    services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)
    (job,) = claim(system)
    services.cancel_job(job_id=job.pk, actor=alice)
    outcome = deployments.services.deploy(version=issued.current, target=target)

    done = services.complete(job=job, result=outcome, actor=system)

    assert not done
    assert Deployment.objects.get().version is None


def test_a_job_lost_before_it_began_is_not_begun(
    ask, free_profile, alice, system, monkeypatch, settings
):
    jobs = [ask(free_profile, f"{n}.demo.internal") for n in ("a", "b", "c")]
    real = runner.run

    def run_and_cancel_the_second(job, *, actor):
        real(job, actor=actor)
        if job.pk == jobs[0].pk:
            services.cancel_job(job_id=jobs[1].pk, actor=alice)

    monkeypatch.setattr(runner, "run", run_and_cancel_the_second)

    assert runner.run_pending() == 2

    assert [status_of(job) for job in jobs] == ["Completed", "Cancelled", "Completed"]


# --- Failing ---------------------------------------------------------------------------------


def test_a_poisoned_job_fails_alone(ask, free_profile, ca):
    poisoned = ask(free_profile, "a.demo.internal")
    sound = ask(free_profile, "b.demo.internal")
    ca.fails["a.demo.internal"] = ZeroDivisionError("secret=hunter2")

    assert runner.run_pending() == 2

    assert status_of(sound) == Status.COMPLETED
    poisoned.refresh_from_db()
    assert poisoned.status == Status.FAILED
    assert "ZeroDivisionError" in poisoned.last_error
    assert "hunter2" not in poisoned.last_error


def test_an_error_that_passes_is_tried_again_later(ask, free_profile, system):
    ask(free_profile)
    (job,) = claim(system)
    before = timezone.now()

    services.fail_job(job=job, actor=system, error=ConnectorError("busy", permanent=False))

    job.refresh_from_db()
    assert (job.status, job.last_error) == (Status.FAILED, "busy")
    assert job.scheduled_at >= before + job.retry_delay
    job.certificate.refresh_from_db()
    assert job.certificate.status == CertificateStatus.PENDING


@pytest.mark.parametrize("error", [ConnectorError("never", permanent=True), Invalid("bad CSR")])
def test_an_error_that_stays_spends_all_tries(ask, free_profile, system, error):
    ask(free_profile)
    (job,) = claim(system)

    services.fail_job(job=job, actor=system, error=error)

    job.refresh_from_db()
    assert (job.attempts, job.max_attempts, job.given_up) == (1, 3, True)
    job.certificate.refresh_from_db()
    assert job.certificate.status == CertificateStatus.FAILED
    assert services.retry_failed(actor=system) == 0


def test_a_renewal_that_failed_for_good_leaves_the_certificate_active(issued, alice, system):
    services.request_renewal(actor=alice, certificate_id=issued.pk)
    (job,) = claim(system)

    services.fail_job(job=job, actor=system, error=Invalid("bad CSR"))

    issued.refresh_from_db()
    assert issued.status == CertificateStatus.ACTIVE


def test_delays_double_with_jitter_and_have_an_end():
    job = JobFactory.build(retry_delay=timedelta(minutes=1))

    for attempts, least in ((1, 1), (2, 2), (3, 4), (4, 8)):
        job.attempts = attempts
        delays = {delay_after(job) for _ in range(40)}
        assert min(delays) >= timedelta(minutes=least)
        assert max(delays) <= timedelta(minutes=least * 1.25)
        assert len(delays) > 1
    job.attempts = 60
    assert delay_after(job) <= MAX_DELAY * 1.25


# --- Stopping --------------------------------------------------------------------------------


def test_what_was_not_begun_goes_back_when_the_worker_is_stopped(ask, free_profile, monkeypatch):
    first, *rest = [ask(free_profile, f"{n}.demo.internal") for n in ("a", "b", "c")]

    def stop(**kwargs):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr("issuers.services.sign", stop)
        with pytest.raises(SystemExit):
            runner.run_pending()

    assert status_of(first) == Status.FAILED
    for job in rest:
        job.refresh_from_db()
        assert (job.status, job.attempts, job.lease_until) == (Status.PENDING, 0, None)
    assert runner.run_pending() == 2


def test_what_was_not_begun_goes_back_when_the_time_is_up(ask, free_profile, monkeypatch):
    for name in ("a", "b", "c"):
        ask(free_profile, f"{name}.demo.internal")
    clock = iter([0.0, 0.0, 0.0, 60.0, 60.0, 60.0])
    monkeypatch.setattr("jobs.runner.time.monotonic", lambda: next(clock))

    assert runner.run_pending() == 1

    assert Job.objects.filter(status=Status.PENDING, attempts=0).count() == 2
    assert not Job.objects.filter(status=Status.RUNNING).exists()


def test_the_lease_of_the_whole_batch_is_drawn_out_at_each_job(
    ask, free_profile, monkeypatch, settings
):
    settings.JOB_LEASE = timedelta(seconds=30)
    last = [ask(free_profile, f"{n}.demo.internal") for n in ("a", "b")][1]
    leases = []
    real = runner.run

    def run(job, *, actor):
        last.refresh_from_db()
        leases.append(last.lease_until)
        real(job, actor=actor)

    monkeypatch.setattr(runner, "run", run)

    runner.run_pending()

    assert leases[1] > leases[0]


@pytest.fixture
def leases(settings, monkeypatch):
    """How long the claim lasts on each job that begins; thirty seconds by itself."""
    settings.JOB_LEASE = timedelta(seconds=30)
    leases = []
    real = runner.run

    def run(job, *, actor):
        job.refresh_from_db()
        leases.append(job.lease_until - timezone.now())
        real(job, actor=actor)

    monkeypatch.setattr(runner, "run", run)
    return leases


@pytest.mark.parametrize("longest", [timedelta(minutes=2), timedelta(minutes=20)])
def test_a_targets_connector_decides_how_long_its_lease_lasts(
    issued, alice, target, places, leases, monkeypatch, longest
):
    monkeypatch.setattr(RememberingTarget, "longest", longest)
    job = services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)

    runner.run_pending()

    assert status_of(job) == Status.COMPLETED
    assert longest < leases[0] <= longest + timedelta(seconds=30)


def test_a_validation_gets_the_time_of_all_its_handshakes(
    issued, alice, watched_target, places, leases
):
    services.request_deployment(actor=alice, certificate_id=issued.pk, target=watched_target)

    runner.run_pending()

    longest = deployments.services.LONGEST_VALIDATION
    assert longest < leases[1] <= longest + timedelta(seconds=30)


def test_a_job_that_cannot_tell_its_time_fails_and_no_other_with_it(
    issued, alice, target, watched_target, places
):
    """As after going back to a release that lacks the target's kind."""
    lost, other = [
        services.request_deployment(actor=alice, certificate_id=issued.pk, target=at)
        for at in (target, watched_target)
    ]
    Target.objects.filter(pk=target.pk).update(kind="gone")

    runner.run_pending()

    lost.refresh_from_db()
    assert (lost.status, lost.error_code) == (Status.FAILED, "invalid")
    assert status_of(other) == Status.COMPLETED


def test_a_kind_that_nobody_does_fails_for_good(system):
    job = JobFactory(kind=Job.Kind.REVOCATION)

    assert runner.run_pending() == 1

    job.refresh_from_db()
    assert (job.status, job.given_up) == (Status.FAILED, True)


# --- Rules that only a second look shows -----------------------------------------------------


def test_a_lease_is_drawn_out_by_its_holder_alone(system):
    job = JobFactory()
    (late,) = claim(system)
    Job.objects.filter(pk=job.pk).update(claim_number=late.claim_number + 1)

    assert Job.objects.extend([late], lease=LEASE * 9) == set()

    job.refresh_from_db()
    assert job.lease_until == late.lease_until


def test_a_digest_covers_everything_that_will_be_done(awaiting, issued, watched_target):
    signing = approvals.digest_of(awaiting, awaiting.certificate)
    awaiting.lifetime = timedelta(days=1)
    shorter = approvals.digest_of(awaiting, awaiting.certificate)
    awaiting.certificate.sans = ["dns:other.demo.internal"]
    assert len({signing, shorter, approvals.digest_of(awaiting, awaiting.certificate)}) == 3

    job = Job(kind=Job.Kind.DEPLOYMENT, target=watched_target, version=issued.current)
    seen = {approvals.digest_of(job, issued)}
    for field, value in (
        ("endpoint_host", "192.0.2.1"),
        ("endpoint_port", 8443),
        ("server_name", "other.demo.internal"),
        ("kind", Target.Kind.NGINX),
        ("config", {"certificate_path": "/elsewhere"}),
    ):
        setattr(watched_target, field, value)
        seen.add(approvals.digest_of(job, issued))
    job.kind = Job.Kind.VALIDATION
    seen.add(approvals.digest_of(job, issued))
    job.version = None
    seen.add(approvals.digest_of(job, issued))
    assert len(seen) == 8


def test_a_validation_that_nobody_approved_looks_at_nothing(
    ask, free_profile, watched_target, places, alice
):
    certificate = ask(free_profile, targets=[watched_target]).certificate
    runner.run_pending()
    job = services.request_validation(
        actor=alice, certificate_id=certificate.pk, target=watched_target
    )
    free_profile.approval_required_for = ["Validation"]
    free_profile.save()

    runner.run_pending()

    job.refresh_from_db()
    assert (job.status, job.verification) == (Status.FAILED, "pending")
    assert "wants an approval" in job.last_error


def test_a_key_that_leaks_after_the_approval_is_not_signed(
    ask, free_profile, profile, bob, csr_for
):
    csr = csr_for("web.demo.internal")
    ask(free_profile, csr_pem=csr)
    runner.run_pending()
    job = ask(profile, csr_pem=csr)
    services.approve_job(job_id=job.pk, actor=bob)
    revoke(version_id=Version.objects.get().pk, actor=bob, reason="keyCompromise")

    runner.run_pending()

    job.refresh_from_db()
    assert job.status == Status.FAILED
    assert "revoked for a compromise" in job.last_error
    assert Version.objects.count() == 1


def test_a_worker_whose_job_was_cancelled_records_no_validation(
    issued, alice, system, watched_target, places
):
    services.request_validation(actor=alice, certificate_id=issued.pk, target=watched_target)
    (job,) = claim(system)
    services.cancel_job(job_id=job.pk, actor=alice)
    seen = deployments.services.validate(target=watched_target, version=issued.current)

    assert services.complete(job=job, result=seen, actor=system) is None
    assert services.complete(job=job, result=Skipped("nothing there"), actor=system) is None

    assert status_of(job) == Status.CANCELLED

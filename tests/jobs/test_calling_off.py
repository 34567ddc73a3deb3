"""What failed can be called off while another try is to come, and who did what is told apart."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from certificates.models import CertificateStatus
from foundation.errors import ConnectorError
from jobs import policy, runner, services
from jobs.models import InvalidMove, Job
from jobs.states import Status
from tests.factories import JobFactory
from tests.jobs.conftest import LEASE, status_of

pytestmark = pytest.mark.django_db
BUSY = ConnectorError("busy", permanent=False)
NEVER = ConnectorError("never", permanent=True)


def fail(system, error=BUSY):
    (job,) = Job.objects.claim(limit=1, lease=LEASE, actor=system)
    services.fail_job(job=job, actor=system, error=error)
    return Job.objects.get(pk=job.pk)


# --- Cancelling what failed ------------------------------------------------------------------


def test_a_failed_job_with_tries_left_can_be_cancelled_and_is_not_tried_again(
    issued, alice, system
):
    services.request_renewal(actor=alice, certificate_id=issued.pk)
    job = fail(system)
    issued.refresh_from_db()
    assert issued.status == CertificateStatus.RENEWAL_IN_PROGRESS

    services.cancel_job(job_id=job.pk, actor=alice, reason="not needed")

    job.refresh_from_db()
    assert (job.status, job.last_error) == (Status.CANCELLED, "Cancelled by alice: not needed")
    issued.refresh_from_db()
    assert issued.status == CertificateStatus.ACTIVE
    Job.objects.filter(pk=job.pk).update(scheduled_at=timezone.now())
    assert services.retry_failed(actor=system) == 0
    event = Event.objects.get(action="job.cancel")
    assert (event.data["before"], event.data["after"]) == ("Failed", "Cancelled")


def test_a_first_issuance_that_is_called_off_between_two_tries_has_failed(
    ask, free_profile, alice, system
):
    job = ask(free_profile)
    fail(system)

    services.cancel_job(job_id=job.pk, actor=alice)

    job.certificate.refresh_from_db()
    assert job.certificate.status == CertificateStatus.FAILED


@pytest.mark.parametrize(("error", "tries"), [(NEVER, 3), (BUSY, 1)])
def test_what_failed_for_good_has_nothing_to_cancel(bob, system, error, tries):
    JobFactory(max_attempts=tries)
    job = fail(system, error)

    with pytest.raises(InvalidMove):
        services.cancel_job(job_id=job.pk, actor=bob)

    assert status_of(job) == Status.FAILED


def test_cancelling_an_old_failure_leaves_the_newer_work_alone(issued, alice, system):
    old = services.request_renewal(actor=alice, certificate_id=issued.pk).job
    fail(system)
    newer = services.request_renewal(actor=alice, certificate_id=issued.pk).job

    services.cancel_job(job_id=old.pk, actor=alice)

    assert (status_of(old), status_of(newer)) == (Status.CANCELLED, Status.PENDING)
    issued.refresh_from_db()
    assert issued.status == CertificateStatus.RENEWAL_IN_PROGRESS


def test_somebody_without_a_part_in_it_cannot_cancel_what_failed(victor, system):
    JobFactory()
    job = fail(system)

    with pytest.raises(policy.NotYours):
        services.cancel_job(job_id=job.pk, actor=victor)


def test_the_api_cancels_what_failed_and_says_when_it_is_given_up(client_of, bob, system):
    JobFactory()
    job = fail(system)
    client = client_of(bob)
    url = f"/api/v1/jobs/{job.pk}/"
    assert client.get(url).json()["given_up"] is False

    answer = client.post(f"{url}cancel/", {})

    assert (answer.status_code, answer.json()["status"]) == (200, "Cancelled")
    JobFactory()
    assert client.get(f"/api/v1/jobs/{fail(system, NEVER).pk}/").json()["given_up"] is True


@pytest.mark.parametrize(("error", "is_offered"), [(BUSY, True), (NEVER, False)])
def test_the_admin_offers_to_cancel_what_will_be_tried_again(
    browse, bob, system, error, is_offered
):
    JobFactory()
    job = fail(system, error)
    page = f"/admin/jobs/job/{job.pk}/"

    shown = browse(bob).get(f"{page}change/").content.decode()

    assert (f"{page}cancel/" in shown) == is_offered
    answer = browse(bob).post(f"{page}cancel/", {"confirmed": "yes", "reason": ""})
    assert answer.status_code == 302
    assert status_of(job) == (Status.CANCELLED if is_offered else Status.FAILED)


def test_detaching_a_target_ends_what_failed_there_too(
    ask, free_profile, places, target, bob, system
):
    places.error = BUSY
    certificate = ask(free_profile, targets=[target]).certificate
    runner.run_pending()
    job = Job.objects.get(kind=Job.Kind.DEPLOYMENT)
    assert job.will_be_retried

    services.detach_target(actor=bob, certificate_id=certificate.pk, target=target)

    assert status_of(job) == Status.CANCELLED


# --- Giving up -------------------------------------------------------------------------------


def test_giving_up_leaves_the_number_of_tries_as_the_policy_said(system):
    JobFactory(max_attempts=5)
    job = fail(system, NEVER)

    assert (job.attempts, job.max_attempts, job.given_up) == (1, 5, True)
    Job.objects.filter(pk=job.pk).update(scheduled_at=timezone.now() - timedelta(days=1))
    assert services.retry_failed(actor=system) == 0


def test_a_person_who_tries_again_takes_the_giving_up_back(bob, system):
    JobFactory()
    job = fail(system, NEVER)

    services.retry_job(job_id=job.pk, actor=bob)

    job.refresh_from_db()
    assert (job.status, job.given_up, job.max_attempts) == (Status.PENDING, False, 3)
    again = fail(system)
    assert again.will_be_retried


def test_giving_way_to_newer_work_leaves_the_number_of_tries_alone(system):
    old = JobFactory(retry_delay=timedelta(0))
    fail(system)
    JobFactory(certificate=old.certificate)

    services.retry_failed(actor=system)

    old.refresh_from_db()
    assert (old.max_attempts, old.given_up) == (3, True)


# --- Who did what ----------------------------------------------------------------------------


def test_what_a_worker_asks_for_names_the_worker_and_who_it_is_for(
    ask, free_profile, places, target, alice, system
):
    ask(free_profile, targets=[target])

    runner.run_pending()

    follow = Event.objects.get(action="job.follow")
    assert follow.actor == system
    assert follow.data["on_behalf_of"] == "alice"
    assert follow.data["on_behalf_of_id"] == str(alice.pk)
    assert Job.objects.get(kind=Job.Kind.DEPLOYMENT).requested_by == alice


def test_what_is_skipped_at_a_disabled_target_names_both_too(
    ask, free_profile, places, target, system
):
    ask(free_profile, targets=[target])
    target.enabled = False
    target.save()

    runner.run_pending()

    skipped = Event.objects.get(action="deployment.skip")
    assert (skipped.actor, skipped.data["on_behalf_of"]) == (system, "alice")


def test_a_rejection_says_why_where_people_look_for_errors(awaiting, bob):
    services.reject_job(job_id=awaiting.pk, actor=bob, reason="wrong names")

    awaiting.refresh_from_db()
    assert awaiting.last_error == "Rejected by bob: wrong names"
    assert awaiting.decision_reason == "wrong names"

"""Two who touch the same job or certificate at once: the second sees what the first did."""

import pytest

from audit.models import Event
from certificates.models import Certificate
from certificates.policy import Archived
from jobs import runner, services
from jobs.models import InvalidMove, Job
from jobs.services import sweeps
from jobs.states import Status
from tests.factories import JobFactory
from tests.jobs.conftest import LEASE, status_of
from tests.races import meanwhile

pytestmark = pytest.mark.django_db(transaction=True)


def archived(certificate):
    Certificate.objects.lock(certificate.pk).become("Archived")


def claim(actor):
    (job,) = Job.objects.claim(limit=1, lease=LEASE, actor=actor)
    return job


def failed(actor):
    job = claim(actor)
    services.fail_job(job=job, actor=actor, error=TimeoutError(), retry_at_once=True)
    return job


def test_what_is_archived_meanwhile_is_not_renewed(issued, alice):
    with pytest.raises(Archived):
        meanwhile(
            lambda: archived(issued),
            lambda: services.request_renewal(actor=alice, certificate_id=issued.pk),
        )

    assert Certificate.objects.get(pk=issued.pk).status == "Archived"


def test_what_is_archived_meanwhile_is_not_deployed(issued, alice, target):
    with pytest.raises(Archived):
        meanwhile(
            lambda: archived(issued),
            lambda: services.request_deployment(
                actor=alice, certificate_id=issued.pk, target=target
            ),
        )

    assert not Job.objects.filter(kind=Job.Kind.DEPLOYMENT).exists()


def test_a_deployment_that_is_claimed_meanwhile_is_not_called_off(issued, alice, target, system):
    services.request_renewal(actor=alice, certificate_id=issued.pk)
    renewal = claim(system)
    deployment = services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)

    meanwhile(lambda: claim(system), lambda: runner.run(renewal, actor=system))

    assert status_of(renewal) == Status.COMPLETED
    assert status_of(deployment) == Status.RUNNING


def test_a_job_is_tried_again_once_however_many_ask(issued, alice, system):
    services.request_renewal(actor=alice, certificate_id=issued.pk)
    job = failed(system)

    def retry():
        return services.retry_job(job_id=job.pk, actor=alice)

    with pytest.raises(InvalidMove):
        meanwhile(retry, retry)

    assert Event.objects.filter(action="job.retry").count() == 1


def test_a_retry_gives_way_to_work_that_is_asked_for_meanwhile(issued, alice, system):
    services.request_renewal(actor=alice, certificate_id=issued.pk)
    job = failed(system)

    count = meanwhile(
        lambda: services.request_renewal(actor=alice, certificate_id=issued.pk),
        lambda: services.retry_failed(actor=system),
    )

    assert (count, status_of(job)) == (0, Status.FAILED)
    assert Event.objects.filter(action="job.give_up").exists()


def test_a_time_out_does_not_undo_a_revocation(issued, alice, system, profile):
    Certificate.objects.filter(pk=issued.pk).update(profile=profile)
    job = services.request_renewal(actor=alice, certificate_id=issued.pk).job
    Job.objects.filter(pk=job.pk).update(waits_until=job.created_at)

    meanwhile(
        # As revoking does, before it comes to the trail, whose lock would hide the certificate's.
        lambda: Certificate.objects.filter(pk=issued.pk).update(status="Revoked"),
        lambda: services.time_out_waiting(actor=system),
    )

    assert status_of(job) == Status.CANCELLED
    assert Certificate.objects.get(pk=issued.pk).status == "Revoked"


def test_a_sweep_asks_again_when_it_has_the_row():
    jobs = [JobFactory(status=Status.RUNNING) for _ in range(2)]
    handled = []

    def handle(job):
        handled.append(job.pk)
        Job.objects.exclude(pk=job.pk).update(status=Status.CANCELLED)
        return True

    assert sweeps._each(Job.objects.filter(status=Status.RUNNING), handle, dict) == 1
    assert len(handled) == 1
    assert handled[0] in {job.pk for job in jobs}

"""A certificate is taken away from a target, a target is disabled: what becomes of the work there.

Alice is an operator and asks, bob decides, victor only reads.
"""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

import deployments.services
from audit.models import Event
from deployments.models import Deployment, Target
from foundation.errors import ChangedMeanwhile, ConnectorError
from jobs import runner, services
from jobs.models import Job
from jobs.services import bindings
from jobs.states import Status

pytestmark = pytest.mark.django_db


def claim(system):
    return Job.objects.claim(limit=10, lease=timedelta(seconds=60), actor=system)


def detach(actor, certificate, target):
    return services.detach_target(actor=actor, certificate_id=certificate.pk, target=target)


@pytest.fixture
def deployed(issued, alice, target, places):
    """A certificate that is served at `target`."""
    services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)
    assert runner.run_pending() == 1
    return issued


# --- Detached -------------------------------------------------------------------------------


def test_a_detached_target_gets_no_more_versions(deployed, alice, target, places):
    detach(alice, deployed, target)
    services.request_renewal(actor=alice, certificate_id=deployed.pk)
    runner.run_pending()

    event = Event.objects.get(action="deployment.unbind")
    assert places.deployed == [("web-1", 1)]
    assert event.actor == alice
    assert event.data["changes"] == {"version": {"before": 1, "after": None}}
    assert not Deployment.objects.exists()


def test_a_target_that_nothing_is_bound_to_any_more_can_be_deleted(deployed, alice, carol, target):
    Job.objects.filter(target=target).delete()
    detach(alice, deployed, target)

    deployments.services.delete_target(actor=carol, target_id=target.pk)

    assert not Target.objects.exists()


def test_open_work_there_ends_with_the_binding(issued, alice, target, watched_target, places):
    job = services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)
    other = services.request_deployment(
        actor=alice, certificate_id=issued.pk, target=watched_target
    )

    ended = detach(alice, issued, target)

    job.refresh_from_db()
    other.refresh_from_db()
    assert (job.status, other.status) == (Status.CANCELLED, Status.PENDING)
    assert "detached from web-1" in job.last_error
    assert [each.pk for each in ended] == [job.pk]


def test_what_a_worker_has_begun_is_fenced_off(issued, alice, system, target, places):
    services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)
    (running,) = claim(system)
    version = issued.current
    outcome = deployments.services.deploy(version=version, target=target)
    detach(alice, issued, target)

    running.version = version
    done = services.complete(job=running, result=outcome, actor=system)

    assert done is None
    assert not Deployment.objects.exists()


def test_a_worker_that_comes_late_writes_nothing_there(issued, alice, target):
    # Not even a job that nobody cancelled, such as a failed one that is tried again.
    with pytest.raises(ConnectorError) as caught:
        deployments.services.deploy(version=issued.current, target=target)

    assert caught.value.permanent
    assert "not bound" in caught.value.detail


def test_nothing_is_detached_twice(deployed, alice, target):
    detach(alice, deployed, target)

    with pytest.raises(deployments.services.NotBound):
        detach(alice, deployed, target)

    refusal = Event.objects.get(action="deployment.unbind.refuse")
    assert (refusal.actor, refusal.subject_id) == (alice, str(deployed.pk))


def test_work_that_is_asked_for_at_the_same_moment_is_not_overlooked(
    issued, alice, target, places, monkeypatch
):
    deployments.services.bind(actor=alice, certificate=issued, target=target)
    lock = bindings.Certificate.objects.lock

    def late(pk):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bindings.Certificate.objects, "lock", lock)
            services.request_deployment(actor=alice, certificate_id=pk, target=target)
        return lock(pk)

    monkeypatch.setattr(bindings.Certificate.objects, "lock", late)

    with pytest.raises(ChangedMeanwhile), transaction.atomic():
        detach(alice, issued, target)


def test_operators_detach_over_rest_and_viewers_do_not(client_of, deployed, alice, victor, target):
    url = f"/api/v1/certificates/{deployed.pk}/detach/"

    refused = client_of(victor).post(url, {"target": target.name})
    done = client_of(alice).post(url, {"target": target.name})
    again = client_of(alice).post(url, {"target": str(target.pk)})
    without = client_of(alice).post(url, {})

    assert (refused.status_code, refused.json()["code"]) == (403, "missing_permission")
    assert (done.status_code, done.json()) == (200, {"target": "web-1", "cancelled_jobs": []})
    assert (again.status_code, again.json()["code"]) == (404, "not_bound")
    assert without.status_code == 400


# --- Disabled -------------------------------------------------------------------------------


@pytest.fixture
def disabled(deployed, target):
    target.enabled = False
    target.save()
    return deployed


def test_a_disabled_target_collects_no_more_jobs(disabled, alice, target, places):
    services.request_renewal(actor=alice, certificate_id=disabled.pk)
    runner.run_pending()

    event = Event.objects.get(action="deployment.skip")
    assert not Job.objects.filter(target=target).exclude(status=Status.COMPLETED).exists()
    assert places.deployed == [("web-1", 1)]
    assert event.subject_id == str(disabled.pk)
    assert (event.data["target"], event.data["version"]) == ("web-1", 2)


def test_nobody_asks_for_a_deployment_to_a_disabled_target(disabled, alice, target):
    with pytest.raises(deployments.services.TargetDisabled):
        services.request_deployment(actor=alice, certificate_id=disabled.pk, target=target)


def test_the_deployment_says_why_nothing_newer_comes(client_of, disabled, victor, target):
    client, url = client_of(victor), "/api/v1/deployments/"

    assert "disabled" in client.get(url).json()["results"][0]["note"]
    Target.objects.update(enabled=True)
    assert client.get(url).json()["results"][0]["note"] == ""


def test_a_target_that_is_disabled_while_a_worker_is_at_it_gets_nothing(
    issued, alice, target, settings, tmp_path
):
    settings.TARGET_ROOTS = [str(tmp_path)]
    path = tmp_path / "cert.pem"
    target.config = {"certificate_path": str(path)}
    target.save()
    deployments.services.bind(actor=alice, certificate=issued, target=target)
    Target.objects.update(enabled=False)  # after the worker has read it

    with pytest.raises(ConnectorError, match="disabled"):
        deployments.services.deploy(version=issued.current, target=target)

    assert not path.exists()


# --- Failed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "kind", "retried"),
    [
        ("same", Job.Kind.DEPLOYMENT, 0),
        ("other", Job.Kind.DEPLOYMENT, 1),
        ("same", Job.Kind.VALIDATION, 1),
    ],
)
def test_a_failed_deployment_gives_way_only_to_newer_ones_at_the_same_target(
    issued, alice, system, target, watched_target, places, where, kind, retried
):
    job = services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)
    (running,) = claim(system)
    error = ConnectorError("Not now.", permanent=False)
    services.fail_job(job=running, actor=system, error=error, retry_at_once=True)
    newer = Job(
        kind=kind,
        target=target if where == "same" else watched_target,
        version=issued.current,
        certificate=issued,
        requested_by=alice,
        created_at=timezone.now(),
        scheduled_at=timezone.now() + timedelta(hours=1),
    )
    newer.begin(Status.PENDING)
    newer.save()

    assert services.retry_failed(actor=system) == retried

    job.refresh_from_db()
    assert job.status == (Status.PENDING if retried else Status.FAILED)

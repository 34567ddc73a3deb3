"""A real Celery worker, with a real Redis as broker: hints arrive, and a killed worker costs
nothing but the lease."""

import subprocess
import sys

import pytest
from celery import Celery

from audit.services import verify
from certificates.models import Version
from jobs import services
from jobs.models import Job
from jobs.states import Status
from tests.processes import ROOT, environment_of, kill, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker(redis_url, monkeypatch):
    """Let this process send its hints to a real Redis."""
    app = Celery("certctl-tests", broker=redis_url, set_as_current=False)
    monkeypatch.setattr("foundation.hints.current_app", app)
    yield redis_url
    app.close()


@pytest.fixture
def worker(broker, tmp_path):
    """Start Celery workers: `worker(lease=2)` gives the process; all are stopped in the end."""
    started = []

    def start(*, lease=60, beat=False):
        with (tmp_path / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "certctl", "worker"]
                + ["--pool", "prefork", "--concurrency", "1", "--loglevel", "WARNING"]
                + (["--beat"] if beat else []),
                cwd=ROOT,
                env=environment_of(tmp_path, broker) | {"CERTCTL_JOB_LEASE_SECONDS": str(lease)},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        kill(process)


def counts():
    statuses = list(Job.objects.values_list("status", flat=True))
    return {status: statuses.count(status) for status in set(statuses)}


def test_a_hint_has_a_job_done_by_a_real_worker(worker, ask, free_profile, tmp_path):
    worker()

    # The first hint may come before the worker listens; Redis keeps it.
    job = ask(free_profile)

    done = until(lambda: Job.objects.filter(pk=job.pk, status=Status.COMPLETED).exists())
    assert done, (counts(), (tmp_path / "worker.log").read_text()[-3000:])
    assert Version.objects.get().job_id == job.pk


def test_a_killed_worker_costs_only_the_lease(worker, ask, free_profile, alice, tmp_path):
    names = [f"host-{number}.demo.internal" for number in range(30)]
    certificates = [ask(free_profile, name).certificate for name in names]
    first = worker(lease=3)
    assert until(lambda: counts().get(Status.COMPLETED, 0) == 30), counts()
    for certificate in certificates:
        services.request_renewal(actor=alice, certificate_id=certificate.pk)
    renewals = Job.objects.filter(kind=Job.Kind.RENEWAL)
    assert until(lambda: renewals.filter(status=Status.COMPLETED).count() >= 3)

    kill(first)
    cut_short = renewals.exclude(status=Status.COMPLETED).count()
    worker(lease=3, beat=True)

    log = tmp_path / "worker.log"
    assert until(lambda: counts() == {Status.COMPLETED: 60}, 90), (
        counts(),
        log.read_text()[-3000:],
    )
    assert cut_short > 0, "the worker was done before it was killed: nothing was shown"
    assert Version.objects.count() == 60
    assert {c.versions.count() for c in certificates} == {2}
    assert verify()[1] is None


def test_a_broker_that_is_down_is_logged_and_soon_given_up(tmp_path):
    program = (
        "import django, time; django.setup(); from jobs import queue; started = time.monotonic();"
        "queue.nudge(); print('took', time.monotonic() - started)"
    )

    # Nobody listens on the discard port.
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment_of(tmp_path, "redis://127.0.0.1:9/0"),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert "the next sweep will see it" in ended.stdout + ended.stderr
    assert float(ended.stdout.split("took ")[1]) < 3

"""Fixtures for jobs: alice asks, bob decides; `places` is in tests/connectors.py."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from certificates.models import Version
from deployments.models import Target
from jobs import risks, runner, services
from jobs.models import Job
from tests.races import beside, together

LEASE = timedelta(seconds=60)
NAME = "web.demo.internal"


@pytest.fixture
def ask(alice, owner, local_ca, csr_for):
    """Ask for a certificate as alice: `ask(profile)`; the job is returned."""

    def make(profile, *names, actor=alice, csr_pem=None, **options):
        names = names or (NAME,)
        return services.request_issuance(
            actor=actor,
            owner=options.pop("owner", owner),
            issuer=local_ca,
            profile=profile,
            csr_pem=csr_for(*names) if csr_pem is None else csr_pem,
            **options,
        ).job

    return make


@pytest.fixture
def awaiting(ask, profile):
    """An issuance that alice asked for and that waits for a decision."""
    return ask(profile)


@pytest.fixture
def issued(ask, free_profile):
    """A certificate with its first version."""
    job = ask(free_profile)
    assert runner.run_pending() == 1
    job.refresh_from_db()
    assert job.status == "Completed", job.last_error
    return job.certificate


@pytest.fixture
def target(db):
    return Target.objects.create(name="web-1", kind=Target.Kind.FILE, config={"at": "web-1"})


@pytest.fixture
def watched_target(db):
    return Target.objects.create(
        name="web-2",
        kind=Target.Kind.FILE,
        config={"at": "web-2"},
        endpoint_host="127.0.0.1",
        endpoint_port=1,
    )


@pytest.fixture(name="together")
def _together():
    return together


@pytest.fixture
def aside():
    """Run a function in another thread with a connection of its own: `aside(f)` is a future."""
    with ThreadPoolExecutor(4) as pool:
        yield lambda function: beside(pool, function)


def grow_old():
    """Have every version be of 47 days, of which five are left."""
    now = timezone.now()
    ends = now + timedelta(days=5)
    Version.objects.update(not_before=ends - timedelta(days=47), not_after=ends)


def status_of(job):
    return Job.objects.values_list("status", flat=True).get(pk=job.pk)


@pytest.fixture
def only_wildcards(monkeypatch):
    """Have one flag, whatever else may be one: for tests that are about what a flag does."""

    def flags_of(jobs):
        flag = risks.Flag("wildcard", "A wildcard.")
        return {job.pk: (flag,) for job in jobs if "*" in str(job.certificate.sans)}

    monkeypatch.setattr(risks, "flags_of", flags_of)


@pytest.fixture
def wild(ask, profile):
    profile.allow_wildcards = True
    profile.save()
    return ask(profile, "*.demo.internal")

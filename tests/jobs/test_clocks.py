"""A machine whose clock is wrong takes no job from another, and dates nothing it signs."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from cryptography import x509
from django.db import connection

from certificates import crl, ocsp, tasks
from certificates.models import Revocation
from foundation.clock import TOLERANCE
from issuers.x509 import ocsp as x509_ocsp
from jobs import runner, services
from jobs.models import Job
from jobs.states import Status
from tests.factories import JobFactory
from tests.jobs.conftest import LEASE, status_of

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _trusted(settings):
    settings.TRUST_DATABASE_CLOCK = True


def real():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def wrong_by(difference):
    return time_machine.travel(datetime.now(UTC) + difference, tick=True)  # noqa: TID251


def is_now(moment):
    return abs(moment - real()) < TOLERANCE + timedelta(seconds=2)


def test_a_worker_that_is_ahead_does_not_reap_what_another_one_holds(system):
    job = JobFactory()
    Job.objects.claim(limit=1, lease=LEASE, actor=system)

    with wrong_by(HOUR):
        assert services.fail_abandoned(actor=system) == 0

    assert status_of(job) == Status.RUNNING


def test_a_claim_that_a_worker_who_is_behind_took_or_drew_out_is_no_shorter(system):
    JobFactory(scheduled_at=real() - timedelta(seconds=5))

    with wrong_by(-HOUR):
        (job,) = Job.objects.claim(limit=1, lease=LEASE, actor=system)
        assert is_now(job.lease_until - LEASE)
        Job.objects.extend([job], lease=LEASE)

    job.refresh_from_db()
    assert is_now(job.lease_until - LEASE)
    assert services.fail_abandoned(actor=system) == 0


def test_a_worker_that_is_ahead_neither_begins_nor_retries_early(system):
    JobFactory(scheduled_at=real() + HOUR / 2)
    failed = JobFactory(scheduled_at=real() - timedelta(seconds=5), retry_delay=HOUR / 2)
    (job,) = Job.objects.claim(limit=2, lease=LEASE, actor=system)
    assert job == failed

    with wrong_by(HOUR):
        services.fail_job(job=job, actor=system, error=RuntimeError())
        assert Job.objects.claim(limit=1, lease=LEASE, actor=system) == []
        assert services.retry_failed(actor=system) == 0

    failed.refresh_from_db()
    assert failed.scheduled_at < real() + HOUR


def test_a_job_that_a_server_ahead_took_in_runs_at_once(ask, free_profile):
    with wrong_by(HOUR):
        ask(free_profile)

    assert runner.run_pending() == 1


def test_a_worker_that_is_ahead_dates_what_it_signs_now(issued, alice, system):
    with wrong_by(HOUR):
        published = crl.publish(issuer_id=issued.issuer_id, actor=system)
        services.request_renewal(actor=alice, certificate_id=issued.pk)
        runner.run_pending()
        issued.refresh_from_db()
        asked = x509_ocsp.cert_id(
            issued.issuer.certificate, int(issued.current.serial, 16), "sha256"
        )
        answer = ocsp.response_for(issued.issuer.slug, asked)

    signed = x509.load_pem_x509_certificate(issued.current.pem.encode())
    minutes = timedelta(minutes=2)
    for moment in (published.this_update, answer.this_update, signed.not_valid_before_utc):
        assert real() - minutes < moment <= real() + TOLERANCE


def test_a_sweep_that_is_ahead_finds_no_list_old(issued, system):
    newest = crl.publish(issuer_id=issued.issuer_id, actor=system)
    others = issued.issuer.parent
    crl.publish(issuer_id=others.pk, actor=system)

    with wrong_by(timedelta(days=2)):
        assert tasks.refresh_crls() == 0

    assert crl.current(issued.issuer.slug).number == newest.number


def test_a_server_that_is_ahead_dates_a_revocation_now(issued, alice):
    from certificates import services as certificate_services  # noqa: PLC0415

    with wrong_by(HOUR):
        certificate_services.revoke(version_id=issued.current_id, actor=alice, reason="superseded")

    assert is_now(Revocation.objects.get().revoked_at)


def test_the_dashboard_and_the_metrics_say_whose_clock_is_wrong(browse, carol, client):
    assert "clock is" not in browse(carol).get("/admin/").content.decode()
    signed_in = browse(carol)

    with wrong_by(timedelta(minutes=4)):
        shown = signed_in.get("/admin/").content.decode()
        metrics = client.get("/metrics").content.decode()

    (ahead,) = re.findall(r"clock is (\d+) s ahead of the database", shown)
    assert abs(int(ahead) - 240) < 3
    (line,) = [row for row in metrics.splitlines() if row.startswith("certctl_clock_ahead")]
    assert abs(float(line.split()[1]) - 240) < 3

"""A renewal does what its policy means: neither too early nor in vain, and never forgotten."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from audit.models import Event
from certificates.models import Alert, Certificate, CertificateStatus, RenewalPolicy, Version
from certificates.services import update_expiry_statuses
from foundation.errors import ConnectorError
from issuers import services as issuer_services
from jobs import runner, services, tasks
from jobs.models import Job
from tests.jobs.conftest import LEASE

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def rules(db):
    return RenewalPolicy.objects.create(name="rules", window=timedelta(days=14))


@pytest.fixture
def renewing(issued, rules):
    issued.renewal_policy = rules
    issued.save()
    return issued


def at(moment):
    return time_machine.travel(moment, tick=False)


def sweep(system):
    """Do what beat has done every minute; return how many renewals were asked for."""
    asked = services.request_due_renewals(actor=system)
    services.watch_certificates(actor=system)
    return asked


def kinds(certificate):
    return sorted(certificate.alerts.open().values_list("kind", flat=True))


# --- When ------------------------------------------------------------------------------------


def test_a_window_longer_than_the_lifetime_renews_when_a_third_of_it_is_over(
    renewing, rules, system
):
    RenewalPolicy.objects.update(window=timedelta(days=300))
    version = renewing.current
    third = version.not_before + (version.not_after - version.not_before) / 3

    with at(third - MINUTE):
        assert sweep(system) == 0
    with at(third + MINUTE):
        assert sweep(system) == 1
        runner.run_pending()
    with at(third + timedelta(minutes=10)):
        runner.run_pending()
        assert renewing.versions.count() == 2
        assert sweep(system) == 0


def test_a_certificate_of_eight_minutes_is_renewed_in_time(ask, free_profile, rules, system):
    RenewalPolicy.objects.update(window=timedelta(minutes=5))
    free_profile.max_lifetime = timedelta(minutes=8)
    free_profile.save()
    every = settings.CELERY_BEAT_SCHEDULE["request-due-renewals"]["schedule"]
    with at(timezone.now()) as clock:
        certificate = ask(free_profile, renewal_policy=rules).certificate
        runner.run_pending()
        for _ in range(30):
            clock.shift(timedelta(seconds=every))
            tasks.request_due_renewals()
            clock.shift(timedelta(seconds=5))
            runner.run_pending()
            certificate.refresh_from_db()
            assert certificate.current.not_after > timezone.now()
    # Every two minutes: five of its seven are its window.
    assert 4 <= certificate.versions.count() <= 17


def test_what_has_ended_is_still_renewed(renewing, system):
    with at(renewing.current.not_after + DAY):
        update_expiry_statuses(now=timezone.now(), actor=system)
        renewing.refresh_from_db()
        assert renewing.status == CertificateStatus.EXPIRED
        assert sweep(system) == 1


def test_without_a_policy_that_wants_it_nothing_is_renewed(renewing, system):
    RenewalPolicy.objects.update(auto_renew=False)

    with at(renewing.current.not_after + DAY):
        assert sweep(system) == 0


def test_what_failed_for_good_rests_for_an_hour(renewing, system):
    with at(renewing.current.not_after - DAY) as clock:
        assert sweep(system) == 1
        clock.shift(timedelta(minutes=6))
        (job,) = Job.objects.claim(limit=1, lease=LEASE, actor=system)
        services.fail_job(job=job, actor=system, error=ConnectorError("no", permanent=True))
        clock.shift(timedelta(minutes=59))
        assert sweep(system) == 0
        clock.shift(timedelta(minutes=2))
        assert sweep(system) == 1


# --- In vain ---------------------------------------------------------------------------------


@pytest.fixture
def ending_ca(system, root_ca):
    return issuer_services.create_local_ca(
        actor=system,
        ca=issuer_services.NewCA(
            slug="ending",
            name="Ending",
            common_name="Ending CA",
            organization="Test",
            lifetime=timedelta(days=60),
            parent=root_ca,
        ),
    )


def test_near_the_end_of_the_ca_a_renewal_that_gains_nothing_is_an_alert(
    renewing, ending_ca, system, caplog, django_capture_on_commit_callbacks
):
    Certificate.objects.update(issuer=ending_ca)
    end = ending_ca.described.not_after
    with at(renewing.current.not_after - timedelta(days=14)) as clock:
        assert sweep(system) == 1  # it gains nearly a fortnight
        clock.shift(timedelta(minutes=6))
        runner.run_pending()
        renewing.refresh_from_db()
        assert renewing.current.not_after == end
        for _ in range(20):
            clock.shift(DAY)
            with django_capture_on_commit_callbacks(execute=True):
                assert sweep(system) == 0
    assert renewing.versions.count() == 2
    alert = renewing.alerts.open().get(kind=Alert.Kind.RENEWAL_GAINS_NO_TIME)
    assert "ending" in alert.detail
    assert alert.last_seen > alert.since
    assert caplog.text.count("alert renewal_gains_no_time") == 1
    assert Event.objects.filter(action="alert.raise", data__kind=alert.kind).count() == 1


def test_an_alert_goes_when_a_renewal_gains_time_again(renewing, ending_ca, local_ca, system):
    Certificate.objects.update(issuer=ending_ca)
    Version.objects.update(not_after=ending_ca.described.not_after)
    with at(ending_ca.described.not_after - timedelta(days=10)):
        assert sweep(system) == 0
        assert "renewal_gains_no_time" in kinds(renewing)
        Certificate.objects.update(issuer=local_ca)

        assert sweep(system) == 1

    assert kinds(renewing) == []
    assert Event.objects.filter(action="alert.clear").exists()


def test_a_ca_elsewhere_that_moves_the_end_by_nothing_is_not_asked_again_and_again(
    renewing, system
):
    end = renewing.current.not_after
    with at(end - timedelta(days=10)) as clock:
        assert sweep(system) == 1
        clock.shift(timedelta(minutes=6))
        runner.run_pending()
        renewing.refresh_from_db()
        Version.objects.filter(pk=renewing.current_id).update(not_after=end + MINUTE)
        clock.shift(timedelta(days=8))

        assert sweep(system) == 0
        assert "renewal_gains_no_time" in kinds(renewing)


def test_a_profile_that_became_stricter_has_nothing_renewed_early_and_is_no_alert(
    renewing, free_profile, system
):
    free_profile.max_lifetime = timedelta(days=5)
    free_profile.save()

    with at(renewing.current.not_after - timedelta(days=13)):
        assert sweep(system) == 0
        assert kinds(renewing) == []
    with at(renewing.current.not_after - timedelta(days=4)):
        assert sweep(system) == 1


# --- What nothing renews ---------------------------------------------------------------------


def test_near_its_end_without_a_job_is_an_alert_until_there_is_one(renewing, alice, system):
    RenewalPolicy.objects.update(auto_renew=False, alert_days=[30, 7])
    with at(renewing.current.not_after - timedelta(days=31)):
        sweep(system)
        assert kinds(renewing) == []
    with at(renewing.current.not_after - timedelta(days=29)):
        sweep(system)
        assert kinds(renewing) == ["expires_without_renewal"]
        services.request_renewal(actor=alice, certificate_id=renewing.pk)
        sweep(system)
        assert kinds(renewing) == []


def test_before_its_window_nobody_is_alarmed(renewing, system):
    RenewalPolicy.objects.update(alert_days=[30])

    with at(renewing.current.not_after - timedelta(days=20)):
        sweep(system)
        assert kinds(renewing) == []
    with at(renewing.current.not_after - timedelta(days=13)):
        sweep(system)
        assert kinds(renewing) == []  # a renewal is under way
        Job.objects.filter(kind="Renewal").update(given_up=True, status="Failed", attempts=1)
        sweep(system)
        assert kinds(renewing) == ["expires_without_renewal"]


def test_what_has_ended_is_an_alert_whatever_is_under_way(renewing, system):
    with at(renewing.current.not_after + MINUTE):
        assert sweep(system) == 1
        assert kinds(renewing) == ["expires_without_renewal"]


# --- What is not served ----------------------------------------------------------------------


def test_a_failed_validation_shows_on_the_certificate_until_one_succeeds(
    ask, free_profile, places, watched_target, alice, system, browse, carol
):
    places.shows = False
    certificate = ask(free_profile, targets=[watched_target]).certificate
    runner.run_pending()
    sweep(system)
    assert kinds(certificate) == []  # it looks again
    Job.objects.filter(kind="Validation").update(given_up=True)

    sweep(system)

    alert = certificate.alerts.open().get()
    assert (alert.kind, alert.detail) == (
        "validation_failed",
        "Not served as deployed: web-2 serves another one.",
    )
    page = browse(carol).get(f"/admin/certificates/certificate/{certificate.pk}/change/")
    assert alert.detail in page.content.decode()
    places.shows = True
    services.request_validation(actor=alice, certificate_id=certificate.pk, target=watched_target)
    runner.run_pending()
    sweep(system)
    assert kinds(certificate) == []

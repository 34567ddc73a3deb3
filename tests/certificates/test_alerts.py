"""Alerts: one per subject and kind, seen by everybody, acknowledged by operators."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.models import Event
from certificates import crl, services
from certificates.models import CRL, Alert
from tests.factories import CertificateFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def alert(system):
    certificate = CertificateFactory()
    see(system, {certificate.pk: "It ends."})
    return certificate.alerts.get()


def see(system, seen):
    return services.keep_alerts(
        kind=Alert.Kind.EXPIRES_WITHOUT_RENEWAL, on="certificate", seen=seen, actor=system
    )


def test_what_is_seen_again_is_the_same_alert(
    alert, system, caplog, django_capture_on_commit_callbacks
):
    with (
        django_capture_on_commit_callbacks(execute=True),
        time_machine.travel(alert.since + timedelta(hours=1), tick=False),
    ):
        assert see(system, {alert.certificate_id: "It has ended."}) == 0

    again = Alert.objects.get()
    assert (again.since, again.detail) == (alert.since, "It has ended.")
    assert again.last_seen == alert.since + timedelta(hours=1)
    assert "alert" not in caplog.text
    assert Event.objects.filter(action="alert.raise").count() == 1


def test_an_alert_that_is_over_stays_and_the_next_one_is_another(alert, system):
    see(system, {})
    alert.refresh_from_db()
    assert alert.cleared_at

    assert see(system, {alert.certificate_id: "Again."}) == 1

    assert Alert.objects.count() == 2


def test_the_database_holds_one_open_alert_of_a_subject_and_kind(alert, root_ca):
    Alert.objects.create(kind=alert.kind, issuer=root_ca, detail="another subject")
    Alert.objects.create(kind="crl_late", issuer=root_ca, detail="another kind")
    for subject in ({"certificate": alert.certificate}, {"issuer": root_ca}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Alert.objects.create(kind=alert.kind, detail="twice", **subject)
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.create(kind=alert.kind, detail="about nothing")


def test_two_sweeps_that_see_it_at_once_raise_it_once(alert, system, monkeypatch):
    # The second looked before the first had committed.
    monkeypatch.setattr("certificates.models.alerts.AlertQuerySet.open", lambda self: self.none())

    assert see(system, {alert.certificate_id: "It ends."}) == 0

    assert Alert.objects.count() == 1


def test_operators_acknowledge_and_the_first_one_stays(client_of, alert, bob, alice):
    url = f"/api/v1/alerts/{alert.pk}/"

    answer = client_of(bob).post(f"{url}acknowledge/")

    assert answer.status_code == 200
    assert answer.json()["acknowledged_by_name"] == "bob"
    assert client_of(alice).post(f"{url}acknowledge/").json()["acknowledged_by_name"] == "bob"
    event = Event.objects.get(action="alert.acknowledge")
    assert (event.actor, event.certificate) == (bob, alert.certificate_id)


def test_viewers_read_and_do_not_acknowledge(client_of, alert, victor):
    client = client_of(victor)

    (row,) = client.get("/api/v1/alerts/?open=true").json()["results"]

    assert (row["kind"], row["certificate"]) == (
        "expires_without_renewal",
        str(alert.certificate_id),
    )
    answer = client.post(f"/api/v1/alerts/{alert.pk}/acknowledge/")
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_permission")
    assert Event.objects.filter(action="alert.acknowledge.refuse").exists()


def test_what_is_over_cannot_be_acknowledged(client_of, alert, system, bob):
    see(system, {})

    answer = client_of(bob).post(f"/api/v1/alerts/{alert.pk}/acknowledge/")

    assert (answer.status_code, answer.json()["code"]) == (409, "alert_over")


def test_lists_tell_open_from_over_and_known_from_unknown(client_of, alert, system, bob):
    client = client_of(bob)

    def count(query):
        return len(client.get(f"/api/v1/alerts/?{query}").json()["results"])

    assert (count("acknowledged=false"), count("acknowledged=true")) == (1, 0)
    client.post(f"/api/v1/alerts/{alert.pk}/acknowledge/")
    assert (count("acknowledged=false"), count("acknowledged=true")) == (0, 1)
    see(system, {})
    assert (count("open=true"), count("open=false"), count("kind=crl_late")) == (0, 1, 0)


def test_the_dashboard_the_metrics_and_the_admin_show_it(browse, alert, bob, client):
    signed_in = browse(bob)

    dashboard = signed_in.get("/admin/")
    assert "It ends." in dashboard.content.decode()
    assert dashboard.context["alerts_count"] == 1
    metrics = client.get("/metrics").content.decode()
    assert 'certctl_alerts{kind="expires_without_renewal"} 1.0' in metrics
    assert 'certctl_alerts{kind="crl_late"} 0.0' in metrics
    page = "/admin/certificates/alert/"
    assert signed_in.get(f"{page}{alert.pk}/change/").status_code == 200
    signed_in.post(page, {"action": "acknowledge", "_selected_action": [str(alert.pk)]})
    alert.refresh_from_db()
    assert alert.acknowledged_by == bob


# --- Issuers ---------------------------------------------------------------------------------


def kinds(issuer):
    return sorted(issuer.alerts.open().values_list("kind", flat=True))


def test_a_ca_that_ends_within_ninety_days_is_an_alert(local_ca, system):
    crl.publish(issuer_id=local_ca.pk, actor=system)
    end = local_ca.described.not_after
    with time_machine.travel(end - 91 * DAY, tick=False):
        services.watch_issuers(actor=system)
        assert "ca_ends_soon" not in kinds(local_ca)
    with time_machine.travel(end - 89 * DAY, tick=False):
        services.watch_issuers(actor=system)
        assert "ca_ends_soon" in kinds(local_ca)
        local_ca.enabled = False
        local_ca.save()
        services.watch_issuers(actor=system)
        assert "ca_ends_soon" not in kinds(local_ca)


def test_a_crl_that_nobody_renewed_is_an_alert_well_before_it_ends(root_ca, system):
    published = crl.publish(issuer_id=root_ca.pk, actor=system)
    with time_machine.travel(published.this_update + 2 * DAY, tick=False):
        services.watch_issuers(actor=system)
        assert kinds(root_ca) == []
    with time_machine.travel(published.next_update - 2 * DAY, tick=False):
        services.watch_issuers(actor=system)
        assert kinds(root_ca) == ["crl_late"]
        crl.publish(issuer_id=root_ca.pk, actor=system)
        services.watch_issuers(actor=system)
        assert kinds(root_ca) == []


def test_a_ca_without_any_crl_is_an_alert_after_ten_minutes(root_ca, system):
    CRL.objects.all().delete()
    services.watch_issuers(actor=system)
    assert kinds(root_ca) == []

    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        services.watch_issuers(actor=system)

    assert kinds(root_ca) == ["crl_late"]


def test_an_issuer_that_cannot_be_read_does_not_hide_the_others(
    root_ca, local_ca, system, monkeypatch
):
    root_ca.certificate_pem = "broken"
    root_ca.save()

    with time_machine.travel(local_ca.described.not_after - DAY, tick=False):
        services.watch_issuers(actor=system)

    assert "ca_ends_soon" in kinds(local_ca)

from datetime import timedelta

import pytest
import time_machine
from cryptography import x509
from django.db import transaction
from django.utils import timezone

from audit.models import Event
from certificates import crl, ocsp, services
from certificates.models import Certificate, OCSPResponse, Reason, Revocation, Version
from certificates.policy import AlreadyRevoked, InvalidRevocation, IssuedElsewhere, NotOnHold
from issuers.x509.ocsp import cert_id
from owners.models import Principal
from tests.races import meanwhile


def ask(version, algorithm="sha256"):
    ca = x509.load_pem_x509_certificate(version.issuer.certificate_pem.encode())
    return ocsp.response_for(version.issuer.slug, cert_id(ca, int(version.serial, 16), algorithm))


def test_revoking_records_audits_and_hints(version, bob, hints, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        revocation = services.revoke(
            version_id=version.pk, actor=bob, reason="keyCompromise", note="laptop stolen"
        )

    version.certificate.refresh_from_db()
    assert (revocation.reason, revocation.revoked_by) == ("keyCompromise", bob)
    assert version.certificate.status == "Revoked"
    event = Event.objects.get(action="certificate.revoke")
    assert (event.actor, event.data["serial"]) == (bob, version.serial)
    assert hints == ["certificates.publish_crl"]


def test_a_broker_that_is_down_does_not_stop_a_revocation(
    version, bob, monkeypatch, django_capture_on_commit_callbacks
):
    def refuse(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr("celery.app.base.Celery.send_task", refuse)

    with django_capture_on_commit_callbacks(execute=True):
        services.revoke(version_id=version.pk, actor=bob)

    assert Revocation.objects.filter(version=version).exists()


def test_the_reason_is_unspecified_unless_said(version, bob):
    assert services.revoke(version_id=version.pk, actor=bob).reason == Reason.UNSPECIFIED


def test_nothing_is_revoked_twice(version, bob):
    first = services.revoke(version_id=version.pk, actor=bob, reason="superseded")

    with pytest.raises(AlreadyRevoked):
        services.revoke(version_id=version.pk, actor=bob, reason="superseded")
    with pytest.raises(AlreadyRevoked):
        services.revoke(version_id=version.pk, actor=bob, reason="privilegeWithdrawn")

    kept = Revocation.objects.get()
    assert (kept.reason, kept.revoked_at) == (first.reason, first.revoked_at)
    assert Event.objects.filter(action="certificate.revoke").count() == 1


def test_a_reason_can_be_corrected_to_key_compromise(version, bob):
    services.revoke(version_id=version.pk, actor=bob, reason="superseded", note="replaced")
    Revocation.objects.update(listed_in=7, final_crl=7)
    earlier = version.not_before + timedelta(minutes=1)

    services.revoke(
        version_id=version.pk, actor=bob, reason="keyCompromise", revoked_at=earlier, note="leaked"
    )

    kept = Revocation.objects.get()
    assert (kept.reason, kept.revoked_at) == ("keyCompromise", earlier.replace(microsecond=0))
    assert (kept.listed_in, kept.final_crl, kept.note) == (None, None, "replaced\nleaked")
    with pytest.raises(AlreadyRevoked):
        services.revoke(version_id=version.pk, actor=bob, reason="keyCompromise")


@pytest.mark.parametrize(
    ("reason", "when", "code"),
    [
        ("superseded", timedelta(minutes=-1), "not_backdatable"),
        ("keyCompromise", timedelta(minutes=1), "in_future"),
        ("keyCompromise", timedelta(days=-400), "before_validity"),
        ("removeFromCRL", None, "unknown_reason"),
        ("aACompromise", None, "unknown_reason"),
    ],
)
def test_a_revocation_that_says_what_it_may_not_is_refused(version, bob, reason, when, code):
    at = timezone.now() + when if when else None

    with pytest.raises(InvalidRevocation) as caught:
        services.revoke(version_id=version.pk, actor=bob, reason=reason, revoked_at=at)

    assert caught.value.errors[0]["code"] == code
    assert not Revocation.objects.exists()


def test_a_superseded_version_is_revoked_without_touching_the_certificate(issue, version, bob):
    issue(certificate=version.certificate)

    services.revoke(version_id=version.pk, actor=bob)

    version.certificate.refresh_from_db()
    assert version.certificate.status == "Active"


def test_what_another_ca_signed_cannot_be_revoked_here(version, bob):
    Version.objects.filter(pk=version.pk).update(issuer=None)

    with pytest.raises(IssuedElsewhere):
        services.revoke(version_id=version.pk, actor=bob)


def test_revoking_forgets_the_good_answer(version, bob):
    assert ask(version).status == "good"
    assert ask(version, "sha1").status == "good"

    services.revoke(version_id=version.pk, actor=bob)

    assert not OCSPResponse.objects.exists()
    assert ask(version).status == "revoked"


def test_a_hold_can_be_released(version, bob, system):
    services.revoke(version_id=version.pk, actor=bob, reason="certificateHold")
    crl.publish(issuer_id=version.issuer_id, actor=system)
    assert ask(version).status == "revoked"

    services.release_hold(version_id=version.pk, actor=bob, note="found again")

    version.certificate.refresh_from_db()
    assert version.certificate.status == "Active"
    assert ask(version).status == "good"
    assert crl.publish_if_due(version.issuer_id, actor=system).entries == 0
    assert Event.objects.get(action="certificate.release_hold").data["note"] == "found again"


def test_a_hold_can_become_final(version, bob):
    services.revoke(version_id=version.pk, actor=bob, reason="certificateHold")

    services.revoke(version_id=version.pk, actor=bob, reason="cessationOfOperation")

    assert Revocation.objects.get().reason == "cessationOfOperation"
    with pytest.raises(NotOnHold):
        services.release_hold(version_id=version.pk, actor=bob)


def test_what_is_not_on_hold_cannot_be_released(version, bob):
    with pytest.raises(NotOnHold):
        services.release_hold(version_id=version.pk, actor=bob)


@pytest.mark.parametrize("reason", ["unspecified", "certificateHold"])
def test_revoking_a_ca_needs_a_reason(local_ca, owner, carol, reason):
    ca = services.record_ca(actor=carol, issuer=local_ca, owner=owner)

    with pytest.raises(InvalidRevocation) as caught:
        services.revoke(version_id=ca.current_id, actor=carol, reason=reason)

    assert caught.value.errors[0]["code"] == "reason_required"


def test_a_revocation_that_cannot_be_audited_does_not_happen(version, bob, monkeypatch):
    def broken(**kwargs):
        raise RuntimeError

    monkeypatch.setattr("certificates.services.revocation.record", broken)

    with pytest.raises(RuntimeError), transaction.atomic():
        services.revoke(version_id=version.pk, actor=bob)

    assert not Revocation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_revoking_what_is_renewed_meanwhile_leaves_the_certificate_active(issue, bob):
    """The revocation waits for the renewal, and then sees that another version is current."""
    old = issue()

    meanwhile(
        lambda: issue(certificate=old.certificate),
        lambda: services.revoke(version_id=old.pk, actor=Principal.objects.get(pk=bob.pk)),
    )

    certificate = Certificate.objects.get(pk=old.certificate_id)
    assert Revocation.objects.get().version == old
    assert (certificate.current.number, certificate.status) == (2, "Active")


def test_the_earlier_date_of_a_corrected_revocation_stands(version, bob):
    first = services.revoke(version_id=version.pk, actor=bob, reason="superseded")

    with time_machine.travel(first.revoked_at + timedelta(hours=2)):
        services.revoke(
            version_id=version.pk,
            actor=bob,
            reason="keyCompromise",
            revoked_at=first.revoked_at + timedelta(hours=1),
        )

    assert Revocation.objects.get().revoked_at == first.revoked_at

"""Keys that EST makes here: they go out once, and are not kept."""

from datetime import timedelta

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.utils import timezone

import certificates.services
from audit.models import Event
from certificates.models import Certificate, Version
from enrollment import services
from issuers.models import Profile
from issuers.x509 import certs
from jobs.models import Job
from tests.enrollment.conftest import DEVICE, OTHER
from tests.enrollment.est_client import (
    enrolled,
    parts_of,
    refusals,
)
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db


@pytest.fixture
def keyed_label(make_label, free_device_profile):
    return make_label("keyed", free_device_profile, server_keys=True)


def keygen(est, made, csr=None, **options):
    return est.ask(
        "serverkeygen", csr or make_csr(DEVICE), label="keyed", secret=made.text, **options
    )


def test_a_key_is_made_where_the_label_allows_it(est, keyed_label, secret_for):
    csr = make_csr(DEVICE)

    answer = keygen(est, secret_for(keyed_label), csr)

    assert answer.status_code == 200
    (key_head, key), (bag_head, _) = parts_of(answer)
    assert "application/pkcs8" in key_head
    assert "certs-only" in bag_head
    private = serialization.load_der_private_key(key, None)
    version = Version.objects.get()
    assert certs.key_fingerprint(private.public_key()) == version.key_fingerprint
    assert private.public_key() != x509.load_pem_x509_csr(csr.encode()).public_key()
    assert version.encrypted_key is None
    assert Job.objects.get().encrypted_key is None
    assert Event.objects.filter(action="enrollment.generate_key").count() == 1


def test_no_key_is_made_where_the_label_does_not_say_so(est, label, secret_for):
    made = secret_for(label)

    answer = est.ask("serverkeygen", make_csr(DEVICE), secret=made.text)

    assert answer.status_code == 404
    assert not Job.objects.exists()
    assert refusals() == [("enrollment.generate_key.refuse", 404)]


def test_no_key_is_made_for_what_would_wait_and_nothing_is_asked(
    est, keyed_label, secret_for, free_device_profile
):
    Profile.objects.filter(pk=free_device_profile.pk).update(approval_required_for=["Issuance"])
    made = secret_for(keyed_label)

    assert keygen(est, made).status_code == 403

    assert not Job.objects.exists()
    assert not Certificate.objects.exists()
    made.credential.refresh_from_db()
    assert made.credential.spent_on is None


def test_a_lost_key_is_replaced_and_its_version_revoked(est, keyed_label, secret_for):
    made = secret_for(keyed_label)
    (_, first), _ = parts_of(keygen(est, made))

    (_, second), _ = parts_of(keygen(est, made))

    assert first != second
    lost, current = Version.objects.order_by("number")
    assert lost.revocation.reason == "superseded"
    assert not hasattr(current, "revocation")
    assert keygen(est, made, make_csr(OTHER)).status_code in {401, 403}


def test_a_key_that_was_used_is_not_lost(est, keyed_label, secret_for):
    made = secret_for(keyed_label)
    keygen(est, made)
    version = Version.objects.get()
    assert (
        est.ask("simplereenroll", make_csr(DEVICE), label="keyed", shown=version).status_code == 200
    )

    assert keygen(est, made).status_code == 401
    version.refresh_from_db()
    assert not hasattr(version, "revocation")


def test_a_key_that_went_out_long_ago_is_not_lost(est, keyed_label, secret_for):
    made = secret_for(keyed_label)
    keygen(est, made)

    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert keygen(est, made).status_code == 401


def test_a_credential_that_was_spent_on_a_key_of_one_s_own_makes_none(est, keyed_label, secret_for):
    made, csr = secret_for(keyed_label), make_csr(DEVICE)
    enrolled(est, keyed_label, made, csr)

    assert keygen(est, made, csr).status_code == 401
    assert Version.objects.count() == 1


def test_a_blocked_credential_revokes_nothing_and_brings_no_key(est, keyed_label, secret_for, bob):
    made = secret_for(keyed_label)
    keygen(est, made)
    services.block_credential(actor=bob, credential_id=made.credential.pk)

    assert keygen(est, made).status_code == 403
    assert not hasattr(Version.objects.get(), "revocation")


def test_a_credential_for_many_names_gets_another_key_for_the_first_alone(
    est, keyed_label, secret_for
):
    made = secret_for(keyed_label, names=["dns:*.demo.internal"])
    keygen(est, made)

    assert keygen(est, made, make_csr(OTHER)).status_code == 401
    assert not hasattr(Version.objects.get(), "revocation")


def test_a_lost_key_is_not_replaced_where_somebody_revoked_its_certificate(
    est, keyed_label, secret_for, bob
):
    made = secret_for(keyed_label)
    assert keygen(est, made).status_code == 200
    certificates.services.revoke(
        version_id=Version.objects.get().pk, actor=bob, reason="cessationOfOperation"
    )

    assert keygen(est, made).status_code == 401
    assert Version.objects.count() == 1

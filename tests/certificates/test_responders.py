"""Delegated OCSP responders: who has one made, what it signs, and when the CA signs itself again.

Carol administers issuers, alice asks for certificates, victor looks on.
"""

import threading
from datetime import timedelta

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp as pyca
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.db import connection, transaction
from django.utils import timezone

import certificates.services
import deployments.services
import issuers.services
from audit.models import Event
from certificates import live_ocsp, ocsp, ocsp_ahead, responders
from certificates.models import (
    Alert,
    Certificate,
    CertificateStatus,
    OCSPResponse,
    Responder,
    Version,
)
from deployments.models import Target
from foundation.errors import ConnectorError, Invalid
from foundation.sealed import Context
from issuers.models import Issuer, Profile
from issuers.services.profiles import ProfileReserved
from issuers.x509 import certs
from issuers.x509.ocsp import Question, cert_id
from jobs import runner, services
from jobs.models import Job
from owners.models import Principal
from tests.fixtures import make_csr
from tests.races import meanwhile

pytestmark = pytest.mark.django_db
NONCE = b"n" * 32


def tend(system):
    """Do what the worker does every minute: the sweep, and the jobs that it asked for."""
    asked = services.tend_responders(actor=system)
    runner.run_pending()
    return asked


def switch(issuer, carol, *, on=True):
    issuers.services.update_issuer(actor=carol, issuer_id=issuer.pk, changes={"ocsp_delegated": on})


@pytest.fixture
def delegating(local_ca, carol, system):
    """The issuing CA with a delegate that has its certificate."""
    switch(local_ca, carol)
    assert tend(system) == 1
    return Issuer.objects.get(pk=local_ca.pk)


def delegate(issuer):
    return Responder.objects.get(issuer=issuer).certificate


def question(version, algorithm="sha256"):
    return cert_id(version.issuer.certificate, int(version.serial, 16), algorithm)


def ask(version):
    row = ocsp.response_for(version.issuer.slug, question(version))
    return row, pyca.load_der_ocsp_response(bytes(row.der))


def ask_alone(version):
    inquiry = live_ocsp.look_up("issuing", Question(question(version), NONCE))
    return pyca.load_der_ocsp_response(live_ocsp.sign(inquiry, address="192.0.2.1"))


def signed_by(answer):
    """Return the certificate that an answer brings, whose key must have signed it."""
    certificate, *above = answer.certificates
    assert len(above) <= 1
    for ca in above:
        certificate.verify_directly_issued_by(ca)
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(
            answer.signature, answer.tbs_response_bytes, ec.ECDSA(answer.signature_hash_algorithm)
        )
    ski = x509.SubjectKeyIdentifier.from_public_key(key).digest
    assert answer.responder_key_hash == ski, "ResponderID is that of who signed"
    return certificate


# --- Its certificate ------------------------------------------------------------------------


def test_whoever_delegates_has_its_certificate_asked_for(delegating, carol, system):
    certificate = delegate(delegating)
    job = Job.objects.get(certificate=certificate)

    assert (job.requested_by, job.status, job.decided_by) == (carol, "Completed", None)
    assert certificate.issuer == delegating
    event = Event.objects.get(action="job.request", subject_id=str(job.pk))
    assert event.data["on_behalf_of"] == "carol"
    changed = Event.objects.get(action="issuer.update", subject_id=str(delegating.pk))
    assert changed.data["changes"]["ocsp_delegated"]["after"] is True
    assert tend(system) == 0


def test_it_is_what_rfc_6960_and_the_br_want(delegating):
    version = delegate(delegating).current
    certificate = certs.load(version.pem)

    kinds = {type(one.value) for one in certificate.extensions}
    assert x509.OCSPNoCheck in kinds
    assert not kinds & {x509.CRLDistributionPoints, x509.AuthorityInformationAccess}
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)
    certificate.verify_directly_issued_by(delegating.certificate)
    assert version.not_after - version.not_before <= timedelta(days=14)
    assert certificate.subject.rfc4514_string() == "CN=OCSP responder of issuing"


def test_its_key_lies_sealed_and_is_in_no_answer(delegating, client_of, victor):
    version = delegate(delegating).current
    key = serialization.load_pem_private_key(
        version.encrypted_key.open(responders.SERVER_KEY), None
    )
    assert key.public_key() == certs.load(version.pem).public_key()

    shown = client_of(victor).get(f"/api/v1/certificates/{version.certificate_id}/")

    assert "PRIVATE" not in shown.content.decode()
    assert repr(version.encrypted_key) == "sealed"


@pytest.mark.parametrize(
    ("algorithm", "kind"), [("rsa-2048", "rsa"), ("ecdsa-p384", "ecdsa-p256"), ("ed25519",) * 2]
)
def test_who_verifies_the_ca_verifies_its_delegate(carol, system, algorithm, kind):
    ca = issuers.services.NewCA(
        slug="other",
        name="",
        common_name="Other",
        key_algorithm=algorithm,
        lifetime=timedelta(days=99),
    )
    issuer = certificates.services.make_ca(actor=carol, ca=ca)
    switch(issuer, carol)

    assert tend(system) == 1

    assert delegate(issuer).current.key_algorithm == kind


def test_alice_asks_for_none_under_its_profile(delegating, alice, carol, owner):
    profile = Profile.objects.get(is_responder=True)
    csr = make_csr(common_name="OCSP responder of issuing", sans=[])
    certificate = delegate(delegating)

    with pytest.raises(Invalid):
        services.request_issuance(
            actor=alice, owner=owner, issuer=delegating, profile=profile, csr_pem=csr
        )
    with pytest.raises(Invalid):
        services.request_renewal(actor=alice, certificate_id=certificate.pk, csr_pem=csr)
    with pytest.raises(ProfileReserved):
        issuers.services.update_profile(
            actor=carol, profile_id=profile.pk, changes={"max_lifetime": timedelta(days=99)}
        )
    with pytest.raises(ProfileReserved):
        issuers.services.create_profile(actor=carol, rules={"slug": "ocsp-responder", "name": "x"})
    target = Target.objects.create(name="web-1", kind=Target.Kind.FILE, config={"at": "web-1"})
    with pytest.raises(deployments.services.NotForTargets):
        services.request_deployment(actor=alice, certificate_id=certificate.pk, target=target)


def test_victor_delegates_nothing(client_of, victor, local_ca):
    answer = client_of(victor).patch(f"/api/v1/issuers/{local_ca.pk}/", {"ocsp_delegated": True})

    assert answer.status_code == 403
    assert not Issuer.objects.get(pk=local_ca.pk).ocsp_delegated


def test_carol_delegates_over_rest_and_in_the_admin(client_of, browse, carol, local_ca):
    rest = client_of(carol).patch(f"/api/v1/issuers/{local_ca.pk}/", {"ocsp_delegated": True})
    assert (rest.status_code, rest.json()["ocsp_delegated"]) == (200, True)
    assert Issuer.objects.get(pk=local_ca.pk).ocsp_delegated_by == carol

    page = f"/admin/issuers/issuer/{local_ca.pk}/change/"
    form = {"name": "x", "enabled": "on", "ocsp_nonces": "on"}
    browse(carol).post(page, {**form, "ocsp_ahead": "asked", "crl_shards": "1"})

    local_ca.refresh_from_db()
    assert (local_ca.ocsp_delegated, local_ca.ocsp_delegated_by) == (False, None)
    assert local_ca.ocsp_nonces


def test_the_issuers_page_names_who_signs(browse, victor, delegating, root_ca):
    pages = [
        browse(victor).get(f"/admin/issuers/issuer/{issuer.pk}/change/").content.decode()
        for issuer in (delegating, root_ca)
    ]

    link = f"/admin/certificates/version/{delegate(delegating).current_id}/change/"
    assert [link in page for page in pages] == [True, False]
    assert "the CA&#x27;s own key" in pages[1]


def test_two_sweeps_ask_for_one(local_ca, carol, system):
    switch(local_ca, carol)

    services.tend_responders(actor=system)
    services.tend_responders(actor=system)

    assert Certificate.objects.filter(profile__is_responder=True).count() == 1
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_waited_for_the_other_sweep_asks_for_none(local_ca, carol, system):
    switch(local_ca, carol)
    Responder.objects.create(issuer=local_ca)

    def ask_for_one():
        actor = Principal.objects.system()
        return services.request_responder(actor=actor, issuer_id=local_ca.pk)

    assert meanwhile(ask_for_one, ask_for_one) is None

    assert Certificate.objects.filter(profile__is_responder=True).count() == 1
    assert services.request_responder(actor=system, issuer_id=local_ca.pk) is None


def test_the_worker_renews_it_in_time_with_a_new_key(delegating, system):
    old = delegate(delegating).current

    with time_machine.travel(old.not_after - timedelta(days=9, hours=9), tick=False):
        assert tend(system) == 0
    with time_machine.travel(old.not_after - timedelta(days=9, hours=7), tick=False):
        assert tend(system) == 1
        assert tend(system) == 0

    new = delegate(delegating).current
    assert new.number == 2
    assert new.key_fingerprint != old.key_fingerprint
    assert Job.objects.get(version=new).requested_by == system


def test_an_archived_one_is_replaced(delegating, system):
    before = delegate(delegating)
    Certificate.objects.filter(pk=before.pk).update(status=CertificateStatus.ARCHIVED)

    assert tend(system) == 1
    assert delegate(delegating).pk != before.pk
    assert responders.delegate_of(delegating, timezone.now()).certificate_id != before.pk


def test_a_ca_that_signs_nothing_more_is_asked_for_none_and_signs_its_answers(
    version,
    delegating,
    carol,
    system,
):
    issuers.services.update_issuer(actor=carol, issuer_id=delegating.pk, changes={"enabled": False})
    ends = delegate(delegating).current.not_after

    with time_machine.travel(ends + timedelta(seconds=1), tick=False):
        assert tend(system) == 0
        assert tend(system) == 0
        _, answer = ask(version)
        assert signed_by(answer) == delegating.certificate
        alert = Alert.objects.open().get(kind=Alert.Kind.RESPONDER_NOT_VALID)
        assert alert.issuer == delegating
    refusals = Event.objects.filter(action__startswith="certificate.request_responder")
    assert not refusals.exists(), "nobody attempted anything"


def test_a_revoked_ca_gets_no_delegate_and_goes_on_answering(
    version, local_ca, owner, carol, system
):
    ca = certificates.services.record_ca(actor=carol, issuer=local_ca, owner=owner)
    certificates.services.revoke(
        version_id=ca.current_id, actor=carol, reason="keyCompromise", confirm_name=ca.name
    )
    switch(local_ca, carol)

    assert tend(system) == 0

    assert not Job.objects.exists()
    assert signed_by(ask_alone(version)) == local_ca.certificate


def test_its_owner_is_that_of_the_ca(local_ca, owner, carol, system):
    certificates.services.record_ca(actor=carol, issuer=local_ca, owner=owner)
    switch(local_ca, carol)

    tend(system)

    assert delegate(local_ca).owner == owner


def test_of_a_root_pki_operations_answers_for_it(root_ca, carol, system):
    switch(root_ca, carol)

    tend(system)

    assert delegate(root_ca).owner.name == "PKI operations"


def test_the_alert_is_over_once_there_is_one(local_ca, carol, system, version):
    switch(local_ca, carol)
    services.tend_responders(actor=system)
    assert not Alert.objects.open().exists(), "the first job is on its way"
    Job.objects.update(status="Failed", given_up=True, completed_at=timezone.now())
    services.tend_responders(actor=system)
    assert Alert.objects.open().filter(kind=Alert.Kind.RESPONDER_NOT_VALID).exists()

    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        assert tend(system) == 1
        tend(system)

    assert not Alert.objects.open().exists()


# --- What it signs --------------------------------------------------------------------------


def test_it_signs_what_is_stored_and_what_is_for_one_alone(delegating, version):
    expected = certs.load(delegate(delegating).current.pem)

    row, answer = ask(version)

    assert signed_by(answer) == expected
    assert row.signer == delegate(delegating).current
    assert signed_by(ask_alone(version)) == expected


def test_until_it_is_there_and_once_it_is_not_wanted_the_ca_signs(local_ca, carol, system, version):
    switch(local_ca, carol)
    row, answer = ask(version)
    assert (row.signer, signed_by(answer)) == (None, local_ca.certificate)
    tend(system)
    assert ask(version)[0].pk == row.pk, "what is stored is good until half its life is over"
    assert signed_by(ask_alone(version)) != local_ca.certificate

    switch(local_ca, carol, on=False)

    assert signed_by(ask_alone(version)) == local_ca.certificate
    assert tend(system) == 0


def test_no_answer_outlives_the_certificate_of_who_signed_it(delegating, version):
    ends = delegate(delegating).current.not_after

    with time_machine.travel(ends - timedelta(hours=5), tick=False):
        row, answer = ask(version)
        alone = ask_alone(version)

    assert row.signer is not None
    assert row.next_update == answer.next_update_utc == alone.next_update_utc == ends


@pytest.mark.parametrize(("left", "by_delegate"), [(61, True), (60, False), (-1, False)])
def test_one_that_ends_within_the_hour_signs_no_more(delegating, version, left, by_delegate):
    ends = delegate(delegating).current.not_after

    with time_machine.travel(ends - timedelta(minutes=left), tick=False):
        row, answer = ask(version)
        alone = signed_by(ask_alone(version))

    assert (row.signer is not None) is by_delegate
    assert (signed_by(answer) != delegating.certificate) is by_delegate
    assert (alone != delegating.certificate) is by_delegate


def test_a_revoked_one_signs_no_more_and_what_it_signed_is_void(delegating, version, carol, system):
    row, first = ask(version)

    certificates.services.revoke(
        version_id=delegate(delegating).current_id, actor=carol, reason="keyCompromise"
    )

    again, answer = ask(version)
    assert again.pk == row.pk
    assert bytes(again.der) != bytes(row.der)
    assert signed_by(answer) == delegating.certificate
    assert answer.this_update_utc > first.this_update_utc, "Last-Modified tells them apart"
    assert signed_by(ask_alone(version)) == delegating.certificate
    assert tend(system) == 1, "it is replaced"
    assert signed_by(ask_alone(version)) != delegating.certificate


def test_what_it_signed_is_signed_ahead_by_the_ca_and_the_worker_is_told(
    delegating, version, carol, hints, django_capture_on_commit_callbacks
):
    Issuer.objects.filter(pk=delegating.pk).update(ocsp_ahead=Issuer.Ahead.ASKED)
    ask(version)
    hints.clear()

    with django_capture_on_commit_callbacks(execute=True):
        certificates.services.revoke(
            version_id=delegate(delegating).current_id, actor=carol, reason="keyCompromise"
        )
    assert "certificates.sign_ahead" in hints

    assert ocsp_ahead.sign_due() == 1
    row = OCSPResponse.objects.get(version=version)
    assert row.signer is None
    assert row.next_update > timezone.now()


def test_a_held_one_signs_again_when_it_is_released(delegating, version, carol):
    held = delegate(delegating).current
    certificates.services.revoke(version_id=held.pk, actor=carol, reason="certificateHold")
    assert signed_by(ask_alone(version)) == delegating.certificate

    certificates.services.release_hold(version_id=held.pk, actor=carol)

    assert signed_by(ask_alone(version)) == certs.load(held.pem)


def test_what_the_ca_signed_itself_is_not_void(delegating, version, carol):
    switch(delegating, carol, on=False)
    row, _ = ask(version)
    switch(delegating, carol)

    certificates.services.revoke(version_id=delegate(delegating).current_id, actor=carol)

    assert bytes(ask(version)[0].der) == bytes(row.der)


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_waited_for_its_signers_revocation_is_signed_by_the_ca(
    local_ca, carol, system, version
):
    switch(local_ca, carol)
    tend(system)
    held = delegate(local_ca).current
    slug, asked = version.issuer.slug, question(version)

    if connection.vendor == "postgresql":
        pytest.skip("there it waits for nobody: see the last test")
    row = meanwhile(
        lambda: certificates.services.revoke(version_id=held.pk, actor=carol),
        lambda: ocsp.response_for(slug, asked),
    )

    assert row.signer_id is None
    assert not OCSPResponse.objects.filter(signer=held).exists()


def test_the_delegate_is_asked_about_like_any_other(delegating, carol):
    held = delegate(delegating).current
    assert ask(held)[1].certificate_status.name == "GOOD"

    certificates.services.revoke(version_id=held.pk, actor=carol)

    assert ask(held)[1].certificate_status.name == "REVOKED"
    assert Version.objects.filter(revocation__isnull=False).count() == 1


def test_a_delegate_of_another_issuer_signs_nothing_here(delegating, root_ca):
    """RFC 6960 §4.2.2.2: it is issued directly by the CA that is asked about."""
    Version.objects.filter(pk=delegate(delegating).current_id).update(issuer=root_ca)

    assert responders.delegate_of(delegating, timezone.now()) is None


def test_a_key_that_cannot_be_opened_is_said_to_be_away(delegating, version):
    with transaction.atomic():
        Version.objects.filter(pk=delegate(delegating).current_id).update(
            encrypted_key=Context("something else").seal(b"x")
        )

    with pytest.raises(ConnectorError):
        ask(version)


def test_what_a_revoked_delegate_signed_is_not_the_last_resort(
    delegating, version, carol, monkeypatch
):
    row, _ = ask(version)
    delegated = delegate(delegating).current_id

    def away(*args):
        certificates.services.revoke(version_id=delegated, actor=carol)
        raise ConnectorError("the signer is away", permanent=False)

    monkeypatch.setattr(ocsp, "_sign", away)
    half = row.this_update + (row.next_update - row.this_update) * 0.6
    with time_machine.travel(half, tick=False), pytest.raises(ConnectorError):
        ocsp.response_for(version.issuer.slug, question(version))


@pytest.mark.django_db(transaction=True)
def test_who_signs_waits_for_no_revocation_of_the_delegate(local_ca, carol, system, version):
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite writers follow one another")
    switch(local_ca, carol)
    tend(system)
    held = delegate(local_ca).current
    slug, asked = version.issuer.slug, question(version)
    signed = []

    def sign():
        signed.append(ocsp.response_for(slug, asked))
        connection.close()

    with transaction.atomic():
        certificates.services.revoke(version_id=held.pk, actor=carol)
        thread = threading.Thread(target=sign)
        thread.start()
        thread.join(10)
        assert [row.signer_id for row in signed] == [None]
    assert not OCSPResponse.objects.filter(signer=held).exists()


def test_a_delegate_that_was_revoked_before_it_was_shared_signs_nothing(
    delegating, version, carol, monkeypatch
):
    delegated = delegate(delegating).current_id

    def share(*args):
        certificates.services.revoke(version_id=delegated, actor=carol)
        return True

    monkeypatch.setattr(responders, "share_at_once", share)

    row, _ = ask(version)

    assert row.signer_id is None

"""OCSP answers signed ahead, by issuer; never a `good` after a revocation."""

from datetime import timedelta

import pytest
import time_machine
from cryptography.x509 import ocsp as pyca
from django.db import transaction
from django.utils import timezone

from certificates import ocsp, ocsp_ahead, services
from certificates.models import AnswerChange, OCSPResponse, Version
from issuers.models import Issuer
from issuers.x509 import ocsp as x509_ocsp
from tests.races import aside, meanwhile


def ask(version, algorithm="sha256"):
    asked = x509_ocsp.cert_id(version.issuer.certificate, int(version.serial, 16), algorithm)
    return ocsp.response_for(version.issuer.slug, asked)


def status(row):
    return pyca.load_der_ocsp_response(bytes(row.der)).certificate_status.name


def option(issuer, ahead):
    Issuer.objects.filter(pk=issuer.pk).update(ocsp_ahead=ahead)


def responder(issuer):
    return ocsp_ahead._responder(Issuer.objects.get(pk=issuer.pk))


def hours(number):
    return timezone.now() + timedelta(hours=number)


@pytest.mark.parametrize(("ahead", "signed"), [("off", 0), ("asked", 1), ("all", 4)])
def test_by_issuer_none_what_was_asked_or_all_is_signed_ahead(issue, local_ca, ahead, signed):
    asked, _ = issue("asked.demo.internal"), issue("other.demo.internal")
    before = ask(asked)
    option(local_ca, ahead)
    with time_machine.travel(hours(5.9)):
        assert ocsp_ahead.sign_due() == signed
        assert ocsp_ahead.sign_due() == 0
        after = ask(asked)
        assert (after.this_update > before.this_update) == (ahead != "off")
        assert ocsp.is_fresh(after, timezone.now())


def test_what_nobody_asked_for_lately_is_let_go(version):
    ask(version)
    with time_machine.travel(hours(11.9)):
        OCSPResponse.objects.update(asked_at=timezone.now() - timedelta(hours=13))
        assert ocsp_ahead.sign_due() == 0


def test_all_are_due_before_half_their_life_and_not_all_at_once(issue):
    rows = [ask(issue(f"w{n}.demo.internal")) for n in range(6)]

    due = {row.renew_at - row.this_update for row in rows}
    life = rows[0].next_update - rows[0].this_update

    assert len(due) == 6
    assert all(life * 0.25 <= one <= life * 0.45 for one in due)


def test_nothing_is_signed_before_it_is_due(version):
    ask(version)
    with time_machine.travel(hours(2.9)):
        assert ocsp_ahead.sign_due() == 0


def test_what_is_signed_ahead_is_what_a_question_gets(version, bob):
    first = ask(version)
    responder_ = responder(version.issuer)

    assert ocsp_ahead.sign_batch(responder_, [(version.serial, "sha256")]) == 1

    row = OCSPResponse.objects.get()
    assert (row.pk, status(row)) == (first.pk, "GOOD")
    assert row.this_update > first.this_update
    parsed = pyca.load_der_ocsp_response(bytes(row.der))
    assert parsed.serial_number == int(version.serial, 16)
    assert (row.name_hash, row.key_hash) == (first.name_hash, first.key_hash)
    assert row.asked_at == first.asked_at
    assert ask(version).etag == row.etag


@pytest.mark.parametrize("form", ["sha1", "sha1/0", "sha384", "sha512/0"])
def test_each_form_is_signed_in_its_own_shape(version, form):
    ocsp_ahead.sign_batch(responder(version.issuer), [(version.serial, form)])
    asked = x509_ocsp.cert_id(
        version.issuer.certificate, int(version.serial, 16), form.partition("/")[0]
    )
    shaped = x509_ocsp.CertID(
        asked.hash_algorithm,
        asked.name_hash,
        asked.key_hash,
        asked.serial,
        has_null="/" not in form,
    )

    row = OCSPResponse.objects.get()
    assert shaped.encode() in bytes(row.der)
    assert ocsp.response_for(version.issuer.slug, shaped).etag == row.etag


def test_a_revocation_has_its_own_answers_signed(
    version, bob, django_capture_on_commit_callbacks, monkeypatch
):
    sent = []
    monkeypatch.setattr("foundation.hints.send", lambda name, *args: sent.append(name))
    ask(version, "sha1"), ask(version, "sha256")
    with django_capture_on_commit_callbacks(execute=True):
        services.revoke(version_id=version.pk, actor=bob)
    assert "certificates.sign_ahead" in sent
    assert not OCSPResponse.objects.exists()

    assert ocsp_ahead.sign_due() == 2

    rows = list(OCSPResponse.objects.order_by("hash_algorithm"))
    assert [(row.hash_algorithm, status(row), row.is_final) for row in rows] == [
        ("sha1", "REVOKED", True),
        ("sha256", "REVOKED", True),
    ]
    assert not AnswerChange.objects.exclude(forms="").exists()
    assert ocsp_ahead.sign_due() == 0


def test_a_hold_is_not_final(version, bob):
    services.revoke(version_id=version.pk, actor=bob, reason="certificateHold")
    assert not ask(version).is_final


def test_who_asked_since_the_revocation_has_it_signed_already(version, bob):
    ask(version)
    services.revoke(version_id=version.pk, actor=bob)
    row = ask(version)

    assert ocsp_ahead.sign_due() == 0
    assert OCSPResponse.objects.get().etag == row.etag


def test_what_is_not_ours_is_not_signed_ahead(version, root_ca):
    made = ocsp_ahead.sign_batch(responder(root_ca), [(version.serial, "sha1"), ("4711", "sha1")])

    assert made == 0
    assert not OCSPResponse.objects.exists()


def test_a_short_lived_certificate_is_in_no_batch(version):
    Version.objects.update(short_lived=True)
    option(version.issuer, "all")

    assert ocsp_ahead.sign_due() == 0


def test_one_issuer_without_its_key_does_not_keep_the_others(version, root_ca, monkeypatch):
    ask(version)
    option(root_ca, "all")
    real = ocsp_ahead._responder

    def broken(issuer):
        if issuer.slug == root_ca.slug:
            raise RuntimeError
        return real(issuer)

    monkeypatch.setattr(ocsp_ahead, "_responder", broken)
    with time_machine.travel(hours(5.9)):
        assert ocsp_ahead.sign_due() == 1


def test_a_batch_is_a_handful_of_queries(issue, django_assert_max_num_queries):
    versions = [issue(f"w{n}.demo.internal") for n in range(5)]
    ready = responder(versions[0].issuer)

    with django_assert_max_num_queries(8):
        assert ocsp_ahead.sign_batch(ready, [(one.serial, "sha1") for one in versions]) == 5


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_whoever_revokes_is_not_waited_for_and_nothing_is_signed_good_beside(version, bob):
    ready = responder(version.issuer)
    with transaction.atomic():
        services.revoke(version_id=version.pk, actor=bob)
        assert aside(lambda: ocsp_ahead.sign_batch(ready, [(version.serial, "sha1")])) == 0

    assert not OCSPResponse.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_revokes_waits_for_a_batch_and_takes_its_answer_away(version, bob):
    ready = responder(version.issuer)

    def batch():
        with transaction.atomic():
            return ocsp_ahead.sign_batch(ready, [(version.serial, "sha1")])

    meanwhile(batch, lambda: services.revoke(version_id=version.pk, actor=bob))

    assert not OCSPResponse.objects.exists()
    assert status(ask(version, "sha1")) == "REVOKED"

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from cryptography import x509
from cryptography.x509 import ocsp as x509_ocsp
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from certificates import crl, ocsp, services
from certificates.models import OCSPResponse, Revocation, Version
from foundation.errors import ConnectorError
from issuers.connectors.local import LocalCA
from issuers.x509.ocsp import CertID, cert_id
from owners.models import Principal
from tests.races import beside, until_blocked


def ca_of(issuer):
    return x509.load_pem_x509_certificate(issuer.certificate_pem.encode())


def question(version, algorithm="sha256", issuer=None):
    return cert_id(ca_of(issuer or version.issuer), int(version.serial, 16), algorithm)


def ask(version, algorithm="sha256"):
    return ocsp.response_for(version.issuer.slug, question(version, algorithm))


def single(row):
    return x509_ocsp.load_der_ocsp_response(bytes(row.der))


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_an_issued_certificate_is_good(version, algorithm):
    answer = single(ask(version, algorithm))

    assert answer.response_status is x509_ocsp.OCSPResponseStatus.SUCCESSFUL
    assert answer.certificate_status is x509_ocsp.OCSPCertStatus.GOOD
    assert answer.hash_algorithm.name == algorithm
    assert answer.serial_number == int(version.serial, 16)
    # RFC 9919: ResponderID by key, nextUpdate present, whole seconds, nothing echoed.
    assert answer.responder_name is None
    assert answer.responder_key_hash == question(version, "sha1").key_hash
    assert answer.next_update_utc - answer.this_update_utc == settings.OCSP_LIFETIME
    assert answer.this_update_utc.microsecond == 0
    assert answer.this_update_utc <= answer.produced_at_utc <= timezone.now() + timedelta(seconds=1)
    assert len(answer.extensions) == len(answer.single_extensions) == 0
    assert answer.certificates == [ca_of(version.issuer)]


def test_a_revoked_certificate_is_revoked_with_date_and_reason(version, bob):
    revocation = services.revoke(version_id=version.pk, actor=bob, reason="keyCompromise")

    answer = single(ask(version))

    assert answer.certificate_status is x509_ocsp.OCSPCertStatus.REVOKED
    assert answer.revocation_time_utc == revocation.revoked_at
    assert answer.revocation_reason is x509.ReasonFlags.key_compromise


def test_unspecified_is_left_out(version, bob):
    services.revoke(version_id=version.pk, actor=bob)

    assert single(ask(version)).revocation_reason is None


def test_nothing_is_said_of_what_we_did_not_issue(version):
    made_up = replace(question(version), serial=4711)

    assert ocsp.response_for("issuing", made_up) is None
    assert ocsp.response_for("nowhere", question(version)) is None
    assert not OCSPResponse.objects.exists()


def test_both_hashes_must_name_the_issuer(version, root_ca):
    right, other = question(version), question(version, issuer=root_ca)

    for name_hash, key_hash in (
        (other.name_hash, right.key_hash),
        (right.name_hash, other.key_hash),
        (other.name_hash, other.key_hash),
    ):
        asked = CertID("sha256", name_hash, key_hash, right.serial)
        assert ocsp.response_for("issuing", asked) is None
        ask(version)
        assert ocsp.response_for("issuing", asked) is None, "also once an answer is stored"
    assert ocsp.response_for("root", right) is None


def test_the_same_serial_under_two_issuers_is_two_certificates(issue, root_ca, bob, free_profile):
    mine, theirs = issue(), issue("other.demo.internal", issuer=root_ca)
    Version.objects.filter(pk=theirs.pk).update(serial=mine.serial)
    theirs.refresh_from_db()

    services.revoke(version_id=theirs.pk, actor=bob)

    assert (ask(mine).status, ask(theirs).status) == ("good", "revoked")


def test_short_lived_certificates_get_no_answer(issue, short_profile, bob):
    version = issue(profile=short_profile)
    assert version.short_lived

    assert ask(version) is None
    services.revoke(version_id=version.pk, actor=bob)
    assert ask(version) is None


def test_an_expired_certificate_keeps_its_answer(version, bob):
    services.revoke(version_id=version.pk, actor=bob)

    with time_machine.travel(version.not_after + timedelta(days=400), tick=False):
        assert ask(version).status == "revoked"


def test_a_subordinate_ca_is_answered_by_its_parent(local_ca, root_ca, owner, carol):
    ca = services.record_ca(actor=carol, issuer=local_ca, owner=owner)
    version = Version.objects.get(pk=ca.current_id)
    assert ask(version).status == "good"

    services.revoke(
        version_id=version.pk, actor=carol, reason="cessationOfOperation", confirm_name=ca.name
    )

    assert single(ask(version)).revocation_reason is x509.ReasonFlags.cessation_of_operation


# --- Stored answers -------------------------------------------------------------------------


def test_an_answer_is_signed_once(version, django_assert_num_queries):
    first = ask(version)

    asked = question(version)
    with django_assert_num_queries(1):
        again = ocsp.response_for("issuing", asked)

    assert bytes(again.der) == bytes(first.der)


def test_a_made_up_serial_takes_no_lock(version, django_assert_num_queries):
    asked = CertID("sha256", b"x" * 32, b"y" * 32, 4711)

    with django_assert_num_queries(2) as queries:
        ocsp.response_for("issuing", asked)

    assert not any("FOR" in query["sql"] or "BEGIN" in query["sql"] for query in queries)


def test_an_answer_is_renewed_before_half_of_its_life_is_over(version):
    first = ask(version)
    half = first.this_update + settings.OCSP_LIFETIME / 2
    minute = timedelta(minutes=1)

    with time_machine.travel(half - timedelta(seconds=2), tick=False):
        assert bytes(ask(version).der) == bytes(first.der)
    with time_machine.travel(half, tick=False):
        renewed = ask(version)

    assert renewed.this_update == half - minute
    assert OCSPResponse.objects.count() == 1


def test_an_answer_in_force_serves_while_signing_fails(version, monkeypatch):
    first = ask(version)

    def broken(self, **kwargs):
        raise ConnectorError("the HSM is away", permanent=False)

    monkeypatch.setattr(LocalCA, "sign_ocsp", broken)

    with time_machine.travel(first.next_update - timedelta(minutes=1), tick=False):
        assert bytes(ask(version).der) == bytes(first.der)
    with (
        time_machine.travel(first.next_update + timedelta(seconds=1), tick=False),
        pytest.raises(ConnectorError),
    ):
        ask(version)


def test_stale_answers_are_dropped(version):
    row = ask(version)

    assert ocsp.drop_stale(row.next_update - timedelta(seconds=1)) == 0
    assert ocsp.drop_stale(row.next_update) == 1


def test_a_serial_alone_is_answered(version):
    row = ocsp.response_for_serial("issuing", version.serial.upper())

    assert (row.status, row.hash_algorithm) == ("good", "sha1")
    assert bytes(ocsp.response_for_serial("issuing", "0" + version.serial).der) == bytes(row.der)
    assert ocsp.response_for_serial("issuing", "1") is None
    assert ocsp.response_for_serial("nowhere", version.serial) is None


# --- Agreement ------------------------------------------------------------------------------


def test_crl_and_ocsp_agree_on_every_certificate(issue, local_ca, bob, system):
    reasons = [None, "unspecified", "keyCompromise", "superseded", "certificateHold", None]
    versions = [issue(f"w{n}.demo.internal") for n in range(len(reasons))]
    for version, reason in zip(versions, reasons, strict=True):
        if reason:
            services.revoke(version_id=version.pk, actor=bob, reason=reason)
    signed = x509.load_der_x509_crl(bytes(crl.publish(issuer_id=local_ca.pk, actor=system).der))

    for version in versions:
        answer = single(ask(version))
        entry = signed.get_revoked_certificate_by_serial_number(int(version.serial, 16))
        if entry is None:
            assert answer.certificate_status is x509_ocsp.OCSPCertStatus.GOOD
            continue
        listed = [extension.value.reason for extension in entry.extensions]
        assert answer.certificate_status is x509_ocsp.OCSPCertStatus.REVOKED
        assert answer.revocation_time_utc == entry.revocation_date_utc
        assert [answer.revocation_reason] == (listed or [None])


# --- Races ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_good_that_waited_for_a_revocation_is_not_signed(version, bob):
    """The signer waits for the row; when it gets it, the revocation has committed."""
    asked = question(version)
    with ThreadPoolExecutor(1) as worker:
        with transaction.atomic():
            services.revoke(version_id=version.pk, actor=bob)
            signing = beside(worker, lambda: ocsp.response_for("issuing", asked))
            until_blocked(signing)
        answer = signing.result(timeout=30)

    assert answer.status == "revoked"
    assert [row.status for row in OCSPResponse.objects.all()] == ["revoked"]


@pytest.mark.django_db(transaction=True)
def test_a_revocation_waits_for_a_signer_and_drops_what_it_stored(version, bob, monkeypatch):
    asked = question(version)
    signing, others = threading.Event(), queue.Queue()
    connector = LocalCA
    really = connector.sign_ocsp

    def slowly(self, **kwargs):
        signing.set()
        until_blocked(others.get(timeout=20))
        return really(self, **kwargs)

    monkeypatch.setattr(connector, "sign_ocsp", slowly)

    def revoke():
        services.revoke(version_id=version.pk, actor=Principal.objects.get(pk=bob.pk))

    with ThreadPoolExecutor(2) as workers:
        answer = beside(workers, lambda: ocsp.response_for("issuing", asked))
        assert signing.wait(20)
        revoking = beside(workers, revoke)
        others.put(revoking)
        assert answer.result(timeout=30).status == "good"
        revoking.result(timeout=30)

    assert not OCSPResponse.objects.exists()
    assert Revocation.objects.filter(version=version).exists()


@pytest.mark.django_db(transaction=True)
def test_two_first_questions_are_signed_once(version):
    asked = question(version)

    with ThreadPoolExecutor(4) as workers:
        answers = [
            future.result(timeout=30)
            for future in [
                beside(workers, lambda: ocsp.response_for("issuing", asked)) for _ in range(8)
            ]
        ]

    assert len({bytes(answer.der) for answer in answers}) == 1


def test_a_client_whose_clock_is_behind_reads_a_new_answer(version):
    """RFC 6960 §2.4: thisUpdate <= producedAt <= now, and thisUpdate is a minute back."""
    with time_machine.travel(timezone.now(), tick=False):
        answer = single(ask(version))
        now = timezone.now().replace(microsecond=0)

    assert answer.this_update_utc == now - timedelta(minutes=1)
    assert answer.produced_at_utc == now


def test_parameters_that_a_question_leaves_out_are_left_out_of_its_answer(version):
    """Clients compare the CertID byte by byte: each form has an answer of its own."""
    usual = question(version, "sha256")
    bare = replace(usual, has_null=False)

    for _ in range(2):  # signed, then stored
        for asked, other in ((usual, bare), (bare, usual)):
            der = bytes(ocsp.response_for(version.issuer.slug, asked).der)
            assert asked.encode() in der
            assert other.encode() not in der
    assert OCSPResponse.objects.count() == 2


# --- What is not served from what is stored -------------------------------------------------


def test_an_answer_of_the_future_is_not_fresh(version):
    row = ask(version)

    assert ocsp.is_fresh(row, row.this_update)
    assert not ocsp.is_fresh(row, row.this_update - timedelta(seconds=1))


@pytest.mark.parametrize("after", [timedelta(0), timedelta(seconds=1), timedelta(hours=1)])
def test_no_answer_begins_after_it_is_signed_whatever_was_answered_before(version, after):
    # As after sixty changes within a minute, each answer a second later than the one before.
    with time_machine.travel(timezone.now().replace(microsecond=0), tick=False):
        Version.objects.filter(pk=version.pk).update(answers_after=timezone.now() + after)

        answer = single(ask(version))

        assert answer.this_update_utc == timezone.now() - ocsp.BACKDATE
        assert answer.produced_at_utc == timezone.now()


def test_an_answer_may_begin_in_the_second_in_which_it_is_signed(version):
    with time_machine.travel(timezone.now().replace(microsecond=0), tick=False):
        before = timezone.now() - timedelta(seconds=1)
        Version.objects.filter(pk=version.pk).update(answers_after=before)

        assert single(ask(version)).this_update_utc == timezone.now()


def test_an_answer_that_a_revocation_dropped_is_not_served_while_signing_fails(
    version, bob, monkeypatch
):
    first = ask(version)

    def broken(self, **kwargs):
        services.revoke(version_id=version.pk, actor=bob)
        raise ConnectorError("the HSM is away", permanent=False)

    # Outside of the transaction that failed, as another worker's revocation would be.
    monkeypatch.setattr(ocsp, "_sign", lambda slug, asked: broken(None))

    with (
        time_machine.travel(first.next_update - timedelta(minutes=1), tick=False),
        pytest.raises(ConnectorError),
    ):
        ask(version)


@pytest.mark.django_db(transaction=True)
def test_the_sweep_of_ended_answers_waits_for_nobody(version):
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite writers follow one another")
    row = ocsp.response_for_serial(version.issuer.slug, version.serial)
    dropped = []

    def drop():
        dropped.append(ocsp.drop_stale(row.next_update))
        connection.close()

    with transaction.atomic():
        OCSPResponse.objects.select_for_update().get(pk=row.pk)
        thread = threading.Thread(target=drop)
        thread.start()
        thread.join(10)
        assert dropped == [0]
    assert ocsp.drop_stale(row.next_update) == 1

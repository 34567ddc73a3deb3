import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from cryptography import x509
from django.conf import settings
from django.db import IntegrityError, close_old_connections, connection, transaction
from django.utils import timezone

from audit.models import Event
from certificates import crl, services, tasks
from certificates.models import CRL, Revocation, Version
from foundation.sealed import Sealed
from issuers.models import Issuer
from owners.models import Principal
from tests.factories import CertificateFactory, VersionFactory
from tests.races import meanwhile


def load(row):
    return x509.load_der_x509_crl(bytes(row.der))


def ca_of(issuer):
    return x509.load_pem_x509_certificate(issuer.certificate_pem.encode())


def test_an_empty_crl_is_as_rfc_5280_wants_it(local_ca, system):
    row = crl.publish(issuer_id=local_ca.pk, actor=system)

    signed, ca = load(row), ca_of(local_ca)
    assert signed.is_signature_valid(ca.public_key())
    assert signed.issuer == ca.subject
    assert len(list(signed)) == 0
    number = signed.extensions.get_extension_for_class(x509.CRLNumber)
    authority = signed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    key_id = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert (number.value.crl_number, number.critical) == (1, False)
    assert (authority.value.key_identifier, authority.critical) == (key_id, False)
    assert len(signed.extensions) == 2  # no issuing distribution point on a full CRL
    assert signed.next_update_utc - signed.last_update_utc == settings.CRL_LIFETIME
    assert signed.last_update_utc.microsecond == 0
    event = Event.objects.get(action="crl.publish")
    assert (event.data["number"], event.data["sha256"]) == (1, row.etag)


def test_entries_carry_serial_date_and_reason_unless_unspecified(local_ca, revoked, system):
    plain, bad = revoked(), revoked(reason="keyCompromise")

    signed = load(crl.publish(issuer_id=local_ca.pk, actor=system))

    entry = signed.get_revoked_certificate_by_serial_number(int(bad.serial, 16))
    reason = entry.extensions.get_extension_for_class(x509.CRLReason)
    assert (reason.value.reason, reason.critical) == (x509.ReasonFlags.key_compromise, False)
    assert entry.revocation_date_utc == Revocation.objects.get(version=bad).revoked_at
    other = signed.get_revoked_certificate_by_serial_number(int(plain.serial, 16))
    assert len(other.extensions) == 0


def test_only_this_issuers_certificates_are_on_it(local_ca, root_ca, revoked, system):
    revoked(issuer=root_ca)
    mine = revoked()

    signed = load(crl.publish(issuer_id=local_ca.pk, actor=system))

    assert [entry.serial_number for entry in signed] == [int(mine.serial, 16)]


def test_short_lived_certificates_are_on_no_crl(local_ca, revoked, system):
    revoked(short_lived=True)

    assert crl.publish(issuer_id=local_ca.pk, actor=system).entries == 0
    assert crl.publish_if_due(local_ca.pk, actor=system) is None


def test_numbers_rise_by_one(local_ca, system):
    assert [crl.publish(issuer_id=local_ca.pk, actor=system).number for _ in range(3)] == [1, 2, 3]


def test_a_restored_issuer_never_repeats_a_number(local_ca, system):
    crl.publish(issuer_id=local_ca.pk, actor=system)
    Issuer.objects.filter(pk=local_ca.pk).update(crl_number=0)
    assert crl.publish(issuer_id=local_ca.pk, actor=system).number == 2

    CRL.objects.all().delete()
    assert crl.publish(issuer_id=local_ca.pk, actor=system).number == 3


def test_an_entry_stays_until_it_was_on_a_crl_after_its_expiry(local_ca, revoked, system):
    version = revoked(days=2)
    crl.publish(issuer_id=local_ca.pk, actor=system)
    serial = int(version.serial, 16)

    with time_machine.travel(version.not_after + timedelta(hours=1), tick=False):
        after = load(crl.publish(issuer_id=local_ca.pk, actor=system))
        later = load(crl.publish(issuer_id=local_ca.pk, actor=system))

    assert after.get_revoked_certificate_by_serial_number(serial) is not None
    assert later.get_revoked_certificate_by_serial_number(serial) is None
    assert Revocation.objects.get().final_crl == 2


def test_a_certificate_that_expires_before_the_next_crl_still_appears_once(
    local_ca, revoked, system
):
    crl.publish(issuer_id=local_ca.pk, actor=system)
    version = revoked(days=1)

    with time_machine.travel(version.not_after + timedelta(hours=1), tick=False):
        once = crl.publish(issuer_id=local_ca.pk, actor=system)
        again = crl.publish(issuer_id=local_ca.pk, actor=system)

    assert (once.entries, again.entries) == (1, 0)


def test_one_that_is_not_valid_yet_appears(local_ca, revoked, system):
    revoked(not_before=timezone.now() + timedelta(days=1))

    assert crl.publish(issuer_id=local_ca.pk, actor=system).entries == 1


def test_a_disabled_issuer_still_publishes(local_ca, system):
    Issuer.objects.filter(pk=local_ca.pk).update(enabled=False)

    assert [row.issuer.slug for row in crl.refresh_due(timezone.now())] == ["issuing", "root"]


# --- When one is due ------------------------------------------------------------------------


def test_the_sweep_publishes_the_first_crl_and_then_nothing(local_ca, db):
    assert tasks.refresh_crls() == 2  # the root has one too
    assert tasks.refresh_crls() == 0


def test_the_sweep_publishes_when_the_newest_is_old(local_ca, db):
    tasks.refresh_crls()

    with time_machine.travel(timezone.now() + settings.CRL_REFRESH, tick=False):
        assert tasks.refresh_crls() == 2


def test_the_sweep_finds_a_revocation_whose_hint_was_lost(local_ca, revoked):
    tasks.refresh_crls()
    revoked()

    assert tasks.refresh_crls() == 1
    assert tasks.refresh_crls() == 0


def test_the_sweep_finds_a_revocation_that_is_dated_before_the_crl(local_ca, revoked, system):
    version = revoked()
    Revocation.objects.update(recorded_at=timezone.now() - timedelta(hours=1))
    hidden = Revocation.objects.get()
    hidden.delete()
    crl.publish(issuer_id=local_ca.pk, actor=system)
    hidden.version = version
    hidden.save(force_insert=True)

    assert [row.issuer_id for row in crl.refresh_due(timezone.now())].count(local_ca.pk) == 1


def test_the_sweep_finds_a_corrected_reason_and_a_released_hold(local_ca, revoked, bob):
    held, corrected = revoked(reason="certificateHold"), revoked(reason="superseded")
    tasks.refresh_crls()

    services.revoke(version_id=corrected.pk, actor=bob, reason="keyCompromise")
    assert tasks.refresh_crls() == 1
    services.release_hold(version_id=held.pk, actor=bob)
    assert tasks.refresh_crls() == 1

    assert crl.current("issuing").entries == 1
    assert tasks.refresh_crls() == 0


def test_many_hints_make_one_crl(local_ca, revoked):
    revoked()

    numbers = [tasks.publish_crl(str(local_ca.pk)) for _ in range(5)]

    assert numbers == [1, 0, 0, 0, 0]


def test_an_issuer_that_cannot_sign_stops_no_other(local_ca, root_ca):
    Issuer.objects.filter(pk=local_ca.pk).update(secrets=Sealed(b"nonsense"))

    published = crl.refresh_due(timezone.now())

    assert [row.issuer_id for row in published] == [root_ca.pk]


def test_only_the_newest_are_kept(local_ca, system):
    for _ in range(crl.KEEP + 3):
        crl.publish(issuer_id=local_ca.pk, actor=system)

    assert crl.prune(local_ca) == 3
    assert CRL.objects.filter(issuer=local_ca).count() == crl.KEEP
    assert crl.current("issuing").number == crl.KEEP + 3
    assert crl.prune(local_ca) == 0


# --- Races ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_parallel_publishers_never_share_a_number(local_ca, system):
    def publish(_):
        close_old_connections()
        try:
            return crl.publish(issuer_id=local_ca.pk, actor=system).number
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        numbers = list(workers.map(publish, range(12)))

    assert sorted(numbers) == list(range(1, 13))
    assert Issuer.objects.get(pk=local_ca.pk).crl_number == 12


@pytest.mark.django_db(transaction=True)
def test_a_revocation_that_commits_while_a_crl_is_signed_is_on_the_next(
    local_ca, profile, bob, system, monkeypatch
):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite lets nobody commit while a CRL is being signed")
    version = VersionFactory(certificate=CertificateFactory(issuer=local_ca, profile=profile))
    really = type(crl.revocation_signer(local_ca)).sign_crl

    def revoke():
        try:
            services.revoke(version_id=version.pk, actor=Principal.objects.get(pk=bob.pk))
        finally:
            connection.close()

    def slowly(self, **arguments):
        monkeypatch.undo()
        with ThreadPoolExecutor(1) as other:
            other.submit(revoke).result(timeout=20)
        return really(self, **arguments)

    monkeypatch.setattr(type(crl.revocation_signer(local_ca)), "sign_crl", slowly)
    assert crl.publish(issuer_id=local_ca.pk, actor=system).entries == 0

    assert crl.publish_if_due(local_ca.pk, actor=system).entries == 1


@pytest.mark.django_db(transaction=True)
def test_a_hint_waits_for_the_publisher_and_then_finds_nothing_left_to_do(local_ca, system):
    hinted = meanwhile(
        lambda: crl.publish(issuer_id=local_ca.pk, actor=system),
        lambda: crl.publish_if_due(local_ca.pk, actor=Principal.objects.system()),
    )

    assert hinted is None
    assert CRL.objects.get().number == 1


# --- openssl --------------------------------------------------------------------------------


def test_openssl_agrees(issue, local_ca, root_ca, bob, system, tmp_path, openssl):
    good, bad = issue("good.demo.internal"), issue("bad.demo.internal")
    services.revoke(version_id=bad.pk, actor=bob, reason="keyCompromise")
    for issuer in (local_ca, root_ca):
        row = crl.publish(issuer_id=issuer.pk, actor=system)
        (tmp_path / f"{issuer.slug}.der").write_bytes(bytes(row.der))
        (tmp_path / f"{issuer.slug}.pem").write_text(issuer.certificate_pem)
    for name, version in (("good", good), ("bad", bad)):
        (tmp_path / f"{name}.pem").write_text(version.pem)

    def judge(*arguments):
        return subprocess.run(
            [openssl, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    checked = judge(
        "crl", "-inform", "DER", "-in", "issuing.der", "-CAfile", "issuing.pem", "-noout"
    )
    assert "verify OK" in checked.stderr
    crls = ""
    for slug in ("issuing", "root"):
        crls += judge("crl", "-inform", "DER", "-in", f"{slug}.der").stdout
    (tmp_path / "crls.pem").write_text(crls)
    verify = ("verify", "-crl_check_all", "-CAfile", "root.pem", "-untrusted", "issuing.pem")
    accepted = judge(*verify, "-CRLfile", "crls.pem", "good.pem")
    refused = judge(*verify, "-CRLfile", "crls.pem", "bad.pem")

    assert (accepted.returncode, accepted.stdout.strip()) == (0, "good.pem: OK")
    assert refused.returncode != 0
    assert "certificate revoked" in refused.stderr


def test_a_subordinate_ca_is_revoked_by_its_parents_crl(local_ca, root_ca, owner, carol, system):
    ca = services.record_ca(actor=carol, issuer=local_ca, owner=owner)
    assert services.record_ca(actor=carol, issuer=local_ca, owner=owner) == ca
    assert services.record_ca(actor=carol, issuer=root_ca, owner=owner) is None

    services.revoke(
        version_id=ca.current_id, actor=carol, reason="cACompromise", confirm_name=ca.name
    )

    serial = Version.objects.get(pk=ca.current_id).serial
    signed = load(crl.publish(issuer_id=root_ca.pk, actor=system))
    assert signed.get_revoked_certificate_by_serial_number(int(serial, 16)) is not None


def test_publishing_that_fails_gives_no_number_away(local_ca, system, monkeypatch):
    def broken(**kwargs):
        raise RuntimeError

    crl.publish(issuer_id=local_ca.pk, actor=system)
    with monkeypatch.context() as patch:
        patch.setattr("certificates.crl.record", broken)
        with pytest.raises(RuntimeError), transaction.atomic():
            crl.publish(issuer_id=local_ca.pk, actor=system)

    assert crl.publish(issuer_id=local_ca.pk, actor=system).number == 2


def test_a_client_whose_clock_is_behind_reads_a_new_crl(local_ca, system):
    """Dated back by the minute that certificates are dated back by."""
    with time_machine.travel(timezone.now(), tick=False):
        row = crl.publish(issuer_id=local_ca.pk, actor=system)
        now = timezone.now().replace(microsecond=0)

    assert row.this_update == now - timedelta(minutes=1)
    assert row.next_update - row.this_update == settings.CRL_LIFETIME
    assert load(row).last_update_utc == row.this_update


def test_a_crl_of_a_clock_that_was_ahead_is_replaced_at_once(local_ca, system):
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        ahead = crl.publish(issuer_id=local_ca.pk, actor=system)

    [row] = [row for row in crl.refresh_due(timezone.now()) if row.issuer == local_ca]

    assert row.number == ahead.number + 1
    assert row.this_update < timezone.now()
    assert crl.publish_if_due(local_ca.pk, actor=system) is None


def test_the_size_of_an_entry_is_exact(local_ca, revoked, system):
    version = revoked(reason="superseded")
    plain = revoked()
    before = len(crl.publish(issuer_id=local_ca.pk, actor=system).der)
    Revocation.objects.filter(version=plain).delete()

    after = len(crl.publish(issuer_id=local_ca.pk, actor=system).der)

    signature = 8  # an ECDSA signature is a few octets shorter or longer
    assert abs(before - after - crl.entry_size(plain.serial, has_reason=False)) <= signature
    entry = crl.entry_size(version.serial, has_reason=True)
    assert entry == crl.entry_size(version.serial, has_reason=False) + 14


# --- Bounds ---------------------------------------------------------------------------------


def test_the_database_refuses_a_number_twice(local_ca, system):
    first, second = (crl.publish(issuer_id=local_ca.pk, actor=system) for _ in range(2))

    with pytest.raises(IntegrityError), transaction.atomic():
        CRL.objects.filter(pk=second.pk).update(number=first.number)


def test_twenty_crls_are_kept(local_ca, system):
    for _ in range(21):
        crl.publish(issuer_id=local_ca.pk, actor=system)

    assert crl.prune(local_ca) == 1
    assert CRL.objects.filter(issuer=local_ca).count() == 20

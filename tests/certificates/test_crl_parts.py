"""CRLs in shards, and their deltas: what certificates name is what the CRLs say they are."""

import subprocess
from datetime import timedelta

import pytest
import time_machine
from cryptography import x509
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.models import Event
from certificates import crl, services
from certificates.models import CRL, CRLPart, Removal, Revocation
from foundation.errors import Invalid
from issuers.models import Issuer, ShardAddress
from issuers.services import shards, update_issuer
from tests.certificates.test_crl import load

BASE = "/.well-known/pki/crl/issuing"


@pytest.fixture
def options(local_ca, carol):
    """Have carol, an administrator, change how the CRLs of the issuer are made."""

    def change(**changes):
        update_issuer(actor=carol, issuer_id=local_ca.pk, changes=changes)
        local_ca.refresh_from_db()

    return change


def serials(row):
    return {f"{entry.serial_number:x}" for entry in load(row)}


def cdp(version):
    extension = x509.load_pem_x509_certificate(version.pem.encode()).extensions
    points = extension.get_extension_for_class(x509.CRLDistributionPoints).value
    return points[0].full_name[0].value


def extension(row, kind):
    return load(row).extensions.get_extension_for_class(kind)


# --- In the admin ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "scopes"),
    [({"crl_shards": 2}, {"0", "1"}), ({"crl_deltas": True}, {CRLPart.DELTA})],
)
def test_victor_sees_the_parts_of_a_crl_on_its_page_and_nobody_changes_them(
    browse, victor, carol, options, local_ca, system, changes, scopes
):
    options(**changes)
    crl.publish(issuer_id=local_ca.pk, actor=system)
    row = crl.publish(issuer_id=local_ca.pk, actor=system)
    page = f"/admin/certificates/crl/{row.pk}/change/"

    html = browse(victor).get(page).text

    parts = list(row.parts.all())
    assert {part.scope for part in parts} == scopes
    assert all(part.etag in html for part in parts)
    assert browse(carol).post(page, {"parts-TOTAL_FORMS": "0"}).status_code == 403
    assert row.parts.count() == len(scopes)


# --- Shards ---------------------------------------------------------------------------------


def test_a_certificate_names_the_shard_that_lists_it(client, options, issue, local_ca, bob, system):
    options(crl_shards=3)
    version = issue()
    services.revoke(version_id=version.pk, actor=bob)

    row = crl.publish(issuer_id=local_ca.pk, actor=system)

    version.refresh_from_db()
    assert cdp(version) == f"{settings.PKI_BASE_URL}{BASE}/{version.shard}"
    by_scope = {part.scope: part for part in row.parts.all()}
    assert set(by_scope) == {"0", "1", "2"}
    for scope, part in by_scope.items():
        wanted = {version.serial} if scope == str(version.shard) else set()
        assert serials(part) == wanted
        point = extension(part, x509.IssuingDistributionPoint)
        assert point.critical
        names = [f"{settings.PKI_BASE_URL}{BASE}/{scope}"]
        assert [name.value for name in point.value.full_name] == names
        assert not point.value.indirect_crl
        number = extension(part, x509.CRLNumber).value.crl_number
        assert number == extension(row, x509.CRLNumber).value.crl_number == row.number
        served = client.get(f"{BASE}/{scope}")
        assert (served.status_code, served.content) == (200, bytes(part.der))
    assert serials(row) == {version.serial}
    with pytest.raises(x509.ExtensionNotFound):
        extension(row, x509.IssuingDistributionPoint)
    parts = Event.objects.get(action="crl.publish").data["parts"]
    assert parts == {scope: part.etag for scope, part in by_scope.items()}


def test_the_point_is_der_as_the_library_writes_it(options, local_ca, system):
    options(crl_shards=2)
    row = crl.publish(issuer_id=local_ca.pk, actor=system)

    for part in row.parts.all():
        point = extension(part, x509.IssuingDistributionPoint).value
        assert point.public_bytes() in bytes(part.der)
        assert part.size == len(part.der)
        ca = x509.load_pem_x509_certificate(local_ca.certificate_pem.encode())
        assert load(part).is_signature_valid(ca.public_key())


def test_a_shard_keeps_every_address_that_was_signed_for_it(
    options, issue, local_ca, bob, system, settings
):
    options(crl_shards=2)
    before = issue("before.demo.internal")
    settings.PKI_BASE_URL = "http://pki.example.com"
    after = issue("after.demo.internal")
    options(crl_shards=1)
    plain = issue("plain.demo.internal")
    for version in (before, after, plain):
        services.revoke(version_id=version.pk, actor=bob)

    row = crl.publish(issuer_id=local_ca.pk, actor=system)

    assert (plain.shard, cdp(plain)) == (None, f"http://pki.example.com{BASE}")
    for version in (before, after):
        part = row.parts.get(scope=str(version.shard))
        names = extension(part, x509.IssuingDistributionPoint).value.full_name
        assert cdp(version) in [name.value for name in names]
        assert len(names) == 2
        assert version.serial in serials(part)
    assert serials(row) == {before.serial, after.serial, plain.serial}
    assert ShardAddress.objects.count() == 4


def test_shards_are_published_once_they_are_named(options, local_ca, system):
    crl.publish(issuer_id=local_ca.pk, actor=system)
    options(crl_shards=2)

    assert crl.publish_if_due(local_ca.pk, actor=system).parts.count() == 2
    assert crl.publish_if_due(local_ca.pk, actor=system) is None


def test_shards_are_drawn_by_lot_and_none_is_left_out(options, local_ca):
    options(crl_shards=4)

    assert {shards.draw(local_ca) for _ in range(200)} == {0, 1, 2, 3}


def test_a_short_lived_certificate_names_no_shard(options, issue):
    options(crl_shards=2)

    version = issue(lifetime=timedelta(minutes=30))

    assert (version.short_lived, version.shard) == (True, None)


def test_an_unknown_shard_is_not_found_and_one_to_come_is_unavailable(client, options, local_ca):
    options(crl_shards=2)

    assert [client.get(f"{BASE}/{name}").status_code for name in ("0", "1", "2", "00", "x")] == [
        503, 503, 404, 404, 404,
    ]  # fmt: skip
    assert client.get(f"{BASE}/delta").status_code == 404
    assert client.post(f"{BASE}/0").status_code == 405


def test_the_database_refuses_a_part_twice(options, local_ca, system):
    options(crl_shards=2)
    row = crl.publish(issuer_id=local_ca.pk, actor=system)

    with pytest.raises(IntegrityError), transaction.atomic():
        row.parts.update(scope="0")


# --- Deltas ---------------------------------------------------------------------------------


def test_a_delta_tells_what_changed_since_its_base(client, options, revoked, local_ca, bob, system):
    options(crl_deltas=True)
    held, stays = revoked(reason="certificateHold"), revoked()
    first = crl.publish(issuer_id=local_ca.pk, actor=system)
    assert not first.parts.exists()
    new = revoked(reason="superseded")
    services.release_hold(version_id=held.pk, actor=bob)

    row = crl.publish(issuer_id=local_ca.pk, actor=system)

    delta = row.parts.get()
    assert (delta.scope, delta.base_number) == (CRLPart.DELTA, first.number)
    indicator = extension(delta, x509.DeltaCRLIndicator)
    assert (indicator.critical, indicator.value.crl_number) == (True, first.number)
    assert extension(delta, x509.CRLNumber).value.crl_number == row.number
    assert serials(delta) == {held.serial, new.serial}
    entry = load(delta).get_revoked_certificate_by_serial_number(int(held.serial, 16))
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason is x509.ReasonFlags.remove_from_crl
    assert serials(row) == {stays.serial, new.serial}
    assert b"\x0a\x01\x08" not in bytes(row.der)  # only a delta says so
    [freshest] = extension(row, x509.FreshestCRL).value
    assert freshest.full_name[0].value == f"{settings.PKI_BASE_URL}{BASE}/delta"
    assert not extension(row, x509.FreshestCRL).critical
    for absent in (x509.FreshestCRL, x509.IssuingDistributionPoint):
        with pytest.raises(x509.ExtensionNotFound):
            extension(delta, absent)
    assert client.get(f"{BASE}/delta").content == bytes(delta.der)


def test_what_changed_stays_on_every_delta_until_the_base_has_it(
    options, revoked, local_ca, bob, system
):
    options(crl_deltas=True)
    held = revoked(reason="certificateHold")
    base = crl.publish(issuer_id=local_ca.pk, actor=system)
    services.release_hold(version_id=held.pk, actor=bob)
    bad = revoked()
    for _ in range(3):
        delta = crl.publish(issuer_id=local_ca.pk, actor=system).parts.get()
        assert delta.base_number == base.number
        assert serials(delta) == {held.serial, bad.serial}

    with time_machine.travel(timezone.now() + 2 * settings.CRL_REFRESH, tick=False):
        later = crl.publish(issuer_id=local_ca.pk, actor=system).parts.get()
    assert later.base_number == 4
    assert serials(later) == set()


def test_a_hold_that_is_placed_again_is_no_removal(options, revoked, local_ca, bob, system):
    options(crl_deltas=True)
    held = revoked(reason="certificateHold")
    crl.publish(issuer_id=local_ca.pk, actor=system)
    services.release_hold(version_id=held.pk, actor=bob)
    services.revoke(version_id=held.pk, actor=bob, reason="certificateHold")

    delta = crl.publish(issuer_id=local_ca.pk, actor=system).parts.get()

    [entry] = list(load(delta))
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason is x509.ReasonFlags.certificate_hold


def test_a_removal_is_forgotten_with_the_crls_that_had_it(options, revoked, local_ca, bob, system):
    options(crl_deltas=True)
    held = revoked(reason="certificateHold")
    crl.publish(issuer_id=local_ca.pk, actor=system)
    services.release_hold(version_id=held.pk, actor=bob)
    for _ in range(crl.KEEP + 2):
        crl.publish(issuer_id=local_ca.pk, actor=system)
    assert Removal.objects.get().left_out_of == 2

    crl.prune(local_ca)

    assert not Removal.objects.exists()
    assert CRLPart.objects.count() == CRL.objects.filter(issuer=local_ca).count()


def test_openssl_uses_a_delta(options, issue, local_ca, bob, system, tmp_path, openssl):
    options(crl_deltas=True)
    held, bad = issue("held.demo.internal"), issue("bad.demo.internal")
    services.revoke(version_id=held.pk, actor=bob, reason="certificateHold")
    crl.publish(issuer_id=local_ca.pk, actor=system)
    base = crl.publish(issuer_id=local_ca.pk, actor=system)
    with time_machine.travel(timezone.now() + 2 * settings.CRL_REFRESH - timedelta(hours=1)):
        crl.publish(issuer_id=local_ca.pk, actor=system)
    services.release_hold(version_id=held.pk, actor=bob)
    services.revoke(version_id=bad.pk, actor=bob)
    delta = crl.publish(issuer_id=local_ca.pk, actor=system).parts.get()
    for name, der in (("base", base.der), ("delta", delta.der)):
        (tmp_path / f"{name}.der").write_bytes(bytes(der))
    for name, version in (("held", held), ("bad", bad)):
        (tmp_path / f"{name}.pem").write_text(version.pem)
    (tmp_path / "ca.pem").write_text(local_ca.certificate_pem)

    def run(*arguments):
        return subprocess.run(
            [openssl, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    for name in ("base", "delta"):
        pem = run("crl", "-inform", "DER", "-in", f"{name}.der").stdout
        (tmp_path / f"{name}.pem").write_text(pem)
    (tmp_path / "both.pem").write_text(
        (tmp_path / "base.pem").read_text() + (tmp_path / "delta.pem").read_text()
    )
    verify = ("verify", "-partial_chain", "-crl_check", "-CAfile", "ca.pem")
    without = {name: run(*verify, "-CRLfile", "base.pem", f"{name}.pem").returncode == 0
               for name in ("held", "bad")}  # fmt: skip
    deltas = (*verify, "-extended_crl", "-use_deltas", "-CRLfile", "both.pem")
    with_it = {name: run(*deltas, f"{name}.pem") for name in ("held", "bad")}

    assert without == {"held": False, "bad": True}
    assert with_it["held"].returncode == 0, with_it["held"].stderr
    assert "certificate revoked" in with_it["bad"].stderr


# --- Who may choose, and what ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"crl_shards": 0}, "crl_shards"),
        ({"crl_shards": 129}, "crl_shards"),
        ({"crl_shards": 2, "crl_deltas": True}, "crl_deltas"),
    ],
)
def test_what_cannot_be_is_refused_in_words(options, local_ca, changes, field):
    with pytest.raises(Invalid) as caught:
        options(**changes)

    assert [error["field"] for error in caught.value.errors] == [field]
    local_ca.refresh_from_db()
    assert (local_ca.crl_shards, local_ca.crl_deltas) == (1, False)
    assert not ShardAddress.objects.exists()


def test_the_change_is_in_the_trail(options, local_ca, carol):
    options(crl_shards=4)

    event = Event.objects.get(action="issuer.update")
    assert event.actor == carol
    assert event.data["changes"] == {"crl_shards": {"before": 1, "after": 4}}


def test_only_an_administrator_chooses_over_rest(client_of, carol, bob, local_ca):
    url = f"/api/v1/issuers/{local_ca.pk}/"

    assert client_of(bob).patch(url, {"crl_deltas": True}).status_code == 403
    response = client_of(carol).patch(url, {"crl_shards": 8})

    assert (response.status_code, response.json()["crl_shards"]) == (200, 8)
    assert Issuer.objects.get(pk=local_ca.pk).crl_deltas is False


@pytest.mark.parametrize("how", ["died", "corrected"])
def test_a_hold_that_a_crl_lists_unmarked_is_removed_by_the_delta(
    options, revoked, local_ca, bob, system, monkeypatch, how
):
    options(crl_deltas=True)
    held = revoked(reason="certificateHold")
    with monkeypatch.context() as patch:
        if how == "died":
            patch.setattr("certificates.listing.Listing.mark", lambda *_: None)
        base = crl.publish(issuer_id=local_ca.pk, actor=system)
    assert serials(base) == {held.serial}
    if how == "corrected":
        Revocation.objects.filter(version=held).update(listed_in=None)  # as a correction does
    services.release_hold(version_id=held.pk, actor=bob)

    delta = crl.publish(issuer_id=local_ca.pk, actor=system).parts.get()

    [entry] = list(load(delta))
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert (f"{entry.serial_number:x}", reason) == (
        held.serial,
        x509.ReasonFlags.remove_from_crl,
    )

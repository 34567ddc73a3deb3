"""Builds that are slow, overtaken or cut short: nobody waits for them, and no CRL goes back."""

from datetime import timedelta

import pytest
from cryptography import x509
from django.db import connection
from django.utils import timezone

from audit.services import record
from certificates import bodies, crl, listing, services
from certificates.models import CRL, Body, Revocation
from issuers.services import update_issuer
from issuers.x509 import der
from owners.models import Principal
from tests.certificates.test_crl import load
from tests.certificates.test_ocsp import ask
from tests.factories import CertificateFactory, VersionFactory
from tests.races import aside


def serials(row):
    return {f"{entry.serial_number:x}" for entry in load(row)}


@pytest.fixture
def fresh(local_ca, profile):
    """A version that nobody has revoked."""
    return VersionFactory(
        certificate=CertificateFactory(issuer=local_ca, profile=profile),
        not_after=timezone.now() + timedelta(days=40),
    )


@pytest.fixture
def midway(monkeypatch):
    """Have something done, by somebody else, between a build's reading and its signing."""

    def arrange(call):
        really = bodies.begin

        def begin(pieces):
            monkeypatch.setattr("certificates.bodies.begin", really)
            call()
            return really(pieces)

        monkeypatch.setattr("certificates.bodies.begin", begin)

    return arrange


def test_the_entry_is_made_when_it_is_revoked_and_again_when_it_is_corrected(revoked, bob):
    version = revoked(reason="superseded")
    first = bytes(Revocation.objects.get().entry)

    services.revoke(version_id=version.pk, actor=bob, reason="keyCompromise")

    second = Revocation.objects.get()
    assert second.reason == "keyCompromise"
    assert bytes(second.entry) != first
    for reason, entry in ((x509.ReasonFlags.superseded, first),
                          (x509.ReasonFlags.key_compromise, bytes(second.entry))):  # fmt: skip
        wanted = crl.x509_crl.Entry(int(version.serial, 16), second.revoked_at, reason)
        assert crl.x509_crl.encode(wanted) == entry


def test_a_row_that_is_not_saved_yet_has_its_entry(fresh, bob):
    now = timezone.now()

    row = services.revocation.unsaved(
        version=fresh, reason="superseded", at=now, now=now, actor=bob, note=""
    )

    assert row.entry
    assert (row.issuer_id, row.serial) == (fresh.issuer_id, fresh.serial)


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_build(local_ca, root_ca, fresh, revoked, issue, bob, system, midway):
    """Midway in a build others revoke, sign answers, write to the trail and publish."""
    revoked()
    asked = issue("asked.demo.internal")
    done = []

    def others():
        someone = Principal.objects.get(pk=bob.pk)
        services.revoke(version_id=fresh.pk, actor=someone)
        done.append("revoked")
        assert ask(asked) is not None
        done.append("answered")
        record(actor=someone, action="issuer.test", subject=local_ca)
        done.append("recorded")
        crl.publish(issuer_id=root_ca.pk, actor=Principal.objects.system())
        done.append("published")

    midway(lambda: aside(others))
    first = crl.publish(issuer_id=local_ca.pk, actor=system)

    assert done == ["revoked", "answered", "recorded", "published"]
    assert fresh.serial not in serials(first)
    second = crl.publish_if_due(local_ca.pk, actor=system)
    assert fresh.serial in serials(second)
    assert crl.publish_if_due(local_ca.pk, actor=system) is None


@pytest.mark.django_db(transaction=True)
def test_what_was_read_before_a_newer_crl_is_never_published(
    local_ca, fresh, revoked, bob, system, midway
):
    """Bob revokes and another worker publishes while a build is under way: that one starts anew."""
    revoked()

    def overtake():
        services.revoke(version_id=fresh.pk, actor=Principal.objects.get(pk=bob.pk))
        crl.publish(issuer_id=local_ca.pk, actor=Principal.objects.system())

    midway(lambda: aside(overtake))
    crl.publish(issuer_id=local_ca.pk, actor=system)

    rows = list(CRL.objects.filter(issuer=local_ca).order_by("number"))
    assert [row.number for row in rows] == [1, 2]
    assert [row.entries for row in rows] == [2, 2]
    assert rows[0].this_update < rows[1].this_update
    assert not Body.objects.exclude(pk__in=[row.body_id for row in rows]).exists()


@pytest.mark.django_db(transaction=True)
def test_a_hint_that_was_overtaken_finds_nothing_left_to_do(local_ca, revoked, system, midway):
    revoked()

    midway(lambda: aside(lambda: crl.publish(issuer_id=local_ca.pk, actor=system)))

    assert crl.publish_if_due(local_ca.pk, actor=system) is None
    assert CRL.objects.get(issuer=local_ca).number == 1


@pytest.mark.django_db(transaction=True)
def test_a_reason_corrected_midway_is_on_the_next_one(local_ca, revoked, bob, system, midway):
    version = revoked(reason="superseded")

    def correct():
        services.revoke(
            version_id=version.pk, actor=Principal.objects.get(pk=bob.pk), reason="keyCompromise"
        )

    midway(lambda: aside(correct))
    crl.publish(issuer_id=local_ca.pk, actor=system)

    assert Revocation.objects.get().listed_in is None
    row = crl.publish_if_due(local_ca.pk, actor=system)
    assert bytes(Revocation.objects.get().entry) in bytes(row.der)
    assert Revocation.objects.get().listed_in == 2


def test_who_dies_before_marking_leaves_nothing_out(local_ca, revoked, system, monkeypatch):
    revoked()

    def die(*arguments):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(listing.Listing, "mark", die)
        with pytest.raises(SystemExit):
            crl.publish(issuer_id=local_ca.pk, actor=system)

    assert crl.current("issuing").entries == 1
    assert crl.publish_if_due(local_ca.pk, actor=system).number == 2
    assert crl.publish_if_due(local_ca.pk, actor=system) is None


def test_what_a_dead_build_stored_is_forgotten_after_an_hour(local_ca, system):
    crl.publish(issuer_id=local_ca.pk, actor=system)
    orphan = bodies.begin([b"some"])

    assert bodies.drop_orphans(timezone.now()) == 0
    assert bodies.drop_orphans(timezone.now() + timedelta(hours=2)) == 1

    assert not Body.objects.filter(pk=orphan).exists()
    assert crl.current("issuing").der


def test_pruning_takes_the_bytes_along(local_ca, system):
    for _ in range(crl.KEEP + 2):
        crl.publish(issuer_id=local_ca.pk, actor=system)

    assert crl.prune(local_ca) == 2

    assert Body.objects.count() == crl.KEEP


def test_a_million_marks_are_made_in_short_transactions(local_ca, revoked, system, monkeypatch):
    for _ in range(5):
        revoked()
    monkeypatch.setattr("certificates.listing.BATCH", 2)

    crl.publish(issuer_id=local_ca.pk, actor=system)

    assert set(Revocation.objects.values_list("listed_in", flat=True)) == {1}
    assert len(list(listing.read(local_ca, timezone.now()).revocations.batches())) == 0


def test_entries_are_read_in_pieces(local_ca, revoked, system, monkeypatch):
    wanted = {revoked().serial for _ in range(5)}
    monkeypatch.setattr("certificates.listing.ROWS", 2)

    row = crl.publish(issuer_id=local_ca.pk, actor=system)

    assert serials(row) == wanted
    assert [f"{e.serial_number:x}" for e in load(row)] == sorted(wanted)
    assert row.size == len(row.der)
    if connection.vendor == "postgresql":
        assert row.entries == 5


def test_entries_lie_by_serial_in_the_list_and_in_each_shard(
    local_ca, carol, issue, bob, system, monkeypatch
):
    """Byte for byte, however few are read at a time."""
    update_issuer(actor=carol, issuer_id=local_ca.pk, changes={"crl_shards": 2})
    local_ca.refresh_from_db()
    for _ in range(8):
        services.revoke(version_id=issue().pk, actor=bob)
    monkeypatch.setattr("certificates.listing.ROWS", 3)

    row = crl.publish(issuer_id=local_ca.pk, actor=system)

    stored = list(Revocation.objects.order_by("serial").values_list("shard", "entry"))
    entries = b"".join(bytes(entry) for _, entry in stored)
    assert der.encode(der.SEQUENCE, entries) in row.der
    parts = {part.scope: part for part in row.parts.all()}
    assert len(parts) == 2
    for scope, part in parts.items():
        mine = [bytes(entry) for shard, entry in stored if str(shard) == scope]
        assert part.entries == len(mine)
        if mine:
            assert der.encode(der.SEQUENCE, b"".join(mine)) in part.der


def test_what_is_a_piece_already_is_not_copied_and_keeps_its_place():
    large = bytes(crl.x509_crl.PIECE)
    entries = listing.Entries()

    entries.add(b"before", 1)
    entries.add(large, 2)
    entries.add(b"after", 1)
    entries.add(b" all", 1)
    entries.end()

    assert entries.pieces == [b"before", large, b"after all"]
    assert entries.pieces[1] is large
    assert entries.count == 5


@pytest.mark.django_db
def test_pieces_are_stored_as_they_are():
    """To press them takes a third of a build."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite presses nothing")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attstorage FROM pg_attribute"
            " WHERE attrelid = 'certificates_piece'::regclass AND attname = 'data'"
        )
        assert cursor.fetchone() == ("e",)

"""A CA that is taken over brings what it revoked, and adopts what it signed.

carol administers and takes CAs over; alice, an operator, imports certificates.
"""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509 import ocsp as x509_ocsp
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from certificates import crl, listing, ocsp, services
from certificates.crl import AwaitsCRL
from certificates.details import Details
from certificates.models import CRL, OCSPResponse, Revocation, SerialRevocation
from certificates.policy import IssuedElsewhere
from foundation.errors import Invalid
from issuers.models import Issuer
from issuers.services import ExistingCA, signer_of
from issuers.x509 import crl as x509_crl
from issuers.x509.ocsp import cert_id
from owners.models import Principal
from tests.ca import OLD, PEM, make_ca, named, pem_of, pem_of_key, write
from tests.certificates.test_making_cas import old_crl

R = x509.ReasonFlags
AT = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
ODD = [
    x509_crl.Entry(0, AT, R.unspecified),
    x509_crl.Entry(-5, AT, R.superseded),
    x509_crl.Entry((1 << 400) + 7, AT, R.privilege_withdrawn),
    x509_crl.Entry((1 << 160) - 1, AT, R.aa_compromise),
    x509_crl.Entry(5, datetime(1949, 12, 31, 23, 59, 59, tzinfo=UTC), R.ca_compromise),
    x509_crl.Entry(6, datetime(2, 1, 1, tzinfo=UTC), R.unspecified),
    x509_crl.Entry(7, datetime(2051, 1, 1, tzinfo=UTC), R.key_compromise, AT - OLD),
]


@pytest.fixture
def ca():
    return make_ca(subject=named("Old"), begins=timezone.now() - OLD)


@pytest.fixture
def take(carol, ca):
    def over(*crls, **changes):
        existing = ExistingCA(
            slug="taken",
            certificate_pem=pem_of(ca.certificate),
            key_pem=pem_of_key(ca.key),
            crls=crls,
            **changes,
        )
        return services.take_over_ca(actor=carol, ca=existing)

    return over


@pytest.fixture
def importing(alice, owner, local_ca, profile):
    def run(certified):
        details = Details(owner=owner, issuer=local_ca, profile=profile)
        pem = pem_of(certified.certificate)
        return services.import_pem(actor=alice, pem=pem, details=details).current

    return run


def leaf(ca, name="old.example.com"):
    begins = timezone.now() - timedelta(days=9)
    return ca.certify(name, begins=begins, lifetime=timedelta(days=90))


def entry(certified, reason=R.superseded):
    return x509_crl.Entry(certified.certificate.serial_number, AT, reason)


def asked(ca, serial):
    return ocsp.response_for("taken", cert_id(ca.certificate, serial, "sha256"))


def single(row):
    return x509_ocsp.load_der_ocsp_response(bytes(row.der))


def published():
    return bytes(CRL.objects.filter(issuer__slug="taken").order_by("-number")[0].der)


# --- Revocations ----------------------------------------------------------------------------


def test_number_and_entries_are_taken_over_the_oddest_too(take, ca):
    number = (1 << 64) + 1

    issuer = take(old_crl(ca, *ODD, number=number))

    der = published()
    assert all(x509_crl.encode(one) in der for one in ODD)
    row = CRL.objects.get(issuer=issuer)
    assert (row.number, row.entries, issuer.crl_number) == (number + 1, len(ODD), number + 1)
    event = Event.objects.get(action="crl.import")
    assert (event.data["numbers"], event.data["without_certificate"]) == ([number], len(ODD))
    assert crl.publish_if_due(issuer.pk, actor=Principal.objects.system()) is None


def test_ocsp_says_revoked_of_what_nobody_has_a_certificate_of(take, ca):
    take(old_crl(ca, *ODD))

    answer = single(asked(ca, 7))

    assert answer.certificate_status is x509_ocsp.OCSPCertStatus.REVOKED
    assert answer.revocation_reason is R.key_compromise
    assert answer.revocation_time_utc == ODD[-1].revoked_at
    assert asked(ca, -5) is not None
    assert asked(ca, (1 << 160) - 1) is not None
    assert asked(ca, 4711) is None
    assert asked(make_ca(), 7) is None


def test_a_number_without_its_crl_is_refused(take):
    with pytest.raises(Invalid) as caught:
        take(crl_number=41)

    assert caught.value.errors[0]["field"] == "crl_number"
    assert not Issuer.objects.exists()


def test_without_its_crl_a_ca_publishes_none_and_calls_nothing_good(take, ca, importing, system):
    issuer = take()
    version = importing(leaf(ca))

    assert not CRL.objects.filter(issuer=issuer).exists()
    assert crl.publish_if_due(issuer.pk, actor=system) is None
    assert issuer not in {row.issuer for row in crl.refresh_due(timezone.now())}
    with pytest.raises(AwaitsCRL):
        crl.publish(issuer_id=issuer.pk, actor=system)
    assert version.issuer == issuer
    assert asked(ca, int(version.serial, 16)) is None


def test_its_crl_may_come_later(take, ca, importing, carol):
    issuer = take()
    gone, good = leaf(ca), leaf(ca, "good.example.com")
    version = importing(gone)
    importing(good)

    services.import_crls(
        actor=carol, issuer_id=issuer.pk, crls=[old_crl(ca, entry(gone), *ODD, number=8)]
    )

    revocation = Revocation.objects.get(version=version)
    assert (revocation.reason, revocation.revoked_at) == ("superseded", AT)
    version.certificate.refresh_from_db()
    assert version.certificate.status == "Revoked"
    assert CRL.objects.get(issuer=issuer).number == 9
    assert x509_crl.encode(entry(gone)) in published()
    assert SerialRevocation.objects.count() == len(ODD)
    status = single(asked(ca, good.certificate.serial_number)).certificate_status
    assert status is x509_ocsp.OCSPCertStatus.GOOD


def test_one_that_never_published_a_crl_says_so(take, ca):
    issuer = take(has_no_crl=True)

    assert CRL.objects.get(issuer=issuer).number == 1


def test_a_ca_that_waits_may_be_told_that_there_is_none(take, carol):
    issuer = take()

    services.import_crls(actor=carol, issuer_id=issuer.pk, crls=[])

    assert CRL.objects.get(issuer=issuer).number == 1
    with pytest.raises(services.WrongCRL):
        services.import_crls(actor=carol, issuer_id=issuer.pk, crls=[])


@pytest.mark.parametrize(
    ("crls", "words"),
    [
        ([b"nonsense"], "CRL"),
        ([old_crl(make_ca(subject=named("Old")))], "signature"),
        ([old_crl(make_ca())], "another issuer"),
    ],
)
def test_a_crl_that_is_not_the_cas_is_refused_and_nothing_is_left(take, crls, words):
    with pytest.raises(services.WrongCRL, match=words):
        take(*crls)

    assert not Issuer.objects.filter(slug="taken").exists()
    assert Event.objects.filter(action="issuer.import.refuse").count() == 1


def test_of_several_the_newest_decides_and_holds_that_it_released_are_gone(take, ca):
    now = timezone.now()
    hold = [x509_crl.Entry(serial, AT, R.certificate_hold) for serial in (1, 2)]
    older = old_crl(
        ca, *hold, x509_crl.Entry(3, AT, R.superseded), this_update=now - timedelta(days=2)
    )
    newer = old_crl(ca, x509_crl.Entry(2, AT, R.key_compromise), number=8)

    take(newer, older)

    rows = SerialRevocation.objects.values_list("serial", "reason")
    assert set(rows) == {("2", "keyCompromise"), ("3", "superseded")}


def test_a_certificate_that_comes_later_takes_the_entrys_place(take, ca, importing, carol):
    gone = leaf(ca)
    issuer = take(old_crl(ca, entry(gone, R.certificate_hold)))
    asked(ca, gone.certificate.serial_number)

    version = importing(gone)

    assert not SerialRevocation.objects.exists()
    assert not OCSPResponse.objects.exists()
    assert version.revocation.reason == "certificateHold"
    assert version.certificate.status == "Revoked"
    assert crl.publish_if_due(issuer.pk, actor=carol) is None
    services.release_hold(version_id=version.pk, actor=carol)
    status = single(asked(ca, gone.certificate.serial_number)).certificate_status
    assert status is x509_ocsp.OCSPCertStatus.GOOD


def test_an_entry_whose_certificate_comes_while_a_crl_is_made_is_on_it_once(
    take, ca, importing, carol, monkeypatch
):
    gone = leaf(ca)
    issuer = take(old_crl(ca, entry(gone)))
    really = listing._opened

    def opened(*arguments):
        rows = really(*arguments)
        importing(gone)
        return rows

    monkeypatch.setattr("certificates.listing._opened", opened)

    row = crl.publish(issuer_id=issuer.pk, actor=carol)

    assert published().count(x509_crl.encode(entry(gone))) == 1
    assert row.entries == 1
    assert crl.publish_if_due(issuer.pk, actor=carol) is None


def test_a_row_that_is_no_number_stops_no_crl(take, ca, carol, caplog):
    issuer = take(old_crl(ca, *ODD))
    row = {"issuer": issuer, "revoked_at": AT, "recorded_by": carol}
    SerialRevocation.objects.create(**row, serial="zz", reason="superseded")
    SerialRevocation.objects.create(**row, serial="abc", reason="nobody knows")

    crl.publish(issuer_id=issuer.pk, actor=carol)

    assert all(x509_crl.encode(one) in published() for one in ODD)
    assert x509_crl.encode(x509_crl.Entry(0xABC, AT, R.unspecified)) in published()
    assert "no serial" in caplog.text


# --- Adoption -------------------------------------------------------------------------------


def test_what_came_before_its_ca_is_adopted(take, ca, importing, carol):
    good, gone = importing(leaf(ca)), leaf(ca, "gone.example.com")
    bad = importing(gone)
    stranger = importing(leaf(make_ca(subject=named("Old"), begins=timezone.now() - OLD), "x.test"))
    with pytest.raises(IssuedElsewhere):
        services.revoke(version_id=good.pk, actor=carol)

    issuer = take(old_crl(ca, entry(gone)))

    for version in (good, bad, stranger):
        version.refresh_from_db()
    assert (good.issuer, bad.issuer, stranger.issuer) == (issuer, issuer, None)
    assert bad.revocation.reason == "superseded"
    assert bad.certificate.__class__.objects.get(pk=bad.certificate_id).status == "Revoked"
    events = Event.objects.filter(action="certificate.adopt", actor=carol)
    assert {event.data["serial"]: event.data["was_revoked"] for event in events} == {
        good.serial: False,
        bad.serial: True,
    }
    status = single(asked(ca, int(good.serial, 16))).certificate_status
    assert status is x509_ocsp.OCSPCertStatus.GOOD
    services.revoke(version_id=good.pk, actor=carol)
    status = single(asked(ca, int(good.serial, 16))).certificate_status
    assert status is x509_ocsp.OCSPCertStatus.REVOKED


def test_a_ca_that_is_taken_over_during_an_import_adopts_all_the_same(
    take, ca, importing, monkeypatch
):
    issuer = take(has_no_crl=True)
    really = signer_of
    asked_first = []

    def not_yet(certificate):
        if asked_first:
            return really(certificate)
        asked_first.append(certificate)
        return None

    monkeypatch.setattr("certificates.services.importing.signer_of", not_yet)

    version = importing(leaf(ca))

    version.refresh_from_db()
    assert version.issuer == issuer


def test_a_serial_that_is_taken_is_called_that(take, ca, importing):
    take(has_no_crl=True)
    first, second = leaf(ca), leaf(ca, "other.example.com")
    importing(first)
    twin = _with_serial(ca, second, first.certificate.serial_number)

    with pytest.raises(services.SerialTaken):
        importing(twin)


def test_of_two_with_one_serial_one_is_adopted_and_nothing_fails(take, ca, importing):
    first = leaf(ca)
    versions = [
        importing(first),
        importing(_with_serial(ca, leaf(ca, "b.test"), first.certificate.serial_number)),
    ]

    issuer = take(has_no_crl=True)

    for version in versions:
        version.refresh_from_db()
    assert {version.issuer for version in versions} == {issuer, None}


def _with_serial(ca, certified, serial):
    from dataclasses import replace  # noqa: PLC0415

    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415

    old = certified.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(old.public_key())
        .serial_number(serial)
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc)
    )
    return replace(certified, certificate=builder.sign(ca.key, hashes.SHA256()))


# --- Doors ----------------------------------------------------------------------------------


def test_the_command_takes_crls_and_numbers_in_every_notation(db, ca, tmp_path, capsys):
    files = {
        "import_certificate": write(tmp_path / "ca.pem", ca.certificate),
        "import_key": write(tmp_path / "ca.key", pem_of_key(ca.key)),
    }
    call_command("create_ca", "taken", verbosity=1, **files)
    assert "import_crl" in capsys.readouterr().err
    file = write(tmp_path / "old.crl", old_crl(ca, *ODD, number=0x1000))

    call_command("import_crl", "taken", str(file), verbosity=0)

    assert Issuer.objects.get().crl_number == 0x1001
    with pytest.raises(CommandError, match="either"):
        call_command("import_crl", "taken", verbosity=0)


@pytest.mark.parametrize("number", ["0x1f4", "500", "01:F4"])
def test_a_higher_number_may_be_given_beside_the_crl(db, ca, tmp_path, number):
    call_command(
        "create_ca",
        "taken",
        f"--import-certificate={write(tmp_path / 'ca.pem', ca.certificate)}",
        f"--import-key={write(tmp_path / 'ca.key', pem_of_key(ca.key))}",
        f"--crl={write(tmp_path / 'old.crl', old_crl(ca))}",
        f"--crl-number={number}",
        verbosity=0,
    )

    assert Issuer.objects.get().crl_number == 501


@pytest.mark.parametrize("door", ["rest", "admin"])
def test_its_crl_comes_by_every_door(take, ca, carol, client_of, browse, door):
    issuer = take()
    der = old_crl(ca, *ODD, number=500)
    text = x509.load_der_x509_crl(old_crl(ca, number=500)).public_bytes(PEM).decode()

    if door == "rest":
        url = f"/api/v1/issuers/{issuer.pk}/revocations/import/"
        answer = client_of(carol).post(url, {"crls": [base64.b64encode(der).decode()]})
        assert (answer.status_code, answer.json()["awaits_crl"]) == (200, False)
        assert SerialRevocation.objects.count() == len(ODD)
    else:
        form = {"action": "import_crl", "_selected_action": [str(issuer.pk)]}
        page = browse(carol).post(reverse("admin:issuers_issuer_changelist"), form)
        assert b"Import the old CRL" in page.content
        form |= {"confirmed": "yes", "crl": text}
        browse(carol).post(reverse("admin:issuers_issuer_changelist"), form)

    assert Event.objects.get(action="crl.import").actor == carol
    assert CRL.objects.get(issuer=issuer).number == 501


def test_an_operator_imports_no_crl_and_the_attempt_is_on_record(take, ca, alice, client_of):
    issuer = take()
    url = f"/api/v1/issuers/{issuer.pk}/revocations/import/"

    answer = client_of(alice).post(url, {"none_published": True})

    assert answer.status_code == 403
    assert Event.objects.get(action="crl.import.refuse").actor == alice
    assert not CRL.objects.filter(issuer=issuer).exists()

import base64
import random
import subprocess
from collections import Counter
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from django.db import transaction
from django.utils import timezone

from audit.models import Event
from certificates import crl, export, ocsp, services
from certificates.details import Details
from certificates.models import Certificate, Version
from certificates.policy import InvalidRevocation
from certificates.services.importing import (
    AlreadyImported,
    MalformedCertificate,
    PrivateKeyIncluded,
)
from foundation.errors import CertctlError
from issuers import services as issuer_services
from issuers.connectors import connector_for
from issuers.pointers import pointers_of
from issuers.x509 import certs
from tests.ca import CA, OLD, make_ca, named, pem_of
from tests.fixtures import make_csr, new_key

VECTORS = Path(__file__).parent.parent / "vectors"


@cache
def old_ca():
    """A CA that is none of ours."""
    return make_ca(subject=named("Old CA"), begins=timezone.now() - OLD)


def old(name="old.example.com", *, host=None, days=300):
    """Return a key, and the certificate that the old CA signed for it."""
    certified = old_ca().certify(
        host or name, name=name, begins=timezone.now() - OLD, lifetime=timedelta(days=days)
    )
    return certified.key, certified.certificate


@pytest.fixture
def importing(alice, owner, local_ca, profile):
    def run(pem, **options):
        details = Details(owner=owner, issuer=local_ca, profile=profile, **options)
        return services.import_pem(actor=alice, pem=pem, details=details)

    return run


def test_a_certificate_of_another_ca_comes_in_with_its_chain(importing, alice):
    root, (_, leaf) = old_ca().certificate, old()

    certificate = importing("Subject: text before\n" + pem_of(root, leaf))

    version = certificate.current
    assert (certificate.name, certificate.status) == ("old.example.com", "Active")
    assert version.issuer is None
    assert version.serial == f"{leaf.serial_number:x}"
    assert version.chain_pem == pem_of(root)
    event = Event.objects.get(action="certificate.import")
    assert (event.actor, event.data["fingerprint"]) == (alice, version.fingerprint)


def test_what_our_ca_signed_is_ours_again(importing, local_ca, free_profile):
    signed = issuer_services.sign(
        issuer=local_ca,
        profile=free_profile,
        csr_pem=make_csr("lost.demo.internal"),
        common_name="lost.demo.internal",
        sans=["dns:lost.demo.internal"],
        lifetime=timedelta(days=40),
    )

    version = importing(signed.certificate_pem).current

    assert version.issuer == local_ca
    assert version.chain_pem.count("BEGIN CERTIFICATE") == 2


def test_an_expired_one_is_expired(importing):
    assert importing(pem_of(old(days=-1)[1])).status == "Expired"


def test_the_same_one_twice_is_refused(importing):
    pem = pem_of(old()[1])
    importing(pem)

    with pytest.raises(AlreadyImported):
        importing(pem)

    assert (Certificate.objects.count(), Version.objects.count()) == (1, 1)


def test_the_database_refuses_it_too(importing, monkeypatch):
    pem = pem_of(old()[1])
    importing(pem)
    monkeypatch.setattr("django.db.models.query.QuerySet.exists", lambda self: False)

    with pytest.raises(AlreadyImported):
        importing(pem)


@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_a_private_key_in_the_paste_is_refused_and_repeated_nowhere(
    importing, form, caplog, client_of, alice, owner, local_ca, profile
):
    key, leaf = old()
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        getattr(serialization.PrivateFormat, form),
        serialization.NoEncryption(),
    ).decode()
    body = secret.splitlines()[1]

    with pytest.raises(PrivateKeyIncluded) as caught:
        importing(pem_of(leaf) + secret)
    response = client_of(alice).post(
        "/api/v1/certificates/import/",
        {
            "pem": pem_of(leaf) + secret,
            "owner": str(owner.pk),
            "issuer": local_ca.slug,
            "profile": profile.slug,
        },
    )

    assert response.json()["code"] == "private_key_included"
    assert not Certificate.objects.exists()
    assert body not in caplog.text + str(caught.value) + response.text
    assert not any(body in str(event.data) for event in Event.objects.all())


def unrelated():
    return pem_of(old("a.example")[1], old("b.example")[1])


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "hello",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n",
        "\x00\xff",
        unrelated,
        lambda: unrelated() * 6,
    ],
)
def test_what_is_no_certificate_is_refused(importing, pem):
    with pytest.raises(MalformedCertificate):
        importing(pem() if callable(pem) else pem)


# --- Short-lived ----------------------------------------------------------------------------


def lives(ca, minutes, *, no_revocation):
    """Return a certificate that the CA signed for some minutes, with pointers or noRevAvail."""
    now = timezone.now().replace(microsecond=0)
    contents = certs.Contents(
        public_key=new_key().public_key(),
        subject=x509.Name([]),
        sans=["dns:brief.demo.internal"],
        not_before=now,
        not_after=now + timedelta(minutes=minutes),
        pointers=pointers_of(ca),
        no_revocation=no_revocation,
    )
    signer = connector_for(ca)
    return certs.build_leaf(contents, issuer=signer.certificate, key=signer._key)


def test_a_brief_certificate_with_pointers_is_revocable(importing, local_ca, alice, system):
    leaf = lives(local_ca, 30, no_revocation=False)

    version = importing(pem_of(leaf)).current
    services.revoke(version_id=version.pk, actor=alice)

    assert not version.short_lived
    der = bytes(crl.publish(issuer_id=local_ca.pk, actor=system).der)
    assert x509.load_der_x509_crl(der).get_revoked_certificate_by_serial_number(leaf.serial_number)
    answer = ocsp.response_for_serial(local_ca.slug, version.serial)
    assert answer.status == "revoked"


@pytest.mark.parametrize("reason", ["unspecified", "certificateHold"])
def test_an_imported_sub_ca_takes_only_what_a_ca_may_be_revoked_for(
    importing, local_ca, root_ca, carol, reason
):
    ours = CA(root_ca.certificate, connector_for(root_ca)._key)
    below = make_ca(subject=named("Below"), parent=ours, begins=timezone.now(), days=30)
    version = importing(pem_of(below.certificate)).current
    assert version.issuer == root_ca

    with pytest.raises(InvalidRevocation) as caught:
        services.revoke(version_id=version.pk, actor=carol, reason=reason)

    assert caught.value.errors[0]["code"] == "reason_required"
    services.revoke(
        version_id=version.pk,
        actor=carol,
        reason="cessationOfOperation",
        confirm_name=version.certificate.name,
    )


@pytest.mark.parametrize("minutes", [30, 60 * 24 * 30])
def test_what_carries_norevavail_is_in_no_crl_and_no_ocsp(
    importing, local_ca, alice, system, minutes
):
    version = importing(pem_of(lives(local_ca, minutes, no_revocation=True))).current
    services.revoke(version_id=version.pk, actor=alice)

    assert version.short_lived
    assert crl.publish(issuer_id=local_ca.pk, actor=system).entries == 0
    assert ocsp.response_for_serial(local_ca.slug, version.serial) is None


# --- Export ---------------------------------------------------------------------------------


def test_the_chain_goes_out_leaf_first(version, local_ca, root_ca):
    out = x509.load_pem_x509_certificates(export.pem_chain(version))

    assert f"{out[0].serial_number:x}" == version.serial
    assert out[1] == x509.load_pem_x509_certificate(local_ca.certificate_pem.encode())


@pytest.mark.parametrize("password", ["", "open sesame"])
def test_pkcs12_has_certificates_and_no_key(version, password, tmp_path, openssl):
    data = export.pkcs12_store(version, password)

    store = pkcs12.load_pkcs12(data, password.encode() or None)
    assert store.key is None
    names = {entry.certificate.subject for entry in store.additional_certs}
    assert x509.load_pem_x509_certificate(version.pem.encode()).subject in names
    (tmp_path / "store.p12").write_bytes(data)
    shown = subprocess.run(
        [openssl, "pkcs12", "-in", "store.p12", "-nokeys", "-passin", f"pass:{password}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("BEGIN CERTIFICATE") >= 2


def test_an_export_is_on_record_without_its_password(version, victor):
    services.export(version=version, form="pkcs12", actor=victor, password="hunter2!")

    event = Event.objects.get(action="certificate.export")
    assert (event.actor, event.data["format"]) == (victor, "pkcs12")
    assert "hunter2" not in str(event.data)


def damaged(der, random):
    """Return the bytes with a few of them changed, lost or added, as PEM."""
    data = bytearray(der)
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(data))
        match random.randrange(4):
            case 0:
                del data[place]
            case 1:
                data.insert(place, random.randrange(256))
            case _:
                data[place] = random.randrange(256)
    body = base64.encodebytes(bytes(data)).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"


def test_damage_is_refused_or_taken_and_never_an_error_of_ours(importing):
    """A fixed certificate and fixed damage: each run sees the same."""
    pem = (VECTORS / "ca.pem").read_text()
    der = x509.load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.DER)
    dice = random.Random(20261125)  # noqa: S311 - damage, not secrets
    outcomes = Counter()
    for _ in range(600):
        text = damaged(der, dice) + dice.choice(["", "", pem])
        try:
            with transaction.atomic():
                importing(text)
                outcomes["taken"] += 1
        except CertctlError as error:
            outcomes[error.code] += 1

    assert outcomes["malformed_certificate"] > 100
    assert outcomes["taken"] > 20
    assert all(name.isprintable() for name in Certificate.objects.values_list("name", flat=True))


def test_what_a_name_hides_is_shown_as_a_hole(importing):
    _, leaf = old("a\u202eb\x07c", host="old.example.com")

    certificate = importing(pem_of(leaf), name="")

    assert certificate.common_name == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(
    ("case", "count"),
    [
        ("bundle-leaf-twice", 1),
        ("bundle-fullchain-then-chain", 2),
        ("bundle-cross-signed-both", 3),
    ],
)
def test_bundles_from_the_field_come_in(importing, case, count):
    certificate = importing((VECTORS / "cases" / f"{case}.pem").read_text())

    assert certificate.current.chain_pem.count("BEGIN CERTIFICATE") == count


def test_a_name_in_an_old_type_of_string_is_refused_in_those_words(importing):
    with pytest.raises(MalformedCertificate, match="T61String"):
        importing((VECTORS / "cases" / "ca-t61-subject.pem").read_text())


def test_no_name_is_dropped_from_the_inventory(importing):
    """What certctl would not issue is shown all the same: somebody relies on it."""
    _, leaf = old("old.example.com", host="under_score.example.com")

    assert importing(pem_of(leaf)).sans == ["dns:under_score.example.com"]


# --- Bounds ---------------------------------------------------------------------------------


def chain_of(count):
    """Return as many certificates, each signed by the next, the leaf first."""
    ca, begins = None, timezone.now() - OLD
    for number in range(count - 1):
        ca = make_ca(subject=named(f"ca-{number}"), parent=ca, begins=begins)
    certified = ca.certify("old.example.com", begins=begins)
    return [certified.certificate, *certified.chain]


def test_ten_certificates_come_in_at_once_and_no_more(importing):
    assert importing(pem_of(*chain_of(10))).current.chain_pem.count("BEGIN") == 9

    with pytest.raises(MalformedCertificate, match="At most 10"):
        importing(pem_of(*chain_of(11)))


def test_a_serial_has_twenty_octets_at_most(importing):
    _, leaf = old()

    def with_serial(number):
        changed = asn1.Certificate.load(leaf.public_bytes(serialization.Encoding.DER))
        changed["tbs_certificate"]["serial_number"] = number
        body = base64.encodebytes(changed.dump(force=True)).decode()
        return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"

    longest = (1 << 159) - 1
    assert importing(with_serial(longest)).current.serial == f"{longest:x}"
    with pytest.raises(MalformedCertificate, match="20 octets"):
        importing(with_serial(1 << 160))


def test_cas_that_have_nothing_to_do_with_the_certificate_are_no_chain(importing):
    _, leaf = old()
    one = make_ca(subject=named("One"), begins=timezone.now() - OLD)
    two = make_ca(subject=named("Two"), parent=one, begins=timezone.now() - OLD)
    # Each signed the other, so that neither is a leaf.
    crossed = certs.build_ca(
        public_key=one.key.public_key(),
        subject=one.certificate.subject,
        not_before=timezone.now() - OLD,
        not_after=timezone.now() + OLD,
        **two.signer,
    )

    with pytest.raises(MalformedCertificate, match="gap"):
        importing(pem_of(leaf, crossed, two.certificate))

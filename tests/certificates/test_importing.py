import base64
import random
import subprocess
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from django.db import transaction
from django.utils import timezone

from audit.models import Event
from certctl.errors import CertctlError
from certificates import export, services
from certificates.models import Certificate, Version
from certificates.services.importing import (
    AlreadyImported,
    MalformedCertificate,
    PrivateKeyIncluded,
)
from issuers import services as issuer_services
from tests.fixtures import make_csr, new_key

VECTORS = Path(__file__).parent.parent / "vectors"


def self_signed(
    name="old.example.com",
    *,
    host=None,
    days=300,
    serial=None,
    sign_with=None,
    issuer=None,
    ca=False,
    key=None,
):
    key = key or new_key()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = timezone.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host or name)]), critical=False)
        .sign(sign_with or key, hashes.SHA256())
    )
    return key, certificate


def pem_of(*certificates):
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in certificates)


@pytest.fixture
def importing(alice, owner, local_ca, profile):
    def run(pem, **options):
        return services.import_pem(
            actor=alice, pem=pem, owner=owner, issuer=local_ca, profile=profile, **options
        )

    return run


def test_a_certificate_of_another_ca_comes_in_with_its_chain(importing, alice):
    root_key, root = self_signed("Old CA", ca=True)
    _, leaf = self_signed(sign_with=root_key, issuer=root)

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
    assert importing(pem_of(self_signed(days=-1)[1])).status == "Expired"


def test_the_same_one_twice_is_refused(importing):
    pem = pem_of(self_signed()[1])
    importing(pem)

    with pytest.raises(AlreadyImported):
        importing(pem)

    assert (Certificate.objects.count(), Version.objects.count()) == (1, 1)


def test_the_database_refuses_it_too(importing, monkeypatch):
    pem = pem_of(self_signed()[1])
    importing(pem)
    monkeypatch.setattr("django.db.models.query.QuerySet.exists", lambda self: False)

    with pytest.raises(AlreadyImported):
        importing(pem)


@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_a_private_key_in_the_paste_is_refused_and_repeated_nowhere(
    importing, form, caplog, client_of, alice, owner, local_ca, profile
):
    key, leaf = self_signed()
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
    return pem_of(self_signed("a.example")[1], self_signed("b.example")[1])


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


# --- Export ---------------------------------------------------------------------------------


def test_the_chain_goes_out_leaf_first(version, local_ca, root_ca):
    out = x509.load_pem_x509_certificates(export.pem_chain(version))

    assert f"{out[0].serial_number:x}" == version.serial
    assert out[1] == x509.load_pem_x509_certificate(local_ca.certificate_pem.encode())


@pytest.mark.parametrize("password", ["", "open sesame"])
def test_pkcs12_has_certificates_and_no_key(version, password, tmp_path):
    data = export.pkcs12_store(version, password)

    store = pkcs12.load_pkcs12(data, password.encode() or None)
    assert store.key is None
    names = {entry.certificate.subject for entry in store.additional_certs}
    assert x509.load_pem_x509_certificate(version.pem.encode()).subject in names
    (tmp_path / "store.p12").write_bytes(data)
    shown = subprocess.run(
        ["openssl", "pkcs12", "-in", "store.p12", "-nokeys", "-passin", f"pass:{password}"],
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
    _, leaf = self_signed("a\u202eb\x07c", host="old.example.com")

    certificate = importing(pem_of(leaf), name="")

    assert certificate.common_name == "a\ufffdb\ufffdc"


# --- Bounds ---------------------------------------------------------------------------------


def chain_of(count):
    """Return as many certificates, each signed by the next, the leaf first."""
    key, above = self_signed("root", ca=True)
    chain = [above]
    for number in range(count - 2):
        fresh, one = self_signed(f"ca-{number}", sign_with=key, issuer=above, ca=True)
        key, above = fresh, one
        chain.insert(0, one)
    _, leaf = self_signed(sign_with=key, issuer=above)
    return [leaf, *chain]


def test_ten_certificates_come_in_at_once_and_no_more(importing):
    assert importing(pem_of(*chain_of(10))).current.chain_pem.count("BEGIN") == 9

    with pytest.raises(MalformedCertificate, match="At most 10"):
        importing(pem_of(*chain_of(11)))


def test_a_serial_has_twenty_octets_at_most(importing):
    _, longest = self_signed(serial=(1 << 159) - 1)
    assert importing(pem_of(longest)).current.serial == f"{(1 << 159) - 1:x}"

    longer = asn1.Certificate.load(longest.public_bytes(serialization.Encoding.DER))
    longer["tbs_certificate"]["serial_number"] = 1 << 160
    body = base64.encodebytes(longer.dump(force=True)).decode()
    with pytest.raises(MalformedCertificate, match="20 octets"):
        importing(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")


def test_cas_that_have_nothing_to_do_with_the_certificate_are_no_chain(importing):
    _, leaf = self_signed()
    one, two = new_key(), new_key()
    _, alone = self_signed("One", key=one, ca=True)
    _, second = self_signed("Two", key=two, sign_with=one, issuer=alone, ca=True)
    # Each signed the other, so that neither is a leaf.
    _, first = self_signed("One", key=one, sign_with=two, issuer=second, ca=True)

    with pytest.raises(MalformedCertificate, match="gap"):
        importing(pem_of(leaf, first, second))

"""A CA that another CA signs: key and CSR made here, its certificate brought later.

Carol administers; bob operates, and may not.
"""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from audit.models import Event
from certificates import services
from certificates.models import CRL
from foundation.errors import Invalid, NotFound
from foundation.sealed import CannotDecrypt
from issuers.models import Issuer, RequestedCA
from issuers.services import CannotImport, SlugTaken, request_ca
from issuers.services import test_connection as prove
from issuers.x509 import certs
from tests.ca import make_ca, named, openssl, pem_of

LIST = "/admin/issuers/requestedca/"
WANTED = {
    "slug": "corp",
    "name": "Corporate issuing",
    "common_name": "Corporate issuing 1",
    "organization": "Corp",
    "key_algorithm": "ecdsa-p384",
    "path_length": 0,
}


@pytest.fixture
def root(db):
    """The company's root, which is not here."""
    return make_ca(subject=named("Corp Root"))


@pytest.fixture
def requested(carol):
    return request_ca(actor=carol, **WANTED)


def signed(row, root, **options):
    """Sign the CSR as the company's root does."""
    csr = x509.load_pem_x509_csr(row.csr_pem.encode())
    return certs.build_ca(
        public_key=options.pop("public_key", csr.public_key()),
        subject=csr.subject,
        not_before=root.certificate.not_valid_before_utc,
        not_after=root.certificate.not_valid_after_utc,
        key=root.key,
        issuer=root.certificate,
        path_length=0,
        **options,
    )


def page(row, verb):
    return f"{LIST}{row.pk}/{verb}/"


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "rsa-2048", "ed25519"])
def test_carol_gets_a_csr_that_openssl_verifies(carol, tmp_path, algorithm):
    row = request_ca(actor=carol, **WANTED | {"key_algorithm": algorithm})
    (tmp_path / "csr.pem").write_text(row.csr_pem)

    # A signature that does not hold is an exit status, which `openssl` raises for.
    said = openssl("req", "-in", tmp_path / "csr.pem", "-noout", "-verify", "-text")

    assert "CA:TRUE, pathlen:0" in said
    assert "Certificate Sign, CRL Sign" in said


def test_carol_goes_all_the_way_in_the_admin(browse, carol, root):
    client = browse(carol)
    client.post(f"{LIST}add/", WANTED)
    row = RequestedCA.objects.get()
    file = client.get(page(row, "csr"))
    assert file.content.decode() == row.csr_pem
    assert 'filename="corp.csr.pem"' in file.headers["Content-Disposition"]
    assert row.csr_pem.splitlines()[1] in client.get(page(row, "change")).text

    sent = {
        "confirmed": "yes",
        "certificate": pem_of(signed(row, root)),
        "chain": pem_of(root.certificate),
    }
    answer = client.post(page(row, "signed"), sent, follow=True)

    issuer = Issuer.objects.get(slug="corp")
    assert "signs certificates from now on" in answer.text
    assert prove(issuer=issuer, actor=carol)
    assert CRL.objects.filter(issuer=issuer).exists()
    assert not RequestedCA.objects.exists()
    told = Event.objects.filter(actor=carol, door="admin").values_list("action", flat=True)
    assert {"issuer.request", "issuer.complete"} <= set(told)


def test_the_key_is_on_no_page_and_not_in_the_trail(browse, carol, requested):
    client = browse(carol)
    for place in (LIST, page(requested, "change"), page(requested, "csr"), "/admin/audit/event/"):
        assert "PRIVATE KEY" not in client.get(place).text
    assert "PRIVATE" not in str(list(Event.objects.values_list("data", flat=True)))


def complete(carol, row, certificate, *above):
    return services.complete_ca(
        actor=carol,
        requested_id=row.pk,
        certificate_pem=pem_of(certificate),
        chain_pem=pem_of(*above),
    )


def test_another_keys_certificate_is_refused_and_the_key_goes_on_waiting(carol, requested, root):
    other = signed(requested, root, public_key=make_ca().key.public_key())

    with pytest.raises(CannotImport, match="is not that of the certificate"):
        complete(carol, requested, other, root.certificate)

    assert RequestedCA.objects.exists()
    assert not Issuer.objects.exists()
    assert Event.objects.filter(action="issuer.complete.refuse", actor=carol).count() == 1


def test_a_certificate_that_is_no_cas_is_refused(carol, requested, root):
    csr = x509.load_pem_x509_csr(requested.csr_pem.encode())
    leaf = (
        x509.CertificateBuilder()
        .subject_name(csr.subject)
        .issuer_name(root.certificate.subject)
        .public_key(csr.public_key())
        .serial_number(7)
        .not_valid_before(root.certificate.not_valid_before_utc)
        .not_valid_after(root.certificate.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(certs.key_usage(("digitalSignature",)), critical=True)
        .sign(root.key, hashes.SHA256())
    )

    with pytest.raises(CannotImport, match="is not that of a CA"):
        complete(carol, requested, leaf, root.certificate)


def test_a_chain_with_no_room_for_it_is_refused(carol, requested):
    narrow = make_ca(subject=named("Narrow Root"), path_length=0)
    below = make_ca(subject=named("Below"), parent=narrow)

    with pytest.raises(CannotImport):
        complete(carol, requested, signed(requested, below), below.certificate, narrow.certificate)


def test_a_chain_of_strangers_is_refused(carol, requested, root):
    with pytest.raises(CannotImport, match="signed none of the others"):
        complete(carol, requested, signed(requested, root), make_ca().certificate)


def test_it_is_completed_once(carol, requested, root):
    complete(carol, requested, signed(requested, root), root.certificate)

    with pytest.raises(NotFound):
        complete(carol, requested, signed(requested, root), root.certificate)
    assert Issuer.objects.count() == 1


def test_a_short_name_is_taken_once(carol, requested, local_ca):
    for slug in ("corp", local_ca.slug):
        with pytest.raises(SlugTaken):
            request_ca(actor=carol, **WANTED | {"slug": slug})


def test_what_cannot_be_asked_for_is_said_all_at_once(carol):
    with pytest.raises(Invalid) as refusal:
        request_ca(actor=carol, **WANTED | {"key_algorithm": "dsa", "path_length": -1})

    assert {one["field"] for one in refusal.value.errors} == {"key_algorithm", "path_length"}


def test_carol_gives_one_up_with_its_key(browse, carol, requested):
    browse(carol).post(page(requested, "delete"), {"post": "yes", "confirm_name": "corp"})

    assert not RequestedCA.objects.exists()
    assert Event.objects.filter(action="issuer.give_up", actor=carol).count() == 1


@pytest.mark.parametrize("verb", ["csr", "signed", "change", "delete"])
def test_bob_sees_and_does_nothing_of_it(browse, bob, requested, verb):
    client = browse(bob)

    assert client.get(page(requested, verb)).status_code == 403
    assert client.post(page(requested, verb), {"confirmed": "yes"}).status_code == 403
    assert client.get(LIST).status_code == 403
    assert "requestedca" not in client.get("/admin/").text


def test_what_is_sealed_opens_for_no_other_row(carol, requested, root):
    other = request_ca(actor=carol, **WANTED | {"slug": "corp-2"})
    RequestedCA.objects.filter(pk=other.pk).update(encrypted_key=requested.encrypted_key)

    with pytest.raises(CannotDecrypt):
        complete(carol, other, signed(other, root), root.certificate)


def test_a_csr_is_what_serialization_reads_back(requested):
    csr = x509.load_pem_x509_csr(requested.csr_pem.encode())

    assert csr.public_bytes(serialization.Encoding.PEM).decode() == requested.csr_pem

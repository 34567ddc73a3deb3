"""Taking over a CA in the admin: carol administers; bob operates, and may not."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.models import Event
from issuers.models import Issuer
from issuers.services import CannotImport, read_key_file
from issuers.services import test_connection as prove
from issuers.services.ca_files import MAX_KEY_FILE
from tests.ca import make_ca, pem_of, two_tiers

PAGE = "/admin/issuers/issuer/take-over/"
PASSWORD = "a password of the file"


@pytest.fixture
def theirs(db):
    """An issuing CA under a root, neither of which is here."""
    return two_tiers()


def in_form(ca, *, as_=None, password="", **fields):
    """Return what the page is sent for `ca`; `as_` makes the key's file."""
    key = as_ or pem_key(ca, password)
    return {
        "confirmed": "yes",
        "slug": "corp",
        "name": "Corporate issuing",
        "key": SimpleUploadedFile("ca.key", key),
        "password": password,
        "certificate": pem_of(ca.certificate),
        "chain": pem_of(*ca.chain),
        "revoked": "none",
        **fields,
    }


def encryption(password):
    return BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()


def pem_key(ca, password=""):
    return ca.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption(password)
    )


def der_key(ca, password=""):
    return ca.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, encryption(password)
    )


def p12(ca, password=PASSWORD):
    return pkcs12.serialize_key_and_certificates(
        b"ca", ca.key, ca.certificate, list(ca.chain), encryption(password)
    )


@pytest.mark.parametrize("password", ["", PASSWORD])
@pytest.mark.parametrize("form", [pem_key, der_key])
def test_carol_takes_over_a_ca_with_its_key(browse, carol, theirs, form, password):
    sent = in_form(theirs, as_=form(theirs, password), password=password)
    answer = browse(carol).post(PAGE, sent, follow=True)

    issuer = Issuer.objects.get(slug="corp")
    assert "is taken over." in answer.text
    assert issuer.certificate == theirs.certificate
    assert prove(issuer=issuer, actor=carol)
    assert issuer.crl_number == 1
    assert Event.objects.filter(action="issuer.import", actor=carol, door="admin").count() == 1


def test_a_pkcs12_needs_nothing_beside_it(browse, carol, theirs):
    sent = in_form(theirs, as_=p12(theirs), password=PASSWORD, certificate="", chain="")
    browse(carol).post(PAGE, sent)

    issuer = Issuer.objects.get(slug="corp")
    assert issuer.certificate == theirs.certificate
    assert x509.load_pem_x509_certificates(issuer.chain_pem.encode()) == list(theirs.chain)


def test_without_its_old_crl_it_publishes_none(browse, carol, theirs):
    answer = browse(carol).post(PAGE, in_form(theirs, revoked="later"), follow=True)

    assert "It publishes no CRL before its last one is here." in answer.text
    assert Issuer.objects.get(slug="corp").awaits_crl


def refused(browse, carol, **sent):
    answer = browse(carol).post(PAGE, sent)
    assert not Issuer.objects.filter(slug="corp").exists()
    assert Event.objects.filter(action="issuer.import.refuse", actor=carol).count() == 1
    return answer


def test_what_does_not_fit_is_said_at_its_field_and_recorded(browse, carol, theirs):
    other = make_ca()

    answer = refused(browse, carol, **in_form(theirs, as_=pem_key(other)))

    assert answer.status_code == 400
    assert "The private key is not that of the certificate." in answer.text


@pytest.mark.parametrize(
    "data", [b"", b"nothing", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_what_is_no_key_is_said_to_be_none(browse, carol, theirs, data):
    sent = {**in_form(theirs), "key": SimpleUploadedFile("ca.key", data)}
    answer = refused(browse, carol, **sent)

    assert answer.status_code == 400


def test_a_wrong_password_is_told_and_neither_it_nor_the_key_comes_back(browse, carol, theirs):
    sent = in_form(theirs, as_=p12(theirs), password="not that password")
    answer = refused(browse, carol, **sent)

    assert "the password is wrong or missing" in answer.text
    assert "not that password" not in answer.text
    assert "PRIVATE KEY" not in answer.text
    told = str(list(Event.objects.filter(actor=carol).values_list("data", flat=True)))
    assert "not that password" not in told


def test_a_file_that_is_no_keys_size_is_not_read(browse, carol, theirs):
    sent = {**in_form(theirs), "key": SimpleUploadedFile("ca.key", b"-----BEGIN" * 7000)}
    answer = refused(browse, carol, **sent)

    assert "too large for a key" in answer.text


def test_a_crl_is_given_or_said_not_to_be(browse, carol, theirs):
    answer = refused(browse, carol, **in_form(theirs, revoked="crl"))

    assert "Give the last CRL" in answer.text


def test_no_key_is_on_any_page_afterwards(browse, carol, theirs):
    client = browse(carol)
    client.post(PAGE, in_form(theirs))
    issuer = Issuer.objects.get(slug="corp")
    page = client.get(f"/admin/issuers/issuer/{issuer.pk}/change/")

    assert "PRIVATE KEY" not in page.text
    assert "PRIVATE KEY" not in client.get("/admin/audit/event/").text


def test_bob_takes_over_nothing(browse, bob, theirs):
    client = browse(bob)

    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, in_form(theirs)).status_code == 403
    assert "take-over" not in client.get("/admin/issuers/issuer/").text
    assert not Issuer.objects.filter(slug="corp").exists()


def test_nothing_is_done_before_it_is_confirmed(browse, carol, theirs):
    sent = in_form(theirs)
    del sent["confirmed"]
    answer = browse(carol).post(PAGE, sent)

    assert answer.status_code == 200
    assert not Issuer.objects.filter(slug="corp").exists()


def test_a_longer_file_is_not_parsed():
    with pytest.raises(CannotImport, match="too large for a key"):
        read_key_file(b"x" * (MAX_KEY_FILE + 1), "")

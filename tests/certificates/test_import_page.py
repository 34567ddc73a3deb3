"""Importing from files in the admin: looked at, then confirmed once.

Alice imports; victor only reads. The files are of a CA that is none of ours.
"""

import re
from base64 import b64encode
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from audit.models import Event
from certificates.admin import imports
from certificates.models import Certificate, Version
from certificates.services import bundles, look
from tests.ca import OLD, make_ca, named, pem_of, pem_of_key

PAGE = "/admin/certificates/certificate/import/"
PASSWORD = "correct horse battery staple"


@cache
def old_ca():
    return make_ca(subject=named("Old CA"), begins=timezone.now() - OLD)


@cache
def certified(name):
    return old_ca().certify(name, begins=timezone.now() - OLD)


def leaf(name):
    return certified(name).certificate


def file(name, data):
    return SimpleUploadedFile(name, data if isinstance(data, bytes) else data.encode())


def post(client, *files, **said):
    return client.post(PAGE, {"file": list(files), **said})


def counted(answer):
    (words,) = re.findall(r'class="import-counts">(.*?)</p>', answer.content.decode())
    return re.sub("<.*?>", "", words)


@pytest.fixture
def details(owner, local_ca, profile):
    return {"owner": str(owner.pk), "issuer": str(local_ca.pk), "profile": str(profile.pk)}


def confirm(client, *files, **said):
    """Look, and confirm what was shown."""
    texts = [(one.name, one.read()) for one in files]
    shown = post(client, *(file(name, data) for name, data in texts))
    (plan,) = re.findall(r'name="plan" value="([0-9a-f]{64})"', shown.content.decode())
    again = [file(name, data) for name, data in texts]
    return post(client, *again, confirmed="yes", **{"plan": plan, **said})


# --- What is read ---------------------------------------------------------------------------

A, B = "a.example.com", "b.example.com"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "data",
    [
        lambda: pem_of(leaf(A), leaf(B), old_ca().certificate),
        lambda: f"some text\n{pem_of(leaf(A))}more{pem_of(leaf(B))}".replace("\n", "\r\n"),
        lambda: pkcs7.serialize_certificates([leaf(A), leaf(B)], Encoding.PEM),
        lambda: pkcs7.serialize_certificates([leaf(A), leaf(B)], Encoding.DER),
    ],
    ids=["bundle", "text around it", "PKCS #7 in PEM", "PKCS #7 in DER"],
)
def test_certificates_are_found_in_whatever_file_they_come(data):
    seen = look([("file", _bytes(data()))])

    assert sorted(one.name for one in seen.new) == [A, B]
    assert not seen.broken


def _bytes(data):
    return data if isinstance(data, bytes) else data.encode()


@pytest.mark.django_db
def test_der_is_read_and_what_is_there_twice_counts_once():
    der = leaf(A).public_bytes(Encoding.DER)

    seen = look([("one", der), ("two", der)])

    assert [one.where for one in seen.new] == ["one"]


@pytest.mark.django_db
def test_a_chain_in_another_file_goes_with_what_it_signed():
    seen = look(
        [("a.pem", _bytes(pem_of(leaf(A)))), ("ca.pem", _bytes(pem_of(old_ca().certificate)))]
    )

    (one,) = seen.new
    assert seen.authorities == 1
    assert x509.load_pem_x509_certificates(one.pem.encode()) == [leaf(A), old_ca().certificate]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello", "neither PEM, PKCS #7 nor DER"),
        (b"0\x82\x01\x00broken", "malformed"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "malformed"),
        (b"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n", "base64 is damaged"),
        (b"-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n", "malformed"),
        (
            b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n",
            "no certificate but x509 crl",
        ),
    ],
)
def test_what_is_broken_says_why_and_stops_nothing_else(data, words):
    seen = look([("bad", data), ("good", _bytes(pem_of(leaf(A))))])

    assert [one.name for one in seen.new] == [A]
    (piece,) = seen.broken
    assert words in piece.fault
    assert piece.where.startswith("bad")


@pytest.mark.django_db
def test_a_file_with_a_private_key_is_not_read_at_all():
    data = _bytes(pem_of(leaf(A))) + _bytes(pem_of_key(certified(A).key))

    seen = look([("both.pem", data)])

    assert not seen.new
    assert "consider the key as exposed" in seen.broken[0].fault


# --- The page ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_alice_looks_and_nothing_is_imported_before_she_confirms(browse, alice, details):
    plan = look([("a.pem", _bytes(pem_of(leaf(A))))]).plan
    files = file("a.pem", pem_of(leaf(A))), file("bad.pem", "nothing")
    answer = post(browse(alice), *files, **details, plan=plan)

    assert counted(answer) == "1 new, 0 known already, 1 broken"
    assert not Certificate.objects.filter(name=A).exists()


@pytest.mark.django_db
def test_alice_confirms_and_then_all_of_it_is_known(browse, alice, details):
    client, text = browse(alice), pem_of(leaf(A), leaf(B), old_ca().certificate)

    answer = confirm(client, file("both.pem", text), **details, tags="old")

    assert "Imported 2 certificates" in answer.content.decode()
    assert counted(answer).startswith("0 new, 2 known already, 0 broken")
    row = Certificate.objects.get(name=A)
    assert (row.tags, row.owner_id) == (["old"], Certificate.objects.get(name=B).owner_id)
    assert Event.objects.filter(action="certificate.import", actor=alice).count() == 2
    assert row.current.chain_pem


@pytest.mark.django_db
def test_what_changed_since_it_was_shown_is_shown_again(browse, alice, details):
    answer = confirm(browse(alice), file("a.pem", pem_of(leaf(A))), **details, plan="0" * 64)

    assert answer.status_code == 400
    assert "no longer what was shown" in answer.content.decode()
    assert not Version.objects.filter(certificate__name=A).exists()


@pytest.mark.django_db
def test_what_is_wrong_with_the_details_is_said_before_anything_is_imported(browse, alice, details):
    client = browse(alice)
    missing = confirm(client, file("a.pem", pem_of(leaf(A))), **{**details, "owner": ""})
    wrong = confirm(client, file("a.pem", pem_of(leaf(A))), **details, tags="No Tag!")

    assert (missing.status_code, wrong.status_code) == (400, 400)
    assert "These are no tags" in wrong.content.decode()
    assert not Certificate.objects.filter(name=A).exists()
    assert Event.objects.filter(action="certificate.import.refuse", actor=alice).count() == 2


@pytest.mark.django_db
def test_what_does_not_fit_one_answer_is_offered_again(browse, alice, details, monkeypatch):
    monkeypatch.setattr(imports, "BUDGET", -1.0)

    answer = confirm(browse(alice), file("both.pem", pem_of(leaf(A), leaf(B))), **details)

    assert "Imported 1 certificate." in answer.content.decode()
    assert counted(answer) == "1 new, 1 known already, 0 broken"


@pytest.mark.django_db
def test_more_than_is_read_at_once_is_refused_in_words(browse, alice, monkeypatch):
    monkeypatch.setattr(bundles, "MAX_AT_ONCE", 1)

    answer = post(browse(alice), file("both.pem", pem_of(leaf(A), leaf(B))))

    assert answer.status_code == 400
    assert "more than 1 certificates in it" in answer.content.decode()


@pytest.mark.django_db
def test_names_with_markup_are_shown_as_they_are(browse, alice):
    answer = post(browse(alice), file("<b>bold<b>.pem", "nothing"))

    assert "&lt;b&gt;bold" in answer.content.decode()


@pytest.mark.django_db
def test_victor_has_neither_page_nor_button(browse, victor, alice, details):
    client = browse(victor)

    assert client.get(PAGE).status_code == 403
    assert post(client, file("a.pem", pem_of(leaf(A)))).status_code == 403
    assert PAGE not in client.get("/admin/certificates/certificate/").content.decode()
    assert PAGE in browse(alice).get("/admin/certificates/certificate/").content.decode()


@pytest.mark.django_db
def test_ten_mebibytes_are_taken_from_who_has_a_session_and_not_from_others(
    browse, alice, settings
):
    noise = b64encode(b"x" * 7_500_000)
    text = b"# " + noise + b"\n" + _bytes(pem_of(leaf(A)))

    assert (
        counted(post(browse(alice), file("large.pem", text))) == "1 new, 0 known already, 0 broken"
    )
    assert post(Client(), file("large.pem", text)).status_code == 413
    over = browse(alice).post(PAGE, {"file": [file("x", b"0" * settings.MAX_IMPORT_BYTES)]})
    assert over.status_code == 413


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1440, 380])
def test_files_stay_chosen_between_the_look_and_the_press(
    page, live_server, alice, owner, local_ca, profile, width
):
    alice.set_password(PASSWORD)
    alice.save()
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{live_server.url}/admin/login/?next={PAGE}")
    page.fill("input[name=username]", "alice")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.set_input_files(
        "#id_file",
        [
            {
                "name": "both.pem",
                "mimeType": "text/plain",
                "buffer": _bytes(pem_of(leaf(A), leaf(B))),
            },
            {"name": "bad.pem", "mimeType": "text/plain", "buffer": b"nothing"},
        ],
    )
    page.get_by_role("button", name="Look at it").click()
    page.wait_for_selector("text=2 new")
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.locator("[data-field=owner] .select2-selection").click()
    page.locator(".select2-search__field").last.fill("web")
    page.locator(".select2-results__option", has_text="web-shop").click()
    page.get_by_label("Issuer").select_option(label="issuing")
    page.get_by_label("Profile").select_option(label="tls-server")
    page.get_by_role("button", name="Import 2 certificates").click()
    page.wait_for_selector("text=Imported 2 certificates")

    assert Certificate.objects.filter(name__in=(A, B)).count() == 2

"""Files and texts of a version in the admin, read back by openssl; each download in the trail.

Alice and victor may export; mallory reads certificates and may not.
"""

import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from django.contrib.auth.models import Group, Permission

from audit.models import Event
from certificates.models import Version
from tests.factories import PrincipalFactory

PASSWORD = "correct horse battery staple"


@pytest.fixture
def mallory(db):
    """Somebody who reads certificates and may take none out."""
    reader = PrincipalFactory(username="mallory", is_staff=True)
    for name in ("view_certificate", "view_version"):
        reader.user_permissions.add(Permission.objects.get(codename=name))
    assert not reader.groups.filter(pk__in=Group.objects.all()).exists()
    return reader


def download(client, version, form, **more):
    return client.post(
        f"/admin/certificates/version/{version.pk}/download/", {"form": form, **more}
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("form", "read", "suffix"),
    [
        ("leaf", x509.load_pem_x509_certificates, "crt"),
        ("pem", x509.load_pem_x509_certificates, "pem"),
        ("der", lambda data: [x509.load_der_x509_certificate(data)], "cer"),
        ("pkcs12", lambda data: _certificates(pkcs12.load_pkcs12(data, None)), "p12"),
    ],
)
def test_alice_takes_each_form_and_the_trail_says_so(browse, alice, version, form, read, suffix):
    answer = download(browse(alice), version, form)

    assert answer.status_code == 200
    assert f'-v{version.number}.{suffix}"' in answer["Content-Disposition"]
    leaf = x509.load_pem_x509_certificate(version.pem.encode())
    assert leaf in read(answer.content)
    assert len(read(answer.content)) == (1 if form in {"leaf", "der"} else 3)
    assert b"PRIVATE KEY" not in answer.content
    event = Event.objects.get(action="certificate.export")
    assert (event.actor, event.data["format"]) == (alice, form)


def _certificates(store):
    assert store.key is None
    return [one.certificate for one in store.additional_certs]


@pytest.mark.django_db
def test_a_legacy_store_without_a_password_is_refused_in_words(browse, alice, version):
    answer = download(browse(alice), version, "pkcs12", legacy="on")

    assert answer.status_code == 302
    assert Event.objects.filter(action="certificate.export.refuse", actor=alice).count() == 1


@pytest.mark.django_db
def test_a_form_that_there_is_not_is_refused(browse, alice, version):
    assert download(browse(alice), version, "jks").status_code == 302
    assert Event.objects.filter(action="certificate.export.refuse").count() == 1


@pytest.mark.django_db
def test_whoever_may_not_export_sees_no_files_and_gets_none(browse, mallory, victor, version):
    for model, row in (("version", version), ("certificate", version.certificate)):
        page = f"/admin/certificates/{model}/{row.pk}/change/"
        assert "Files of version" in browse(victor).get(page).content.decode()
        assert "Files of version" not in browse(mallory).get(page).content.decode()

    assert download(browse(mallory), version, "pem").status_code == 403
    assert not Event.objects.filter(action="certificate.export").exists()


@pytest.mark.django_db
def test_a_download_is_asked_for_and_never_followed(browse, alice, version):
    answer = browse(alice).get(f"/admin/certificates/version/{version.pk}/download/")

    assert answer.status_code == 405


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1440, 380])
def test_what_is_copied_openssl_reads_unchanged(
    page, live_server, alice, version, openssl, width, tmp_path
):
    alice.set_password(PASSWORD)
    alice.save()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.set_viewport_size({"width": width, "height": 900})
    where = f"/admin/certificates/certificate/{version.certificate_id}/change/"
    page.goto(f"{live_server.url}/admin/login/?next={where}")
    page.fill("input[name=username]", "alice")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.get_by_text("As text").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.get_by_role("button", name="Copy the certificate").click()
    page.wait_for_selector("text=Copied")
    copied = page.evaluate("navigator.clipboard.readText()")

    file = tmp_path / "copied.pem"
    file.write_text(copied)
    seen = subprocess.run(
        [openssl, "x509", "-in", file, "-noout", "-fingerprint", "-sha256"],
        capture_output=True,
        text=True,
        check=True,
    )
    fresh = Version.objects.get(pk=version.pk)
    assert seen.stdout.partition("=")[2].strip().replace(":", "").lower() == fresh.fingerprint
    assert copied == f"{fresh.pem.strip()}\n"

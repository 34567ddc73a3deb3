"""What odd, broken and hostile peers send to EST: refused in words, and never a fault of ours."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django.utils import timezone

from audit.models import Event
from certificates.models import Version
from enrollment.models import MAX_DEVICE_NAME, Device, device_name
from issuers.x509 import certs
from tests.enrollment.conftest import DEVICE
from tests.enrollment.est_client import BASE, PKCS10, basic, enrolled, escaped
from tests.fixtures import make_csr, new_key

pytestmark = pytest.mark.django_db
NAME = x509.NameOID.COMMON_NAME


def self_signed(*pairs, key=None, by=None):
    """Return a certificate of nobody's, or `by` a maker, whose subject says what it likes."""
    key, now = key or new_key(), timezone.now()
    maker, signer = by or ("", key)
    subject = x509.Name([x509.NameAttribute(oid, value, _validate=False) for oid, value in pairs])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NAME, maker)]) if by else subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    return certs.pem(builder.sign(signer, hashes.SHA256()))


@pytest.mark.parametrize(
    "pairs",
    [
        [(NAME, "cam\0-1")],
        [(NAME, "\0")],
        [(NAME, "\ud7ff\x1b[2J")],
        [],
        [(x509.ObjectIdentifier("1.2.3.4.5"), "odd")],
        [(x509.NameOID.SERIAL_NUMBER, "17")],
    ],
)
@pytest.mark.parametrize("accepts", [["secret"], ["manufacturer"]])
def test_a_certificate_of_nobody_s_is_refused_whatever_its_subject_says(
    est, make_label, free_device_profile, pairs, accepts
):
    anchor = self_signed((NAME, "maker"))
    more = {"trust_anchors_pem": anchor} if "manufacturer" in accepts else {}
    make_label("odd", free_device_profile, accepts=accepts, **more)

    answer = est.ask("simpleenroll", make_csr(DEVICE), label="odd", shown=self_signed(*pairs))

    assert answer.status_code == 401, answer.content
    assert not Version.objects.exists()


@pytest.mark.parametrize(
    ("name", "status"),
    [("SN-1", 202), ("cam\0-1", 401), ("\x1b[2J", 401), (" ", 401), ("\u202eevil", 401)],
)
def test_a_manufacturer_s_name_that_nobody_can_read_names_no_device(
    est, make_label, free_device_profile, name, status
):
    maker = new_key()
    anchor = self_signed((NAME, "maker"), key=maker)
    make_label("odd", free_device_profile, accepts=["manufacturer"], trust_anchors_pem=anchor)
    shown = self_signed((NAME, name), by=("maker", maker))

    answer = est.ask("simpleenroll", make_csr(DEVICE), label="odd", shown=shown)

    assert answer.status_code == status, answer.content


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic ",
        "Basic %%%",
        "basic " + "A" * 100_000,
        "Bearer abc",
        "Negotiate",
        "Digest username=x",
        basic("\0", "\0"),
        basic("ä" * 20, "ö"),
        basic(""),
        basic("x" * 40, DEVICE),
        "Basic " + "/w==",
        "Basic YWJj",
        f"{basic('one', 'a')}, {basic('two', 'b')}",
    ],
)
def test_no_credential_is_401_in_words(est, label, authorization):
    answer = est.ask("simpleenroll", make_csr(DEVICE), Authorization=authorization)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "path",
    [
        f"{BASE}/CAMS/cacerts",
        f"{BASE}/cams/cacerts/",
        f"{BASE}/cams//cacerts",
        f"{BASE}//cacerts",
        f"{BASE}/cams/CACERTS",
        f"{BASE}/%00/cacerts",
        f"{BASE}/c%61ms%2fcacerts",
        f"{BASE}/..%2f/cacerts",
        f"{BASE}/{'x' * 5000}/cacerts",
        f"{BASE}/cams/cacerts%0a",
        f"{BASE}/",
        BASE,
    ],
)
def test_another_address_is_404_in_words(est, label, path):
    answer = est.get(path, headers={"X-Forwarded-Proto": "https"}, REMOTE_ADDR="192.0.2.7")

    assert answer.status_code in {404, 200}
    assert (answer.status_code == 200) == (path == f"{BASE}/c%61ms%2fcacerts")
    if answer.status_code == 404:
        assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "X"]
)
def test_another_method_is_405_and_says_which(est, label, method):
    answer = est.generic(
        method,
        f"{BASE}/cams/simpleenroll",
        b"",
        PKCS10,
        headers={"X-Forwarded-Proto": "https"},
        REMOTE_ADDR="192.0.2.7",
    )

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_no_credential_stands_in_the_trail_or_in_the_log(est, label, secret_for, caplog, bob):
    made = secret_for(label)
    wrong = made.text[:-1] + ("a" if made.text[-1] != "a" else "b")
    for secret in (wrong, made.text, wrong.upper()):
        est.ask("simpleenroll", make_csr(DEVICE), secret=secret, user=DEVICE)
    est.ask("simpleenroll", make_csr("other.demo.internal"), secret=made.text)
    est.ask("serverkeygen", make_csr(DEVICE), secret=made.text)

    told = caplog.text + "".join(
        f"{one.data} {one.subject_name} {one.api_key}" for one in Event.objects.all()
    )
    for secret in (made.text, wrong):
        assert secret.partition("-")[2][:16] not in told
    assert made.text not in repr(made.credential)


def test_a_certificate_shown_twice_or_beside_others_is_none(est, label, secret_for):
    version = enrolled(est, label, secret_for(label))
    for text in (
        escaped(version.pem) * 2,
        escaped(version.pem) + "," + escaped(version.pem),
        escaped(version.pem + version.pem),
        escaped("x" + version.pem),
        escaped(version.pem).replace("%", "%25"),
        "%00" + escaped(version.pem),
        escaped(version.pem) + " " * 20_000,
    ):
        answer = est.ask("simplereenroll", make_csr(DEVICE), **{"X-SSL-Client-Cert": text})
        assert answer.status_code == 400, text[:40]
    assert Version.objects.count() == 1


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
        "application/pkcs10x",
        "\0",
    ],
)
def test_another_content_type_is_415(est, label, secret_for, content_type):
    made = secret_for(label)

    answer = est.ask("simpleenroll", make_csr(DEVICE), secret=made.text, content_type=content_type)

    assert answer.status_code == 415


@pytest.mark.parametrize("size", [128 * 1024 + 1, 5_000_000])
def test_a_huge_body_is_413(est, label, secret_for, size):
    made = secret_for(label)

    assert est.ask("simpleenroll", body=b"A" * size, secret=made.text).status_code == 413


def test_two_devices_whose_names_begin_the_same_are_two(
    est, make_label, free_device_profile, secret_for
):
    free_device_profile.allowed_sans = ["uri:urn:cam:*"]
    free_device_profile.save()
    label = make_label("cams", free_device_profile, accepts=["label-secret"], trust_shared=True)
    shared = secret_for(label, "", names=[], one_time=False)
    first, second = (f"urn:cam:{'x' * 120}{end}" for end in "ab")

    def ask(name):
        csr = make_csr(common_name="", sans=[x509.UniformResourceIdentifier(name)])
        return est.ask("simpleenroll", csr, secret=shared.text).status_code

    assert [ask(first), ask(second)] == [200, 200]
    names = set(Device.objects.values_list("name", flat=True))
    assert len(names) == 2
    assert {len(name) for name in names} == {MAX_DEVICE_NAME}
    assert len({name[:80] for name in names}) == 1
    # The one's names are still none of the other's.
    assert ask(first) == 403


@pytest.mark.parametrize(("length", "kept"), [(100, True), (101, False)])
def test_a_name_is_kept_as_long_as_it_fits(length, kept):
    name = device_name("c" * length)

    assert (name == "c" * length) is kept
    assert len(name) == MAX_DEVICE_NAME


def test_a_name_that_is_longer_than_a_column_is_refused_in_words(
    est, label, secret_for, free_device_profile
):
    free_device_profile.allowed_sans = ["uri:*", "dns:*"]
    free_device_profile.save()
    long = "urn:cam:" + "x" * 900
    made = secret_for(label, names=["uri:urn:cam:*"])
    csr = make_csr(common_name="", sans=[x509.UniformResourceIdentifier(long)])

    answer = est.ask("simpleenroll", csr, secret=made.text)

    assert answer.status_code in {200, 400}, answer.content

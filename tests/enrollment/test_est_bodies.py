"""What devices send to EST: read with tolerance, refused in words."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import AttributeOID
from django.test import Client

from enrollment.cms import bags
from jobs.models import Job
from tests.enrollment.conftest import DEVICE, FRONT
from tests.enrollment.est_client import (
    BASE,
    body_of,
    der_of,
    refusals,
)
from tests.fixtures import make_csr, new_key

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "form",
    [
        lambda csr: base64.b64encode(der_of(csr)),
        lambda csr: body_of(csr).replace(b"\n", b"\r\n"),
        lambda csr: b" " + body_of(csr).replace(b"\n", b" \n\n"),
        der_of,
        str.encode,
    ],
    ids=["one line", "CRLF", "blanks", "DER", "PEM"],
)
def test_a_request_is_read_as_clients_send_it(est, label, secret_for, form):
    made, csr = secret_for(label), make_csr(DEVICE)

    answer = est.ask(
        "simpleenroll",
        body=form(csr),
        secret=made.text,
        **{"Content-Transfer-Encoding": "nonsense"},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("", 200),
        ("application/pkcs10; charset=x", 200),
        ("APPLICATION/PKCS10", 200),
        ("application/json", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
def test_a_missing_content_type_passes_and_a_wrong_one_does_not(
    est, label, secret_for, content_type, status
):
    made = secret_for(label)

    answer = est.ask("simpleenroll", make_csr(DEVICE), secret=made.text, content_type=content_type)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\0" * 100, 400),
        (b"M" * 100, 400),
        (b"garbage!", 400),
        (body_of(make_csr(DEVICE))[:100], 400),
        (der_of(make_csr(DEVICE))[:-1], 400),
        (der_of(make_csr(DEVICE)) + b"x", 400),
        (b"\x30\x80" + b"\x30\x80" * 10_000, 400),
        (b"A" * (128 * 1024 + 1), 413),
    ],
    ids=[
        "nothing",
        "zeros",
        "base64 of no DER",
        "no base64",
        "base64 cut off",
        "DER cut off",
        "DER with more behind",
        "nested without ends",
        "huge",
    ],
)
def test_what_is_no_request_is_refused_in_words_and_told_once(est, label, secret_for, body, status):
    answer = est.ask("simpleenroll", body=body, secret=secret_for(label).text)

    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.content.count(b"\n") == 1
    assert refusals() == [("enrollment.request.refuse", status)]
    assert not Job.objects.exists()


def test_a_request_outside_the_profile_is_400_in_words(est, label, secret_for):
    made = secret_for(label, names=["dns:*"])

    answer = est.ask("simpleenroll", make_csr("cam-1.elsewhere.test"), secret=made.text)

    assert answer.status_code == 400
    assert b"cam-1.elsewhere.test" in answer.content
    assert refusals() == [("enrollment.request.refuse", 400)]


def test_a_request_whose_own_signature_does_not_hold_is_400(est, label, secret_for):
    der = bytearray(der_of(make_csr(DEVICE)))
    der[-1] ^= 1

    answer = est.ask("simpleenroll", body=bytes(der), secret=secret_for(label).text)

    assert answer.status_code == 400
    assert not Job.objects.exists()


def bound_csr(text):
    """A request that carries a challengePassword."""
    key = new_key()
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, DEVICE)])
    )
    names = x509.SubjectAlternativeName([x509.DNSName(DEVICE)])
    request = (
        builder.add_extension(names, critical=False)
        .add_attribute(AttributeOID.CHALLENGE_PASSWORD, text.encode())
        .sign(key, hashes.SHA256())
    )
    return request.public_bytes(serialization.Encoding.PEM).decode()


def test_a_request_bound_to_a_connection_is_held_to_it(est, label, secret_for):
    made, csr = secret_for(label), bound_csr("dGxzLXVuaXF1ZQ==")
    ask = {"secret": made.text}

    assert est.ask("simpleenroll", csr, **ask).status_code == 400
    assert est.ask("simpleenroll", csr, **ask, **{"X-TLS-Unique": "b3RoZXI="}).status_code == 400
    assert not Job.objects.exists()
    answer = est.ask("simpleenroll", csr, **ask, **{"X-TLS-Unique": "dGxzLXVuaXF1ZQ=="})
    assert answer.status_code == 200


def test_nobody_is_asked_to_bind_a_request(est, label, secret_for):
    answer = est.ask(
        "simpleenroll",
        make_csr(DEVICE),
        secret=secret_for(label).text,
        **{"X-TLS-Unique": "b3RoZXI="},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("headers", [{"User-Agent": "curl/8"}, {"Accept": "*/*"}])
def test_base64_comes_in_lines_for_whoever_says_what_it_is(label, settings, headers):
    assert cacerts(settings, headers).count(b"\n") > 10


def test_base64_comes_in_one_line_for_a_client_that_says_nothing(label, settings):
    text = cacerts(settings, {})

    assert b"\n" not in text
    assert bags.parse(base64.b64decode(text, validate=True)).certificates


def cacerts(settings, headers):
    """What a client with these headers gets; strongSwan's pki has none and reads no line breaks."""
    settings.TLS_FRONTS = [FRONT]
    sent = {"X-Forwarded-Proto": "https", **headers}
    answer = Client().get(f"{BASE}/cams/cacerts", REMOTE_ADDR=FRONT, headers=sent)
    assert answer.headers["Content-Length"] == str(len(answer.content))
    return answer.content

"""Who comes through a TLS front, and who only says so."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certificates.models import Version
from tests.enrollment.conftest import DEVICE, FRONT
from tests.enrollment.est_client import (
    enrolled,
    escaped,
    refusals,
)
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("peer", "proto"), [("192.0.2.8", "https"), (FRONT, "http"), (FRONT, ""), ("", "https")]
)
@pytest.mark.parametrize("operation", ["cacerts", "simpleenroll"])
def test_without_a_tls_front_there_is_no_est(est, label, operation, peer, proto):
    answer = est.ask(
        operation,
        make_csr(DEVICE),
        peer=peer,
        method="get" if operation == "cacerts" else "post",
        **{"X-Forwarded-Proto": proto},
    )

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert b"TLS front" in answer.content


def test_a_certificate_is_believed_from_a_front_and_from_nobody_else(est, label, secret_for):
    version = enrolled(est, label, secret_for(label))

    answer = est.ask("simplereenroll", make_csr(DEVICE), shown=version, peer="192.0.2.8")

    assert answer.status_code == 403
    assert Version.objects.count() == 1
    assert refusals() == [("enrollment.request.refuse", 403)]
    assert est.ask("simplereenroll", make_csr(DEVICE), shown=version).status_code == 200


def test_a_header_of_another_form_than_the_front_s_says_nothing(est, label, secret_for):
    version = enrolled(est, label, secret_for(label))
    der = x509.load_pem_x509_certificate(version.pem.encode()).public_bytes(
        serialization.Encoding.DER
    )
    text = base64.b64encode(der).decode()

    for headers in ({"Client-Cert": f":{text}:"}, {"X-SSL-Client-DER": text}):
        assert est.ask("simplereenroll", make_csr(DEVICE), **headers).status_code == 403
    assert Version.objects.count() == 1


@pytest.mark.parametrize("form", ["rfc9440", "haproxy", "nginx"])
def test_each_form_of_a_front_is_understood(est, label, secret_for, settings, form):
    version = enrolled(est, label, secret_for(label))
    der = x509.load_pem_x509_certificate(version.pem.encode()).public_bytes(
        serialization.Encoding.DER
    )
    text = base64.b64encode(der).decode()
    settings.TLS_FRONT_FORM = form
    headers = {
        "rfc9440": {"Client-Cert": f":{text}:"},
        "haproxy": {"X-SSL-Client-DER": text},
        "nginx": {"X-SSL-Client-Cert": escaped(version.pem)},
    }[form]

    assert est.ask("simplereenroll", make_csr(DEVICE), **headers).status_code == 200


@pytest.mark.parametrize("text", ["garbage", "%zz", escaped("-----BEGIN CERTIFICATE-----")])
def test_what_a_front_hands_on_damaged_is_400(est, label, text):
    answer = est.ask("simplereenroll", make_csr(DEVICE), **{"X-SSL-Client-Cert": text})

    assert answer.status_code == 400
    assert refusals() == [("enrollment.request.refuse", 400)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/.well-known/est/cams/cacerts", 404),
        ("/scep", 400),
        ("/scep/cams/pkiclient.exe", 400),
        ("/scepx", 301),
        ("/api/v1/jobs/", 301),
    ],
)
def test_no_device_is_sent_to_https(client, settings, label, path, status):
    """A POST would be lost on the way, and much gear knows no redirects."""
    settings.SECURE_SSL_REDIRECT = True

    assert client.get(path).status_code == status

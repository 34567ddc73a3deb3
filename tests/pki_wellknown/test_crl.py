from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
import time_machine
from cryptography import x509
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from certificates import crl
from certificates.models import CRL

URL = "/.well-known/pki/crl/issuing"


def test_the_crl_is_der_for_everybody(client, published, django_assert_num_queries):
    client.get(URL)
    with django_assert_num_queries(1):  # its bytes are held in memory
        response = client.get(URL)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/pkix-crl"
    assert response.content == bytes(published.der)
    assert int(response["Content-Length"]) == len(response.content)
    assert x509.load_der_x509_crl(response.content).issuer
    assert not response.cookies
    assert "Vary" not in response
    assert "Content-Encoding" not in response
    assert "Location" not in response


def test_its_headers_say_how_long_it_may_be_kept(client, published):
    response = client.get(URL)

    assert response["ETag"] == f'"{published.etag}"'
    assert parsedate_to_datetime(response["Last-Modified"]) == published.this_update
    assert response["Last-Modified"].endswith("GMT")
    assert parsedate_to_datetime(response["Expires"]) == published.next_update
    directives = response["Cache-Control"].split(", ")
    assert directives[1:] == ["public", "no-transform", "must-revalidate"]
    left = (published.next_update - timezone.now()).total_seconds()
    assert 0 < int(directives[0].removeprefix("max-age=")) < left


def test_a_cache_asks_again_after_a_quarter_of_an_hour(client, published):
    assert client.get(URL)["Cache-Control"].startswith("max-age=900, ")


def test_no_cache_keeps_it_past_its_end(client, published):
    with time_machine.travel(published.next_update - timedelta(seconds=30), tick=False):
        response = client.get(URL)

    assert response["Cache-Control"].startswith("max-age=29, ")


def test_two_of_one_second_are_told_apart(client, local_ca, system):
    with time_machine.travel(timezone.now(), tick=False):
        crl.publish(issuer_id=local_ca.pk, actor=system)
        before = client.get(URL)
        newer = crl.publish(issuer_id=local_ca.pk, actor=system)

        answer = client.get(URL, headers={"If-Modified-Since": before["Last-Modified"]})

    assert (answer.status_code, answer.content) == (200, bytes(newer.der))
    assert newer.this_update <= timezone.now()


def test_head_has_the_headers_alone(client, published):
    got, head = client.get(URL), client.head(URL)

    assert head.content == b""
    for name in ("Content-Type", "Content-Length", "ETag", "Last-Modified", "Expires"):
        assert head[name] == got[name]


@pytest.mark.parametrize("method", ["get", "head"])
def test_who_has_it_is_told_so(client, published, method):
    full = client.get(URL)

    for headers in (
        {"If-None-Match": full["ETag"]},
        {"If-None-Match": f'"other", {full["ETag"]}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": full["Last-Modified"]},
        {"If-None-Match": full["ETag"], "If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    ):
        response = getattr(client, method)(URL, headers=headers)
        assert (response.status_code, response.content) == (304, b"")
        for name in ("ETag", "Last-Modified", "Expires", "Cache-Control"):
            assert response[name].split(",")[-1] == full[name].split(",")[-1]


@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": '"other"'},
        {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"If-Modified-Since": "yesterday"},
    ],
)
def test_who_has_another_gets_this_one(client, published, headers):
    assert client.get(URL, headers=headers).status_code == 200


def test_a_new_crl_has_new_validators(client, published, local_ca, system):
    before = client.get(URL)
    crl.publish(issuer_id=local_ca.pk, actor=system)

    after = client.get(URL, headers={"If-None-Match": before["ETag"]})

    assert after.status_code == 200
    assert after["ETag"] != before["ETag"]


def test_before_the_first_crl_it_is_unavailable_and_nothing_is_signed(client, local_ca):
    response = client.get(URL)

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Type"].startswith("text/plain")
    assert not CRL.objects.exists()


def test_an_expired_crl_is_never_served(client, published):
    with time_machine.travel(published.next_update, tick=False):
        response = client.get(URL)

    assert response.status_code == 503
    assert "Retry-After" in response
    assert published.next_update - published.this_update == settings.CRL_LIFETIME


@pytest.mark.parametrize(
    "path", ["crl/nowhere", "crl/", "crl", "", "crl/issuing/", "crl/issuing.crl", "x", "crl/%00"]
)
def test_what_does_not_exist_is_not_found(client, local_ca, path):
    response = client.get(f"/.well-known/pki/{path}")

    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_other_methods_are_refused(client, published, method):
    response = getattr(client, method)(URL)

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


def test_a_database_that_is_down_is_a_503(client, published, monkeypatch):
    def broken(slug):
        raise OperationalError

    monkeypatch.setattr("certificates.crl.current", broken)

    response = client.get(URL)

    assert (response.status_code, "Retry-After" in response) == (503, True)
    assert b"<" not in response.content


@pytest.mark.parametrize("path", ["crl", "crl/", "crl/issuing/", "ocsp", "ocsp/", "ocsp/issuing/x"])
def test_there_is_no_crl_or_ocsp_under_api(client_of, victor, published, path):
    assert client_of(victor).get(f"/api/v1/{path}").status_code == 404


# --- The issuer's certificate ---------------------------------------------------------------


def test_the_ca_certificate_is_der(client, local_ca, django_assert_num_queries):
    with django_assert_num_queries(1):
        response = client.get("/.well-known/pki/ca/issuing")

    certificate = x509.load_pem_x509_certificate(local_ca.certificate_pem.encode())
    assert response["Content-Type"] == "application/pkix-cert"
    assert x509.load_der_x509_certificate(response.content) == certificate
    again = client.get("/.well-known/pki/ca/issuing", headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_an_unknown_ca_is_not_found(client, db):
    assert client.get("/.well-known/pki/ca/nowhere").status_code == 404
    assert client.post("/.well-known/pki/ca/nowhere")["Allow"] == "GET, HEAD"

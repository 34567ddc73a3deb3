"""Relying parties find everything under any prefix that is, or ever was, signed."""

import base64

import pytest

from certificates import crl
from issuers.models import Issuer
from pki_wellknown.middleware import tail_of
from tests.pki_wellknown.test_ocsp import request_for

PLAIN = "/.well-known/pki"


@pytest.fixture
def published(local_ca, system):
    return crl.publish(issuer_id=local_ca.pk, actor=system)


@pytest.mark.parametrize("prefix", ["/trust", "", "/a/b.c", "/.well-known/certctl-pki"])
def test_the_same_is_answered_under_an_alias_as_under_the_well_known_path(
    client, published, version, prefix
):
    question = request_for(version)
    encoded = base64.b64encode(question).decode()

    for path in ("/crl/issuing", "/ca/issuing", f"/ocsp/issuing/{encoded}"):
        there, here = client.get(f"{PLAIN}{path}"), client.get(f"{prefix}{path}")
        assert (here.status_code, here.content) == (200, there.content)
        assert here["Content-Type"] == there["Content-Type"]
        assert not here.cookies
    posted = client.post(
        f"{prefix}/ocsp/issuing", question, content_type="application/ocsp-request"
    )
    assert posted["Content-Type"] == "application/ocsp-response"
    assert posted.content == client.get(f"{PLAIN}/ocsp/issuing/{encoded}").content


def test_an_alias_is_no_redirect_to_https(client, published, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/trust/crl/issuing").status_code == 200


def test_a_prefix_that_is_no_longer_signed_is_still_answered(client, published):
    Issuer.objects.update(pki_prefix="http://pki.example.com/old")
    Issuer.objects.update(pki_prefix="http://pki.example.com/new")

    for prefix in ("/old", "/new", PLAIN):
        assert client.get(f"{prefix}/crl/issuing").status_code == 200


def test_an_unknown_issuer_is_not_found_under_an_alias_either(client, db):
    assert client.get("/trust/crl/nobody").status_code == 404


@pytest.mark.parametrize(
    ("path", "tail"),
    [
        ("/trust/crl/issuing", "crl/issuing"),
        ("/crl/issuing", "crl/issuing"),
        ("/trust/ocsp/issuing/MEUw//A/ca/x", "ocsp/issuing/MEUw//A/ca/x"),
        ("/ca/crl", "ca/crl"),
        ("/trust", None),
        ("/trust/crls/issuing", None),
        ("//crl/issuing", None),
        ("/api/v1/crl/issuing", None),
        ("/admin/certificates/crl/5/change/", None),
        ("/.well-known/est/ca/simpleenroll", None),
        ("/scep/ca/pkiclient.exe", None),
    ],
)
def test_a_path_is_told_by_its_end(path, tail):
    assert tail_of(path) == tail


def test_other_doors_keep_what_looks_like_an_alias(client, published):
    for path in ("/api/v1/crl/issuing", "/static/crl/issuing", "/scep/crl/issuing"):
        assert client.get(path).get("Content-Type") != "application/pkix-crl"

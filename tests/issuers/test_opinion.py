"""Pkilint finds no fault with what we sign; and where it does, what follows.

Carol administers the CAs.
"""

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from certctl.checks import settings_are_possible
from certificates import crl, services
from certificates.models import Alert
from certificates.services import make_ca
from certificates.services.alerts import _of_crl
from foundation.errors import ConnectorError
from issuers.services import NewCA
from issuers.services.authorities import CA_ALGORITHMS
from issuers.x509 import certs, opinion
from tests.certificates.conftest import issue  # noqa: F401 - a fixture
from tests.pki_wellknown.test_ocsp import request_for

FAULT = ["pkix.wrong: something"]


@pytest.fixture
def lint(settings):
    settings.LINT = True
    settings.PKI_BASE_URL = "http://pki.example.com"
    _of_crl.cache_clear()


@pytest.fixture
def make(request, local_ca):
    """Issue a certificate and return its version."""
    return request.getfixturevalue("issue")


@pytest.mark.parametrize("algorithm", CA_ALGORITHMS)
def test_pkilint_finds_no_error_in_cas_certificates_crls_and_answers(
    lint, algorithm, make, carol, client, root_ca
):
    ca = make_ca(
        actor=carol,
        ca=NewCA(
            slug="linted",
            common_name="Linted CA",
            organization="Example",
            key_algorithm=algorithm,
            lifetime=timedelta(days=400),
            parent=root_ca,
            name_constraints=["dns:demo.internal"],
        ),
    )
    versions = [make(f"{name}.demo.internal", issuer=ca) for name in ("a", "b", "c", "d")]
    for version, reason in zip(
        versions, ("keyCompromise", "unspecified", "certificateHold"), strict=False
    ):
        services.revoke(version_id=version.pk, reason=reason, actor=carol)
    published = crl.publish(issuer_id=ca.pk, actor=carol)

    assert opinion.of_certificate(ca.certificate.public_bytes(Encoding.DER)) == []
    assert opinion.of_certificate(root_ca.certificate.public_bytes(Encoding.DER)) == []
    assert opinion.of_crl(bytes(published.der)) == []
    for version in versions:
        assert opinion.of_certificate(_der(version)) == []
        answer = client.post(
            "/.well-known/pki/ocsp/linted",
            request_for(version),
            content_type="application/ocsp-request",
        )
        assert len(answer.content) > 100
        assert opinion.of_response(answer.content) == []


def _der(version):
    return certs.load(version.pem).public_bytes(Encoding.DER)


def test_nor_in_an_empty_crl_nor_in_a_short_lived_certificate(lint, make, local_ca, carol):
    published = crl.publish(issuer_id=local_ca.pk, actor=carol)
    short = make("s.demo.internal", lifetime=timedelta(minutes=30))

    assert short.short_lived
    assert opinion.of_certificate(_der(short)) == []
    assert opinion.of_crl(bytes(published.der)) == []


def test_it_would_find_something(local_ca, root_ca):
    """Else the tests above say nothing."""
    # The subject's own name twice: RFC 5280 §4.1.2.2 wants serials of 20 octets at most, positive.
    der = root_ca.certificate.public_bytes(Encoding.DER)
    without = bytearray(der)
    at = without.index(bytes.fromhex("0603551d0e"))  # subjectKeyIdentifier, and now keyUsage
    without[at : at + 5] = bytes.fromhex("0603551d0f")

    assert opinion.of_certificate(bytes(without)) != []
    assert opinion.of_crl(b"x")[0].startswith("unreadable")
    assert opinion.of_response(b"\x30\x00") != []


def test_an_error_stops_a_certificate_for_good_and_says_why(lint, make, monkeypatch):
    monkeypatch.setattr(opinion, "of_certificate", lambda der: FAULT)

    with pytest.raises(ConnectorError, match=r"pkix\.wrong: something") as refused:
        make("web.demo.internal")

    assert refused.value.permanent


def test_nobody_is_asked_unless_the_option_is_on(make, monkeypatch):
    monkeypatch.setattr(opinion, "of_certificate", lambda der: FAULT)

    assert make("web.demo.internal").pk


def test_an_error_stops_a_subordinate_ca_too(lint, root_ca, carol, monkeypatch):
    monkeypatch.setattr(opinion, "of_certificate", lambda der: FAULT)

    with pytest.raises(ConnectorError, match="pkilint"):
        make_ca(
            actor=carol,
            ca=NewCA(
                slug="below", common_name="Below", lifetime=timedelta(days=30), parent=root_ca
            ),
        )


@pytest.mark.parametrize("place", ["of_crl", "of_response"])
def test_a_crl_or_an_answer_with_an_error_is_published_and_raises_an_alert(
    lint, place, make, local_ca, system, monkeypatch, client
):
    version = make("web.demo.internal")
    encoded = base64.b64encode(request_for(version)).decode()
    client.get(f"/.well-known/pki/ocsp/issuing/{encoded}")
    monkeypatch.setattr(opinion, place, lambda der: FAULT)

    crl.publish(issuer_id=local_ca.pk, actor=system)
    services.watch_issuers(actor=system)

    assert client.get("/.well-known/pki/crl/issuing").status_code == 200
    (alert,) = Alert.objects.open().filter(kind="lint_failed")
    assert alert.issuer == local_ca
    assert "pkix.wrong: something" in alert.detail
    monkeypatch.setattr(opinion, place, lambda der: [])
    _of_crl.cache_clear()
    services.watch_issuers(actor=system)
    assert not Alert.objects.open().filter(kind="lint_failed")


def test_each_crl_is_looked_at_once_and_a_long_one_not_at_all(lint, local_ca, system, monkeypatch):
    looked = []
    monkeypatch.setattr(opinion, "of_crl", lambda der: looked.append(der) or [])
    published = crl.publish(issuer_id=local_ca.pk, actor=system)

    services.watch_issuers(actor=system)
    services.watch_issuers(actor=system)
    assert looked == [bytes(published.der)]

    monkeypatch.setattr("certificates.services.alerts.MAX_LINTED", 10)
    crl.publish(issuer_id=local_ca.pk, actor=system)
    services.watch_issuers(actor=system)
    assert len(looked) == 1


def test_the_option_without_pkilint_stops_the_start(settings, monkeypatch):
    settings.LINT = True
    assert settings_are_possible() == []

    monkeypatch.setattr(opinion, "find_spec", lambda name: None)

    assert [message.id for message in settings_are_possible()] == ["certctl.E014"]

"""Signing under a profile, and the digest that an approval is bound to."""

import json
from datetime import timedelta

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.utils import timezone

from foundation.errors import ConnectorError, Invalid
from issuers import services
from issuers.ca_keys import CA_KEY
from issuers.connectors import CONNECTORS, connector_for
from issuers.models import Issuer
from issuers.server_keys import SERVER_KEY
from tests.fixtures import make_csr

NAME = "web.demo.internal"
SECOND = timedelta(seconds=1)


def test_every_kind_of_issuer_has_a_connector():
    assert set(CONNECTORS) == set(Issuer.Kind.values)
    assert all(connector_for(Issuer(kind=kind)) for kind in CONNECTORS)


@pytest.fixture
def sign(local_ca, free_profile):
    def make(**changes):
        given = {"issuer": local_ca, "profile": free_profile, "csr_pem": make_csr(NAME)}
        return services.sign(**{**given, **changes})

    return make


def test_what_is_signed_is_described(sign, local_ca):
    csr_pem = make_csr(NAME)

    signed = sign(csr_pem=csr_pem)

    certificate = x509.load_pem_x509_certificate(signed.certificate_pem.encode())
    csr = x509.load_pem_x509_csr(csr_pem.encode())
    assert certificate.public_key() == csr.public_key()
    assert int(signed.serial_hex, 16) == certificate.serial_number
    assert signed.sans == [f"dns:{NAME}"]
    assert signed.subject == f"CN={NAME}"
    assert not signed.short_lived
    assert signed.chain_pem.startswith(local_ca.certificate_pem)
    assert signed.chain_pem.count("BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, timedelta(days=47)),
        (timedelta(days=10), timedelta(days=10)),
        (timedelta(days=400), timedelta(days=47)),
        (timedelta(days=1, microseconds=7), timedelta(days=1)),
    ],
)
def test_the_lifetime_is_exact_and_never_over_the_profiles(sign, asked, given):
    signed = sign(lifetime=asked)

    assert signed.not_after - signed.not_before + SECOND == given


def test_nothing_outlives_its_ca(sign, local_ca):
    ends = x509.load_pem_x509_certificate(local_ca.certificate_pem.encode()).not_valid_after_utc

    with time_machine.travel(ends - timedelta(days=5)):
        signed = sign()

    assert signed.not_after == ends


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=30), -timedelta(days=1)])
def test_a_lifetime_that_is_over_at_once_is_refused(sign, lifetime):
    with pytest.raises(ConnectorError) as caught:
        sign(lifetime=lifetime)

    assert caught.value.permanent


def test_an_expired_ca_signs_nothing(sign):
    with (
        time_machine.travel(timezone.now() + timedelta(days=3000)),
        pytest.raises(ConnectorError, match="not valid now"),
    ):
        sign()


@pytest.mark.parametrize(
    ("minutes", "short"), [(30, True), (59, True), (60, False), (24 * 60, False)]
)
def test_under_an_hour_is_short_lived(sign, minutes, short):
    signed = sign(lifetime=timedelta(minutes=minutes))

    assert signed.short_lived is short


def test_the_request_is_checked_again(sign):
    with pytest.raises(services.CSRRejected):
        sign(csr_pem=make_csr("evil.example"))


def test_an_issuer_that_the_profile_does_not_allow_signs_nothing(sign, free_profile, root_ca):
    free_profile.issuers.add(root_ca)

    with pytest.raises(Invalid) as caught:
        sign()

    assert caught.value.errors[0]["code"] == "issuer_not_allowed"


def test_what_was_signed_wrong_never_leaves(sign, monkeypatch):
    monkeypatch.setattr("issuers.x509.lint.check_leaf", lambda *args, **kwargs: ["odd"])

    with pytest.raises(ConnectorError, match="odd") as caught:
        sign()

    assert caught.value.permanent


def test_a_key_of_another_ca_signs_nothing(sign, local_ca, root_ca):
    """Not even a CRL, which nobody would look over before it is served."""
    stranger = root_ca.secrets.open(CA_KEY.of(root_ca))
    local_ca.secrets = CA_KEY.of(local_ca).seal(stranger)
    now = timezone.now()

    with pytest.raises(ConnectorError, match="not that of the CA certificate"):
        connector_for(local_ca).sign_crl(
            number=1, this_update=now, next_update=now + timedelta(days=1), entries=[]
        )


# --- The digest -----------------------------------------------------------------------------


@pytest.fixture
def digest(local_ca, free_profile):
    csr_pem = make_csr(NAME)

    def make(**changes):
        inputs = services.signing_inputs(
            **{
                "issuer": local_ca,
                "profile": free_profile,
                "csr_pem": csr_pem,
                "common_name": NAME,
                "sans": [f"dns:{NAME}", "dns:b.demo.internal"],
                "lifetime": None,
                **changes,
            }
        )
        return json.dumps(inputs, sort_keys=True)

    return make


def test_the_digest_changes_with_what_is_asked_for(digest, root_ca):
    changes = [
        {},
        {"csr_pem": make_csr(NAME)},
        {"csr_pem": ""},
        {"common_name": "b.demo.internal"},
        {"sans": [f"dns:{NAME}"]},
        {"lifetime": timedelta(days=1)},
        {"lifetime": timedelta(0)},
        {"issuer": root_ca},
    ]

    assert len({digest(**change) for change in changes}) == len(changes)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key_algorithms", ["ecdsa-p256"]),
        ("max_lifetime", timedelta(days=90)),
        ("key_usage", ["digitalSignature", "keyEncipherment"]),
        ("extended_key_usage", ["clientAuth"]),
        ("allowed_sans", ["dns:*"]),
        ("required_sans", ["dns:*"]),
        ("allow_wildcards", True),
        ("max_sans", 1),
        ("subject_attributes", ["CN", "O"]),
        ("fixed_subject", {"O": "Example"}),
    ],
)
def test_the_digest_changes_with_every_rule_of_the_profile(digest, free_profile, field, value):
    before = digest()

    setattr(free_profile, field, value)

    assert digest() != before


def test_the_digest_changes_with_the_longest_lifetime_whatever_was_asked_for(digest, free_profile):
    before = digest(lifetime=timedelta(days=1))

    free_profile.max_lifetime = timedelta(days=90)

    assert digest(lifetime=timedelta(days=1)) != before


def test_the_digest_changes_with_the_issuers_certificate(digest, local_ca, root_ca):
    before = digest()

    local_ca.certificate_pem = root_ca.certificate_pem

    assert digest() != before


def test_the_digest_changes_with_the_issuers_settings(digest, local_ca):
    before = digest()

    local_ca.config = {"template": "WebServer"}

    assert digest() != before


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "Renamed"), ("description", "other"), ("approval_required_for", ["Renewal"])],
)
def test_the_digest_stays_where_nothing_signed_would_change(digest, free_profile, field, value):
    before = digest()

    setattr(free_profile, field, value)

    assert digest(sans=["dns:b.demo.internal", f"dns:{NAME}"]) == before


def test_pem_around_the_same_request_is_no_other_request(digest, local_ca, free_profile):
    csr_pem = make_csr(NAME)

    assert digest(csr_pem=csr_pem) == digest(csr_pem="some words\n" + csr_pem + "\n\n")


# --- Keys made here -------------------------------------------------------------------------


def test_no_key_is_made_here_unless_the_settings_say_so(free_profile, settings):
    settings.ALLOW_SERVER_KEYS = False

    with pytest.raises(Invalid) as caught:
        services.generate_key_and_csr(profile=free_profile, common_name=NAME, sans=[])

    assert caught.value.errors[0]["code"] == "server_keys_disabled"


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "ed25519"])
def test_a_key_made_here_is_encrypted_and_of_the_profiles_kind(
    free_profile, settings, sign, algorithm
):
    settings.ALLOW_SERVER_KEYS = True
    free_profile.key_algorithms = [algorithm]

    token, csr_pem = services.generate_key_and_csr(
        profile=free_profile, common_name=NAME, sans=[f"dns:{NAME}"]
    )

    key = serialization.load_pem_private_key(token.open(SERVER_KEY), None)
    signed = sign(csr_pem=csr_pem)
    certificate = x509.load_pem_x509_certificate(signed.certificate_pem.encode())
    assert certificate.public_key() == key.public_key()
    assert b"PRIVATE" not in token._token

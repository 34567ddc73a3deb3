"""Each bound holds at its last value and not one further; carol administers."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from certificates.crl import entry_size
from foundation.errors import Invalid
from issuers import services
from issuers.services.ca_rules import MAX_CA_LIFETIME, MIN_CA_LIFETIME
from issuers.services.profiles import MAX_ENTRIES, MAX_ENTRY, MAX_LIFETIME
from issuers.x509 import csr
from issuers.x509.signing import hash_for
from tests.ca import make_ca
from tests.fixtures import PROFILE, make_csr
from tests.issuers.test_crl import build, entry

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("curve", "digest"),
    [
        (ec.SECP256R1, hashes.SHA256),
        (ec.SECP384R1, hashes.SHA384),
        (ec.SECP521R1, hashes.SHA512),
    ],
)
def test_each_curve_signs_with_the_hash_of_its_strength(curve, digest):
    key = ec.generate_private_key(curve())

    assert isinstance(hash_for(key), digest)
    assert isinstance(hash_for(key.public_key()), digest)


def test_a_p_384_ca_signs_its_crl_with_sha_384():
    ca = make_ca(algorithm="ecdsa-p384")

    assert isinstance(build(ca=ca).signature_hash_algorithm, hashes.SHA384)


@pytest.mark.parametrize(("count", "fits"), [(3, True), (4, False)])
def test_exactly_as_many_names_as_the_profile_allows(profile, count, fits):
    profile.max_sans = 3
    names = [f"a{number}.demo.internal" for number in range(count)]

    if fits:
        assert len(services.check_csr(csr_pem=make_csr(*names), profile=profile).sans) == count
        return
    with pytest.raises(Invalid) as caught:
        services.check_csr(csr_pem=make_csr(*names), profile=profile)
    assert [one["code"] for one in caught.value.errors] == ["too_many_names"]


@pytest.mark.parametrize(
    ("field", "value", "fits"),
    [
        ("max_lifetime", timedelta(minutes=5), True),
        ("max_lifetime", timedelta(minutes=5) - SECOND, False),
        ("max_lifetime", MAX_LIFETIME, True),
        ("max_lifetime", MAX_LIFETIME + SECOND, False),
        ("allowed_sans", [f"dns:a{number}.example" for number in range(MAX_ENTRIES)], True),
        ("allowed_sans", [f"dns:a{number}.example" for number in range(MAX_ENTRIES + 1)], False),
        ("allowed_sans", ["uri:https://" + "x" * (MAX_ENTRY - 12)], True),
        ("allowed_sans", ["uri:https://" + "x" * (MAX_ENTRY - 11)], False),
        ("max_sans", 1, True),
        ("max_sans", 0, False),
    ],
)
def test_a_profiles_bounds_are_exact(carol, field, value, fits):
    changes = {**PROFILE, "slug": "bounds", field: value}

    if fits:
        saved = services.save_profile(actor=carol, changes=changes)
        assert getattr(saved, field) == value
        return
    with pytest.raises(Invalid) as caught:
        services.save_profile(actor=carol, changes=changes)
    assert {one["field"] for one in caught.value.errors} == {field}


@pytest.mark.parametrize(
    ("lifetime", "fits"),
    [
        (MIN_CA_LIFETIME, True),
        (MIN_CA_LIFETIME - SECOND, False),
        (MAX_CA_LIFETIME, True),
        (MAX_CA_LIFETIME + SECOND, False),
    ],
)
def test_a_cas_lifetime_has_exact_bounds(system, lifetime, fits):
    ca = services.NewCA(slug="x", name="X", common_name="X CA", lifetime=lifetime)

    if fits:
        assert services.create_local_ca(actor=system, ca=ca).slug == "x"
        return
    with pytest.raises(Invalid):
        services.create_local_ca(actor=system, ca=ca)


@pytest.mark.parametrize(("more", "code"), [(0, "malformed_csr"), (1, "too_large")])
def test_a_request_may_have_exactly_so_many_bytes(more, code):
    with pytest.raises(csr.MalformedCSR) as caught:
        csr.parse(b"x" * (csr.MAX_BYTES + more))

    assert caught.value.errors[0]["code"] == code


def test_a_request_of_the_largest_size_is_read():
    pem = make_csr("web.demo.internal")

    assert csr.parse(pem.rjust(csr.MAX_BYTES)) == csr.parse(pem)


@pytest.mark.parametrize("reason", ["unspecified", "key_compromise"])
@pytest.mark.parametrize("serial", [1, 0x7F, 0x80, 0xFF00, (1 << 158) + 7, (1 << 159) - 1])
def test_an_entry_of_a_crl_is_exactly_as_large_as_is_said(serial, reason):
    def octets(count):
        entries = [entry(serial=serial, reason=getattr(x509.ReasonFlags, reason))] * count
        return len(build(*entries).tbs_certlist_bytes)

    # Many, so that the lengths of what is around them have as many octets before and after.
    said = entry_size(f"{serial:x}", has_reason=reason != "unspecified")
    assert octets(1001) - octets(1000) == said


# --- Null in a body -------------------------------------------------------------------------


def test_null_is_absent_or_wrong_and_never_an_error_of_ours(carol, client_of, alice):
    client = client_of(carol)
    key = {"name": "k", "principal": str(alice.pk), "role_cap": "viewer", "expires_at": None}

    made = client.post("/api/v1/api-keys/", key)
    plan = client.post(
        "/api/v1/certificates/bulk-revoke/",
        {"criteria": {"search": "x"}, "reason": "superseded", "dry_run": False, "plan": None},
    )

    assert (made.status_code, made.json()["expires_at"]) == (201, None)
    assert plan.status_code == 400

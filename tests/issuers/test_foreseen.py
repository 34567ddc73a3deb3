"""What would not verify is refused when it is asked for, with the field it is about."""

from datetime import timedelta

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from django.utils import timezone

from foundation.errors import ConnectorError, Invalid
from issuers import services
from tests.fixtures import make_csr
from tests.issuers import corpus
from tests.issuers.test_authorities import key_pem, pem

BEGINS = timezone.now().replace(microsecond=0) - timedelta(days=10)


@pytest.fixture
def take(carol):
    """Take over a CA of the corpus with those above it."""

    def make(made, *above):
        return services.import_local_ca(actor=carol, ca=services.ExistingCA(
            slug="taken", name="Taken", certificate_pem=pem(made.certificate),
            key_pem=key_pem(made.key), chain_pem="".join(pem(one.certificate) for one in above),
        ))  # fmt: skip

    return make


def refused(**check):
    with pytest.raises(services.CSRRejected) as caught:
        services.check_csr(**check)
    return [(error["field"], error["code"]) for error in caught.value.errors]


def constrained(carol, root_ca, *constraints):
    return services.create_local_ca(actor=carol, ca=services.NewCA(
            slug="narrow", name="Narrow", common_name="Narrow CA",
        lifetime=timedelta(days=400), parent=root_ca, name_constraints=constraints,
    ))  # fmt: skip


def test_names_that_the_ca_may_not_certify_are_refused_at_the_asking(profile, carol, root_ca):
    issuer = constrained(carol, root_ca, "dns:other.internal")
    csr = make_csr("a.demo.internal")

    assert refused(csr_pem=csr, profile=profile, issuer=issuer) == [
        ("sans", "outside_name_constraints")
    ]
    assert services.check_csr(csr_pem=csr, profile=profile).sans == ["dns:a.demo.internal"]
    assert services.check_csr(csr_pem=csr, profile=profile, issuer=root_ca)


def test_a_job_is_not_even_opened_for_them(alice, profile, carol, root_ca, owner):
    from jobs import services as jobs  # noqa: PLC0415

    issuer = constrained(carol, root_ca, "dns:other.internal")

    with pytest.raises(services.CSRRejected):
        jobs.request_issuance(
            actor=alice, owner=owner, issuer=issuer, profile=profile,
            csr_pem=make_csr("a.demo.internal"),
        )  # fmt: skip


def test_a_purpose_that_the_ca_does_not_serve_is_refused(profile, take):
    clients = x509.ExtendedKeyUsage([corpus.CLIENT])
    issuer = take(corpus.ca("Clients", clients, begins=BEGINS))

    found = refused(csr_pem=make_csr("a.demo.internal"), profile=profile, issuer=issuer)

    assert found == [("issuer", "purpose_not_served")]


@pytest.mark.parametrize(
    ("usage", "fits_rsa"), [("keyEncipherment", True), ("keyAgreement", False)]
)
def test_a_usage_goes_with_the_key(profile, usage, fits_rsa):
    profile.key_usage = ["digitalSignature", usage]
    rsa_csr = make_csr("a.demo.internal", key=rsa.generate_private_key(65537, 2048))

    for csr, fits in ((make_csr("a.demo.internal"), not fits_rsa), (rsa_csr, fits_rsa)):
        if fits:
            assert services.check_csr(csr_pem=csr, profile=profile)
        else:
            found = refused(csr_pem=csr, profile=profile)
            assert found == [("csr", "usage_does_not_fit")]


def test_what_would_not_verify_never_leaves(free_profile, local_ca, monkeypatch):
    """Should the check at the asking ever miss something, the one after signing does not."""
    monkeypatch.setattr("issuers.services.foreseen.errors", lambda *args: ())
    free_profile.key_usage = ["digitalSignature", "keyEncipherment"]

    with pytest.raises(ConnectorError, match="does not go with keys of EC") as caught:
        services.sign(issuer=local_ca, profile=free_profile, csr_pem=make_csr("a.demo.internal"))

    assert caught.value.permanent


def test_nothing_outlives_a_ca_further_up(free_profile, take):
    root = corpus.ca("Brief", begins=BEGINS, days=20)
    issuer = take(corpus.ca("Long", parent=root, begins=BEGINS, days=900), root)

    signed = services.sign(
        issuer=issuer, profile=free_profile, csr_pem=make_csr("a.demo.internal")
    )  # fmt: skip

    assert signed.not_after == root.certificate.not_valid_after_utc


def test_a_time_stamping_service_has_its_purpose_critical(free_profile, local_ca):
    """RFC 3161 §2.3: critical and alone, else nobody takes its stamps."""
    free_profile.extended_key_usage = ["timeStamping"]
    csr = make_csr("a.demo.internal")

    signed = services.sign(issuer=local_ca, profile=free_profile, csr_pem=csr)

    made = x509.load_pem_x509_certificate(signed.certificate_pem.encode())
    assert made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).critical
    free_profile.extended_key_usage = ["timeStamping", "serverAuth"]
    assert refused(csr_pem=csr, profile=free_profile) == [("csr", "usage_does_not_fit")]


# --- CAs that could issue nothing -----------------------------------------------------------


@pytest.fixture
def below(carol):
    def make(parent, **changes):
        given = {"lifetime": timedelta(days=30), "slug": "below", "name": "", **changes}
        return services.create_local_ca(actor=carol, ca=services.NewCA(
            common_name="Below", parent=parent, **given
        ))  # fmt: skip

    return make


def errors_of(make, *args, **changes):
    with pytest.raises(Invalid) as caught:
        make(*args, **changes)
    return [(error["field"], error["code"]) for error in caught.value.errors]


def test_a_subtree_that_the_parent_does_not_permit_is_refused(below, carol, root_ca):
    parent = services.create_local_ca(actor=carol, ca=services.NewCA(
            slug="parent", name="", common_name="Parent", path_length=1,
        lifetime=timedelta(days=400), parent=root_ca,
        name_constraints=["dns:demo.internal", "ip:10.0.0.0/8"],
    ))  # fmt: skip
    nothing = [("name_constraints", "leaves_nothing")]

    assert errors_of(below, parent, name_constraints=["dns:other.internal"]) == nothing
    assert errors_of(below, parent, name_constraints=["ip:11.0.0.0/8"]) == nothing
    assert errors_of(below, parent, name_constraints=["dns:.demo.internal"]) == [
        ("name_constraints", "invalid")
    ]
    wider = ["dns:internal", "dns:a.demo.internal", "ip:10.1.0.0/16", "email:any.test"]
    assert below(parent, name_constraints=wider).slug == "below"


def test_a_path_length_further_up_counts(below, take):
    root = corpus.ca("Root", begins=BEGINS, path_length=1)
    parent = take(corpus.ca("Unbounded", parent=root, begins=BEGINS), root)

    assert errors_of(below, parent) == [("parent", "no_room")]


def test_a_parent_that_ends_within_the_hour_signs_no_ca(below, root_ca):
    ends = x509.load_pem_x509_certificate(root_ca.certificate_pem.encode()).not_valid_after_utc

    with time_machine.travel(ends - timedelta(minutes=59)):
        assert errors_of(below, root_ca) == [("parent", "not_valid")]


def test_a_ca_that_no_verifier_would_follow_is_not_taken_over(take):
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")

    with pytest.raises(services.CannotImport, match=r"1\.2\.3\.4"):
        take(corpus.ca("Odd", (unknown, True), begins=BEGINS))


def test_a_ca_below_one_that_allows_none_is_not_taken_over(take):
    root = corpus.ca("Short", begins=BEGINS, path_length=0)

    with pytest.raises(services.CannotImport, match="allows 0 CAs below it"):
        take(corpus.ca("Below", parent=root, begins=BEGINS), root)


def test_the_last_look_at_a_new_ca_has_its_words(below, root_ca, monkeypatch):
    monkeypatch.setattr("issuers.x509.path.ca_problems", lambda *args: ["It is odd."])

    assert errors_of(below, root_ca) == [("parent", "invalid")]

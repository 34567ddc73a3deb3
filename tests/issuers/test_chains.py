"""Bundles put in order: doubles, cross-signed pairs, CAs that changed their key."""

import base64
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.connectors.on_disk import pems
from issuers.x509 import certs, chains, names, path, reading
from tests.ca import CA, KEYS, NOW, make_ca
from tests.issuers.test_certs import contents

CASES = Path(__file__).parent.parent / "vectors" / "cases"


def subject(common_name):
    return names.subject_of([("CN", common_name)])


def crossed(ca, parent):
    """Return a certificate of `ca`'s own name and key that `parent` signed."""
    return certs.build_ca(
        public_key=ca.key.public_key(),
        subject=ca.certificate.subject,
        not_before=NOW,
        not_after=NOW + timedelta(days=900),
        key=parent.key,
        issuer=parent.certificate,
    )


ROOT = make_ca(subject=subject("Root"))
OLDER = make_ca(subject=subject("Older Root"))
MID = make_ca(subject=subject("Mid"), parent=ROOT)
LEAF = certs.build_leaf(contents(), **MID.signer)
CROSS = crossed(ROOT, OLDER)
STRANGER = make_ca(subject=subject("Stranger"))


def renewed_key():
    """Return the certificates of a root that changed its key (RFC 4210 §4.4), and a leaf."""
    old, new = make_ca(subject=subject("Same")), make_ca(subject=subject("Same"))
    leaf = certs.build_leaf(contents(), **new.signer)
    return leaf, old.certificate, new.certificate, crossed(old, new), crossed(new, old)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_bundle_comes_in_any_order(order):
    given = [LEAF, MID.certificate, ROOT.certificate]

    arranged = chains.arrange([given[at] for at in order])

    assert arranged == chains.Arranged(LEAF, (MID.certificate, ROOT.certificate))


def test_doubles_are_dropped():
    arranged = chains.arrange([LEAF, MID.certificate, LEAF, MID.certificate, MID.certificate])

    assert arranged == chains.Arranged(LEAF, (MID.certificate,), doubles=3)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_both_halves_of_a_cross_signed_pair_are_kept(order):
    given = [LEAF, MID.certificate, ROOT.certificate, CROSS]

    arranged = chains.arrange([given[at] for at in order])

    assert arranged.chain == (MID.certificate, ROOT.certificate, CROSS)
    assert arranged.extra == ()


def test_the_first_way_leads_to_the_root_that_is_given():
    arranged = chains.arrange([LEAF, CROSS, OLDER.certificate, MID.certificate])

    assert arranged.chain == (MID.certificate, CROSS, OLDER.certificate)


def test_every_way_up_is_gone():
    pool = [MID.certificate, ROOT.certificate, CROSS, OLDER.certificate, STRANGER.certificate]

    assert set(chains.paths(LEAF, pool)) == {
        (MID.certificate, ROOT.certificate),
        (MID.certificate, CROSS, OLDER.certificate),
    }


def test_cas_that_all_sign_each_other_end():
    cas = [make_ca(subject=subject(f"CA {n}")) for n in range(6)]
    mesh = [crossed(one, other) for one in cas for other in cas if one is not other]
    leaf = certs.build_leaf(contents(), **cas[0].signer)

    arranged = chains.arrange([*mesh, leaf])

    assert arranged.leaf == leaf
    assert set(arranged.chain) == set(mesh)
    assert len(list(chains.paths(leaf, mesh))) == chains.MAX_PATHS


@pytest.mark.parametrize("order", list(permutations(range(5)))[::7])
def test_the_certificates_of_a_ca_that_changed_its_key_are_kept(order):
    given = renewed_key()

    arranged = chains.arrange([given[at] for at in order])

    assert arranged.leaf == given[0]
    assert set(arranged.chain) == set(given[1:])
    assert arranged.extra == ()


def test_a_self_issued_certificate_that_signed_nothing_here_is_kept():
    leaf, _, new, old_with_new, _ = renewed_key()

    arranged = chains.arrange([old_with_new, leaf, new])

    assert arranged == chains.Arranged(leaf, (new, old_with_new))


def test_what_signed_nothing_is_extra():
    arranged = chains.arrange([LEAF, STRANGER.certificate, MID.certificate])

    assert arranged.chain == (MID.certificate,)
    assert arranged.extra == (STRANGER.certificate,)


def test_two_leaves_are_no_chain():
    other = certs.build_leaf(contents(), **MID.signer)

    for bundle in ([LEAF, other], [LEAF, other, MID.certificate], []):
        with pytest.raises(chains.NotOneChain):
            chains.arrange(bundle)
    assert chains.arrange([other, MID.certificate, LEAF], leaf=LEAF).extra == (other,)


def test_what_is_missing_is_named():
    whole = [MID.certificate, ROOT.certificate]

    assert chains.missing(LEAF, whole) == ""
    assert chains.missing(LEAF, [MID.certificate]) == "CN=Root"
    assert chains.missing(LEAF, []) == "CN=Mid"
    assert chains.missing(LEAF, [MID.certificate, CROSS]) == "CN=Older Root"
    assert chains.missing(LEAF, [MID.certificate, CROSS, ROOT.certificate]) == ""
    assert chains.missing(ROOT.certificate, []) == ""


@pytest.mark.parametrize("algorithm", KEYS)
def test_self_issued_is_not_self_signed(algorithm):
    ca = make_ca(algorithm, subject=subject("Same"))
    other = make_ca(subject=subject("Same"))

    assert chains.is_self_signed(ca.certificate)
    assert not chains.is_self_signed(crossed(ca, other))
    assert not chains.is_self_signed(LEAF)


@pytest.mark.parametrize(
    ("case", "count", "doubles"),
    [
        ("bundle-leaf-twice", 1, 1),
        ("bundle-fullchain-then-chain", 2, 1),
        ("bundle-cross-signed-both", 3, 0),
    ],
)
def test_the_cases_from_the_field_are_chains(case, count, doubles):
    arranged = chains.arrange(reading.certificates((CASES / f"{case}.pem").read_text()))

    assert (len(arranged.chain), arranged.doubles, arranged.extra) == (count, doubles, ())
    assert arranged.leaf.subject.rfc4514_string().endswith(".field.test")


POOL = [
    LEAF, MID.certificate, ROOT.certificate, CROSS, OLDER.certificate, STRANGER.certificate,
    *renewed_key(),
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(POOL), max_size=12))
def test_nothing_is_lost_whatever_comes(given_certificates):
    try:
        arranged = chains.arrange(given_certificates)
    except chains.NotOneChain:
        return
    all_there = [arranged.leaf, *arranged.chain, *arranged.extra]
    assert set(all_there) == set(given_certificates)
    assert len(all_there) + arranged.doubles == len(given_certificates)


def test_the_helper_made_what_it_says():
    assert isinstance(ROOT, CA)
    assert isinstance(CROSS, x509.Certificate)
    assert reading.is_signed_by(CROSS, OLDER.certificate)


def test_a_server_leaves_out_roots_and_nothing_else():
    leaf, old, new, old_with_new, new_with_old = renewed_key()

    sent = pems.served_chain([leaf, new, new_with_old, old, old_with_new])

    assert sent == [leaf, new_with_old, old_with_new]


FEW = [LEAF, MID.certificate, CROSS]


@pytest.mark.filterwarnings("ignore")  # the library warns of what it reads all the same
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_bundle_with_some_bytes_changed_is_arranged_or_refused(data):
    text = ""
    for one in FEW:
        changed = bytearray(one.public_bytes(serialization.Encoding.DER))
        for _ in range(data.draw(st.integers(0, 2))):
            changed[data.draw(st.integers(0, 300))] = data.draw(st.integers(0, 255))
        body = base64.encodebytes(bytes(changed)).decode()
        text += f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"

    try:
        arranged = chains.arrange(reading.certificates(text))
    except (reading.Unreadable, chains.NotOneChain):
        return
    for problem in path.problems(arranged.leaf, arranged.chain):
        assert problem.endswith(".")
    assert isinstance(chains.missing(arranged.leaf, arranged.chain), str)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.binary(max_size=80))
def test_a_text_of_any_kind_is_read_or_refused(text, data):
    body = base64.b64encode(data).decode()
    for form in (text, f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n{text}"):
        try:
            assert reading.certificates(form)
        except reading.Unreadable as error:
            assert str(error)  # noqa: PT017 - either outcome is right

"""Path rules: our verdict beside those of openssl, pyhanko and the library."""

import ipaddress
from datetime import timedelta

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from issuers.x509 import constraints, der, path
from tests.ca import KEYS
from tests.issuers import corpus
from tests.issuers.corpus import CLIENT, SERVER, ca, excludes, leaf, name, permits

SECOND = timedelta(seconds=1)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
ROOT = ca("Root")
dns, email, uri, directory = (
    x509.DNSName,
    x509.RFC822Name,
    x509.UniformResourceIdentifier,
    x509.DirectoryName,
)


def ip(text):
    return x509.IPAddress(ipaddress.ip_network(text))


def mid(*extensions, parent=ROOT, **options):
    return ca(options.pop("called", "Mid"), *extensions, parent=parent, **options)


def chain_of(*made):
    return [one.certificate for one in made]


# What the others do otherwise, and why. pyhanko takes of what it trusts the key and the name alone,
# as RFC 5280 §6.1.1 (d) has it; the others hold a root to what its certificate says. The library
# counts self-issued CAs and knows neither constraints on URIs nor those on subjects: it refuses.
OF_THE_ROOT = ["pyhanko"]
NOT_IN_THE_LIBRARY = ["library"]
CASES: dict[str, tuple] = {}


def case(words, *, but=(), purpose="sslserver"):
    """Add a path: `words` of our problem, None for a good one; `but` are who think otherwise."""

    def add(make):
        CASES[make.__name__] = (make, words, frozenset(but), purpose)
        return make

    return add


# --- Chains and CAs -------------------------------------------------------------------------


@case(None)
def plain():
    below = mid()
    return leaf(below), below, ROOT


@case(None)
def straight_below_a_root():
    return leaf(ROOT), ROOT


@case(None)
def four_deep():
    one = mid(called="One")
    two = mid(parent=one, called="Two")
    three = mid(parent=two, called="Three")
    return leaf(three), three, two, one, ROOT


@case("does not verify")
def another_key_signed_it():
    below = mid()
    return leaf(below, sign_with=ROOT.key), below, ROOT


@case("does not verify")
def another_key_signed_the_ca():
    below = mid(sign_with=KEYS["ecdsa-p256"]())
    return leaf(below), below, ROOT


@case("is missing")
def another_name():
    below = mid()
    return leaf(below, issuer_name=name("Other")), below, ROOT


@case("names another key", but=["library"])  # which does not compare identifiers
def another_key_identifier():
    below = mid()
    stranger = x509.AuthorityKeyIdentifier(b"x" * 20, None, None)
    end = leaf(below, stranger, identifiers=False)
    return end, below, ROOT


@case("is no CA")
def signed_by_a_subscriber():
    below = leaf(ROOT, subject=name("Not a CA"), usage=("digitalSignature", "keyCertSign"))
    return leaf(below), below, ROOT


@case("is no CA")
def without_basic_constraints():
    below = corpus.make(name("Plain"), parent=ROOT)
    return leaf(below), below, ROOT


@case("may not sign certificates")
def a_ca_that_signs_crls_alone():
    below = mid(usage=("cRLSign",))
    return leaf(below), below, ROOT


@case("allows 0 CAs below it, and there are 1", but=OF_THE_ROOT)
def too_long():
    top = ca("Short", path_length=0)
    below = mid(parent=top)
    return leaf(below), below, top


@case("allows 1 CAs below it, and there are 2", but=OF_THE_ROOT)
def too_long_further_up():
    top = ca("Short", path_length=1)
    one = mid(parent=top, called="One")
    two = mid(parent=one, called="Two")
    return leaf(two), two, one, top


@case(None)
def just_long_enough():
    top = ca("Short", path_length=1)
    below = mid(parent=top, path_length=0)
    return leaf(below), below, top


@case(None, but=NOT_IN_THE_LIBRARY)
def a_ca_that_changed_its_key_does_not_count():
    top = ca("Top", path_length=1)
    below = mid(parent=top, path_length=0)
    again = mid(parent=below)  # of the same name
    return leaf(again), again, below, top


@case("critical extension")
def something_critical_in_a_ca():
    below = mid((UNKNOWN, True))
    return leaf(below), below, ROOT


@case("critical extension")
def something_critical_in_the_leaf():
    return leaf(ROOT, (UNKNOWN, True)), ROOT


@case(None)
def something_that_is_not_critical():
    below = mid((UNKNOWN, False))
    return leaf(below, (UNKNOWN, False)), below, ROOT


@case("outlives CN=Mid")
def it_outlives_its_ca():
    below = mid(days=50)
    return leaf(below, days=51), below, ROOT


@case("outlives CN=Brief", but=OF_THE_ROOT)
def it_outlives_its_root():
    top = ca("Brief", days=50)
    below = mid(parent=top)
    return leaf(below, days=51), below, top


# openssl looks at policies only when it is told to; the library refuses what asks for them.
@case("certificate policies", but=["openssl"])
def a_ca_that_asks_for_policies():
    below = mid((x509.PolicyConstraints(0, None), True))
    return leaf(below), below, ROOT


@case("certificate policies", but=["openssl", *OF_THE_ROOT])
def a_ca_that_asks_for_policies_from_the_next_but_one():
    top = ca("Asks", (x509.PolicyConstraints(2, None), True))
    below = mid(parent=top)
    return leaf(below), below, top


@case(None, but=["library"])
def a_ca_that_asks_for_policies_further_down():
    top = ca("Asks", (x509.PolicyConstraints(3, None), True))
    below = mid(parent=top)
    return leaf(below), below, top


# --- Purposes and usages --------------------------------------------------------------------


# pyhanko was asked for the path alone.
@case("does not serve the purpose serverAuth", but=["pyhanko"])
def a_ca_of_another_purpose():
    below = mid(x509.ExtendedKeyUsage([CLIENT]))
    return leaf(below), below, ROOT


@case("does not serve the purpose clientAuth", but=["pyhanko"], purpose="sslclient")
def a_ca_further_up_of_another_purpose():
    one = mid(x509.ExtendedKeyUsage([SERVER]), called="One")
    two = mid(parent=one, called="Two")
    return leaf(two, purposes=[CLIENT]), two, one, ROOT


@case(None)
def a_ca_of_the_same_purpose():
    below = mid(x509.ExtendedKeyUsage([CLIENT, SERVER]))
    return leaf(below), below, ROOT


# All others let what does not go with the key pass: RFC 8813, RFC 9295 and RFC 3279 do not.
EASY = ["openssl", "pyhanko", "library"]


@case("keyEncipherment does not go with keys of EC", but=EASY)
def encipherment_with_an_ec_key():
    return leaf(ROOT, usage=("digitalSignature", "keyEncipherment")), ROOT


@case("dataEncipherment does not go with keys of EC", but=EASY)
def data_encipherment_with_an_ec_key():
    return leaf(ROOT, usage=("digitalSignature", "dataEncipherment")), ROOT


@case("does not go with keys of Ed25519", but=EASY)
def agreement_with_an_ed25519_key():
    usage = ("digitalSignature", "keyAgreement")
    return leaf(ROOT, usage=usage, algorithm="ed25519"), ROOT


@case("keyAgreement does not go with keys of RSA", but=EASY)
def agreement_with_an_rsa_key():
    usage = ("digitalSignature", "keyAgreement")
    return leaf(ROOT, usage=usage, algorithm="rsa-2048"), ROOT


@case(None)
def encipherment_with_an_rsa_key():
    usage = ("digitalSignature", "keyEncipherment")
    return leaf(ROOT, usage=usage, algorithm="rsa-2048"), ROOT


@case(None)
def agreement_with_an_ec_key():
    return leaf(ROOT, usage=("digitalSignature", "keyAgreement")), ROOT


@case("needs the key usage", but=["pyhanko", "library"])
def a_server_that_may_do_nothing():
    return leaf(ROOT, usage=("contentCommitment",)), ROOT


# --- Name constraints -----------------------------------------------------------------------


def constrained(words, constraint, names, *, but=(), called=None, subject=None, purpose=None):
    asked = purpose or (
        "sslserver" if any(str(n).startswith("dns:") for n in names) else "sslclient"
    )

    def build():
        below = mid(constraint)
        end = leaf(below, names=names, subject=subject, purposes=[SERVER, CLIENT])
        return end, below, ROOT

    build.__name__ = called
    case(words, but=but, purpose=asked)(build)


def outside(called, constraint, *names, **options):
    constrained("may not certify", constraint, names, called=called, **options)


def inside(called, constraint, *names, **options):
    constrained(None, constraint, names, called=called, **options)


EXAMPLE = permits(dns("example.com"))
inside("dns_below", EXAMPLE, "dns:a.example.com")
inside("dns_itself", EXAMPLE, "dns:example.com")
inside("dns_wildcard", EXAMPLE, "dns:*.example.com")
outside("dns_elsewhere", EXAMPLE, "dns:a.example.org")
outside("dns_that_only_ends_alike", EXAMPLE, "dns:badexample.com")
outside("one_of_two_dns_elsewhere", EXAMPLE, "dns:a.example.com", "dns:a.example.org")
outside("a_wildcard_above", permits(dns("a.example.com")), "dns:*.example.com")
inside("an_address_beside_dns", EXAMPLE, "ip:10.0.0.1")
inside("dns_excluded_elsewhere", excludes(dns("example.org")), "dns:a.example.com")
outside("dns_excluded", excludes(dns("example.com")), "dns:a.example.com")
outside("all_dns_excluded", excludes(dns("")), "dns:a.example.com", but=["pyhanko"])
# What a wildcard stands for is excluded; two compare the star (as Go did: CVE-2025-61727).
outside(
    "a_wildcard_over_what_is_excluded", excludes(dns("a.example.com")), "dns:*.example.com",
    but=["openssl", "pyhanko"],
)  # fmt: skip
inside("a_network", permits(ip("10.0.0.0/8")), "ip:10.255.0.1")
outside("another_network", permits(ip("10.0.0.0/8")), "ip:11.0.0.1")
outside("another_kind_of_address", permits(ip("10.0.0.0/8")), "ip:2001:db8::1")
outside("a_network_excluded", excludes(ip("2001:db8::/32")), "ip:2001:db8::1")
inside("a_network_excluded_elsewhere", excludes(ip("10.0.0.0/8")), "ip:11.0.0.1")
inside("a_mail_host", permits(email("example.com")), "email:me@example.com")
outside("another_mail_host", permits(email("example.com")), "email:me@a.example.com")
inside("a_mail_domain", permits(email(".example.com")), "email:me@a.example.com")
outside("not_below_a_mail_domain", permits(email(".example.com")), "email:me@example.com")
inside("a_mailbox", permits(email("me@example.com")), "email:me@example.com")
outside("another_mailbox", permits(email("me@example.com")), "email:you@example.com")
outside("a_mail_host_excluded", excludes(email("example.com")), "email:me@example.com")
inside(
    "a_uri_host", permits(uri("example.com")), "uri:https://example.com/x", but=NOT_IN_THE_LIBRARY
)
outside("another_uri_host", permits(uri("example.com")), "uri:https://a.example.com/x")
inside(
    "a_uri_domain",
    permits(uri(".example.com")),
    "uri:https://a.example.com:8443/x",
    but=NOT_IN_THE_LIBRARY,
)
outside("a_uri_user", permits(uri("example.com")), "uri:https://example.com@evil.test/")
outside("a_uri_without_host", permits(uri("example.com")), "uri:urn:example:1")
outside("a_uri_host_excluded", excludes(uri("example.com")), "uri:spiffe://example.com/x")

FIELD = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Field")])
OTHER = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Other")])
FIELD_LEAF = name("subscriber", ORGANIZATION_NAME="Field")
FIELD_LOUD = name("subscriber", ORGANIZATION_NAME="FIELD ")
inside(
    "a_subject",
    permits(directory(FIELD)),
    "dns:a.example.com",
    subject=FIELD_LEAF,
    but=NOT_IN_THE_LIBRARY,
)
outside("another_subject", permits(directory(OTHER)), "dns:a.example.com", subject=FIELD_LEAF)
outside("a_subject_excluded", excludes(directory(FIELD)), "dns:a.example.com", subject=FIELD_LEAF)
outside(
    "a_subject_excluded_in_another_case", excludes(directory(FIELD)), "dns:a.example.com",
    subject=FIELD_LOUD,
)  # fmt: skip
outside(
    "a_host_in_the_common_name", EXAMPLE, "email:me@example.com", subject=name("a.example.org"),
    but=["pyhanko", "library"],
)  # fmt: skip
outside(
    "an_address_in_the_subject", permits(email("example.com")), "dns:a.example.com",
    subject=name("subscriber", EMAIL_ADDRESS="me@example.org"), but=["pyhanko", "library"],
)  # fmt: skip
KERBEROS = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.2.2"), b"\x0c\x01a")
outside("a_kind_that_cannot_be_compared", permits(KERBEROS), "dns:a.example.com", KERBEROS)
inside("a_kind_that_is_not_there", permits(KERBEROS), "dns:a.example.com")
UTF8_MAILBOX = x509.OtherName(
    x509.ObjectIdentifier("1.3.6.1.5.5.7.8.9"), b"\x0c\x09a@\xc3\xa9.test"
)
outside(
    "a_mailbox_of_the_other_kind",
    permits(email("example.com")),
    "dns:a.test",
    UTF8_MAILBOX,
    but=["pyhanko", "library"],
)
NUMBER = x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))
outside("a_number_excluded", excludes(NUMBER), "dns:a.example.com", NUMBER)


@case("may not certify")
def constraints_of_all_cas_count():
    one = mid(EXAMPLE, called="One")
    two = mid(permits(dns("example.org")), parent=one, called="Two")
    return leaf(two), two, one, ROOT


@case("may not certify", but=OF_THE_ROOT)
def constraints_of_a_root_count():
    top = ca("Narrow", permits(dns("example.org")))
    below = mid(parent=top)
    return leaf(below), below, top


@case("may not certify", but=OF_THE_ROOT)
def the_subject_of_a_ca_is_constrained_too():
    top = ca("Narrow", permits(directory(FIELD)))
    below = mid(parent=top, subject=name("Mid", ORGANIZATION_NAME="Other"))
    return leaf(below, subject=FIELD_LEAF), below, top


@case(None, but=NOT_IN_THE_LIBRARY)
def a_ca_that_changed_its_key_is_not_constrained_by_itself():
    top = ca("Top")
    one = mid(permits(directory(FIELD)), parent=top)
    two = mid(parent=one)
    return leaf(two, subject=FIELD_LEAF), two, one, top


# --- Held against the others ----------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")  # two of them warn of what they read all the same
@pytest.mark.parametrize("called", CASES)
def test_our_verdict_is_that_of_the_others(called, tmp_path):
    make, words, otherwise, purpose = CASES[called]
    end, *above = chain_of(*make())
    at = end.not_valid_after_utc - SECOND

    problems = path.problems(end, above)

    assert bool(problems) is (words is not None), problems
    assert words is None or any(words in problem for problem in problems), problems
    verdicts = {
        "openssl": corpus.openssl_accepts(end, above, purpose=purpose, at=at, folder=tmp_path),
        "pyhanko": corpus.pyhanko_accepts(end, above, at=at),
        "library": corpus.library_accepts(end, above, purpose=purpose, at=at),
    }
    accepts = words is None
    differ = {who for who, said in verdicts.items() if said is not None and said is not accepts}
    assert differ == {who for who in otherwise if verdicts[who] is not None}


@pytest.mark.parametrize("top", KEYS)
@pytest.mark.parametrize("below", KEYS)
def test_keys_of_every_kind_sign_each_other(top, below, tmp_path):
    root = ca("Root", algorithm=top)
    middle = mid(parent=root, algorithm=below)
    end, *above = chain_of(leaf(middle, algorithm=below), middle, root)

    assert path.problems(end, above) == []
    assert corpus.openssl_accepts(
        end, above, purpose="sslserver", at=end.not_valid_after_utc - SECOND, folder=tmp_path
    )


# --- Several ways up ------------------------------------------------------------------------


def test_one_good_way_up_is_enough():
    """A cross-signed pair: the older root knows a constraint that the leaf does not meet."""
    root, older = ca("Both"), ca("Older", permits(dns("example.org")))
    cross = ca("Both", parent=older, key=root.key)
    below = mid(parent=root)
    end = leaf(below).certificate

    for above in ([root, cross, older], [cross, older, root]):
        assert path.problems(end, chain_of(below, *above)) == []
    assert "CN=Older" in path.problems(end, chain_of(below, cross, older))[0]


def test_a_chain_without_its_root_is_looked_at_as_far_as_it_goes():
    below = mid()

    assert path.problems(leaf(below).certificate, chain_of(below)) == []
    assert path.problems(leaf(below).certificate, []) == [
        "The certificate of its issuer, CN=Mid, is missing."
    ]


def test_a_root_that_did_not_sign_is_no_part_of_the_way():
    below = mid()
    other = ca("Root")

    [problem] = path.problems(leaf(below).certificate, chain_of(below, other))

    assert problem == "The signature of CN=Mid does not verify with the key of its issuer."


def test_everything_that_is_wrong_is_said_at_once():
    below = mid(EXAMPLE, x509.ExtendedKeyUsage([CLIENT]), days=50)
    end = leaf(below, names=["dns:a.test", "dns:b.test"], usage=["keyEncipherment"])

    problems = path.problems(end.certificate, chain_of(below, ROOT))

    assert len(problems) == 5


def test_constraints_with_bounds_let_nothing_pass():
    """RFC 5280 §4.2.1.10 has no minimum; the library does not tell that there is one."""
    base = der.encode(0x82, b"example.com")
    minimum = der.encode(0x80, b"\x01")
    trees = der.encode(0xA0, der.encode(der.SEQUENCE, base, minimum))
    odd = x509.UnrecognizedExtension(
        x509.NameConstraints.oid, der.encode(der.SEQUENCE, trees)
    )  # fmt: skip
    below = mid((odd, True))

    [problem] = path.problems(leaf(below).certificate, chain_of(below, ROOT))

    assert "bounds" in problem


def test_constraints_that_cannot_be_read_let_nothing_pass():
    party = der.encode(0xA0, der.encode(der.SEQUENCE, bytes.fromhex("a504a1020c00")))
    odd = x509.UnrecognizedExtension(x509.NameConstraints.oid, der.encode(der.SEQUENCE, party))
    below = mid((odd, True))

    [problem] = path.problems(leaf(below).certificate, chain_of(below, ROOT))

    assert "cannot be read" in problem


def test_the_window_is_that_of_all_cas():
    top = ca("Brief", days=50)
    below = mid(parent=top, begins=corpus.BEGINS + timedelta(days=2))

    begins, ends = path.window(below.certificate, chain_of(top))

    assert begins == below.certificate.not_valid_before_utc
    assert ends == top.certificate.not_valid_after_utc


def test_the_longest_way_makes_the_window():
    long, brief = ca("Both", days=900), ca("Older", days=50)
    cross = ca("Both", parent=brief, key=long.key)
    below = mid(parent=long)

    _, ends = path.window(below.certificate, chain_of(cross, brief, long))

    assert ends == long.certificate.not_valid_after_utc


def test_a_ca_that_could_issue_nothing_is_told_why():
    top = ca("Short", path_length=0)
    below = mid(parent=top)

    assert "allows 0" in path.ca_problems(below.certificate, chain_of(top))[0]
    assert path.ca_problems(below.certificate, chain_of(ROOT)) == []
    assert "is no CA" in path.ca_problems(leaf(top).certificate, chain_of(top))[0]


def test_cas_that_are_never_valid_together_issue_nothing():
    top = ca("Brief", days=5)
    late = mid(parent=top, begins=corpus.BEGINS + timedelta(days=9))

    [problem] = path.ca_problems(late.certificate, chain_of(top))

    assert "at no time valid together" in problem


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(sorted(CASES)), min_size=1, max_size=3), st.randoms())
def test_any_bundle_gets_sentences(called, random):
    bundle = [one for name in called for one in chain_of(*CASES[name][0]())]
    random.shuffle(bundle)

    for problem in path.problems(bundle[0], bundle[1:]):
        assert problem.endswith(".")


def test_it_does_not_begin_before_its_ca():
    below = mid(begins=corpus.BEGINS + timedelta(days=5))

    [problem] = path.problems(leaf(below).certificate, chain_of(below, ROOT))

    assert problem == "It begins before CN=Mid."


# As it is read from a certificate; the library makes none.
NO_HOST = x509.RFC822Name._init_without_validation("")


@pytest.mark.parametrize(
    ("constraint", "name_of_leaf"),
    [
        (excludes(NO_HOST), "email:me@example.com"),
        (excludes(email(".example.com")), "email:me@example.com"),
        (excludes(uri("")), "uri:https://example.com/"),
        (excludes(uri(".example.com")), "uri:https://example.com/"),
        (permits(NO_HOST), "email:me@example.com"),
        (permits(uri("")), "uri:https://example.com/"),
    ],
)
def test_what_some_verifiers_take_for_excluded_is(constraint, name_of_leaf):
    """Of "" and of a leading dot, openssl and Go make different things."""
    below = mid(constraint)
    end = leaf(below, names=[name_of_leaf])

    assert "may not certify" in path.problems(end.certificate, chain_of(below, ROOT))[0]


def test_the_least_room_of_all_counts_and_the_way_that_leaves_most():
    top = ca("Top", path_length=2)
    one = mid(parent=top, called="One", path_length=5)
    two = mid(parent=one, called="Two")
    cross = mid(parent=ca("Free"), called="One", key=one.key)

    assert path.room(top.certificate, []) == 2
    assert path.room(one.certificate, chain_of(top)) == 1
    assert path.room(two.certificate, chain_of(one, top)) == 0
    assert path.room(two.certificate, chain_of(one, cross, top)) is None
    assert path.room(ROOT.certificate, []) is None


@pytest.mark.parametrize(
    ("constraint", "base", "nothing"),
    [
        (excludes(dns("example.com")), dns("a.example.com"), True),
        (excludes(dns("a.example.com")), dns("example.com"), False),
        (excludes(ip("10.0.0.0/8")), ip("10.1.0.0/16"), True),
        (excludes(email(".example.com")), email("me@a.example.com"), True),
        (permits(email("example.com")), email("me@example.com"), False),
        (permits(email("example.com")), email("example.org"), True),
        (permits(ip("10.0.0.0/8")), ip("2001:db8::/32"), True),
        (permits(dns("example.com")), email("example.org"), False),
    ],
)
def test_a_subtree_of_which_nothing_is_left(constraint, base, nothing):
    assert constraints.leaves_nothing(mid(constraint).certificate, base) is nothing

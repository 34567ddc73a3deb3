"""Requests: what is read, what is refused, and in which words."""

import base64
import subprocess
import time
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from certctl.demo.programs import OPENSSL
from issuers import services
from issuers.models import Profile
from issuers.x509 import csr as requests
from issuers.x509 import names
from tests.fixtures import make_csr

WEAK_BITS = 1024
DER = x509.load_pem_x509_csr(make_csr("web.demo.internal").encode()).public_bytes(
    serialization.Encoding.DER
)


def pem(der):
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"


def build(*extensions, key=None, subject=(), digest=None):
    """Return a PEM CSR with extensions as (value, critical) and subject as (OID, value)."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    signed = builder.sign(key, digest or hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def dns(*names):
    return x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False


def openssl(*args, **kwargs):
    command = [OPENSSL.get(), *map(str, args)]
    return subprocess.run(command, check=True, capture_output=True, **kwargs).stdout


def refused(**check):
    """Return what the check of a CSR says, as (field, code) pairs."""
    with pytest.raises(services.CSRRejected) as caught:
        services.check_csr(**check)
    return [(error["field"], error["code"]) for error in caught.value.errors]


def malformed(data):
    with pytest.raises(requests.MalformedCSR) as caught:
        requests.parse(data)
    return caught.value.errors[0]["code"]


# --- Reading --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", [pem(DER), pem(DER).replace("CERT", "NEW CERT", 2), DER], ids=["PEM", "NEW", "DER"]
)
def test_a_request_is_read_as_pem_and_as_der(form):
    if isinstance(form, str):
        form = form.replace("NEW NEW", "NEW")

    csr = requests.parse(form)

    assert requests.requested(csr).sans == ["dns:web.demo.internal"]


def test_words_around_the_block_do_no_harm():
    csr = requests.parse("Certificate Request:\n    Data: …\n" + pem(DER) + "\nbye\n")

    assert csr.is_signature_valid


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("", "malformed_csr"),
        ("garbage", "malformed_csr"),
        ("garbäge \ud800", "malformed_csr"),
        (b"\x00\xff", "malformed_csr"),
        (b"\x30", "malformed_csr"),
        (b"0 is how this text begins", "malformed_csr"),
        (DER[:-1], "malformed_csr"),
        (DER[:40], "malformed_csr"),
        (DER + b"\x00", "malformed_csr"),
        (pem(DER + b"\x00"), "malformed_csr"),
        (pem(DER) + pem(DER), "malformed_csr"),
        (pem(DER).replace("CERTIFICATE REQUEST", "CERTIFICATE"), "malformed_csr"),
        (pem(DER).replace("CERTIFICATE REQUEST", "PUBLIC KEY"), "malformed_csr"),
        (pem(DER).replace("-----END", "----END"), "malformed_csr"),
        (pem(b"").replace("\n\n", "\n"), "malformed_csr"),
        (pem(DER).replace("M", "=", 1), "malformed_csr"),
        (b"x" * 2_000_000, "too_large"),
        (b"\x30" * 2_000_000, "too_large"),
        (b"\x30\x80" * 20_000, "malformed_csr"),
    ],
    ids=range(19),  # the data holds a key made anew, and every worker needs the same names
)
def test_what_is_no_request_is_refused(data, code):
    assert malformed(data) == code


@pytest.mark.parametrize("also", ["", pem(DER)], ids=["alone", "with a request"])
def test_a_private_key_is_refused_and_not_repeated(also):
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    with pytest.raises(requests.MalformedCSR) as caught:
        requests.parse(also + key.decode())

    assert caught.value.errors[0]["code"] == "private_key_sent"
    assert key.decode().splitlines()[1] not in str(caught.value)


@pytest.mark.parametrize("filling", [" ", "\n", "A", "-----BEGIN CERTIFICATE REQUEST-----"])
def test_a_long_text_without_an_end_is_refused_at_once(filling):
    text = "-----BEGIN CERTIFICATE REQUEST-----" + filling * (60_000 // len(filling))

    begun = time.monotonic()
    code = malformed(text)

    assert code == "malformed_csr"
    assert time.monotonic() - begun < 1


def test_a_request_that_its_key_did_not_sign_is_refused():
    other = bytearray(DER)
    place = DER.index(b"web.demo.internal")
    other[place : place + 3] = b"abc"

    assert malformed(bytes(other)) == "bad_signature"


def test_a_request_signed_with_sha_1_is_refused(tmp_path):
    openssl("genrsa", "-out", tmp_path / "key", "2048")
    der = openssl(
        "req", "-new", "-key", tmp_path / "key", "-sha1", "-subj", "/CN=a.demo.internal",
        "-outform", "DER",
    )  # fmt: skip

    assert malformed(der) == "weak_hash"


def test_a_key_too_large_is_refused_before_its_signature_is_checked(monkeypatch):
    monkeypatch.setattr(requests, "MAX_RSA_BITS", 2047)
    csr = build(dns("a.demo.internal"), key=rsa.generate_private_key(65537, 2048))

    assert malformed(csr) == "key_too_large"


@pytest.mark.parametrize(
    "name",
    [
        x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x03abc"),
        x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        x509.DNSName("under_score.demo.internal"),
        x509.DNSName("a..demo.internal"),
        x509.DNSName("-a.demo.internal"),
        x509.DNSName("a.demo.internal."),
        x509.DNSName("a.demo.internal\x00.evil.example"),
        x509.DNSName("*.*.demo.internal"),
        x509.DNSName("w*.demo.internal"),
        x509.DNSName("*"),
        x509.DNSName("*.internal"),
        x509.DNSName("xn--.demo.internal"),
        x509.DNSName("xn--abc-.demo.internal"),  # decodes to ASCII
        x509.DNSName("xn--ab-m1t.demo.internal"),  # to "ab" with a joiner between
        x509.DNSName("xn--a.demo.internal"),  # to a control character
        x509.DNSName("xn--bcher-2pa.demo.internal"),  # to "bÜcher", whose A-label is another
        x509.DNSName("ab--cd.demo.internal"),
        x509.DNSName("10.0.0.1"),
        x509.DNSName(""),
        x509.DNSName("a" * 64 + ".demo.internal"),
        x509.DNSName(".".join(["a" * 60] * 5)),
        x509.RFC822Name("no-at"),
        x509.UniformResourceIdentifier("relative/path"),
        x509.UniformResourceIdentifier("https://a b"),
    ],
)
def test_names_that_are_never_issued_are_refused(name):
    csr = requests.parse(build((x509.SubjectAlternativeName([name]), False)))

    with pytest.raises(requests.MalformedCSR) as caught:
        requests.requested(csr)

    assert caught.value.errors[0]["code"] == "bad_name"


@pytest.mark.parametrize(
    "label",
    ["xn--bcher-kva", "xn--fiqs8s", "xn--pgbs0dh", "xn--mgba3gch31f060k"],  # the last has a ZWNJ
)
def test_a_labels_are_names(label):
    name = f"dns:{label}.demo.internal"

    assert names.normal(name.upper().replace("DNS:", "dns:")) == name


@pytest.mark.parametrize("value", [bytes([10, 0, 0, 0, 255, 0, 0, 0]), b"\x01", b""])
def test_an_address_of_another_length_than_that_of_a_host_is_refused(value):
    # A GeneralName iPAddress of a length that only a name constraint has.
    extension = b"\x30" + bytes([len(value) + 2]) + b"\x87" + bytes([len(value)]) + value
    csr = build((x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, extension), False))

    with pytest.raises(requests.MalformedCSR):
        requests.requested(requests.parse(csr))


def test_a_name_of_a_form_that_the_library_cannot_read_is_refused():
    # [5] EDIPartyName, which pyca refuses with an error of its own.
    extension = bytes.fromhex("3006a504a1020c00")
    csr = build((x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, extension), False))

    assert malformed(csr) == "malformed_csr"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_read_or_refused(data):
    for form in (data, b"\x30" + data, pem(data)):
        _read_or_refuse(form)


@pytest.mark.filterwarnings("ignore")  # pyca warns of lengths that it reads all the same
@settings(max_examples=600, deadline=None)
@given(st.data())
def test_a_request_with_some_bytes_changed_is_read_or_refused(data):
    changed = bytearray(DER)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(DER) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 40))

    _read_or_refuse(bytes(changed)[: len(DER) - cut])


def _read_or_refuse(data):
    try:
        requests.requested(requests.parse(data))
    except requests.MalformedCSR as error:
        assert error.errors[0]["field"] == "csr"  # noqa: PT017 - either outcome is right


# --- Against a profile ----------------------------------------------------------------------


def test_what_the_profile_allows_is_taken(profile):
    checked = services.check_csr(csr_pem=make_csr("Web.demo.internal"), profile=profile)

    assert checked.sans == ["dns:web.demo.internal"]
    assert checked.subject.rfc4514_string() == "CN=Web.demo.internal"
    assert (checked.key_algorithm, checked.key_size) == ("ecdsa-p256", 256)


def test_a_request_without_names_takes_those_given(profile):
    csr = build()

    checked = services.check_csr(
        csr_pem=csr,
        profile=profile,
        common_name="a.demo.internal",
        sans=["dns:a.demo.internal", "dns:B.demo.internal", "dns:b.demo.internal"],
    )

    assert checked.sans == ["dns:a.demo.internal", "dns:b.demo.internal"]
    assert checked.subject.rfc4514_string() == "CN=a.demo.internal"


@pytest.mark.parametrize(
    "sans", [["dns:a.demo.internal"], ["dns:a.demo.internal", "dns:c.demo.internal"]]
)
def test_names_must_be_those_of_the_request(profile, sans):
    csr = build(dns("a.demo.internal", "b.demo.internal"))

    assert refused(csr_pem=csr, profile=profile, sans=sans) == [("csr", "names_differ")]


@pytest.mark.parametrize(
    "given",
    [["web.demo.internal"], ["dns:"], ["ip:10.0.0.0/8"], ["ip:fe80::1%eth0"], [7], ["x:y"]],
)
def test_names_given_must_be_well_formed(profile, given):
    found = refused(
        csr_pem=make_csr("web.demo.internal", common_name=""), profile=profile, sans=given
    )

    assert found == [("sans", "bad_name")]


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (lambda: rsa.generate_private_key(65537, WEAK_BITS), "key_not_allowed"),
        (lambda: rsa.generate_private_key(3, 2048), "weak_key"),
        (lambda: ec.generate_private_key(ec.SECP521R1()), "key_not_allowed"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "key_not_allowed"),
    ],
)
def test_a_key_that_the_profile_does_not_allow_is_refused(profile, key, code):
    csr = build(dns("a.demo.internal"), key=key())

    assert refused(csr_pem=csr, profile=profile) == [("csr", code)]


@pytest.mark.parametrize(("allowed", "fits"), [("rsa-2048", True), ("rsa-4096", False)])
def test_rsa_sizes_are_minima(profile, allowed, fits):
    profile.key_algorithms = ["ecdsa-p256", allowed]

    assert services.checking.allows_key(profile, "rsa", 3072) is fits


def test_ed25519_is_taken(profile):
    csr = make_csr("a.demo.internal", key=ed25519.Ed25519PrivateKey.generate())

    checked = services.check_csr(csr_pem=csr, profile=profile)

    assert checked.key_algorithm == "ed25519"


USAGE = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


@pytest.mark.parametrize(
    "extension",
    [
        x509.BasicConstraints(ca=True, path_length=None),
        x509.KeyUsage(**{**USAGE, "key_cert_sign": True}),
        x509.KeyUsage(**{**USAGE, "crl_sign": True}),
    ],
)
def test_nobody_gets_a_ca_certificate_by_asking(profile, extension):
    csr = build(dns("a.demo.internal"), (extension, True))

    assert refused(csr_pem=csr, profile=profile) == [("csr", "ca_requested")]


def test_a_critical_extension_that_is_not_understood_is_refused(profile):
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    csr = build(dns("a.demo.internal"), (odd, True))

    assert refused(csr_pem=csr, profile=profile) == [("csr", "critical_extension")]


def test_a_plain_extension_that_is_not_understood_is_ignored(profile):
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")

    checked = services.check_csr(
        csr_pem=build(dns("a.demo.internal"), (odd, False)), profile=profile
    )

    assert checked.sans == ["dns:a.demo.internal"]


@pytest.mark.parametrize(
    ("sans", "code"),
    [
        (["evil.example"], "name_not_allowed"),
        (["demo.internal.evil.example"], "name_not_allowed"),
        (["xdemo.internal"], "name_not_allowed"),
        (["*.demo.internal"], "wildcard_not_allowed"),
        ([], "no_names"),
        ([f"n{n}.demo.internal" for n in range(4)], "too_many_names"),
    ],
)
def test_names_outside_the_profile_are_refused(profile, sans, code):
    profile.max_sans = 3
    csr = build(*([dns(*sans)] if sans else []))

    assert refused(csr_pem=csr, profile=profile) == [("sans", code)]


def test_an_address_needs_a_pattern_of_its_own(profile):
    csr = build((x509.SubjectAlternativeName([x509.IPAddress(_ip("10.1.2.3"))]), False))

    assert refused(csr_pem=csr, profile=profile) == [("sans", "name_not_allowed")]

    profile.allowed_sans = ["ip:10.0.0.0/8"]
    assert services.check_csr(csr_pem=csr, profile=profile).sans == ["ip:10.1.2.3"]


def _ip(text):
    import ipaddress  # noqa: PLC0415

    return ipaddress.ip_address(text)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("dns:*.example.com", "dns:a.example.com", True),
        ("dns:*.example.com", "dns:a.b.example.com", True),
        ("dns:*.example.com", "dns:example.com", False),
        ("dns:*.example.com", "dns:badexample.com", False),
        ("dns:*.example.com", "dns:*.example.com", True),
        ("dns:*.Example.com", "dns:a.example.com", True),
        ("dns:a.example.com", "dns:a.example.com", True),
        ("dns:a.example.com", "dns:*.example.com", False),
        ("dns:example.com", "dns:*.example.com", False),
        ("dns:*", "dns:anything.example", True),
        ("ip:10.0.0.0/8", "ip:10.255.0.1", True),
        ("ip:10.0.0.0/8", "ip:11.0.0.1", False),
        ("ip:10.0.0.0/8", "ip:2001:db8::1", False),
        ("ip:2001:db8::/32", "ip:2001:db8::1", True),
        ("email:*@example.com", "email:me@example.com", True),
        ("email:*@example.com", "email:me@evil.example", False),
        ("uri:spiffe://example.com/*", "uri:spiffe://example.com/web", True),
        ("uri:spiffe://example.com/*", "uri:spiffe://evil.example/web", False),
        ("uri:spiffe://*", "uri:spiffe://any.example/web", True),
        ("uri:https://*.example.com/*", "uri:https://a.example.com/x/y", True),
        ("uri:https://*.example.com/*", "uri:https://evil.test/.example.com/", False),
        ("uri:https://*.example.com/*", "uri:https://evil.test?.example.com/", False),
        ("uri:https://*.example.com/*", "uri:https://evil.test#.example.com/", False),
        ("uri:https://*.example.com/*", "uri:https://evil.test\\.example.com/", False),
        ("uri:https://*.example.com/*", "uri:https://me@a.example.com/", False),
        ("uri:https://*@a.example.com/*", "uri:https://me@a.example.com/", True),
        ("uri:https://a?.example.com/*", "uri:https://ab.example.com/x", True),
        ("uri:https://a?.example.com/*", "uri:https://a/.example.com/x", False),
        ("uri:https://a.example.com", "uri:https://a.example.com/x", False),
        ("uri:https:*", "uri:https://a.example.com/", False),
        ("uri:http*://a.example.com/", "uri:https://a.example.com/", True),
        ("uri:ftp://a.example.com/", "uri:https://a.example.com/", False),
        ("uri:urn:example:*", "uri:urn:example:1", True),
        ("uri:urn:example:*", "uri:urn:other:1", False),
        ("uri:*", "uri:https://a.example.com/", True),
        ("uri:https://*", "uri:urn:example:1", False),
        ("dns:*", "ip:10.0.0.1", False),
    ],
)
def test_patterns_mean_what_the_manual_says(pattern, name, fits):
    assert services.checking.matches(pattern, name) is fits


def test_a_required_name_must_be_there(profile):
    profile.required_sans = ["dns:must.demo.internal"]

    found = refused(csr_pem=make_csr("a.demo.internal"), profile=profile)

    assert found == [("sans", "name_required")]


def test_the_common_name_is_one_of_the_names(profile):
    csr = build(dns("a.demo.internal"), subject=[(NameOID.COMMON_NAME, "b.demo.internal")])

    assert refused(csr_pem=csr, profile=profile) == [("common_name", "common_name_not_in_sans")]


def test_the_common_name_given_is_that_of_the_request(profile):
    csr = make_csr("a.demo.internal", "b.demo.internal")

    found = refused(csr_pem=csr, profile=profile, common_name="b.demo.internal")

    assert found == [("csr", "names_differ")]


def test_a_common_name_needs_the_profiles_leave(profile):
    profile.subject_attributes = []
    given = {"profile": profile, "common_name": "a.demo.internal", "sans": ["dns:a.demo.internal"]}

    assert refused(csr_pem=build(), **given) == [("common_name", "subject_not_allowed")]


def test_a_subject_attribute_needs_the_profiles_leave(profile):
    subject = [(NameOID.COMMON_NAME, "a.demo.internal"), (NameOID.ORGANIZATION_NAME, "Evil Inc")]
    csr = build(dns("a.demo.internal"), subject=subject)

    assert refused(csr_pem=csr, profile=profile) == [("csr", "subject_not_allowed")]


def test_the_profiles_own_subject_stands_whatever_the_request_says(profile):
    profile.fixed_subject = {"O": "Example"}
    subject = [(NameOID.COMMON_NAME, "a.demo.internal"), (NameOID.ORGANIZATION_NAME, "Evil Inc")]
    csr = build(dns("a.demo.internal"), subject=subject)

    checked = services.check_csr(csr_pem=csr, profile=profile)

    assert {a.value for a in checked.subject} == {"Example", "a.demo.internal"}


def test_a_fixed_common_name_is_not_joined_by_another(profile):
    profile.fixed_subject = {"CN": "a.demo.internal"}

    checked = services.check_csr(
        csr_pem=make_csr("a.demo.internal", "b.demo.internal"),
        profile=profile,
        common_name="b.demo.internal",
    )

    assert [a.value for a in checked.subject] == ["a.demo.internal"]


def test_a_fixed_common_name_is_one_of_the_names_too(profile):
    profile.fixed_subject = {"CN": "fixed"}

    found = refused(csr_pem=make_csr("a.demo.internal"), profile=profile)

    assert found == [("common_name", "common_name_not_in_sans")]


def test_a_fixed_subject_has_one_order_whatever_the_database_kept(profile):
    profile.fixed_subject = {"OU": "Web", "O": "Example", "C": "DE"}

    checked = services.check_csr(csr_pem=make_csr("a.demo.internal"), profile=profile)

    assert [a.value for a in checked.subject] == ["DE", "Example", "Web", "a.demo.internal"]


def test_an_rsa_key_of_an_odd_size_is_refused(profile):
    profile.key_algorithms = ["rsa-2048"]
    key = rsa.generate_private_key(65537, 2052)

    found = refused(csr_pem=build(dns("a.demo.internal"), key=key), profile=profile)

    assert found == [("csr", "weak_key")]


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\x00b", "a\x1b[2J", "a\x7f", "a\u0085b", "a\u202eb", "a\u200bb", "\ue000", " "],
)
def test_characters_that_hide_something_are_refused(profile, text):
    profile.subject_attributes = ["O"]
    csr = build(dns("a.demo.internal"), subject=[(NameOID.ORGANIZATION_NAME, text)])

    [(field, code)] = refused(csr_pem=csr, profile=profile)

    assert code == "bad_name"
    assert field in {"csr", "subject"}


def test_two_common_names_are_refused(profile):
    csr = build(
        dns("a.demo.internal"),
        subject=[(NameOID.COMMON_NAME, "a.demo.internal")] * 2,
    )

    assert ("csr", "bad_name") in refused(csr_pem=csr, profile=profile)


@pytest.mark.parametrize("field", ["is_ca", "disabled"])
def test_nothing_is_issued_under_a_profile_that_is_off_or_for_cas(db, profile, field):
    Profile.objects.update(**({"is_ca": True} if field == "is_ca" else {"enabled": False}))
    profile.refresh_from_db()

    found = refused(csr_pem=make_csr("a.demo.internal"), profile=profile)

    assert found == [("profile", "profile_disabled")]


def test_everything_that_is_wrong_is_said_at_once(profile):
    profile.max_lifetime = timedelta(days=1)
    csr = build(
        dns("evil.example"),
        (x509.BasicConstraints(ca=True, path_length=None), True),
        subject=[(NameOID.COMMON_NAME, "evil.example"), (NameOID.COUNTRY_NAME, "DE")],
        key=rsa.generate_private_key(65537, WEAK_BITS),
    )

    codes = {code for _, code in refused(csr_pem=csr, profile=profile)}

    assert codes == {"ca_requested", "key_not_allowed", "subject_not_allowed", "name_not_allowed"}


def test_exactly_as_many_names_as_the_profile_allows_are_taken(profile):
    profile.max_sans = 3
    csr = build(dns(*(f"n{n}.demo.internal" for n in range(3))))

    assert len(services.check_csr(csr_pem=csr, profile=profile).sans) == 3


def test_a_request_has_64_kib_at_most():
    text = pem(DER)
    fitting = text + " " * (65536 - len(text))

    assert requests.parse(fitting) is not None
    assert malformed(fitting + " ") == "too_large"

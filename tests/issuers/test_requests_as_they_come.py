"""Requests as people and devices send them: read, or refused in words that say what is wrong."""

import base64
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from issuers import services
from issuers.x509 import csr as requests
from issuers.x509 import der, names, raw, signing
from tests.fixtures import make_csr
from tests.issuers.test_csr import build, dns, openssl, refused

CASES = Path(__file__).parent.parent / "vectors" / "cases"
KEY = ec.generate_private_key(ec.SECP256R1())
PEM = make_csr("web.demo.internal", key=KEY)
DER = x509.load_pem_x509_csr(PEM.encode()).public_bytes(serialization.Encoding.DER)
BARE = base64.encodebytes(DER).decode()
ATTRIBUTES = 0xA0
PASSWORD = der.encode(
    der.SEQUENCE, der.encode(der.OID, bytes.fromhex("2a864886f70d010907")),
    der.encode(der.SET, der.encode(0x0C, b"secret")),
)  # fmt: skip


def case(name):
    return (CASES / name).read_bytes()


def words(data):
    with pytest.raises(requests.MalformedCSR) as caught:
        requests.requested(requests.parse(data))
    return str(caught.value)


def parts_of(data=DER):
    info, algorithm, _ = der.read(data)
    return [bytes(one.whole) for one in info], bytes(algorithm.whole)


def signed(*fields, key=KEY):
    """Sign a request of any fields at all."""
    info = der.encode(der.SEQUENCE, *fields)
    algorithm = signing.signature_algorithm(key)
    return der.encode(der.SEQUENCE, info, algorithm, signing.sign(key, info))


def extension_list():
    fields, _ = parts_of()
    [attribute] = der.read(fields[3])
    return bytes(attribute.whole)


# --- Forms ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        DER,
        PEM.encode(),
        "\ufeff" + PEM,
        PEM.encode("utf-16"),
        PEM.encode("utf-16-le").join([b"\xff\xfe", b""]),
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\\r\\n"),
        PEM.replace("\n", "\n  "),
        PEM.replace("CERTIFICATE", "NEW CERTIFICATE"),
        f"0 is how this begins\n{PEM}and this is how it ends",
        f"Certificate Request:\n  Data: é\n{PEM}",
        BARE,
        BARE.replace("\n", ""),
        BARE.replace("\n", "\r\n").encode(),
        f"\n\n{BARE}\n",
    ],
    ids=range(16),
)
def test_a_request_is_found_in_every_form(form):
    assert requests.requested(requests.parse(form)).sans == ["dns:web.demo.internal"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (PEM.replace("CERTIFICATE REQUEST", "CERTIFICATE"), "There is a CERTIFICATE"),
        (PEM.replace("CERTIFICATE REQUEST", "PUBLIC KEY"), "There is a PUBLIC KEY"),
        (PEM.replace("-----END", "----END"), "has no such end"),
        (PEM.replace("\nM", "\nComment: mine\nM", 1), "no base64"),
        (PEM + PEM, "several"),
        ("hello", "no CERTIFICATE REQUEST block"),
        (BARE[:41], "broken"),
    ],
    ids=range(7),
)
def test_what_is_wrong_with_a_text_is_said(data, said):
    assert said in words(data)


# --- Attributes -----------------------------------------------------------------------------


def test_a_request_without_attributes_is_read():
    fields, _ = parts_of()

    csr = requests.parse(signed(*fields[:3]))

    assert requests.requested(csr).sans == []
    assert words(signed(*fields[:3])[:-1] + b"\x00")


def test_attributes_may_be_in_any_order():
    fields, _ = parts_of()
    for order in ([PASSWORD, extension_list()], [extension_list(), PASSWORD]):
        csr = requests.parse(signed(*fields[:3], der.encode(ATTRIBUTES, *order)))

        assert requests.requested(csr).sans == ["dns:web.demo.internal"]


def test_the_signature_is_held_against_what_was_sent():
    fields, algorithm = parts_of()
    other = ec.generate_private_key(ec.SECP256R1())

    for attributes in ([], [der.encode(ATTRIBUTES, extension_list(), PASSWORD)]):
        info = der.encode(der.SEQUENCE, *fields[:3], *attributes)
        forged = der.encode(der.SEQUENCE, info, algorithm, signing.sign(other, info))
        assert "signature" in words(forged)


def test_several_lists_of_extensions_are_refused():
    fields, _ = parts_of()
    microsofts = extension_list().replace(
        bytes.fromhex("06092a864886f70d01090e"),
        bytes.fromhex("060a2b060104018237") + b"\x02\x01\x0e",
    )
    longer = der.encode(der.SEQUENCE, *(bytes(one.whole) for one in der.elements(microsofts[2:])))

    for also in (extension_list(), longer):
        data = signed(*fields[:3], der.encode(ATTRIBUTES, extension_list(), also))
        assert "2 lists of extensions" in words(data)


def test_an_attribute_has_one_value():
    fields, _ = parts_of()
    none = der.encode(der.SEQUENCE, PASSWORD[2:13], der.encode(der.SET))

    assert "1.2.840.113549.1.9.7 has 0 values" in words(
        signed(*fields[:3], der.encode(ATTRIBUTES, none))
    )


# --- Keys -----------------------------------------------------------------------------------


def test_a_compressed_key_is_refused_in_words(tmp_path):
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", tmp_path / "any")
    openssl("pkey", "-in", tmp_path / "any", "-ec_conv_form", "compressed", "-out", tmp_path / "k")
    data = openssl("req", "-new", "-key", tmp_path / "k", "-subj", "/CN=a.demo.internal")

    assert "the EC point is compressed" in words(data)


def test_an_rsa_key_without_its_parameters_is_refused_in_words():
    key = rsa.generate_private_key(65537, 2048)
    data = x509.load_pem_x509_csr(make_csr("a.demo.internal", key=key).encode())
    fields, _ = parts_of(data.public_bytes(serialization.Encoding.DER))
    _, bits = der.read(fields[2])
    bare = der.encode(der.SEQUENCE, der.encode(der.OID, bytes.fromhex("2a864886f70d010101")))
    fields[2] = der.encode(der.SEQUENCE, bare, bytes(bits.whole))

    assert "must be NULL" in words(signed(*fields, key=key))


def test_a_key_that_is_repeated_as_it_stands_is_no_trouble():
    for key in (KEY, rsa.generate_private_key(65537, 2048)):
        csr = requests.parse(make_csr("a.demo.internal", key=key))
        assert raw.rewritten(raw.key_of_request(csr), csr.public_key()) == ""


# --- The inputs from the field --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("csr-two-values-in-one-attribute.pem", "2 values; one is wanted (RFC 2985"),
        ("csr-rsa-pss-key.pem", "bound to RSASSA-PSS"),
        ("csr-multivalued-rdn.pem", "several attributes in one part (OU=Lab+O=Field)"),
        ("csr-t61-subject.pem", "T61String"),
    ],
)
def test_cases_that_are_refused_say_why(name, said):
    assert said in words(case(name))


@pytest.mark.parametrize(
    ("name", "sans"),
    [
        ("csr-no-attributes-field.pem", []),
        ("csr-cn-is-an-identity.pem", ["dns:c06.field.test", "dns:c06b.field.test"]),
        ("csr-uri-scheme-upper.pem", ["uri:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"]),
        ("csr-uri-scheme-upper-2.pem", ["uri:https://field.test/"]),
        ("csr-text-begins-with-0.txt", ["dns:attr.field.test"]),
    ],
)
def test_cases_that_are_read_say_what_they_ask_for(name, sans):
    assert requests.requested(requests.parse(case(name))).sans == sans


# --- Names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_uri", "normal"),
    [
        ("HTTPS://Me@A.Example.COM:8443/X", "https://Me@a.example.com:8443/X"),
        ("Spiffe://Example.com/Web", "spiffe://example.com/Web"),
        ("URN:UUID:ABC", "urn:uuid:ABC"),
        ("mailto:Me@Example.com", "mailto:Me@Example.com"),
        ("https://[2001:DB8::1]/X", "https://[2001:db8::1]/X"),
    ],
)
def test_scheme_and_host_of_a_uri_are_in_lower_case(given_uri, normal):
    assert names.normal(f"uri:{given_uri}") == f"uri:{normal}"
    assert names.normal(f"uri:{normal}") == f"uri:{normal}"


def test_an_underscore_is_called_that():
    csr = build((x509.SubjectAlternativeName([x509.DNSName("under_score.demo.internal")]), False))

    assert "underscore" in words(csr)


def test_a_name_that_is_not_issued_is_shown():
    other = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x03abc")

    said = words(build((x509.SubjectAlternativeName([other]), False)))

    assert "OtherName" in said
    assert "otherName:1.3.6.1.4.1.311.20.2.3" in said


# --- Client identities ----------------------------------------------------------------------

NODE = "system:node:worker-1"
IDENTITIES = [
    NODE,
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "alice@example.com",
    "spiffe://example.com/web",
    "alice",
]


def identity(common, *sans):
    return build(*([dns(*sans)] if sans else []), subject=[(NameOID.COMMON_NAME, common)])


@pytest.mark.parametrize("common", IDENTITIES)
def test_an_identity_needs_the_profiles_leave(profile, common):
    csr = identity(common, "a.demo.internal")
    assert refused(csr_pem=csr, profile=profile) == [("common_name", "common_name_not_in_sans")]

    profile.allowed_sans = [*profile.allowed_sans, f"cn:{common[:4]}*"]
    checked = services.check_csr(csr_pem=csr, profile=profile)

    assert checked.subject.rfc4514_string() == f"CN={common}"


def test_an_identity_alone_is_enough(profile, local_ca):
    profile.allowed_sans = ["cn:system:node:*"]
    profile.extended_key_usage = ["clientAuth"]

    signed_one = services.sign(issuer=local_ca, profile=profile, csr_pem=identity(NODE))

    assert (signed_one.subject, signed_one.sans) == (f"CN={NODE}", [])
    assert refused(csr_pem=build(), profile=profile) == [("sans", "no_names")]


@pytest.mark.parametrize("host", ["evil.example", "10.0.0.1", "2001:db8::1"])
def test_a_host_is_no_identity_of_a_server(profile, host):
    profile.allowed_sans = [*profile.allowed_sans, "cn:*"]
    csr = identity(host, "a.demo.internal")

    assert refused(csr_pem=csr, profile=profile) == [("common_name", "common_name_not_in_sans")]
    profile.extended_key_usage = ["clientAuth"]
    assert services.check_csr(csr_pem=csr, profile=profile)


def test_a_uri_among_the_names_may_be_the_common_name(profile):
    profile.allowed_sans = ["uri:spiffe://example.com/*"]
    san = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("spiffe://example.com/web")])
    csr = build((san, False), subject=[(NameOID.COMMON_NAME, "spiffe://example.com/web")])

    assert services.check_csr(csr_pem=csr, profile=profile)


def test_the_node_from_the_field_is_issued_where_the_profile_allows_it(profile):
    csr = case("csr-cn-is-an-identity.pem")
    profile.allowed_sans = ["dns:*.field.test", "cn:system:node:*"]
    profile.subject_attributes = ["CN", "O"]

    checked = services.check_csr(csr_pem=csr, profile=profile)

    assert checked.subject.rfc4514_string() == f"CN={NODE},O=system:nodes"


def test_patterns_of_identities_are_for_what_is_allowed_alone():
    services.validate_profile({"allowed_sans": ["cn:system:node:*"]})
    for values in ({"required_sans": ["cn:a"]}, {"allowed_sans": ["cn:"]}):
        with pytest.raises(services.profiles.Invalid):
            services.validate_profile(values)


# --- Damage ---------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=60))
def test_anything_is_read_or_refused(data, text):
    fields, _ = parts_of()
    forms = (
        data, text, f"{text}{PEM}{text}", base64.b64encode(data), b"\xff\xfe" + data,
        signed(*fields[:3], data), signed(*fields[:3], der.encode(ATTRIBUTES, data)),
        signed(fields[0], der.encode(der.SEQUENCE, data), *fields[2:]),
        signed(*fields[:2], der.encode(der.SEQUENCE, data), *fields[3:]),
    )  # fmt: skip
    for form in forms:
        try:
            requests.requested(requests.parse(form))
        except requests.MalformedCSR as error:
            assert error.errors[0]["field"] == "csr"  # noqa: PT017 - either outcome is right

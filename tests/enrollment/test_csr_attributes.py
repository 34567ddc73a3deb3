"""The challenge in a request: read as devices write it, and only if there is just one."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollment import csr_attributes
from issuers.x509 import der, raw, signing
from tests.ca import named, openssl
from tests.enrollment.scep_client import request_for, self_signed

KEY = ec.generate_private_key(ec.SECP256R1())
OID = der.encode(der.OID, bytes.fromhex("2a864886f70d010907"))
OTHER_OID = der.encode(der.OID, bytes.fromhex("2a864886f70d010902"))
REQUEST = request_for(KEY)


def attribute(*values, oid=OID):
    return der.encode(der.SEQUENCE, oid, der.encode(der.SET, *values))


def with_attributes(*attributes):
    info = der.encode(
        der.SEQUENCE, der.integer(0), named("device-7").public_bytes(),
        raw.key(self_signed(KEY)), der.encode(0xA0, *attributes),
    )  # fmt: skip
    algorithm = signing.signature_algorithm(KEY)
    return der.encode(der.SEQUENCE, info, algorithm, signing.sign(KEY, info))


def refused(request):
    with pytest.raises(csr_attributes.BadAttribute) as caught:
        csr_attributes.challenge_password(request)
    return str(caught.value)


def challenge_in(*attributes):
    return csr_attributes.challenge_password(with_attributes(*attributes))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (der.encode(0x13, b"sesame"), "sesame"),
        (der.encode(0x0C, "Sésame".encode()), "Sésame"),
        (der.encode(0x14, b"sesame"), "sesame"),
        (der.encode(0x16, b"ses@me"), "ses@me"),
        (der.encode(0x1E, "Sésame".encode("utf-16-be")), "Sésame"),
        (der.encode(0x1C, "Sésame".encode("utf-32-be")), "Sésame"),
        (der.encode(0x0C, b"x" * 4096), "x" * 4096),
        (der.encode(0x13), None),
    ],
)
def test_a_challenge_is_read_from_any_kind_of_string(value, text):
    assert challenge_in(attribute(value)) == text


def test_other_attributes_do_no_harm_and_none_is_no_challenge():
    value = der.encode(0x13, b"sesame")

    assert challenge_in(attribute(value, oid=OTHER_OID), attribute(value)) == "sesame"
    assert challenge_in(attribute(value, oid=OTHER_OID)) is None
    assert challenge_in() is None
    assert csr_attributes.challenge_password(request_for(KEY, challenge=None)) is None


def test_what_openssl_writes_is_read(tmp_path):
    (tmp_path / "config").write_text(
        "[req]\nprompt=no\ndistinguished_name=dn\nattributes=at\n"
        "[dn]\nCN=device-7\n[at]\nchallengePassword=sesame open\n"
    )
    openssl(
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-config", tmp_path / "config",
        "-keyout", tmp_path / "key", "-outform", "DER", "-out", tmp_path / "csr",
    )  # fmt: skip

    request = (tmp_path / "csr").read_bytes()

    assert csr_attributes.challenge_password(request) == "sesame open"


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ([attribute(der.encode(0x13, b"a"), der.encode(0x13, b"b"))], "several"),
        ([attribute(der.encode(0x13, b"a")), attribute(der.encode(0x13, b"a"))], "several"),
        ([attribute(der.encode(der.OCTET_STRING, b"a"))], "no text"),
        ([attribute(der.integer(7))], "no text"),
        ([attribute(der.encode(0x0C, b"\xff\xfe"))], "no text"),
        ([attribute(der.encode(0x0C, b"x" * 4097))], "4096 characters"),
        ([b"\x05\x00"], "cannot be read"),
    ],
)
def test_what_is_ambiguous_or_no_text_is_refused(attributes, words):
    assert words in refused(with_attributes(*attributes))


def test_the_key_is_the_one_that_stands_there():
    key = rsa.generate_private_key(65537, 2048)

    assert csr_attributes.public_key(request_for(key)) == raw.key(self_signed(key))


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"hello", b"\x30\x80" * 99, b"\x00" * 70_000])
def test_what_is_no_request_is_refused(data):
    refused(data)
    with pytest.raises(csr_attributes.BadAttribute):
        csr_attributes.public_key(data)


@settings(max_examples=400, deadline=1000)
@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=4), st.integers(0))
def test_changed_requests_raise_the_modules_own_error_alone(changes, end):
    request = bytearray(REQUEST)
    for position, octet in changes:
        request[position % len(request)] = octet
    for data in (bytes(request), bytes(request)[: end % len(request)]):
        for read in (csr_attributes.challenge_password, csr_attributes.public_key):
            try:
                read(data)
            except csr_attributes.BadAttribute as error:
                assert "\n" not in str(error)  # noqa: PT017

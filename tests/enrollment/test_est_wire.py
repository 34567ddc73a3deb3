"""EST's bodies: what devices send is read, and what they get is what openssl and they can read."""

import base64
import email
import email.policy
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollment.cms import bags
from enrollment.est import wire
from issuers.x509 import csr as requests
from issuers.x509 import der
from tests.ca import make_ca, openssl, pem_of
from tests.enrollment.scep_client import request_for

KEY = ec.generate_private_key(ec.SECP256R1())
REQUEST = request_for(KEY)
PLAIN = base64.b64encode(REQUEST)
LINES = base64.encodebytes(REQUEST)
PEM = b"-----BEGIN CERTIFICATE REQUEST-----\n" + LINES + b"-----END CERTIFICATE REQUEST-----\n"
CA = make_ca()


def refused(body):
    with pytest.raises(wire.BadBody) as caught:
        wire.request_of(body)
    return str(caught.value)


# --- Requests -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        PLAIN,
        PLAIN + b"\n",
        LINES,
        LINES.replace(b"\n", b"\r\n"),
        LINES.replace(b"\n", b"\r\n\r\n"),
        b"\n\n " + LINES.replace(b"\n", b"\n\t") + b"  ",
        b" ".join(PLAIN[at : at + 10] for at in range(0, len(PLAIN), 10)),
        b"\xef\xbb\xbf" + PLAIN,
        REQUEST,
        PEM,
        PEM.replace(b"\n", b"\r\n"),
        PEM.replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST"),
    ],
)
def test_a_request_is_read_however_it_is_wrapped(body):
    request = wire.request_of(body)

    assert request == REQUEST
    assert requests.parse(request).is_signature_valid


def test_what_openssl_writes_is_read(tmp_path):
    made = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=device-7"]
    openssl(*made, "-keyout", tmp_path / "key", "-out", tmp_path / "pem")
    openssl("req", "-in", tmp_path / "pem", "-outform", "DER", "-out", tmp_path / "der")
    openssl("base64", "-e", "-in", tmp_path / "der", "-out", tmp_path / "b64")
    openssl("base64", "-A", "-e", "-in", tmp_path / "der", "-out", tmp_path / "line")

    wanted = (tmp_path / "der").read_bytes()
    for form in ("pem", "der", "b64", "line"):
        assert wire.request_of((tmp_path / form).read_bytes()) == wanted


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b" \r\n\t ", "empty"),
        (b"hello, world", "neither base64 nor DER"),
        (PLAIN[:-3], "neither base64 nor DER"),
        (PLAIN[:-4], "no PKCS #10 request"),
        (PLAIN[:-8] + b"!" + PLAIN[-7:], "neither base64 nor DER"),
        (PLAIN + PLAIN, "neither base64 nor DER|no PKCS #10"),
        (base64.b64encode(REQUEST + b"\x00"), "no PKCS #10 request"),
        (base64.b64encode(b"\x31" + REQUEST[1:]), "no PKCS #10 request"),
        (base64.b64encode(b"hello"), "no PKCS #10 request"),
        (REQUEST + b"\x00", "neither base64 nor DER"),
        (REQUEST[:-1], "neither base64 nor DER"),
        (PEM + PEM, "one CERTIFICATE REQUEST"),
        (PEM.replace(b"REQUEST", b"QUESTION"), "one CERTIFICATE REQUEST"),
        (b"-----BEGIN CERTIFICATE REQUEST-----" * 3000, "one CERTIFICATE REQUEST"),
        (b"csr=" + PLAIN, "neither base64 nor DER"),
        (PLAIN.replace(b"M", b"%4D"), "neither base64 nor DER"),
        (b"A" * (wire.MAX_BODY_BYTES + 1), "131072 bytes"),
        (b"\x30\x83\x01\x86\x00" + b"\x00" * 0x18600, "65536 bytes in DER"),
    ],
)
def test_anything_else_is_refused_in_words(body, words):
    begun = time.monotonic()

    assert any(part in refused(body) for part in words.split("|"))

    assert time.monotonic() - begun < 1


def test_truncated_anywhere_it_is_refused():
    for end in range(len(REQUEST)):
        refused(REQUEST[:end])
        refused(base64.b64encode(REQUEST[:end]))


@settings(max_examples=300, deadline=1000)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode)))
def test_garbage_raises_the_modules_own_error_alone(body):
    for sent in (body, PLAIN + body, body + PLAIN, b"-----BEGIN " + body):
        try:
            assert der.begins_well(wire.request_of(sent))
        except wire.BadBody as error:
            assert str(error).endswith(".")  # noqa: PT017


# --- Answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 47, 48, 49, 96, 1000])
def test_base64_goes_out_in_lines_of_64_that_all_end(length):
    text = wire.base64_lines(b"x" * length)

    assert base64.b64decode(text) == b"x" * length
    assert all(len(line) <= 64 for line in text.split(b"\n"))
    assert text.endswith(b"\n") or not length


def test_openssl_reads_what_is_issued(tmp_path):
    issued = CA.certify("device-7").certificate
    (tmp_path / "body").write_bytes(wire.certificates([issued]))

    openssl("base64", "-d", "-in", tmp_path / "body", "-out", tmp_path / "der")
    shown = openssl("pkcs7", "-inform", "DER", "-in", tmp_path / "der", "-print_certs")

    assert pem_of(issued).strip() in shown
    assert shown.count("BEGIN CERTIFICATE") == 1


def test_a_key_and_its_certificate_are_two_parts():
    certified = CA.certify("device-7")
    key = certified.key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    kind, body = wire.key_and_certificate(key, certified.certificate, boundary="b7a1")
    sent = email.message_from_bytes(
        f"Content-Type: {kind}\r\nMIME-Version: 1.0\r\n\r\n".encode() + body,
        policy=email.policy.HTTP,
    )

    first, second = sent.iter_parts()
    assert not sent.defects
    assert not first.defects
    assert (first.get_content_type(), first.get_content()) == ("application/pkcs8", key)
    assert second.get_content_type() == "application/pkcs7-mime"
    assert dict(second["Content-Type"].params) == {"smime-type": "certs-only"}
    assert bags.parse(second.get_content()).certificates == (certified.certificate,)


@pytest.mark.parametrize("boundary", ["", "a b", 'a"b', "a\r\nb", "ä", "x" * 71])
def test_a_boundary_that_would_need_quoting_is_refused(boundary):
    with pytest.raises(ValueError, match="letters and digits"):
        wire.key_and_certificate(b"", CA.certificate, boundary=boundary)

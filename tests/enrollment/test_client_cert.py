"""A client's certificate from a proxy's header: the forms of RFC 9440, nginx and HAProxy."""

import base64
import time
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollment import client_cert
from enrollment.client_cert import BadHeader
from tests.ca import make_ca, pem_of

CA = make_ca()
CERTIFIED = CA.certify("device-7")
DER = CERTIFIED.certificate.public_bytes(Encoding.DER)
BASE64 = base64.b64encode(DER).decode()
ITEM = f":{BASE64}:"
ESCAPED = quote(pem_of(CERTIFIED.certificate), safe="")
READERS = {
    "rfc9440": client_cert.from_rfc9440,
    "nginx": client_cert.from_nginx,
    "haproxy": client_cert.from_haproxy,
}
SAMPLES = {"rfc9440": ITEM, "nginx": ESCAPED, "haproxy": BASE64}


@pytest.mark.parametrize("header", [ITEM, f"  {ITEM} ", f"{ITEM};a=1", f"{ITEM};a; b=?1"])
def test_rfc_9440_carries_a_byte_sequence(header):
    assert client_cert.from_rfc9440(header) == DER


@pytest.mark.parametrize(
    "header",
    [
        ESCAPED,
        ESCAPED.removesuffix("%0A"),
        ESCAPED.replace("%0A", "%0D%0A"),
        ESCAPED.replace("%2F", "/").replace("%2B", "+").replace("%3D", "="),
    ],
)
def test_nginx_escapes_pem(header):
    """With `+` as itself: it is no blank, as it would be in a form."""
    assert client_cert.from_nginx(header) == DER


def test_haproxy_sends_base64():
    assert client_cert.from_haproxy(BASE64) == DER


def test_a_chain_is_a_list():
    other = base64.b64encode(CA.certificate.public_bytes(Encoding.DER)).decode()

    assert client_cert.chain_from_rfc9440(ITEM) == (DER,)
    chain = client_cert.chain_from_rfc9440(f"{ITEM},  :{other}:\t, {ITEM}")
    assert chain == (DER, CA.certificate.public_bytes(Encoding.DER), DER)


@pytest.mark.parametrize("header", [ITEM + ",", f",{ITEM}", ", ".join([ITEM] * 9), f"{ITEM}, x"])
def test_a_chain_that_is_no_list_or_too_long_is_refused(header):
    with pytest.raises(BadHeader):
        client_cert.chain_from_rfc9440(header)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("(null)", "."),
        ("A" * 16_385, "16384 characters"),
        ("ä", "."),
        ("%", "."),
        ("::", "."),
        (":%41:", "."),
        (":" * 16_000, "."),
        (f"{ITEM}, {ITEM}", "."),
        (ESCAPED + ESCAPED, "."),
        (ESCAPED + "x", "."),
        (ESCAPED[:-40], "."),
        (BASE64[:-4], "."),
        (BASE64 + "AAAA", "."),
        (f":{BASE64[:-4]}:", "."),
        (f":{BASE64}:;a=:b:", "."),
        (f":{BASE64}", "."),
        (f'"{BASE64}"', "."),
        (":" + base64.b64encode(b"hello").decode() + ":", "."),
        (base64.b64encode(b"hello").decode(), "."),
        (quote("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"), "."),
        (quote("-----BEGIN CERTIFICATE-----\n=aGVsb\n-----END CERTIFICATE-----\n"), "."),
        (quote("-----BEGIN CERTIFICATE-----" * 300), "."),
        (quote("-----BEGIN CERTIFICATE-----" + " " * 4000), "."),
    ],
)
def test_what_is_no_certificate_is_refused_in_words_and_at_once(kind, header, words):
    begun = time.monotonic()

    with pytest.raises(BadHeader) as caught:
        READERS[kind](header)

    assert words in str(caught.value)
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("kind", READERS)
def test_one_form_is_not_taken_for_another(kind):
    for other, header in SAMPLES.items():
        if other != kind:
            with pytest.raises(BadHeader):
                READERS[kind](header)


@settings(max_examples=300, deadline=1000)
@given(st.text(max_size=60), st.sampled_from(sorted(SAMPLES)), st.integers(0, 2000))
def test_any_text_raises_the_modules_own_error_alone(text, kind, place):
    sample = SAMPLES[kind]
    place %= len(sample)
    for header in (text, sample[:place] + text, sample[:place] + text + sample[place:]):
        for read in (*READERS.values(), client_cert.chain_from_rfc9440):
            try:
                read(header)
            except BadHeader as error:
                assert str(error).endswith(".")  # noqa: PT017

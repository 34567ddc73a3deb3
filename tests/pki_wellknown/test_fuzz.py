"""Whatever is asked: a DER answer of the right status, never an error of ours.

Serials, paths and bodies are made by hypothesis, from nothing and from right questions that are
cut, doubled and changed.
"""

import base64
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from certificates import crl
from issuers.x509 import certs
from issuers.x509.der import NotDER
from issuers.x509.ocsp import MALFORMED, UNAUTHORIZED
from pki_wellknown.conformance import questions
from pki_wellknown.conformance.structures import crl_of, response_of
from tests.pki_wellknown.test_ocsp import URL, post, request_for

FUZZ = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ODD = st.sampled_from(
    [b"\x00", b"\x30\x00", b"\x30\x80\x00\x00", b"\x30\x84\xff\xff\xff\xff", b"\x02\x00", b"\xa2"]
)


@st.composite
def changed(draw, data):
    """A right question, cut, doubled, or with bytes put in, taken out or changed."""
    made = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(made) - 1, 0)))
        change = draw(st.integers(0, 4))
        if change == 0:
            made = made[:at]
        elif change == 1:
            made[at:at] = draw(ODD | st.binary(max_size=8))
        elif change == 2:
            del made[at : at + draw(st.integers(1, 8))]
        elif change == 3:
            made += made[:at]
        elif made:
            made[at % len(made)] = draw(st.integers(0, 255))
    return bytes(made)


def is_right(response, version):
    """Whether it is an answer of OCSP that says good of what we issued alone, and no error."""
    assert response.status_code == 200
    assert response["Content-Type"] == "application/ocsp-response"
    assert int(response["Content-Length"]) == len(response.content)
    assert not response.cookies
    if response.content in {MALFORMED, UNAUTHORIZED}:
        assert response["Cache-Control"] == "no-cache, no-store"
        return
    said = response_of(response.content)
    assert said.status == 0, response.content.hex()
    ours = certs.load(version.pem).serial_number
    for single in said.singles:
        assert single.status == "unknown" or single.serial == ours


@pytest.fixture
def question(version):
    return request_for(version)


@FUZZ
@given(st.data())
def test_any_body_gets_an_answer_in_der(client, version, question, data):
    body = data.draw(st.binary(max_size=300) | changed(question))

    is_right(post(client, body), version)


@FUZZ
@given(st.data())
def test_any_path_gets_an_answer_in_der(client, version, question, data):
    text = data.draw(
        st.binary(min_size=1, max_size=200)
        | changed(question).map(base64.b64encode).filter(bool)
        | changed(base64.b64encode(question)).filter(bool)
    )
    path = quote(text, safe=data.draw(st.sampled_from(["", "/+=", "/+=&;:@!$'()*,~"])))

    response = client.get(f"{URL}/{path}")

    is_right(response, version)


@FUZZ
@given(
    st.text("0123456789abcdefABCDEF", min_size=1, max_size=45)
    | st.integers(0, 1 << 176).map(lambda number: f"{number:x}")
    | st.text("0123456789abcdef:/-+%. \n\x00", min_size=1, max_size=45)
)
@example("0" * 40)
@example("00")
@example("-1")
@example("f" * 40)
@example("f" * 41)
def test_any_serial_gets_an_answer_in_der(client, version, serial):
    response = client.get(f"{URL}/{quote(serial, safe='')}")

    is_right(response, version)


@FUZZ
@given(st.integers(-(1 << 200), 1 << 200))
def test_any_serial_in_a_question_gets_an_answer_in_der(client, version, local_ca, serial):
    question = questions.request(questions.cert_id(local_ca.certificate, serial))

    response = post(client, question)

    assert response.content in {MALFORMED, UNAUTHORIZED} or serial == int(version.serial, 16)
    is_right(response, version)


@FUZZ
@given(st.binary(max_size=60), st.sampled_from(["crl", "ca", "ocsp", "trust/crl", "x"]))
@example(b"issuing/../../etc", "crl")
@example(b"\x00", "ca")
@example(b"\xff\xfe", "crl")
def test_any_other_path_gets_an_answer_in_words(client, local_ca, system, text, kind):
    if not crl.current("issuing"):
        crl.publish(issuer_id=local_ca.pk, actor=system)

    response = client.get(f"/.well-known/pki/{kind}/{quote(text)}")

    assert response.status_code in {200, 404}
    if response.status_code == 404:
        assert response["Content-Type"] == "text/plain; charset=utf-8"


@FUZZ
@given(st.binary(max_size=400))
def test_what_takes_answers_apart_takes_anything(data):
    """An installation that we look at may send what it likes."""
    for read in (crl_of, response_of):
        with suppress(NotDER):
            read(data)


# What was changed may be a certificate's serial; cryptography says what it thinks of those below 1.
@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
@FUZZ
@given(st.data())
def test_so_does_it_with_what_was_an_answer(client, version, question, data):
    answer = post(client, question).content

    for read in (crl_of, response_of):
        with suppress(NotDER):
            read(data.draw(changed(answer)))

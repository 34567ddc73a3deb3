"""Whatever is sent, by POST or in a path, gets an OCSP answer of the right status."""

import base64
from dataclasses import replace
from urllib.parse import quote

from asn1crypto import ocsp as asn1
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from certificates.models import OCSPResponse
from issuers.x509 import ocsp
from tests.pki_wellknown.test_ocsp import URL, post, request_for
from tests.pki_wellknown.test_ocsp_live import NONCE, asked_about, request_of, two_of

OURS = settings(
    max_examples=80,
    deadline=None,
    # The one certificate that all are about is made once, and nothing changes it.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def answered(response):
    """Return the status of an answer, having seen that it is a whole one."""
    assert (response.status_code, response["Content-Type"]) == (200, "application/ocsp-response")
    assert int(response["Content-Length"]) == len(response.content)
    parsed = asn1.OCSPResponse.load(response.content, strict=True)
    status = parsed["response_status"].native
    if status != "successful":
        assert len(response.content) == 5
        assert "no-store" in response["Cache-Control"]
    return status


def expected(der):
    """Return the statuses that a request may get: malformed exactly where the reader says so."""
    try:
        ocsp.parse(der)
    except ocsp.MalformedRequest:
        return {"malformed_request"}
    return {"successful", "unauthorized", "try_later"}


def changed(data, whole):
    """Return a request with some octets changed, cut or put in."""
    der = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(der) - 1))
        match data.draw(st.sampled_from(["change", "cut", "insert"])):
            case "change":
                der[at] = data.draw(st.integers(0, 255))
            case "cut" if len(der) > 1:
                del der[at]
            case _:
                der.insert(at, data.draw(st.integers(0, 255)))
    return bytes(der)


@OURS
@given(st.data())
def test_a_posted_request_with_octets_changed_is_answered_as_it_reads(client, version, data):
    wholes = [
        request_for(version),
        request_for(version, nonce=NONCE),
        request_of(*two_of(version), nonce=NONCE),
    ]
    der = changed(data, data.draw(st.sampled_from(wholes)))

    assert answered(post(client, der)) in expected(der)


@OURS
@given(st.data())
def test_a_request_in_a_path_with_octets_changed_is_answered_as_it_reads(client, version, data):
    whole = data.draw(st.sampled_from([request_for(version), request_for(version, nonce=NONCE)]))
    der = changed(data, whole)
    encoded = quote(base64.b64encode(der).decode(), safe=data.draw(st.sampled_from(["", "/+="])))

    assert answered(client.get(f"{URL}/{encoded}")) in expected(der)


@OURS
@given(st.text(min_size=1, max_size=60))
@example("0")
@example("f" * 40)
@example("-1")
@example("0x10")
def test_a_path_of_any_kind_is_answered(client, version, text):
    status = answered(client.get(f"{URL}/{quote(text, safe='/')}"))

    assert status in {"successful", "unauthorized", "malformed_request"}


@OURS
@given(st.lists(st.integers(-(1 << 161), 1 << 161), min_size=1, max_size=34), st.booleans())
def test_serials_that_nobody_has_cost_no_signature(client, version, serials, with_nonce):
    asked = [replace(asked_about(version), serial=one) for one in serials]
    response = post(client, request_of(*asked, nonce=NONCE if with_nonce else None))

    assert answered(response) in {"unauthorized", "malformed_request"}
    assert not OCSPResponse.objects.exists()

"""Whatever is sent to EST is answered in words, and never with a fault of ours."""

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.models import Job
from tests.enrollment.conftest import DEVICE
from tests.enrollment.est_client import basic, body_of, der_of
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db
DER = der_of(make_csr(DEVICE))
SAID = {400, 401, 403, 404, 413, 415, 429}

FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def damaged(draw):
    """A request with a few bytes changed, cut off or put in, in DER or base64."""
    data = bytearray(DER)
    for place in draw(st.lists(st.integers(0, len(DER) - 1), min_size=1, max_size=4)):
        data[place] = draw(st.integers(0, 255))
    data = bytes(data)[: draw(st.integers(0, len(DER)))] if draw(st.booleans()) else bytes(data)
    return base64.encodebytes(data) if draw(st.booleans()) else data


HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=200)


@FUZZ
@given(
    body=st.one_of(st.binary(max_size=300), damaged()),
    operation=st.sampled_from(["simpleenroll", "simplereenroll", "serverkeygen"]),
)
def test_whatever_the_body_is(est, label, secret_for, body, operation):
    made = secret_for(label)
    asked = Job.objects.count()

    answer = est.ask(operation, body=body, secret=made.text)

    if bytes(body) not in {DER, body_of(make_csr(DEVICE))}:
        assert answer.status_code in SAID | {200}
        if answer.status_code != 200:
            assert answer.headers["Content-Type"].startswith("text/plain")
            assert Job.objects.count() == asked


@FUZZ
@given(authorization=st.one_of(HEADER, HEADER.map(basic)), shown=HEADER, kind=HEADER)
def test_whatever_the_headers_are(est, label, authorization, shown, kind):
    headers = {"Authorization": authorization, "X-SSL-Client-Cert": shown}

    answer = est.ask("simpleenroll", body=DER, content_type=kind, **headers)

    assert answer.status_code in SAID
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert not Job.objects.exists()


@FUZZ
@given(path=st.text(max_size=60))
def test_whatever_the_address_is(est, label, path):
    answer = est.get("/.well-known/est/" + path.replace("?", "").replace("#", ""))

    assert answer.status_code in {404, 405}

"""Whatever is sent to SCEP's door is answered in words or by a CertRep: no 500, nothing issued."""

import base64
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates.models import Version
from enrollment.models import Enrollment
from enrollment.scep.answers import PKI_MESSAGE
from tests.enrollment.scep_client import Device
from tests.enrollment.scep_door import Scep, csr_der, new_key

pytestmark = pytest.mark.django_db
ANSWERS = {200, 400, 404, 405, 413}
FUZZED = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)


@cache
def key():
    """Return one key for all examples: they are slow to make."""
    return new_key()


@pytest.fixture
def sent(scep, scep_label, settings):
    """A message with a wrong challenge, as bytes."""
    settings.ENROLLMENT_RATE = "100000/min"
    who = Device(scep.ra_of(), key())
    return who.message(19, csr_der(key(), challenge="wrong"))


def check(answer):
    assert answer.status_code in ANSWERS
    kind = answer.headers["Content-Type"]
    assert kind == PKI_MESSAGE if answer.status_code == 200 else kind.startswith("text/plain")
    assert not Enrollment.objects.exists()
    assert Version.objects.filter(certificate__profile__is_ra=False).count() == 0


@FUZZED
@given(data=st.data())
def test_a_message_with_wrong_bytes_in_it(sent, data):
    body = bytearray(sent)
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    check(Scep().post_message(bytes(body)))


@FUZZED
@given(cut=st.integers(0, 4000), more=st.binary(max_size=40))
def test_a_message_that_is_cut_or_goes_on(sent, cut, more):
    check(Scep().get_message(sent[:cut] + more))


@FUZZED
@given(
    inside=st.binary(max_size=200),
    kind=st.integers(0, 30),
    transaction=st.text(st.characters(codec="ascii"), max_size=20),
)
def test_whatever_is_inside_the_envelope(sent, scep, inside, kind, transaction):
    who = Device(scep.ra_of(), key(), transaction_id=transaction.replace("@", "") or "t")
    check(Scep().post_message(who.message(kind, inside)))


@FUZZED
@given(query=st.text(max_size=60), path=st.text("abc-./%\0é", max_size=12), body=st.binary())
def test_whatever_is_in_the_address(sent, query, path, body):
    client = Scep()
    for method in ("GET", "POST"):
        answer = client.generic(method, f"/scep/{path}", body, QUERY_STRING=query)
        assert answer.status_code in {*ANSWERS, 301}
        message = base64.b64encode(body).decode()
        answer = client.generic(
            method, "/scep/routers", body, QUERY_STRING=f"operation=PKIOperation&message={message}"
        )
        check(answer)

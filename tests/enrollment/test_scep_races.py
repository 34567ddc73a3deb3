"""Ten devices with one challenge, at once: one certificate."""

import pytest
from django.db import connection

from certificates.models import Version
from enrollment.models import Enrollment
from tests.enrollment.scep_door import SUCCESS, Scep, csr_der, device, replied
from tests.races import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _postgresql():
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite writers follow one another")


def test_ten_at_once_with_the_same_challenge_get_one_certificate(scep_label, secret_for):
    made, scep = secret_for(scep_label), Scep()
    ten = [device(scep, transaction_id=f"t{number}") for number in range(10)]
    bodies = [who.pkcs_req(request=csr_der(who.key, challenge=made.text)) for who in ten]

    answers = together(*(lambda body=body: Scep().post_message(body) for body in bodies))

    replies = [replied(who, answer) for who, answer in zip(ten, answers, strict=True)]
    assert [reply.status for reply in replies].count(SUCCESS) == 1
    assert Enrollment.objects.count() == 1
    assert Version.objects.filter(device__startswith="scep/").count() == 1


def test_the_same_message_ten_times_at_once_is_one_request(scep_label, secret_for):
    made, scep = secret_for(scep_label), Scep()
    who = device(scep)
    body = who.pkcs_req(request=csr_der(who.key, challenge=made.text))

    answers = together(*(lambda: Scep().post_message(body) for _ in range(10)))

    assert {replied(who, answer).status for answer in answers} <= {SUCCESS, 3}
    assert Version.objects.filter(device__startswith="scep/").count() == 1

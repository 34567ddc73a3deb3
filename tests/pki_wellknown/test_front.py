"""OCSP answers before Django: from memory they are what the views say, or they are not given.

Alice answers for the certificate, bob revokes; relying parties have no names.
"""

import base64
import time
from datetime import timedelta
from io import BytesIO
from unittest.mock import Mock
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from django.db import OperationalError
from django.test import RequestFactory
from django.test.client import ClientHandler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates import answer_log, services
from certificates.models import AnswerChange, AnswerGeneration
from issuers.x509.ocsp import MalformedRequest, parse
from pki_wellknown import follow, memory, quick, shared, views
from pki_wellknown.front import Front
from tests.pki_wellknown.test_ocsp import LATER, SHA1, URL, request_for

PROMISED = timedelta(seconds=5)


class Asked:
    """The front over the whole of Django, as a WSGI server calls it."""

    def __init__(self, kept):
        self.memory = kept
        self.follower = follow.Follower(kept)
        self.follower.start = Mock()  # asked by hand instead
        self.handed_on = 0
        self._handler = ClientHandler(enforce_csrf_checks=True)
        self._front = Front(self._django, kept, self.follower)

    def _django(self, environ, start_response):
        self.handed_on += 1
        response = self._handler(environ)
        start_response(f"{response.status_code} {response.reason_phrase}", [*response.items()])
        return [response.content]

    def __call__(self, method, path, body=b"", *, by=None, **headers):
        given = {}

        def start_response(status, names):
            given.update(status=int(status[:3]), headers={**dict(names)})

        environ = RequestFactory().generic(method, path, body, headers=headers).environ
        parts = (by or self._front)(environ, start_response)
        return given["status"], given["headers"], b"".join(parts)

    def slowly(self, *args, **headers):
        return self(*args, by=self._django, **headers)

    def post(self, version, algorithm=None, **headers):
        return self("POST", URL, request_for(version, algorithm), **headers)


@pytest.fixture
def asked(db, monkeypatch):
    kept = memory.Memory(limit=1000, promised=PROMISED)
    monkeypatch.setattr(shared, "memory", kept)
    asked = Asked(kept)
    asked.follower.look()
    return asked


@pytest.fixture
def boottime(monkeypatch):
    """Have this process's clock stand, and be moved by hand."""
    clock = Mock(return_value=time.clock_gettime(time.CLOCK_BOOTTIME))
    monkeypatch.setattr(memory, "elapsed", clock)
    monkeypatch.setattr(follow, "elapsed", clock)
    return clock


def encoded(version, algorithm=None):
    return base64.b64encode(request_for(version, algorithm)).decode()


def certificate_status(answer):
    return ocsp.load_der_ocsp_response(answer[2]).certificate_status.name


def revoke(version, bob, reason="superseded"):
    services.revoke(version_id=version.pk, actor=bob, reason=reason)


def test_what_was_answered_once_is_answered_from_memory(asked, version, django_assert_num_queries):
    first = asked.post(version)

    with django_assert_num_queries(0):
        second = asked.post(version)

    assert asked.handed_on == 1
    assert second[2] == first[2]
    assert (asked.memory.hits, asked.memory.misses) == (1, 1)


@pytest.mark.parametrize("given", [{}, {"X-Request-ID": "client-1234"}], ids=["bare", "with-id"])
@pytest.mark.parametrize("state", ["good", "revoked", "hold"])
def test_memory_says_what_the_views_say(asked, version, bob, state, given):
    if state != "good":
        revoke(version, bob, "certificateHold" if state == "hold" else "keyCompromise")
        asked.follower.look()
    questions = [
        ("POST", URL, request_for(version)),
        ("POST", URL, request_for(version, SHA1)),
        ("GET", f"{URL}/{encoded(version)}"),
        ("GET", f"{URL}/{quote(encoded(version), safe='')}"),
        ("GET", f"{URL}/{version.serial}"),
        ("GET", f"{URL}/{version.serial.upper()}"),
    ]
    for question in questions:
        slow = asked.slowly(*question, **given)
        asked.handed_on = 0
        quickly = asked(*question, **given)
        assert asked.handed_on == 0, question
        assert quickly[1].pop("X-Request-ID") != slow[1].pop("X-Request-ID")
        assert quickly == slow
        assert slow[1].get("X-Client-Request-ID") == given.get("X-Request-ID")


def test_who_has_the_answer_gets_304_from_memory_as_from_the_views(asked, version):
    path = f"{URL}/{encoded(version)}"
    etag = asked("GET", path)[1]["ETag"]
    asked.handed_on = 0

    quickly, slow = (ask("GET", path, **{"If-None-Match": etag}) for ask in (asked, asked.slowly))

    assert asked.handed_on == 1
    assert quickly[1].pop("X-Request-ID") != slow[1].pop("X-Request-ID")
    assert quickly == slow
    assert quickly[0] == 304


@pytest.mark.parametrize(
    "headers",
    [{"If-None-Match": '"other"'}, {"If-None-Match": "*"}, {"If-Modified-Since": "Thu, 01 Jan"}],
    ids=["other", "any", "since"],
)
def test_other_conditions_are_the_views_to_answer(asked, version, headers):
    path = f"{URL}/{encoded(version)}"
    asked("GET", path)

    asked("GET", path, **headers)

    assert asked.handed_on == 2


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE"])
def test_other_methods_are_handed_on(asked, version, method):
    path = f"{URL}/{encoded(version)}"
    asked("GET", path)

    answer, slow = asked(method, path), asked.slowly(method, path)

    assert asked.handed_on == 3
    assert (answer[0], answer[2]) == (slow[0], slow[2])


def test_a_nonce_is_handed_on_with_all_of_its_body(asked, version):
    asked.post(version)

    answer = asked("POST", URL, request_for(version, nonce=b"n" * 16))

    assert asked.handed_on == 2
    assert b"n" * 16 in answer[2]


def test_a_body_that_is_shorter_than_it_says_is_malformed(asked, version):
    asked.post(version)
    environ = RequestFactory().generic("POST", URL, request_for(version)).environ
    environ["wsgi.input"] = BytesIO(request_for(version)[:-1])
    given = {}

    body = asked._front(environ, lambda status, headers: given.update(status=status))

    assert (given["status"], b"".join(body)) == ("200 OK", b"0\x03\n\x01\x01")


def test_an_unknown_serial_is_never_kept(asked, version):
    for _ in range(2):
        asked("GET", f"{URL}/{int(version.serial, 16) + 1:x}")

    assert asked.handed_on == 2
    assert len(asked.memory) == 0


def test_after_a_revocation_only_that_serial_is_asked_for_anew(asked, issue, bob):
    one, other = issue("one.demo.internal"), issue("two.demo.internal")
    asked.post(one), asked.post(other)

    revoke(one, bob)
    asked.follower.look()

    assert certificate_status(asked.post(one)) == "REVOKED"
    assert certificate_status(asked.post(other)) == "GOOD"
    assert asked.handed_on == 3


def test_a_released_hold_is_asked_for_anew(asked, version, bob):
    revoke(version, bob, "certificateHold")
    asked.follower.look()
    asked.post(version)

    services.release_hold(version_id=version.pk, actor=bob)
    asked.follower.look()

    assert certificate_status(asked.post(version)) == "GOOD"


def test_good_is_given_for_as_long_as_is_promised_and_no_longer(asked, version, boottime):
    asked.follower.look()
    asked.post(version)

    boottime.return_value += 4.9
    asked.post(version)
    assert asked.handed_on == 1
    boottime.return_value += 0.2
    asked.post(version)
    assert asked.handed_on == 2


@pytest.mark.parametrize(("reason", "handed_on"), [("keyCompromise", 1), ("certificateHold", 2)])
def test_what_is_revoked_for_good_needs_no_confirmation(
    asked, version, bob, boottime, reason, handed_on
):
    revoke(version, bob, reason)
    asked.follower.look()
    asked.post(version)

    boottime.return_value += 3600
    asked.post(version)

    assert asked.handed_on == handed_on


def test_nothing_is_given_after_its_end_however_the_clock_of_this_machine_is_set(
    asked, version, bob, boottime, monkeypatch
):
    revoke(version, bob)
    asked.follower.look()
    asked.post(version)

    monkeypatch.setattr(time, "time", lambda: 0.0)
    boottime.return_value += 13 * 3600
    key = next(iter(asked.memory._answers))

    assert asked.memory.fresh(key) is None
    assert asked.memory.in_force(key) is None


def test_an_answer_is_signed_anew_after_half_its_life(asked, version, bob, boottime):
    revoke(version, bob)
    asked.follower.look()
    asked.post(version)

    boottime.return_value += 6 * 3600

    assert asked.post(version)[0] == 200
    assert asked.handed_on == 2


def test_what_was_read_before_a_revocation_is_not_kept_after_it(asked, version, bob, monkeypatch):
    """Bob revokes, and this process learns of it, while a reader has the old answer in hand."""
    keep = shared.keep

    def late(*args):
        revoke(version, bob)
        asked.follower.look()
        keep(*args)

    monkeypatch.setattr(shared, "keep", late)
    assert certificate_status(asked.post(version)) == "GOOD"
    monkeypatch.setattr(shared, "keep", keep)

    assert certificate_status(asked.post(version)) == "REVOKED"


def test_memory_is_bounded_and_drops_what_was_not_asked_for_longest(monkeypatch, issue):
    kept = memory.Memory(limit=2, promised=PROMISED)
    monkeypatch.setattr(shared, "memory", kept)
    asked = Asked(kept)
    asked.follower.look()
    one, two, three = (issue(f"{name}.demo.internal") for name in ("one", "two", "three"))

    for version in (one, two, one, three):
        asked.post(version)

    assert len(kept) == 2
    assert sum(len(keys) for serials in kept._keys.values() for keys in serials.values()) == 2
    asked.handed_on = 0
    asked.post(one), asked.post(three)
    assert asked.handed_on == 0


def test_a_missed_stretch_costs_the_issuers_answers_and_no_others(asked, issue, bob, root_ca):
    ours, theirs = issue(), issue("api.demo.internal", issuer=root_ca)
    asked.post(ours), asked("GET", f"/.well-known/pki/ocsp/{root_ca.slug}/{theirs.serial}")
    assert len(asked.memory) == 2
    revoke(issue("mail.demo.internal"), bob)
    AnswerChange.objects.all().delete()  # as the sweep does after an hour

    asked.follower.look()

    assert len(asked.memory) == 1


def test_a_database_that_was_restored_costs_the_issuers_answers(asked, issue, bob):
    one, two = issue(), issue("api.demo.internal")
    revoke(two, bob)
    asked.follower.look()
    asked.post(one)

    AnswerGeneration.objects.update(number=0)
    asked.follower.look()

    assert len(asked.memory) == 0


def test_a_long_stretch_is_not_read_row_by_row(asked, version, bob, issue, monkeypatch):
    monkeypatch.setattr(answer_log, "MOST", 1)
    asked.post(version)
    for name in ("one", "two"):
        revoke(issue(f"{name}.demo.internal"), bob)

    asked.follower.look()

    assert len(asked.memory) == 0


@pytest.mark.parametrize(
    ("reason", "seconds", "later"),
    [("", 4, False), ("", 6, True), ("keyCompromise", 3600, False), ("certificateHold", 6, True)],
    ids=["good-confirmed", "good-unconfirmed", "revoked", "hold-unconfirmed"],
)
def test_while_the_database_is_away_what_is_still_true_is_given(
    asked, version, bob, boottime, monkeypatch, reason, seconds, later
):
    if reason:
        revoke(version, bob, reason)
    asked.follower.look()
    first = asked.post(version)
    monkeypatch.setattr(
        views.certificates.ocsp, "response_for", Mock(side_effect=OperationalError("away"))
    )
    boottime.return_value += seconds

    answer = asked.slowly("POST", URL, request_for(version))

    assert answer[2] == (LATER if later else first[2])


@pytest.mark.parametrize("state", ["good", "revoked", "unknown"])
def test_while_the_database_is_known_to_be_away_nobody_waits_for_it(
    asked, version, bob, boottime, state
):
    if state == "revoked":
        revoke(version, bob)
        asked.follower.look()
    if state != "unknown":
        asked.post(version)
    asked.follower.is_away = True
    asked.handed_on = 0
    # Past half of its life: it would be signed anew.
    boottime.return_value += 7 * 3600

    answer = asked.post(version)

    assert asked.handed_on == 0
    if state == "revoked":
        assert certificate_status(answer) == "REVOKED"
    else:
        slow = views.answers.der(RequestFactory().get("/"), LATER, "application/ocsp-response")
        assert answer[2] == LATER
        assert slow.headers.items() <= answer[1].items()


def test_nothing_is_kept_before_the_first_confirmation(monkeypatch, version):
    kept = memory.Memory(limit=10, promised=PROMISED)
    monkeypatch.setattr(shared, "memory", kept)
    asked = Asked(kept)

    asked.post(version), asked.post(version)

    assert (asked.handed_on, len(kept)) == (2, 0)
    asked.follower.start.assert_called()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(data=st.data())
def test_the_quick_reader_and_the_parser_mean_the_same(data, request_bytes):
    """What has the key of a right question is that question to the parser too."""
    changed = bytearray(request_bytes)
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        way = data.draw(st.sampled_from(["set", "cut", "put"]))
        if way == "set":
            changed[place] = data.draw(st.integers(0, 255))
        elif way == "cut":
            del changed[place]
        else:
            changed.insert(place, data.draw(st.integers(0, 255)))
    right = quick.of_request("issuing", request_bytes)
    key = quick.of_request("issuing", bytes(changed))

    try:
        question = parse(bytes(changed))
    except MalformedRequest:
        assert key is None or key != right
        return
    if key is not None:
        assert question.is_plain
    if key == right:
        assert question.cert_id.encode() == right[1]


@pytest.fixture(scope="module")
def request_bytes():
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        b"n" * 32, b"k" * 32, 0x1234567890ABCDEF, hashes.SHA256()
    )
    return builder.build().public_bytes(Encoding.DER)

"""OCSP from memory, before Django: the same answers, and never one that holds no longer."""

import base64
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
import time_machine
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from django.db import OperationalError, connection
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from certificates import services
from certificates.models import OCSPResponse
from issuers.x509.ocsp import MalformedRequest, parse
from pki_wellknown.memory import quick
from pki_wellknown.memory.answer import Answer
from pki_wellknown.memory.follow import Follower
from pki_wellknown.memory.store import Memory
from tests.pki_wellknown.fronts import PROMISE, Fronted, Stopped
from tests.pki_wellknown.test_ocsp import LATER, MALFORMED, SHA1, URL, request_for

HASHES = [SHA1, hashes.SHA256(), hashes.SHA384(), hashes.SHA512()]


@pytest.fixture
def fronted(db):
    made = Fronted()
    made.follower.look_now()
    return made


def path_of(der):
    return f"{URL}/{quote(base64.b64encode(der), safe='')}"


def status(given):
    return ocsp.load_der_ocsp_response(given.body).certificate_status.name


def without_null(der):
    """The same question with absent parameters, whose answers repeat that."""
    return (
        der.replace(bytes.fromhex("300906052b0e03021a0500"), bytes.fromhex("300706052b0e03021a"))
        if b"\x05\x00" in der
        else der
    )


# --- The same as Django's -------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", HASHES, ids=lambda one: one.name)
@pytest.mark.parametrize("is_revoked", [False, True])
def test_what_is_said_from_memory_is_what_django_says(
    fronted, version, bob, algorithm, is_revoked, django_assert_num_queries
):
    if is_revoked:
        services.revoke(version_id=version.pk, actor=bob)
        fronted.follower.look_now()
    der = request_for(version, algorithm)
    text = base64.b64encode(der).decode()
    with time_machine.travel(timezone.now(), tick=False):
        fronted.follower.look_now()
        asked = [
            {"path": URL, "method": "POST", "body": der},
            {"path": f"{URL}/", "method": "POST", "body": der},
            {"path": path_of(der)},
            {"path": f"{URL}/{text}"},
            {"path": f"{URL}/{text.rstrip('=')}"},
            {"path": path_of(der), "method": "HEAD"},
            {"path": f"{URL}/{version.serial}"},
            {"path": f"{URL}/{version.serial.upper()}", "method": "HEAD"},
        ]
        first = [fronted.ask(**one) for one in asked]
        handed_on = len(fronted.handed_on)
        with django_assert_num_queries(0):
            again = [fronted.ask(**one) for one in asked]
        slow = [fronted.slow(**one) for one in asked]

    assert len(fronted.handed_on) == handed_on
    assert [one.but_ids() for one in again] == [one.but_ids() for one in slow]
    assert [one.but_ids() for one in first] == [one.but_ids() for one in slow]
    assert handed_on == 2  # the question and the bare serial


@pytest.mark.parametrize("prefix", ["/trust", "/a/b/c", ""])
def test_under_another_prefix_it_is_the_same_answer_from_the_same_memory(
    fronted, version, prefix, django_assert_num_queries
):
    there = URL.replace("/.well-known/pki", prefix)
    der = request_for(version)
    with time_machine.travel(timezone.now(), tick=False):
        fronted.follower.look_now()
        fronted.ask(URL, method="POST", body=der)
        fronted.ask(f"{URL}/{version.serial}")
        asked = [
            {"path": there, "method": "POST", "body": der},
            {"path": path_of(der).replace(URL, there)},
            {"path": path_of(der).replace(URL, there), "method": "HEAD"},
            {"path": f"{there}/{version.serial}"},
        ]
        with django_assert_num_queries(0):
            fast = [fronted.ask(**one) for one in asked]
        slow = [fronted.slow(**one) for one in asked]

    assert [one.but_ids() for one in fast] == [one.but_ids() for one in slow]
    assert {one.status for one in fast} == {"200 OK"}
    assert len(fronted.handed_on) == 2


@pytest.mark.parametrize("path", ["/api/v1/ocsp/issuing", "/admin/ocsp/issuing/", "/a/ocsps/b"])
def test_what_is_another_doors_is_handed_on(fronted, version, path):
    fronted.ask(URL, method="POST", body=request_for(version))
    fronted.memory.say = None  # it would break

    assert fronted.ask(path, method="POST", body=request_for(version)).status != "200 OK"
    assert len(fronted.handed_on) == 2


def test_who_has_the_answer_is_told_so_from_memory(fronted, version):
    path = path_of(request_for(version))
    with time_machine.travel(timezone.now(), tick=False):
        fronted.follower.look_now()
        headers = dict(fronted.ask(path).headers)
        conditions = [
            {"HTTP_IF_NONE_MATCH": headers["ETag"]},
            {"HTTP_IF_MODIFIED_SINCE": headers["Last-Modified"]},
            {"HTTP_IF_NONE_MATCH": headers["ETag"], "HTTP_IF_MODIFIED_SINCE": "nonsense"},
        ]
        for method in ("GET", "HEAD"):
            for condition in conditions:
                given = fronted.ask(path, method=method, **condition)
                assert given.status.startswith("304")
                assert given.but_ids() == fronted.slow(path, method=method, **condition).but_ids()
        assert len(fronted.handed_on) == 1
        others = [
            {"HTTP_IF_NONE_MATCH": '"other"'},
            {"HTTP_IF_NONE_MATCH": f'"other", {headers["ETag"]}'},
            {"HTTP_IF_NONE_MATCH": "*"},
            {"HTTP_IF_NONE_MATCH": f"W/{headers['ETag']}"},
            {"HTTP_IF_NONE_MATCH": '"x"', "HTTP_IF_MODIFIED_SINCE": headers["Last-Modified"]},
            {"HTTP_IF_MODIFIED_SINCE": "Thu, 01 Jan 1970 00:00:00 GMT"},
            {"HTTP_IF_MODIFIED_SINCE": "nonsense"},
            {"HTTP_IF_MATCH": '"x"'},
            {"HTTP_IF_MATCH": headers["ETag"], "HTTP_IF_NONE_MATCH": headers["ETag"]},
            {"HTTP_IF_UNMODIFIED_SINCE": "Thu, 01 Jan 1970 00:00:00 GMT"},
        ]
        for condition in others:
            assert (
                fronted.ask(path, **condition).but_ids()
                == fronted.slow(path, **condition).but_ids()
            )
    assert len(fronted.handed_on) == 1 + len(others)


def test_a_request_has_its_own_id_and_the_clients_beside_it(fronted, version):
    path = path_of(request_for(version))
    fronted.ask(path)

    ids = [
        dict(fronted.ask(path, HTTP_X_REQUEST_ID=given).headers)
        for given in ("abcdefgh-1", "abcdefgh-1", "<script>", "short")
    ]

    assert len({one["X-Request-ID"] for one in ids}) == 4
    assert [one.get("X-Client-Request-ID") for one in ids] == ["abcdefgh-1"] * 2 + [None] * 2
    assert len(fronted.handed_on) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{URL}/MFYw"),
        ("PUT", URL),
        ("DELETE", f"{URL}/4711"),
        ("GET", URL),
        ("GET", f"{URL}/"),
        ("GET", "/.well-known/pki/ocsp/nowhere/4711"),
        ("GET", "/.well-known/pki/ocsp//4711"),
        ("GET", "/.well-known/pki/ocsp/"),
        ("GET", "/.well-known/pki/crl/issuing"),
        ("GET", f"{URL}/4711"),
        ("GET", f"{URL}/{'f' * 41}"),
        ("GET", f"{URL}/M"),
        ("GET", f"{URL}/Mé"),
        ("GET", f"{URL}/" + "M" * 9000),
        ("GET", "/health"),
    ],
)
def test_what_is_no_common_question_is_djangos(fronted, local_ca, method, path):
    for _ in range(2):
        assert (
            fronted.ask(path, method=method).but_ids()
            == fronted.slow(path, method=method).but_ids()
        )
    assert len(fronted.handed_on) == 2


@pytest.mark.parametrize("nonce", [b"", b"n" * 16, b"n" * 129])
def test_a_question_with_a_nonce_is_never_answered_from_memory(fronted, version, nonce):
    der = request_for(version, nonce=nonce)
    for _ in range(2):
        fronted.ask(URL, method="POST", body=der)
        fronted.ask(path_of(der))

    assert len(fronted.handed_on) == 4
    assert len(fronted.memory) == 0


@pytest.mark.parametrize(
    ("environ", "size"),
    [
        ({"CONTENT_LENGTH": "257"}, 257),
        ({"CONTENT_LENGTH": "65537"}, 0),
        ({"CONTENT_LENGTH": "-1"}, 0),
        ({"CONTENT_LENGTH": "٣"}, 0),
        ({"CONTENT_LENGTH": ""}, 0),
        ({"CONTENT_LENGTH": "100", "HTTP_TRANSFER_ENCODING": "chunked"}, 100),
    ],
)
def test_a_body_that_cannot_be_common_is_handed_on_unread(db, local_ca, environ, size):
    class Body:
        reads = 0

        def read(self, size=-1):
            self.reads += 1
            return b""

    body, reads = Body(), []

    def behind(environ, start_response):
        reads.append(body.reads)
        assert environ["wsgi.input"] is body
        return []

    fronted = Fronted()
    fronted.front.application = behind
    with pytest.raises(IndexError):
        fronted.ask(URL, method="POST", **environ, **{"wsgi.input": body})
    assert reads == [0]


@pytest.mark.parametrize("source", [Stopped(), __import__("io").BytesIO(b"0V")])
def test_a_body_that_stops_is_malformed_as_it_is_to_django(fronted, local_ca, source):
    given = fronted.ask(URL, method="POST", CONTENT_LENGTH="88", **{"wsgi.input": source})

    assert given.body == MALFORMED


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_fuzzed_questions_get_from_the_front_what_django_says(fronted, version, data):
    der = bytearray(request_for(version, data.draw(st.sampled_from(HASHES))))
    for _ in range(data.draw(st.integers(0, 3))):
        where = data.draw(st.integers(0, len(der) - 1))
        change = data.draw(st.sampled_from(["flip", "cut", "add"]))
        if change == "flip":
            der[where] ^= 1 << data.draw(st.integers(0, 7))
        elif change == "cut":
            del der[where : where + 1]
        else:
            der.insert(where, data.draw(st.integers(0, 255)))
    text = base64.b64encode(bytes(der)).decode()
    text = data.draw(st.sampled_from([text, text.rstrip("="), text.replace("+", " "), "/" + text]))
    asked = data.draw(
        st.sampled_from(
            [
                {"path": URL, "method": "POST", "body": bytes(der)},
                {"path": f"{URL}/{quote(text, safe='')}"},
                {"path": f"{URL}/{quote(text)}", "method": "HEAD"},
            ]
        )
    )
    with time_machine.travel(timezone.now(), tick=False):
        fronted.follower.look_now()
        first, again = fronted.ask(**asked), fronted.ask(**asked)
        slow = fronted.slow(**asked).but_ids()

    assert first.but_ids() == slow
    assert again.but_ids() == slow


@settings(max_examples=400, deadline=None)
@given(der=st.binary(max_size=200))
@example(der=b"")
@example(der=b"0")
@example(der=b"0\x81\x800")
def test_the_quick_reader_takes_nothing_that_the_parser_refuses(der):
    assert not quick.is_common(der) or parse(der)


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_quick_reader_takes_is_its_certid_and_nothing_else(version, data):
    der = bytearray(request_for(version, data.draw(st.sampled_from(HASHES))))
    if data.draw(st.booleans()):
        der = bytearray(without_null(bytes(der)))
    where = data.draw(st.integers(0, len(der) - 1))
    der[where] = data.draw(st.integers(0, 255))
    try:
        question = parse(bytes(der))
    except MalformedRequest:
        assert not quick.is_common(bytes(der))
        return
    if quick.is_common(bytes(der)):
        assert bytes(der).endswith(question.cert_id.encode())
        assert question.nonce is None


def test_the_quick_reader_takes_each_common_question(version):
    assert all(quick.is_common(request_for(version, algorithm)) for algorithm in HASHES)
    assert not quick.is_common(request_for(version, padding=1))
    assert not quick.is_common(request_for(version, nonce=b"n" * 16))


# --- Never what holds no longer -------------------------------------------------------------


def test_a_revocation_is_known_once_the_log_was_read(
    fronted, version, bob, django_assert_num_queries
):
    path = path_of(request_for(version))
    fronted.ask(path)
    services.revoke(version_id=version.pk, actor=bob)

    before = fronted.ask(path)
    fronted.follower.look_now()
    after = fronted.ask(path)

    assert (status(before), status(after)) == ("GOOD", "REVOKED")
    assert fronted.slow(path).body == after.body
    with django_assert_num_queries(0):
        assert status(fronted.ask(path)) == "REVOKED"


def test_only_the_serial_that_changed_is_forgotten(fronted, issue, bob):
    one, other = issue("one.demo.internal"), issue("other.demo.internal")
    paths = [path_of(request_for(version)) for version in (one, other)]
    for path in [*paths, path_of(request_for(one, SHA1)), f"{URL}/{one.serial}"]:
        fronted.ask(path)
    assert len(fronted.memory) == 4

    services.revoke(version_id=one.pk, actor=bob)
    fronted.follower.look_now()

    assert len(fronted.memory) == 1
    handed_on = len(fronted.handed_on)
    assert status(fronted.ask(paths[1])) == "GOOD"
    assert len(fronted.handed_on) == handed_on


def test_a_released_hold_is_good_again(fronted, version, bob):
    path = path_of(request_for(version))
    services.revoke(version_id=version.pk, actor=bob, reason="certificateHold")
    fronted.follower.look_now()
    assert status(fronted.ask(path)) == "REVOKED"

    services.release_hold(version_id=version.pk, actor=bob)
    fronted.follower.look_now()

    assert status(fronted.ask(path)) == "GOOD"


def test_what_was_read_before_a_change_is_not_put_in_after_it(fronted, version, bob):
    path = path_of(request_for(version))
    django = fronted.django

    def slow_way(environ, start_response):
        body = django(environ, start_response)  # reads `good`; then, before it is remembered:
        services.revoke(version_id=version.pk, actor=bob)
        fronted.follower.look_now()
        return body

    fronted.front.application = slow_way
    assert status(fronted.ask(path)) == "GOOD"
    fronted.front.application = django

    assert len(fronted.memory) == 0
    assert status(fronted.ask(path)) == "REVOKED"


def ages(fronted, monkeypatch, seconds):
    """Let so many seconds pass since the log was last read."""
    confirmation = fronted.memory.confirmation
    monkeypatch.setattr("pki_wellknown.front.elapsed", lambda: confirmation.asked_at + seconds)


@pytest.mark.parametrize("reason", ["", "certificateHold"])
@pytest.mark.parametrize(("seconds", "is_known"), [(4.9, True), (5.1, False), (-0.1, False)])
def test_what_may_change_is_said_while_it_was_confirmed_in_time(
    fronted, version, bob, monkeypatch, reason, seconds, is_known
):
    if reason:
        services.revoke(version_id=version.pk, actor=bob, reason=reason)
        fronted.follower.look_now()
    path = path_of(request_for(version))
    fronted.ask(path)
    fronted.follower.look_now()
    ages(fronted, monkeypatch, seconds)

    fronted.ask(path)

    assert len(fronted.handed_on) == (1 if is_known else 2)


def test_what_is_revoked_for_good_is_said_to_its_end_while_nobody_can_be_asked(
    fronted, version, bob, monkeypatch
):
    services.revoke(version_id=version.pk, actor=bob)
    fronted.follower.look_now()
    path = path_of(request_for(version))
    fronted.ask(path)
    row = OCSPResponse.objects.get()
    left = (row.next_update - timezone.now()).total_seconds()

    for seconds in (100, left / 2 + 60, left - 5):
        ages(fronted, monkeypatch, seconds)
        given = fronted.ask(path)
        assert status(given) == "REVOKED"
        age = dict(given.headers)["Cache-Control"].split(",")[0]
        assert 0 <= int(age.removeprefix("max-age=")) < left - seconds + 1
    assert len(fronted.handed_on) == 1

    ages(fronted, monkeypatch, left + 1)
    fronted.ask(path)
    assert len(fronted.handed_on) == 2


def test_while_the_database_is_away_what_is_confirmed_is_said_and_the_rest_is_try_later(
    fronted, issue, bob, monkeypatch
):
    good, bad, new = (issue(f"{name}.demo.internal") for name in ("good", "bad", "new"))
    services.revoke(version_id=bad.pk, actor=bob)
    fronted.follower.look_now()
    paths = [path_of(request_for(version)) for version in (good, bad, new)]
    fronted.ask(paths[0]), fronted.ask(paths[1])

    def away(*args):
        raise OperationalError

    monkeypatch.setattr("certificates.ocsp.response_for", away)
    ages(fronted, monkeypatch, 1)
    assert [fronted.ask(path).body[:5] == LATER for path in paths] == [False, False, True]
    ages(fronted, monkeypatch, 60)
    assert [fronted.ask(path).body[:5] == LATER for path in paths] == [True, False, True]


def test_an_answer_past_half_its_life_is_signed_anew(fronted, version):
    path = path_of(request_for(version))
    first = fronted.ask(path)
    row = OCSPResponse.objects.get()
    with time_machine.travel(row.this_update + (row.next_update - row.this_update) / 2):
        fronted.follower.look_now()
        second = fronted.ask(path)
        third = fronted.ask(path)

    assert first.body != second.body == third.body
    assert len(fronted.handed_on) == 2


@pytest.mark.parametrize("year", [2000, 2090])
def test_a_clock_that_is_moved_brings_nothing_out_of_its_time(fronted, version, year):
    path = path_of(request_for(version))
    fronted.ask(path)
    with time_machine.travel(datetime(year, 1, 1, tzinfo=UTC)):
        fronted.follower.look_now()
        assert fronted.memory.say(("issuing", request_for(version)), _now()) is None
    # And one that is moved while nobody can be asked moves nothing: the other clock goes on.
    fronted.follower.look_now()
    with time_machine.travel(datetime(year, 1, 1, tzinfo=UTC)):
        assert fronted.memory.say(("issuing", request_for(version)), _now()) is not None


def _now():
    from pki_wellknown.memory.clock import elapsed  # noqa: PLC0415

    return elapsed()


def test_what_is_forgotten_while_it_is_looked_up_is_weighed_by_the_confirmation_before(
    fronted, version
):
    path = path_of(request_for(version))
    fronted.ask(path)
    memory = fronted.memory
    question = ("issuing", request_for(version))
    asked_at = memory.confirmation.asked_at
    known = memory._answers

    class Slow:
        """A change and its confirmation come while the answer is in hand."""

        def get(self, key):
            answer = known.get(key)
            later = asked_at + PROMISE + 1
            offset = memory.confirmation.offset
            memory.confirm(
                asked_at=later, offset=offset, serials=[(answer.issuer_id, answer.serial)]
            )
            return answer

        def __getattr__(self, name):
            return getattr(known, name)

    memory._answers = Slow()

    assert memory.say(question, asked_at + PROMISE + 2) is None


def test_a_process_that_was_stopped_inside_django_does_not_say_good(fronted, version, monkeypatch):
    times = iter([100.0, 100.0, 105.1, 106.0])
    monkeypatch.setattr("pki_wellknown.front.elapsed", lambda: next(times))

    given = fronted.ask(path_of(request_for(version)))

    assert given.body == LATER
    assert dict(given.headers)["Cache-Control"] == "no-cache, no-store"
    assert len(fronted.memory) == 0


def test_nothing_is_remembered_before_the_log_was_read(db, version):
    fronted = Fronted()
    for _ in range(2):
        fronted.ask(path_of(request_for(version)))

    assert (len(fronted.handed_on), len(fronted.memory)) == (2, 0)


def test_memory_is_bounded_and_the_longest_unasked_goes_first(db, issue):
    fronted = Fronted(most=2)
    fronted.follower.look_now()
    paths = [path_of(request_for(issue(f"w{n}.demo.internal"))) for n in range(3)]
    for path in (paths[0], paths[1], paths[0], paths[2], paths[0]):
        fronted.ask(path)

    assert len(fronted.memory) == 2
    assert len(fronted.handed_on) == 3
    fronted.ask(paths[1])
    assert len(fronted.handed_on) == 4
    assert sum(map(len, fronted.memory._questions.values())) == 2


def test_a_memory_of_none_remembers_none(db, version):
    fronted = Fronted(most=0)
    fronted.follower.look_now()
    for _ in range(2):
        fronted.ask(path_of(request_for(version)))

    assert (len(fronted.handed_on), len(fronted.memory)) == (2, 0)


def test_an_answer_has_no_query_in_it(version, fronted, django_assert_num_queries):
    fronted.ask(path_of(request_for(version)))
    row = OCSPResponse.objects.get()
    with django_assert_num_queries(0):
        Answer(row)
    assert connection.queries_log is not None


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_process_that_knows_the_database_is_away_says_what_the_view_says(
    fronted, version, monkeypatch, method
):
    der = request_for(version)
    asked = {"path": URL, "body": der} if method == "POST" else {"path": path_of(der)}
    asked |= {"method": method, "HTTP_X_REQUEST_ID": "of-the-client"}

    def away(*args):
        raise OperationalError

    monkeypatch.setattr("certificates.ocsp.response_for", away)
    slow = fronted.slow(**asked)
    fronted.follower.is_away = True
    quick_one = fronted.ask(**asked)

    assert not fronted.handed_on
    assert (quick_one.status, quick_one.body) == (slow.status, slow.body)
    told, said = dict(quick_one.headers), dict(slow.headers)
    assert told == {**said, "X-Request-ID": told["X-Request-ID"]}


def test_a_follower_that_has_died_is_started_also_while_the_database_is_away(
    fronted, version, monkeypatch
):
    started = []
    monkeypatch.setattr(fronted.follower, "ensure", lambda: started.append(True))
    fronted.follower.is_away = True

    fronted.ask(path_of(request_for(version)))

    assert started


def test_what_another_process_saw_of_the_database_is_not_believed(monkeypatch):
    follower = Follower(Memory(most=1, promised_seconds=5.0))
    monkeypatch.setattr(follower, "_run", lambda: None)
    follower.is_away = True

    follower.ensure()
    follower.stop()

    assert not follower.is_away


ALONE = {"nonce": b"n" * 32}


@pytest.mark.parametrize(
    ("prefix", "options"),
    [("/trust", {}), ("/trust", ALONE), ("/.well-known/pki", ALONE)],
    ids=["alias", "alias-alone", "alone"],
)
def test_a_process_that_was_stopped_says_good_by_no_other_way(
    fronted, version, monkeypatch, prefix, options
):
    path = f"{prefix}/ocsp/issuing"
    der = request_for(version, **options)
    assert fronted.slow(path, method="POST", body=der).body != LATER
    times = iter([100.0, 105.1])
    monkeypatch.setattr("pki_wellknown.views.elapsed", lambda: next(times))

    assert fronted.slow(path, method="POST", body=der).body == LATER

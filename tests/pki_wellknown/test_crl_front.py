"""What is answered before Django is what Django would have said."""

from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from django.db import OperationalError

from certificates import crl
from certificates.models import CRL
from pki_wellknown import crl_front
from pki_wellknown.crl_front import CRLFront

PATH = "/.well-known/pki/crl/issuing"


def ask(application, path=PATH, method="GET", **headers):
    told = {}
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        **headers,
    }

    def start_response(status, given):
        told.update(status=status, headers=dict(given))

    told["body"] = b"".join(application(environ, start_response))
    return told


@pytest.fixture
def front():
    """The front, with nothing behind it: what it hands on fails."""

    def nothing(environ, start_response):
        start_response("599 Handed on", [])
        return ()

    return CRLFront(nothing)


@pytest.fixture
def moment():
    """A clock that stands, so that max-age is the same twice."""
    with time_machine.travel(timedelta(0) + crl.database_clock.now(), tick=False):
        yield


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("conditional", [False, True])
def test_both_say_the_same(client, published, front, moment, method, conditional):
    headers = {"HTTP_IF_NONE_MATCH": f'"{published.etag}"'} if conditional else {}
    headers["HTTP_X_REQUEST_ID"] = "of-the-client"

    before = ask(front, method=method, **headers)
    behind = client.generic(method, PATH, **headers)

    assert before["status"] == f"{behind.status_code} {behind.reason_phrase}"
    # Behind all middlewares, each with an id of its own.
    ids = [dict(one).pop("X-Request-ID") for one in (before["headers"], behind.headers.items())]
    assert before["headers"] == {**behind.headers, "X-Request-ID": ids[0]}
    assert ids[0] != ids[1]
    assert len(ids[0]) == len(ids[1])
    assert before["body"] == behind.content
    assert behind.status_code == (304 if conditional else 200)


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_RANGE": "bytes=0-1"},
        {"HTTP_IF_MODIFIED_SINCE": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"HTTP_IF_NONE_MATCH": '"other"'},
        {"HTTP_IF_NONE_MATCH": "*"},
        {"HTTP_IF_MATCH": "*"},
        {"method": "POST"},
        {"path": "/.well-known/pki/crl/nowhere"},
        {"path": "/.well-known/pki/crl/issuing/"},
        {"path": "/.well-known/pki/crl/issuing/7"},
        {"path": "/.well-known/pki/ca/issuing"},
        {"path": "/"},
    ],
)
def test_all_else_is_handed_on(published, front, headers):
    assert ask(front, **headers)["status"] == "599 Handed on"


def test_it_asks_once_a_second_and_then_gives_the_newest(
    published, front, local_ca, system, monkeypatch, django_assert_num_queries
):
    clock = [100.0]
    monkeypatch.setattr(crl_front, "elapsed", lambda: clock[0])
    ask(front)
    newer = crl.publish(issuer_id=local_ca.pk, actor=system)
    clock[0] += 0.9
    before = published.der
    with django_assert_num_queries(0):
        assert ask(front)["body"] == before

    clock[0] += 0.1

    assert ask(front)["body"] == bytes(newer.der)


def test_an_expired_one_is_handed_on(published, front):
    ask(front)

    with time_machine.travel(published.next_update, tick=False):
        assert ask(front)["status"] == "599 Handed on"


def test_a_database_that_is_away_is_handed_on(published, front, monkeypatch):
    def broken(slug):
        raise OperationalError

    monkeypatch.setattr("certificates.crl.current", broken)

    assert ask(front)["status"] == "599 Handed on"


def test_nobody_waits_for_who_asks(published, front):
    with front._asking:
        assert ask(front)["status"] == "599 Handed on"


def test_what_is_gone_is_forgotten(published, front, monkeypatch):
    ask(front)
    CRL.objects.all().delete()
    monkeypatch.setattr(crl_front, "CHECKED_FOR", 0.0)

    assert ask(front)["status"] == "599 Handed on"
    assert not front._known

"""Every URL there is, and which of them answer whoever has no credentials."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

UUID = "00000000-0000-4000-8000-000000000000"
VALUES = {
    "pk": UUID,
    "object_id": UUID,
    "issuer": "nobody",
    "encoded": "MAMCAQE=",
    "app_label": "jobs",
    "content_type_id": "1",
    "url": "nowhere",
    "action": "approve",
}
# What people and monitors reach without credentials, besides what relying parties fetch.
OPEN = {
    "/",  # leads to the login
    "/admin/login/",
    "/admin/logout/",
    "/admin/jsi18n/",  # the admin's own words in JavaScript: no data
    "/api/v1/schema/",
    "/api/v1/docs/",
    "/health",
    "/ready",
    "/metrics",
}


def routes(patterns, before=""):
    """Return every route as text, such as /api/v1/jobs/<pk>/."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield "/" + route
        else:
            yield from routes(pattern.url_patterns, route)


def filled(route):
    """Return an address that the route matches, as far as it has one."""
    route = route.replace("\\Z", "").replace("\\.", ".").replace("^", "").rstrip("$")
    route = re.sub(r"\(\?P<(\w+)>[^()]*(?:\([^()]*\)[^()]*)*\)", r"<\1>", route)
    route = route.replace("/?", "/")
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: VALUES.get(match[1], "x"), route)


ROUTES = sorted(set(routes(get_resolver().url_patterns)))


def test_the_walk_sees_the_doors_that_we_know():
    assert {
        "/health",
        "/.well-known/pki/crl/<slug:issuer>",
        "/admin/login/",
    } <= set(ROUTES)
    assert sum(route.startswith("/api/v1/") for route in ROUTES) > 60


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_nobody_without_credentials_comes_in_by_any_other_door(db, method):
    client = Client(raise_request_exception=False)
    let_in = {}
    for route in ROUTES:
        address = filled(route)
        if address in OPEN or address.startswith("/.well-known/pki/"):
            continue
        answer = getattr(client, method)(address)
        to_login = answer.status_code == 302 and "/admin/login/" in answer.headers["Location"]
        if not to_login and answer.status_code not in {401, 403, 404, 405}:
            let_in[address] = answer.status_code

    assert let_in == {}


def test_relying_parties_need_no_credentials_and_get_no_cookies(db, local_ca, system):
    from certificates import crl  # noqa: PLC0415

    crl.publish(local_ca.pk, actor=system)
    client = Client()

    for path in ("crl/issuing", "ca/issuing", "ocsp/issuing/abc"):
        answer = client.get(f"/.well-known/pki/{path}")
        assert answer.status_code == 200
        assert not answer.cookies
        assert "Cookie" not in answer.headers.get("Vary", "")


@pytest.mark.parametrize(
    "path", ["crl", "crl/", "crl/issuing", "crls/", "ocsp", "ocsp/", "ocsp/issuing/abc"]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_api_has_no_crl_and_no_ocsp(carol, client_of, anonymous, local_ca, path, method):
    for client in (client_of(carol), anonymous):
        assert getattr(client, method)(f"/api/v1/{path}").status_code == 404


def test_a_guesser_of_passwords_is_locked_out_after_five(carol):
    carol.set_password("correct horse battery")
    carol.save()

    def enter(password="correct horse battery"):
        client = Client()
        client.post("/admin/login/", {"username": "carol", "password": password})
        return "_auth_user_id" in client.session

    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        assert [enter("guess") for _ in range(4)] == [False] * 4
        assert enter()
        assert [enter("guess") for _ in range(5)] == [False] * 5
        assert not enter()
        clock.shift(timedelta(minutes=14))
        assert not enter()
        # Trying during the lock-out draws it out.
        clock.shift(timedelta(minutes=15, seconds=1))
        assert enter()

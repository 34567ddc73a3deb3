"""Every URL there is, and which of them answer whoever has no credentials."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from issuers.models import Issuer

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
DOCS = Path(__file__).resolve().parents[2] / "docs"


def documented(title="Addresses that need no key"):
    """Return what docs/security.md lists as needing no key."""
    page = (DOCS / "security.md").read_text()
    section = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `(/[^`]*)` \|", section, re.MULTILINE))


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


def shown(route):
    """Return a route as the documentation writes it, such as /.well-known/pki/crl/{issuer}."""
    route = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
    return route.rstrip("/") if route.startswith("/.well-known/") else route


ROUTES = sorted(set(routes(get_resolver().url_patterns)))
OPEN = documented()
DEVICES = documented("Addresses where devices show credentials of their own")
EST = {address for address in OPEN if "/est/" in address}  # behind a TLS front
STATIC = "/static/"  # WhiteNoise answers it before any route


def test_the_walk_sees_the_doors_that_we_know():
    assert {
        "/health",
        "/.well-known/pki/crl/<slug:issuer>",
        "/admin/login/",
    } <= set(ROUTES)
    assert sum(route.startswith("/api/v1/") for route in ROUTES) > 60


@pytest.fixture(scope="module")
def turned_away():
    """Say of an answer whether it is none."""

    def say(answer):
        to_login = answer.status_code == 302 and "/admin/login/" in answer.headers["Location"]
        return to_login or answer.status_code in {401, 403, 404, 405}

    return say


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_nobody_without_credentials_comes_in_by_any_other_door(db, method, turned_away):
    client = Client(raise_request_exception=False)
    let_in = {}
    for route in ROUTES:
        if shown(route) in OPEN | DEVICES:
            continue
        answer = getattr(client, method)(filled(route))
        if not turned_away(answer):
            let_in[route] = answer.status_code

    assert let_in == {}


def test_what_is_said_to_need_no_key_is_there_and_needs_none(db, local_ca, system, turned_away):
    from certificates import crl  # noqa: PLC0415

    Issuer.objects.update(crl_deltas=True)
    for _ in range(2):  # a delta has something that it adds to
        crl.publish(issuer_id=local_ca.pk, actor=system)
    client = Client(raise_request_exception=False)
    refused = {}
    for address in OPEN - {STATIC} - EST:
        path = address.replace("{issuer}", "issuing").replace("{encoded}", "abc")
        path = path.replace("{scope}", "delta")
        answer = client.get(path)
        if answer.status_code == 405:  # the login's way out is a form
            answer = client.post(path)
        if turned_away(answer) and address not in {"/", "/admin/logout/"}:
            refused[address] = answer.status_code

    assert {shown(route) for route in ROUTES} >= OPEN - {STATIC}
    assert refused == {}


def test_static_files_are_among_them(settings, db):
    assert f"/{settings.STATIC_URL.strip('/')}/" == STATIC
    assert STATIC in OPEN
    answer = Client().get(f"{STATIC}certctl/admin.css")
    answer.close()
    assert answer.status_code == 200


def test_the_schema_describes_each_route_of_relying_parties_without_security(db):
    schema = json.loads(Client().get("/api/v1/schema/?format=json").content)
    open_routes = {shown(route) for route in ROUTES if route.startswith("/.well-known/pki/")}

    described = {path: one for path, one in schema["paths"].items() if "/.well-known/" in path}

    assert set(described) == open_routes
    media = {
        operation["operationId"]: list(operation["responses"]["200"]["content"])
        for one in described.values()
        for operation in one.values()
    }
    assert media == {
        "pki_crl": ["application/pkix-crl"],
        "pki_crl_part": ["application/pkix-crl"],
        "pki_ca": ["application/pkix-cert"],
        "pki_ocsp": ["application/ocsp-response"],
        "pki_ocsp_get": ["application/ocsp-response"],
    }
    operations = [operation for one in described.values() for operation in one.values()]
    assert all(operation["security"] == [] for operation in operations)
    assert described["/.well-known/pki/ocsp/{issuer}"]["post"]["requestBody"]["content"].keys() == {
        "application/ocsp-request"
    }


def test_the_media_types_described_are_those_that_are_sent(db, local_ca, system):
    from certificates import crl  # noqa: PLC0415
    from pki_wellknown import openapi  # noqa: PLC0415

    Issuer.objects.update(crl_deltas=True)
    for _ in range(2):  # a delta has something that it adds to
        crl.publish(issuer_id=local_ca.pk, actor=system)

    for path, one in openapi.PATHS.items():
        address = path.replace("{issuer}", "issuing").replace("{encoded}", "abc")
        address = address.replace("{scope}", "delta")
        for method, operation in one.items():
            answer = getattr(Client(), method)(address, b"", content_type=openapi.OCSP_REQUEST)
            assert answer.headers["Content-Type"] in operation["responses"]["200"]["content"]


def test_relying_parties_need_no_credentials_and_get_no_cookies(db, local_ca, system):
    from certificates import crl  # noqa: PLC0415

    crl.publish(issuer_id=local_ca.pk, actor=system)
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

"""Every error under /api/ is problem+json, and bad input changes nothing."""

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import ResolverMatch

from audit.models import Event
from foundation.admin import refusals as admin_refusals


def problem_of(answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return body


@pytest.mark.parametrize(
    "path",
    ["/api/v1/nothing/", "/api/v1/crl/", "/api/v1/crl/root", "/api/v1/ocsp/root", "/api/v1/ocsp"],
)
def test_an_unknown_address_is_a_problem(db, path):
    answer = Client().get(path)

    assert answer.status_code == 404
    assert problem_of(answer)["code"] == "not_found"


def test_an_unknown_row_is_a_problem(carol, client_of):
    answer = client_of(carol).get("/api/v1/teams/00000000-0000-4000-8000-000000000000/")

    assert answer.status_code == 404
    assert problem_of(answer)["code"] == "not_found"


def test_an_id_that_is_none_is_not_found(carol, client_of):
    assert client_of(carol).get("/api/v1/teams/nonsense/").status_code == 404


def test_a_wrong_method_is_405_and_names_the_right_ones(carol, client_of):
    answer = client_of(carol).put("/api/v1/api-keys/", {})

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert problem_of(answer)["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "body",
    ["{", '"text"', "[1, 2]", "\x00", "nul", "[" * 100_000, '{"a":' * 100_000],
    ids=["open", "text", "list", "NUL", "half a word", "deep list", "deep object"],
)
def test_a_malformed_body_is_400(carol, client_of, body):
    answer = client_of(carol).generic(
        "POST", "/api/v1/teams/", body, content_type="application/json"
    )

    assert answer.status_code == 400
    problem_of(answer)


def test_another_media_type_is_415(carol, client_of):
    answer = client_of(carol).generic("POST", "/api/v1/teams/", "a=b", content_type="text/x")

    assert answer.status_code == 415
    problem_of(answer)


def test_two_megabytes_are_refused_before_they_are_read(carol, client_of):
    body = '{"name": "' + "x" * 2_000_000 + '"}'

    answer = client_of(carol).generic(
        "POST", "/api/v1/teams/", body, content_type="application/json"
    )

    assert answer.status_code == 413
    assert problem_of(answer)["code"] == "body_too_large"


@pytest.mark.parametrize("page", ["1000000000", "0", "-1", "x", "1e9", "9" * 400])
def test_a_page_that_does_not_exist_is_a_clear_404(carol, client_of, page):
    answer = client_of(carol).get(f"/api/v1/teams/?page={page}")

    assert answer.status_code == 404
    assert "page" in problem_of(answer)["detail"].lower()


@pytest.mark.parametrize(
    "query",
    ["sort=password", "fields=digest", "cursor=garbage", "cursor=&page=2", "page_size=x&sort=;--"],
)
def test_a_bad_list_parameter_is_refused(carol, client_of, query):
    answer = client_of(carol).get(f"/api/v1/teams/?{query}")

    assert answer.status_code in {400, 404}
    problem_of(answer)


def test_a_refused_attempt_to_act_is_in_the_trail(victor, client_of):
    client_of(victor).post("/api/v1/teams/", {"name": "red", "secret": "hunter2"})

    event = Event.objects.get(action="team.create.refuse")
    assert event.actor == victor
    assert event.door == "rest"
    assert event.api_key == "victor-0"
    assert "hunter2" not in str(event.data)


def test_an_attempt_without_a_key_is_anonymous_in_the_trail(anonymous, db):
    anonymous.post("/api/v1/teams/", {"name": "red"})

    event = Event.objects.get(action="team.create.refuse")
    assert event.actor is None
    assert event.actor_name == "anonymous"


def test_an_unforeseen_error_says_nothing_of_the_inside(carol, key_of, monkeypatch):
    from owners import services  # noqa: PLC0415

    def broken(**kwargs):
        raise RuntimeError("the inside")

    monkeypatch.setattr(services, "save_team", broken)
    client = Client(raise_request_exception=False)

    answer = client.post(
        "/api/v1/teams/",
        {"name": "red"},
        content_type="application/json",
        headers={"authorization": f"Bearer {key_of(carol)}"},
    )

    assert answer.status_code == 500
    assert problem_of(answer)["code"] == "internal_error"
    assert "inside" not in answer.content.decode()


def at(name):
    request = RequestFactory().get("/admin/")
    request.resolver_match = ResolverMatch(None, (), {}, url_name=name)
    return admin_refusals._place(request)


def test_after_a_refusal_every_page_of_the_admin_leads_somewhere():
    """A page without a list of rows leads to the front page, and none to an error."""
    patterns = [p for top in admin.site.get_urls() for p in getattr(top, "url_patterns", [top])]

    places = {admin_refusals._list_of(*at(p.name)[:2]) for p in patterns if p.name}

    assert {"/admin/", "/admin/certificates/certificate/", "/admin/jobs/job/"} <= places


def test_the_place_of_a_page_is_its_app_model_and_verb():
    place = at("certificates_certificate_release_hold")

    assert place == ("certificates", "certificate", "release_hold")


def test_a_body_of_exactly_the_limit_is_read(carol, client_of, settings):
    settings.MAX_BODY_BYTES = 200
    client = client_of(carol)

    def post(size):
        body = b'{"name": "red"}'.ljust(size)
        return client.generic("POST", "/api/v1/teams/", body, content_type="application/json")

    assert post(201).status_code == 413
    assert post(200).status_code == 201


def test_a_content_length_that_is_no_number_is_refused(carol, client_of):
    answer = client_of(carol).generic("POST", "/api/v1/teams/", b"", CONTENT_LENGTH="x")

    assert answer.status_code == 400
    assert problem_of(answer)["code"] == "malformed"

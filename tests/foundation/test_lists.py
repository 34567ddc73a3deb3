"""Lists: pages, cursors, sorting, sparse fields."""

import pytest

from foundation.rest.throttles import PrincipalThrottle
from owners.models import Team
from tests.factories import TeamFactory


@pytest.fixture
def teams(db):
    return [TeamFactory(name=f"team-{n:02}") for n in range(7)]


def names(answer):
    return [row["name"] for row in answer.json()["results"]]


def test_pages_count_and_link(victor, client_of, teams):
    answer = client_of(victor).get("/api/v1/teams/?page_size=3&page=2")

    assert answer.json()["count"] == 7
    assert names(answer) == ["team-03", "team-04", "team-05"]
    assert "page=3" in answer.json()["next"]


def test_a_cursor_walks_every_row_once(victor, client_of, teams):
    client = client_of(victor)
    seen, url = [], "/api/v1/teams/?cursor=&page_size=2&sort=name"

    while url:
        answer = client.get(url)
        seen += names(answer)
        url = answer.json()["next"]

    assert seen == [f"team-{n:02}" for n in range(7)]


def test_sorting_is_done_in_the_database(victor, client_of, teams):
    answer = client_of(victor).get("/api/v1/teams/?sort=-name&page_size=2")

    assert names(answer) == ["team-06", "team-05"]


def test_only_the_fields_that_were_asked_for(victor, client_of, teams):
    answer = client_of(victor).get("/api/v1/teams/?fields=name")

    assert answer.json()["results"][0] == {"name": "team-00"}


def test_the_page_size_is_bounded(victor, client_of, db):
    for n in range(501):
        TeamFactory(name=f"t{n}")

    answer = client_of(victor).get("/api/v1/teams/?page_size=100000")

    assert len(answer.json()["results"]) == 500


def test_too_many_requests_are_429_with_retry_after(victor, client_of, monkeypatch):
    monkeypatch.setattr(PrincipalThrottle, "get_rate", lambda self: "2/min")
    client = client_of(victor)

    answers = [client.get("/api/v1/teams/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 61
    assert answers[2].json()["code"] == "throttled"


def test_the_page_size_is_bounded_by_cursor_too(victor, client_of, db):
    Team.objects.bulk_create(Team(name=f"t{n}") for n in range(501))

    answer = client_of(victor).get("/api/v1/teams/?cursor=&page_size=100000")

    assert len(answer.json()["results"]) == 500


def test_a_second_key_of_a_principal_is_no_second_allowance(victor, client_of, monkeypatch):
    monkeypatch.setattr(PrincipalThrottle, "get_rate", lambda self: "2/min")

    answers = [client_of(victor).get("/api/v1/teams/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]

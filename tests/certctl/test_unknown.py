"""Unknown is refused at every door: fields, parameters, and the look-ups of the admin's lists."""

import uuid

import pytest
from django.contrib import admin
from django.urls import reverse

from audit.models import Event
from foundation.admin import Edge
from foundation.unknown import UnknownParameter, check_parameters, words_for
from owners.models import Team

OF_AGENTS = (
    "/agents/{agent}/"  # a door of its own, with keys of its own: tests/agents/test_doors.py
)


def test_the_nearest_known_name_is_told():
    assert words_for("target", ["targets", "kind"]) == "target: unknown; did you mean targets?"
    assert words_for("zzz", ["targets"]) == "zzz: unknown."
    with pytest.raises(UnknownParameter) as refusal:
        check_parameters(["kind", "target"], ["targets", "kind"])
    assert [error["field"] for error in refusal.value.errors] == ["target"]


def test_carol_cannot_ask_any_address_by_what_it_does_not_know(carol, client_of, operations):
    client = client_of(carol)

    answers = {
        path: client.get(path.replace("{id}", str(uuid.uuid4())) + "?no_such_thing=1")
        for method, path, _ in operations
        if method == "get" and OF_AGENTS not in path
    }

    assert len(answers) > 30
    assert {answer.json()["code"] for answer in answers.values()} == {"unknown_parameter"}


def test_every_parameter_that_the_schema_lists_is_known(carol, client_of, operations):
    client = client_of(carol)

    for method, path, operation in operations:
        if method != "get" or "{id}" in path:
            continue
        names = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
        for name in names:
            answer = client.get(path, {name: ""})
            assert answer.status_code != 400 or answer.json()["code"] != "unknown_parameter", name


def test_the_list_of_jobs_is_not_everything_for_a_typing_error(victor, client_of):
    answer = client_of(victor).get("/api/v1/jobs/?state=Pending")

    assert answer.status_code == 400
    assert answer.json()["code"] == "unknown_parameter"
    assert answer.json()["errors"][0] == {
        "field": "state",
        "code": "unknown_parameter",
        "detail": "state: unknown; did you mean status?",
    }


def test_no_body_is_read_with_a_field_that_it_does_not_know(carol, client_of, operations, address):
    client = client_of(carol)
    tried = 0

    for method, path, _ in operations:
        if method == "get" or OF_AGENTS in path:
            continue
        answer = getattr(client, method)(address(path), {"no_such_field": 1}, format="json")
        tried += 1
        assert answer.status_code == 400, (method, path, answer.content)
        wrong = {error["field"]: error["code"] for error in answer.json()["errors"]}
        assert wrong["no_such_field"] == "unknown_field", (method, path)

    assert tried > 35
    assert Event.objects.filter(action="certificate.revoke.refuse").exists()


def test_a_field_that_is_only_shown_is_not_taken_for_given(carol, client_of):
    answer = client_of(carol).post(
        "/api/v1/teams/", {"name": "web", "created_at": "2020-01-01T00:00:00Z"}
    )

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "not_editable"
    assert not Team.objects.exists()


def test_a_field_inside_a_field_is_known_too(carol, client_of):
    answer = client_of(carol).post(
        "/api/v1/certificates/bulk-revoke/",
        {"criteria": {"profil": "web"}, "dry_run": True},
    )

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "criteria.profil"


@pytest.mark.parametrize(
    "query",
    [
        "password__startswith=pbkdf2",
        "principal__password__startswith=p",
        "secret_hash__gte=a",
        "encrypted_key__isnull=0",
        "secrets__contains=x",
        "no_such_column=1",
    ],
)
def test_carol_cannot_probe_a_column_that_no_list_shows(carol, browse, query):
    client = browse(carol)
    lists = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model, page in admin.site._registry.items()
        if isinstance(page, Edge)
    ]

    for address in lists:
        answer = client.get(f"{address}?{query}")
        assert (answer.status_code, answer.headers["Location"]) == (302, address)

    assert len(lists) == len(admin.site._registry)
    refusals = Event.objects.filter(action="records.view.refuse", actor=carol, door="admin")
    assert refusals.count() == len(lists)
    name = query.partition("=")[0]
    assert name in client.get(lists[0]).content.decode()


def test_the_columns_that_are_filtered_by_are_still_looked_up_by_victor(victor, browse):
    client = browse(victor)
    jobs = reverse("admin:jobs_job_changelist")

    for query in (
        "status__exact=Pending",
        f"certificate__id__exact={uuid.uuid4()}",
        "created_at_from_0=&created_at_to_1=&q=x&o=1&p=1",
        "created_at__year=2026",
    ):
        assert client.get(f"{jobs}?{query}").status_code == 200, query


def test_a_page_of_the_admin_allows_no_lookup_without_a_request(db):
    for page in admin.site._registry.values():
        assert not page.lookup_allowed("password__startswith", "x")

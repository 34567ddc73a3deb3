"""The audit trail over REST and in the admin: to read, filter and take away."""

import csv
import io
import json

import pytest
from django.utils.html import strip_tags

from audit.models import Event
from audit.services import record

URL = "/api/v1/audit/"


@pytest.fixture
def trail(alice, bob, owner):
    record(actor=alice, action="job.request", subject=owner)
    record(actor=bob, action="job.approve", subject=owner, note="fine")
    record(actor=bob, action="owner.update", subject=owner, name="=cmd()")


def actions(answer):
    return [row["action"] for row in answer.json()["results"]]


def test_a_viewer_reads_the_newest_first(victor, client_of, trail):
    answer = client_of(victor).get(URL)

    assert answer.status_code == 200
    sequences = [row["sequence"] for row in answer.json()["results"]]
    assert sequences == sorted(sequences, reverse=True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("action=job.approve", {"job.approve"}),
        ("action_prefix=job.", {"job.request", "job.approve"}),
        ("actor_name=bob", {"job.approve", "owner.update"}),
        ("search=owner.upd", {"owner.update"}),
        ("door=est", set()),
    ],
)
def test_filters_narrow_in_the_database(victor, client_of, trail, query, expected):
    answer = client_of(victor).get(f"{URL}?{query}")

    assert set(actions(answer)) == expected


def test_events_of_a_subject(victor, client_of, trail, owner):
    answer = client_of(victor).get(f"{URL}?subject_type=owners.owner&subject_id={owner.pk}")

    assert set(actions(answer)) == {"job.request", "job.approve", "owner.update"}


def test_events_by_time(victor, client_of, trail):
    last = Event.objects.get(action="owner.update")

    answer = client_of(victor).get(URL, {"since": last.at.isoformat(), "action": "owner.update"})
    earlier = client_of(victor).get(URL, {"until": last.at.isoformat(), "action": "owner.update"})

    assert actions(answer) == ["owner.update"]
    assert actions(earlier) == []


def test_export_as_json_lines(victor, client_of, trail):
    answer = client_of(victor).get(f"{URL}export/?action_prefix=job.")

    lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    assert [line["action"] for line in lines] == ["job.request", "job.approve"]
    assert all(line["hash"] for line in lines)


def test_export_as_csv_disarms_formulas(victor, client_of, trail, alice):
    record(actor=alice, action="=HYPERLINK()")

    answer = client_of(victor).get(f"{URL}export/?as=csv")

    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert "'=HYPERLINK()" in {row["action"] for row in rows}
    assert "=HYPERLINK()" not in {row["action"] for row in rows}
    assert "text/csv" in answer.headers["Content-Type"]


def test_an_unknown_form_of_export_is_refused(victor, client_of):
    assert client_of(victor).get(f"{URL}export/?as=xml").status_code == 400


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes_events_over_rest(carol, client_of, trail, method):
    url = f"{URL}{Event.objects.first().pk}/"

    answer = getattr(client_of(carol), method)(url, {})

    assert answer.status_code == 405


def test_nobody_reads_the_trail_without_a_key(anonymous, trail):
    assert anonymous.get(URL).status_code == 401


def test_the_admin_shows_events_and_changes_none(carol, client, trail):
    client.force_login(carol)
    event = Event.objects.get(action="job.approve")

    listed = client.get("/admin/audit/event/")
    page = client.get(f"/admin/audit/event/{event.pk}/change/")
    posted = client.post(f"/admin/audit/event/{event.pk}/change/", {"action": "forged"})
    deleted = client.post(f"/admin/audit/event/{event.pk}/delete/", {"post": "yes"})

    assert "job.approve" in listed.content.decode()
    assert "fine" in strip_tags(page.content.decode())
    assert (posted.status_code, deleted.status_code) == (403, 403)
    assert client.get("/admin/audit/event/add/").status_code == 403

"""ETag, If-None-Match and If-Match over the whole API.

Alice and bob change things at the same time, carol administers, victor only reads.
"""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

import owners.services
from audit import use_cases
from audit.actions import ACTIONS
from audit.models import ChainHead, Event
from audit.use_cases import use_case
from certificates.models import RenewalPolicy
from deployments.models import TARGET_SECRETS, Deployment
from foundation.errors import PreconditionFailed
from foundation.preconditions import Expectation, NotLookedAt
from foundation.rest.conditions import BadPrecondition, Tags, tag_of
from owners.models import Owner, Team
from tests.factories import OwnerFactory, TeamFactory
from tests.races import beside

STALE = '"0000"'
# A body that each act reads, where it reads any. Whether the row's state allows the act is asked
# after the condition.
BODIES = {
    ("patch", "certificates"): {"environment": "test"},
    ("patch", "renewal-policies"): {"window": "P9D"},
    ("patch", "issuers"): {"name": "Renamed"},
    ("patch", "profiles"): {"description": "Changed"},
    ("patch", "targets"): {"enabled": False},
    ("patch", "owners"): {"email": "new@owners.example"},
    ("patch", "teams"): {"name": "renamed"},
    ("patch", "principals"): {"first_name": "Victoria"},
    ("patch", "enrollment-labels"): {"environment": "test"},
    ("post", "issuers", "successor"): {"successor": None},
    ("post", "jobs", "reject"): {"reason": "no"},
    ("post", "jobs", "csr"): {"csr": "a request"},
    ("post", "issuers", "revocations/import"): {"none_published": True},
    ("post", "revocation-plans", "confirm"): {"digest": "of what was seen"},
}
# What leaves the row as it is, and so reads no If-Match.
LOOKS = {
    ("post", "certificates", "export"),
    ("post", "issuers", "test"),
    ("post", "targets", "test"),
    ("post", "jobs", "verify"),
}


@pytest.fixture
def single(operations, rows, local_ca, victor, places):
    """Every operation on one thing: (method, name, act, address, body)."""
    local_ca.awaits_crl = True
    local_ca.save()
    rows["principals"] = victor
    rows["targets"].config = {"at": "web-1"}
    rows["targets"].save()
    Deployment.objects.create(certificate=rows["certificates"], target=rows["targets"])
    target = {"target": str(rows["targets"].pk)}
    bodies = BODIES | {
        ("post", "certificates", act): target for act in ("deploy", "verify", "detach")
    }
    listed = []
    for method, path, _ in operations:
        if "{id}" not in path or path.split("/")[3] not in rows:
            continue
        name = path.split("/")[3]
        act = path.partition("{id}/")[2].strip("/")
        key = (method, name, act) if act else (method, name)
        address = path.replace("{id}", str(rows[name].pk))
        listed.append((method, name, act, address, bodies.get(key, {})))
    return listed


def code(answer):
    return answer.status_code, answer.json()["code"]


def test_each_single_thing_has_a_strong_tag_and_is_not_sent_twice(single, carol, client_of):
    client = client_of(carol)
    names = set()

    for method, name, act, address, _ in single:
        if method != "get" or act:
            continue
        answer = client.get(address)
        tag = answer.headers["ETag"]
        assert tag.startswith('"'), address
        assert tag == client.get(address).headers["ETag"], address
        for known in (tag, f"W/{tag}", f'"x" , {tag}', "*"):
            again = client.get(address, HTTP_IF_NONE_MATCH=known)
            assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert client.head(address, HTTP_IF_NONE_MATCH=tag).status_code == 304
        assert client.get(address, HTTP_IF_NONE_MATCH=STALE).json() == answer.json()
        part = client.get(f"{address}?fields=id")
        if part.status_code == 200:
            assert (part.headers["ETag"], set(part.json())) == (tag, {"id"})
        names.add(name)

    assert len(names) >= 11, names


def test_no_act_on_one_thing_is_done_where_the_tag_is_stale(single, carol, client_of):
    client = client_of(carol)
    tried = set()

    for method, name, act, address, body in single:
        if method == "get":
            continue
        before = Event.objects.count()
        answer = getattr(client, method)(address, body, HTTP_IF_MATCH=STALE)
        where = (method, name, act)
        if where in LOOKS:
            assert code(answer) == (400, "invalid_precondition"), (where, answer.content)
        else:
            assert code(answer) == (412, "precondition_failed"), (where, answer.content)
            assert answer.headers["Content-Type"] == "application/problem+json"
        events = Event.objects.filter(sequence__gt=before)
        assert all(event.action.endswith(".refuse") for event in events), where
        assert events.count() == 1, where
        tried.add(where)

    assert tried >= LOOKS
    assert len(tried - LOOKS) >= 28, sorted(tried)


def test_each_change_under_the_right_tag_is_made_and_answers_with_the_new_one(
    single, carol, client_of
):
    client = client_of(carol)
    changed = set()

    for method, name, _, address, body in single:
        if method != "patch":
            continue
        tag = client.get(address).headers["ETag"]
        answer = client.patch(address, body, HTTP_IF_MATCH=f'"x", {tag}')
        assert answer.status_code == 200, answer.content
        assert answer.headers["ETag"] != tag, address
        assert answer.headers["ETag"] == client.get(address).headers["ETag"], address
        assert code(client.patch(address, body, HTTP_IF_MATCH=tag))[0] == 412, address
        changed.add(name)

    assert changed == {key[1] for key in BODIES if key[0] == "patch"}


@pytest.mark.parametrize("factory", [TeamFactory, OwnerFactory])
def test_carol_deletes_what_is_still_as_she_saw_it(carol, client_of, factory):
    client, row = client_of(carol), factory()
    address = f"/api/v1/{row._meta.model_name}s/{row.pk}/"
    tag = client.get(address).headers["ETag"]
    client.patch(address, {"name": "renamed meanwhile"})

    assert client.delete(address, HTTP_IF_MATCH=tag).status_code == 412
    assert type(row).objects.filter(pk=row.pk).exists()
    assert (
        client.delete(address, HTTP_IF_MATCH=client.get(address).headers["ETag"]).status_code == 204
    )


def test_a_star_asks_for_no_more_than_that_it_exists(carol, client_of):
    client, team = client_of(carol), TeamFactory()

    assert client.patch(f"/api/v1/teams/{team.pk}/", {}, HTTP_IF_MATCH=" * ").status_code == 200
    assert client.patch(f"/api/v1/teams/{uuid.uuid4()}/", {}, HTTP_IF_MATCH="*").status_code == 404


def test_a_weak_tag_protects_nothing_and_so_never_matches(carol, client_of):
    client, team = client_of(carol), TeamFactory()
    address = f"/api/v1/teams/{team.pk}/"
    tag = client.get(address).headers["ETag"]

    assert client.patch(address, {}, HTTP_IF_MATCH=f"W/{tag}").status_code == 412


@pytest.mark.parametrize("header", ["", "x", '"', 'w/"x"', '"a" "b"', '*, "a"', '"a', ",", '"a b"'])
def test_a_condition_that_cannot_be_read_is_refused(carol, client_of, header):
    client, team = client_of(carol), TeamFactory(name="as it was")
    address = f"/api/v1/teams/{team.pk}/"

    changed = client.patch(address, {"name": "new"}, HTTP_IF_MATCH=header)

    assert code(changed) == (400, "invalid_precondition")
    assert code(client.get(address, HTTP_IF_NONE_MATCH=header)) == (400, "invalid_precondition")
    assert Team.objects.get().name == "as it was"
    with pytest.raises(BadPrecondition):
        Tags.read(header)


def test_a_condition_is_never_passed_over_where_it_is_not_read(carol, client_of):
    client, team = client_of(carol), TeamFactory()
    made = client.post("/api/v1/teams/", {"name": "new"}, HTTP_IF_MATCH="*")
    changed = client.patch(f"/api/v1/teams/{team.pk}/", {"name": "new"}, HTTP_IF_NONE_MATCH=STALE)

    assert code(made) == code(changed) == (400, "invalid_precondition")
    assert not Team.objects.filter(name="new").exists()


def test_if_match_is_read_with_get_too(victor, client_of):
    client, team = client_of(victor), TeamFactory()
    address = f"/api/v1/teams/{team.pk}/"
    tag = client.get(address).headers["ETag"]

    assert client.get(address, HTTP_IF_MATCH=tag).status_code == 200
    assert code(client.get(address, HTTP_IF_MATCH=STALE)) == (412, "precondition_failed")


def test_victor_who_may_not_change_it_hears_that_first(victor, client_of):
    team = TeamFactory()

    answer = client_of(victor).patch(f"/api/v1/teams/{team.pk}/", {}, HTTP_IF_MATCH=STALE)

    assert answer.status_code == 403


def test_the_order_of_members_and_spaces_decides_no_tag():
    assert tag_of({"a": 1, "b": [1, 2]}) == tag_of({"b": [1, 2], "a": 1})
    assert tag_of({"a": 1}) != tag_of({"a": "1"})


def test_secrets_of_a_target_do_not_feed_its_tag(carol, client_of, rows):
    client, target = client_of(carol), rows["targets"]
    tags = set()
    for secret in (b"one", b"two"):
        target.secrets = TARGET_SECRETS.of(target).seal(secret)
        target.save()
        tags.add(client.get(f"/api/v1/targets/{target.pk}/").headers["ETag"])

    assert len(tags) == 1


def test_an_act_that_forgets_to_look_changes_nothing(carol, monkeypatch):
    monkeypatch.setattr(use_cases, "USE_CASES", {})
    name = "team.forget"
    try:

        @use_case(name, on=Team)
        def forget(*, actor, team_id):
            """Change a team without a look."""
            Team.objects.filter(pk=team_id).update(name="changed")

        team = TeamFactory(name="as it was")
        carol.via = type(carol.via)(expects=Expectation(Team, team.pk, name, lambda: True))
        with pytest.raises(NotLookedAt):
            forget(actor=carol, team_id=team.pk)
    finally:
        ACTIONS.pop(name, None)

    assert Team.objects.get().name == "as it was"


def test_what_is_expected_of_one_row_is_not_asked_of_another(carol):
    ours, other = TeamFactory(), TeamFactory()
    expected = Expectation(Team, ours.pk, "team.update", lambda: False)
    carol.via = type(carol.via)(expects=expected)

    owners.services.create_owner(actor=carol, details={"name": "new"})
    assert Owner.objects.filter(name="new").exists()
    with pytest.raises(NotLookedAt):
        owners.services.update_team(actor=carol, team_id=other.pk, changes={"name": "x"})
    with pytest.raises(PreconditionFailed):
        owners.services.update_team(actor=carol, team_id=ours.pk, changes={"name": "x"})


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_under_one_tag_one_is_made(alice, carol, client_of):
    """Both have come past every look before the lock when the first one commits."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to wait for")
    policy = RenewalPolicy.objects.create(name="standard")
    address = f"/api/v1/renewal-policies/{policy.pk}/"
    first, second = client_of(carol), client_of(carol)
    tag = first.get(address).headers["ETag"]

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            ChainHead.objects.select_for_update().get(pk=1)
            one = beside(pool, lambda: first.patch(address, {"window": "P3D"}, HTTP_IF_MATCH=tag))
            _until_waiting(1)
            two = beside(pool, lambda: second.patch(address, {"window": "P4D"}, HTTP_IF_MATCH=tag))
            _until_waiting(2)
        answers = [one.result(timeout=20), two.result(timeout=20)]

    assert [answer.status_code for answer in answers] == [200, 412]
    policy.refresh_from_db()
    assert policy.window.days == 3
    assert Event.objects.filter(action="renewalpolicy.update").count() == 1


def _until_waiting(count):
    ends = time.monotonic() + 20
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] >= count:
                return
        assert time.monotonic() < ends
        time.sleep(0.01)

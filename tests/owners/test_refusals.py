"""What each door refuses stands in the trail once, under the name of the act that was asked for.

Carol administers, alice asks, victor only reads.
"""

import pytest
from django.test import RequestFactory

from audit.models import Event
from audit.via import Door, Via
from foundation.errors import NotPermitted, TooMany
from owners import actors, keys, services
from owners.models import ApiKey, Principal
from owners.services import OwnWayOut
from tests.factories import OwnerFactory, TeamFactory

OWNERS = "/api/v1/owners/"


def refusals():
    rows = Event.objects.filter(action__endswith=".refuse").order_by("sequence")
    return [(row.action, row.data["code"], row.door, row.actor_name) for row in rows]


# --- By rule: the same act has one name ------------------------------------------------------


def test_one_act_refused_by_rule_leaves_the_same_event_at_every_door(carol, client_of, browse):
    owner = OwnerFactory()
    owner.members.add(carol)
    page = f"/admin/owners/owner/{owner.pk}/change/"

    client_of(carol).patch(f"{OWNERS}{owner.pk}/", {"members": []})
    browse(carol).post(page, {"name": owner.name, "email": owner.email, "team": "", "members": []})
    with pytest.raises(OwnWayOut):
        services.update_owner(
            actor=Principal.objects.get(pk=carol.pk), owner_id=owner.pk, changes={}, members=[]
        )

    assert refusals() == [
        ("owner.update.refuse", "own_way_out", door, "carol")
        for door in ("rest", "admin", "system")
    ]
    events = Event.objects.filter(action="owner.update.refuse")
    assert len({str(event.data) for event in events}) == 1
    assert {(event.subject_id, event.owner) for event in events} == {(str(owner.pk), owner.pk)}


def test_the_admin_refuses_a_deletion_under_the_same_name_as_rest(carol, client_of, browse):
    owner = OwnerFactory(team=TeamFactory())
    team = owner.team

    client_of(carol).delete(f"/api/v1/teams/{team.pk}/")
    browse(carol).post("/admin/owners/team/", _deletion(team), follow=True)

    assert {row[:2] for row in refusals()} <= {("team.delete.refuse", "in_use")}
    assert refusals()[0] == ("team.delete.refuse", "in_use", "rest", "carol")


def _deletion(row):
    return {
        "action": "delete_selected",
        "_selected_action": [str(row.pk)],
        "post": "yes",
        "confirm_name": row.name,
    }


# --- By the edge: before any use case is entered ---------------------------------------------


@pytest.mark.parametrize(
    ("method", "body", "code", "status"),
    [
        ("patch", {"name": ["a", "list"]}, "invalid", 400),
        ("patch", {"team": "nobody"}, "invalid", 400),
        ("patch", "not json", "malformed", 400),
    ],
)
def test_a_malformed_body_is_refused_under_the_acts_name_and_stays_out_of_the_trail(
    carol, client_of, method, body, code, status
):
    owner = OwnerFactory()
    raw = body if isinstance(body, str) else None

    client = client_of(carol)
    address = f"{OWNERS}{owner.pk}/"
    answer = (
        client.generic("PATCH", address, raw, content_type="application/json")
        if raw
        else getattr(client, method)(address, body)
    )

    assert answer.status_code == status
    assert refusals() == [("owner.update.refuse", code, "rest", "carol")]
    event = Event.objects.get(action="owner.update.refuse")
    assert (event.subject_id, event.owner) == (str(owner.pk), owner.pk)
    assert "nobody" not in str(event.data)


def test_a_missing_permission_is_refused_under_the_acts_name_at_rest_and_in_the_admin(
    victor, client_of, browse
):
    owner = OwnerFactory()

    client_of(victor).patch(f"{OWNERS}{owner.pk}/", {"name": "mine"})
    browse(victor).post(f"/admin/owners/owner/{owner.pk}/change/", {"name": "mine"})

    assert refusals() == [
        ("owner.update.refuse", "missing_permission", "rest", "victor"),
        ("owner.update.refuse", "missing_permission", "admin", "victor"),
    ]
    events = Event.objects.filter(action="owner.update.refuse")
    assert {event.subject_id for event in events} == {str(owner.pk)}


def test_a_row_that_is_not_there_is_refused_under_the_acts_name(carol, client_of):
    client_of(carol).delete(f"{OWNERS}00000000-0000-4000-8000-000000000000/")

    assert refusals() == [("owner.delete.refuse", "not_found", "rest", "carol")]


def test_looking_at_what_is_not_theirs_is_told_with_the_address_and_no_act(
    victor, client_of, browse
):
    client_of(victor).get("/api/v1/principals/")
    browse(victor).get("/admin/owners/principal/")

    assert [row[0] for row in refusals()] == ["records.view.refuse"] * 2
    paths = [event.data["path"] for event in Event.objects.filter(action="records.view.refuse")]
    assert sorted(paths) == ["/admin/owners/principal/", "/api/v1/principals/"]


def test_a_change_that_no_route_offers_is_told_too(carol, client_of):
    assert client_of(carol).put(OWNERS, {}).status_code == 405

    assert refusals() == [("records.change.refuse", "method_not_allowed", "rest", "carol")]


def test_reading_what_is_not_there_is_no_refusal(carol, client_of):
    client_of(carol).get(f"{OWNERS}00000000-0000-4000-8000-000000000000/")
    client_of(carol).get(f"{OWNERS}?sort=password")

    assert refusals() == []


# --- Those who could fill the trail ----------------------------------------------------------


def test_a_throttled_act_is_told_once_a_minute(carol, client_of, settings):
    settings.API_RATE = "1/min"
    client = client_of(carol)

    answers = [client.post(OWNERS, {"name": f"o{n}"}).status_code for n in range(4)]

    assert answers == [201, 429, 429, 429]
    assert refusals() == [("owner.create.refuse", "throttled", "rest", "carol")]


def test_a_stranger_is_told_once_a_minute_whatever_the_act(anonymous, db):
    for _ in range(3):
        assert anonymous.post(OWNERS, {"name": "x"}).status_code == 401
    anonymous.post("/api/v1/teams/", {"name": "x"})
    anonymous.post(OWNERS, {"name": "x"}, REMOTE_ADDR="192.0.2.9")

    assert [row[0] for row in refusals()] == [
        "owner.create.refuse",
        "owner.create.refuse",
    ]
    assert {row[3] for row in refusals()} == {"anonymous"}


def wrong(whole):
    return whole[:-1] + ("A" if whole[-1] != "A" else "B")


def test_too_many_wrong_keys_lock_that_prefix_at_that_address(alice, key_of, anonymous):
    whole, other = key_of(alice), key_of(alice)
    tries = actors.WRONG_KEYS.rate.count

    def ask(key, **options):
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
        return anonymous.get("/api/v1/me/", **options).status_code

    assert {ask(wrong(whole)) for _ in range(tries)} == {401}
    assert ask(wrong(whole)) == 429
    assert ask(whole) == 429
    assert ask(other) == 200
    assert ask(whole, REMOTE_ADDR="192.0.2.9") == 200


# --- What every door needs, without REST framework ------------------------------------------


def test_a_key_says_who_acts_at_any_door(alice, key_of):
    whole = key_of(alice, name="ci", role_cap="viewer")
    via = Via(door=Door.EST, request_id="r-1", remote_address="192.0.2.7")

    principal, key = actors.authenticate(whole.encode(), via)

    assert (principal, key) == (alice, ApiKey.objects.get(name="ci"))
    assert principal.via == Via(Door.EST, "ci", "r-1", "192.0.2.7")
    assert principal.cap == "viewer"
    assert not principal.has_perm("jobs.decide_job")


@pytest.mark.parametrize("text", [b"", b"certctl_", b"certctl_\xff", b"Bearer x"])
def test_what_is_no_key_is_nobodys(db, text):
    with pytest.raises(actors.InvalidKey):
        actors.authenticate(text, Via(door=Door.EST))


def test_a_refused_key_leaves_the_door_that_it_came_by(db):
    whole, _, _ = keys.make()

    with pytest.raises(actors.InvalidKey):
        actors.authenticate(whole.encode(), Via(door=Door.SCEP))

    assert Event.objects.get(action="apikey.refuse").door == "scep"


def test_a_locked_out_key_is_not_even_looked_for(db, django_assert_num_queries):
    whole, prefix, _ = keys.make()
    via = Via(door=Door.EST, remote_address="192.0.2.7")
    for _ in range(actors.WRONG_KEYS.rate.count):
        actors.WRONG_KEYS.fail(f"192.0.2.7:{prefix}")

    with django_assert_num_queries(0), pytest.raises(TooMany):
        actors.authenticate(whole.encode(), via)


@pytest.mark.parametrize("door", [Door.ADMIN, Door.AGENT])
def test_whoever_acts_bears_the_door_that_was_named(alice, door):
    request = RequestFactory().get("/")
    request.user = alice

    assert actors.actor_of(request, door).via.door is door


def test_nobody_acts_for_nobody(alice):
    request = RequestFactory().get("/")
    for user in (None, Principal(username="x", is_active=False)):
        request.user = user
        with pytest.raises(NotPermitted):
            actors.actor_of(request, Door.ADMIN)

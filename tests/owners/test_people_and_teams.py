"""Principals, teams and owners over REST: who may make them, and what the trail says."""

import pytest

from audit.models import Event
from audit.via import Door
from foundation.errors import Invalid, NotPermitted
from owners import services
from owners.actors import actor_of
from owners.models import Owner, Principal, Team
from tests.factories import OwnerFactory, TeamFactory


def test_an_administrator_makes_a_principal_with_a_role(carol, client_of):
    answer = client_of(carol).post(
        "/api/v1/principals/",
        {"username": "dora", "role": "operator", "password": "correct horse battery"},
    )

    assert answer.status_code == 201
    assert answer.json()["role"] == "operator"
    assert "password" not in answer.json()
    dora = Principal.objects.get(username="dora")
    assert dora.has_perm("jobs.decide_job")
    assert not dora.has_perm("certificates.bulk_revoke")
    event = Event.objects.get(action="principal.create", subject_id=str(dora.pk))
    assert event.actor == carol
    assert "correct horse" not in str(event.data)


def test_a_principal_without_a_role_may_nothing(carol, client_of):
    client_of(carol).post("/api/v1/principals/", {"username": "dora"})

    dora = Principal.objects.get(username="dora")

    assert client_of(dora).get("/api/v1/teams/").status_code == 403


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"username": "bad name!"}, "username", "invalid"),
        ({"username": "ALICE"}, "username", "name_taken"),
        ({"password": "short"}, "password", "weak_password"),
        ({"role": "emperor"}, "role", "invalid_choice"),
        ({"kind": "system"}, "kind", "invalid_choice"),
        ({"email": "nonsense"}, "email", "invalid"),
    ],
)
def test_bad_input_names_its_field(carol, alice, client_of, change, field, code):
    body = {"username": "dora", "password": "correct horse battery", **change}

    answer = client_of(carol).post("/api/v1/principals/", body)

    assert answer.status_code in {400, 409}
    assert (field, code) in {(e["field"], e["code"]) for e in answer.json()["errors"]}
    assert not Principal.objects.filter(username="dora").exists()


@pytest.mark.parametrize(
    "change",
    [{"role": "viewer"}, {"is_active": False}, {"email": "new@people.example"}, {"last_name": "X"}],
)
def test_nobody_changes_their_own_standing(carol, client_of, change):
    answer = client_of(carol).patch(f"/api/v1/principals/{carol.pk}/", change)

    assert answer.status_code == 403
    carol.refresh_from_db()
    assert carol.is_active
    assert (carol.email, carol.last_name) == ("carol@people.example", "")
    assert carol.has_perm("certificates.bulk_revoke")


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({"members": True}, {"members": []}),
        ({"team": True}, {"team": None}),
        ({"email": "Carol@people.example"}, {"email": "shop@owners.example"}),
        ({"name": "carol"}, {"name": "shop"}),
    ],
)
def test_nobody_leaves_an_owner_by_their_own_hand(carol, client_of, before, change):
    owner = OwnerFactory(**{k: v for k, v in before.items() if k in {"name", "email"}})
    if "members" in before:
        owner.members.add(carol)
    if "team" in before:
        owner.team = TeamFactory()
        owner.team.members.add(carol)
        owner.save()

    answer = client_of(carol).patch(f"/api/v1/owners/{owner.pk}/", change)

    assert (answer.status_code, answer.json()["code"]) == (403, "own_way_out")
    assert Owner.objects.get(pk=owner.pk).includes(carol)
    assert Event.objects.get(action__endswith=".refuse").actor == carol


def test_nobody_leaves_a_team_by_their_own_hand(carol, alice, client_of):
    team = TeamFactory()
    team.members.set([alice, carol])

    answer = client_of(carol).patch(f"/api/v1/teams/{team.pk}/", {"members": [str(alice.pk)]})

    assert (answer.status_code, answer.json()["code"]) == (403, "own_way_out")
    assert set(team.members.all()) == {alice, carol}


def test_an_owner_is_left_by_somebody_elses_hand_and_changed_by_its_own(carol, alice, client_of):
    owner = OwnerFactory()
    owner.members.set([alice, carol])
    client = client_of(carol)

    assert client.patch(f"/api/v1/owners/{owner.pk}/", {"name": "shop"}).status_code == 200
    answer = client.patch(f"/api/v1/owners/{owner.pk}/", {"members": [str(carol.pk)]})

    assert answer.status_code == 200
    assert list(owner.members.all()) == [carol]


def test_the_trail_names_who_was_a_member_and_who_is(carol, alice, bob, client_of):
    owner, team = OwnerFactory(), TeamFactory()
    for row, path in ((owner, "owners"), (team, "teams")):
        row.members.set([bob, alice])

        answer = client_of(carol).patch(f"/api/v1/{path}/{row.pk}/", {"members": [str(bob.pk)]})

        assert answer.status_code == 200
        event = Event.objects.get(subject_id=str(row.pk), action__endswith=".update")
        said = event.data["changes"]["members"]
        assert said == {"before": ["alice", "bob"], "after": ["bob"]}


def test_the_system_principal_is_nobodys_to_change(carol, system, client_of):
    answer = client_of(carol).patch(f"/api/v1/principals/{system.pk}/", {"role": "admin"})

    assert answer.status_code == 403
    assert answer.json()["code"] == "system_principal"


def test_the_system_may_decide_nothing_even_as_superuser(system):
    system.is_superuser = True
    system.save()

    assert not Principal.objects.get(pk=system.pk).has_perm("jobs.decide_job")


def test_a_changed_role_is_in_the_trail(carol, alice, client_of):
    client_of(carol).patch(f"/api/v1/principals/{alice.pk}/", {"role": "viewer"})

    event = Event.objects.get(action="principal.update")
    assert event.data["changes"] == {"role": {"before": "operator", "after": "viewer"}}
    assert not Principal.objects.get(pk=alice.pk).has_perm("jobs.decide_job")


def test_teams_and_owners_are_made_changed_and_deleted(carol, alice, client_of):
    client = client_of(carol)

    team = client.post("/api/v1/teams/", {"name": "red", "members": [str(alice.pk)]}).json()
    owner = client.post("/api/v1/owners/", {"name": "shop", "team": team["id"]}).json()
    client.patch(f"/api/v1/owners/{owner['id']}/", {"email": "shop@owners.example"})
    kept = client.delete(f"/api/v1/teams/{team['id']}/")
    gone = client.delete(f"/api/v1/owners/{owner['id']}/")

    assert kept.status_code == 409
    assert kept.json()["code"] == "in_use"
    assert gone.status_code == 204
    assert Team.objects.get().members.get() == alice
    actions = list(
        Event.objects.filter(actor=carol, door="rest")
        .exclude(action__endswith=".refuse")
        .order_by("sequence")
        .values_list("action", flat=True)
    )
    assert actions == ["team.create", "owner.create", "owner.update", "owner.delete"]


def test_an_owners_name_is_taken_once(carol, client_of):
    OwnerFactory(name="shop")

    answer = client_of(carol).post("/api/v1/owners/", {"name": "shop"})

    assert answer.status_code in {400, 409}
    assert Owner.objects.count() == 1


@pytest.mark.parametrize("who", ["alice", "victor"])
@pytest.mark.parametrize("what", ["teams", "owners", "principals"])
def test_only_administrators_write(who, what, client_of, request):
    client = client_of(request.getfixturevalue(who))

    answer = client.post(f"/api/v1/{what}/", {"name": "x", "username": "x"})

    assert answer.status_code == 403
    refusal = Event.objects.get(action__endswith=".refuse")
    assert refusal.actor_name == who
    assert refusal.data["code"] == "missing_permission"


def test_people_and_teams_are_named_as_people_name_them(carol, alice, client_of):
    client = client_of(carol)

    team = client.post("/api/v1/teams/", {"name": "red", "members": ["alice"]})
    owner = client.post("/api/v1/owners/", {"name": "shop", "team": "red", "members": ["alice"]})
    key = client.post(
        "/api/v1/api-keys/", {"name": "ci", "principal": "alice", "role_cap": "viewer"}
    )

    assert team.json()["members"] == owner.json()["members"] == [str(alice.pk)]
    assert owner.json()["team"] == team.json()["id"]
    assert key.json()["principal_name"] == "alice"


@pytest.mark.parametrize(
    ("what", "body", "field", "code"),
    [
        ("teams", {"members": ["nobody"]}, "members", "unknown_principal"),
        ("owners", {"team": "nobody"}, "team", "unknown_team"),
        ("owners", {"team": "a\0b"}, "team", "unknown_team"),
        ("owners", {"team": 7}, "team", "invalid"),
        ("targets", {"kind": "file", "agent": "nobody"}, "agent", "unknown_agent"),
    ],
)
def test_who_does_not_exist_is_named_in_the_answer(carol, client_of, what, body, field, code):
    answer = client_of(carol).post(f"/api/v1/{what}/", {"name": "x", **body})

    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]


# --- Who somebody may be --------------------------------------------------------------------


def test_nobody_makes_another_system(carol):
    with pytest.raises(Invalid):
        services.create_principal(actor=carol, username="x", role=None, kind="system")


def test_there_is_no_role_but_the_three(carol):
    with pytest.raises(Invalid):
        services.create_principal(actor=carol, username="x", role="emperor")


def test_a_machine_does_not_see_the_admin(carol):
    robot = services.create_principal(actor=carol, username="x", role="admin", kind="machine")
    dora = services.create_principal(actor=carol, username="dora", role="viewer")

    assert (robot.is_staff, dora.is_staff) == (False, True)


def test_no_edge_acts_for_somebody_disabled(alice, rf):
    request = rf.get("/")
    request.user = alice
    assert actor_of(request, Door.ADMIN) == alice

    alice.is_active = False

    with pytest.raises(NotPermitted):
        actor_of(request, Door.ADMIN)


def test_a_password_has_twelve_characters_at_least(carol):
    with pytest.raises(Invalid):
        services.create_principal(actor=carol, username="x", role=None, password="kXq9-vw2Lp7")

    dora = services.create_principal(
        actor=carol, username="dora", role=None, password="kXq9-vw2Lp78"
    )
    assert dora.check_password("kXq9-vw2Lp78")


def test_an_owners_name_is_taken_once_whoever_asks(carol):
    services.save_owner(actor=carol, changes={"name": "shop"})

    with pytest.raises(services.NameTaken):
        services.save_owner(actor=carol, changes={"name": "shop"})

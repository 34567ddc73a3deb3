"""Principals, keys, teams and owners in the admin: the same services, the same words."""

import re

import pytest
from django.contrib.auth.models import Permission

from audit.models import Event
from owners.models import ApiKey, Owner, Principal
from tests.factories import OwnerFactory, TeamFactory

KEYS = "/admin/owners/apikey/"
PEOPLE = "/admin/owners/principal/"


@pytest.fixture
def new_key(alice):
    return {
        "name": "laptop",
        "principal": str(alice.pk),
        "role_cap": "operator",
        "expires_at_0": "",
        "expires_at_1": "",
        "allowed_networks": "10.0.0.0/8\n2001:db8::/32",
    }


def errors_of(response):
    return response.context["adminform"].form.errors


def test_a_key_is_shown_once_and_works(browse, carol, alice, new_key, anonymous):
    client = browse(carol)

    made = client.post(f"{KEYS}add/", new_key)

    whole = re.search(r"certctl_[a-z2-7]{10}_[A-Za-z0-9_-]{43}", made.content.decode())[0]
    secret = whole.removeprefix(whole[: len("certctl_") + 11])
    assert "no-store" in made.headers["Cache-Control"]
    key = ApiKey.objects.get(principal=alice)
    assert key.allowed_networks == ["10.0.0.0/8", "2001:db8::/32"]
    for address in (KEYS, f"{KEYS}{key.pk}/change/", "/admin/audit/event/", "/admin/"):
        assert secret not in client.get(address).content.decode()
    assert not any(secret in str(event.data) for event in Event.objects.all())
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {whole}")
    assert anonymous.get("/api/v1/me/", REMOTE_ADDR="10.1.2.3").json()["username"] == "alice"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"allowed_networks": "10.0.0.0/33"}, "allowed_networks"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}, "expires_at"),
        ({"role_cap": "emperor"}, "role_cap"),
        ({"name": ""}, "name"),
    ],
)
def test_a_mistake_shows_at_its_field_and_makes_no_key(browse, carol, new_key, change, field):
    answer = browse(carol).post(f"{KEYS}add/", {**new_key, **change})

    assert field in errors_of(answer)
    assert not ApiKey.objects.exists()


def disabling(key):
    return {
        "action": "disable",
        "_selected_action": [str(key.pk)],
        "confirmed": "yes",
        "confirm_name": key.name,
    }


def test_a_key_is_disabled_and_cannot_be_changed(browse, carol, alice, key_of, anonymous):
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {key_of(alice)}")
    key = ApiKey.objects.get()
    client = browse(carol)

    client.post(KEYS, disabling(key))

    assert anonymous.get("/api/v1/me/").status_code == 401
    assert client.post(f"{KEYS}{key.pk}/change/", {"role_cap": "admin"}).status_code == 403
    assert client.post(f"{KEYS}{key.pk}/delete/", {"post": "yes"}).status_code == 403
    event = Event.objects.get(action="apikey.disable")
    assert (event.actor, event.door) == (carol, "admin")


@pytest.mark.parametrize("who", ["alice", "victor"])
def test_only_administrators_see_or_make_keys(who, browse, new_key, key_of, carol, request):
    key_of(carol)
    client = browse(request.getfixturevalue(who))

    assert client.get(KEYS).status_code == 403
    assert client.post(f"{KEYS}add/", new_key).status_code == 403
    assert client.get(PEOPLE).status_code == 403
    assert ApiKey.objects.count() == 1


def test_a_principal_is_made_with_role_and_password(browse, carol, client):
    body = {
        "username": "dora",
        "kind": "human",
        "email": "dora@people.example",
        "role": "operator",
        "password": "correct horse battery",
        "is_active": "on",
    }

    made = browse(carol).post(f"{PEOPLE}add/", body)

    assert made.status_code == 302, errors_of(made)
    dora = Principal.objects.get(username="dora")
    assert dora.has_perm("jobs.decide_job")
    assert dora.check_password("correct horse battery")
    assert not any("correct horse" in str(event.data) for event in Event.objects.all())


def test_nobody_changes_their_own_role_here_either(browse, carol):
    body = {"email": carol.email, "role": "", "is_active": "on", "password": ""}

    answer = browse(carol).post(f"{PEOPLE}{carol.pk}/change/", body)

    assert "Somebody else must change your own role" in str(errors_of(answer))
    assert Principal.objects.get(pk=carol.pk).has_perm("owners.add_principal")
    assert Event.objects.get(action="principal.update.refuse").actor == carol


def test_nobody_leaves_an_owner_or_team_here_either(browse, carol):
    owner, team = OwnerFactory(), TeamFactory()
    owner.members.add(carol)
    team.members.add(carol)
    client = browse(carol)

    answers = [
        client.post(
            f"/admin/owners/owner/{owner.pk}/change/",
            {"name": owner.name, "email": owner.email, "team": "", "members": []},
        ),
        client.post(f"/admin/owners/team/{team.pk}/change/", {"name": team.name, "members": []}),
    ]

    assert all("Somebody else must take you out" in str(errors_of(one)) for one in answers)
    assert Owner.objects.get(pk=owner.pk).includes(carol)
    assert list(team.members.all()) == [carol]


def test_principals_and_keys_are_not_deleted(browse, alice, carol, key_of):
    key_of(alice)
    key = ApiKey.objects.get()
    carol.is_superuser = True
    carol.save()
    client = browse(carol)

    for page in (f"{PEOPLE}{alice.pk}/delete/", f"{KEYS}{key.pk}/delete/"):
        assert client.get(page).status_code == 403


def test_who_only_sees_keys_disables_none(browse, alice, carol, key_of):
    key_of(carol)
    key = ApiKey.objects.get()
    alice.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    client = browse(alice)

    assert client.get(KEYS).status_code == 200
    client.post(KEYS, disabling(key))

    key.refresh_from_db()
    assert key.disabled_at is None

"""What the admin refuses of people: one event each, under the use case's own name."""

import pytest

from owners.models import ApiKey, Owner
from tests.factories import OwnerFactory, TeamFactory
from tests.trail import the_refusal

KEYS = "/admin/owners/apikey/"
OWNERS = "/admin/owners/owner/"
NEW_KEY = {
    "name": "laptop",
    "role_cap": "operator",
    "expires_at_0": "",
    "expires_at_1": "",
    "allowed_networks": "",
}


def test_nobody_leaves_an_owner_by_their_own_hand(browse, carol):
    owner = OwnerFactory()
    owner.members.add(carol)

    browse(carol).post(
        f"{OWNERS}{owner.pk}/change/",
        {"name": "renamed", "email": owner.email, "team": "", "members": []},
    )

    event = the_refusal("owner.update", carol)
    assert (event.data["code"], event.subject_id) == ("own_way_out", str(owner.pk))
    kept = Owner.objects.get(pk=owner.pk)
    assert kept.name == owner.name
    assert kept.includes(carol)


def test_an_operator_changes_no_owner(browse, alice):
    owner = OwnerFactory()

    answer = browse(alice).post(f"{OWNERS}{owner.pk}/change/", {"name": "mine"})

    assert answer.status_code == 403
    event = the_refusal("owner.update", alice)
    assert (event.data["code"], event.subject_id) == ("missing_permission", str(owner.pk))


def test_an_owner_is_not_made_twice(browse, carol):
    browse(carol).post(
        f"{OWNERS}add/", {"name": OwnerFactory().name, "email": "", "team": "", "members": []}
    )

    assert the_refusal("owner.create", carol).data["code"] == "name_taken"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}, "invalid"),
        ({"name": ""}, "invalid"),
    ],
    ids=["by the use case", "by the form"],
)
def test_a_key_that_cannot_be_is_not_issued(browse, carol, alice, change, code):
    browse(carol).post(f"{KEYS}add/", {**NEW_KEY, "principal": str(alice.pk), **change})

    assert the_refusal("apikey.create", carol).data["code"] == code
    assert not ApiKey.objects.exists()


def test_an_operator_issues_no_key(browse, alice):
    answer = browse(alice).post(f"{KEYS}add/", {**NEW_KEY, "principal": str(alice.pk)})

    assert answer.status_code == 403
    assert the_refusal("apikey.create", alice).data["code"] == "missing_permission"
    assert not ApiKey.objects.exists()


def test_reading_what_is_not_ones_own_to_read_is_told_as_such(browse, alice):
    assert browse(alice).get(KEYS).status_code == 403

    assert the_refusal("records.view", alice).data["code"] == "missing_permission"


def test_a_change_that_nobody_may_make_is_told_as_such(browse, carol, alice, key_of):
    key_of(alice)
    key = ApiKey.objects.get()

    assert browse(carol).post(f"{KEYS}{key.pk}/change/", {"role_cap": "admin"}).status_code == 403

    assert the_refusal("records.change", carol).subject_id == str(key.pk)


def test_a_team_that_somebody_else_refers_to_stays(browse, carol):
    team = TeamFactory()
    OwnerFactory(team=team)

    answer = browse(carol).post(
        f"/admin/owners/team/{team.pk}/delete/",
        {"post": "yes", "confirm_name": team.name},
        follow=True,
    )

    assert [str(one) for one in answer.context["messages"]] == [
        "Something else still refers to it."
    ]
    event = the_refusal("team.delete", carol)
    assert (event.data["code"], event.subject_id) == ("in_use", str(team.pk))

"""Who an owner is, under any alias: separation of duties rests on it."""

import pytest

from tests.factories import OwnerFactory, PrincipalFactory, TeamFactory


@pytest.mark.parametrize(
    ("fields", "included"),
    [
        ({"username": "Dana", "email": ""}, True),
        ({"username": " dana ", "email": ""}, True),
        ({"username": "other", "email": "DANA@corp.example"}, True),
        ({"username": "other", "email": "", "first_name": "Dana"}, True),
        ({"username": "dana2", "email": "dana2@corp.example"}, False),
        ({"username": "other", "email": ""}, False),
    ],
)
def test_an_owner_is_found_by_name_and_email_whatever_their_case(db, fields, included):
    owner = OwnerFactory(name="dana", email="dana@corp.example")

    assert owner.includes(PrincipalFactory(**fields)) is included


def test_an_empty_email_matches_nobody(db):
    owner = OwnerFactory(name="dana", email="")

    assert not owner.includes(PrincipalFactory(username="other", email=""))


def test_a_member_is_included(alice):
    owner = OwnerFactory()
    owner.members.add(alice)

    assert owner.includes(alice)


def test_a_seat_in_the_team_counts(alice, bob):
    team = TeamFactory()
    team.members.add(alice)
    owner = OwnerFactory(team=team)

    assert owner.includes(alice)
    assert not owner.includes(bob)


def test_a_seat_taken_after_the_owner_was_loaded_counts(alice):
    team = TeamFactory()
    owner = OwnerFactory(team=team)
    assert not owner.includes(alice)

    team.members.add(alice)

    assert owner.includes(alice)

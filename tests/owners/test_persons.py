"""Persons are compared, not rows: however a name or an address is written, and only to refuse."""

import pytest

from owners import persons, services
from owners.models import Principal
from owners.roles import Role
from tests.factories import OwnerFactory, PrincipalFactory, TeamFactory

pytestmark = pytest.mark.django_db

WRITTEN = [
    "dana@corp.example",
    " DANA@Corp.Example ",
    "da\u00adna@corp.example",  # a soft hyphen
    "da\u200bna@corp.example",  # a space of no width
    "\u202edana@corp.example",  # a mark of direction
    "ｄａｎａ@corp.example",  # noqa: RUF001 - full width
    "da\ufe0fna@corp.example",  # a variation selector
    "dana+certs@corp.example",
    "dana@corp.example.",
]


@pytest.mark.parametrize("written", WRITTEN)
def test_an_address_is_one_mailbox_however_it_is_written(written):
    assert persons.mailbox(written) == "dana@corp.example"


def test_a_domain_is_the_same_in_both_its_forms():
    assert persons.mailbox("a@bücher.example") == persons.mailbox("a@xn--bcher-kva.example")


def test_whether_a_tag_makes_another_mailbox_is_a_setting(settings):
    settings.PLUS_ADDRESSES = False

    assert persons.mailbox("dana+certs@corp.example") != "dana@corp.example"


def test_an_address_that_is_a_tag_alone_is_not_everybodys():
    assert persons.mailbox("+a@corp.example") != persons.mailbox("+b@corp.example")


def test_no_address_is_nobodys():
    assert not PrincipalFactory(email="").is_same_person(PrincipalFactory(email="\u200b"))


@pytest.mark.parametrize("written", WRITTEN)
def test_a_second_row_of_a_member_is_included(written):
    member, again = PrincipalFactory(email="dana@corp.example"), PrincipalFactory(email=written)
    by_membership, by_seat = OwnerFactory(), OwnerFactory(team=TeamFactory())
    by_membership.members.add(member)
    by_seat.team.members.add(member)

    assert by_membership.includes(again)
    assert by_seat.includes(again)
    assert by_seat.team.seats(again)
    # Likeness refuses and never grants.
    assert not by_membership.is_answered_by(again)
    assert not by_seat.is_answered_by(again)
    assert by_membership.is_answered_by(member)
    assert by_seat.is_answered_by(member)


def test_a_stranger_is_neither():
    owner = OwnerFactory(team=TeamFactory())
    owner.members.add(PrincipalFactory())

    assert not owner.includes(PrincipalFactory())
    assert not OwnerFactory().includes(PrincipalFactory())


def test_a_name_refuses_and_only_the_very_address_grants():
    owner = OwnerFactory(name="dana doe", email="dana@corp.example")
    named = PrincipalFactory(username="dana", first_name="Dana", last_name="D\u00adoe")
    likely = PrincipalFactory(email="Dana@corp.example")
    dana = PrincipalFactory(email="dana@corp.example")

    assert all(owner.includes(one) for one in (named, likely, dana))
    assert [owner.is_answered_by(one) for one in (named, likely, dana)] == [False, False, True]


def test_an_owner_without_an_address_is_nobodys_by_it():
    assert not OwnerFactory(email="").is_answered_by(PrincipalFactory(email=""))


def test_nobody_takes_another_row_of_theirs_out_of_a_team(carol):
    team = TeamFactory()
    team.members.add(PrincipalFactory(email=carol.email.upper()))

    with pytest.raises(services.OwnWayOut):
        services.update_team(actor=carol, team_id=team.pk, changes={}, members=[])


# --- Names that look alike --------------------------------------------------------------------


def create(actor, username, kind=Principal.Kind.HUMAN):
    return services.create_principal(actor=actor, username=username, role=Role.VIEWER, kind=kind)


@pytest.mark.parametrize(
    ("taken", "like"),
    [
        ("alice", "alıce"),  # noqa: RUF001 - without its dot
        ("bill", "bi1l"),
        ("Ilia", "llia"),
        ("root", "r00t"),
        ("morgan", "rnorgan"),
        ("wanda", "vvanda"),
        ("cop", "сор"),  # noqa: RUF001 - Cyrillic throughout
        ("kovo", "κονο"),
        ("jose", "josé"),
        ("dana", "danａ"),  # noqa: RUF001 - full width
        ("kim-2", "kim-٢"),  # another script's digit
    ],
)
def test_a_humans_name_that_looks_like_anothers_is_refused(carol, taken, like):
    create(carol, taken)

    with pytest.raises(services.LookAlike) as refused:
        create(carol, like)

    assert refused.value.errors[0]["field"] == "username"
    # A machine is told by its name in a configuration, not at a glance.
    create(carol, like, Principal.Kind.MACHINE)


@pytest.mark.parametrize(
    "mixed",
    ["аlice", "alicе", "αlice", "ɑlice", "ꓮꓡꓲꓚꓰ", "ᎪᏞᏆ"],  # noqa: RUF001 - that is the point
)
def test_a_humans_name_is_of_one_script(carol, mixed):
    with pytest.raises(services.Invalid) as refused:
        create(carol, mixed)

    assert refused.value.errors[0]["code"] == "mixed_scripts"


@pytest.mark.parametrize(
    "name", ["alice", "Müller", "наташа", "νίκος", "田中さん", "kim-2", "łukasz"]
)
def test_names_of_people_are_taken(carol, name):
    assert create(carol, name).username == name


def test_machines_are_no_reason_to_refuse(carol):
    create(carol, "web-1", Principal.Kind.MACHINE)

    create(carol, "web-l")


def test_over_rest_and_in_the_admin_too(carol, client_of, browse):
    create(carol, "bill")

    rest = client_of(carol).post(
        "/api/v1/principals/", {"username": "bi1l", "kind": "human", "role": "viewer"}
    )
    page = browse(carol).post(
        "/admin/owners/principal/add/",
        {"username": "bi1l", "kind": "human", "role": "viewer", "is_active": "on"},
    )

    assert (rest.status_code, rest.json()["code"]) == (409, "look_alike")
    assert "looks like one that exists" in page.text
    assert not Principal.objects.filter(username="bi1l").exists()

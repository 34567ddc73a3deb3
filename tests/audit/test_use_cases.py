"""A use case's name, its transaction, and the trail's one word on whatever refuses it.

Carol administers, alice asks, victor only reads.
"""

from contextlib import suppress

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from audit.actions import ACTIONS
from audit.models import Event
from audit.services import record
from audit.use_cases import (
    USE_CASES,
    WrongDoor,
    name_of,
    record_edge_refusal,
    record_refused,
    use_case,
)
from audit.via import Door, Via
from foundation.errors import Conflict, NotFound, Unavailable
from owners import services
from owners.models import Owner, Team
from owners.services import NameTaken
from tests.factories import OwnerFactory, TeamFactory


def told():
    """Return the refusals in the trail, the oldest first."""
    return Event.objects.filter(action__endswith=".refuse").order_by("sequence")


@pytest.fixture
def act(monkeypatch):
    """Make a use case for one test: act("toy.break", function)."""

    def make(name, function, **options):
        made = use_case(name, **options)(function)
        monkeypatch.delitem(USE_CASES, name)
        monkeypatch.setitem(ACTIONS, name, ACTIONS.pop(name))
        return made

    return make


def refusals():
    return [(event.action, event.data["code"]) for event in told()]


# --- The decorator --------------------------------------------------------------------------


def test_a_refusal_is_written_under_the_name_of_the_act_and_what_it_did_is_undone(carol, act):
    def half_way(*, actor):
        Team.objects.create(name="red")
        raise Conflict("Not now.")

    with pytest.raises(Conflict):
        act("toy.break", half_way)(actor=carol)

    event = told().get()
    assert (event.action, event.actor) == ("toy.break.refuse", carol)
    assert event.data == {"code": "conflict", "status": 409, "detail": "Not now."}
    assert not Team.objects.exists()


def test_what_nobody_foresaw_is_no_refusal(carol, act):
    def broken(*, actor):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        act("toy.break", broken)(actor=carol)

    assert not told().exists()


def test_whom_a_busy_database_turned_away_was_refused_nothing(carol, act):
    def waits(*, actor):
        raise Unavailable

    with pytest.raises(Unavailable):
        act("toy.wait", waits)(actor=carol)

    assert not told().exists()


def test_the_refusal_shows_in_the_history_of_the_row_and_of_its_owner(carol):
    owner, taken = OwnerFactory(), OwnerFactory()

    with pytest.raises(NameTaken):
        services.update_owner(actor=carol, owner_id=owner.pk, changes={"name": taken.name})

    event = told().get()
    assert (event.subject_type, event.subject_id) == ("owners.owner", str(owner.pk))
    assert (event.owner, event.certificate) == (owner.pk, None)


def test_an_unknown_row_and_what_is_no_key_are_refused_without_a_subject(carol, act):
    def absent(*, actor, owner_id):
        raise NotFound

    for key in ("00000000-0000-4000-8000-000000000000", "not-a-uuid"):
        with pytest.raises(NotFound):
            act("toy.look", absent, on=Owner)(actor=carol, owner_id=key)

    assert [event.subject_id for event in told()] == ["", ""]


def test_inside_another_act_the_refusal_bears_the_name_of_what_was_asked_for(carol, act):
    inner = act("toy.inner", lambda *, actor: services.save_team(actor=actor, name="red"))
    TeamFactory(name="red")

    with pytest.raises(NameTaken):
        inner(actor=carol)

    assert refusals() == [("toy.inner.refuse", "name_taken")]


def test_what_the_outer_act_puts_up_with_is_no_refusal(carol, act):
    TeamFactory(name="red")

    def patient(*, actor):
        with suppress(NameTaken):
            services.save_team(actor=actor, name="red")

    act("toy.patient", patient)(actor=carol)

    assert not told().exists()


def test_an_act_of_many_transactions_keeps_what_was_done_and_tells_its_refusal_once(carol, act):
    TeamFactory(name="red")

    def steps(*, actor):
        services.save_team(actor=actor, name="blue")
        services.save_team(actor=actor, name="red")

    with pytest.raises(NameTaken):
        act("toy.steps", steps, atomic=False)(actor=carol)

    assert Team.objects.filter(name="blue").exists()
    assert refusals() == [("team.create.refuse", "name_taken")]


@pytest.mark.django_db(transaction=True)
def test_under_somebody_elses_transaction_the_refusal_waits_for_its_end(carol):
    TeamFactory(name="red")

    with pytest.raises(NameTaken) as refused, transaction.atomic():
        services.save_team(actor=carol, name="red")
    assert not told().exists()

    assert record_refused(refused.value).action == "team.create.refuse"
    assert record_refused(refused.value) is None
    assert refusals() == [("team.create.refuse", "name_taken")]


def test_an_act_is_refused_at_a_door_that_it_does_not_name(alice, act):
    alice.via = Via(door=Door.ADMIN)
    done = []
    programs = frozenset({Door.REST})

    with pytest.raises(WrongDoor):
        act("toy.door", lambda *, actor: done.append(1), doors=programs)(actor=alice)

    assert (refusals(), done) == ([("toy.door.refuse", "wrong_door")], [])


@pytest.mark.parametrize("door", [Door.MCP, Door.EST, Door.SCEP, Door.ACME, Door.AGENT])
def test_who_comes_by_a_new_door_may_only_what_names_it(carol, door):
    carol.via = Via(door=door)

    with pytest.raises(WrongDoor):
        services.save_team(actor=carol, name="red")


def test_two_functions_cannot_be_one_act():
    with pytest.raises(ValueError, match=r"team\.create is already owners\.services\.create_team"):

        @use_case("team.create")
        def another(*, actor):
            """Take its name."""


def test_an_act_of_nobody_is_none():
    with pytest.raises(TypeError, match="has no actor"):

        @use_case("toy.nobody")
        def nobody():
            """Do it without anybody."""


def test_a_use_case_says_its_name():
    assert name_of(services.create_team) == "team.create"
    assert name_of(services.save_team) is None


# --- What an edge refuses -------------------------------------------------------------------


def test_what_a_use_case_has_refused_the_edge_does_not_tell_again(carol):
    TeamFactory(name="red")
    with pytest.raises(NameTaken) as refused:
        services.save_team(actor=carol, name="red")

    event = record_edge_refusal(actor=carol, action="team.update", error=refused.value)

    assert event is None
    assert refusals() == [("team.create.refuse", "name_taken")]


def test_what_only_the_edge_refused_is_told_once_however_often_it_is_caught(victor, owner):
    error = PermissionDenied()

    for _ in range(2):
        record_edge_refusal(actor=victor, action="owner.update", error=error, subject=owner)

    event = told().get()
    assert (event.action, event.actor, event.owner) == ("owner.update.refuse", victor, owner.pk)
    assert event.data["code"] == "missing_permission"


def test_a_stranger_is_anonymous_and_leaves_how_they_came(db):
    via = Via(door=Door.EST, remote_address="192.0.2.7")

    record_edge_refusal(actor=None, action="owner.update", error=PermissionDenied(), via=via)

    event = told().get()
    assert (event.actor, event.actor_name, event.door) == (None, "anonymous", "est")
    assert event.remote_address == "192.0.2.7"


def test_what_nobody_foresaw_is_no_refusal_of_an_edge_either(carol):
    error = RuntimeError()

    assert record_edge_refusal(actor=carol, action="owner.update", error=error) is None
    record(actor=carol, action="x")
    assert not told().exists()

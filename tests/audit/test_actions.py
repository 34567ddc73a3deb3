"""The closed list of what the trail can say, and the columns that say whom it is about."""

import sys
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

import issuers.services
from audit import actions
from audit.about import About, about
from audit.actions import ACTIONS, UnknownAction
from audit.changes import changed, gone, made, plain
from audit.management.commands.audit_actions import BEGIN, END
from audit.models import Event
from audit.services import record
from owners.models import Owner, Team
from tests.factories import CertificateFactory, OwnerFactory, TeamFactory

# --- The list -------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["owner.rename", "owner", "", "owner.rename.refuse", ".refuse"])
def test_a_word_that_is_not_on_the_list_is_not_written(carol, action):
    before = Event.objects.count()

    with pytest.raises(UnknownAction):
        record(actor=carol, action=action)

    assert Event.objects.count() == before


@pytest.mark.parametrize("action", ["owner.update", "owner.update.refuse", "principal.login"])
def test_a_word_on_the_list_and_its_refusal_are(carol, action):
    assert record(actor=carol, action=action).action == action


@pytest.mark.parametrize("name", ["owner", "a.b.c", f"owner.{'x' * 60}"])
def test_what_is_no_noun_and_verb_or_too_long_does_not_get_on_the_list(name):
    with pytest.raises(ValueError, match="is no name"):
        actions.declare({name: "Something."})

    assert name not in ACTIONS


def test_a_use_case_stands_on_the_list_in_its_own_words():
    assert ACTIONS["team.create"].words == "Make a team."
    assert ACTIONS["team.create"].function == "owners.services.create_team"


def test_the_table_goes_between_its_marks_and_nowhere_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nthe former one\n{END}\nafter\n")

    call_command("audit_actions", into=page)

    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "| **`team.create`** | Make a team. |" in text
    assert "the former one" not in text
    page.write_text("no marks")
    with pytest.raises(CommandError):
        call_command("audit_actions", into=page)


# --- Whom an event is about -----------------------------------------------------------------


def test_an_event_says_which_certificate_and_owner_it_is_about(carol):
    certificate = CertificateFactory()

    of_it = record(actor=carol, action="x", subject=certificate)
    of_owner = record(actor=carol, action="x", subject=certificate.owner)
    of_team = record(actor=carol, action="x", subject=TeamFactory())

    assert (of_it.certificate, of_it.owner) == (certificate.pk, certificate.owner_id)
    assert (of_owner.certificate, of_owner.owner) == (None, certificate.owner_id)
    assert (of_team.certificate, of_team.owner) == (None, None)


def test_what_says_nothing_is_about_nothing():
    assert about(None) == about(object()) == About()


@pytest.mark.parametrize("which", ["certificate", "owner"])
def test_the_trail_is_filtered_by_certificate_and_owner(victor, carol, client_of, browse, which):
    mine, other = CertificateFactory(), CertificateFactory()
    event = record(actor=carol, action="x", subject=mine)
    record(actor=carol, action="y", subject=other)
    key = getattr(event, which)

    listed = client_of(victor).get(f"/api/v1/audit/?{which}={key}").json()["results"]
    exported = client_of(victor).get(f"/api/v1/audit/export/?{which}={key}&as=csv")
    seen = browse(victor).get(f"/admin/audit/event/?{which}={key}").context["cl"].queryset

    assert [row["action"] for row in listed] == ["x"]
    assert (listed[0]["certificate"], listed[0]["owner"]) == (str(mine.pk), str(mine.owner_id))
    lines = b"".join(exported.streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert lines[1].endswith(f",2,{mine.pk},{mine.owner_id}")
    assert [row.action for row in seen] == ["x"]


def test_the_admin_shows_whom_an_event_is_about(victor, carol, browse):
    event = record(actor=carol, action="x", subject=CertificateFactory())

    page = browse(victor).get(f"/admin/audit/event/{event.pk}/change/").content.decode()

    assert str(event.certificate) in page
    assert str(event.owner) in page


# --- Before and after -----------------------------------------------------------------------


def test_a_change_is_set_and_told_in_one_step():
    red, blue = Team(name="red"), Team(name="blue")
    owner = Owner(name="shop", team=red)

    changes = changed(owner, {"name": "shop", "team": blue, "id": 7}, ("name", "email", "team"))

    assert changes == {"team": {"before": "red", "after": "blue"}}
    assert owner.team == blue
    assert isinstance(owner.pk, UUID)


def test_what_is_made_had_nothing_before_and_what_is_gone_has_nothing_after():
    owner = OwnerFactory.build(name="shop")

    assert made(owner, ("name",)) == {"name": {"before": None, "after": "shop"}}
    assert gone(owner, ("name",)) == {"name": {"before": "shop", "after": None}}


def test_values_are_plain_so_that_they_hash_to_what_was_written(carol):
    now = timezone.now()
    data = {"at": now, "span": timedelta(days=1), "set": {"b", "a"}, "deep": [{1: (None, True)}]}

    event = record(actor=carol, action="x", **data)

    assert plain(data) == {
        "at": now.isoformat(),
        "span": "P1D",
        "set": ["a", "b"],
        "deep": [{"1": [None, True]}],
    }
    assert Event.objects.get(pk=event.pk).digest() == event.hash


def test_a_use_case_that_no_door_offers_yet_is_on_the_list(tmp_path, monkeypatch):
    declares = (
        'from audit.actions import declare\n\ndeclare({"issuer.lend": "A word of a test."})\n'
    )
    actions.load()  # what is loaded for good stays on the real list
    (tmp_path / "lending.py").write_text(declares)
    monkeypatch.setattr(issuers.services, "__path__", [*issuers.services.__path__, str(tmp_path)])
    monkeypatch.setattr(actions, "ACTIONS", dict(actions.ACTIONS))

    actions.load()

    assert actions.is_known("issuer.lend")
    del sys.modules["issuers.services.lending"]

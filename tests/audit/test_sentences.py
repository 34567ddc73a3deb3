"""Every action of the trail reads as a sentence, and every sentence belongs to one."""

import pytest

from audit import actions
from audit.models import Event
from audit.sentences import DOORS, SENTENCES, door_words, told, words_of
from audit.via import Door
from tests.audit.conftest import WORDS


def event(action, **values):
    return Event(action=action, actor_name=values.pop("actor_name", "alice"), **values)


def test_every_action_has_a_sentence_and_every_sentence_an_action():
    actions.load()

    assert set(SENTENCES) == set(actions.ACTIONS) - set(WORDS)


@pytest.mark.parametrize("action", sorted(SENTENCES))
def test_each_reads_with_and_without_a_subject_and_as_a_refusal(action):
    for name in ("", "web"):
        for one in (action, f"{action}.refuse"):
            text = str(told(event(one, subject_name=name, subject_type="a.b" if name else "")))
            assert text.startswith("alice ")
            assert text.endswith(".")
            assert "{" not in text
            assert "  " not in text
    assert words_of(action)


def test_every_door_has_words():
    assert set(DOORS) == set(Door)
    assert door_words("rest") == "the REST API"
    assert door_words("a door of tomorrow") == "a door of tomorrow"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            {"action": "job.approve", "subject_type": "jobs.job",
             "subject_name": "Issuance of www.example.com"},
            "alice approved the issuance of www.example.com.",
        ),
        (
            {"action": "job.approve.refuse", "actor_name": "bob", "subject_type": "jobs.job",
             "subject_name": "Issuance of www.example.com",
             "data": {"detail": "May not decide.", "status": 403}},
            "bob was refused to approve the issuance of www.example.com: May not decide.",
        ),
        (
            {"action": "target.create.refuse", "actor_name": "bob", "data": {"detail": "No."}},
            "bob was refused to make a target: No.",
        ),
        (
            {"action": "job.complete", "actor_name": "system", "subject_type": "jobs.job",
             "subject_name": "Renewal of a.example"},
            "certctl completed the renewal of a.example.",
        ),
        (
            {"action": "apikey.refuse", "actor_name": "anonymous", "data": {"detail": "No."}},
            "somebody unknown was refused, who came with an API key that is unknown or wrong: No.",
        ),
        ({"action": "principal.login", "subject_name": "alice"}, "alice signed in."),
        ({"action": "gone.with_its_release", "subject_name": "x"},
         "alice did gone with its release on x."),
    ],
)  # fmt: skip
def test_who_did_what_is_read_as_a_sentence(values, text):
    assert str(told(event(**values))) == text

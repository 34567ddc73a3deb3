"""What the trail says, as sentences: "alice approved the issuance of www.example.com".

Each app tells them in its module `events`, next to what it declares; a test holds the two lists to
each other. A sentence is made of an event alone, so that it says the same in ten years.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.actions import CHANGE, REFUSE, VIEW
from audit.models import Event
from audit.via import Door

DOORS: Mapping[str, str] = {
    Door.REST: "the REST API",
    Door.ADMIN: "the admin",
    Door.CLI: "the command line",
    Door.MCP: "MCP",
    Door.EST: "EST",
    Door.SCEP: "SCEP",
    Door.ACME: "ACME",
    Door.AGENT: "an agent",
    Door.SYSTEM: "certctl itself",
}

# Names in the trail of whoever is no person.
_NOBODIES = {"system": "certctl", "anonymous": "somebody unknown"}
# Where an event says why, the first that it has.
REASONS_OF = ("reason", "note", "why", "detail")
_IT = "{it}"


@dataclass(frozen=True, slots=True)
class Sentence:
    """How an act reads: "alice <did> <what>", "bob was refused to <do> <what>".

    `{it}` in `what` is the subject; `without` stands for `what` where there is no subject, as for a
    row that was refused to be made. With `is_noun` the subject's name begins as a noun does that
    stands within a sentence: "issuance of www", not "Issuance of www".
    """

    did: str
    do: str
    what: str
    without: str = ""
    is_noun: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """An event as a sentence in parts, so that whoever shows it can link the subject.

    It reads "{who} {verb} {before}{subject}{after}", and ": {why}" where somebody said why; `why`
    may be the code of a reason of revocation.
    """

    who: str
    verb: str
    before: str
    subject: str
    after: str
    why: str
    is_refused: bool

    def __str__(self) -> str:
        act = f"{self.who} {self.verb} {self.before}{self.subject}{self.after}".rstrip()
        return f"{act}: {self.why}" if self.why else f"{act}."


SENTENCES: dict[str, Sentence] = {}


def tell(sentences: Mapping[str, Sentence]) -> None:
    """Put sentences on the list: {name of the action: how it reads}."""
    SENTENCES.update(sentences)


def sentence_of(action: str) -> tuple[Sentence, bool]:
    """Return how an action reads, and whether that is to be turned into its refusal.

    An action of a release whose words are gone reads as its name.
    """
    if action in SENTENCES:
        return SENTENCES[action], False
    act = action.removesuffix(REFUSE)
    words = act.replace(".", " ").replace("_", " ")
    plain = Sentence("did", "do", f"{words} on {{it}}", words)
    return SENTENCES.get(act, plain), act != action


def told(event: Event) -> Told:
    """Return what `event` says."""
    sentence, is_turned = sentence_of(event.action)
    subject = event.subject_name
    if sentence.is_noun and event.subject_type:
        subject = f"{subject[:1].lower()}{subject[1:]}"
    what = sentence.what
    if not subject:
        what = sentence.without or " ".join(what.replace(_IT, "").split())
    before, _, after = what.partition(_IT)
    return Told(
        who=person(event),
        verb=f"was refused to {sentence.do}" if is_turned else sentence.did,
        before=before,
        subject=subject if _IT in what else "",
        after=after,
        why=_why(event.data),
        is_refused=event.action.endswith(REFUSE),
    )


def person(event: Event) -> str:
    """Return whoever acted, as people call them; certctl itself is no name of a person."""
    is_person = event.actor_name not in _NOBODIES
    return event.actor_name if is_person else _NOBODIES[event.actor_name]


def words_of(action: str) -> str:
    """Return an action for a list to choose from: "approve a job", "refused: approve a job"."""
    sentence, is_refused = sentence_of(action)
    what = sentence.without or " ".join(sentence.what.replace(_IT, "").split())
    words = f"{sentence.do or sentence.did} {what}".strip()
    return f"refused: {words}" if is_refused else words


def door_words(door: str) -> str:
    """Return a door in words; one that nobody knows as it is."""
    return DOORS.get(door, door)


def _why(data: Mapping[str, Any]) -> str:
    given = (data.get(key) for key in REASONS_OF)
    return next((text.strip() for text in given if isinstance(text, str) and text.strip()), "")


tell(
    {
        VIEW: Sentence("looked at", "look at", "{it}", "what is not theirs"),
        CHANGE: Sentence("changed", "change", "{it}", "what cannot be changed"),
    }
)

"""The audit trail's chain of hashes, computed anew from an export: docs/audit.md says how."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from certctl_cli.errors import Stop

GENESIS = "0" * 64
_FIRST_FORMAT = (
    "sequence", "actor", "actor_name", "api_key", "door", "action", "subject_type", "subject_id",
    "subject_name", "data", "request_id", "remote_address", "previous_hash",
)  # fmt: skip
_SECOND_FORMAT = ("format", "certificate", "owner")


@dataclass(frozen=True, slots=True)
class Checked:
    """How many events hold together, from which sequence to which, and the last one's hash."""

    count: int
    first: int
    last: int
    hash: str


def check(events: Iterable[dict[str, Any]]) -> Checked:
    """Go along the events in their order; raises Stop at the first that does not fit."""
    count, first, last, previous = 0, 0, 0, ""
    for event in events:
        try:
            sequence, before = int(event["sequence"]), str(event["previous_hash"])
            made = digest(event)
        except (KeyError, TypeError, ValueError) as error:
            raise Stop(f"Line {count + 1} is no event of the trail.") from error
        if not count:
            first = sequence
            if first == 1 and before != GENESIS:
                raise Stop("Event 1 names one before it.")
        elif sequence != last + 1:
            raise Stop(f"After event {last} comes {sequence}: what is between was taken out.")
        elif before != previous:
            raise Stop(f"Event {sequence} does not follow event {last}: the chain is broken.")
        if made != event["hash"]:
            raise Stop(f"Event {sequence} was changed: its hash is not of what it says.")
        count, last, previous = count + 1, sequence, made
    return Checked(count, first, last, previous)


def digest(event: dict[str, Any]) -> str:
    """Return the SHA-256 that the event's `hash` must hold."""
    covered = {name: event[name] for name in _FIRST_FORMAT}
    covered["at"] = datetime.fromisoformat(event["at"]).isoformat(timespec="microseconds")
    if any(event.get(name) is not None for name in _SECOND_FORMAT):
        covered |= {name: event[name] for name in _SECOND_FORMAT}
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

"""An event's data for people: what changed, before and after side by side, and what else it says.

Pure: an event's data in, rows of text out. `audit.changes` has the shape of a change.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from audit.sentences import REASONS_OF
from foundation.admin import words

_SHAPE = {"before", "after"}


@dataclass(frozen=True, slots=True)
class Part:
    """One value of a side; `is_other` says that the other side has it not."""

    text: str
    is_other: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One field that changed: its two sides, each a list of values; empty for nothing."""

    name: str
    before: list[Part]
    after: list[Part]


def changes_of(data: Mapping[str, Any], spans: Collection[str] = ()) -> list[Shown]:
    """Return what changed, field by field; `spans` are those that hold durations.

    Events of earlier releases have two whole rows, and a move of a job its two states.
    """
    return [
        _shown(name, before, after, is_span=name in spans)
        for name, (before, after) in _pairs(data).items()
    ]


def particulars_of(data: Mapping[str, Any], spans: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return what else `data` says, as (what, in words); the sentence has said why already."""
    why = next((name for name in REASONS_OF if data.get(name)), "")
    return [
        (words.label(name), _words(known, is_span=name in spans))
        for name, known in data.items()
        if name not in {*_SHAPE, "changes", why} and known not in (None, "", [], {})
    ]


def _pairs(data: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    pairs: dict[str, tuple[Any, Any]] = {}
    changes = data.get("changes")
    if isinstance(changes, dict):
        for name, one in changes.items():
            is_pair = isinstance(one, dict) and set(one) == _SHAPE
            pairs[name] = (one["before"], one["after"]) if is_pair else (None, one)
    before, after = data.get("before"), data.get("after")
    if isinstance(before, dict) or isinstance(after, dict):
        old = before if isinstance(before, dict) else {}
        new = after if isinstance(after, dict) else {}
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                pairs[name] = (old.get(name), new.get(name))
    elif before is not None or after is not None:
        pairs["state"] = (before, after)
    return pairs


def _shown(name: str, before: Any, after: Any, *, is_span: bool) -> Shown:
    old, new = _values(before, is_span=is_span), _values(after, is_span=is_span)
    return Shown(
        words.label(name),
        [Part(text, text not in new) for text in old],
        [Part(text, text not in old) for text in new],
    )


def _values(known: Any, *, is_span: bool) -> list[str]:
    if known in (None, "", [], {}):
        return []
    if isinstance(known, list):
        return [_words(one, is_span=is_span) for one in known]
    if isinstance(known, dict):
        return [f"{words.label(key)}: {words.value(one)}" for key, one in known.items()]
    return [_words(known, is_span=is_span)]


def _words(known: Any, *, is_span: bool) -> str:
    if isinstance(known, str) and known in words.REASONS:
        return words.reason(known)
    return words.value(known, is_span=is_span)

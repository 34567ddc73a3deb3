"""The one shape of a change in the trail: each field with what it was and what it is.

record(actor=actor, action="owner.update", subject=owner, changes=changed(owner, wanted, FIELDS))
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from foundation import durations

Changes = dict[str, dict[str, Any]]


def changed(row: Any, wanted: Mapping[str, Any], fields: Sequence[str]) -> Changes:
    """Set on `row` what is `wanted` of `fields` and differs; return each with before and after.

    Nothing is saved. What `wanted` holds besides `fields` is left alone: `fields` is what may be
    changed. The values that are returned are plain, as they stand in the trail.
    """
    changes: Changes = {}
    for name in fields:
        if name in wanted and getattr(row, name) != wanted[name]:
            changes |= change(name, getattr(row, name), wanted[name])
            setattr(row, name, wanted[name])
    return changes


def change(name: str, before: Any, after: Any) -> Changes:
    """Return one change, for what is no attribute of a row; empty where nothing differs."""
    return {name: {"before": plain(before), "after": plain(after)}} if before != after else {}


def made(row: Any, fields: Sequence[str]) -> Changes:
    """Return what a new row says: before it there was nothing."""
    return {name: {"before": None, "after": plain(getattr(row, name))} for name in fields}


def gone(row: Any, fields: Sequence[str]) -> Changes:
    """Return what a row said that is deleted: after it there is nothing."""
    return {name: {"before": plain(getattr(row, name)), "after": None} for name in fields}


def plain(value: Any) -> Any:  # noqa: PLR0911 - a table, one row a type
    """Return `value` as JSON keeps it, so that what is read back hashes to what was written.

    Rows become their names, dates, times and durations ISO 8601, sets sorted lists, all else its
    text.
    """
    match value:
        case None | bool() | int():
            return value
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case set() | frozenset():
            return sorted((plain(item) for item in value), key=str)
        case list() | tuple():
            return [plain(item) for item in value]
        case date():  # datetimes are dates
            return value.isoformat()
        case timedelta():
            return durations.iso(value)
    return str(value)

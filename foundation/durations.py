"""Durations as people and programs write them: ISO 8601, or a number with its unit.

ISO's years and months are refused, for nobody knows how long they are, and so is a bare number:
whether it means seconds, hours or days is the reader's guess.
"""

import re
from datetime import timedelta

from django.utils.dateparse import parse_duration

_ISO = re.compile(
    r"P(?!$)(?:(?P<weeks>\d{1,9})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?!$)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?"
    r"(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)
_UNIT = re.compile(r"(\d{1,9}) ?([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_CALENDAR = re.compile(r"P[^T]*\d[YM]", re.ASCII)
_STEPS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
FORMS = "Write it as P47D, PT8H or P1DT2H, or as a number with its unit: 30s, 15m, 8h, 47d, 2w."


class NoDuration(ValueError):
    """The text is no duration that we read; the words say why."""


def parse(text: str) -> timedelta:
    """Return the duration that `text` is; raises NoDuration."""
    text = text.strip()
    short = _UNIT.fullmatch(text)
    iso = _ISO.fullmatch(text)
    if short:
        parts = {_UNITS[short[2]]: float(short[1])}
    elif iso:
        parts = {name: float(number) for name, number in iso.groupdict().items() if number}
    elif _CALENDAR.match(text):
        raise NoDuration(f"Years and months have no length of their own: count days. {FORMS}")
    elif re.fullmatch(r"[\d.]+", text):
        raise NoDuration(f"A number has no unit. {FORMS}")
    else:
        raise NoDuration(FORMS)
    try:
        return timedelta(**parts)
    except OverflowError:
        raise NoDuration("It is too long.") from None


def iso(value: timedelta) -> str:
    """Return `value` in ISO 8601: days, hours, minutes and seconds; "-" before what is negative.

    The sign is no more than an extension of the standard (ISO 8601-2); nothing that is read here
    may be negative.
    """
    if value < timedelta(0):
        return f"-{iso(-value)}"
    rest, text = value.seconds, "T"
    for name, seconds in _STEPS[1:3]:
        count, rest = divmod(rest, seconds)
        text += f"{count}{name[0].upper()}" if count else ""
    fraction = f".{value.microseconds:06}".rstrip("0") if value.microseconds else ""
    text += f"{rest}{fraction}S" if rest or fraction else ""
    days = f"{value.days}D" if value.days else ""
    return f"P{days}{text if text != 'T' else ''}" if days or text != "T" else "PT0S"


def in_words(text: str) -> str:
    """Return a duration that the product wrote, in ISO 8601 or as Python does, for people.

    Anything else comes back as it is. Events of earlier releases have "3 days, 0:00:00".
    """
    try:
        value = parse_duration(text)
    except OverflowError:
        return text
    return text if not text or value is None or value < timedelta(0) else words(value)


def words(value: timedelta) -> str:
    """Return `value` for people: "47 days", "1 day 2 hours"; parts of a second are left out."""
    rest, parts = int(value.total_seconds()), []
    for name, seconds in _STEPS:
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts) or "no time"

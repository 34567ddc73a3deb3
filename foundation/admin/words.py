"""Codes as words, for whoever reads: moments with how long ago they are, reasons of revocation.

Everything here is pure: values in, text out. `foundation.admin.tags` makes them tags of templates.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now as now_utc

from foundation import durations

# RFC 5280 §5.3.1 by name: what each says of the certificate, to whoever has to choose or judge.
REASONS: Mapping[str, str] = {
    "unspecified": "Unspecified: no particular reason is given",
    "keyCompromise": "Key compromise: the private key may be known to others",
    "cACompromise": "CA compromise: the key of the CA that signed it may be known to others",
    "affiliationChanged": "Affiliation changed: what the subject says of its holder is not true"
    " any more",
    "superseded": "Superseded: another certificate has taken its place",
    "cessationOfOperation": "Cessation of operation: what it was for is switched off, or the name"
    " is not ours any more",
    "certificateHold": "On hold: not good for now, and may be good again",
    "removeFromCRL": "Taken off hold: it is good again",
    "privilegeWithdrawn": "Privilege withdrawn: whoever holds it may not have it any more",
    "aACompromise": "Attribute authority compromise: what it vouches for may be forged",
}

# Largest first; a moment is told in the largest of which at least one has gone by.
_STEPS = (
    ("year", 365 * 86_400),
    ("month", 30 * 86_400),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
)
_A_MINUTE = 60


def reason(code: str) -> str:
    """Return a reason of revocation in words; one that nobody knows as it is."""
    return REASONS.get(code, code)


def reason_parts(code: str) -> tuple[str, str]:
    """Return a reason's name in words, and apart from it what that says; "" for an unknown one."""
    name, _, explanation = reason(code).partition(": ")
    return name, explanation


def moment(at: datetime) -> str:
    """Return "2026-11-26 05:10 UTC"."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def relative(at: datetime, now: datetime) -> str:
    """Return "3 hours ago", "in 87 days" or "just now", in whole units, rounded down."""
    seconds = int(abs((at - now).total_seconds()))
    if seconds < _A_MINUTE:
        return "just now"
    name, length = next(step for step in _STEPS if seconds >= step[1])
    count = seconds // length
    span = f"{count} {name}{'' if count == 1 else 's'}"
    return f"in {span}" if at > now else f"{span} ago"


def in_days(at: datetime, now: datetime) -> str:
    """Return "in 87 days", "today" or "2 days ago", by whole days of 24 hours to `at`.

    For the ends of certificates, where months would be too coarse.
    """
    days = int(abs(at - now) / timedelta(days=1))
    if not days:
        return "within a day" if at >= now else "less than a day ago"
    span = f"{days} day{'' if days == 1 else 's'}"
    return f"in {span}" if at >= now else f"{span} ago"


def when(at: datetime | None, now: datetime | None = None) -> SafeString | str:
    """Return a moment as <time>: in UTC to the minute, and how long ago; "-" for none.

    To the second it is in the title, and for programs in `datetime`.
    """
    if at is None:
        return "-"
    at = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{} · {}</time>',
        f"{at:%Y-%m-%dT%H:%M:%SZ}",
        f"{at:%Y-%m-%d %H:%M:%S}",
        moment(at),
        relative(at, now or now_utc()),
    )


def value(known: Any, *, is_span: bool = False) -> str:
    """Return a plain value of the trail in words: yes and no, lists by commas, moments in UTC.

    `is_span` says that text is a duration: only the table that it came from knows that.
    """
    if known in (None, "", [], {}):
        return "nothing"
    match known:
        case bool():
            return "yes" if known else "no"
        case list() | tuple():
            return ", ".join(value(one, is_span=is_span) for one in known)
        case dict():
            return ", ".join(f"{label(key)}: {value(one)}" for key, one in known.items())
    text = str(known)
    return durations.in_words(text) if is_span else _as_moment(text)


def label(name: str) -> str:
    """Return a field's name as people write it: "max_lifetime" is "Max lifetime"."""
    words = name.replace("_", " ").strip()
    return f"{words[:1].upper()}{words[1:]}"


def _as_moment(text: str) -> str:
    """Return what the trail wrote of a moment as people read it; all else as it is."""
    if len(text) < len("2026-11-26T05:10:00") or text[10] != "T":
        return text
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if at.tzinfo is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"

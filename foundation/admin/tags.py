"""Words as tags of templates: {% load words %}, {{ row.at|when }}, {{ row.reason|reason }}."""

from datetime import datetime

from django import template
from django.utils.timezone import now

from foundation.admin import words

register = template.Library()
register.filter("when", lambda at: words.when(at))  # noqa: PLW0108 - the argument `now` stays ours
register.filter("reason", words.reason)
register.filter("field_label", words.label)


@register.filter
def in_days(at: datetime | None) -> str:
    """Return "in 87 days" or "2 days ago"; "-" for no moment."""
    return "-" if at is None else words.in_days(at, now())


@register.filter
def ago(at: datetime | None) -> str:
    """Return "3 hours ago" or "in 2 days"; "-" for no moment."""
    return "-" if at is None else words.relative(at, now())


@register.filter
def in_words(known: object) -> str:
    """Return a plain value, as the trail keeps it, in words."""
    return words.value(known)

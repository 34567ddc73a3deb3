"""What the theme shows of columns that cannot be edited, turned into words.

The theme hands on what it would show, and not the value: JSON as such (in colours by style
attributes, which no page of ours allows), moments by the house's format, codes as they are. All
of them can be read back.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape

from django.db import models
from django.utils.html import conditional_escape, format_html_join, strip_tags
from django.utils.safestring import SafeString

from foundation import durations
from foundation.admin import words

_DARK = '<div class="hidden'  # the same again, for the dark theme
_MOMENT = "%d %b %Y, %H:%M:%S"  # certctl.formats: DATETIME_FORMAT


def in_words(model: type[models.Model]) -> dict[str, Callable[[str], str]]:
    """Return, for each column of `model` that needs it, what turns its text into words."""
    turns: dict[str, Callable[[str], str]] = {}
    for column in model._meta.get_fields():  # noqa: SLF001 - Django's public name for it
        if isinstance(column, models.DurationField):
            turns[column.name] = durations.in_words
        elif isinstance(column, models.JSONField):
            turns[column.name] = listed
        elif isinstance(column, models.DateTimeField):
            turns[column.name] = moment
        elif column.name == "reason":
            turns[column.name] = words.reason
    return turns


def listed(contents: str) -> SafeString | str:
    """Return JSON, as the theme shows it, as a list of lines; what is no JSON as it is."""
    try:
        known = json.loads(unescape(strip_tags(contents.partition(_DARK)[0])))
    except ValueError:
        return contents
    if isinstance(known, dict):
        lines = [f"{words.label(name)}: {words.value(one)}" for name, one in known.items()]
    else:
        lines = [words.value(one) for one in (known if isinstance(known, list) else [known])]
    if not lines:
        return "nothing"
    return format_html_join("", '<bdi class="form-line">{}</bdi>', ((line,) for line in lines))


def moment(contents: str) -> SafeString | str:
    """Return a moment, as the house's format has it, in UTC and relative; all else as it is."""
    try:
        at = datetime.strptime(str(contents), _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return conditional_escape(contents)
    return words.when(at)

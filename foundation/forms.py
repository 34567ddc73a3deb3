"""Form fields that the admin of several apps uses: lists, choices by words, durations.

Nobody writes JSON or ISO 8601 in one of them, and what they give is what the model keeps.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.db import models
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from typing_extensions import override
from unfold.widgets import (
    CHECKBOX_CLASSES,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from foundation import durations


class LinesField(forms.CharField):
    """A list of strings, one a line."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, strip=True, **kwargs)
        self.widget.attrs.update(rows=4, spellcheck="false", autocapitalize="off")

    @override
    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    @override
    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    @override
    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the lists and not their text."""
        return bool((initial or []) != self.to_python(data))


def duration_columns(model: type[models.Model]) -> set[str]:
    """Return the names of a table's columns that hold durations."""
    columns = model._meta.get_fields()  # noqa: SLF001 - Django's public name for it
    return {column.name for column in columns if isinstance(column, models.DurationField)}


class NumbersField(forms.CharField):
    """A list of whole numbers, separated by commas, blanks or lines."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, strip=True, **kwargs)

    @override
    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    @override
    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        parts = [part for part in re.split(r"[\s,;]+", str(value or "")) if part]
        for part in parts:
            if not re.fullmatch(r"[0-9]{1,9}", part):
                raise forms.ValidationError(
                    f"{part[:40]!r} is no whole number: write them as 30, 14, 7.", code="invalid"
                )
        return [int(part) for part in parts]

    @override
    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or []) != self.to_python(data))
        except forms.ValidationError:
            return True  # what cannot be read is to be looked at


class WordedBoxes(forms.CheckboxSelectMultiple):
    """Boxes to tick, in columns where there is room: the code, and beside it what it means."""

    def __init__(self, attrs: Any = None, choices: Any = ()) -> None:
        super().__init__({"class": " ".join(CHECKBOX_CLASSES), **(attrs or {})}, choices)

    @override
    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        options = [
            option
            for _, group, _ in self.get_context(name, value, attrs)["widget"]["optgroups"]
            for option in group
        ]
        boxes = format_html_join(
            "",
            '<label><input type="checkbox" name="{}" value="{}"{}>'
            "<span><b>{}</b> {}</span></label>",
            (
                (name, one["value"], flatatt(one["attrs"]), one["value"], _meaning(one))
                for one in options
            ),
        )
        return format_html('<div class="form-boxes" role="group">{}</div>', boxes)


def _meaning(option: Mapping[str, Any]) -> str:
    return str(option["label"]).removeprefix(str(option["value"])).removeprefix(": ")


class WordedChoicesField(forms.MultipleChoiceField):
    """Several of a closed list, as boxes to tick; each is the code and what it means.

    The code stands before its words: whoever knows it finds it, whoever does not reads on.
    """

    widget = WordedBoxes

    def __init__(self, *, known: Mapping[str, str], **kwargs: Any) -> None:
        choices = [(code, f"{code}: {words}" if words else code) for code, words in known.items()]
        super().__init__(required=False, choices=choices, **kwargs)


def in_order_of(before: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """Return what is `chosen`, in the order in which it stood `before`; what is new comes last.

    Boxes have an order of their own: saving them unchanged must change nothing.
    """
    kept = [one for one in before if one in chosen]
    return [*kept, *(one for one in chosen if one not in kept)]


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# The largest of these that measures a length exactly is what it is shown in: 14 days, not 2 weeks.
_SHOWN_IN = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


class DurationWidget(forms.MultiWidget):
    """A number, and its unit beside it; "8h" or "PT8H" in the place of the number is read too."""

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        number = UnfoldAdminTextInputWidget({"inputmode": "numeric", "autocomplete": "off"})
        unit = UnfoldAdminSelectWidget({"aria-label": "Unit"}, choices=list(_UNITS.items()))
        super().__init__([number, unit], dict(attrs or {}))

    @override
    def decompress(self, value: Any) -> list[str]:
        try:
            length = value if isinstance(value, timedelta) else durations.parse(str(value or ""))
        except durations.NoDuration:
            return [str(value or ""), "d"]
        if length.microseconds:
            return [durations.iso(length), "s"]  # no number of a unit: as it is written
        seconds = int(length.total_seconds())
        unit, size = next(one for one in _SHOWN_IN if seconds % one[1] == 0)
        return [str(seconds // size), unit]

    @override
    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        if name in data:
            return data[name]  # from a program that knows one name, and units in the text
        number, unit = super().value_from_datadict(data, files, name)
        number = str(number or "").strip()
        is_bare = re.fullmatch(r"[0-9]{1,9}", number) is not None
        return f"{number}{unit}" if is_bare and unit in _UNITS else number

    @override
    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and super().value_omitted_from_data(data, files, name)

    @override
    def id_for_label(self, id_: str) -> str:
        return f"{id_}_0" if id_ else id_

    @override
    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return format_html(
            '<div class="form-span">{}</div>', super().render(name, value, attrs, renderer)
        )


class DurationField(forms.DurationField):
    """A duration, read as at every other door: never a bare number, the unit stands beside it."""

    widget = DurationWidget

    @override
    def prepare_value(self, value: Any) -> Any:
        return durations.iso(value) if isinstance(value, timedelta) else value

    @override
    def to_python(self, value: Any) -> timedelta | None:
        if value in self.empty_values:
            return None
        if isinstance(value, timedelta):
            return value
        try:
            return durations.parse(str(value))
        except durations.NoDuration as error:
            raise forms.ValidationError(str(error), code="invalid") from None

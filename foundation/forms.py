"""Form fields that the admin of several apps uses: lists by lines, durations."""

from datetime import timedelta
from typing import Any

from django import forms
from django.db import models
from typing_extensions import override
from unfold.widgets import UnfoldAdminTextareaWidget

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


class DurationField(forms.DurationField):
    """A duration, read as at every other door: never a bare number."""

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

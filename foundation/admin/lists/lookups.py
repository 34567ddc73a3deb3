"""Look-ups of a column, as Django writes them in addresses: for links of our own, never offered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone

from foundation.admin.lists.chips import Chip, Value, refuse
from foundation.unknown import SHOWN

# What a link may say of a column besides its value, in words.
LOOKUPS = {
    "in": "any of",
    "gte": "from",
    "gt": "above",
    "lte": "up to",
    "lt": "before",
    "isnull": "empty:",
}
_TRUTHS = {"0": False, "1": True, "False": False, "True": True, "false": False, "true": True}


class LookUp(Chip):
    """By one look-up: `in` takes values with commas between them, `isnull` takes 1 or 0."""

    def __init__(self, model: type[models.Model], name: str) -> None:
        path, _, self.lookup = name.rpartition("__")
        self.field: Any = get_fields_from_path(model, path)[-1]
        title = str(self.field.verbose_name).capitalize()
        super().__init__(name, f"{title} {LOOKUPS[self.lookup]}", is_offered=False)

    def read(self, texts: Sequence[str]) -> list[Value]:
        """Return them as they are, if the column could have such."""
        for text in texts:
            self._meant(text)
        return [Value(text, text) for text in texts]

    def narrow(self, rows: QuerySet[Any], texts: Sequence[str]) -> QuerySet[Any]:
        """Return the rows of which all of these hold."""
        for text in texts:
            rows = rows.filter(**{self.name: self._meant(text)})
        return rows

    def _meant(self, text: str) -> Any:
        try:
            if self.lookup == "isnull":
                return _TRUTHS[text]
            if self.lookup == "in":
                return [self.field.to_python(one) for one in text.split(",")]
            value = self.field.to_python(text)
        except (KeyError, ValueError, TypeError, OverflowError, ValidationError):
            words = f"{self.title} {text[:SHOWN]} is not possible."
            raise refuse(self.name, words) from None
        if isinstance(value, datetime) and timezone.is_naive(value):
            return timezone.make_aware(value)
        return value

"""Columns of whole numbers that are too long for a database's own: CRL numbers have 20 octets.

SQLite has no exact number beyond 64 bits, so they lie as text: hexadecimal, with as many zeros in
front that text sorts as numbers do.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from typing_extensions import override

DIGITS = 40  # hexadecimal: 20 octets
END = 1 << 159  # exclusive: the first bit of a DER INTEGER of 20 octets is its sign


class LongNumberField(models.Field[Any, Any]):
    """An integer from 0 to 2^159 - 1; in Python it is an int, and orders and compares as one."""

    description = "An integer of up to 20 octets"

    @override
    def get_internal_type(self) -> str:
        return "CharField"

    @override
    def db_type(self, connection: Any) -> str:
        return f"varchar({DIGITS})"

    @override
    def cast_db_type(self, connection: Any) -> str:
        return self.db_type(connection)

    @override
    def to_python(self, value: Any) -> int | None:
        if value in (None, ""):
            return None
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise ValidationError("It must be a whole number.") from None
        if not 0 <= number < END:
            raise ValidationError("It must be 0 to 2^159 - 1.")
        return number

    def from_db_value(self, value: str | None, *_: Any) -> int | None:
        """Read what `get_prep_value` wrote."""
        return None if value is None else int(value, 16)

    @override
    def get_prep_value(self, value: Any) -> str | None:
        number = self.to_python(super().get_prep_value(value))
        return None if number is None else padded(number)

    @override
    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(value)


def padded(number: int) -> str:
    """Return a number as it lies in the database."""
    return f"{number:0{DIGITS}x}"

"""Lines of CSV, and what a spreadsheet must not run."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

_FORMULA = re.compile(
    r"[\t\r\n]|[\s\u200b-\u200f\u2060\ufeff\x00-\x1f]*[=+\-@\uff1d\uff0b\uff0d\uff20]"
)


def line(values: Iterable[Any]) -> str:
    """Return one line of CSV (RFC 4180) with its end."""
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()


def disarmed(value: Any) -> str:
    """Return `value` as text that no spreadsheet runs as a formula.

    Some skip white space and what cannot be seen before they look for one.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) else text

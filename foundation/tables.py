"""Lines of CSV, and what a spreadsheet must not run."""

import csv
import io
from collections.abc import Iterable
from typing import Any


def line(values: Iterable[Any]) -> str:
    """Return one line of CSV (RFC 4180) with its end."""
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()


def disarmed(value: Any) -> str:
    """Return `value` as text that no spreadsheet runs as a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text

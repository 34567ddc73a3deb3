"""Credentials in bulk: a CSV of who is to have one, and a CSV of what they got."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from django.utils.dateparse import parse_datetime

from enrollment.services.devices import MAX_AT_ONCE, Made, NewCredential
from foundation.errors import FieldError, Invalid
from foundation.tables import disarmed, line
from foundation.texts import is_unusable
from foundation.unknown import words_for

COLUMNS = ("device", "names", "one_time", "expires_at")
_YES, _NO = {"true", "yes", "1"}, {"false", "no", "0"}
MAX_ERRORS = 100


def read_csv(text: str) -> list[NewCredential]:
    """Read who is to have a credential: a heading of COLUMNS in any order, then a row for each.

    `names` are separated by spaces; `one_time` is true where a device is named and nothing said;
    `expires_at` is ISO 8601 with its offset, or empty. `device` and `names` must be there.
    Raises Invalid whose fields carry the row's number, the first below the heading being 1.
    """
    rows = _rows(text)
    heading = [name.strip() for name in rows[0]] if rows else []
    _check_heading(heading)
    if len(rows) - 1 > MAX_AT_ONCE:
        raise _invalid([FieldError("csv", "too_many", f"At most {MAX_AT_ONCE} rows at once.")])
    wanted, errors = [], []
    for number, cells in enumerate(rows[1:], 1):
        try:
            wanted.append(_row(heading, cells))
        except _WrongCell as wrong:
            errors.append(FieldError(f"{number}.{wrong.field}", wrong.code, str(wrong)))
    if errors:
        raise _invalid(errors)
    if not wanted:
        raise _invalid([FieldError("csv", "empty", "There is no row below the heading.")])
    return wanted


def to_csv(made: Iterable[Made]) -> str:
    """Write what was made, one row a credential, its text in the last column.

    A spreadsheet runs none of it. To be shown once: the texts are stored nowhere.
    """
    rows = [line((*COLUMNS, "credential"))]
    for one in made:
        credential = one.credential
        cells: Sequence[object] = (
            credential.device.name if credential.device else "",
            " ".join(credential.names),
            "true" if credential.one_time else "false",
            credential.expires_at.isoformat() if credential.expires_at else "",
            one.text,
        )
        rows.append(line([disarmed(cell) for cell in cells]))
    return "".join(rows)


class _WrongCell(Exception):
    def __init__(self, field: str, code: str, words: str) -> None:
        super().__init__(words)
        self.field, self.code = field, code


def _rows(text: str) -> list[list[str]]:
    if is_unusable(text):
        raise _invalid([FieldError("csv", "invalid", "This is not plain text.")])
    try:
        read = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        return [row for row in read if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise _invalid([FieldError("csv", "invalid", f"This is no CSV: {error}.")]) from None


def _check_heading(heading: Sequence[str]) -> None:
    unknown = [name for name in heading if name not in COLUMNS]
    errors = [FieldError("csv", "unknown_column", words_for(name, COLUMNS)) for name in unknown]
    errors.extend(
        FieldError("csv", "missing_column", f"The first row must name the column {name}.")
        for name in ("device", "names")
        if name not in heading
    )
    if len(set(heading)) < len(heading):
        errors.append(FieldError("csv", "repeated_column", "A column is there twice."))
    if errors:
        raise _invalid(errors)


def _row(heading: Sequence[str], cells: Sequence[str]) -> NewCredential:
    if len(cells) != len(heading):
        words = f"It has {len(cells)} cells, the heading has {len(heading)}."
        raise _WrongCell("row", "wrong_length", words)
    said = {name: cell.strip() for name, cell in zip(heading, cells, strict=True)}
    return NewCredential(
        device=said["device"],
        names=said["names"].split(),
        one_time=_truth(said.get("one_time", ""), default=bool(said["device"])),
        expires_at=_moment(said.get("expires_at", "")),
    )


def _truth(text: str, *, default: bool) -> bool:
    if not text:
        return default
    if text.lower() not in _YES | _NO:
        raise _WrongCell("one_time", "invalid", "It must be true or false.")
    return text.lower() in _YES


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = parse_datetime(text)
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):  # a date that no calendar has, or none in UTC
        pass
    raise _WrongCell(
        "expires_at", "invalid", "It must be as 2027-01-31T12:00:00Z, with its offset."
    )


def _invalid(errors: list[FieldError]) -> Invalid:
    words = " ".join(error["detail"] for error in errors[:5])
    return Invalid(words, errors=errors[:MAX_ERRORS])

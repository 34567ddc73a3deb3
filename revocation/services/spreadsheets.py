"""A CSV of what is to be revoked: serials or fingerprints, as somebody else lists them."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from foundation.errors import FieldError, Invalid
from foundation.texts import is_unusable
from foundation.unknown import words_for

COLUMNS = ("serial", "issuer", "fingerprint")
_HEX = re.compile(r"[0-9a-f]{1,40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Listed:
    """One row: a serial, maybe with its issuer's slug, or the SHA-256 of a certificate."""

    serial: str = ""
    issuer: str = ""
    fingerprint: str = ""


def read_listed(text: str) -> list[Listed]:
    """Read a CSV: a heading of COLUMNS in any order, then a row for each certificate.

    A row has a serial or a fingerprint, in hexadecimal, with or without colons. Raises Invalid
    with the row's number, the first below the heading being 1.
    """
    rows = _rows(text)
    heading = [name.strip().lower() for name in rows[0]] if rows else []
    unknown = [name for name in heading if name not in COLUMNS]
    if unknown:
        raise _invalid("unknown_column", words_for(unknown[0], COLUMNS))
    if not {"serial", "fingerprint"} & set(heading) or len(set(heading)) < len(heading):
        words = "The first row must name the column serial, or fingerprint, once."
        raise _invalid("missing_column", words)
    if len(rows) == 1:
        raise _invalid("empty", "There is no row below the heading.")
    return [_listed(heading, cells, number) for number, cells in enumerate(rows[1:], 1)]


def plain_serial(text: str) -> str:
    """Return a serial as it is kept, from hexadecimal with or without colons; "" if it is none."""
    serial = text.strip().lower().replace(":", "").removeprefix("0x").lstrip("0")
    return serial if _HEX.fullmatch(serial) else ""


def _listed(heading: Sequence[str], cells: Sequence[str], number: int) -> Listed:
    if len(cells) != len(heading):
        words = f"Row {number} has {len(cells)} cells, the heading has {len(heading)}."
        raise _invalid("wrong_length", words)
    said = {name: cell.strip() for name, cell in zip(heading, cells, strict=True)}
    fingerprint = said.get("fingerprint", "").lower().replace(":", "")
    serial = said.get("serial", "")
    if bool(fingerprint) == bool(serial):
        raise _invalid("invalid", f"Row {number} must have a serial or a fingerprint.")
    if fingerprint and not _SHA256.fullmatch(fingerprint):
        raise _invalid("invalid", f"Row {number}: a fingerprint is a SHA-256 in hexadecimal.")
    if serial and not plain_serial(serial):
        raise _invalid("invalid", f"Row {number}: {serial[:80]!r} is no serial in hexadecimal.")
    return Listed(plain_serial(serial), said.get("issuer", ""), fingerprint)


def _rows(text: str) -> list[list[str]]:
    if is_unusable(text):
        raise _invalid("invalid", "This is not plain text.")
    try:
        read = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        return [row for row in read if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise _invalid("invalid", f"This is no CSV: {error}.") from None


def _invalid(code: str, words: str) -> Invalid:
    return Invalid(words, errors=[FieldError("csv", code, words)])

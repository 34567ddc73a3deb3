"""How answers are shown: tables for people; json, yaml, csv and names for programs."""

import csv
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import click

from certctl_cli.text import harmless

FORMS = ("table", "json", "yaml", "csv", "name")
Row = dict[str, Any]
_GAP = 2  # between two columns


def show_rows(
    rows: Iterable[Row], *, form: str, columns: Sequence[str], name: str = "id", nothing: str = ""
) -> None:
    """Print a list.

    `columns` are fields, dotted where they stand in another; `name` is the field that `-o name`
    prints; `nothing` is said in place of an empty table.
    """
    match form:
        case "json":
            _json_list(rows)
        case "yaml":
            _yaml(list(rows))
        case "csv":
            _csv(rows, columns)
        case "name":
            for row in rows:
                click.echo(harmless(str(field(row, name)), keep=""))
        case _:
            _table(list(rows), columns, nothing)


def show_facts(row: Row, *, leave: Iterable[str] = ()) -> None:
    """Show one thing to a person who is asked something, beside what a program reads."""
    for line in _facts(row, set(leave)):
        click.echo(line, err=True)


def show_row(row: Row, *, form: str, name: str = "id", leave: Iterable[str] = ()) -> None:
    """Print one thing; `leave` are fields that a person need not see."""
    match form:
        case "json":
            click.echo(json.dumps(row, indent=2))
        case "yaml":
            _yaml(row)
        case "csv":
            _csv([row], [key for key in row if key not in set(leave)])
        case "name":
            click.echo(harmless(str(field(row, name)), keep=""))
        case _:
            for line in _facts(row, set(leave)):
                click.echo(line)


def field(row: Row, name: str) -> Any:
    """Return a field of a row, or of what stands in it: `current.not_after`."""
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def somebody_is_there() -> bool:
    """Whether a person could answer a question."""
    return sys.stdin.isatty()


def say(text: str) -> None:
    """Tell a person what goes on, beside the output that a program may read."""
    click.echo(harmless(text), err=True)


def _json_list(rows: Iterable[Row]) -> None:
    # Written as it comes: a list may be longer than memory is wide.
    first = True
    for row in rows:
        click.echo("[" if first else ",")
        click.echo(json.dumps(row, indent=2), nl=False)
        first = False
    click.echo("[]" if first else "\n]")


def _yaml(value: Any) -> None:
    import yaml  # noqa: PLC0415 - only where it is asked for: start-up

    plain = json.loads(json.dumps(value))  # YAML's safe writer knows dict and list alone
    click.echo(yaml.safe_dump(plain, sort_keys=False), nl=False)


def _csv(rows: Iterable[Row], columns: Sequence[str]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(columns)
    for row in rows:
        out.writerow([_disarmed(_cell(field(row, name), plain=True)) for name in columns])


def _disarmed(text: str) -> str:
    # A spreadsheet takes these as the beginning of a formula.
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _cell(value: Any, *, plain: bool = False) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_cell(one, plain=plain) for one in value)
        case dict():
            return json.dumps(value)
        case str() if not plain and (moment := _moment(value)):
            return moment
    return harmless(str(value), keep="")


def _moment(text: str) -> str:
    """Return an ISO 8601 time as people read it, in UTC; "" where it is none."""
    if text[10:11] != "T" or not text.endswith("Z"):
        return ""
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
    except ValueError:
        return ""


def _facts(row: Row, leave: set[str], indent: str = "") -> Iterator[str]:
    # What is empty tells a person nothing.
    shown = {
        key: value
        for key, value in row.items()
        if key not in leave and value not in (None, "", [], {})
    }
    width = max((len(key) for key in shown), default=0)
    for key, value in shown.items():
        title = f"{indent}{key.replace('_', ' '):<{width}}"
        if isinstance(value, dict) and value:
            yield title.rstrip()
            yield from _facts(value, set(), indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield title.rstrip()
            for one in value:
                yield f"{indent}  - " + "; ".join(f"{k}: {_cell(v)}" for k, v in one.items())
        elif isinstance(value, str) and "\n" in value:
            yield title.rstrip()
            yield from (f"{indent}  {harmless(line, keep='')}" for line in value.splitlines())
        else:
            yield f"{title}  {_cell(value)}".rstrip()


def _table(rows: list[Row], columns: Sequence[str], nothing: str) -> None:
    if not rows:
        say(nothing or "There is nothing.")
        return
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415 - start-up

    values = [[field(row, name) for name in columns] for row in rows]
    cells = [[_cell(value) for value in line] for line in values]
    heads = [title(name) for name in columns]
    widths = [max(map(cell_len, column)) for column in zip(heads, *cells, strict=True)]
    shown = len(columns)
    if sys.stdout.isatty():
        shown = _fitting(widths, shutil.get_terminal_size().columns)
    widths[shown - 1] = 0  # no blanks at the end of a line

    def line_of(texts: Sequence[str], styles: Iterable[dict[str, Any]]) -> str:
        padded = (
            click.style(set_cell_size(text, width) if width else text, **style)
            for text, width, style in zip(texts[:shown], widths, styles, strict=False)
        )
        return (" " * _GAP).join(padded)

    click.echo(line_of(heads, [{"bold": True}] * shown))
    for texts, held in zip(cells, values, strict=True):
        click.echo(line_of(texts, [{"fg": _colour(value)} for value in held]))
    if shown < len(columns):
        left = ", ".join(heads[shown:]).lower()
        say(f"({left}: a wider terminal, --columns or -o json shows them)")


def _fitting(widths: Sequence[int], room: int) -> int:
    """Return how many columns fit whole: half a word helps nobody, and half an id cannot be copied.

    The first is always shown.
    """
    total, shown = 0, 0
    for width in widths:
        total += width + (_GAP if shown else 0)
        if total > room and shown:
            break
        shown += 1
    return shown


def title(name: str) -> str:
    """Return a column's heading."""
    words = name.rpartition(".")[2].removesuffix("_name").replace("_", " ")
    return words.upper()


_COLOURS = {
    "green": {"Active", "Completed", "Healthy", "success"},
    "yellow": {"Expiring", "Pending", "AwaitingApproval", "AwaitingCSR", "Running", "Degraded"},
    "red": {"Expired", "Failed", "Revoked", "Down", "Mismatch", "failed"},
}


def _colour(value: Any) -> str | None:
    for colour, words in _COLOURS.items():
        if isinstance(value, str) and value in words:
            return colour
    return None

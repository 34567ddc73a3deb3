"""A list as a table: headings by which it is sorted, and cells that say what they are.

Each cell carries the heading (`data-label`), so that a small screen shows a row as a card; nothing
else is written twice. Badges take the colours that a column's `display(label=…)` names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field, quote
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from unfold.utils import display_for_field, display_for_value

CHECKBOX = "action_checkbox"


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: its name, its words, and how the address sorts by it ("" where it cannot)."""

    name: str
    words: str
    sorts: str = ""
    direction: str = ""  # "ascending" or "descending", of the one that the list is sorted by
    address: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a row shows in a column."""

    name: str
    label: str
    shown: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row: its key, what it is called, and its cells."""

    key: str
    words: str
    cells: list[Cell]


def headings(listing: Any, sorted_by: dict[str, str]) -> list[Heading]:
    """Return the columns of `listing`, but for the box to tick."""
    made = []
    for name in columns_of(listing):
        words, _ = label_for_field(
            name, listing.model, model_admin=listing.model_admin, return_attr=True
        )
        direction = sorted_by.get(name, "")
        can_sort = bool(listing.get_ordering_field(name)) and (
            listing.sortable_by is None or name in listing.sortable_by
        )
        turned = f"-{name}" if direction == "ascending" else name
        made.append(Heading(name, capfirst(words), turned if can_sort else "", direction))
    return made


def columns_of(listing: Any) -> list[str]:
    """Return the names of the columns, without the box to tick."""
    return [name for name in listing.list_display if name != CHECKBOX]


def rows(listing: Any, shown: Sequence[Heading]) -> Iterator[TableRow]:
    """Return the rows of the page."""
    admin = listing.model_admin
    links = listing.list_display_links
    linked = set() if links is None else set(links or [column.name for column in shown[:1]])
    behind = f"?{listing.preserved_filters}" if listing.preserved_filters else ""
    for row in listing.result_list:
        address = _address(listing, row, behind)
        cells = []
        for column in shown:
            text = shown_in(admin, row, column.name)
            if column.name in linked and address:
                opener = format_html(' data-popup-opener="{}"', row.pk) if listing.is_popup else ""
                text = format_html('<a href="{}"{}>{}</a>', address, opener, text)
            cells.append(Cell(column.name, column.words, text))
        yield TableRow(str(row.pk), str(row), cells)


def shown_in(admin: Any, row: models.Model, name: str) -> str:
    """Return what `row` shows in the column `name`: text, or HTML that is marked as safe."""
    empty = admin.get_empty_value_display()
    try:
        field, attribute, value = lookup_field(name, row, admin)
    except ObjectDoesNotExist:
        return str(empty)
    empty = str(getattr(attribute, "empty_value_display", empty))
    if field is None or field.auto_created:
        return _computed(attribute, value, empty)
    if isinstance(field.remote_field, models.ManyToOneRel):
        other = getattr(row, field.name)
        return empty if other is None else str(other)
    if isinstance(field, models.BooleanField):
        return _yes_or_no(value, empty)
    return moment(value) if isinstance(value, datetime) else display_for_field(value, field, empty)


def _computed(attribute: Any, value: Any, empty: str) -> str:
    """Return what a column that is no field of the model shows."""
    label = getattr(attribute, "label", None)
    if label:
        return _badge(value, label, empty)
    if getattr(attribute, "boolean", False):
        return _yes_or_no(value, empty)
    if value in (None, ""):
        return empty
    return moment(value) if isinstance(value, datetime) else display_for_value(value, empty)


def moment(at: datetime) -> SafeString:
    """Return a moment as it is read, and for programs."""
    return format_html(
        '<time datetime="{}">{}</time>',
        at.astimezone(timezone.get_default_timezone()).isoformat(timespec="seconds"),
        display_for_value(at, ""),
    )


def _yes_or_no(value: Any, empty: str) -> str:
    return empty if value is None else ("Yes" if value else "No")


def _badge(value: Any, label: Any, empty: str) -> str:
    colour = "default"
    if isinstance(label, dict):
        key = value[0] if isinstance(value, tuple) else value
        colour = label.get(key, colour)
        value = value[1] if isinstance(value, tuple) and len(value) > 1 else key
    if value in (None, ""):
        return empty
    return format_html('<span class="list-badge list-badge-{}">{}</span>', colour, value)


def _address(listing: Any, row: models.Model, behind: str) -> str:
    options = listing.opts
    name = f"admin:{options.app_label}_{options.model_name}_change"
    try:
        at = reverse(name, args=(quote(row.pk),), current_app=listing.model_admin.admin_site.name)
    except NoReverseMatch:
        return ""
    return f"{at}{behind}"

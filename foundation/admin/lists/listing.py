"""A list of the admin: what the address narrows it to, sorts it by, and which page it shows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.core.paginator import InvalidPage
from django.db.models import F, OrderBy, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import capfirst
from typing_extensions import override
from unfold.views import ChangeList

from foundation.admin.lists import cells, kept
from foundation.admin.lists.chips import Active, Chip, Value, plain_address, refuse
from foundation.admin.lists.pages import MOST_COUNTED, Count, pages_around
from foundation.unknown import SHOWN

KEPT = (SEARCH_VAR, ORDER_VAR)  # what an address keeps besides the chips
NARROWED = "certctl.narrowed"  # in request.META: the chips, read once a request


@dataclass(frozen=True, slots=True)
class Menu:
    """A chip's menu: what can be ticked, what is typed, and which of it narrows the list now."""

    chip: Chip
    ticks: list[tuple[Value, bool]]
    typed: list[Value]
    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """A value that narrows the list, and the address without it."""

    title: str
    words: str
    address: str


class Listing(ChangeList):
    """Django's list, narrowed by chips, sorted by the names of columns, with counts that end."""

    narrowed: list[Active]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = capfirst(self.opts.verbose_name_plural)

    @override
    def get_filters(self, request: HttpRequest) -> tuple[Any, bool, dict[str, Any], bool, bool]:
        self.narrowed = request.META[NARROWED]
        self.request = request
        return self.narrowed, False, {}, False, bool(self.narrowed)

    # --- Order: by the names of columns, since which are shown is everybody's own choice ----------

    @override
    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        said = self._sorted_by_address()
        if not said:
            self.params.pop(ORDER_VAR, None)
            return list(super().get_ordering(request, queryset))
        ordering: list[Any] = []
        for name, is_down in said:
            field = self.get_ordering_field(name)
            if isinstance(field, str):
                ordering.append(f"{'-' if is_down else ''}{field}".replace("--", ""))
            elif field is not None:
                expression = field.copy() if isinstance(field, OrderBy) else field.asc()
                if is_down:
                    expression.reverse_ordering()
                ordering.append(expression)
        return list(
            self._get_deterministic_ordering(
                [*ordering, *self._rest_of(ordering[0], said[0][1], request)]
            )
        )

    def _rest_of(self, first: Any, is_down: bool, request: HttpRequest) -> list[str]:
        """Return by what rows are sorted that are the same in the column.

        As the list by itself sorts them, and downwards all the other way round: so one index serves
        both directions.
        """
        usual = self.model_admin.get_ordering(request) or self.opts.ordering
        rest = [one for one in usual if isinstance(one, str)]
        if isinstance(first, str) and rest and rest[0].removeprefix("-") == first.removeprefix("-"):
            is_down = rest[0] != first
            rest = rest[1:]
        turned = [one.removeprefix("-") if one.startswith("-") else f"-{one}" for one in rest]
        return turned if is_down else rest

    def _sorted_by_address(self) -> list[tuple[str, bool]]:
        """Return the columns that the address sorts by, and whether downwards.

        `?o=-expires.name`; older links have numbers, of the columns that the list has by itself.
        """
        said = []
        own = [cells.CHECKBOX, *self.model_admin.list_display]
        known = {*own, *self.model_admin.more_columns}
        for part in str(self.params.get(ORDER_VAR, "")).split("."):
            name = part.removeprefix("-")
            if name.isdecimal() and name.isascii():
                number = int(name[:9])
                name = own[number] if number < len(own) else ""
            if name in known and name != cells.CHECKBOX and self.get_ordering_field(name):
                said.append((name, part.startswith("-")))
        return said

    def _sorted_now(self) -> dict[str, str]:
        said = self._sorted_by_address()
        if said:
            name, is_down = said[0]
            return {name: "descending" if is_down else "ascending"}
        first: Any = next(
            iter(self.model_admin.get_ordering(self.request) or self.opts.ordering), ""
        )
        if isinstance(first, OrderBy) and isinstance(first.expression, F):
            first = f"{'-' if first.descending else ''}{vars(first.expression)['name']}"
        for name in cells.columns_of(self):
            if isinstance(first, str) and self.get_ordering_field(name) == first.removeprefix("-"):
                return {name: "descending" if first.startswith("-") else "ascending"}
        return {}

    # --- Pages --------------------------------------------------------------------------------

    @override
    def get_results(self, request: HttpRequest) -> None:
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.paginator = paginator
        self.result_count: Count = paginator.count
        self.show_full_result_count = False
        self.full_result_count = self.result_count  # the theme's heading would count again
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = self.result_count > self.list_per_page
        said = request.GET.get(PAGE_VAR) or "1"
        self.page_num = int(said[:9]) if said.isascii() and said.isdecimal() else 0
        try:
            shown = paginator.page(self.page_num)
        except InvalidPage:
            words = f"There is no page {said[:SHOWN]} here: the last is {paginator.num_pages}."
            raise refuse(PAGE_VAR, words) from None
        self.result_list = list(shown.object_list)

    # --- What the page shows: read by admin/change_list.html ------------------------------------

    @cached_property
    def columns(self) -> list[cells.Heading]:
        """The headings."""
        made = cells.headings(self, self._sorted_now())
        return [
            replace(one, address=self.get_query_string({ORDER_VAR: one.sorts}) if one.sorts else "")
            for one in made
        ]

    @cached_property
    def table(self) -> list[cells.TableRow]:
        """The rows."""
        return list(cells.rows(self, self.columns))

    @property
    def count_words(self) -> str:
        """How many rows there are, such as "10,000+ certificates"."""
        noun = self.opts.verbose_name if self.result_count == 1 else self.opts.verbose_name_plural
        return f"{self.result_count} {noun}"

    @property
    def is_cut(self) -> bool:
        """Whether this is the last page that there is, and rows are behind it."""
        return self.result_count.has_more and self.page_num == self.paginator.num_pages

    @property
    def most_counted(self) -> str:
        """How far one can leaf."""
        return f"{MOST_COUNTED:,}"

    @property
    def page_links(self) -> list[tuple[int | None, str]]:
        """The pages to choose from, with their addresses; (None, "") is a gap."""
        numbers = pages_around(self.page_num, self.paginator.num_pages)
        return [
            (None, "") if number is None else (number, self.get_query_string({PAGE_VAR: number}))
            for number in numbers
        ]

    @property
    def neighbours(self) -> dict[str, str]:
        """The addresses of the page before and the page after; "" where there is none."""
        before, after = self.page_num - 1, self.page_num + 1
        return {
            "before": self.get_query_string({PAGE_VAR: before}) if before else "",
            "after": self.get_query_string({PAGE_VAR: after})
            if after <= self.paginator.num_pages
            else "",
        }

    @property
    def menus(self) -> list[Menu]:
        """The menus of the chips."""
        now = {one.chip: one.values for one in self.narrowed}
        return [_menu(chip, now.get(chip, ())) for chip in self.chips if chip.is_offered]

    @property
    def chips(self) -> Sequence[Chip]:
        """All that the list can be narrowed by."""
        chips: Sequence[Chip] = self.model_admin.chips(self.request)
        return chips

    @property
    def removals(self) -> list[Removal]:
        """What narrows the list now, each with the address that is without it."""
        return [
            Removal(
                one.chip.title,
                value.words,
                self._address_without((one.chip, value)),
            )
            for one in self.narrowed
            for value in one.values
        ]

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the form of the chips carries on: the search, the order, and chips with no menu."""
        silent = [one for one in self.narrowed if not one.chip.is_offered]
        kept = plain_address(silent, self.request.GET, KEPT)
        return [(name, text) for name, texts in kept.lists() for text in texts]

    @property
    def list_name(self) -> str:
        """The list's name, such as "certificates.certificate"."""
        return kept.name_of(self.model_admin)

    @cached_property
    def views(self) -> Any:
        """The views of the list that have a name."""
        return kept.views_of(self.request, self.model_admin)

    @property
    def choosable(self) -> list[tuple[str, str, bool]]:
        """The columns to choose from: name, words, and whether it is shown; none: no choice."""
        if not self.model_admin.more_columns:
            return []
        return [
            (
                name,
                capfirst(str(label_for_field(name, self.model, model_admin=self.model_admin))),
                name in self.list_display,
            )
            for name in kept.allowed(self.model_admin)
        ]

    @property
    def plain_query(self) -> str:
        """The address's query as a saved view keeps it."""
        return plain_address(self.narrowed, self.request.GET, KEPT).urlencode()

    def _address_without(self, value: tuple[Chip, Value]) -> str:
        left = plain_address(self.narrowed, self.request.GET, KEPT, leave_out=value)
        return f"?{left.urlencode()}"


def _menu(chip: Chip, chosen: Sequence[Value]) -> Menu:
    texts = {value.text for value in chosen}
    if chip.asks == "dates":
        written = chip.written([value.text for value in chosen])
        ends = {name.rpartition("_")[2]: texts[0] for name, texts in written.items()}
        return Menu(chip, [], [], ends.get("from", ""), ends.get("to", ""))
    offered = chip.offered()
    ticks = [(value, value.text in texts) for value in offered]
    known = {value.text for value in offered}
    return Menu(chip, ticks, [value for value in chosen if value.text not in known])

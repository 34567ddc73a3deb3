"""Pages of a list that stay fast however many rows there are: what is counted is bounded.

Nobody leafs through more than the first MOST_COUNTED rows, and to count more takes as long as to
read them. So counts end there ("10,000+"), and so do the pages: the list says that it goes on, and
is narrowed, searched or sorted the other way round from there.
"""

from typing import Any, Self

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from typing_extensions import override

MOST_COUNTED = 10_000


class Count(int):
    """A number of rows up to MOST_COUNTED, and whether there are more."""

    has_more: bool

    def __new__(cls, counted: int) -> Self:
        """Make it of what was counted up to one more than MOST_COUNTED."""
        made = super().__new__(cls, min(counted, MOST_COUNTED))
        made.has_more = counted > MOST_COUNTED
        return made

    def __str__(self) -> str:
        return f"{int(self):,}{'+' if self.has_more else ''}"


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # of any rows
    """Django's, with a count that ends and pages whose keys are read before their rows."""

    @cached_property
    def count(self) -> int:
        """How many rows there are; the database stops counting behind MOST_COUNTED."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # a list's always are
        return Count(rows.order_by().values("pk")[: MOST_COUNTED + 1].count())

    @override
    def page(self, number: int | str) -> Any:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        rows: Any = self.object_list
        # What is narrowed, sorted and skipped are keys alone, which an index may well hold; only
        # what is shown is joined with anything. In one statement the database would plan a dozen
        # joins for as many rows as there are, which takes it longer than all else.
        keys = list(rows.values_list("pk", flat=True)[start : start + self.per_page])
        by_key = {row.pk: row for row in rows.filter(pk__in=keys).order_by()}
        return Page([by_key[key] for key in keys if key in by_key], number, self)


def pages_around(number: int, last: int) -> list[int | None]:
    """Return the numbers to show: the first, the last, and those beside `number`; None is a gap."""
    near = sorted({1, last, *range(max(1, number - 1), min(last, number + 1) + 1)})
    shown: list[int | None] = []
    for before, one in zip([0, *near], near, strict=False):
        if one - before > 1:
            shown.append(None)
        shown.append(one)
    return shown

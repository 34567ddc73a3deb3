"""What a page about a row is made of: values that say what to show, and by which template.

All text in them is as somebody typed it: the templates escape it and name what hides in it
(`foundation.admin.plainly`). What a value holds may be text, a moment, yes or no, a list of these,
or a Link, Badge or Names from here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from foundation.admin.plainly import plainly
from foundation.admin.words import in_days, moment

FOLDED = 10  # rows, names or steps that stand open; the others are one press away
COUNTED = 10_000  # rows are counted up to here


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to an address; without one they are words."""

    words: str
    url: str = ""

    def __html__(self) -> SafeString:
        if not self.url:
            return plainly(self.words)
        return format_html(
            '<a class="certctl-link" href="{}">{}</a>', self.url, plainly(self.words)
        )


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in a word and a colour: success, warning, danger, info or default."""

    words: str
    colour: str = "default"

    def __html__(self) -> SafeString:
        return format_html(
            '<span class="page-badge page-{}">{}</span>', self.colour, plainly(self.words)
        )


@dataclass(frozen=True, slots=True)
class Code:
    """Text for programs: a fingerprint, a name, an address."""

    text: str

    def __html__(self) -> SafeString:
        return format_html('<code class="page-code">{}</code>', plainly(self.text))


@dataclass(frozen=True, slots=True)
class Pem:
    """PEM, folded away: few read it, and it is long."""

    text: str

    def __html__(self) -> SafeString:
        return format_html(
            '<details class="page-more"><summary>Show the PEM</summary>'
            '<pre class="certctl-commands" tabindex="0">{}</pre></details>',
            self.text,
        )


@dataclass(frozen=True, slots=True)
class Names:
    """Many names, one below the other; those beyond the first ten are folded away."""

    names: Sequence[str]

    def __html__(self) -> SafeString:
        shown, more = self.names[:FOLDED], self.names[FOLDED:]
        if not more:
            return _names(shown)
        return format_html(
            '{}<details class="page-more"><summary>{} more names</summary>{}</details>',
            _names(shown),
            len(more),
            _names(more),
        )


def _names(names: Iterable[str]) -> SafeString:
    items = format_html_join("", "<li>{}</li>", ((Code(name),) for name in names))
    return format_html('<ul class="decide-names">{}</ul>', items)


@dataclass(frozen=True, slots=True)
class Lines:
    """Codes, one a line, each with what it means; one without words stands alone."""

    lines: Sequence[tuple[str, str]]

    def __html__(self) -> SafeString:
        return format_html(
            '<ul class="page-lines">{}</ul>',
            format_html_join(
                "",
                "<li><b>{}</b>{}{}</li>",
                ((plainly(code), ": " if words else "", words) for code, words in self.lines),
            ),
        )


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is so; nothing to say of it is a dash. `is_wide` gives it its own line."""

    label: str
    value: Any
    note: str = ""
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What the row is, first of all: its name, how it stands, what comes next, a few figures."""

    kind: str
    name: str
    badge: Badge | SafeString | None = None  # an app above may have badges of its own
    next: Sequence[Any] = ()
    facts: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts under a title."""

    title: str
    facts: Sequence[Fact]
    is_wide: bool = False
    template: ClassVar[str] = "admin/page/facts.html"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a title; `empty` says so where there is none, `more` leads to all of them.

    The cells of a row are values as those of facts; the first one names it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str
    more: Link | None = None
    is_wide: bool = True
    template: ClassVar[str] = "admin/page/table.html"

    @property
    def shown(self) -> list[list[tuple[str, Any]]]:
        """The rows that stand open, each cell with the name of its column."""
        return self._with_columns(self.rows[:FOLDED])

    @property
    def folded(self) -> list[list[tuple[str, Any]]]:
        """The rows that are one press away."""
        return self._with_columns(self.rows[FOLDED:])

    def _with_columns(self, rows: Sequence[Sequence[Any]]) -> list[list[tuple[str, Any]]]:
        return [list(zip(self.columns, row, strict=True)) for row in rows]


@dataclass(frozen=True, slots=True)
class Step:
    """One point of a timeline: what it is, since when, and what is to be said of it."""

    title: Any
    at: datetime | None
    badge: Badge | None = None
    facts: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """What came after what, the newest first."""

    title: str
    steps: Sequence[Step]
    empty: str
    more: Link | None = None
    is_wide: bool = True
    template: ClassVar[str] = "admin/page/timeline.html"

    @property
    def shown(self) -> Sequence[Step]:
        """The steps that stand open."""
        return self.steps[:FOLDED]

    @property
    def folded(self) -> Sequence[Step]:
        """The steps that are one press away."""
        return self.steps[FOLDED:]


@dataclass(frozen=True, slots=True)
class Notices:
    """What somebody has to look at, above all else."""

    title: str
    notices: Sequence[Any]
    is_wide: bool = True
    template: ClassVar[str] = "admin/page/notices.html"


Section = Facts | Table | Timeline | Notices


@dataclass(frozen=True, slots=True)
class Shown:
    """A whole page: its head, then its sections in their order, the empty ones left out."""

    head: Head
    sections: Sequence[Section] = field(default_factory=tuple)


def how_many(rows: QuerySet[Any, Any]) -> str:
    """Return how many `rows` are, "10,000+" for more: nobody waits for a count of a million."""
    count = rows.order_by()[: COUNTED + 1].count()
    return f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"


def ending(at: datetime, now: datetime) -> Fact:
    """Return when something ends, or ended: how far off that is, and the date."""
    return Fact("Ends" if at > now else "Ended", in_days(at, now), moment(at))

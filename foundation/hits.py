"""What a search finds: rows of one kind, the nearest first; and what was typed, as it is read."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from uuid import UUID

from django.db.models import Case, Q, QuerySet, When

LONGEST = 200  # characters that are looked at of what was typed
SHORTEST_PART = 3  # what is shorter is looked for at the beginnings alone: no trigram holds it
SHORTEST_HEX = 4  # digits of a number or key, of which fewer would be in everything
WORDS = 8
_HEX = re.compile(r"[0-9a-f]+")
_BETWEEN = re.compile(r"[\s:.\-_]+")
LAST = "\U0010ffff"  # sorts behind whatever may follow


class Rank(IntEnum):
    """How near a row is to what was typed."""

    EXACT = 0
    PREFIX = 1
    PART = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """One row that was found: `model` as "app.name", its key, what to show, and how near it is."""

    model: str
    key: UUID
    title: str
    detail: str
    rank: Rank


@dataclass(frozen=True, slots=True)
class Sought:
    """What somebody looks for."""

    text: str

    @classmethod
    def of(cls, typed: str) -> "Sought":
        """Read what was typed: spaces are single, what no database stores is left out."""
        return cls(" ".join(typed.replace("\0", "").split())[:LONGEST].strip())

    @property
    def folded(self) -> str:
        """The text, whatever its letter case."""
        return self.text.casefold()

    @property
    def words(self) -> list[str]:
        """What must all be in a row, each anywhere."""
        return self.text.split()[:WORDS]

    @property
    def is_short(self) -> bool:
        """Whether only beginnings are looked for."""
        return len(self.text) < SHORTEST_PART

    @property
    def digits(self) -> str:
        """The text as hexadecimal digits without colons, spaces, dashes and 0x.

        Empty where it is no such number, or has too few digits to say anything.
        """
        digits = _BETWEEN.sub("", self.folded).removeprefix("0x")
        is_number = len(digits) >= SHORTEST_HEX and _HEX.fullmatch(digits)
        return digits if is_number else ""

    @property
    def keys(self) -> tuple[UUID, UUID] | None:
        """The first and the last UUID that begins like this; None where none does."""
        digits = self.digits
        if not digits or len(digits) > 32:  # noqa: PLR2004 - digits of a UUID
            return None
        return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))

    def rank(self, texts: Iterable[str]) -> Rank:
        """Say how near the nearest of `texts` is."""
        nearest = Rank.PART
        for text in texts:
            folded = text.casefold()
            if folded == self.folded:
                return Rank.EXACT
            if folded.startswith(self.folded):
                nearest = Rank.PREFIX
        return nearest


def near(
    rows: QuerySet[Any],
    sought: Sought,
    *,
    by: Sequence[str],
    limit: int,
    detail: Callable[[Any], str],
) -> list[Hit]:
    """Return at most `limit` of `rows`, all words of what was typed in the columns `by`.

    Columns are "name" or "owner__name"; the first is what is shown. Those that are exactly this, or
    begin with it, come first. For tables that people write: their columns have indexes of parts
    where there may be many rows.
    """
    look_up = "istartswith" if sought.is_short else "icontains"
    for word in sought.words:
        meant = Q()
        for column in by:
            meant |= Q(**{f"{column}__{look_up}": word})
        rows = rows.filter(meant)
    is_exact, is_begun = Q(), Q()
    for column in by:
        is_exact |= Q(**{f"{column}__iexact": sought.text})
        is_begun |= Q(**{f"{column}__istartswith": sought.text})
    nearness = Case(
        When(is_exact, then=Rank.EXACT.value),
        When(is_begun, then=Rank.PREFIX.value),
        default=Rank.PART.value,
    )
    rows = rows.annotate(nearness=nearness).order_by("nearness", by[0], "pk")
    model = rows.model._meta.label_lower  # noqa: SLF001 - Django's public name for it
    return [
        Hit(model, row.pk, str(getattr(row, by[0])), detail(row), Rank(row.nearness))
        for row in rows[:limit]
    ]

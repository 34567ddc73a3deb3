"""Chips about moments: between two days, and within the next days."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from typing_extensions import override

from foundation.admin.lists.chips import Chip, Choice, Value, refuse
from foundation.unknown import SHOWN

_FROM, _TO = "from ", "to "
_OLD = tuple(f"_{end}_{part}" for end in ("from", "to") for part in (0, 1))
_CALENDAR = ("__year", "__month", "__day")


class Between(Chip):
    """By a moment: from a day (included) to a day (included), in UTC, or to a moment (excluded).

    `name_from` and `name_to` are its parameters. It reads what older links have as well: a date
    and a time apart (`_from_0`, `_from_1`), look-ups, and a year, month and day; `older` is a
    column that these may name.
    """

    asks = "dates"

    def __init__(
        self, name: str, title: str, *, path: str = "", older: str = "", **more: Any
    ) -> None:
        super().__init__(name, title, **more)
        self.path = path or name
        self.stems = tuple(dict.fromkeys((name, self.path, *([older] if older else []))))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that it has in an address, for its own name and for its columns'."""
        ends = ("_from", "_to", *_OLD, "__gte", "__lt", *_CALENDAR)
        return tuple(f"{stem}{end}" for stem in self.stems for end in ends)

    def given(self, query: QueryDict) -> list[str]:
        """Return the bounds as "from …" and "to …"; raises UnknownValue."""
        bounds = []
        for stem in self.stems:
            said = {end: query.get(f"{stem}{end}", "").strip() for end in ("_from", "_to", *_OLD)}
            said |= {end: query.get(f"{stem}{end}", "").strip() for end in ("__gte", "__lt")}
            start = said["_from"] or said["__gte"] or _joined(said["_from_0"], said["_from_1"])
            end = said["_to"] or said["__lt"] or _joined(said["_to_0"], said["_to_1"])
            parts = [query.get(f"{stem}{end}", "").strip() for end in _CALENDAR]
            if any(parts):
                start, end = self._calendar(*parts)
            bounds += [f"{_FROM}{start}"] * bool(start) + [f"{_TO}{end}"] * bool(end)
        return list(dict.fromkeys(bounds))

    def read(self, texts: Sequence[str]) -> list[Value]:
        """Return the bounds in words."""
        for text in texts:
            self._moment(text)
        return [Value(text, text) for text in texts]

    def narrow(self, rows: QuerySet[Any], texts: Sequence[str]) -> QuerySet[Any]:
        """Return the rows between the bounds."""
        for text in texts:
            lookup = "gte" if text.startswith(_FROM) else "lt"
            rows = rows.filter(**{f"{self.path}__{lookup}": self._moment(text)})
        return rows

    @override
    def written(self, texts: Sequence[str]) -> dict[str, list[str]]:
        return {
            f"{self.name}{end}": [text.removeprefix(said)]
            for text in texts
            for said, end in ((_FROM, "_from"), (_TO, "_to"))
            if text.startswith(said)
        }

    def _moment(self, text: str) -> datetime:
        is_end = text.startswith(_TO)
        bare = text.removeprefix(_FROM).removeprefix(_TO)
        try:
            # A + in an address is a space.
            moment, day = parse_datetime(bare.replace(" 00:00", "+00:00")), parse_date(bare)
            if day is not None:
                moment = datetime.combine(day, time(), UTC)
                return moment + timedelta(days=1) if is_end else moment
            if moment is not None:
                return moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            pass  # such as the 31st of February
        raise refuse(self.name, f"{self.title}: {bare[:SHOWN]} is no date, such as 2026-11-26.")

    def _calendar(self, year: str, month: str, day: str) -> tuple[str, str]:
        try:
            start = date(int(year), int(month or 1), int(day or 1))
            if day:
                return start.isoformat(), start.isoformat()
            if month:
                after = date(start.year + start.month // 12, start.month % 12 + 1, 1)
            else:
                after = date(start.year + 1, 1, 1)
        except (ValueError, OverflowError):
            said = "-".join(part for part in (year, month, day) if part)[:SHOWN]
            raise refuse(self.name, f"{self.title}: {said} is no date.") from None
        return start.isoformat(), (after - timedelta(days=1)).isoformat()


def _joined(day: str, at: str) -> str:
    return f"{day}T{at}" if day and at else day


def within(name: str, title: str, *, path: str, days: Sequence[int]) -> Choice:
    """Return a chip by whether a moment comes within the next so many days; the longest counts."""

    def by(rows: QuerySet[Any], texts: Sequence[str]) -> QuerySet[Any]:
        now = timezone.now()
        end = now + timedelta(days=max(int(text) for text in texts))
        return rows.filter(**{f"{path}__gt": now, f"{path}__lte": end})

    return Choice(name, title, [(number, f"{number} days") for number in days], by=by)

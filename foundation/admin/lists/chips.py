"""Chips over a list: each narrows it by one thing, by one or several values, in the address.

A chip reads the values that its parameters have in the address, in words refuses what it cannot
mean, and narrows the rows to those with any of them. Several chips add up. No chip reads a row of
the list itself: each is a WHERE.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

from foundation.errors import FieldError, Invalid
from foundation.unknown import SHOWN, words_for

MOST_VALUES = 50  # of one chip
MOST_OFFERED = 30  # rows that a chip shows to tick; of more, one types the name


class UnknownValue(Invalid):
    """The address narrows the list by what this chip does not know."""

    code = "unknown_value"
    message = "The address narrows the list by a value that is not known here."


def refuse(name: str, words: str) -> UnknownValue:
    """Return the error about the parameter `name`."""
    return UnknownValue(words, errors=[FieldError(name[:SHOWN], UnknownValue.code, words)])


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a chip: as the address has it, and in words."""

    text: str
    words: str


class Chip(ABC):
    """One thing to narrow a list by. `name` is its parameter, `aliases` are older names of it."""

    # How its menu asks: "ticks", "text", or "dates".
    asks: ClassVar[str] = "ticks"

    def __init__(
        self, name: str, title: str, *, aliases: Sequence[str] = (), is_offered: bool = True
    ) -> None:
        self.name = name
        self.title = title
        self.aliases = tuple(aliases)
        self.is_offered = is_offered

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that it has in an address."""
        return (self.name, *self.aliases)

    def given(self, query: QueryDict) -> list[str]:
        """Return the values that the address has for it, each once; raises UnknownValue."""
        texts = [text for name in self.parameters for text in query.getlist(name) if text.strip()]
        if len(texts) > MOST_VALUES:
            words = f"{self.title}: at most {MOST_VALUES} values."
            raise refuse(self.name, words)
        return list(dict.fromkeys(texts))

    def chosen(self, query: QueryDict) -> list[Value]:
        """Return the values by which the address narrows the list; raises UnknownValue."""
        return self.read(self.given(query))

    @abstractmethod
    def read(self, texts: Sequence[str]) -> list[Value]:
        """Return what `texts` mean; raises UnknownValue."""

    @abstractmethod
    def narrow(self, rows: QuerySet[Any], texts: Sequence[str]) -> QuerySet[Any]:
        """Return the rows with any of these, which `read` gave out."""

    def written(self, texts: Sequence[str]) -> dict[str, list[str]]:
        """Return the parameters that say these values."""
        return {self.name: list(texts)} if texts else {}

    def offered(self) -> list[Value]:
        """Return the values to tick; none where they are typed."""
        return []


class Choice(Chip):
    """By a few fixed values. `by` says what each means, where it is not a column's value."""

    def __init__(
        self,
        name: str,
        title: str,
        choices: Iterable[tuple[Any, Any]],
        *,
        path: str = "",
        by: Callable[[QuerySet[Any], Sequence[str]], QuerySet[Any]] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(name, title, **more)
        self.choices = {str(value): str(words) for value, words in choices}
        self.path = path or name
        self.by = by

    def read(self, texts: Sequence[str]) -> list[Value]:
        """Return the choices that are meant."""
        for text in texts:
            if text not in self.choices:
                words = f"{self.title}: {words_for(text, self.choices)}"
                raise refuse(self.name, words)
        return [Value(text, self.choices[text]) for text in texts]

    def narrow(self, rows: QuerySet[Any], texts: Sequence[str]) -> QuerySet[Any]:
        """Return the rows with any of these."""
        if self.by is not None:
            return self.by(rows, texts)
        return rows.filter(**{f"{self.path}__in": list(texts)})

    def offered(self) -> list[Value]:
        """Return all of them."""
        return [Value(value, words) for value, words in self.choices.items()]


_YES = {"yes": True, "1": True, "True": True, "no": False, "0": False, "False": False}


class YesNo(Chip):
    """By whether something holds: `yes` and `no` are said of the rows by two conditions."""

    def __init__(
        self, name: str, title: str, holds: Callable[[], Q], words: tuple[str, str], **more: Any
    ) -> None:
        super().__init__(name, title, **more)
        self.holds = holds
        self.words = words

    def read(self, texts: Sequence[str]) -> list[Value]:
        """Return yes, no, or both."""
        for text in texts:
            if text not in _YES:
                raise refuse(self.name, f"{self.title}: {text[:SHOWN]} is neither yes nor no.")
        meant = dict.fromkeys("yes" if _YES[text] else "no" for text in texts)
        return [value for value in self.offered() if value.text in meant]

    def narrow(self, rows: QuerySet[Any], texts: Sequence[str]) -> QuerySet[Any]:
        """Return the rows of which it holds, or does not; all of them for both."""
        if set(texts) == {"yes", "no"}:
            return rows
        return rows.filter(self.holds() if "yes" in texts else ~self.holds())

    def offered(self) -> list[Value]:
        """Return both."""
        return [Value("yes", self.words[0]), Value("no", self.words[1])]


class Text(Chip):
    """By a text that somebody types; several are several values."""

    asks = "text"
    most = 200  # characters

    def __init__(
        self,
        name: str,
        title: str,
        by: Callable[[str], Q],
        *,
        check: Callable[[str], bool] = bool,
        help_text: str = "",
        **more: Any,
    ) -> None:
        super().__init__(name, title, **more)
        self.by = by
        self.check = check
        self.help_text = help_text

    def read(self, texts: Sequence[str]) -> list[Value]:
        """Return them as they are."""
        for text in texts:
            if len(text) > self.most or not self.check(text):
                words = f"{self.title}: {text[:SHOWN]} cannot be one. {self.help_text}".rstrip()
                raise refuse(self.name, words)
        return [Value(text, text) for text in texts]

    def narrow(self, rows: QuerySet[Any], texts: Sequence[str]) -> QuerySet[Any]:
        """Return the rows with any of these."""
        any_of = Q()
        for text in texts:
            any_of |= self.by(text)
        return rows.filter(any_of)


NONE = "none"


class Row(Chip):
    """By rows that it refers to: their key, or the name that people know them by.

    `known_by` is that name's column; where the relation may be empty, `none` means that.
    """

    def __init__(  # noqa: PLR0913 - what it may say of a relation
        self,
        name: str,
        title: str,
        model: type[Model],
        *,
        path: str = "",
        known_by: str = "",
        by: Callable[[Sequence[str]], Q] | None = None,
        may_be_empty: bool = False,
        is_many: bool = False,
        is_typed: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(name, title, **more)
        self.model = model
        self.path = path or name
        self.known_by = known_by
        self.by = by
        self.may_be_empty = may_be_empty
        self.is_many = is_many
        self.is_typed = is_typed

    @property
    def rows(self) -> QuerySet[Any]:
        """All that can be meant."""
        return self.model._default_manager.all()  # noqa: SLF001 - Django's public name for it

    def read(self, texts: Sequence[str]) -> list[Value]:
        """Return the rows that are meant, in one query, with their keys as the address's text."""
        keys = {text: key for text in texts if (key := self._key(text)) is not None}
        meant = Q(pk__in=list(keys.values()))
        if self.known_by:
            meant |= Q(**{f"{self.known_by}__in": [text for text in texts if text not in keys]})
        wanted = [text for text in texts if not self._is_none(text)]
        rows = list(self.rows.filter(meant)) if wanted else []
        by_text: dict[str, Value] = {}
        for row in rows:
            value = Value(str(row.pk), str(row))
            by_text[str(row.pk)] = value
            if self.known_by:
                by_text[str(getattr(row, self.known_by))] = value
        values = []
        for text in texts:
            if self._is_none(text):
                values.append(Value(NONE, "none"))
                continue
            plain = str(keys.get(text, text))
            if plain not in by_text and text in keys:
                values.append(Value(plain, "one that is no longer there"))  # as an old link has it
                continue
            if plain not in by_text:
                raise refuse(self.name, f"{self.title}: nothing here is known as {text[:SHOWN]}.")
            values.append(by_text[plain])
        return list(dict.fromkeys(values))

    def narrow(self, rows: QuerySet[Any], texts: Sequence[str]) -> QuerySet[Any]:
        """Return the rows that refer to any of these."""
        keys = [text for text in texts if text != NONE]
        if self.by is not None:
            any_of = self.by(keys) if keys else Q()
        else:
            any_of = Q(**{f"{self.path}__in": keys}) if keys else Q()
        if NONE in texts:
            any_of |= Q(**{f"{self.path}__isnull": True})
        if self.is_many:
            # By key, so that a row with two of them is there once.
            plain = rows.model._default_manager.filter(any_of)  # noqa: SLF001 - as above
            return rows.filter(pk__in=plain.values("pk"))
        return rows.filter(any_of)

    def offered(self) -> list[Value]:
        """Return them where they are few, in one query; of many, one types the name."""
        rows = [] if self.is_typed else list(self.rows[: MOST_OFFERED + 1])
        if not rows or len(rows) > MOST_OFFERED:
            return []
        return [
            *(Value(str(row.pk), str(row)) for row in rows),
            *([Value(NONE, "none")] if self.may_be_empty else []),
        ]

    def _is_none(self, text: str) -> bool:
        return self.may_be_empty and text == NONE

    def _key(self, text: str) -> Any:
        """Return `text` as a key of the model; None for what is none."""
        try:
            key: Any = self.model._meta.pk.to_python(text)  # noqa: SLF001 - Django's own way to read a key
        except (ValueError, TypeError, ValidationError, OverflowError):
            return None
        fits = isinstance(key, UUID | str) or (isinstance(key, int) and abs(key) < 2**63)
        return key if fits else None


def active(chips: Iterable[Chip], query: QueryDict) -> "list[Active]":
    """Return the chips by which the address narrows the list; raises UnknownValue."""
    read = [Active(chip, tuple(chip.chosen(query))) for chip in chips]
    return [one for one in read if one.values]


@dataclass(frozen=True, slots=True)
class Active:
    """A chip that narrows the list, and by what."""

    chip: Chip
    values: tuple[Value, ...]

    @property
    def texts(self) -> list[str]:
        """The values as the address has them."""
        return [value.text for value in self.values]

    def queryset(self, request: Any, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that are meant: what Django's list asks of a filter."""
        return self.chip.narrow(rows, self.texts)

    def expected_parameters(self) -> list[str]:
        """Return its names in an address."""
        return list(self.chip.parameters)


def known_parameters(chips: Iterable[Chip]) -> set[str]:
    """Return all names that the chips have in an address."""
    return {name for chip in chips for name in chip.parameters}


def plain_address(
    narrowed: Iterable[Active],
    query: QueryDict,
    also: Sequence[str],
    *,
    leave_out: tuple[Chip, Value] | None = None,
) -> QueryDict:
    """Return an address with what narrows the list, each value in its one plain form.

    `also` are the parameters of `query` that are kept as they are, such as the order. `leave_out`
    is a value that it is without.
    """
    plain = QueryDict(mutable=True)
    for one in narrowed:
        texts = [value.text for value in one.values if (one.chip, value) != leave_out]
        for name, written in one.chip.written(texts).items():
            plain.setlist(name, written)
    for name in also:
        if query.get(name):
            plain[name] = str(query[name])
    return plain

"""Serializers that are made from dataclasses."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import pytest
from rest_framework import serializers

from foundation.rest.dataclasses import serializer_of


@dataclass(frozen=True, slots=True)
class Part:
    """One of several."""

    name: str


@dataclass(frozen=True, slots=True)
class Whole:
    """All kinds of fields."""

    id: UUID
    at: datetime
    span: timedelta
    count: int
    is_new: bool
    kind: Literal["a", "b"]
    parts: Sequence[Part]
    names: list[str]
    first: Part | None = None
    note: str | None = field(default=None, metadata={"help_text": "What people said."})

    @property
    def longest(self) -> int:
        """The longest name."""
        return max(map(len, self.names))


@dataclass(frozen=True, slots=True)
class Odd:
    """JSON has no such number."""

    value: complex


WHOLE = Whole(
    id=UUID(int=1),
    at=datetime(2026, 1, 1, tzinfo=UTC),
    span=timedelta(days=2),
    count=3,
    is_new=True,
    kind="a",
    parts=[Part("one"), Part("two")],
    names=["x", "yyy"],
)


def test_every_field_is_shown_by_its_type():
    assert serializer_of(Whole, properties=("longest",))(WHOLE).data == {
        "id": "00000000-0000-0000-0000-000000000001",
        "at": "2026-01-01T00:00:00Z",
        "span": "P2D",
        "count": 3,
        "is_new": True,
        "kind": "a",
        "parts": [{"name": "one"}, {"name": "two"}],
        "names": ["x", "yyy"],
        "first": None,
        "note": None,
        "longest": 3,
    }


def test_words_come_from_the_dataclass():
    made = serializer_of(Whole, properties=("longest",))
    fields = made().fields

    assert (made.__name__, made.__doc__) == ("WholeSerializer", "All kinds of fields.")
    assert fields["note"].help_text == "What people said."
    assert fields["longest"].help_text == "The longest name."
    assert list(fields["kind"].choices) == ["a", "b"]
    assert fields["first"].allow_null
    assert not fields["count"].allow_null


def test_a_field_may_be_said_otherwise_or_besides():
    shown = serializer_of(Part, name="Other", alias=serializers.CharField(source="name"))

    assert shown.__name__ == "OtherSerializer"
    assert shown(Part("four")).data == {"name": "four", "alias": "four"}


def test_the_same_question_has_the_same_answer():
    # Two classes of one name would be two components in the OpenAPI schema.
    assert serializer_of(Part) is serializer_of(Part)


def test_what_has_no_field_is_refused_at_the_start():
    with pytest.raises(TypeError, match="complex"):
        serializer_of(Odd)

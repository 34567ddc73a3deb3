"""Text that no database keeps and no answer can carry: NUL, and halves of a UTF-16 pair."""

import re
from collections.abc import Iterator
from typing import Any

from foundation.errors import FieldError, Invalid

_UNUSABLE = re.compile("[\0\ud800-\udfff]")


class UnusableText(Invalid):
    """There is a character that nothing can be done with, wherever it was given."""

    code = "unusable_text"
    message = "There is a NUL or half of a surrogate pair in it."


def is_unusable(text: str) -> bool:
    """Whether `text` has a NUL (PostgreSQL keeps none) or a lone surrogate (UTF-8 has none)."""
    return _UNUSABLE.search(text) is not None


def usable(text: str) -> str:
    """Return `text` with U+FFFD in the place of such characters: for words about it."""
    return _UNUSABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def has_unusable(value: Any) -> bool:
    """Whether there is such text anywhere in `value`, as `check_texts` looks at it."""
    return next(_places(value), None) is not None


def check_texts(value: Any) -> None:
    """Raise UnusableText with the places in `value` that hold such text.

    `value` is what JSON or an address can say: strings, lists, mappings, and whatever else.
    """
    places = list(dict.fromkeys(_places(value)))
    if places:
        raise UnusableText(
            errors=[FieldError(place, UnusableText.code, UnusableText.message) for place in places]
        )


def _places(value: Any) -> Iterator[str]:
    waiting = [("", value)]  # a list instead of recursion: JSON is nested as deep as it likes
    while waiting:
        place, one = waiting.pop()
        if isinstance(one, str) and is_unusable(one):
            yield place
        elif isinstance(one, dict):
            for name, item in one.items():
                if is_unusable(str(name)):
                    yield place
                else:
                    waiting.append((f"{place}.{name}" if place else str(name), item))
        elif isinstance(one, list | tuple):
            waiting.extend((place, item) for item in one)

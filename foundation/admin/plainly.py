"""Text that somebody typed, shown as what it is: nothing in it hides or turns its surroundings.

`{% load plainly %}{{ row.name|plainly }}` in a template; `as_text` where no element may stand, such
as a page's title or an attribute.
"""

import unicodedata
from datetime import datetime
from typing import Any

from django import template
from django.utils.html import conditional_escape, escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from foundation.admin.words import when

register = template.Library()

# By Unicode's general category: controls, formats (zero width, bidi), separators of lines and
# paragraphs, and what has no meaning of its own (surrogates, private use, unassigned).
_HIDING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# What hides although its category says letter, mark or symbol: fillers and blanks that draw
# nothing (Unicode's Default_Ignorable_Code_Point, and the blank braille pattern).
_BLANKS = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)


def hides(character: str) -> bool:
    """Whether nobody would see `character`, or it would change how others are shown.

    A space other than U+0020 counts: it looks like one, and is none. Line feeds and tabs do not.
    """
    if character in "\n\t " or (character.isascii() and character.isprintable()):
        return False
    category = unicodedata.category(character)
    return category in _HIDING or category == "Zs" or ord(character) in _BLANKS


def code_of(character: str) -> str:
    """Return how Unicode writes a character: `U+202E`."""
    return f"U+{ord(character):04X}"


@register.filter
def plainly(value: Any) -> SafeString:
    """Return `value` as HTML, escaped; each character that hides as a mark that names it.

    What is not ASCII is isolated (`bdi`), so that right-to-left letters keep their order and do
    not turn what stands beside them. What is HTML already stays as it is; None is "".
    """
    if value is None:
        return SafeString("")
    text = str(value)
    if hasattr(value, "__html__") or (text.isascii() and text.isprintable()):
        return conditional_escape(value)
    return format_html("<bdi>{}</bdi>", mark_safe("".join(map(_mark, text))))  # noqa: S308 - each is escaped


@register.filter
def as_text(value: Any) -> str:
    """Return `value` as text in which each character that hides is named: `[U+202E]`."""
    return "".join(f"[{code_of(one)}]" if hides(one) else one for one in str(value))


def _mark(character: str) -> str:
    if not hides(character):
        return escape(character)
    code = code_of(character)
    name = unicodedata.name(character, "a control character").lower()
    return format_html('<span class="c-control" title="{} {}">{}</span>', code, name, code)


@register.filter
def shown(value: Any) -> SafeString:
    """Return any value of a page's part as HTML: a dash for nothing, moments with how long ago."""
    if value is None or value == "" or (isinstance(value, list | tuple) and not value):
        return SafeString('<span class="page-none">-</span>')
    if isinstance(value, bool):
        return SafeString("yes" if value else "no")
    if isinstance(value, datetime):
        return conditional_escape(when(value))
    if isinstance(value, list | tuple):
        return format_html_join(" · ", "{}", ((shown(one),) for one in value))
    return plainly(value)

"""Names that people typed are shown as what they are, whatever is hidden in them."""

import pytest
from django.template import Context, Template

from foundation.admin.plainly import as_text, plainly


def test_a_plain_name_stays_as_it_is() -> None:
    assert plainly("web-1.demo.internal") == "web-1.demo.internal"


def test_markup_is_text() -> None:
    assert plainly('<b onclick="x">&') == "&lt;b onclick=&quot;x&quot;&gt;&amp;"


@pytest.mark.parametrize(
    ("character", "code"),
    [
        ("\u200b", "U+200B"),  # zero width space
        ("\u202e", "U+202E"),  # right-to-left override
        ("\u2066", "U+2066"),  # left-to-right isolate
        ("\ufeff", "U+FEFF"),
        ("\u00a0", "U+00A0"),  # looks like a space
        ("\x1b", "U+001B"),
        ("\u2028", "U+2028"),
        ("\u3164", "U+3164"),  # a letter that draws nothing
        ("\ufe0f", "U+FE0F"),  # a mark that draws nothing
        ("\U000e0041", "U+E0041"),
    ],
)
def test_what_hides_is_named(character: str, code: str) -> None:
    html = plainly(f"a{character}b")
    assert character not in html
    assert f'<span class="c-control" title="{code} ' in html
    assert f">{code}</span>b" in html
    assert as_text(f"a{character}b") == f"a[{code}]b"


def test_right_to_left_letters_do_not_turn_what_stands_beside_them() -> None:
    assert plainly("שלום") == "<bdi>שלום</bdi>"


def test_markup_beside_what_hides_is_text_as_well() -> None:
    assert "&lt;i&gt;" in plainly("\u202e<i>")


def test_lines_stay_lines() -> None:
    assert plainly("one\ntwo") == "<bdi>one\ntwo</bdi>"


def test_a_template_loads_it() -> None:
    page = Template("{% load plainly %}{{ name|plainly }}|{{ none|plainly }}|{{ name|as_text }}")
    shown = page.render(Context({"name": "a\u202e<b>", "none": None}))
    assert "U+202E</span>&lt;b&gt;</bdi>||a[U+202E]&lt;b&gt;" in shown

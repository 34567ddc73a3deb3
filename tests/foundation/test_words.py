"""Codes as words: moments, how long ago they are, reasons, plain values."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.template import Context, Template

from certificates.models import Reason
from foundation.admin import words

NOW = datetime(2026, 11, 26, 5, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=3, minutes=59), "3 hours ago"),
        (timedelta(days=-87, hours=-1), "in 2 months"),
        (timedelta(days=29, hours=23), "29 days ago"),
        (timedelta(days=365), "1 year ago"),
    ],
)
def test_how_long_ago_is_told_in_the_largest_unit_that_has_gone_by(before, text):
    assert words.relative(NOW - before, NOW) == text


@pytest.mark.parametrize(
    ("to", "text"),
    [
        (timedelta(days=87, hours=23), "in 87 days"),
        (timedelta(days=1), "in 1 day"),
        (timedelta(hours=23), "within a day"),
        (timedelta(hours=-23), "less than a day ago"),
        (timedelta(days=-2), "2 days ago"),
    ],
)
def test_ends_are_told_in_whole_days(to, text):
    assert words.in_days(NOW + to, NOW) == text


def test_a_moment_is_told_in_utc_and_relative_and_for_programs():
    at = datetime(2026, 11, 26, 3, 10, 5, tzinfo=timezone(timedelta(hours=1)))

    assert words.when(at, NOW) == (
        '<time datetime="2026-11-26T02:10:05Z" title="2026-11-26 02:10:05 UTC">'
        "2026-11-26 02:10 UTC · 3 hours ago</time>"
    )
    assert words.when(None) == "-"


def test_every_reason_has_words_and_an_unknown_one_stays_as_it_is():
    assert set(Reason.values) <= set(words.REASONS)
    assert words.reason("keyCompromise").startswith("Key compromise: the private key")
    assert words.reason("<b>") == "<b>"


@pytest.mark.parametrize(
    ("known", "text"),
    [
        (None, "nothing"),
        ("", "nothing"),
        ([], "nothing"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (["a", "b"], "a, b"),
        ({"max_sans": 3, "path": "/a"}, "Max sans: 3, Path: /a"),
        ("2026-11-26T05:10:30+00:00", "2026-11-26 05:10:30 UTC"),
        ("2026-11-26Told you so, friend", "2026-11-26Told you so, friend"),
        ("P1D", "P1D"),
    ],
)
def test_a_plain_value_is_told_in_words(known, text):
    assert words.value(known) == text


def test_only_what_is_a_duration_is_told_as_one():
    assert words.value("P1D", is_span=True) == "1 day"


def test_templates_have_them_as_tags_and_escape_what_they_are_given():
    page = Template("{% load words %}{{ at|when }} {{ code|reason }} {{ none|in_days }}")

    shown = page.render(Context({"at": NOW, "code": "<script>", "none": None}))

    assert 'datetime="2026-11-26T05:10:30Z"' in shown
    assert "&lt;script&gt; -" in shown

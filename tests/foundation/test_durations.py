"""Durations: ISO 8601 or a number with its unit, at every door."""

from datetime import timedelta

import pytest

from foundation import durations
from issuers.models import Profile


@pytest.mark.parametrize(
    ("text", "value", "iso", "words"),
    [
        ("P47D", timedelta(days=47), "P47D", "47 days"),
        ("PT8H", timedelta(hours=8), "PT8H", "8 hours"),
        ("P1DT2H", timedelta(days=1, hours=2), "P1DT2H", "1 day 2 hours"),
        ("P2W", timedelta(weeks=2), "P14D", "14 days"),
        ("PT0.5S", timedelta(milliseconds=500), "PT0.5S", "no time"),
        ("PT90M", timedelta(minutes=90), "PT1H30M", "1 hour 30 minutes"),
        ("PT0S", timedelta(0), "PT0S", "no time"),
        ("30s", timedelta(seconds=30), "PT30S", "30 seconds"),
        ("5m", timedelta(minutes=5), "PT5M", "5 minutes"),
        ("8 h", timedelta(hours=8), "PT8H", "8 hours"),
        (" 47d ", timedelta(days=47), "P47D", "47 days"),
        ("2w", timedelta(weeks=2), "P14D", "14 days"),
    ],
)
def test_a_duration_is_read_and_told(text, value, iso, words):
    assert durations.parse(text) == value
    assert durations.iso(value) == iso
    assert durations.words(value) == words
    assert durations.parse(iso) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "47",
        "1.5",
        "-1d",
        "-P1D",
        "P-1D",
        "P1Y",
        "P2M",
        "P1Y2D",
        "47 00:00:00",
        *["00:30:00", "1M", "8H", "1d2h", "P1H", "PT1D", "999999999w", "P1.5D", "\u0661d", "soon"],
    ],
)
def test_what_could_mean_two_things_is_no_duration(text):
    with pytest.raises(durations.NoDuration):
        durations.parse(text)


@pytest.mark.parametrize("given", [3600, "3600", "P1Y", "P1M", "47 00:00:00", "-P1D", None, []])
def test_carol_cannot_leave_a_length_to_guessing_over_rest(carol, client_of, given):
    answer = client_of(carol).post(
        "/api/v1/profiles/",
        {"slug": "p", "name": "P", "allowed_sans": ["dns:*"], "max_lifetime": given},
        format="json",
    )

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["max_lifetime"]
    assert not Profile.objects.exists()


def test_a_length_is_shown_in_iso_8601_over_rest_and_in_words_in_the_admin(
    carol, client_of, browse
):
    client = client_of(carol)
    policy = client.post(
        "/api/v1/renewal-policies/", {"name": "r", "window": "2w", "retry_delay": "PT90M"}
    )

    assert (policy.json()["window"], policy.json()["retry_delay"]) == ("P14D", "PT1H30M")
    page = browse(carol).get("/admin/certificates/renewalpolicy/").content.decode()
    assert "14 days" in page


@pytest.mark.parametrize(("given", "status"), [("30", 200), ("P1M", 200), ("30d", 302)])
def test_the_admin_reads_a_length_as_rest_does(carol, browse, given, status):
    answer = browse(carol).post(
        "/admin/certificates/renewalpolicy/add/",
        {
            "name": "r",
            "window": given,
            "max_attempts": "3",
            "retry_delay": "15m",
            "alert_days": "",
        },
    )

    assert answer.status_code == status

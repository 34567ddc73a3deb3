"""Durations as they are shown: ISO 8601 in the trail, words in the admin, whoever looks."""

import json
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import models
from django.urls import reverse

from audit.models import Event
from audit.shown import changes_of
from certificates import services
from certificates.models import RenewalPolicy
from foundation import durations
from foundation.admin import Edge
from tests.factories import JobFactory

SHOWN_BY_PYTHON = ("3 days, 0:00:00", "0:05:00", "47 days, 0:00:00")


@pytest.fixture
def policy(carol):
    return services.create_policy(
        actor=carol, name="P1D", window=timedelta(days=3), retry_delay=timedelta(minutes=5)
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("P3D", "3 days"),
        ("3 days, 0:00:00", "3 days"),
        ("0:05:00", "5 minutes"),
        ("-P1D", "-P1D"),
        ("web", "web"),
        ("", ""),
        ("P99999999999D", "P99999999999D"),
    ],
)
def test_what_was_written_of_a_duration_is_read_in_words(text, shown):
    assert durations.in_words(text) == shown


def test_a_duration_below_nothing_is_told_as_that():
    assert durations.iso(timedelta(hours=-5)) == "-PT5H"


def test_carol_changes_a_policy_and_the_trail_and_its_export_say_it_in_iso_8601(
    carol, client_of, policy
):
    client = client_of(carol)
    client.patch(f"/api/v1/renewal-policies/{policy.pk}/", {"window": "P4D"})

    event = Event.objects.get(action="renewalpolicy.update")
    assert event.data["changes"] == {"window": {"before": "P3D", "after": "P4D"}}
    for form in ("csv", "jsonl"):
        answer = client.get(f"/api/v1/audit/export/?as={form}")
        export = b"".join(answer.streaming_content).decode()
        assert "P4D" in export
        assert not any(words in export for words in SHOWN_BY_PYTHON)


def test_carol_reads_durations_of_an_event_in_words_and_names_as_they_are(carol, browse, policy):
    event = Event.objects.get(action="renewalpolicy.create")

    page = browse(carol).get(reverse("admin:audit_event_change", args=[event.pk]))

    shown = {
        change.name: ([part.text for part in change.before], [part.text for part in change.after])
        for change in page.context["changes"]
    }
    assert shown["Window"] == ([], ["3 days"])
    assert shown["Retry delay"] == ([], ["5 minutes"])
    assert shown["Name"] == ([], ["P1D"])
    assert "3 days" in page.content.decode()


def test_an_event_of_an_earlier_release_is_read_in_words_too():
    data = {"after": {"window": "14 days, 0:00:00", "name": "0:05:00"}}

    name, window = changes_of(data, {"window"})

    assert [part.text for part in window.after] == ["14 days"]
    assert [part.text for part in name.after] == ["0:05:00"]


def test_bob_who_may_only_look_at_a_policy_and_a_job_reads_words(bob, browse, policy):
    client = browse(bob)
    job = JobFactory(lifetime=timedelta(days=3))

    job_page = client.get(reverse("admin:jobs_job_change", args=[job.pk])).content.decode()

    assert "3 days" in job_page
    assert not any(words in job_page for words in SHOWN_BY_PYTHON)


def test_victor_reads_words_on_every_page_that_has_a_duration(victor, browse, policy, profile):
    client = browse(victor)
    for row, words in ((policy, "5 minutes"), (profile, "47 days")):
        label = f"{row._meta.app_label}_{row._meta.model_name}"

        page = client.get(reverse(f"admin:{label}_change", args=[row.pk])).content.decode()

        assert words in page
        assert not any(raw in page for raw in SHOWN_BY_PYTHON)


def test_no_list_of_the_admin_shows_a_duration_as_python_writes_it():
    pages = [page for page in admin.site._registry.values() if isinstance(page, Edge)]
    spans = {
        page: {c.name for c in page.model._meta.get_fields() if isinstance(c, models.DurationField)}
        for page in pages
    }

    assert {page.model for page in pages if spans[page]} >= {RenewalPolicy}
    assert not [page for page in pages if spans[page] & set(page.list_display)]


def test_alice_is_told_in_words_how_long_a_certificate_may_last(
    alice, client_of, owner, local_ca, profile, csr_for
):
    answer = client_of(alice).post(
        "/api/v1/certificates/",
        {"owner": owner.name, "issuer": local_ca.slug, "profile": profile.slug,
         "csr": csr_for("a.demo.internal"), "lifetime": "P400D"},
    )  # fmt: skip

    assert answer.status_code == 400
    assert "at most 47 days" in json.dumps(answer.json())

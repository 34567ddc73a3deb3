"""What a list says while it has no rows: what it is for, and where one begins, for whoever may.

Carol administers, alice asks, victor only reads.
"""

import pytest
from django.contrib import admin
from django.urls import resolve, reverse

from deployments.models import Target
from foundation.admin import Edge

OURS = [one for one in admin.site._registry.values() if isinstance(one, Edge)]
LIST = "/admin/deployments/target/"


def test_every_list_of_ours_says_what_it_is_for():
    assert len(OURS) >= 24
    assert {type(one).__name__ for one in OURS if len(one.empty_words) < 40} == set()
    assert all(one.empty_words.endswith(".") for one in OURS)


def test_every_button_leads_to_a_page_that_adds():
    for one in OURS:
        if one.empty_button:
            label, name = one.empty_button
            assert label
            assert name.endswith("_add")
            assert resolve(reverse(f"admin:{name}")).func.model_admin


@pytest.mark.parametrize("one", OURS, ids=lambda one: one.opts.label_lower)
def test_each_empty_list_shows_its_words(one, browse, carol, monkeypatch):
    carol.is_superuser = True
    carol.save()
    monkeypatch.setattr(one, "get_queryset", lambda request: one.model._default_manager.none())
    page = browse(carol).get(
        reverse(f"admin:{one.opts.app_label}_{one.opts.model_name}_changelist")
    )

    assert page.context["cl"].empty["words"] == one.empty_words
    assert 'class="empty-list"' in page.content.decode()


def test_carol_has_the_button_and_victor_has_not(browse, carol, victor):
    hers, his = (browse(one).get(LIST).content.decode() for one in (carol, victor))

    for page in (hers, his):
        assert "No targets yet" in page
    assert ">Make a target</a>" in hers
    assert "Make a target" not in his


def test_a_list_of_machines_has_the_button_of_the_page_that_begins_one(browse, alice, victor):
    for person, is_shown in ((alice, True), (victor, False)):
        page = browse(person).get("/admin/jobs/job/").content.decode()
        assert (">Request a certificate</a>" in page.partition('class="empty-list"')[2]) is is_shown


@pytest.mark.parametrize("asked", ["?q=nothing", "?kind__exact=nginx"])
def test_where_nothing_matches_it_does_not_say_that_there_is_nothing(browse, carol, asked):
    Target.objects.create(name="web", kind="file", config={})

    page = browse(carol).get(f"{LIST}{asked}").content.decode()

    assert "Nothing matches" in page
    assert "No targets yet" not in page


def test_a_list_with_rows_says_neither(browse, carol):
    Target.objects.create(name="web", kind="file", config={})

    assert "empty-list" not in browse(carol).get(LIST).content.decode()

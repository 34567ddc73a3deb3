"""The search over everything, and its address in the admin.

Alice asks for certificates; bob operates; victor only reads; nobody is nobody's fool: a principal
who may see owners alone finds owners alone.
"""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from console import navigation, search
from foundation.hits import Sought
from foundation.waits import TookTooLong
from jobs.models import Job
from tests.factories import (
    CertificateFactory,
    JobFactory,
    OwnerFactory,
    PrincipalFactory,
    VersionFactory,
)

ADDRESS = "/admin/search/"


@pytest.fixture
def things(db):
    owner = OwnerFactory(name="shop team")
    certificate = CertificateFactory(name="shop.demo.internal", owner=owner)
    VersionFactory(certificate=certificate, serial="abcdef0123456789")
    return JobFactory(certificate=certificate)


@pytest.fixture
def clerk(db):
    """Somebody who may view owners, and nothing else."""
    principal = PrincipalFactory(username="clerk", is_staff=True)
    principal.user_permissions.add(Permission.objects.get(codename="view_owner"))
    return principal


def found(browser, text, **more):
    answer = browser.get(ADDRESS, {"q": text, **more})
    return {group["kind"].title: group["rows"] for group in answer.context["groups"]}


def test_everything_of_a_name_is_found_by_kind(things, browse, victor):
    groups = found(browse(victor), "shop")

    assert groups["Certificates"][0]["title"] == "shop.demo.internal"
    assert groups["Owners"][0]["title"] == "shop team"
    assert groups["Jobs"][0]["url"] == reverse("admin:jobs_job_change", args=[things.pk])


def test_who_may_see_one_kind_finds_no_other(things, browse, clerk):
    browser = browse(clerk)

    assert list(found(browser, "shop")) == ["Owners"]
    assert found(browser, "abcdef0123456789") == {}
    assert found(browser, str(things.pk)) == {}
    assert found(browser, "issuers") == {}


def test_nobody_searches_without_signing_in(things):
    answer = Client().get(ADDRESS, {"q": "shop"})

    assert answer.status_code == 302
    assert b"shop.demo" not in answer.content


@pytest.mark.parametrize("shape", [str, lambda key: key.hex.upper(), lambda key: str(key)[:8]])
def test_a_job_is_found_by_its_id(things, browse, victor, shape):
    JobFactory()

    rows = found(browse(victor), shape(things.pk))["Jobs"]

    assert [row["url"] for row in rows] == [reverse("admin:jobs_job_change", args=[things.pk])]


def test_the_list_of_jobs_is_searched_by_the_same(things, browse, victor):
    other = JobFactory()
    browser = browse(victor)

    for text in ("OP.DEMO", "shop team", str(things.pk)[:8], "ab:cd:ef:01:23:45:67:89"):
        rows = browser.get("/admin/jobs/job/", {"q": text}).context["cl"].result_list
        assert [job.pk for job in rows] == [things.pk]
    assert {job.pk for job in browser.get("/admin/jobs/job/").context["cl"].result_list} == {
        things.pk,
        other.pk,
    }


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("targets", "Targets"),
        ("audit", "Audit trail"),
        ("certificates job", "Jobs"),
        ("dash", "Dashboard"),
    ],
)
def test_pages_are_found_by_their_names(browse, victor, text, title):
    assert title in [row["title"] for row in found(browse(victor), text)["Pages"]]


def test_what_is_exact_comes_before_what_is_not(browse, victor):
    CertificateFactory(name="profiles.demo.internal")

    assert list(found(browse(victor), "profiles")) == ["Pages", "Certificates"]


def test_the_box_lists_few_and_leads_to_all(browse, victor):
    for number in range(8):
        CertificateFactory(name=f"web-{number}.many.example")
    browser = browse(victor)

    part = browser.get(ADDRESS, {"q": "many.example", "part": 1})

    assert part.content.count(b'role="option"') == 6
    assert b"<html" not in part.content
    assert "no-store" in part.headers["Cache-Control"]
    assert len(found(browser, "many.example")["Certificates"]) == 8


def test_a_kind_of_which_there_are_more_links_to_its_list(browse, victor):
    for number in range(21):
        CertificateFactory(name=f"web-{number}.many.example")

    answer = browse(victor).get(ADDRESS, {"q": "many.example"})

    assert b"/admin/certificates/certificate/?q=many.example" in answer.content


def test_names_with_markup_are_text(browse, victor):
    CertificateFactory(name="<script>alert(1)</script>", common_name="", sans=[])
    browser = browse(victor)

    for more in ({}, {"part": 1}):
        answer = browser.get(ADDRESS, {"q": "<script>al", **more})
        assert b"&lt;script&gt;alert(1)" in answer.content
        assert b"<script>al" not in answer.content


def test_few_questions_are_asked_however_much_there_is(
    things, browse, bob, django_assert_max_num_queries
):
    for number in range(30):
        JobFactory(certificate=CertificateFactory(name=f"shop-{number}.example"))
    browser = browse(bob)
    browser.get(ADDRESS)

    with django_assert_max_num_queries(
        55
    ):  # 12, and on PostgreSQL five about the time of each kind
        browser.get(ADDRESS, {"q": "shop", "part": 1})


def test_whoever_asks_too_often_is_told_so(browse, victor, bob, settings):
    settings.SEARCH_RATE = "2/h"
    browser = browse(victor)
    for _ in range(2):
        assert browser.get(ADDRESS, {"q": "shop"}).status_code == 200

    answer = browser.get(ADDRESS, {"q": "shop"})

    assert answer.status_code == 429
    assert b"asked too often" in answer.content
    assert browse(bob).get(ADDRESS, {"q": "shop"}).status_code == 200


def test_a_kind_that_takes_too_long_says_so_and_the_others_answer(
    things, browse, victor, monkeypatch
):
    def late(sought, limit):
        raise TookTooLong

    monkeypatch.setattr(search.certificates, "find", late)

    answer = browse(victor).get(ADDRESS, {"q": "shop"})

    assert b"This took too long" in answer.content
    assert b"shop team" in answer.content


def test_when_the_time_is_over_no_further_kind_is_asked(things, victor, monkeypatch):
    monkeypatch.setattr(search, "SECONDS_IN_ALL", -1.0)

    groups = search.find(Sought.of("shop"), principal=victor, pages=[], limit=5)

    assert groups
    assert all(group.is_late for group in groups)


def test_an_empty_search_finds_nothing_and_says_nothing_of_it(things, browse, victor):
    answer = browse(victor).get(ADDRESS, {"q": "  "})

    assert answer.context["groups"] == []
    assert b"Nothing found" not in answer.content


# --- side bar -------------------------------------------------------------------------------------


def titles(browser):
    groups = browser.get("/admin/").context["sidebar_navigation"]
    return [item["title"] for group in groups for item in group["items"]]


def test_the_side_bar_has_what_one_may_open_and_nothing_else(browse, clerk, victor, alice):
    assert titles(browse(clerk)) == ["Dashboard", "Owners"]
    assert "Request a certificate" not in titles(browse(victor))
    assert "Request a certificate" in titles(browse(alice))


def test_agents_are_there_once_there_is_one_or_one_may_be_registered(browse, victor, carol):
    assert "Agents" not in titles(browse(victor))
    assert ("Agents" in titles(browse(carol))) is carol.has_perm("deployments.add_agent")

    navigation.Agent.objects.create(name="edge-1")

    assert "Agents" in titles(browse(victor))


def test_no_page_is_there_twice_or_leads_nowhere(browse, carol):
    browser = browse(carol)
    groups = browser.get("/admin/").context["sidebar_navigation"]
    items = [item for group in groups for item in group["items"]]

    assert len({item["title"] for item in items}) == len(items)
    for item in items:
        assert browser.get(item["link"]).status_code == 200
    assert Job.objects.count() == 0


# --- what lists and rows are called ---------------------------------------------------------------


def test_a_host_is_written_as_it_is_and_no_crumb_is_there_twice(browse, carol):
    certificate = CertificateFactory(name="www.example.com", owner=OwnerFactory(name="platform"))
    version = VersionFactory(certificate=certificate)
    JobFactory(certificate=certificate)
    browser = browse(carol)

    for path in (
        f"certificates/certificate/{certificate.pk}/change/",
        f"certificates/certificate/{certificate.pk}/archive/",
        f"certificates/version/{version.pk}/change/",
        f"owners/owner/{certificate.owner_id}/change/",
        f"owners/owner/{certificate.owner_id}/delete/",
        "jobs/job/",
    ):
        answer = browser.get(f"/admin/{path}")
        page = answer.content.decode()
        assert "Www.example.com" not in page, path
        assert "Platform" not in page, path
        crumbs = page.partition("<h1")[2].partition("</h1>")[0]
        assert crumbs.count(">Certificates<") + crumbs.count("> Certificates <") <= 1, path


def test_lists_are_called_what_they_list(browse, carol):
    browser = browse(carol)
    groups = browser.get("/admin/").context["sidebar_navigation"]

    for item in [item for group in groups for item in group["items"]][1:]:
        page = browser.get(item["link"]).content.decode()
        assert "<title>" in page
        assert "Select " not in page.partition("<title>")[2].partition("</title>")[0], item

"""A session that had ended by the time a form was sent, in a real Chromium: nothing typed is lost.

Carol and dave administer, and bob operates; each at the same browser, in the same tab.
"""

import os

import pytest
from django.contrib.sessions.models import Session

from jobs import services
from jobs.models import Job
from jobs.states import Status
from owners.models import Principal, Team
from owners.roles import Role
from tests.fixtures import person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.looks, pytest.mark.takes(30)]
PASSWORD = "correct horse battery staple"
TEAM = "owners/team/add/"


@pytest.fixture
def dave(db):
    return person("dave", Role.ADMIN)


@pytest.fixture
def awaiting(alice, owner, local_ca, profile, csr_for):
    """An issuance that alice asked for and that waits for a decision."""
    return services.request_issuance(
        actor=alice,
        owner=owner,
        issuer=local_ca,
        profile=profile,
        csr_pem=csr_for("web.demo.internal"),
    ).job


@pytest.fixture
def at(page, live_server, dave, bob):
    others = [dave, bob]

    def go(principal, path):
        for one in (principal, *others):
            one.set_password(PASSWORD)
            one.save()
        page.goto(f"{live_server.url}/admin/login/?next=/admin/{path}")
        sign_in(page, principal)
        page.wait_for_url(f"**/admin/{path}")
        return page

    return go


def sign_in(page, principal):
    page.fill("input[name=username]", principal.username)
    page.fill("input[name=password]", PASSWORD)
    page.click("#login-form button[type=submit]")


def end_sessions():
    Session.objects.all().delete()


def kept_in(page):
    return page.evaluate("JSON.stringify(sessionStorage)")


def press_too_late(page, name):
    end_sessions()
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_selector("text=so nothing was done")


def shoot(page, name):
    if folder := os.environ.get("CERTCTL_PICTURES"):
        page.wait_for_timeout(300)
        page.screenshot(path=f"{folder}/{name}.png")


def test_carol_finds_what_she_typed_and_presses_again(at, carol):
    page = at(carol, TEAM)
    page.fill("input[name=name]", "red <b>team</b>")
    page.select_option("#id_members_from", label="dave")
    page.click("#id_members_add, #id_members_add_link")
    press_too_late(page, "Save")

    page.wait_for_selector("text=is kept in this tab for half an hour")
    shoot(page, "ended")
    assert "red" not in kept_in(page)  # sealed: whoever sits there now cannot read it
    sign_in(page, carol)
    page.wait_for_selector("text=look it over, then press the button")
    shoot(page, "filled")

    assert page.input_value("input[name=name]") == "red <b>team</b>"
    assert not Team.objects.exists()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/admin/owners/team/")
    team = Team.objects.get()
    assert (team.name, [one.username for one in team.members.all()]) == (
        "red <b>team</b>",
        ["dave"],
    )
    assert kept_in(page) == "{}"


def test_whoever_signs_in_next_gets_nothing_of_it(at, carol, bob):
    page = at(carol, TEAM)
    page.fill("input[name=name]", "carol's own")
    press_too_late(page, "Save")
    sign_in(page, bob)
    page.wait_for_selector("text=You may not do this")  # bob makes no teams

    page.goto(page.url.partition("/admin/")[0] + "/admin/")
    page.wait_for_function("sessionStorage.length === 0")
    assert not Team.objects.exists()


def test_another_administrator_finds_an_empty_form(at, carol, dave):
    page = at(carol, TEAM)
    page.fill("input[name=name]", "carol's own")
    press_too_late(page, "Save")
    sign_in(page, dave)
    page.wait_for_url(f"**/admin/{TEAM}")
    page.wait_for_function("sessionStorage.length === 0")

    assert page.input_value("input[name=name]") == ""
    assert not page.locator(".typed-notice").count()


def test_a_password_is_never_kept_and_is_asked_for_again(at, carol):
    page = at(carol, "owners/principal/add/")
    page.fill("input[name=username]", "erin")
    passwords = page.locator("input[type=password]")
    assert passwords.count()
    for place in range(passwords.count()):
        passwords.nth(place).fill("erin's secret password")
    press_too_late(page, "Save")
    sign_in(page, carol)
    page.wait_for_selector("text=look it over, then press the button")

    assert page.input_value("input[name=username]") == "erin"
    assert [one.input_value() for one in passwords.all()] == [""] * passwords.count()
    assert "Not kept, and asked for again: " in page.inner_text(".typed-notice")
    assert not Principal.objects.filter(username="erin").exists()


def test_bobs_reason_waits_for_the_page_after_the_list(at, bob, awaiting):
    page = at(bob, "jobs/job/")
    page.check(f"input.action-select[value='{awaiting.pk}']")
    page.select_option("select[name=action]", "reject")
    page.click("button[name=index]")
    page.get_by_label("Reason").fill("the name is another team's")
    press_too_late(page, "Reject")
    sign_in(page, bob)
    page.wait_for_selector("text=The rows are chosen again")

    assert page.is_checked(f"input.action-select[value='{awaiting.pk}']")
    assert page.input_value("select[name=action]") == "reject"
    page.click("button[name=index]")
    page.wait_for_selector("text=look it over, then press the button")
    assert page.input_value("textarea[name=reason], input[name=reason]") == (
        "the name is another team's"
    )
    assert Job.objects.get().status == Status.AWAITING_APPROVAL
    page.get_by_role("button", name="Reject", exact=True).click()
    page.wait_for_selector("text=Rejected: Issuance of web.demo.internal.")
    assert Job.objects.get().decision_reason == "the name is another team's"


def test_a_form_from_before_another_sign_in_leads_back_to_what_was_typed(at, carol):
    page = at(carol, TEAM)
    page.fill("input[name=name]", "red")
    page.evaluate(
        """document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((one) => {
          one.value = "x".repeat(64);
        })"""
    )
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector("text=This page was out of date")
    shoot(page, "stale")
    page.get_by_role("link", name="Back to the page").click()
    page.wait_for_selector("text=look it over, then press the button")

    assert page.input_value("input[name=name]") == "red"
    assert not Team.objects.exists()


def test_what_is_too_long_is_said_not_to_be_kept(at, carol):
    page = at(carol, TEAM)
    page.evaluate("document.querySelector('input[name=name]').removeAttribute('maxlength')")
    page.fill("input[name=name]", "x" * 300_000)
    press_too_late(page, "Save")
    page.wait_for_selector("text=could not be kept")

    assert len(kept_in(page)) < 300


def test_after_half_an_hour_it_is_gone(at, carol):
    page = at(carol, TEAM)
    page.fill("input[name=name]", "red")
    press_too_late(page, "Save")
    page.wait_for_selector("text=is kept in this tab")
    page.evaluate(
        """() => {
          const kept = JSON.parse(sessionStorage.getItem("certctl.typed.lost"));
          kept.at -= 31 * 60 * 1000;
          sessionStorage.setItem("certctl.typed.lost", JSON.stringify(kept));
        }"""
    )
    sign_in(page, carol)
    page.wait_for_url(f"**/admin/{TEAM}")
    page.wait_for_function("sessionStorage.length === 0")

    assert page.input_value("input[name=name]") == ""


def test_what_arrived_is_kept_nowhere(at, carol):
    page = at(carol, TEAM)
    page.fill("input[name=name]", "red")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/admin/owners/team/")

    page.wait_for_function("sessionStorage.length === 0")

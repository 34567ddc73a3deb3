"""The inbox in a real Chromium, wide and narrow: alice asks, bob decides, victor reads."""

import pytest

from jobs.models import Job
from tests.jobs.conftest import status_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.looks,
    pytest.mark.usefixtures("only_wildcards"),
]
PASSWORD = "correct horse battery staple"
SIZES = {"wide": (1440, 900), "narrow": (380, 800)}


@pytest.fixture
def three(ask, profile):
    return [ask(profile, f"{name}.demo.internal", justification="It moves.") for name in "abc"]


@pytest.fixture(params=SIZES)
def at(page, live_server, request):
    """Sign in and open a page: `at(bob, "/admin/jobs/inbox/")`, in each width."""
    width, height = SIZES[request.param]
    page.set_viewport_size({"width": width, "height": height})

    def go(principal, path="/admin/jobs/inbox/"):
        principal.set_password(PASSWORD)
        principal.save()
        page.goto(f"{live_server.url}/admin/login/?next={path}")
        page.fill("input[name=username]", principal.username)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(f"**{path}")
        return page

    return go


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_bob_approves_what_he_ticked_and_is_told_of_each(at, bob, three, wild):
    page = at(bob)
    page.get_by_role("heading", name="a.demo.internal").wait_for()
    assert fits(page)
    assert page.get_by_role("checkbox", name="Tick").count() == 3  # not the wildcard
    page.get_by_role("checkbox", name="a.demo.internal").check()
    page.get_by_role("checkbox", name="b.demo.internal").check()
    page.get_by_role("button", name="Approve ticked…").click()

    page.locator(".decide-intro").get_by_role("heading", name="Approve 2 requests?").wait_for()
    assert page.locator("code[title^='SHA-256']").count() == 2
    assert fits(page)
    page.get_by_label("Reason").fill("as agreed")
    page.get_by_role("button", name="Approve 2").click()

    page.locator(".decide-intro").get_by_role("heading", name="Approved: 2").wait_for()
    assert fits(page)
    assert [status_of(job) for job in three] == ["Pending", "Pending", "AwaitingApproval"]
    page.get_by_role("link", name="To the inbox").click()
    page.get_by_role("heading", name="c.demo.internal").wait_for()


def test_bob_rejects_what_he_ticked_with_one_reason(at, bob, three):
    page = at(bob)
    page.get_by_role("checkbox", name="c.demo.internal").check()
    page.get_by_role("button", name="Reject ticked…").click()
    page.locator(".decide-intro").get_by_role("heading", name="Reject 1 request?").wait_for()

    page.get_by_label("Reason").fill("wrong name")
    page.get_by_role("button", name="Reject 1").click()
    page.locator(".decide-intro").get_by_role("heading", name="Rejected: 1").wait_for()

    assert Job.objects.get(pk=three[2].pk).decision_reason == "wrong name"


def test_what_changed_meanwhile_is_left_as_it_is_and_says_so(at, bob, three):
    page = at(bob)
    for name in ("a", "b"):
        page.get_by_role("checkbox", name=f"{name}.demo.internal").check()
    page.get_by_role("button", name="Approve ticked…").click()
    page.locator(".decide-intro").get_by_role("heading", name="Approve 2 requests?").wait_for()
    type(three[0].certificate).objects.filter(pk=three[0].certificate_id).update(
        sans=["dns:z.demo.internal"]
    )

    page.get_by_role("button", name="Approve 2").click()

    page.locator(".decide-intro").get_by_role(
        "heading", name="Approved: 1, left as it is: 1"
    ).wait_for()
    assert page.get_by_text("has changed since it was shown").count() == 1
    assert [status_of(job) for job in three[:2]] == ["AwaitingApproval", "Pending"]


def test_alice_finds_what_is_hers_and_no_button_to_decide(at, alice, three):
    page = at(alice)
    page.get_by_role("heading", name="Nothing waits for you").wait_for()

    page.get_by_role("link", name="Mine, waiting for others").click()
    page.get_by_role("heading", name="a.demo.internal").wait_for()

    assert page.get_by_role("button", name="Approve ticked…").count() == 0
    assert page.get_by_role("checkbox", name="Tick").count() == 0
    assert fits(page)


def test_victor_has_no_way_to_it(at, victor, three):
    page = at(victor, "/admin/")
    page.wait_for_selector("main")
    assert page.locator('a[href="/admin/jobs/inbox/"]').count() == 0

    answer = page.goto(page.url.replace("/admin/", "/admin/jobs/inbox/"))
    assert answer.status == 403


# --- Single keys -------------------------------------------------------------------------------


def here(page):
    return page.locator(".inbox-row.is-here h2").text_content().strip()


def test_keys_move_and_open_and_none_decides(at, bob, three):
    page = at(bob)
    page.wait_for_selector("[data-inbox-keys]:not([hidden])")
    page.keyboard.press("j")
    page.wait_for_selector(".inbox-row.is-here")
    assert here(page) == "a.demo.internal"
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")  # there is none behind the last
    assert here(page) == "c.demo.internal"
    page.keyboard.press("k")
    assert here(page) == "b.demo.internal"
    for key in "aryxAR":
        page.keyboard.press(key)

    page.keyboard.press("o")
    page.wait_for_url(f"**/admin/jobs/job/{three[1].pk}/**")
    assert {status_of(job) for job in three} == {"AwaitingApproval"}


def test_enter_opens_the_row_that_the_keys_are_at(at, bob, three):
    page = at(bob)
    page.wait_for_selector("[data-inbox-keys]:not([hidden])")
    page.keyboard.press("j")
    page.wait_for_selector(".inbox-row.is-here")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/admin/jobs/job/{three[0].pk}/**")


def test_keys_that_are_switched_off_stay_so(at, bob, three):
    page = at(bob)
    page.get_by_label("Single keys").uncheck()
    page.keyboard.press("Tab")
    page.keyboard.press("j")
    page.reload()
    page.wait_for_selector("[data-inbox-keys]:not([hidden])")

    assert not page.get_by_label("Single keys").is_checked()
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_timeout(200)
    assert page.locator(".inbox-row.is-here").count() == 0
    assert page.url.endswith("/admin/jobs/inbox/")


def test_keys_are_silent_where_something_is_typed_or_chosen(at, bob, three):
    page = at(bob)
    page.wait_for_selector("[data-inbox-keys]:not([hidden])")
    page.get_by_role("checkbox", name="Tick Issuance of b.demo.internal").focus()
    page.keyboard.press("o")
    page.wait_for_timeout(200)
    assert page.url.endswith("/admin/jobs/inbox/")

"""What bob sees in the first screen before he decides on what alice asks for, and his keys."""

import os

import pytest
from playwright.sync_api import expect

from jobs.models import Job
from jobs.states import Status

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.looks]
PASSWORD = "correct horse battery staple"
SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 380, "height": 800}}


@pytest.fixture
def opened(page, live_server):
    """Open the page of a job: `opened(actor, job, size)`."""

    def go(principal, job, size=SIZES["desk"]):
        principal.set_password(PASSWORD)
        principal.save()
        page.set_viewport_size(size)
        path = f"/admin/jobs/job/{job.pk}/decide/"
        page.goto(f"{live_server.url}/admin/login/?next={path}")
        page.fill("input[name=username]", principal.username)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(f"**{path}")
        page.wait_for_selector("[data-decide]")
        return page

    return go


def shoot(page, name):
    """Keep a picture in each theme where one is asked for."""
    if folder := os.environ.get("CERTCTL_PICTURES"):
        for theme in ("light", "dark"):
            page.evaluate(
                "t => document.documentElement.classList.toggle('dark', t == 'dark')", theme
            )
            page.wait_for_timeout(300)
            page.screenshot(path=f"{folder}/{name}-{theme}.png")


def is_in_sight(page, selector):
    """Whether an element lies whole within the first screen, and nothing covers its middle."""
    return page.locator(selector).first.evaluate(
        """one => {
            const box = one.getBoundingClientRect();
            const across = (box.left + box.right) / 2, down = (box.top + box.bottom) / 2;
            const top = document.elementFromPoint(across, down);
            return box.top >= 0 && box.left >= 0 && box.height > 0
                && box.bottom <= innerHeight && box.right <= innerWidth
                && (one.contains(top) || top.contains(one));
        }"""
    )


SEEN = (
    "h1:has-text('of')",
    "[data-flag=wildcard]",
    "[data-flag=many_names]",
    "[data-flag=first_of_requester]",
    "[data-shown=who]",
    "[data-shown=why]",
    "[data-shown=where]",
    "[data-shown=until]",
    "[data-shown=what]",
    "button:has-text('Approve')",
    "button:has-text('Reject')",
    ".dp-digest code",
)


@pytest.mark.parametrize("size", SIZES)
def test_bob_answers_from_the_first_screen(opened, ask, profile, bob, size):
    profile.allow_wildcards, profile.max_sans = True, 300
    profile.save()
    names = ["*.demo.internal", *(f"{number}.demo.internal" for number in range(199))]
    job = ask(profile, *names, name="many", justification="The shop moves on Friday.")

    page = opened(bob, job, SIZES[size])

    shoot(page, f"many-{size}")
    assert [one for one in SEEN if not is_in_sight(page, one)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]


@pytest.mark.parametrize("size", SIZES)
def test_alice_sees_who_may_instead_of_buttons(opened, awaiting, alice, size):
    page = opened(alice, awaiting, SIZES[size])

    shoot(page, f"not-mine-{size}")
    assert page.locator(".dp button").count() == 0
    assert is_in_sight(page, ".dp-nobody a")
    page.click(".dp-nobody a")
    page.wait_for_url("**/deciders/")
    expect(page.get_by_role("heading", name="Who may decide")).to_be_visible()
    shoot(page, f"deciders-{size}")


@pytest.mark.parametrize("size", SIZES)
def test_bob_decides_on_one_page_and_is_led_to_the_next(opened, ask, profile, bob, size):
    first, second = ask(profile, "a.demo.internal"), ask(profile, "b.demo.internal")
    page = opened(bob, first, SIZES[size])
    shoot(page, f"plain-{size}")

    page.get_by_label("Reason").fill("wrong name")
    page.get_by_role("button", name="Reject").click()
    page.wait_for_url(f"**/{second.pk}/decide/")

    assert Job.objects.get(pk=first.pk).status == Status.CANCELLED
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved: Issuance of b.demo.internal.")).to_be_visible()
    assert Job.objects.get(pk=second.pk).status == Status.PENDING


def test_keys_move_and_none_decides(opened, ask, profile, bob):
    jobs = [ask(profile, f"{number}.demo.internal") for number in range(3)]
    page = opened(bob, jobs[0])

    page.keyboard.press("n")
    page.wait_for_url(f"**/{jobs[1].pk}/decide/")
    page.keyboard.press("p")
    page.wait_for_url(f"**/{jobs[0].pk}/decide/")
    for key in "abcdefghjklmoqrstuvwxyz":
        page.keyboard.press(key)
    assert {job.status for job in Job.objects.all()} == {Status.AWAITING_APPROVAL}

    page.get_by_label("Reason").press("Enter")
    page.wait_for_timeout(300)
    assert {job.status for job in Job.objects.all()} == {Status.AWAITING_APPROVAL}

    page.uncheck("[data-keys]")
    page.reload()
    page.keyboard.press("n")
    page.wait_for_timeout(300)
    assert str(jobs[0].pk) in page.url

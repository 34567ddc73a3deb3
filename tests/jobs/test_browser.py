"""Approve and reject in a real Chromium."""

import pytest

from jobs.models import Job
from jobs.states import Status

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery staple"


@pytest.fixture
def signed_in(page, live_server):
    """Sign in as a person, through the form."""

    def go(principal):
        principal.set_password(PASSWORD)
        principal.save()
        page.goto(f"{live_server.url}/admin/login/?next=/admin/jobs/job/")
        page.fill("input[name=username]", principal.username)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/jobs/job/")
        return page

    return go


def test_bob_approves_on_the_list(signed_in, awaiting, bob):
    page = signed_in(bob)
    page.check(f"input.action-select[value='{awaiting.pk}']")
    page.select_option("select[name=action]", "approve")
    page.click("button[name=index]")
    page.wait_for_selector("text=Issuance of web.demo.internal")
    assert page.locator("dd", has_text="dns:web.demo.internal").count()
    assert page.locator("dd", has_text="47 days").count()

    page.get_by_label("Reason").fill("looks fine")
    page.get_by_role("button", name="Approve").click()
    page.wait_for_selector("text=Approved: Issuance of web.demo.internal.")

    job = Job.objects.get(pk=awaiting.pk)
    assert (job.status, job.decided_by, job.decision_reason) == (Status.PENDING, bob, "looks fine")


def test_bob_rejects_on_the_job_page(signed_in, awaiting, bob, live_server):
    page = signed_in(bob)
    page.goto(f"{live_server.url}/admin/jobs/job/{awaiting.pk}/change/")
    page.get_by_role("link", name="Reject…").click()
    # Without a reason the browser itself holds it back.
    page.get_by_role("button", name="Reject").click()
    assert Job.objects.get(pk=awaiting.pk).status == Status.AWAITING_APPROVAL

    page.get_by_label("Reason").fill("wrong name")
    page.get_by_role("button", name="Reject").click()
    page.wait_for_selector("text=Rejected: Issuance of web.demo.internal.")

    job = Job.objects.get(pk=awaiting.pk)
    assert (job.status, job.decision_reason) == (Status.CANCELLED, "wrong name")


def test_alice_is_told_that_somebody_else_must_approve(signed_in, awaiting, alice, live_server):
    page = signed_in(alice)
    page.goto(f"{live_server.url}/admin/jobs/job/{awaiting.pk}/approve/")

    page.get_by_role("button", name="Approve").click()
    page.wait_for_selector("text=somebody else must approve it")

    assert Job.objects.get(pk=awaiting.pk).status == Status.AWAITING_APPROVAL


def test_the_page_fits_a_phone_and_names_its_fields(signed_in, awaiting, bob, live_server):
    page = signed_in(bob)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{live_server.url}/admin/jobs/job/{awaiting.pk}/approve/")

    widest = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.decide-form *')]"
        ".map(element => element.getBoundingClientRect().right))"
    )

    assert widest <= 390
    assert page.get_by_label("Reason").is_visible()
    assert page.get_by_role("button", name="Approve").is_visible()

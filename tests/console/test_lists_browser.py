"""Lists in a real Chromium, at a desk and on a phone.

Carol administers.
"""

import pytest

from certificates.models import Certificate
from tests.console.conftest import fill

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.looks]
PASSWORD = "correct horse battery staple"
LIST = "/admin/certificates/certificate/"
SIZES = {"desk": (1440, 900), "phone": (380, 800)}


@pytest.fixture
def signed_in(page, live_server, carol):
    """Sign carol in, with a window of that size."""

    def go(size):
        carol.set_password(PASSWORD)
        carol.save()
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{live_server.url}/admin/login/?next={LIST}")
        page.fill("input[name=username]", carol.username)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(f"**{LIST}")
        return page

    return go


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("size", SIZES)
def test_carol_narrows_the_list_and_acts_on_what_she_chose(signed_in, size):
    fill(2000)
    page = signed_in(size)
    assert fits(page)
    if size == "phone":
        page.locator("label.list-show").click()
    page.locator("summary", has_text="Status").click()
    page.get_by_label("Expiring").check()
    page.locator("details[open] button").click()
    page.wait_for_url("**status=Expiring**")
    assert fits(page)
    assert page.locator(".list-count").inner_text() == "400 certificates"

    page.locator("input.action-select").first.check()
    assert page.locator(".action-counter").inner_text() == "1 of 50 selected"
    page.select_option("select[name=action]", "change_tags")
    assert page.get_by_role("button", name="Go on").is_visible()
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Tags to add").fill("seen")
    page.get_by_role("button", name="Change the tags").click()
    page.wait_for_selector("text=1 done")
    assert fits(page)

    assert Certificate.objects.filter(tags__icontains='"seen"').count() == 1


def test_on_a_phone_rows_are_cards_that_say_what_each_cell_is(signed_in):
    fill(3)
    page = signed_in("phone")

    said = page.locator("td.field-owner").first.evaluate(
        "cell => getComputedStyle(cell, '::before').content"
    )

    assert said == '"Owner"'
    assert not page.locator("#result_list thead").is_visible()
    assert page.locator(".addlink").is_visible()


def test_an_empty_list_fits_a_phone(signed_in):
    assert fits(signed_in("phone"))


def test_without_a_script_the_list_is_narrowed_all_the_same(browser, live_server, signed_in):
    fill(20)
    page = signed_in("desk")
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(page.context.cookies())
    bare = plain.new_page()
    bare.goto(f"{live_server.url}{LIST}")

    bare.locator("summary", has_text="Environment").click()
    bare.locator("details[open] input[type=text]").fill("test")
    bare.locator("details[open] button").click()

    assert "environment=test" in bare.url
    assert bare.locator(".list-count").inner_text() == "10 certificates"
    plain.close()

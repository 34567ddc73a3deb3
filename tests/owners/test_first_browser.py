"""The page of the first administrator in a real Chromium, with a script and without one.

Dora has the link; eve has none.
"""

import pytest

from audit.via import Door, Via
from owners import accounts
from owners.models import FirstLink, Principal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.looks]
PAGE = "/admin/first-administrator/"
PASSWORD = "correct horse battery"


@pytest.fixture
def link(system, live_server):
    system.via = Via(door=Door.CLI)
    return f"{live_server.url}{PAGE}#{accounts.invite_first_administrator(actor=system)}"


def fill(page, password=PASSWORD):
    page.get_by_label("Your name here").fill("dora")
    page.locator("#id_password").fill(password)
    page.locator("#id_again").fill(password)
    page.get_by_role("button", name="Make me the administrator").click()


def test_the_token_leaves_the_address_bar_and_outlives_a_weak_password(page, link):
    page.goto(link)
    page.get_by_label("Your name here").wait_for()
    assert page.url.endswith(PAGE)
    assert page.evaluate("location.hash") == ""

    fill(page, "short")
    page.wait_for_selector("text=This password is too short")
    fill(page)
    page.wait_for_url("**/admin/first-steps/")

    assert [one.username for one in Principal.objects.administrators()] == ["dora"]


def test_eve_has_no_token_and_no_form(page, link):
    page.goto(link.partition("#")[0])

    page.wait_for_selector("text=There is no token in this address")
    assert page.get_by_role("button", name="Make me the administrator").is_hidden()


def test_a_link_that_is_opened_where_the_page_stands_already_is_taken(page, link):
    page.goto(link.partition("#")[0])
    page.wait_for_selector("text=There is no token in this address")

    page.goto(link)  # the same page but for its #: nothing is loaded

    page.get_by_label("Your name here").wait_for()


def test_eve_with_a_wrong_token_is_told_what_to_do(page, link):
    page.goto(f"{link[:-4]}xxxx")
    fill(page)

    page.wait_for_selector("text=This link lets nobody in")
    assert page.get_by_text("manage.py createsuperuser").is_visible()
    assert not Principal.objects.administrators().exists()


def test_a_link_that_ended_while_dora_thought_of_a_password(page, link):
    page.goto(link)
    link = FirstLink.objects.get()
    link.expires_at -= accounts.LINK_LIVES
    link.save()
    fill(page)

    page.wait_for_selector("text=Start certctl again for a new one")


def test_without_a_script_the_page_says_what_to_type(browser, link):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(link)

    # The theme hides its pages until its own script has run.
    said = page.locator("noscript").last  # texts in it are not looked for by their words
    assert said.locator("p").first.is_visible()
    assert said.locator("pre").is_visible()
    assert "createsuperuser" in said.locator("pre").text_content()
    assert page.locator("#first-form").is_hidden()
    context.close()


@pytest.mark.parametrize("width", [1440, 380])
def test_it_fits_and_nothing_on_it_is_refused_by_its_own_policy(page, link, width):
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(link)
    page.get_by_label("Your name here").wait_for()

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not [text for text in said if "Content Security Policy" in text]

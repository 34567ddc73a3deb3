"""The search's box and the side bar in a real Chromium, by keyboard alone.

Alice asks for certificates; carol administers; victor only reads.
"""

import os

import pytest

from tests.factories import CertificateFactory, JobFactory, OwnerFactory, VersionFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.looks]
PASSWORD = "correct horse battery staple"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 380, "height": 800}


@pytest.fixture
def signed_in(page, live_server):
    def go(principal, path="", size=DESK):
        principal.set_password(PASSWORD)
        principal.save()
        page.set_viewport_size(size)
        page.goto(f"{live_server.url}/admin/login/?next=/admin/{path}")
        page.fill("input[name=username]", principal.username)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(f"**/admin/{path}")
        return page

    return go


@pytest.fixture
def things():
    owner = OwnerFactory(name="shop team")
    certificate = CertificateFactory(
        name="shop.demo.internal",
        sans=["dns:shop.demo.internal", "dns:www.shop.example", "dns:till.shop.example"],
        owner=owner,
    )
    VersionFactory(certificate=certificate, serial="abcdef0123456789")
    for number in range(6):
        CertificateFactory(name=f"shop-{number}.demo.internal", owner=owner)
    JobFactory(certificate=certificate)
    return certificate


def shoot(page, name):
    """Keep a picture where one is asked for."""
    if folder := os.environ.get("CERTCTL_PICTURES"):
        page.wait_for_timeout(300)
        page.screenshot(path=f"{folder}/{name}.png")


@pytest.mark.parametrize("who", ["victor", "bob", "carol"])
def test_the_keyboard_alone_finds_and_opens(signed_in, things, request, who):
    page = signed_in(request.getfixturevalue(who))

    page.keyboard.press("Control+k")
    page.keyboard.type("shop")
    page.wait_for_selector(".find-list [role=option]")
    shoot(page, f"box-{who}")
    box = page.get_by_role("combobox", name="Search everything")
    assert box.get_attribute("aria-expanded") == "true"
    first = box.get_attribute("aria-activedescendant")
    page.keyboard.press("ArrowDown")
    second = box.get_attribute("aria-activedescendant")
    page.keyboard.press("ArrowUp")
    assert (first, box.get_attribute("aria-activedescendant")) == ("find-option-0", first)
    assert second == "find-option-1"
    chosen = page.locator("[role=option][aria-selected=true]")
    assert chosen.count() == 1
    address = chosen.get_attribute("href")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{address}")


def test_escape_closes_and_enter_with_nothing_chosen_is_a_page(signed_in, things, victor):
    page = signed_in(victor)
    page.keyboard.press("Control+k")
    page.keyboard.type("shop")
    page.wait_for_selector(".find-list [role=option]")
    page.keyboard.press("Escape")
    assert page.locator(".find-list").is_hidden()
    page.keyboard.press("Enter")

    page.wait_for_url("**/admin/search/?q=shop")
    assert page.locator(".find-group h2", has_text="Certificates").is_visible()
    shoot(page, "page-desk")


def test_a_serial_with_colons_is_found_from_any_page(signed_in, things, victor):
    page = signed_in(victor, "jobs/job/")
    page.keyboard.press("Control+k")
    page.keyboard.type("AB:CD:EF:01:23:45:67:89")

    page.wait_for_selector(".find-list >> text=Serial abcdef0123456789")


def test_nothing_found_says_so_to_those_who_hear_it_too(signed_in, things, victor):
    page = signed_in(victor)
    page.keyboard.press("Control+k")
    page.keyboard.type("no such thing")

    page.wait_for_selector("[data-find-said] >> text=Nothing found.", state="attached")
    assert page.locator(".find-list >> text=Nothing found for").is_visible()
    shoot(page, "box-none")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_has_a_page_for_it_without_sideways_scrolling(signed_in, things, victor, scheme):
    page = signed_in(victor, size=PHONE)
    page.emulate_media(color_scheme=scheme)
    page.get_by_role("link", name="Search everything").click()
    page.get_by_label("Search everything that you may see").fill("shop")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/search/?q=shop")

    assert page.locator(".find-group .find-row").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    shoot(page, f"page-phone-{scheme}")


def test_without_scripts_it_is_a_form_and_a_page(browser, live_server, browse, things, victor):
    session = browse(victor).cookies["sessionid"].value
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/search/")
    page.fill("#find-page-q", "shop")
    page.press("#find-page-q", "Enter")
    page.wait_for_selector(".find-group .find-row")

    assert page.locator(".find-group .find-row").count() > 3
    context.close()


@pytest.mark.parametrize("who", ["victor", "alice", "bob", "carol"])
@pytest.mark.parametrize("path", ["", "audit/event/", "owners/owner/", "enrollment/label/"])
def test_the_side_bar_is_whole_at_900_pixels(signed_in, request, who, path):
    page = signed_in(request.getfixturevalue(who), path)

    shoot(page, f"side-{who}-{path.partition('/')[0] or 'front'}")
    inner, outer = page.evaluate(
        "(list => [list.querySelector('.simplebar-content').scrollHeight, list.clientHeight])"
        "(document.getElementById('nav-sidebar-apps'))"
    )
    assert inner <= outer

"""From the link that `serve` prints, on an empty database, to the first issued certificate.

Dora has the link and becomes the administrator; she makes bob, who decides on what she asks for.
All of it in a real Chromium against the server as it is run, at a desk and on a phone.
"""

import subprocess
import sys

import pytest

from tests.certctl.test_embedded import ROOT
from tests.certctl.test_printed_commands import clean, free_port

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 380, "height": 800}
PASSWORD = "correct horse battery"
NAME = "web.example.com"


@pytest.fixture
def serve(tmp_path):
    """Start the server on the folder of this test, as often as asked; give what it printed."""
    running = []

    def start():
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(free_port())],
            cwd=tmp_path,
            env=clean(CERTCTL_VAR_DIR="data"),
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(server)
        lines = []
        for line in server.stdout:
            lines.append(line.strip())
            if "Ctrl-C ends it" in line:
                return lines
        raise AssertionError(lines)

    def stop():
        for server in running:
            server.terminate()
            server.communicate(timeout=30)
        running.clear()

    yield type("Serve", (), {"start": staticmethod(start), "stop": staticmethod(stop)})
    stop()


def link_of(lines):
    return next(line for line in lines if "#" in line)


def become_the_administrator(page, link):
    page.goto(link)
    page.get_by_label("Your name here").fill("dora")
    page.get_by_label("E-mail").fill("dora@people.example")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_again").fill(PASSWORD)
    page.get_by_role("button", name="Make me the administrator").click()
    page.wait_for_url("**/admin/first-steps/")


def state_of(page, key):
    return page.locator(f"#step-{key} .first-state").inner_text()


def next_step(page, base):
    page.goto(f"{base}/admin/first-steps/")
    return page.locator("[aria-current=step]").get_attribute("id")


def saved(page):
    page.locator("[name=_save]").click()
    page.wait_for_selector("text=was added successfully")


@pytest.mark.takes(60)
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_from_the_printed_link_to_the_first_certificate(serve, browser, size, tmp_path):
    context = browser.new_context(viewport=size, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(15_000)
    page = context.new_page()
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    link = link_of(serve.start())
    base, token = link.partition("/admin/")[0], link.partition("#")[2]

    become_the_administrator(page, link)
    assert not any(token in url.partition("#")[0] for url in sent)
    assert token not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.locator("#step-address").get_by_text("leads every relying party").is_visible()

    set_up(page, base)
    ask(page, base)
    decided_by_bob(browser, base, size)

    for _ in range(60):
        if next_step(page, base) == "step-target":
            break
        page.wait_for_timeout(500)
    assert [state_of(page, key) for key in ("ca", "profile", "people", "certificate")] == [
        "done"
    ] * 4
    assert page.locator("#step-target").get_by_text("CERTCTL_TARGET_ROOTS").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    context.close()
    assert not any(token in log.read_text() for log in (tmp_path / "data/logs").iterdir())


def set_up(page, base):
    """Make a CA, a profile, an owner and bob, each from its step."""
    assert next_step(page, base) == "step-ca"
    page.get_by_role("link", name="Make a CA").click()
    page.locator("#id_slug").fill("issuing")
    page.locator("#id_name").fill("Issuing")
    page.locator("#id_common_name").fill("Example Issuing CA")
    saved(page)

    assert next_step(page, base) == "step-profile"
    page.get_by_role("link", name="TLS server").click()
    page.locator("#id_allowed_sans").fill("dns:*.example.com")
    saved(page)

    assert next_step(page, base) == "step-people"
    page.get_by_role("link", name="Make an owner").click()
    page.locator("#id_name").fill("Web platform")
    saved(page)
    assert next_step(page, base) == "step-people"
    page.get_by_role("link", name="Add a person").click()
    page.locator("#id_username").fill("bob")
    page.locator("#id_role").select_option("operator")
    page.locator("#id_password").fill(PASSWORD)
    saved(page)


def ask(page, base):
    """Ask for the first certificate, its key made in the browser."""
    assert next_step(page, base) == "step-certificate"
    page.get_by_role("link", name="Request a certificate").last.click()
    page.get_by_label("Profile").select_option(label="tls-server")
    page.get_by_label("Issuer").select_option(label="issuing")
    page.locator("[data-field=owner] .select2-selection").click()
    page.locator(".select2-search__field").last.fill("web")
    page.locator(".select2-results__option", has_text="Web platform").click()
    page.get_by_label("Make the key in this browser").check()
    page.locator("#id_sans").fill(NAME)
    page.wait_for_selector("text=Somebody else decides on it")
    with page.expect_download():
        page.get_by_role("button", name="Save the key and request").click()
    page.wait_for_selector("text=An operator must decide")


def decided_by_bob(browser, base, size):
    context = browser.new_context(viewport=size, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(f"{base}/admin/login/?next=/admin/first-steps/")
    page.fill("input[name=username]", "bob")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    # Setting up is not his work; what waits is.
    page.wait_for_selector("#step-certificate")
    assert page.get_by_role("link", name="Make a target").count() == 0
    page.get_by_role("link", name="See what waits").click()
    page.wait_for_url("**/change/")
    page.goto(page.url.replace("/change/", "/approve/"))
    page.get_by_label("Reason").fill("the first one")
    page.get_by_role("button", name="Approve").click()
    page.wait_for_selector("text=Approved: ")
    context.close()


@pytest.mark.takes(40)
def test_the_link_twice_and_a_start_where_somebody_administers(serve, browser):
    link = link_of(serve.start())
    first, second = browser.new_context(), browser.new_context()
    become_the_administrator(first.new_page(), link)

    page = second.new_page()
    page.goto(link)
    page.wait_for_selector("text=There is an administrator already")
    assert page.locator("form").count() == 0
    for context in (first, second):
        context.close()

    serve.stop()
    assert not [line for line in serve.start() if "#" in line or "createsuperuser" in line]

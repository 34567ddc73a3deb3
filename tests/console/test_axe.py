"""Every page of the admin as axe sees it, in both themes, and whether it fits a phone.

Carol administers and sees every page; bob operates and victor reads, whose pages have less.
The pages are found in the map of addresses (tests/console/admin_pages.py).
"""

from importlib.resources import files

import pytest

from tests.certctl.conftest import rows  # noqa: F401 - pytest finds it here
from tests.console.admin_pages import (
    ROOM,
    addresses,
    groups,
    html_at,
    named_addresses,
    populate,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.looks, pytest.mark.takes(60)]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Each with why. Nothing else is left out.
DISABLED: dict[str, str] = {}
PHONE = {"width": 380, "height": 800}
DESK = {"width": 1440, "height": 900}
ASK = """
async ([options]) => {
  const seen = await axe.run(document, options);
  return seen.violations.map((one) => [
    one.id, one.impact, one.nodes.map((node) => node.html.slice(0, 160) + " @ "
      + node.target.join(" ") + " :: " + (node.any[0] || node.all[0] || node.none[0] || {}).message)
  ]);
}
"""
CALM = "*, *::before, *::after { animation: none !important; transition: none !important; }"
WIDEST = """
() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= window.innerWidth) return [];
  const inside = (one) => {
    for (let up = one.parentElement; up; up = up.parentElement) {
      if (["auto", "scroll", "hidden"].includes(getComputedStyle(up).overflowX)
          && up.getBoundingClientRect().right <= room + 1) return true;
    }
    return false;
  };
  const wide = [...document.body.querySelectorAll("*")].filter(
    (one) => one.getBoundingClientRect().right > room + 1 && !inside(one));
  return [`${document.documentElement.scrollWidth} px`,
          ...wide.slice(0, 4).map((one) => one.outerHTML.slice(0, 140))];
}
"""


class Looking:
    """One page in Chromium, and what is wrong with whatever it showed."""

    def __init__(self, page, live_server):
        self.page, self.base = page, live_server.url
        self.wrong = []

    def sign_in(self, client):
        cookie = client.cookies["sessionid"].value
        self.page.context.clear_cookies()
        self.page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": self.base}])

    def at(self, place):
        page = self.page
        page.set_viewport_size(DESK)
        page.goto(f"{self.base}{place}", wait_until="load")
        page.add_style_tag(content=CALM)
        rules = {one: {"enabled": False} for one in DISABLED}
        self._ask(place, "light", {"runOnly": TAGS, "rules": rules})
        page.evaluate("document.documentElement.classList.add('dark')")
        self._ask(place, "dark", {"runOnly": {"type": "rule", "values": ["color-contrast"]}})
        page.set_viewport_size(PHONE)
        wide = page.evaluate(WIDEST)
        if wide:
            self.wrong.append((place, "phone", "scrolls sideways", wide))

    def _ask(self, place, theme, options):
        for rule, impact, nodes in self.page.evaluate(ASK, [options]):
            self.wrong.append((place, theme, f"{rule} ({impact})", nodes[:4]))

    def check(self):
        lines = [
            f"{place} [{theme}] {rule}\n" + "\n".join(f"      {node}" for node in nodes)
            for place, theme, rule, nodes in self.wrong
        ]
        assert not lines, "\n" + "\n".join(lines)


@pytest.fixture
def looking(browser, live_server):
    """A page that axe may be put into; whether the policy for scripts holds is tested elsewhere."""
    context = browser.new_context(
        viewport=DESK, bypass_csp=True, color_scheme="light", locale="en-GB", timezone_id="UTC"
    )
    context.set_default_timeout(20_000)
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text()
    context.add_init_script(axe)
    yield Looking(context.new_page(), live_server)
    context.close()


@pytest.fixture
def full(request, carol, local_ca, system):
    """An installation with something on each page."""
    populate(carol, local_ca, request.getfixturevalue("rows"), system)


@pytest.mark.parametrize("group", groups())
def test_carol_finds_no_fault_on_any_page(group, looking, browse, carol, full):
    client = browse(carol)
    looking.sign_in(client)
    pages = 0

    for places in addresses(group):
        place = html_at(client, places)
        if place is not None:
            pages += 1
            looking.at(place)

    assert pages > 2 or group == "audit"
    looking.check()


# Addresses that show carol no page in the rows of `populate`, and are looked at elsewhere: why.
UNSEEN = {
    "certificates_certificate_check": "It answers the page of requests, to a POST, as JSON.",
    "certificates_version_download": "It answers a POST, with a file.",
    "deployments_agent_make_token": "It leads on to the form of a token.",
    "enrollment_credential_revoke_held": "Only of a blocked one: the page that a device has, too.",
    "jobs_job_next": "It leads on to the next job that waits.",
    "jobs_job_previous": "It leads on to the one before.",
    "login": "Whoever is signed in is led on; the door has a test of its own.",
}


def _is_no_page(answer):
    """Whether it is refused to whoever administers, or answers a script or with a file."""
    is_html = answer.headers.get("Content-Type", "").startswith("text/html")
    return answer.status_code == 403 or (answer.status_code == 200 and not is_html)


def test_every_address_of_the_admin_is_looked_at_or_said_why_not(browse, carol, full):
    client = browse(carol)
    unseen = sorted(
        name
        for group in groups()
        for name, places in named_addresses(group)
        if html_at(client, places) is None
        and not all(_is_no_page(client.get(place)) for place in places)
    )

    assert set(unseen) == set(UNSEEN), unseen


@pytest.mark.parametrize("person", ["bob", "victor"])
def test_those_who_may_less_find_none_either(person, request, looking, browse, full):
    client = browse(request.getfixturevalue(person))
    looking.sign_in(client)

    for group in (ROOM, "jobs", "certificates"):
        for places in addresses(group):
            if group == ROOM or places[0].endswith(("/change/", f"/{group[:-1]}/")):
                place = html_at(client, places)
                if place is not None:
                    looking.at(place)

    looking.check()


def test_nobody_finds_a_fault_at_the_door(looking):
    looking.at("/admin/login/")
    looking.at("/admin/login/?next=/admin/jobs/job/")
    looking.page.fill("input[name=username]", "nobody")
    looking.page.fill("input[name=password]", "wrong")
    looking.page.click("button[type=submit]")
    looking.page.wait_for_load_state("load")
    looking._ask("a wrong password", "light", {"runOnly": TAGS})

    looking.check()


def test_refusals_are_pages_like_others(looking, browse, victor, carol):
    for person, place, status in (
        (victor, "/admin/owners/principal/add/", 403),
        (victor, "/admin/jobs/job/add/", 403),
        (victor, "/admin/nothing/", 404),
        (carol, "/admin/nothing/", 404),
    ):
        client = browse(person)
        answer = client.get(place)
        assert (answer.status_code, 'class="cc-skip"' in answer.text) == (status, True), place
        looking.sign_in(client)
        looking.at(place)

    looking.check()


@pytest.mark.parametrize("is_bare", [False, True])
def test_a_page_that_breaks_is_one_too(looking, browse, carol, monkeypatch, is_bare):
    def fails(*args, **kwargs):
        raise ValueError

    monkeypatch.setattr("console.search_page.answer", fails)
    if is_bare:
        monkeypatch.setattr("django.contrib.admin.site.each_context", fails)
    client = browse(carol)
    client.raise_request_exception = False
    answer = client.get("/admin/search/")
    assert (answer.status_code, 'class="cc-skip"' in answer.text) == (500, not is_bare)
    looking.sign_in(client)
    looking.at("/admin/search/")

    looking.check()


def test_the_door_after_a_session_that_had_ended_is_one_too(looking, db):
    looking.at("/admin/login/?next=/admin/owners/team/add/&ended=1")

    looking.check()

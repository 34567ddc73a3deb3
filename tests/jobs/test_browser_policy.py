"""What a real Chromium makes of our pages: no error, and nothing that their policy forbids.

Carol administers and looks at everything; bob decides.
"""

import re
from html.parser import HTMLParser

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from console.site import theme
from deployments.models import Target
from foundation import csp

PASSWORD = "correct horse battery staple"
# Before any script of the page: what the policy forbids is told to the console as an error.
WATCH = """
addEventListener("securitypolicyviolation", event => console.error(
    `forbidden: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile || ""}`));
"""


@pytest.fixture
def watched(page):
    """A page, and the list of everything that went wrong on it."""
    wrong = []
    page.add_init_script(WATCH)
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on(
        "console",
        lambda said: (
            wrong.append(f"{page.url}: {said.text}") if said.type in {"error", "warning"} else None
        ),
    )
    page.on("requestfailed", lambda asked: wrong.append(f"{page.url}: {asked.url} failed"))
    return page, wrong


@pytest.fixture
def signed_in(watched, live_server):
    """Sign in through the form: `signed_in(carol)` gives the page and what went wrong."""
    page, wrong = watched

    def go(principal):
        principal.set_password(PASSWORD)
        principal.save()
        page.goto(f"{live_server.url}/admin/login/")
        page.fill("input[name=username]", principal.username)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/")
        return page, wrong

    return go


def look(page, address):
    page.goto(address)
    page.wait_for_load_state("networkidle")
    # The theme's scripts ran: what is hidden until they did is not hidden any more.
    assert page.evaluate("document.querySelectorAll('[x-cloak]').length") == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.takes(60)
def test_no_page_of_the_admin_throws_an_error_or_does_what_is_forbidden(
    signed_in, live_server, carol, awaiting, issued, local_ca
):
    target = Target.objects.create(name="web-1", kind=Target.Kind.FILE, config={"at": "web-1"})
    page, wrong = signed_in(carol)
    at = f"{live_server.url}/admin"
    for address in (
        "/",
        "/jobs/job/",
        f"/jobs/job/{awaiting.pk}/change/",
        f"/jobs/job/{awaiting.pk}/approve/",
        f"/jobs/job/{awaiting.pk}/reject/",
        f"/jobs/job/{awaiting.pk}/cancel/",
        "/certificates/certificate/",
        f"/certificates/certificate/{awaiting.certificate_id}/change/",
        f"/certificates/certificate/{issued.pk}/change/",
        f"/certificates/certificate/{issued.pk}/revoke/",
        f"/certificates/certificate/{issued.pk}/archive/",
        f"/deployments/target/{target.pk}/delete/",
        "/issuers/issuer/",
        f"/issuers/issuer/{local_ca.pk}/change/",
        "/issuers/issuer/add/",
        "/issuers/profile/add/",
        "/deployments/target/",
        "/deployments/target/add/",
        "/owners/principal/",
        "/owners/principal/add/",
        "/owners/owner/add/",
        "/owners/apikey/add/",
        "/audit/event/",
        "/audit/event/?q=job",
        "/password_change/",
    ):
        look(page, f"{at}{address}")

    assert wrong == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.takes(30)
def test_bob_decides_without_an_error_on_any_page_on_the_way(signed_in, live_server, bob, awaiting):
    page, wrong = signed_in(bob)
    page.goto(f"{live_server.url}/admin/jobs/job/")
    page.check(f"input.action-select[value='{awaiting.pk}']")
    page.select_option("select[name=action]", "approve")
    page.click("button[name=index]")
    page.wait_for_selector("text=Issuance of web.demo.internal")
    page.get_by_label("Reason").fill("looks fine")
    page.get_by_role("button", name="Approve").click()
    page.wait_for_selector("text=Approved: Issuance of web.demo.internal.")

    assert wrong == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.takes(30)
def test_the_apis_pages_throw_no_error_either(watched, live_server, db):
    page, wrong = watched

    page.goto(f"{live_server.url}/api/v1/docs/")
    page.get_by_text("/api/v1/agents/", exact=True).first.wait_for()

    assert wrong == []


@pytest.mark.django_db(transaction=True)
def test_what_is_written_into_a_page_does_not_run(watched, live_server, db):
    """Had somebody found a way to write into a page, their script would still not run."""
    page, wrong = watched
    page.goto(f"{live_server.url}/admin/login/")

    page.evaluate(
        "const one = document.createElement('script'); one.textContent = 'window.ran = 1';"
        "document.body.append(one);"
        "const two = document.createElement('div');"
        "two.innerHTML = '<img src=x: onerror=\"window.ran = 2\">'; document.body.append(two);"
        "const three = document.createElement('style');"
        "three.textContent = 'body { display: none }'; document.body.append(three);"
    )
    page.wait_for_timeout(300)

    assert page.evaluate("window.ran") is None
    assert page.evaluate("getComputedStyle(document.body).display") != "none"
    assert {"script-src-elem", "script-src-attr", "style-src-elem"} <= {
        match[1] for match in (re.search(r"forbidden: (\S+)", one) for one in wrong) if match
    }


@pytest.mark.django_db(transaction=True)
def test_the_themes_colours_come_from_the_file(watched, live_server, db):
    page, _ = watched
    page.goto(f"{live_server.url}/admin/login/")

    value = page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--color-primary-600')"
    )

    assert value == "#1f6965"
    with open(finders.find("certctl/theme.css")) as file:  # noqa: PTH123
        assert file.read() == theme()


# --- The header, without a browser ----------------------------------------------------------


class Inline(HTMLParser):
    """Collects elements that hold scripts or styles themselves."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(self.get_starttag_text())
        self.found += [name for name in names if re.fullmatch(r"on[a-z]+", name)]


@pytest.mark.parametrize(
    "address", ["/admin/login/", "/admin/", "/admin/jobs/job/", "/admin/password_change/"]
)
def test_a_page_holds_no_script_or_style_and_its_policy_forbids_them(browse, carol, address):
    answer = (Client() if "login" in address else browse(carol)).get(address)

    policy = dict(part.split(" ", 1) for part in answer.headers[csp.HEADER].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["style-src"] == "'self'"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe-inline" not in answer.headers[csp.HEADER].replace(
        "style-src-attr 'unsafe-inline'", ""
    )
    reader = Inline()
    reader.feed(answer.content.decode())
    assert reader.found == []


def test_the_apis_page_may_not_even_evaluate(db):
    assert "unsafe-eval" not in Client().get("/api/v1/docs/").headers[csp.HEADER]


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/me/",
        "/api/v1/nothing/",
        "/api/v1/schema/",
        "/health",
        "/metrics",
        "/nothing",
        "/.well-known/pki/crl/nobody",
        "/.well-known/pki/nothing",
    ],
)
def test_what_is_no_page_may_load_nothing(db, address):
    assert Client().get(address).headers[csp.HEADER] == csp.NOTHING

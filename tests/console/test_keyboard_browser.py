"""Journeys by keyboard alone, at a desk and on a phone: choosing to ask, decide, revoke.

Alice asks, bob decides, carol administers. Nothing here presses a mouse button after signing in,
and each stop has to show that it has the focus.
"""

import pytest

from certificates.models import Revocation
from jobs import services
from jobs.models import Job
from jobs.states import Status
from tests.factories import CertificateFactory, VersionFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.looks, pytest.mark.takes(30)]
PASSWORD = "correct horse battery staple"
SIZES = pytest.mark.parametrize(
    "size",
    [{"width": 1440, "height": 900}, {"width": 380, "height": 800}],
    ids=["desk", "phone"],
)
NAME_OF = """() => {
  const at = document.activeElement;
  const labels = at.labels && at.labels.length ? at.labels[0].textContent : "";
  return (at.getAttribute("aria-label") || labels || at.textContent || at.name || "").trim();
}"""
# What it looks like with the focus, and without: something has to differ.
LOOKS = """() => {
  const at = document.activeElement;
  const look = () => {
    const s = getComputedStyle(at);
    return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.borderColor,
            s.backgroundColor, s.top].join();
  };
  const within = at.getBoundingClientRect();
  const seen = look();
  at.blur();
  const plain = look();
  at.focus({ focusVisible: true });
  return seen !== plain && within.width > 0 && within.height > 0;
}"""


class Keys:
    """A page, and a person with a keyboard at it."""

    def __init__(self, page):
        self.page = page

    def past_the_menu(self):
        self.page.evaluate("document.activeElement.blur()")
        self.page.keyboard.press("Tab")
        assert self.page.evaluate(NAME_OF) == "Skip to the content"
        assert self.page.evaluate(LOOKS)
        self.page.keyboard.press("Enter")
        self.page.wait_for_function("document.activeElement.id === 'cc-main'")

    def tab_to(self, name, most=40):
        passed = []
        for _ in range(most):
            self.page.keyboard.press("Tab")
            at = self.page.evaluate(NAME_OF)
            passed.append(at[:40])
            if at.startswith(name):
                assert self.page.evaluate(LOOKS), f"{name} does not show the focus"
                return
        pytest.fail(f"{name!r} is not among {passed}")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text):
        self.page.keyboard.type(text)


@pytest.fixture
def keys(page, live_server, browse):
    def go(principal, path, size):
        cookie = browse(principal).cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page.set_viewport_size(size)
        page.goto(f"{live_server.url}/admin/{path}", wait_until="load")
        return Keys(page)

    return go


@SIZES
def test_alice_comes_to_the_fields_and_chooses(keys, alice, local_ca, profile, size):
    at = keys(alice, "certificates/certificate/add/", size)
    at.past_the_menu()
    at.tab_to("Profile")
    at.write(profile.slug[:6])
    at.tab_to("Issuer")
    at.write(local_ca.slug[:6])
    assert at.page.locator("select[name=profile]").input_value() == str(profile.pk)
    assert at.page.locator("select[name=issuer]").input_value() == str(local_ca.pk)


@SIZES
def test_bob_decides(keys, bob, alice, owner, local_ca, profile, csr_for, size):
    job = services.request_issuance(
        actor=alice,
        owner=owner,
        issuer=local_ca,
        profile=profile,
        csr_pem=csr_for("web.demo.internal"),
    ).job
    at = keys(bob, f"jobs/job/{job.pk}/approve/", size)
    at.past_the_menu()
    at.tab_to("Reason")
    at.write("known host")
    at.tab_to("Approve")
    at.press("Enter")
    at.page.wait_for_selector("text=Approved: Issuance of web.demo.internal.")

    decided = Job.objects.get()
    assert (decided.status, decided.decision_reason) == (Status.PENDING, "known host")


@SIZES
def test_carol_revokes(keys, carol, local_ca, profile, size):
    certificate = CertificateFactory(
        name="web.demo.internal", issuer=local_ca, profile=profile, status="Active"
    )
    version = VersionFactory(certificate=certificate)
    at = keys(carol, f"certificates/certificate/{certificate.pk}/revoke/", size)
    at.past_the_menu()
    at.tab_to("Unspecified")  # one stop for all of them; the arrows choose
    for _ in range(4):
        at.press("ArrowDown")
    at.tab_to("Note")
    at.write("replaced")
    at.tab_to("Revoke")
    at.press("Enter")
    at.page.wait_for_selector("text=Revoked")

    revocation = Revocation.objects.get(version=version)
    assert (revocation.reason, revocation.note) == ("superseded", "replaced")


@SIZES
def test_carol_opens_the_search_and_comes_back(keys, carol, size):
    at = keys(carol, "certificates/certificate/", size)
    at.past_the_menu()
    at.press("Control+k")
    at.page.wait_for_function("document.activeElement.name === 'q'")
    at.press("Escape")
    at.press("Tab")
    assert at.page.evaluate("document.activeElement !== document.body")

"""The pages of plans in a real browser: no wider than the screen, and a plan is followed.

Carol administers, and dave is the second administrator.
"""

import os
from pathlib import Path

import pytest

from deployments.models import Deployment, Target
from owners.models import Principal
from revocation import services
from revocation.models import Plan
from revocation.states import Status
from tests.revocation.conftest import confirm

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/admin/revocation/plan/"


@pytest.fixture
def as_carol(live_server, page, browse, carol):
    """A page that carol is signed in on; what goes wrong in it is collected."""
    session = browse(carol).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.wrong = []
    page.on("console", lambda said: page.wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    return page


@pytest.fixture
def plans(make, plan_of, carol, dave, system, settings):
    """A plan that waits, one that is done, and one that runs."""
    settings.BULK_REVOKE_LIMIT = 60
    versions = make(70)
    target = Target.objects.create(name="a-load-balancer-of-frankfurt", kind="file")
    Deployment.objects.create(certificate=versions[0].certificate, target=target)
    waiting = plan_of(note="too many for one")
    done = plan_of(criteria={"ids": [str(one.pk) for one in make(3)]}, reason="keyCompromise")
    confirm(done, carol)
    services.run_plans(actor=system)
    running = plan_of(criteria={"ids": [str(one.pk) for one in make(4)]}, wave_size=1)
    confirm(running, dave)
    return waiting, done, running


@pytest.mark.parametrize("width", [380, 1440])
def test_no_page_is_wider_than_the_screen_and_no_script_fails(live_server, as_carol, plans, width):
    waiting, done, running = plans
    as_carol.set_viewport_size({"width": width, "height": 900})
    pages = {
        "list": BASE,
        "make": f"{BASE}make/",
        "waiting": f"{BASE}{waiting.pk}/change/",
        "confirm": f"{BASE}{waiting.pk}/confirm/",
        "done": f"{BASE}{done.pk}/change/",
        "running": f"{BASE}{running.pk}/change/",
        "stop": f"{BASE}{running.pk}/stop/",
        "dashboard": "/admin/",
    }

    wide = {}
    for name, address in pages.items():
        as_carol.goto(live_server.url + address)
        wide[name] = as_carol.evaluate("document.documentElement.scrollWidth")
        if "PICTURES" in os.environ:
            folder = Path(os.environ["PICTURES"])
            as_carol.screenshot(path=folder / f"{name}-{width}.png", full_page=True)

    assert {name: wide[name] for name in pages if wide[name] > width} == {}
    assert as_carol.wrong == []


def test_a_plan_is_followed_to_its_end_without_a_reload(live_server, as_carol, plans):
    *_, running = plans
    as_carol.goto(f"{live_server.url}{BASE}{running.pk}/change/")
    assert "0 of 4 done" in as_carol.inner_text("#plan-progress")

    services.run_plans(actor=Principal.objects.system())
    as_carol.wait_for_selector("#plan-progress:has-text('4 of 4 done')", timeout=15_000)

    assert Plan.objects.get(pk=running.pk).status == Status.COMPLETED
    assert as_carol.get_attribute("#plan-progress", "hx-trigger") is None
    assert as_carol.wrong == []

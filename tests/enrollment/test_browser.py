"""The pages of devices' doors in a real browser: no wider than the screen, and no script fails.

Carol administers; what she makes in bulk she takes away from the one page that shows it.
"""

import csv
from pathlib import Path

import pytest

from enrollment import services
from enrollment.models import Credential, Device, Enrollment
from tests.enrollment.conftest import DEVICE, OTHER, ask_by
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/admin/enrollment"


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
def pages(label, slow_label, make_label, free_device_profile, secret_for):
    """An address of each page that there is."""
    scep = make_label("routers", free_device_profile, protocol="scep")
    ask_by(label, secret_for(label), make_csr(DEVICE))
    waiting = ask_by(slow_label, secret_for(slow_label, OTHER), make_csr(OTHER)).enrollment
    device = Device.objects.get(name=DEVICE)
    return [
        *(f"{BASE}/{name}/" for name in ("label", "device", "credential", "enrollment")),
        *(f"{BASE}/{name}/add/" for name in ("label", "device", "credential")),
        f"{BASE}/label/{label.pk}/change/",
        f"{BASE}/label/{scep.pk}/change/",
        f"{BASE}/label/{label.pk}/block/",
        f"{BASE}/device/{device.pk}/change/",
        f"{BASE}/device/{device.pk}/block/",
        f"{BASE}/device/{device.pk}/revoke-held/",
        f"{BASE}/credential/{Credential.objects.first().pk}/change/",
        f"{BASE}/credential/bulk/",
        f"{BASE}/enrollment/{Enrollment.objects.first().pk}/change/",
        f"/admin/jobs/job/{waiting.job_id}/approve/",
    ]


@pytest.mark.parametrize("width", [380, 1440])
def test_no_page_is_wider_than_the_screen_and_no_script_fails(live_server, as_carol, pages, width):
    as_carol.set_viewport_size({"width": width, "height": 900})

    wide = {}
    for address in pages:
        as_carol.goto(live_server.url + address)
        wide[address] = as_carol.evaluate("document.documentElement.scrollWidth")

    assert {address: wide[address] for address in pages if wide[address] > width} == {}
    assert as_carol.wrong == []


@pytest.mark.parametrize("width", [380, 1440])
def test_a_table_of_credentials_is_taken_away_from_the_page_that_shows_it(
    live_server, as_carol, label, width
):
    as_carol.set_viewport_size({"width": width, "height": 900})
    as_carol.goto(f"{live_server.url}{BASE}/credential/bulk/")
    as_carol.select_option("select[name=label]", str(label.pk))
    as_carol.fill(
        "textarea[name=csv]",
        "device,names\ncam-1,dns:cam-1.demo.internal\ncam-2,dns:a-long-name-of-cam-2.demo.internal",
    )
    as_carol.click("text=Make them")

    with as_carol.expect_download() as taken:
        as_carol.click("text=Download as CSV")

    rows = list(csv.DictReader(Path(taken.value.path()).read_text().splitlines()))
    assert taken.value.suggested_filename == "credentials.csv"
    assert [row["device"] for row in rows] == ["cam-1", "cam-2"]
    via = label.principal.via
    for row in rows:
        services.by_secret(label=label, text=row["credential"], user=row["device"], via=via)
    assert as_carol.evaluate("document.documentElement.scrollWidth") <= width
    as_carol.click("text=Done")
    shown = as_carol.content()
    assert not [row for row in rows if row["credential"].partition("-")[2] in shown]
    assert as_carol.wrong == []

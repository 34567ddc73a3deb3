"""EST's addresses: which tell anybody, and where a device shows a credential of its own."""

import pytest

from tests.certctl.test_doors import DEVICES as ALL_DEVICES
from tests.certctl.test_doors import EST, ROUTES, shown
from tests.fixtures import make_csr

DEVICES = {address for address in ALL_DEVICES if "/est/" in address}
pytestmark = pytest.mark.django_db


def test_est_tells_anybody_its_cas_and_what_it_wants(est, make_label, free_device_profile):
    make_label("cams", free_device_profile, is_default=True)

    assert {operation(address) for address in EST} == {"cacerts", "csrattrs"}
    for address in EST:
        label = "cams" if "{path}" in address else ""
        assert est.ask(operation(address), label=label, method="get").status_code == 200


def test_devices_show_credentials_at_the_rest_of_est(est, make_label, free_device_profile):
    make_label("cams", free_device_profile, is_default=True, server_keys=True)
    answers = {}

    for address in DEVICES:
        label = "cams" if "{path}" in address else ""
        answers[address] = est.ask(operation(address), make_csr("cam-1.demo.internal"), label=label)

    assert {shown(route) for route in ROUTES if "/est/" in route} == DEVICES | EST
    statuses = {address: answer.status_code for address, answer in answers.items()}
    wanted = {"simplereenroll": 403, "fullcmc": 501}
    assert statuses == {address: wanted.get(operation(address), 401) for address in DEVICES}
    assert not any(answer.cookies for answer in answers.values())


def operation(address):
    """Return the last part of an address."""
    return address.rpartition("/")[2]


def test_scep_answers_anybody_at_each_of_its_addresses(scep, make_scep_label, free_device_profile):
    make_scep_label("routers", free_device_profile, is_default=True)
    addresses = {address for address in ALL_DEVICES if address.startswith("/scep")}

    assert {shown(route) for route in ROUTES if route.startswith("/scep")} == addresses
    for address in addresses:
        path = address.replace("{path}", "routers")
        assert scep.operation("GetCACaps", path=path).status_code == 200
        assert scep.post_message(b"nothing", path=path).status_code == 400

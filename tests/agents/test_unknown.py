"""Unknown is refused at the agents' door, too: fields and parameters."""

import re

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.agents.conftest import REGISTRATIONS

pytestmark = pytest.mark.django_db
OWN = "/agents/{agent}/"


@pytest.fixture(scope="module")
def own_operations():
    """Every (method, path) of an agent's own door."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return [
        (method, path)
        for path, methods in schema["paths"].items()
        for method in methods
        if OWN in path
    ]


def test_an_agent_asks_nothing_by_what_is_not_known(edge, own_operations):
    tried = 0
    for method, path in own_operations:
        if method != "get":
            continue
        address = path.replace("{agent}", str(edge.agent.pk))
        answer = edge.client.get(f"{address}?no_such_thing=1")
        tried += 1
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter"), path

    assert tried
    assert edge.client.get(edge.at("work/")).status_code == 200


def test_an_agent_sends_no_field_that_is_not_known(edge, own_operations):
    tried = 0
    for method, path in own_operations:
        if method == "get":
            continue
        address = path.replace("{agent}", str(edge.agent.pk))
        address = re.sub(r"\{\w+\}", "00000000-0000-4000-8000-000000000000", address)
        answer = getattr(edge.client, method)(address, {"no_such_field": 1}, format="json")
        tried += 1
        assert answer.status_code == 400, (method, path, answer.content)
        wrong = {error["field"]: error["code"] for error in answer.json()["errors"]}
        assert wrong["no_such_field"] == "unknown_field", (method, path)

    assert tried > 3


def test_whoever_registers_sends_none_either(edge):
    answer = edge.client.post(REGISTRATIONS, {"no_such_field": 1}, format="json")

    assert answer.status_code == 400
    assert "no_such_field" in {error["field"] for error in answer.json()["errors"]}

"""What is known of an agent: heard of, silent, with a wrong clock, copied, or retired.

Carol administers, alice operates, victor only reads.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents import secret_texts, services
from agents.actors import authenticate
from agents.models import Key
from agents.services.heartbeats import Retired
from audit.models import Event
from audit.via import Door, Via
from deployments.models import Agent, Target
from tests.agents.conftest import API, digest

AGENTS = f"{API}agents/"


def test_a_heartbeat_shows_the_host_and_the_trail_tells_what_changed(edge, victor, client_of):
    said = {"os": "Debian 13", "architecture": "x86_64", "version": "1.1"}

    first, second = edge.beat(**said), edge.beat(**said)

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["next_heartbeat_seconds"] == 30
    shown = client_of(victor).get(f"{AGENTS}{edge.agent.pk}/").json()
    assert (shown["state"], shown["version"], shown["address"]) == ("Online", "1.1", edge.address)
    assert Event.objects.filter(action="agent.go_online").count() == 1
    event = Event.objects.get(action="agent.describe")
    assert event.data["changes"] == {"version": {"before": "1.0", "after": "1.1"}}
    assert event.door == "agent"


def test_a_clock_that_is_wrong_by_a_year_is_told_and_refuses_nothing(edge):
    said = {"os": "Debian 13", "architecture": "x86_64", "version": "1.0"}
    answer = edge.beat(clock=(timezone.now() + timedelta(days=365)).isoformat(), **said)

    assert answer.status_code == 200
    assert answer.json()["clock_is_wrong"]
    assert abs(answer.json()["clock_offset"] - 365 * 86400) < 10
    assert Event.objects.get(action="agent.describe").data["clock_offset"] > 0
    right = edge.beat(clock=timezone.now().isoformat(), **said)
    assert not right.json()["clock_is_wrong"]


def test_a_clock_at_the_end_of_time_is_kept_as_far_as_a_column_goes(edge):
    answer = edge.beat(clock="9999-12-31T23:59:59Z")

    assert answer.status_code == 200
    assert answer.json()["clock_offset"] == 10**9


def test_a_copy_of_an_agent_with_its_key_is_refused(edge):
    edge.beat()

    answer = edge.post("heartbeat/", {"instance": "another machine"})

    assert (answer.status_code, answer.json()["code"]) == (409, "other_instance")
    assert Event.objects.filter(action="agent.heartbeat.refuse").count() == 1


def test_an_agent_that_is_silent_goes_offline_and_comes_back(edge, register, system):
    other = register("edge-2")
    edge.beat()
    other.beat()
    Agent.objects.filter(pk=edge.agent.pk).update(
        last_seen_at=timezone.now() - timedelta(seconds=151)
    )

    assert services.miss_silent_agents(actor=system) == 1
    assert services.miss_silent_agents(actor=system) == 0

    states = dict(Agent.objects.values_list("name", "state"))
    assert states == {"edge-1": "Offline", "edge-2": "Online"}
    assert Event.objects.filter(action="agent.go_offline").count() == 1
    edge.beat()
    assert Event.objects.filter(action="agent.go_online", subject_id=edge.agent.pk).count() == 2


def test_carol_retires_an_agent_that_then_lets_nobody_in(edge, carol, client_of):
    client, address = client_of(carol), f"{AGENTS}{edge.agent.pk}/"
    Target.objects.create(name="web-1", kind="file", agent=edge.agent)

    depends = client.get(f"{address}dependents/").json()
    answer = client.post(f"{address}retire/")

    assert (depends["target_count"], depends["targets"][0]["name"]) == (1, "web-1")
    assert (answer.status_code, answer.json()["state"]) == (200, "Retired")
    refused = edge.beat()
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_key")
    assert "retired" in refused.json()["detail"]
    assert not Key.objects.filter(ended_at=None).exists()
    assert Event.objects.get(action="agent.retire").data["targets"] == 1
    assert client.post(f"{address}retire/").status_code == 200


def test_what_an_agent_says_while_carol_retires_it_does_not_bring_it_back(edge, carol):
    """Its key let it in, and carol was first at its row."""
    edge.beat()
    actor, agent = authenticate(edge.key, Via(door=Door.AGENT))
    services.retire_agent(actor=carol, agent_id=agent.pk)

    with pytest.raises(Retired):
        services.heartbeat(actor=actor, agent=agent, instance=edge.instance, host=services.Host())
    with pytest.raises(Retired):
        services.rotate_key(actor=actor, agent=agent, key_digest=digest(secret_texts.make_key()))

    edge.agent.refresh_from_db()
    assert edge.agent.state == "Retired"
    assert not Key.objects.filter(ended_at=None).exists()


def test_neither_alice_nor_victor_retires_an_agent(edge, alice, victor, client_of):
    for one in (alice, victor):
        answer = client_of(one).post(f"{AGENTS}{edge.agent.pk}/retire/")
        assert answer.status_code == 403
    edge.agent.refresh_from_db()
    assert edge.agent.state == "Registered"

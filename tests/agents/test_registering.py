"""Agents register once, with a token for them alone, and are known by a key of their own.

Carol administers and makes tokens, alice operates, victor only reads.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from agents import secret_texts, services
from agents.models import Key, Token
from agents.services import registering
from audit.models import Event
from deployments.models import Agent
from foundation.errors import Invalid
from issuers.x509 import certs
from owners.models import Principal
from owners.roles import Role
from tests.agents.conftest import API, REGISTRATIONS, Host, digest
from tests.fixtures import person
from tests.races import beside, until_blocked

TOKENS = f"{API}agent-tokens/"


def test_carol_makes_a_token_that_is_shown_once_and_kept_nowhere(carol, client_of):
    client = client_of(carol)

    answer = client.post(TOKENS, {"name": "edge-1", "networks": ["192.0.2.0/24"]})

    assert answer.status_code == 201
    text = answer.json()["token"]
    assert answer.headers["Cache-Control"] == "no-store"
    row = Token.objects.get()
    assert text.partition("_")[2].partition("_")[2] not in str(row.__dict__)
    assert row.created_by == carol
    assert "token" not in client.get(f"{TOKENS}{row.pk}/").json()
    assert row.expires_at - row.created_at < timedelta(hours=24, seconds=5)


@pytest.mark.parametrize("who", ["alice", "victor"])
def test_alice_and_victor_make_no_tokens_and_see_none(who, request, client_of, token_for):
    client = client_of(request.getfixturevalue(who))
    made = token_for()

    assert client.post(TOKENS, {"name": "edge-2"}).status_code == 403
    assert client.get(TOKENS).status_code == 403
    assert client.post(f"{TOKENS}{made.token.pk}/withdraw/").status_code == 403
    assert Event.objects.filter(action="agent.create_token.refuse").count() == 1


def test_a_host_registers_and_its_agent_is_carols_word(edge, carol):
    agent = edge.agent

    assert (agent.name, agent.vouched_by, agent.state) == ("edge-1", carol, "Registered")
    assert (agent.os, agent.address) == ("Debian 13", "192.0.2.10")
    assert agent.principal.for_devices
    assert not agent.principal.has_usable_password()
    event = Event.objects.get(action="agent.register")
    assert (event.door, event.actor) == ("agent", agent.principal)
    assert event.data["vouched_by"] == "carol"
    assert edge.key not in str(list(Key.objects.values()))


def test_a_token_lets_one_agent_register_and_the_same_answer_be_given_again(token_for):
    text = token_for().text
    host, other = Host(), Host()
    first = host.register(text).json()

    again = host.register(text)
    stolen = other.register(text)

    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert (stolen.status_code, stolen.json()["code"]) == (401, "invalid_token")
    assert "used" in stolen.json()["detail"]
    assert Agent.objects.count() == 1
    assert Event.objects.filter(action="agent.register.refuse", door="agent").exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_hosts_with_one_token_at_the_same_time_one_registers(token_for):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to wait for")
    made, hosts = token_for(), [Host(), Host()]

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            Token.objects.lock(made.token.pk)
            calls = [beside(pool, lambda one=one: one.register(made.text)) for one in hosts]
            for call in calls:
                until_blocked(call)
        answers = [call.result(timeout=20).status_code for call in calls]

    assert sorted(answers) == [200, 401]
    assert Agent.objects.count() == 1


def test_a_token_is_bound_to_networks_and_to_its_end(token_for):
    near = token_for("near", networks=["198.51.100.0/24"])
    old = token_for("old")
    Token.objects.filter(pk=old.token.pk).update(expires_at=timezone.now())

    far = Host(address="192.0.2.10").register(near.text)
    late = Host().register(old.text)

    assert (far.status_code, late.status_code) == (401, 401)
    assert "address" in far.json()["detail"]
    assert "expired" in late.json()["detail"]
    assert Host(address="198.51.100.7").register(near.text).status_code == 200


def test_a_token_that_carol_withdrew_registers_nobody_and_a_used_one_is_not_withdrawn(
    carol, client_of, token_for
):
    client, made = client_of(carol), token_for()

    withdrawn = client.post(f"{TOKENS}{made.token.pk}/withdraw/")

    assert withdrawn.json()["state"] == "withdrawn"
    assert Host().register(made.text).status_code == 401
    used = token_for("edge-2")
    Host().register(used.text)
    answer = client.post(f"{TOKENS}{used.token.pk}/withdraw/")
    assert (answer.status_code, answer.json()["code"]) == (409, "token_used")


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_token_registers_nobody_once_carol_is_no_administrator_any_more(
    carol, token_for, is_gone
):
    """Dave is one still, and his word is good; carol's agents from before go on."""
    dave = person("dave", Role.ADMIN)
    before, made, his = token_for("edge-1"), token_for("edge-2"), token_for("edge-3", actor=dave)
    first, second = Host(), Host()
    assert first.register(before.text).status_code == 200
    if is_gone:
        Principal.objects.filter(pk=carol.pk).update(is_active=False)
    else:
        carol.groups.clear()

    answer = second.register(made.text)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert "made" in answer.json()["detail"]
    assert second.register(his.text).status_code == 200
    assert first.beat().status_code == 200
    assert first.register(before.text).status_code == 200


@pytest.mark.parametrize(
    "text",
    ["", "x", "certctl-token_aaaaaaaaaa_" + "b" * 43, "certctl_aaaaaaaaaa_" + "b" * 43],
)
def test_what_is_no_token_registers_nobody(text, db):
    answer = Host().register(text or " ")

    assert answer.status_code in {400, 401}
    assert not Agent.objects.exists()


def test_a_right_prefix_with_a_wrong_secret_is_told_like_an_unknown_one(token_for):
    text = token_for().text
    head, _, _ = text.rpartition("_")

    wrong = Host().register(f"{head}_{'x' * 43}")
    unknown = Host().register(f"certctl-token_aaaaaaaaaa_{'x' * 43}")

    assert wrong.json()["detail"] == unknown.json()["detail"]


def test_the_key_of_one_agent_registers_no_other(edge, token_for):
    copy = Host(key=edge.key)

    answer = copy.register(token_for("edge-2").text)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "key_known")


def test_the_name_of_an_agent_is_taken_also_when_it_retired(edge, carol, token_for):
    services.retire_agent(actor=carol, agent_id=edge.agent.pk)

    with pytest.raises(services.AgentNameTaken):
        token_for("EDGE-1")


def test_carol_gives_no_name_that_no_agent_can_have(token_for):
    """Bob's host would have been refused with it, and nobody would have known why."""
    with pytest.raises(Invalid) as refused:
        token_for("e" * 141)

    assert refused.value.errors[0]["field"] == "name"
    assert Host().register(token_for("e" * 140).text).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_who_is_second_with_a_name_by_another_token_is_told_to_ask_again(
    edge, token_for, monkeypatch
):
    """Alice's host and bob's come at once: neither sees the other when the name is looked at."""
    made = token_for("edge-2")
    Agent.objects.filter(pk=edge.agent.pk).update(name="edge-2")
    monkeypatch.setattr(registering, "check_name", lambda _: None)

    answer = Host().register(made.text)

    assert (answer.status_code, answer.json()["code"]) == (409, "changed_meanwhile")
    assert Event.objects.filter(action="agent.register.refuse").exists()
    assert not Principal.objects.filter(username="agent:edge-2").exists()


def test_a_token_ends_within_30_days_and_has_a_name(token_for):
    for said in (
        {"name": "edge-1", "expires_at": timezone.now() + timedelta(days=31)},
        {"name": "edge-1", "expires_at": timezone.now() - timedelta(seconds=1)},
        {"name": "edge\n1"},
        {"name": "edge-1", "networks": ["10.0.0.1/8"]},
        {"name": "edge-1", "networks": ["10.0.0.0/8"] * 33},
    ):
        with pytest.raises(Invalid):
            token_for(**said)


def test_a_token_carries_the_ca_that_its_agent_is_to_trust(carol, client_of, settings, root_ca):
    settings.AGENT_CA_PEM = root_ca.certificate_pem

    made = client_of(carol).post(TOKENS, {"name": "edge-1"}).json()

    assert made["ca_pem"] == root_ca.certificate_pem
    assert made["token"].endswith("_" + certs.fingerprint(certs.load(root_ca.certificate_pem)))
    assert Host().register(made["token"]).status_code == 200


def test_an_agents_key_opens_no_other_address_and_an_api_key_none_of_an_agents(
    edge, carol, client_of, operations_of_people
):
    for method, address in operations_of_people:
        answer = getattr(edge.client, method)(address)
        assert answer.status_code == 401, (method, address, answer.status_code)
    assert client_of(carol).post(edge.at("heartbeat/"), {"instance": "x"}).status_code == 401


def test_an_agent_touches_nothing_of_another(edge, register):
    other = register("edge-2")

    answer = edge.client.post(other.at("heartbeat/"), {"instance": other.instance})

    assert (answer.status_code, answer.json()["code"]) == (403, "not_this_agent")
    refusal = Event.objects.get(action="agent.heartbeat.refuse")
    assert (refusal.actor, refusal.door) == (edge.agent.principal, "agent")
    other.agent.refresh_from_db()
    assert other.agent.state == "Registered"


def test_a_new_key_ends_the_old_one_with_its_first_use(edge):
    old, new = edge.key, secret_texts.make_key()
    for _ in range(2):  # said twice, as after a lost answer
        answer = edge.client.put(edge.at("key/"), {"key_digest": digest(new)})
        assert answer.status_code == 204
    assert edge.beat().status_code == 200  # died before it wrote the new one

    edge.key = new
    assert edge.beat().status_code == 200

    edge.key = old
    refused = edge.beat()
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_key")
    assert Event.objects.filter(action="agent.rotate_key").count() == 1
    assert Event.objects.filter(action="agent.refuse", actor_name="edge-1").exists()


def test_a_key_that_ended_or_is_anothers_is_never_an_agents_again(edge, register):
    other = register("edge-2")

    answer = edge.client.put(edge.at("key/"), {"key_digest": digest(other.key)})

    assert (answer.status_code, answer.json()["code"]) == (409, "key_known")


def test_an_agent_has_no_role_and_is_nobody_at_the_api(edge):
    principal = Principal.objects.get(username="agent:edge-1")

    assert not principal.groups.exists()
    assert not principal.has_perm("jobs.view_job")
    assert not principal.is_staff


def test_a_registration_reads_no_field_that_it_does_not_know(token_for):
    answer = Host().register(token_for().text, roots=["/etc"])

    assert answer.status_code == 400
    assert REGISTRATIONS.startswith(API)

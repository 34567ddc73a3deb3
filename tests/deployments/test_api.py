"""REST: administrators write targets, everybody reads them, nobody sees a secret."""

import pytest

from audit.models import Event
from deployments.connectors.file import FileConnector
from deployments.models import Agent, Deployment, Target
from deployments.services import Outcome, record_deployed

URL = "/api/v1/targets/"


@pytest.fixture
def config(site):
    return {"certificate_path": str(site / "cert.pem")}


@pytest.fixture
def made(client_of, carol, config):
    answer = client_of(carol).post(URL, {"name": "api-web", "kind": "file", "config": config})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def test_an_administrator_makes_a_target(made, config, carol):
    event = Event.objects.get(action="target.create")

    assert made["config"] == config
    assert made["enabled"] is True
    assert (event.actor, event.door) == (carol, "rest")


def test_a_mistake_is_named_at_its_field(client_of, carol, config):
    body = {"name": "x", "kind": "file", "config": {**config, "mode": "777"}}

    answer = client_of(carol).post(URL, body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_target"
    assert [error["field"] for error in answer.json()["errors"]] == ["config.mode"]
    assert Event.objects.get(action="target.create.refuse").actor == carol


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x", "kind": "pigeon"},
        {"name": "x", "kind": "file", "config": "text"},
        {"name": "x", "kind": "file", "config": []},
        {"name": "x", "kind": "file", "endpoint_port": -1},
        {"name": "x", "kind": "file", "agent": "nobody"},
        {"name": "x", "kind": "file", "config": {"certificate_path": {"a": 1}}},
        {"name": "x" * 151, "kind": "file"},
    ],
)
def test_bad_input_is_a_clear_error(client_of, carol, body):
    answer = client_of(carol).post(URL, body)

    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_a_target_is_changed(client_of, carol, made, config):
    new = {**config, "fullchain": False}

    answer = client_of(carol).patch(f"{URL}{made['id']}/", {"config": new})

    assert answer.status_code == 200
    assert answer.json()["config"] == new
    changes = Event.objects.get(action="target.update").data["changes"]
    assert changes == {"config": {"before": config, "after": new}}


def test_a_target_is_replaced_by_nobody(client_of, carol, made):
    assert client_of(carol).put(f"{URL}{made['id']}/", {}).status_code == 405


def test_a_target_is_deleted_unless_it_is_in_use(client_of, carol, made, certify, keep, system):
    client, target = client_of(carol), Target.objects.get()
    version = keep(certify())
    deployment = record_deployed(
        certificate=version.certificate,
        target=target,
        version=version,
        outcome=Outcome(True, version.fingerprint),
        actor=system,
    )

    refused = client.delete(f"{URL}{made['id']}/")
    deployment.delete()
    deleted = client.delete(f"{URL}{made['id']}/")

    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert deleted.status_code == 204


@pytest.mark.parametrize("who", ["alice", "victor"])
def test_only_administrators_write(client_of, request, who, made, config):
    client = client_of(request.getfixturevalue(who))
    one = f"{URL}{made['id']}/"

    answers = [
        client.post(URL, {"name": "y", "kind": "file", "config": config}),
        client.patch(one, {"enabled": False}),
        client.delete(one),
        client.post(f"{one}test/"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert {answer.json()["code"] for answer in answers} == {"missing_permission"}
    assert Target.objects.get().enabled


def test_everybody_with_a_key_reads(client_of, victor, made, anonymous):
    assert client_of(victor).get(f"{URL}{made['id']}/").json()["name"] == "api-web"
    assert anonymous.get(URL).status_code == 401


def test_secrets_go_in_and_never_come_out(client_of, carol, made, monkeypatch):
    monkeypatch.setattr(FileConnector, "SECRETS", ("password",))
    client, one = client_of(carol), f"{URL}{made['id']}/"

    changed = client.patch(one, {"secrets": {"password": "hunter2"}})
    read = client.get(one)

    assert changed.json()["has_secrets"] is read.json()["has_secrets"] is True
    assert "secrets" not in read.json()
    assert b"hunter2" not in changed.content + read.content


def test_an_unknown_secret_is_refused(client_of, carol, made):
    answer = client_of(carol).patch(f"{URL}{made['id']}/", {"secrets": {"password": "x"}})

    assert [error["field"] for error in answer.json()["errors"]] == ["secrets.password"]


def test_targets_are_filtered_sorted_and_thinned(client_of, victor, made, config):
    Target.objects.create(name="b", kind="nginx", config=config)
    client = client_of(victor)

    assert client.get(URL, {"kind": "nginx"}).json()["count"] == 1
    assert client.get(URL, {"search": "api"}).json()["count"] == 1
    names = client.get(URL, {"sort": "-name", "fields": "name"}).json()["results"]
    assert names == [{"name": "b"}, {"name": "api-web"}]
    assert client.get(URL, {"sort": "secrets"}).status_code == 400
    assert client.get(URL, {"cursor": ""}).json()["results"][0]["name"] == "api-web"


def test_a_target_is_tested(client_of, carol, made, site):
    answer = client_of(carol).post(f"{URL}{made['id']}/test/")

    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert {check["name"] for check in answer.json()["checks"]} == {"certificate_path", "endpoint"}
    assert list(site.iterdir()) == []


def test_deployments_are_read_and_filtered(client_of, victor, certify, keep, target, system):
    version = keep(certify())
    record_deployed(
        certificate=version.certificate,
        target=target,
        version=version,
        outcome=Outcome(True, version.fingerprint),
        actor=system,
    )
    client, url = client_of(victor), "/api/v1/deployments/"

    shown = client.get(url, {"certificate": str(version.certificate_id)}).json()["results"][0]

    assert shown["fingerprint"] == version.fingerprint
    assert (shown["version_number"], shown["health"]) == (1, "Unknown")
    assert client.get(url, {"health": "Mismatch"}).json()["count"] == 0
    assert client.get(url, {"target": str(target.pk)}).json()["count"] == 1
    assert client.get(url, {"health": "Unwell"}).status_code == 400


def test_a_deployment_without_a_version_is_shown_too(client_of, victor, keep, certify, target):
    certificate = keep(certify()).certificate
    Deployment.objects.create(certificate=certificate, target=target)

    shown = client_of(victor).get("/api/v1/deployments/").json()["results"][0]

    assert (shown["version_number"], shown["fingerprint"]) == (None, None)


@pytest.mark.parametrize("url", ["/api/v1/deployments/", "/api/v1/agents/"])
def test_machine_rows_are_written_by_nobody(client_of, carol, url):
    assert client_of(carol).post(url, {}).status_code in {403, 405}


def test_the_list_of_deployments_asks_few_questions(
    client_of, victor, certify, keep, target, django_assert_max_num_queries
):
    for _ in range(5):
        version = keep(certify())
        Deployment.objects.create(certificate=version.certificate, target=target, version=version)
    client = client_of(victor)
    client.get("/api/v1/deployments/")

    with django_assert_max_num_queries(8):
        assert client.get("/api/v1/deployments/").json()["count"] == 5


def test_agents_are_read(client_of, victor):
    Agent.objects.create(name="host-1")

    assert client_of(victor).get("/api/v1/agents/").json()["results"][0]["name"] == "host-1"

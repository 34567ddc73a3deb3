"""An agent brings the CSR of a key that it made, and carries what the server signed.

Carol administers and vouches for the agents by their tokens, alice asks, bob decides.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.services import retire_agent
from audit.models import Event
from deployments.models import Agent, Deployment, Target
from deployments.services import AgentRetired, check_enabled
from jobs import runner, services
from jobs.models import Job
from jobs.policy import SelfApproval
from owners.roles import Role
from tests.fixtures import person
from tests.jobs.conftest import NAME
from tests.races import meanwhile


@pytest.fixture
def there(edge):
    """A target that edge-1 carries to, with an endpoint to look at."""
    return Target.objects.create(
        name="web-1",
        kind=Target.Kind.FILE,
        config={"certificate_path": "/etc/ssl/web.pem"},
        agent=edge.agent,
        endpoint_host="192.0.2.10",
        endpoint_port=443,
    )


@pytest.fixture
def asked(ask, profile, there):
    """An issuance at that target, which wants approval and waits for the agent's CSR."""
    return ask(profile, NAME, csr_pem="", sans=[f"dns:{NAME}"], targets=[there])


@pytest.fixture
def asked_freely(ask, free_profile, there):
    return ask(free_profile, NAME, csr_pem="", sans=[f"dns:{NAME}"], targets=[there])


def work(host, **headers):
    return host.client.get(host.at("work/"), **headers)


def todo(host):
    return [(one["kind"], one["todo"]) for one in work(host).json()["work"]]


def bring(host, job, csr):
    return host.post(f"work/{job.pk}/csr/", {"csr": csr})


def carry(host, job):
    return host.post(f"work/{job.pk}/carry/")


def report(host, job, **said):
    return host.post(f"work/{job.pk}/report/", said)


def only(kind):
    return Job.objects.get(kind=kind)


def deployed(host, asked_freely, csr_for):
    """Have the server sign what the host's agent brought; return the Deployment."""
    assert bring(host, asked_freely, csr_for(NAME)).status_code == 200
    runner.run_pending()
    return only("Deployment")


def test_from_the_key_to_the_proof(edge, asked, bob, csr_for, there):
    assert todo(edge) == [("Issuance", "csr")]
    brought = bring(edge, asked, csr_for(NAME))
    assert (brought.status_code, brought.json()["status"]) == (200, "AwaitingApproval")
    assert todo(edge) == [("Issuance", "wait")]

    services.approve_job(job_id=asked.pk, actor=bob)
    runner.run_pending()

    asked.refresh_from_db()
    assert asked.status == "Completed", asked.last_error
    assert todo(edge) == [("Deployment", "carry")]
    taken = carry(edge, only("Deployment")).json()
    version = asked.version
    assert taken["fingerprint"] == version.fingerprint
    assert taken["certificate_pem"] == version.pem
    assert taken["chain_pem"] == version.chain_pem
    assert taken["target_config"] == there.config
    assert "PRIVATE" not in str(taken)
    said = {"claim": taken["claim"], "ok": True, "fingerprint": version.fingerprint}
    assert report(edge, only("Deployment"), **said).json()["status"] == "Completed"
    assert todo(edge) == [("Validation", "carry")]
    look = carry(edge, only("Validation")).json()
    seen = {"claim": look["claim"], "ok": True, "fingerprint": version.fingerprint}
    assert report(edge, only("Validation"), **seen).json()["status"] == "Completed"
    deployment = Deployment.objects.get()
    assert (deployment.health, deployment.version) == ("Healthy", version)
    assert todo(edge) == []
    doors = set(Event.objects.filter(actor=edge.agent.principal).values_list("door", flat=True))
    assert doors == {"agent"}


def test_whoever_made_the_agents_token_does_not_approve_its_key_under_any_alias(
    edge, asked, carol, bob, csr_for
):
    carol.email = "carol@people.example"
    carol.save()
    alias = person("carol-ops", Role.OPERATOR, email="carol@people.example")
    bring(edge, asked, csr_for(NAME))

    for one in (carol, alias):
        with pytest.raises(SelfApproval):
            services.approve_job(job_id=asked.pk, actor=one)

    services.approve_job(job_id=asked.pk, actor=bob)
    runner.run_pending()
    asked.refresh_from_db()
    assert asked.version.csr_by == carol


def test_what_was_approved_takes_no_other_csr(edge, asked, bob, csr_for):
    bring(edge, asked, csr_for(NAME))
    services.approve_job(job_id=asked.pk, actor=bob)

    answer = bring(edge, asked, csr_for(NAME))

    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_move")


def test_the_same_csr_again_changes_nothing(edge, asked, csr_for):
    csr = csr_for(NAME)

    first, again = bring(edge, asked, csr), bring(edge, asked, csr)

    assert first.json() == again.json()
    assert Event.objects.filter(action="job.submit_csr_for_approval").count() == 1


def test_a_csr_for_other_names_is_refused_and_told(edge, asked, csr_for):
    answer = bring(edge, asked, csr_for("bank.demo.internal"))

    assert answer.status_code == 400
    asked.refresh_from_db()
    assert asked.status == "AwaitingCSR"
    refusal = Event.objects.get(action="job.submit_csr.refuse")
    assert (refusal.actor, refusal.door) == (edge.agent.principal, "agent")


def test_another_agents_work_is_not_there(edge, register, asked_freely, csr_for):
    other = register("edge-2")
    deployment = deployed(edge, asked_freely, csr_for)
    taken = carry(edge, deployment).json()

    assert todo(other) == []
    assert bring(other, asked_freely, csr_for(NAME)).status_code == 404
    assert carry(other, deployment).status_code == 404
    stolen = report(other, deployment, claim=taken["claim"], ok=False, detail="x")
    assert stolen.status_code == 404
    # Not even at the address of the agent whose work it is.
    answer = other.client.get(edge.at("work/"))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_this_agent")


def test_a_key_on_two_hosts_is_nobodys_to_make(ask, profile, there, register):
    second = Target.objects.create(
        name="web-2", kind="file", config={}, agent=register("edge-2").agent
    )

    job = ask(profile, NAME, csr_pem="", sans=[f"dns:{NAME}"], targets=[there, second])

    assert (job.status, job.csr_agent) == ("AwaitingCSR", None)


def test_the_server_signs_what_an_agent_brings_and_carries_none_of_it(edge, asked_freely, csr_for):
    deployment = deployed(edge, asked_freely, csr_for)

    assert runner.run_pending() == 0
    assert (deployment.status, deployment.agent) == ("Pending", edge.agent)


def test_an_agent_that_died_goes_on_with_what_it_had(edge, asked_freely, csr_for):
    deployment = deployed(edge, asked_freely, csr_for)

    first, again = carry(edge, deployment).json(), carry(edge, deployment).json()

    assert first["claim"] == again["claim"] == 1
    assert again["certificate_pem"] == first["certificate_pem"]
    assert Event.objects.filter(action="job.claim", subject_id=deployment.pk).count() == 1


def test_a_report_after_the_lease_is_fenced_off_and_the_job_tried_again(
    edge, asked_freely, csr_for, system
):
    deployment = deployed(edge, asked_freely, csr_for)
    old = carry(edge, deployment).json()
    Job.objects.filter(pk=deployment.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    services.fail_abandoned(actor=system)
    services.retry_failed(actor=system)
    new = carry(edge, deployment).json()

    late = report(edge, deployment, claim=old["claim"], ok=True, fingerprint=old["fingerprint"])
    said = {"claim": new["claim"], "ok": True, "fingerprint": new["fingerprint"]}
    right, again = (report(edge, deployment, **said) for _ in range(2))

    assert new["claim"] == old["claim"] + 1
    assert (late.status_code, late.json()["code"]) == (409, "claim_gone")
    assert right.json() == again.json()
    assert right.json()["status"] == "Completed"
    assert Event.objects.filter(action="deployment.deploy").count() == 1


def test_a_failure_is_kept_with_its_words_and_tried_again_unless_that_cannot_help(
    edge, asked_freely, csr_for, system
):
    deployment = deployed(edge, asked_freely, csr_for)
    claim = carry(edge, deployment).json()["claim"]

    answer = report(edge, deployment, claim=claim, ok=False, detail="nginx -t: no such file")
    again = report(edge, deployment, claim=claim, ok=False, detail="nginx -t: no such file")

    assert answer.json()["last_error"] == "nginx -t: no such file"
    assert (answer.json(), again.status_code) == (again.json(), 200)
    deployment.refresh_from_db()
    assert deployment.will_be_retried
    Job.objects.filter(pk=deployment.pk).update(scheduled_at=timezone.now())
    services.retry_failed(actor=system)
    claim = carry(edge, deployment).json()["claim"]
    report(edge, deployment, claim=claim, ok=False, detail="outside its roots", permanent=True)
    deployment.refresh_from_db()
    assert deployment.given_up


def test_what_is_in_place_is_what_was_handed_out(edge, asked_freely, csr_for):
    deployment = deployed(edge, asked_freely, csr_for)
    claim = carry(edge, deployment).json()["claim"]

    answer = report(edge, deployment, claim=claim, ok=True, fingerprint="0" * 64)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "other_certificate")


def test_another_certificate_that_is_seen_fails_the_look(edge, asked_freely, csr_for):
    deployment = deployed(edge, asked_freely, csr_for)
    taken = carry(edge, deployment).json()
    report(edge, deployment, claim=taken["claim"], ok=True, fingerprint=taken["fingerprint"])
    look = carry(edge, only("Validation")).json()

    answer = report(edge, only("Validation"), claim=look["claim"], ok=True, fingerprint="0" * 64)

    assert answer.json()["status"] == "Failed"
    assert Deployment.objects.get().health == "Mismatch"


def test_what_is_bound_no_more_is_not_handed_out(edge, asked_freely, csr_for):
    deployment = deployed(edge, asked_freely, csr_for)
    Deployment.objects.all().delete()

    answer = carry(edge, deployment)

    assert (answer.status_code, answer.json()["code"]) == (409, "cannot_carry")
    deployment.refresh_from_db()
    assert (deployment.status, deployment.given_up) == ("Failed", True)


def test_work_has_a_tag_and_costs_the_same_for_one_and_for_many(
    edge,
    ask,
    profile,
    there,
):
    edge.beat()  # the first use of its key costs more
    counts = []
    for many in (1, 4):
        for index in range(many):
            name = f"web-{many}-{index}.demo.internal"
            ask(profile, name, csr_pem="", sans=[f"dns:{name}"], targets=[there])
        with CaptureQueriesContext(connection) as queries:
            answer = work(edge)
        counts.append(len(queries))
    tag = answer.headers["ETag"]

    same = work(edge, HTTP_IF_NONE_MATCH=tag)

    assert len(answer.json()["work"]) == 5
    assert counts[0] == counts[1] <= 3
    assert (same.status_code, same.content) == (304, b"")


def test_retiring_an_agent_ends_its_work_and_closes_its_targets(
    edge, asked, carol, alice, client_of, there
):
    client_of(carol).post(f"/api/v1/agents/{edge.agent.pk}/retire/")

    asked.refresh_from_db()
    assert asked.status == "Cancelled"
    there.refresh_from_db()
    with pytest.raises(AgentRetired):
        check_enabled(there)


@pytest.mark.django_db(transaction=True)
def test_what_follows_while_carol_retires_the_agent_does_not_wait_for_ever(
    edge, asked_freely, csr_for, carol, system
):
    """The server signs what alice asked for; the retiring waits, and misses what follows."""
    bring(edge, asked_freely, csr_for(NAME))

    meanwhile(runner.run_pending, lambda: retire_agent(actor=carol, agent_id=edge.agent.pk))
    services.end_work_of_retired(actor=system)

    job = only("Deployment")
    assert (job.status, job.attempts) == ("Cancelled", 0)
    assert services.end_work_of_retired(actor=system) == 0


@pytest.mark.parametrize("kind", ["Issuance", "Deployment"])
def test_what_is_left_for_a_retired_agent_is_ended_and_told_and_anothers_is_not(
    edge, register, asked_freely, csr_for, system, kind
):
    register("edge-2")
    if kind == "Deployment":
        deployed(edge, asked_freely, csr_for)
    Agent.objects.filter(name="edge-2").update(retired_at=timezone.now(), enabled=False)
    assert services.end_work_of_retired(actor=system) == 0
    Agent.objects.filter(name="edge-1").update(retired_at=timezone.now(), enabled=False)

    assert services.end_work_of_retired(actor=system) == 1

    job = only(kind)
    assert job.status == "Cancelled"
    assert "retired" in job.last_error
    job.certificate.refresh_from_db()
    assert job.certificate.status == ("Active" if kind == "Deployment" else "Failed")
    assert Event.objects.filter(action="job.cancel", subject_id=job.pk, actor=system).exists()

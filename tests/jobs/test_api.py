"""Jobs over REST: the whole way from the key to the row."""

from datetime import timedelta

import pytest
from django.utils import timezone

import deployments.services
from audit.models import Event
from jobs import approvals, runner, services
from jobs.models import Job
from jobs.states import Status
from owners.models import Principal
from tests.factories import JobFactory, TeamFactory
from tests.jobs.conftest import NAME, status_of

pytestmark = pytest.mark.django_db


def looked(job):
    """What whoever approves over REST sends along."""
    return {"digest": approvals.review(job).digest}


def url(job, action=""):
    return f"/api/v1/jobs/{job.pk}/{action}{'/' if action else ''}"


@pytest.fixture
def body(owner, local_ca, profile, csr_for):
    return {
        "owner": owner.name,
        "issuer": local_ca.slug,
        "profile": profile.slug,
        "csr": csr_for(NAME),
    }


# --- Asking ----------------------------------------------------------------------------------


def test_a_request_makes_a_job(client_of, alice, bob, body, target):
    response = client_of(alice).post("/api/v1/certificates/", {**body, "targets": [target.name]})

    assert response.status_code == 201, response.json()
    given = response.json()
    assert (given["status"], given["kind"]) == ("AwaitingApproval", "Issuance")
    assert given["requested_by_name"] == "alice"
    assert given["waiting_for"]["what"] == "approval"
    assert "alice" in given["waiting_for"]["detail"]
    assert len(given["digest"]) == 64
    assert given["warnings"] == []
    job = Job.objects.get(pk=given["id"])
    assert job.certificate.deployments.get().target == target


def test_a_job_waits_for_its_time_until_that_has_come(db, time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    due, later = (JobFactory(scheduled_at=now + timedelta(seconds=wait)) for wait in (0, 1))

    assert approvals.waits_for(due) is None
    assert approvals.waits_for(later).what == "time"


def test_rows_may_be_named_by_id(client_of, alice, body, owner, local_ca, profile):
    ids = {"owner": str(owner.pk), "issuer": str(local_ca.pk), "profile": str(profile.pk)}

    response = client_of(alice).post("/api/v1/certificates/", body | ids)

    assert response.status_code == 201, response.json()


@pytest.mark.parametrize("what", ["owner", "issuer", "profile", "team", "renewal_policy"])
@pytest.mark.parametrize("value", ["nobody", "5f0c0c2e-6f3e-4c46-9a55-0d0f3e1f7b10", "a\x00b"])
def test_what_does_not_exist_is_named_in_the_answer(client_of, alice, body, what, value):
    response = client_of(alice).post("/api/v1/certificates/", {**body, what: value})

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert (error["field"], error["code"]) == (what, f"unknown_{what}")
    assert not Job.objects.exists()
    assert Event.objects.filter(action="certificate.request.refuse").exists()


def test_an_unknown_target_is_named_in_the_answer(client_of, alice, body):
    response = client_of(alice).post("/api/v1/certificates/", {**body, "targets": ["nowhere"]})

    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "unknown_target"


def test_a_csr_outside_the_profile_is_a_clear_error(client_of, alice, body, csr_for):
    response = client_of(alice).post(
        "/api/v1/certificates/", {**body, "csr": csr_for("www.elsewhere.example")}
    )

    assert response.status_code == 400
    assert response.json()["code"] == "csr_rejected"


@pytest.mark.parametrize("csr", ["no CSR", "a\x00b", "-----BEGIN CERTIFICATE REQUEST-----"])
def test_a_malformed_csr_is_a_clear_error(client_of, alice, body, csr):
    response = client_of(alice).post("/api/v1/certificates/", {**body, "csr": csr})

    assert response.status_code == 400
    assert not Job.objects.exists()


def test_a_viewer_asks_for_nothing(client_of, victor, body, issued, watched_target):
    client = client_of(victor)

    for path, data in (
        ("/api/v1/certificates/", body),
        (f"/api/v1/certificates/{issued.pk}/renew/", {}),
        (f"/api/v1/certificates/{issued.pk}/deploy/", {"target": watched_target.name}),
        (f"/api/v1/certificates/{issued.pk}/verify/", {"target": watched_target.name}),
    ):
        response = client.post(path, data)
        assert response.status_code == 403
        assert response.json()["code"] == "missing_permission"
    assert Job.objects.count() == 1


def test_an_operators_key_that_only_reads_asks_for_nothing(client_of, alice, body):
    response = client_of(alice, role_cap="viewer").post("/api/v1/certificates/", body)

    assert response.status_code == 403


def test_nobody_asks_for_nothing(anonymous, body, awaiting):
    assert anonymous.post("/api/v1/certificates/", body).status_code == 401
    assert anonymous.post(url(awaiting, "approve")).status_code == 401
    assert anonymous.get("/api/v1/jobs/").status_code == 401


def test_a_certificate_is_renewed_deployed_and_looked_at(
    client_of, alice, issued, watched_target, places
):
    client = client_of(alice)
    base = f"/api/v1/certificates/{issued.pk}"

    renewed = client.post(f"{base}/renew/", {})
    runner.run_pending()
    deployed = client.post(f"{base}/deploy/", {"target": watched_target.name})
    runner.run_pending()
    # Bound to one target by now, so it need not be named.
    verified = client.post(f"{base}/verify/", {})
    runner.run_pending()

    for response, kind in (
        (renewed, "Renewal"),
        (deployed, "Deployment"),
        (verified, "Validation"),
    ):
        assert response.status_code == 202, response.json()
        assert response.json()["kind"] == kind
        assert client.get(f"/api/v1/jobs/{response.json()['id']}/").json()["status"] == "Completed"
    again = client.post(f"/api/v1/jobs/{deployed.json()['id']}/verify/", {})
    assert (again.status_code, again.json()["kind"]) == (202, "Validation")


def test_without_a_single_binding_the_target_must_be_named(client_of, alice, issued):
    response = client_of(alice).post(f"/api/v1/certificates/{issued.pk}/deploy/", {})

    assert response.status_code == 409
    assert response.json()["code"] == "no_target"


def test_a_second_renewal_is_a_conflict(client_of, alice, issued):
    client = client_of(alice)
    client.post(f"/api/v1/certificates/{issued.pk}/renew/", {})

    response = client.post(f"/api/v1/certificates/{issued.pk}/renew/", {})

    assert (response.status_code, response.json()["code"]) == (409, "duplicate_job")


def test_the_csr_of_a_waiting_job_is_submitted(client_of, alice, body, csr_for):
    client = client_of(alice)
    asked = client.post(
        "/api/v1/certificates/", {**body, "csr": "", "sans": [f"dns:{NAME}"]}
    ).json()
    assert asked["status"] == "AwaitingCSR"

    response = client.post(f"/api/v1/jobs/{asked['id']}/csr/", {"csr": csr_for(NAME)})

    assert response.status_code == 200, response.json()
    assert response.json()["status"] == "AwaitingApproval"


# --- Deciding --------------------------------------------------------------------------------


def test_a_decider_approves(awaiting, bob, client_of, hints, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        response = client_of(bob).post(
            url(awaiting, "approve"), {"reason": "looks fine", **looked(awaiting)}
        )

    assert response.status_code == 200, response.json()
    assert response.json()["status"] == "Pending"
    decision = response.json()["decision"]
    assert (decision["by"], decision["reason"]) == ("bob", "looks fine")
    event = Event.objects.get(action="job.approve")
    assert (event.actor, event.subject_id) == (bob, str(awaiting.pk))
    assert (event.door, event.api_key) == ("rest", "bob-0")
    assert hints == ["jobs.run_pending_jobs"]


def test_approving_takes_few_queries(awaiting, bob, client_of, django_assert_max_num_queries):
    client, shown = client_of(bob), looked(awaiting)

    # One of them asks whether the CA is revoked, which signs no more then; two hold the labels
    # that it was enrolled at, whose present owners do not decide.
    with django_assert_max_num_queries(42):
        assert client.post(url(awaiting, "approve"), shown).status_code == 200


def test_every_key_of_the_requester_is_refused(awaiting, alice, client_of):
    for name in ("laptop", "pipeline"):
        response = client_of(alice, name=name).post(url(awaiting, "approve"), {})
        assert (response.status_code, response.json()["code"]) == (403, "self_approval")
    response = client_of(alice).post(url(awaiting, "reject"), {"reason": "no"})
    assert (response.status_code, response.json()["code"]) == (403, "self_rejection")

    assert status_of(awaiting) == Status.AWAITING_APPROVAL
    refusals = Event.objects.filter(action="job.approve.refuse")
    assert {event.api_key for event in refusals} == {"laptop", "pipeline"}
    assert all(event.actor == alice for event in refusals)
    assert {event.subject_id for event in refusals} == {str(awaiting.pk)}


@pytest.mark.parametrize("alias", ["e-mail", "team seat", "membership"])
def test_the_owner_is_refused_under_any_alias(awaiting, bob, client_of, owner, alias):
    if alias == "e-mail":
        owner.email = bob.email.upper()
    elif alias == "membership":
        owner.members.add(bob)
    else:
        owner.team = TeamFactory()
        owner.team.members.add(bob)
    owner.save()
    client = client_of(bob)

    response = client.post(url(awaiting, "approve"), {})

    assert (response.status_code, response.json()["code"]) == (403, "self_approval")
    assert status_of(awaiting) == Status.AWAITING_APPROVAL
    assert client.post(url(awaiting, "reject"), {"reason": "not ours"}).status_code == 200


def test_a_wrong_state_is_a_conflict_for_requester_and_decider(awaiting, alice, bob, client_of):
    assert client_of(bob).post(url(awaiting, "approve"), looked(awaiting)).status_code == 200

    for who in (alice, bob):
        for action, data in (("approve", {}), ("reject", {"reason": "no"})):
            response = client_of(who).post(url(awaiting, action), data)
            assert (response.status_code, response.json()["code"]) == (409, "invalid_move")


def test_a_viewer_decides_nothing(awaiting, victor, client_of):
    for action in ("approve", "reject", "csr", "retry"):
        response = client_of(victor).post(url(awaiting, action), {"reason": "no"})
        assert (response.status_code, response.json()["code"]) == (403, "missing_permission")
    response = client_of(victor).post(url(awaiting, "cancel"), {})
    assert (response.status_code, response.json()["code"]) == (403, "not_yours")


def test_a_rejection_needs_its_reason(awaiting, bob, client_of):
    client = client_of(bob)

    for data in ({}, {"reason": ""}, {"reason": "  "}):
        response = client.post(url(awaiting, "reject"), data)
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "reason"
    response = client.post(url(awaiting, "reject"), {"reason": "wrong name"})

    assert response.json()["status"] == "Cancelled"
    assert response.json()["decision"]["reason"] == "wrong name"


def test_the_digest_that_was_shown_must_still_be_true(awaiting, bob, client_of, profile):
    client = client_of(bob)
    shown = client.get(url(awaiting, "review")).json()["digest"]
    profile.max_lifetime *= 2
    profile.save()

    response = client.post(url(awaiting, "approve"), {"digest": shown})

    assert (response.status_code, response.json()["code"]) == (409, "changed_since_shown")
    fresh = client.get(url(awaiting)).json()["digest"]
    assert client.post(url(awaiting, "approve"), {"digest": fresh}).status_code == 200


def test_a_requester_cancels(awaiting, alice, client_of):
    response = client_of(alice).post(url(awaiting, "cancel"), {"reason": "typo"})

    assert response.json()["status"] == "Cancelled"
    assert "typo" in response.json()["last_error"]


def test_a_failed_job_is_tried_again(alice, client_of):
    job = JobFactory(status=Status.FAILED, attempts=3)

    response = client_of(alice).post(url(job, "retry"))

    assert response.json()["status"] == "Pending", response.json()


# --- Reading ---------------------------------------------------------------------------------


def test_a_review_shows_what_differs_from_the_predecessor(
    client_of, alice, bob, issued, free_profile, csr_for
):
    free_profile.approval_required_for = ["Renewal"]
    free_profile.save()
    job = services.request_renewal(actor=alice, certificate_id=issued.pk, csr_pem=csr_for(NAME)).job

    review = client_of(bob).get(url(job, "review")).json()

    assert review["names"] == [f"dns:{NAME}"]
    assert review["predecessor"]["serial"] == issued.current.serial
    assert [difference["what"] for difference in review["differences"]] == ["key"]
    assert review["key_fingerprint"] != issued.current.key_fingerprint
    assert (review["issuer"], review["profile"]) == ("issuing", "tls-free")


def test_a_first_version_has_no_predecessor(awaiting, victor, client_of):
    review = client_of(victor).get(url(awaiting, "review")).json()

    assert review["predecessor"] is None
    assert review["key_algorithm"].startswith("ecdsa-p256")


def test_jobs_are_filtered_in_the_database(client_of, victor, awaiting, issued):
    client = client_of(victor)

    def ids(query):
        response = client.get(f"/api/v1/jobs/?{query}")
        assert response.status_code == 200, response.json()
        return [row["id"] for row in response.json()["results"]]

    assert ids("status=AwaitingApproval") == [str(awaiting.pk)]
    assert len(ids("status=AwaitingApproval&status=Completed")) == 2
    assert ids("kind=Renewal") == []
    assert len(ids(f"certificate={issued.pk}")) == 1
    assert len(ids(f"requested_by={awaiting.requested_by_id}")) == 2
    assert ids("created_after=2100-01-01T00:00:00Z") == []
    assert len(ids("search=web.demo&sort=-status")) == 2
    assert client.get("/api/v1/jobs/?status=Nonsense").status_code == 400


def test_a_list_takes_as_many_queries_for_one_as_for_many(
    client_of, victor, ask, profile, django_assert_max_num_queries
):
    for name in ("a", "b", "c", "d"):
        ask(profile, f"{name}.demo.internal")
    client = client_of(victor)
    client.get("/api/v1/jobs/")

    with django_assert_max_num_queries(8):
        assert len(client.get("/api/v1/jobs/").json()["results"]) == 4


def test_only_the_asked_for_fields_are_given(client_of, victor, awaiting):
    row = client_of(victor).get(url(awaiting) + "?fields=id,status").json()

    assert row == {"id": str(awaiting.pk), "status": "AwaitingApproval"}


def test_jobs_are_not_written_directly(client_of, carol, awaiting):
    client = client_of(carol)

    assert client.post("/api/v1/jobs/", {}).status_code == 405
    assert client.patch(url(awaiting), {"status": "Pending"}).status_code in {403, 405}
    assert client.delete(url(awaiting)).status_code in {403, 405}
    assert client.get("/api/v1/jobs/nonsense/").status_code == 404


# --- Idempotency-Key -------------------------------------------------------------------------


def test_the_same_request_again_gets_the_same_answer(client_of, alice, body):
    client = client_of(alice)

    first = client.post("/api/v1/certificates/", body, HTTP_IDEMPOTENCY_KEY="order 66")
    again = client.post("/api/v1/certificates/", body, HTTP_IDEMPOTENCY_KEY="order 66")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Job.objects.count() == 1


def test_another_request_under_the_same_key_is_refused(client_of, alice, body, csr_for):
    client = client_of(alice)
    client.post("/api/v1/certificates/", body, HTTP_IDEMPOTENCY_KEY="k")

    response = client.post(
        "/api/v1/certificates/",
        {**body, "csr": csr_for("b.demo.internal")},
        HTTP_IDEMPOTENCY_KEY="k",
    )

    assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_reused")
    assert Job.objects.count() == 1


def test_a_key_belongs_to_its_principal(client_of, alice, bob, body):
    client_of(alice).post("/api/v1/certificates/", body, HTTP_IDEMPOTENCY_KEY="k")

    response = client_of(bob).post("/api/v1/certificates/", body, HTTP_IDEMPOTENCY_KEY="k")

    assert response.status_code == 201
    assert Job.objects.count() == 2


def test_a_failed_request_leaves_its_key_free(client_of, alice, body, owner):
    client = client_of(alice)
    wrong = {**body, "csr": "no CSR"}
    assert client.post("/api/v1/certificates/", wrong, HTTP_IDEMPOTENCY_KEY="k").status_code == 400

    response = client.post("/api/v1/certificates/", body, HTTP_IDEMPOTENCY_KEY="k")

    assert response.status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 129, "tab\there", "ümlaut"])
def test_a_key_is_printable_and_not_too_long(client_of, alice, body, key):
    response = client_of(alice).post("/api/v1/certificates/", body, HTTP_IDEMPOTENCY_KEY=key)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_idempotency_key")
    assert not Job.objects.exists()


# --- Doors and bounds ------------------------------------------------------------------------


def test_whoever_may_nothing_reads_no_review(client_of, awaiting):
    nobody = Principal.objects.create(username="nobody")

    response = client_of(nobody).get(url(awaiting, "review"))

    assert (response.status_code, response.json()["code"]) == (403, "missing_permission")


def test_a_viewer_has_no_job_looked_at_again(client_of, victor, awaiting):
    response = client_of(victor).post(url(awaiting, "verify"))

    assert (response.status_code, response.json()["code"]) == (403, "missing_permission")


def test_of_two_targets_one_must_be_named(client_of, alice, issued, target, watched_target):
    for one in (target, watched_target):
        deployments.services.bind(actor=alice, certificate=issued, target=one)

    response = client_of(alice).post(f"/api/v1/certificates/{issued.pk}/deploy/", {})

    assert (response.status_code, response.json()["code"]) == (409, "no_target")


def test_a_csr_is_bounded(client_of, alice, body, awaiting):
    client = client_of(alice)
    long = {"csr": "x" * 65537}

    for path, data in (("/api/v1/certificates/", body | long), (url(awaiting, "csr"), long)):
        response = client.post(path, data)
        assert response.status_code == 400
        assert ("csr", "max_length") in {
            (error["field"], error["code"]) for error in response.json()["errors"]
        }


def test_a_thousand_names_may_be_asked_for_and_no_more(client_of, alice, body):
    sans = [f"dns:{n}.demo.internal" for n in range(1001)]

    response = client_of(alice).post("/api/v1/certificates/", {**body, "sans": sans})

    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "max_length"

"""Replace first: what is proven to be replaced is revoked, the rest at the deadline or not at all.

Carol makes the plan, alice brings the new requests, the worker does the rest.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from certificates.models import Certificate, CertificateStatus, Revocation, Version
from certificates.services import revoke
from deployments.models import Deployment, Target
from jobs import runner
from jobs import services as job_services
from jobs.models import Job
from jobs.states import Status as JobStatus
from revocation import services
from revocation.models import Item, Plan
from revocation.policy import InvalidPlan, PlanExpired
from revocation.states import Status
from tests.factories import VersionFactory
from tests.revocation.conftest import confirm

pytestmark = pytest.mark.django_db


@pytest.fixture
def replacing(plan_of):
    """Make a plan that replaces first: `replacing(unproven="revoke")`."""

    def plan(unproven="leave", **said):
        ends = timezone.now() + timedelta(days=1)
        return plan_of(replace_first=True, replace_by=ends, unproven=unproven, **said)

    return plan


def again():
    """Let the time pass until the plan is looked at again."""
    Plan.objects.update(next_at=timezone.now())


def states():
    return list(Item.objects.order_by("position").values_list("replacement", "outcome"))


def test_a_new_key_is_asked_for_and_what_has_no_place_is_revoked_once_it_is_issued(
    make, replacing, carol, alice, run, csr_for, free_profile
):
    (old,) = make(1, profile=free_profile)
    confirm(replacing(), carol)

    run()
    job = Job.objects.get()
    assert (job.status, job.requested_by) == (JobStatus.AWAITING_CSR, carol)
    assert states() == [("asked", "")]
    assert not Revocation.objects.exists()
    job_services.submit_csr(actor=alice, job_id=job.pk, csr_pem=csr_for(old.certificate.name))
    runner.run_pending()
    again()
    run()

    assert states() == [("proven", "revoked")]
    assert Revocation.objects.get().version == old
    assert Plan.objects.get().status == Status.COMPLETED
    assert Certificate.objects.get().status == "Active"


def test_the_key_that_there_is_is_not_certified_again(issued, plan_of, carol, run):
    """A renewal as policies ask for it would take the last request, which is here."""
    assert issued.current.csr_pem
    ends = timezone.now() + timedelta(days=1)
    criteria = {"ids": [str(issued.pk)]}
    confirm(
        plan_of(criteria=criteria, replace_first=True, replace_by=ends, unproven="leave"), carol
    )

    run()

    job = Job.objects.order_by("created_at").last()
    assert (job.status, job.csr_pem) == (JobStatus.AWAITING_CSR, "")


def test_the_usual_approval_stands_before_the_replacement(
    make, replacing, carol, alice, run, csr_for, profile
):
    (old,) = make(1, profile=profile)
    confirm(replacing(), carol)
    run()
    job = Job.objects.get()

    job_services.submit_csr(actor=alice, job_id=job.pk, csr_pem=csr_for(old.certificate.name))

    assert Job.objects.get().status == JobStatus.AWAITING_APPROVAL
    again()
    run()
    assert not Revocation.objects.exists()


def test_a_profile_that_wants_to_know_why_is_told_of_the_plan(
    make, replacing, carol, run, free_profile
):
    """Were nothing said, no successor could be asked for, and all would be revoked unreplaced."""
    free_profile.justification_required = True
    free_profile.save()
    make(1, profile=free_profile)
    plan = replacing(note="n" * job_services.MAX_JUSTIFICATION)
    confirm(plan, carol)

    run()

    assert states() == [("asked", "")]
    words = Job.objects.get().justification
    assert str(plan.pk) in words
    assert len(words) == job_services.MAX_JUSTIFICATION


@pytest.fixture
def deployed(make, local_ca):
    """A certificate at a target with an endpoint and at one without, and its successor."""
    (old,) = make(1)
    places = [
        Target.objects.create(name="seen", kind="file", endpoint_host="h", endpoint_port=443),
        Target.objects.create(name="unseen", kind="file"),
    ]
    for target in places:
        Deployment.objects.create(
            certificate=old.certificate, target=target, version=old, deployed_at=timezone.now()
        )
    return old


def put(version, name, **seen):
    Deployment.objects.filter(target__name=name).update(
        version=version, deployed_at=timezone.now(), **seen
    )


def test_proven_is_what_a_handshake_saw_and_without_an_endpoint_what_was_deployed(
    deployed, replacing, carol, run
):
    confirm(replacing(), carol)
    new = VersionFactory(certificate=deployed.certificate)
    Version.objects.filter(pk=deployed.pk).update(superseded_at=timezone.now())

    run()
    assert states() == [("issued", "")]
    put(new, "seen", health="Unknown")
    again()
    run()
    assert states() == [("issued", "")]
    put(new, "seen", health="Healthy", served_fingerprint=deployed.fingerprint)
    again()
    run()
    assert states() == [("issued", "")]
    put(new, "seen", health="Healthy", served_fingerprint=new.fingerprint)
    again()
    run()
    assert states() == [("issued", "")]
    put(new, "unseen")
    again()
    run()

    assert states() == [("proven", "revoked")]


@pytest.mark.parametrize("wrong", ["key", "revoked", "planned"])
def test_no_successor_is_what_has_the_same_key_or_is_bad_itself(
    make, replacing, carol, run, bob, wrong
):
    (old,) = make(1)
    options = {"key_fingerprint": old.key_fingerprint} if wrong == "key" else {}
    if wrong == "planned":
        VersionFactory(certificate=old.certificate, **options)
    confirm(replacing(), carol)
    if wrong != "planned":
        new = VersionFactory(certificate=old.certificate, **options)
    if wrong == "revoked":
        revoke(version_id=new.pk, actor=bob)

    run()

    assert {outcome for _, outcome in states()} == {""}
    assert "proven" not in {state for state, _ in states()}


@pytest.mark.parametrize("reason", ["superseded", "certificateHold"])
def test_a_successor_that_bob_revokes_between_two_waves_replaces_nothing_any_more(
    make, replacing, carol, run, bob, reason
):
    olds = make(2)
    confirm(replacing(wave_size=1, pause_seconds=60), carol)
    news = {one.pk: VersionFactory(certificate=one.certificate) for one in olds}
    run()
    assert states() == [("proven", "revoked"), ("proven", "")]
    waiting = Item.objects.get(outcome="").version
    revoke(version_id=news[waiting.pk].pk, actor=bob, reason=reason)
    again()

    run()

    assert states() == [("proven", "revoked"), ("asked", "")]
    assert not Revocation.objects.filter(version=waiting).exists()


def test_what_is_left_at_the_deadline_is_not_asked_for_any_more(make, replacing, carol, dave, run):
    """Dave held the plan beyond its deadline: nobody is to renew what it leaves."""
    make(2)
    plan = confirm(replacing("leave"), carol)
    services.pause_plan(plan_id=plan.pk, actor=dave)
    Plan.objects.update(replace_by=timezone.now())
    services.resume_plan(plan_id=plan.pk, actor=dave)

    run()

    assert states() == [("wanted", "left")] * 2
    assert not Job.objects.exists()


@pytest.mark.parametrize(("unproven", "outcome"), [("revoke", "revoked"), ("leave", "left")])
def test_at_the_deadline_what_is_not_replaced_is_revoked_or_left(
    make, replacing, carol, run, unproven, outcome
):
    make(2)
    plan = replacing(unproven)
    confirm(plan, carol)
    run()
    assert {outcome for _, outcome in states()} == {""}
    Plan.objects.update(replace_by=timezone.now(), next_at=timezone.now())

    run()

    assert states() == [("asked", outcome)] * 2
    plan.refresh_from_db()
    assert plan.status == Status.COMPLETED
    assert Revocation.objects.count() == (2 if unproven == "revoke" else 0)


def test_what_cannot_be_asked_for_is_told_and_stops_no_other(make, replacing, carol, run, system):
    put_away, _ = make(2)
    confirm(replacing(), carol)
    Certificate.objects.filter(pk=put_away.certificate_id).update(status=CertificateStatus.ARCHIVED)

    run()

    assert sorted(states()) == [("asked", ""), ("failed", "")]
    assert Item.objects.get(replacement="failed").replacement_detail


@pytest.mark.parametrize("reason", ["keyCompromise", "cACompromise"])
def test_a_compromise_is_not_kept_waiting_for_a_replacement(make, replacing, reason):
    make(1)

    with pytest.raises(InvalidPlan) as caught:
        replacing(reason=reason)

    assert caught.value.errors[0]["code"] == "compromise"


@pytest.mark.parametrize("days", [-1, 91])
def test_the_deadline_is_bounded(make, plan_of, days):
    make(1)
    at = timezone.now() + timedelta(days=days)

    with pytest.raises(InvalidPlan) as caught:
        plan_of(replace_first=True, replace_by=at, unproven="leave")

    assert caught.value.errors[0]["field"] == "replace_by"


def test_a_plan_that_nobody_confirmed_by_its_deadline_revokes_nothing_unreplaced(
    make, plan_of, carol, dave, run, monkeypatch
):
    """Carol gives an hour; dave comes after two, within the day that plans have."""
    make(2)
    ends = timezone.now() + timedelta(hours=1)
    plan = plan_of(replace_first=True, replace_by=ends, unproven="revoke")
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr("foundation.clock.database_clock.now", lambda: later)

    with pytest.raises(PlanExpired):
        confirm(plan, dave)

    assert run() == 0
    assert not Revocation.objects.exists()


def test_a_drill_asks_for_no_renewal_and_waits_for_none(make, replacing, carol, run):
    make(2)
    plan = replacing(drill=True)
    confirm(plan, carol)

    run()

    plan.refresh_from_db()
    assert (plan.status, plan.revoked) == (Status.COMPLETED, 2)
    assert not Job.objects.exists()
    assert not Revocation.objects.exists()


def test_the_report_says_how_each_replacement_stands(make, replacing, carol, run):
    make(1)
    plan = replacing()
    confirm(plan, carol)
    run()

    (line,) = services.lines(plan, services.items_of(plan))

    assert (line.replacement, line.replacement_job) == ("asked", "AwaitingCSR")
    assert services.summary(plan)["replacements"] == {"asked": 1}


def test_any_number_is_asked_for_in_one_go(make, replacing, carol, run, monkeypatch):
    monkeypatch.setattr("revocation.services.replacing.BATCH", 2)
    make(5)
    confirm(replacing(), carol)

    run()

    assert [state for state, _ in states()] == ["asked"] * 5
    assert Job.objects.count() == 5

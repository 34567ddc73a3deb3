"""Approve, reject, cancel: separation of duties, under every alias."""

import pytest
from django.utils import timezone

from audit.models import Event
from certificates.models import CertificateStatus
from foundation.errors import Invalid
from jobs import policy, runner, services
from jobs.models import InvalidMove, Job
from jobs.services import ChangedSinceShown
from jobs.states import OPEN, Status
from owners.models import Principal
from owners.roles import Role
from tests.factories import CertificateFactory, JobFactory, OwnerFactory, TeamFactory
from tests.fixtures import person
from tests.jobs.conftest import status_of

pytestmark = pytest.mark.django_db


def waiting(**fields):
    return JobFactory(status=Status.AWAITING_APPROVAL, **fields)


# --- Who may not -----------------------------------------------------------------------------


def test_the_requester_does_not_approve(awaiting, alice):
    with pytest.raises(policy.SelfApproval) as refused:
        services.approve_job(job_id=awaiting.pk, actor=alice)

    assert refused.value.code == "self_approval"
    assert status_of(awaiting) == Status.AWAITING_APPROVAL


def test_the_requester_does_not_reject(awaiting, alice):
    with pytest.raises(policy.SelfRejection) as refused:
        services.reject_job(job_id=awaiting.pk, actor=alice, reason="changed my mind")

    assert refused.value.code == "self_rejection"
    assert status_of(awaiting) == Status.AWAITING_APPROVAL


def _seat(owner, who):
    owner.team = TeamFactory()
    owner.team.members.add(who)


ALIASES = {
    "a member of the owner": lambda owner, who: owner.members.add(who),
    "the owner's e-mail": lambda owner, who: setattr(owner, "email", who.email.upper()),
    "the owner's name": lambda owner, who: setattr(owner, "name", who.username.title()),
    "a seat in the owner's team": _seat,
}


@pytest.mark.parametrize("alias", ALIASES)
def test_an_owner_does_not_approve_under_any_alias(bob, alias):
    owner = OwnerFactory()
    ALIASES[alias](owner, bob)
    owner.save()
    job = waiting(certificate__owner=owner)

    with pytest.raises(policy.SelfApproval):
        services.approve_job(job_id=job.pk, actor=bob)

    assert status_of(job) == Status.AWAITING_APPROVAL


def test_a_seat_in_the_certificates_team_does_not_approve(bob):
    team = TeamFactory()
    team.members.add(bob)
    job = waiting(certificate__team=team)

    with pytest.raises(policy.SelfApproval):
        services.approve_job(job_id=job.pk, actor=bob)


def test_a_second_principal_of_the_requester_does_not_approve(bob):
    machine = Principal.objects.create(username="bobs-robot", email=bob.email.upper())
    job = waiting(requested_by=machine)

    with pytest.raises(policy.SelfApproval):
        services.approve_job(job_id=job.pk, actor=bob)
    with pytest.raises(policy.SelfRejection):
        services.reject_job(job_id=job.pk, actor=bob, reason="no")


def test_whoever_gave_the_csr_does_not_approve(bob, carol, ask, profile, csr_for):
    # Alice asked, but it is bob's key that would be certified.
    job = ask(profile, csr_pem="", sans=["dns:web.demo.internal"])
    services.submit_csr(job_id=job.pk, actor=bob, csr_pem=csr_for("web.demo.internal"))

    with pytest.raises(policy.SelfApproval):
        services.approve_job(job_id=job.pk, actor=bob)
    with pytest.raises(policy.SelfRejection):
        services.reject_job(job_id=job.pk, actor=bob, reason="no")
    services.approve_job(job_id=job.pk, actor=carol)

    assert status_of(job) == Status.PENDING


def test_an_empty_e_mail_is_nobodys_alias(bob):
    bob.email = ""
    bob.save()
    job = waiting(
        requested_by=Principal.objects.create(username="other", email=""),
        certificate__owner=OwnerFactory(email=""),
    )

    services.approve_job(job_id=job.pk, actor=bob)

    assert status_of(job) == Status.PENDING


def test_an_owner_who_did_not_ask_may_reject(bob):
    owner = OwnerFactory()
    owner.members.add(bob)
    job = waiting(certificate__owner=owner)

    services.reject_job(job_id=job.pk, actor=bob, reason="not ours")

    assert status_of(job) == Status.CANCELLED


def test_the_system_decides_nothing(system):
    job = waiting()
    system.is_superuser = True
    system.save()

    with pytest.raises(policy.MayNotDecide):
        services.approve_job(job_id=job.pk, actor=system)
    with pytest.raises(policy.MayNotDecide):
        services.reject_job(job_id=job.pk, actor=system, reason="no")


def test_a_disabled_principal_decides_nothing(bob):
    job = waiting()
    bob.is_active = False

    with pytest.raises(policy.MayNotDecide):
        services.approve_job(job_id=job.pk, actor=bob)


@pytest.mark.parametrize("change", [{"is_active": False}, {"kind": Principal.Kind.SYSTEM}])
def test_no_right_however_granted_makes_up_for_what_somebody_is(bob, monkeypatch, change):
    job = waiting()
    monkeypatch.setattr(Principal, "has_perm", lambda self, permission, obj=None: True)
    for name, value in change.items():
        setattr(bob, name, value)

    with pytest.raises(policy.MayNotDecide):
        services.approve_job(job_id=job.pk, actor=bob)
    with pytest.raises(policy.MayNotDecide):
        services.reject_job(job_id=job.pk, actor=bob, reason="no")


def test_a_viewer_decides_nothing(victor):
    job = waiting()

    with pytest.raises(policy.MayNotDecide):
        services.approve_job(job_id=job.pk, actor=victor)
    with pytest.raises(policy.MayNotDecide):
        services.reject_job(job_id=job.pk, actor=victor, reason="no")


def test_a_capped_key_decides_nothing(bob):
    job = waiting()
    bob.cap = Role.VIEWER

    with pytest.raises(policy.MayNotDecide):
        services.approve_job(job_id=job.pk, actor=bob)


def test_what_cannot_be_told_is_refused(bob):
    job = waiting()
    job.requested_by_id = None
    assert policy.asked_for(bob, job)

    certificate = CertificateFactory()
    certificate.owner_id = None
    assert policy.answers_for(bob, certificate)
    assert policy.answers_for(bob, None)
    assert policy.asked_for(Principal(id=None), waiting())


# --- A wrong state is a conflict, never a matter of permission -------------------------------


@pytest.mark.parametrize("status", [s for s in Status if s != Status.AWAITING_APPROVAL])
def test_a_wrong_state_is_told_before_self(alice, bob, status):
    job = JobFactory(status=status, requested_by=alice)

    for actor in (alice, bob):
        with pytest.raises(InvalidMove):
            services.approve_job(job_id=job.pk, actor=actor)
        with pytest.raises(InvalidMove):
            services.reject_job(job_id=job.pk, actor=actor, reason="no")

    assert status_of(job) == status


# --- What is kept ----------------------------------------------------------------------------


def test_an_approval_keeps_who_when_why_and_what(
    awaiting, bob, hints, django_capture_on_commit_callbacks
):
    shown = services.decisions.approvals.review(awaiting).digest

    with django_capture_on_commit_callbacks(execute=True):
        job = services.approve_job(
            job_id=awaiting.pk, actor=bob, reason=" looks fine ", digest=shown
        )

    assert (job.decided_by, job.decision_reason) == (bob, "looks fine")
    assert job.decided_at is not None
    assert job.approved_digest == shown
    assert len(shown) == 64
    assert job.waits_until is None
    event = Event.objects.get(action="job.approve")
    assert event.data["digest"] == shown
    assert hints == ["jobs.run_pending_jobs"]


def test_an_approval_of_what_was_not_shown_is_a_conflict(awaiting, bob):
    with pytest.raises(ChangedSinceShown) as refused:
        services.approve_job(job_id=awaiting.pk, actor=bob, digest="0" * 64)

    assert refused.value.code == "changed_since_shown"
    assert status_of(awaiting) == Status.AWAITING_APPROVAL


def test_a_rejection_keeps_its_reason_and_fails_what_never_had_a_version(awaiting, bob):
    job = services.reject_job(job_id=awaiting.pk, actor=bob, reason="wrong name")

    assert (job.status, job.decision_reason, job.decided_by) == ("Cancelled", "wrong name", bob)
    assert job.approved_digest == ""
    job.certificate.refresh_from_db()
    assert job.certificate.status == CertificateStatus.FAILED
    assert Event.objects.get(action="job.reject").data["reason"] == "wrong name"


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_rejection_needs_a_reason(awaiting, bob, reason):
    with pytest.raises(Invalid) as refused:
        services.reject_job(job_id=awaiting.pk, actor=bob, reason=reason)

    assert refused.value.errors[0]["field"] == "reason"
    assert status_of(awaiting) == Status.AWAITING_APPROVAL


# --- Cancel ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", Status)
def test_cancelling_ends_what_is_open_and_nothing_else(bob, status):
    job = JobFactory(status=status, lease_until=timezone.now())

    # What failed here has tries left (tests/jobs/test_calling_off.py has what has none).
    if status in (*OPEN, Status.FAILED):
        services.cancel_job(job_id=job.pk, actor=bob, reason="not needed")
        assert status_of(job) == Status.CANCELLED
    else:
        with pytest.raises(InvalidMove):
            services.cancel_job(job_id=job.pk, actor=bob)
        assert status_of(job) == status


def test_requester_and_owner_cancel_without_a_role(db):
    requester = Principal.objects.create(username="requester")
    member = Principal.objects.create(username="member")
    owner = OwnerFactory()
    owner.members.add(member)

    for actor in (requester, member):
        job = waiting(requested_by=requester, certificate__owner=owner)
        services.cancel_job(job_id=job.pk, actor=actor)
        assert status_of(job) == Status.CANCELLED


def test_a_seat_in_the_certificates_team_cancels_and_its_likeness_does_not(db):
    seated = Principal.objects.create(username="seated", email="s@people.example")
    alike = Principal.objects.create(username="alike", email="S+x@people.example")
    team = TeamFactory()
    team.members.add(seated)
    job = waiting(certificate__team=team)

    with pytest.raises(policy.NotYours):
        services.cancel_job(job_id=job.pk, actor=alike)
    services.cancel_job(job_id=job.pk, actor=seated)

    assert status_of(job) == Status.CANCELLED


@pytest.mark.parametrize("alike", ["the owner's name", "the owner's e-mail"])
def test_likeness_to_an_owner_does_not_cancel(victor, alike):
    owner = OwnerFactory()
    ALIASES[alike](owner, victor)
    owner.save()
    job = waiting(certificate__owner=owner)

    with pytest.raises(policy.NotYours):
        services.cancel_job(job_id=job.pk, actor=victor)


def test_others_do_not_cancel(victor, system):
    job = waiting()

    for actor in (victor, system):
        with pytest.raises(policy.NotYours) as refused:
            services.cancel_job(job_id=job.pk, actor=actor)
        assert refused.value.code == "not_yours"


def test_a_requesters_key_that_only_reads_does_not_cancel(alice):
    job = waiting(requested_by=alice)
    alice.cap = Role.VIEWER

    with pytest.raises(policy.NotYours):
        services.cancel_job(job_id=job.pk, actor=alice)


def test_cancelling_a_renewal_gives_the_certificate_its_status_back(issued, alice):
    job = services.request_renewal(actor=alice, certificate_id=issued.pk).job
    issued.refresh_from_db()
    assert issued.status == CertificateStatus.RENEWAL_IN_PROGRESS

    services.cancel_job(job_id=job.pk, actor=alice)

    issued.refresh_from_db()
    assert issued.status == CertificateStatus.ACTIVE


def test_a_cancelled_deployment_leaves_the_certificate_alone(issued, alice, target):
    job = services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)

    services.cancel_job(job_id=job.pk, actor=alice)

    issued.refresh_from_db()
    assert issued.status == CertificateStatus.ACTIVE


def test_roles_are_what_they_are(db):
    job = waiting()
    dora = person("dora", Role.ADMIN)

    services.approve_job(job_id=job.pk, actor=dora)

    assert status_of(job) == Status.PENDING


# --- Who gains from what follows, and bounds -------------------------------------------------


def test_whoever_gave_the_csr_does_not_approve_what_follows(
    bob, carol, ask, profile, csr_for, target
):
    profile.approval_required_for = ["Issuance", "Deployment"]
    profile.save()
    job = ask(profile, csr_pem="", sans=["dns:web.demo.internal"], targets=[target])
    services.submit_csr(job_id=job.pk, actor=bob, csr_pem=csr_for("web.demo.internal"))
    services.approve_job(job_id=job.pk, actor=carol)
    runner.run_pending()
    deployment = Job.objects.get(kind=Job.Kind.DEPLOYMENT)

    with pytest.raises(policy.SelfApproval):
        services.approve_job(job_id=deployment.pk, actor=bob)
    services.approve_job(job_id=deployment.pk, actor=carol)


def test_somebody_disabled_does_not_cancel_their_own(alice):
    job = waiting(requested_by=alice)
    alice.is_active = False

    with pytest.raises(policy.NotYours):
        services.cancel_job(job_id=job.pk, actor=alice)


def test_the_system_cancels_not_even_what_it_asked_for(system):
    job = waiting(requested_by=system)

    with pytest.raises(policy.NotYours):
        services.cancel_job(job_id=job.pk, actor=system)


def test_a_reason_has_two_thousand_characters_at_most(bob):
    job = waiting()

    for decide in (services.approve_job, services.reject_job, services.cancel_job):
        with pytest.raises(Invalid) as refused:
            decide(job_id=job.pk, actor=bob, reason="x" * 2001)
        assert refused.value.errors[0]["code"] == "too_long"
    services.approve_job(job_id=job.pk, actor=bob, reason="x" * 2000)

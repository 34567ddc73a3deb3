"""What was never agreed to is an Issuance: imported certificates, and revoked ones that come back.

Alice imports, renews and revokes; bob decides.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

import certificates.services
from audit.models import Event
from certificates.details import Details
from certificates.models import Reason, RenewalPolicy
from jobs import approvals, runner, services
from jobs.kinds.signing import CompromisedKey
from jobs.models import Job
from jobs.states import Status
from tests.ca import OLD, make_ca, named, pem_of
from tests.fixtures import make_csr, new_key
from tests.jobs.conftest import NAME, grow_old, status_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def imported(alice, owner, local_ca, profile):
    """A certificate of a CA that nobody knows, which alice put into the inventory."""
    old = make_ca(subject=named("Old CA"), begins=timezone.now() - OLD)
    leaf = old.certify(NAME, name=NAME, begins=timezone.now() - OLD, lifetime=timedelta(days=300))
    return certificates.services.import_pem(
        actor=alice,
        pem=pem_of(leaf.certificate),
        details=Details(owner=owner, issuer=local_ca, profile=profile),
    )


def needs(profile, *kinds):
    profile.approval_required_for = list(kinds)
    profile.save()


def renew(certificate, actor, **options):
    return services.request_renewal(actor=actor, certificate_id=certificate.pk, **options).job


def revoke(certificate, actor, reason):
    certificate.refresh_from_db()
    certificates.services.revoke(
        version_id=certificate.current_id, actor=actor, reason=reason, publish=False
    )


def approve(job, actor):
    return services.approve_job(job_id=job.pk, actor=actor, digest=approvals.review(job).digest)


# --- Imported ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kinds", [["Issuance"], ["Renewal"], ["Issuance", "Renewal"]])
def test_the_first_signature_of_an_imported_name_waits_for_approval(
    imported, profile, alice, csr_for, kinds
):
    needs(profile, *kinds)

    job = renew(imported, alice, csr_pem=csr_for(NAME))

    assert (job.kind, job.status) == (Job.Kind.ISSUANCE, Status.AWAITING_APPROVAL)
    assert runner.run_pending() == 0


@pytest.mark.parametrize("kinds", [["Issuance"], ["Renewal"]])
def test_a_csr_that_comes_later_is_no_way_round_the_approval(
    imported, profile, alice, csr_for, kinds
):
    needs(profile, *kinds)
    job = renew(imported, alice)

    services.submit_csr(job_id=job.pk, actor=alice, csr_pem=csr_for(NAME))

    assert status_of(job) == Status.AWAITING_APPROVAL


def test_over_rest_too(client_of, imported, profile, alice, csr_for):
    needs(profile, "Issuance")

    answer = client_of(alice).post(
        f"/api/v1/certificates/{imported.pk}/renew/", {"csr": csr_for(NAME)}
    )

    assert answer.status_code == 202
    assert (answer.json()["kind"], answer.json()["status"]) == ("Issuance", "AwaitingApproval")


def test_once_it_was_agreed_to_the_next_is_a_renewal(imported, profile, alice, bob, csr_for):
    needs(profile, "Issuance")
    approve(renew(imported, alice, csr_pem=csr_for(NAME)), bob)
    assert runner.run_pending() == 1

    job = renew(imported, alice, csr_pem=csr_for(NAME))

    assert (job.kind, job.status) == (Job.Kind.RENEWAL, Status.PENDING)


def test_what_an_earlier_release_renewed_unasked_is_no_agreement(imported, profile, alice, csr_for):
    """As a Renewal of an import went ahead under a profile that names Issuance alone."""
    needs(profile)
    first = renew(imported, alice, csr_pem=csr_for(NAME))
    assert runner.run_pending() == 1
    Job.objects.filter(pk=first.pk).update(kind=Job.Kind.RENEWAL)
    needs(profile, "Issuance")

    job = renew(imported, alice, csr_pem=csr_for(NAME))

    assert (job.kind, job.status) == (Job.Kind.ISSUANCE, Status.AWAITING_APPROVAL)


def test_a_renewal_that_is_still_open_from_before_is_not_signed(imported, profile, alice, csr_for):
    needs(profile, "Issuance")
    job = renew(imported, alice, csr_pem=csr_for(NAME))
    Job.objects.filter(pk=job.pk).update(kind=Job.Kind.RENEWAL, status=Status.PENDING)

    runner.run_pending()

    assert status_of(job) == Status.FAILED
    assert imported.versions.count() == 1


def test_a_refused_issuance_is_not_asked_for_again_the_same_day(imported, system, bob):
    imported.renewal_policy = RenewalPolicy.objects.create(
        name="always", window=timedelta(days=400)
    )
    imported.save()
    grow_old()
    assert services.request_due_renewals(actor=system) == 1
    job = Job.objects.get()
    services.submit_csr(job_id=job.pk, actor=system, csr_pem=make_csr(NAME))
    services.reject_job(job_id=job.pk, actor=bob, reason="not ours")

    assert services.request_due_renewals(actor=system) == 0


def test_a_name_without_a_version_is_asked_about_as_its_profile_says_of_an_issuance(ask, profile):
    needs(profile, "Renewal")

    assert ask(profile).status == Status.PENDING


def test_an_issuance_asks_as_one_whatever_was_agreed_to_meanwhile(agreed, alice, csr_for, profile):
    """As one that waited for its CSR while the certificate was on hold."""
    needs(profile, "Issuance", "Renewal")
    revoke(agreed, alice, Reason.CERTIFICATE_HOLD)
    profile.approval_required_for = ["Renewal"]
    profile.save()
    job = Job(kind=Job.Kind.ISSUANCE, certificate=agreed, requested_by=alice)
    job.begin(Status.AWAITING_CSR)
    job.save()
    certificates.services.release_hold(version_id=agreed.current_id, actor=alice)

    services.submit_csr(job_id=job.pk, actor=alice, csr_pem=csr_for(NAME))

    assert status_of(job) == Status.AWAITING_APPROVAL


# --- Revoked ----------------------------------------------------------------------------------


@pytest.fixture
def agreed(awaiting, bob):
    """A certificate that alice asked for and bob agreed to."""
    approve(awaiting, bob)
    assert runner.run_pending() == 1
    return awaiting.certificate


@pytest.mark.parametrize("kinds", [["Issuance"], ["Renewal"]])
def test_what_was_revoked_comes_back_as_an_issuance(agreed, profile, alice, kinds):
    needs(profile, *kinds)
    revoke(agreed, alice, Reason.SUPERSEDED)

    asked = services.request_renewal(actor=alice, certificate_id=agreed.pk)

    assert (asked.job.kind, asked.job.status) == (Job.Kind.ISSUANCE, Status.AWAITING_APPROVAL)
    assert asked.warnings == ("The certificate is revoked (superseded): this brings it back.",)
    assert approvals.review(asked.job).after_revocation == "superseded"
    assert Event.objects.filter(action="job.request").first().data["after_revocation"] == (
        "superseded"
    )
    agreed.refresh_from_db()
    assert agreed.status == "Revoked"


def test_who_decides_sees_that_it_comes_back(agreed, alice, bob, browse, client_of):
    revoke(agreed, alice, Reason.SUPERSEDED)
    job = renew(agreed, alice)

    page = browse(bob).get(f"/admin/jobs/job/{job.pk}/approve/", follow=True)
    review = client_of(bob).get(f"/api/v1/jobs/{job.pk}/review/").json()

    assert "is revoked (superseded): this brings it back" in page.text
    assert review["after_revocation"] == "superseded"


@pytest.mark.parametrize("reason", [Reason.KEY_COMPROMISE, Reason.CA_COMPROMISE])
def test_after_a_compromise_it_wants_a_new_key(ask, profile, alice, bob, reason):
    key = new_key()
    first = ask(profile, csr_pem=make_csr(NAME, key=key))
    approve(first, bob)
    assert runner.run_pending() == 1
    revoke(first.certificate, alice, reason)

    with pytest.raises(CompromisedKey):
        renew(first.certificate, alice, csr_pem=make_csr(NAME, key=key))
    job = renew(first.certificate, alice)

    assert (job.kind, job.status) == (Job.Kind.ISSUANCE, Status.AWAITING_CSR)


def test_a_renewal_from_before_the_revocation_does_not_bring_it_back(issued, alice):
    job = renew(issued, alice)
    revoke(issued, alice, Reason.SUPERSEDED)

    runner.run_pending()

    assert status_of(job) == Status.FAILED
    issued.refresh_from_db()
    assert (issued.status, issued.versions.count()) == ("Revoked", 1)


def test_an_approval_from_before_the_revocation_does_not_either(agreed, alice, bob):
    job = renew(agreed, alice)
    approve(job, bob)
    revoke(agreed, alice, Reason.SUPERSEDED)

    runner.run_pending()

    assert status_of(job) == Status.FAILED
    assert agreed.versions.count() == 1


def test_an_approval_of_what_comes_back_is_of_why_it_was_revoked(agreed, alice, bob):
    revoke(agreed, alice, Reason.CERTIFICATE_HOLD)
    job = renew(agreed, alice)
    shown = approvals.review(job).digest
    revoke(agreed, alice, Reason.SUPERSEDED)

    with pytest.raises(services.ChangedSinceShown):
        services.approve_job(job_id=job.pk, actor=bob, digest=shown)

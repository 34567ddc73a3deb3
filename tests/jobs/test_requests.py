"""Asking for work: what makes a job, in which status, and what is refused."""

from datetime import timedelta

import pytest

from audit.models import Event
from certificates.models import Certificate, CertificateStatus, RenewalPolicy, Version
from certificates.policy import Archived
from certificates.services import revoke
from foundation.errors import Conflict, Invalid
from issuers.models import Profile
from jobs import runner, services
from jobs.kinds.signing import CompromisedKey
from jobs.models import InvalidMove, Job
from jobs.states import Status
from tests.factories import CertificateFactory
from tests.jobs.conftest import status_of

pytestmark = pytest.mark.django_db


def codes(refused):
    return {error["code"] for error in refused.value.errors}


# --- Issuance --------------------------------------------------------------------------------


def test_a_request_waits_for_approval_where_the_profile_says_so(awaiting, alice, hints):
    assert awaiting.status == Status.AWAITING_APPROVAL
    assert awaiting.requested_by == alice
    assert awaiting.waits_until > awaiting.created_at + timedelta(days=6)
    assert awaiting.certificate.status == CertificateStatus.PENDING
    assert awaiting.certificate.sans == ["dns:web.demo.internal"]
    assert Event.objects.get(action="job.request").data["status"] == "AwaitingApproval"


def test_a_request_without_need_of_approval_is_due_at_once(
    ask, free_profile, hints, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        job = ask(free_profile)

    assert job.status == Status.PENDING
    assert hints == ["jobs.run_pending_jobs"]


def test_a_request_without_a_csr_waits_for_one(ask, profile):
    job = ask(profile, csr_pem="", sans=["dns:a.demo.internal"])

    assert job.status == Status.AWAITING_CSR
    assert job.certificate.name == "a.demo.internal"


def test_names_are_needed_from_somewhere(ask, profile):
    with pytest.raises(Invalid) as refused:
        ask(profile, csr_pem="")

    assert codes(refused) == {"required"}
    assert not Certificate.objects.exists()


def test_a_csr_outside_the_profile_makes_nothing(ask, profile):
    with pytest.raises(Invalid):
        ask(profile, "www.elsewhere.example")

    assert not Job.objects.exists()
    assert not Certificate.objects.exists()


def test_a_malformed_csr_makes_nothing(ask, profile):
    with pytest.raises(Invalid):
        ask(profile, csr_pem="-----BEGIN CERTIFICATE REQUEST-----\nno\n")

    assert not Job.objects.exists()


def test_a_disabled_issuer_or_profile_serves_nobody(ask, profile, local_ca):
    local_ca.enabled = False
    local_ca.save()
    profile.enabled = False

    with pytest.raises(Invalid) as refused:
        ask(profile)

    assert codes(refused) == {"issuer_disabled", "profile_disabled"}


def test_a_profile_names_its_issuers(ask, profile, root_ca):
    profile.issuers.add(root_ca)

    with pytest.raises(Invalid) as refused:
        ask(profile)

    assert codes(refused) == {"issuer_not_allowed"}


def test_a_profile_for_cas_cannot_be_asked_for(ask):
    with pytest.raises(Invalid) as refused:
        ask(Profile.objects.create(slug="ca", name="CA", is_ca=True))

    assert codes(refused) == {"profile_disabled"}


@pytest.mark.parametrize("days", [0, -1, 48])
def test_a_lifetime_stays_within_the_profile(ask, profile, days):
    with pytest.raises(Invalid) as refused:
        ask(profile, lifetime=timedelta(days=days))

    assert codes(refused) == {"lifetime_not_allowed"}


def test_a_lifetime_that_was_asked_for_is_what_is_signed(ask, free_profile):
    job = ask(free_profile, lifetime=timedelta(days=3))

    runner.run_pending()

    job.refresh_from_db()
    version = job.version
    assert version.not_after - version.not_before <= timedelta(days=3, minutes=10)


def test_server_made_keys_are_refused_unless_the_installation_allows_them(ask, free_profile):
    with pytest.raises(Invalid) as refused:
        ask(free_profile, csr_pem="", sans=["dns:a.demo.internal"], generate_key=True)

    assert refused.value.code == "server_keys_disabled"


def test_a_server_made_key_comes_with_a_warning(
    alice, owner, local_ca, free_profile, settings, csr_for
):
    settings.ALLOW_SERVER_KEYS = True
    options = {"actor": alice, "owner": owner, "issuer": local_ca, "profile": free_profile}

    asked = services.request_issuance(**options, sans=["dns:a.demo.internal"], generate_key=True)

    assert "private key" in asked.warnings[0]
    assert asked.job.status == Status.PENDING
    runner.run_pending()
    asked.job.refresh_from_db()
    assert asked.job.version.encrypted_key
    with pytest.raises(Invalid):
        services.request_issuance(**options, csr_pem=csr_for("b.demo.internal"), generate_key=True)


# --- The CSR that a job waits for ------------------------------------------------------------


def test_a_submitted_csr_goes_on_to_approval(ask, profile, alice, csr_for):
    job = ask(profile, csr_pem="", sans=["dns:a.demo.internal"])

    services.submit_csr(actor=alice, job_id=job.pk, csr_pem=csr_for("a.demo.internal"))

    job.refresh_from_db()
    assert job.status == Status.AWAITING_APPROVAL
    assert job.waits_until > job.created_at + timedelta(days=6)


def test_a_submitted_csr_goes_ahead_where_nobody_must_agree(ask, free_profile, alice, csr_for):
    job = ask(free_profile, csr_pem="", sans=["dns:a.demo.internal"])

    services.submit_csr(actor=alice, job_id=job.pk, csr_pem=csr_for("a.demo.internal"))

    assert status_of(job) == Status.PENDING
    assert runner.run_pending() == 1
    assert status_of(job) == Status.COMPLETED


def test_a_submitted_csr_must_be_for_the_names_that_were_asked_for(
    ask, free_profile, alice, csr_for
):
    job = ask(free_profile, csr_pem="", sans=["dns:a.demo.internal"])

    with pytest.raises(Invalid):
        services.submit_csr(actor=alice, job_id=job.pk, csr_pem=csr_for("b.demo.internal"))

    assert status_of(job) == Status.AWAITING_CSR


@pytest.mark.parametrize("again", [Status.AWAITING_APPROVAL, Status.PENDING])
def test_a_csr_is_taken_once(ask, profile, free_profile, alice, csr_for, again):
    job = ask(profile if again == Status.AWAITING_APPROVAL else free_profile)
    assert job.status == again

    with pytest.raises(InvalidMove):
        services.submit_csr(actor=alice, job_id=job.pk, csr_pem=csr_for("web.demo.internal"))


# --- Renewal, deployment, validation ---------------------------------------------------------


def test_a_renewal_uses_the_last_csr(issued, alice):
    job = services.request_renewal(actor=alice, certificate_id=issued.pk).job

    assert (job.kind, job.status) == (Job.Kind.RENEWAL, Status.PENDING)
    assert job.csr_pem == issued.current.csr_pem
    issued.refresh_from_db()
    assert issued.status == CertificateStatus.RENEWAL_IN_PROGRESS


def test_a_renewal_takes_a_new_csr(issued, alice, csr_for):
    csr = csr_for("web.demo.internal")

    job = services.request_renewal(actor=alice, certificate_id=issued.pk, csr_pem=csr).job
    runner.run_pending()

    job.refresh_from_db()
    assert job.version.csr_pem == csr
    assert len(set(issued.versions.values_list("key_fingerprint", flat=True))) == 2


def test_a_renewal_for_other_names_is_refused(issued, alice, csr_for):
    with pytest.raises(Invalid):
        services.request_renewal(
            actor=alice, certificate_id=issued.pk, csr_pem=csr_for("other.demo.internal")
        )

    issued.refresh_from_db()
    assert issued.status == CertificateStatus.ACTIVE


def test_stricter_rules_make_a_renewal_wait_for_a_new_csr(issued, alice, free_profile):
    free_profile.key_algorithms = ["ed25519"]
    free_profile.save()

    job = services.request_renewal(actor=alice, certificate_id=issued.pk).job

    assert job.status == Status.AWAITING_CSR
    assert job.last_error.startswith("The last CSR cannot be used again.")


def test_a_second_open_renewal_is_a_duplicate(issued, alice):
    services.request_renewal(actor=alice, certificate_id=issued.pk)

    with pytest.raises(services.DuplicateJob) as refused:
        services.request_renewal(actor=alice, certificate_id=issued.pk)

    assert refused.value.code == "duplicate_job"
    assert Job.objects.filter(kind="Renewal").count() == 1


def test_what_never_had_a_version_is_asked_for_again_as_an_issuance(awaiting, alice, bob, csr_for):
    services.reject_job(job_id=awaiting.pk, actor=bob, reason="not yet")

    job = services.request_renewal(
        actor=alice,
        certificate_id=awaiting.certificate_id,
        csr_pem=csr_for("web.demo.internal"),
    ).job

    assert (job.kind, job.status) == (Job.Kind.ISSUANCE, Status.AWAITING_APPROVAL)
    services.approve_job(job_id=job.pk, actor=bob)
    runner.run_pending()
    awaiting.certificate.refresh_from_db()
    assert awaiting.certificate.status == CertificateStatus.ACTIVE


def test_the_renewal_policy_says_how_often_and_how_soon_to_try(issued, alice):
    issued.renewal_policy = RenewalPolicy.objects.create(
        name="patient", max_attempts=7, retry_delay=timedelta(minutes=9)
    )
    issued.save()

    job = services.request_renewal(actor=alice, certificate_id=issued.pk).job

    assert (job.max_attempts, job.retry_delay) == (7, timedelta(minutes=9))


def test_an_archived_certificate_is_not_worked_on(issued, alice, target):
    Certificate.objects.filter(pk=issued.pk).update(status=CertificateStatus.ARCHIVED)

    for ask_for in (
        lambda: services.request_renewal(actor=alice, certificate_id=issued.pk),
        lambda: services.request_deployment(actor=alice, certificate_id=issued.pk, target=target),
    ):
        with pytest.raises(Conflict) as refused:
            ask_for()
        assert refused.value.code == "archived"
    assert not Job.objects.exclude(kind="Issuance").exists()


def test_nothing_is_deployed_before_there_is_a_version(awaiting, alice, target):
    with pytest.raises(Conflict) as refused:
        services.request_deployment(
            actor=alice, certificate_id=awaiting.certificate_id, target=target
        )

    assert refused.value.code == "no_version"


def test_a_deployment_binds_and_a_second_one_is_a_duplicate(issued, alice, target):
    job = services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)

    assert job.version == issued.current
    assert issued.deployments.get().target == target
    with pytest.raises(services.DuplicateJob):
        services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)


def test_a_target_without_an_endpoint_cannot_be_looked_at(issued, alice, target):
    with pytest.raises(Invalid) as refused:
        services.request_validation(actor=alice, certificate_id=issued.pk, target=target)

    assert codes(refused) == {"no_endpoint"}


def test_the_whole_lifetime_of_the_profile_may_be_asked_for(ask, profile):
    assert ask(profile, lifetime=profile.max_lifetime).lifetime == profile.max_lifetime


def test_a_leaked_key_is_not_certified_under_another_name(ask, free_profile, carol, csr_for):
    csr = csr_for("web.demo.internal")
    ask(free_profile, csr_pem=csr)
    runner.run_pending()
    revoke(version_id=Version.objects.get().pk, actor=carol, reason="keyCompromise")

    with pytest.raises(CompromisedKey):
        ask(free_profile, csr_pem=csr, name="another")


def test_what_was_archived_before_it_had_a_version_is_not_asked_for_again(alice):
    certificate = CertificateFactory()
    certificate.become(CertificateStatus.ARCHIVED)

    with pytest.raises(Archived):
        services.request_renewal(actor=alice, certificate_id=certificate.pk)

    assert not Job.objects.exists()

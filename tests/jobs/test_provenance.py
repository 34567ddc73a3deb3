"""Who brought a key asks for all that is signed for it, whoever asks: alice brings, bob decides."""

import importlib
from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone

import certificates.services
from certificates.details import Details
from certificates.models import Version
from jobs import approvals, policy, runner, services
from jobs.models import Job
from jobs.states import Status
from owners.roles import Role
from tests.ca import OLD, make_ca, named, pem_of
from tests.fixtures import make_csr, new_key, person
from tests.jobs.conftest import NAME, status_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora(db):
    return person("dora", Role.OPERATOR)


@pytest.fixture
def brought(ask, profile, alice, bob, carol):
    """A certificate that alice asked for, bob brought the key of, and carol agreed to."""
    job = ask(profile, csr_pem="", sans=[f"dns:{NAME}"])
    services.submit_csr(job_id=job.pk, actor=bob, csr_pem=make_csr(NAME))
    approve(job, carol)
    assert runner.run_pending() == 1
    job.certificate.refresh_from_db()
    return job.certificate


def approve(job, actor):
    return services.approve_job(job_id=job.pk, actor=actor, digest=approvals.review(job).digest)


def refused(job, *people):
    for actor in people:
        with pytest.raises(policy.SelfApproval):
            approve(job, actor)
    assert status_of(job) == Status.AWAITING_APPROVAL


def test_a_version_keeps_who_asked_and_who_brought_its_csr(brought, alice, bob):
    assert (brought.current.requested_by, brought.current.csr_by) == (alice, bob)


def test_who_asks_with_a_csr_brought_it(issued, alice):
    assert (issued.current.requested_by, issued.current.csr_by) == (alice, alice)


def test_neither_approves_a_renewal_that_a_sweep_asks_for(brought, system, alice, bob, dora):
    job = services.request_renewal(actor=system, certificate_id=brought.pk).job

    refused(job, alice, bob)
    assert approvals.review(job).csr_by == "bob"
    approve(job, dora)
    assert runner.run_pending() == 1

    newest = Version.objects.get(certificate=brought, number=2)
    assert (newest.requested_by, newest.csr_by) == (alice, bob)


def test_neither_approves_a_renewal_that_a_third_person_asks_for(brought, dora, alice, bob, carol):
    job = services.request_renewal(actor=dora, certificate_id=brought.pk).job

    refused(job, alice, bob, dora)
    approve(job, carol)


def test_the_same_key_in_another_request_is_still_theirs(ask, profile, alice, bob, carol, dora):
    key = new_key()
    first = ask(profile, csr_pem=make_csr(NAME, key=key))
    approve(first, bob)
    assert runner.run_pending() == 1

    other = ask(profile, actor=dora, csr_pem=make_csr("other.demo.internal", key=key), name="other")

    refused(other, alice, dora)
    approve(other, carol)


def test_who_brought_the_key_is_a_person_whatever_row_they_act_by(brought, system, bob, dora):
    again = person("bob2", Role.OPERATOR, email=bob.email.upper())
    job = services.request_renewal(actor=system, certificate_id=brought.pk).job
    Job.objects.filter(pk=job.pk).update(csr_by=None)

    refused(job, again)
    approve(job, dora)


def test_nor_do_they_approve_its_deployment(brought, profile, target, dora, alice, bob, carol):
    profile.approval_required_for = ["Deployment"]
    profile.save()
    job = services.request_deployment(actor=dora, certificate_id=brought.pk, target=target)

    refused(job, alice, bob, dora)
    approve(job, carol)


def test_over_rest_too(client_of, brought, system, alice, bob):
    job = services.request_renewal(actor=system, certificate_id=brought.pk).job

    for actor in (alice, bob):
        answer = client_of(actor).post(
            f"/api/v1/jobs/{job.pk}/approve/", {"digest": approvals.review(job).digest}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "self_approval")


# --- Imported, and from before ----------------------------------------------------------------


@pytest.fixture
def imported(alice, owner, local_ca, profile):
    old = make_ca(subject=named("Old CA"), begins=timezone.now() - OLD)
    leaf = old.certify(NAME, name=NAME, begins=timezone.now() - OLD, lifetime=timedelta(days=300))
    return certificates.services.import_pem(
        actor=alice,
        pem=pem_of(leaf.certificate),
        details=Details(owner=owner, issuer=local_ca, profile=profile),
    )


def test_who_imports_a_certificate_brought_its_key(imported, profile, target, alice, bob, carol):
    profile.approval_required_for = ["Deployment"]
    profile.save()
    job = services.request_deployment(actor=bob, certificate_id=imported.pk, target=target)

    refused(job, alice, bob)
    approve(job, carol)


def test_of_an_unknown_origin_everybody_counts_who_was_there(brought, system, carol):
    Version.objects.update(requested_by=None, csr_by=None)
    late = person("late", Role.OPERATOR)
    again = person("carol2", Role.OPERATOR, email=carol.email)
    job = services.request_renewal(actor=system, certificate_id=brought.pk).job

    # A second row of somebody who was there before is no newcomer.
    refused(job, carol, again)
    approve(job, late)


def test_versions_from_before_take_both_from_their_job_or_importer(
    brought, imported, system, alice, bob, dora
):
    job = services.request_renewal(actor=system, certificate_id=brought.pk).job
    approve(job, dora)
    assert runner.run_pending() == 1
    # As they were: no version said it, and a renewal by a sweep had no word of whose CSR it was.
    Version.objects.update(requested_by=None, csr_by=None)
    Job.objects.filter(pk=job.pk).update(csr_by=None)

    migration = importlib.import_module("jobs.migrations.0007_fill_who_brought_the_key")
    migration.fill(apps, None)

    assert set(brought.versions.values_list("requested_by", "csr_by")) == {(alice.pk, bob.pk)}
    assert set(imported.versions.values_list("requested_by", "csr_by")) == {(alice.pk, alice.pk)}


# --- What was looked at -----------------------------------------------------------------------


def test_an_approval_over_rest_says_what_was_looked_at(client_of, awaiting, bob, settings):
    client, address = client_of(bob), f"/api/v1/jobs/{awaiting.pk}/approve/"

    refusal = client.post(address, {})
    assert (refusal.status_code, refusal.json()["errors"][0]["code"]) == (400, "digest_required")

    settings.REQUIRE_DIGEST = False
    assert client.post(address, {}).status_code == 200


def test_the_review_shows_the_configuration_that_the_digest_covers(
    client_of, bob, alice, issued, target
):
    job = services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)

    review = client_of(bob).get(f"/api/v1/jobs/{job.pk}/review/").json()

    assert review["target_config"]["config"] == target.config

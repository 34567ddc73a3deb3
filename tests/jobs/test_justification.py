"""Why a certificate is asked for: kept as it was given, approved with the rest, wanted by profiles.

Alice asks, bob decides, carol administers; the system sweeps, a device enrolls.
"""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from audit.models import Event
from certificates.models import RenewalPolicy
from foundation.errors import Invalid
from issuers.models import Profile
from jobs import approvals, runner, services
from jobs.models import Job
from jobs.services.justifying import BY_POLICY
from jobs.states import Status
from tests.jobs.conftest import NAME, grow_old

pytestmark = pytest.mark.django_db
WHY = "The web shop moves to new machines."


def codes(refused):
    return {error["code"] for error in refused.value.errors}


@pytest.fixture
def strict(profile):
    profile.justification_required = True
    profile.save()
    return profile


@pytest.fixture
def strict_and_free(free_profile):
    free_profile.justification_required = True
    free_profile.save()
    return free_profile


def test_it_is_kept_with_the_job_and_told_to_the_trail(ask, profile):
    job = ask(profile, justification=f"  {WHY}\n")

    assert Job.objects.get(pk=job.pk).justification == WHY
    assert Event.objects.get(action="job.request").data["justification"] == WHY


@pytest.mark.parametrize("changed", ["", "Because I say so."])
def test_the_database_refuses_to_change_it(ask, profile, changed):
    job = ask(profile, justification=WHY)

    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(justification=changed)
    job.justification = changed
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        job.save()

    assert Job.objects.get(pk=job.pk).justification == WHY


def test_it_is_part_of_what_is_approved(ask, profile, bob):
    job = ask(profile, justification=WHY)
    shown = approvals.digest_of(job, job.certificate)
    job.justification = "Something else."

    assert approvals.digest_of(job, job.certificate) != shown
    approved = services.approve_job(job_id=job.pk, actor=bob, digest=shown)
    assert approved.approved_digest == shown
    runner.run_pending()
    assert Job.objects.get(pk=job.pk).status == Status.COMPLETED


def test_whoever_asks_must_say_why_where_the_profile_says_so(ask, strict):
    with pytest.raises(Invalid) as refused:
        ask(strict, justification=" \n ")

    assert codes(refused) == {"justification_required"}
    assert not Job.objects.exists()


def test_a_missing_reason_is_told_together_with_what_else_is_wrong(ask, strict):
    with pytest.raises(Invalid) as refused:
        ask(strict, "www.elsewhere.example")

    assert codes(refused) == {"justification_required", "name_not_allowed"}


def test_it_has_a_bound(ask, profile):
    with pytest.raises(Invalid) as refused:
        ask(profile, justification="x" * (services.MAX_JUSTIFICATION + 1))

    assert codes(refused) == {"too_long"}


def test_a_renewal_needs_its_own(ask, strict_and_free, alice):
    certificate = ask(strict_and_free, justification=WHY).certificate
    runner.run_pending()

    with pytest.raises(Invalid) as refused:
        services.request_renewal(actor=alice, certificate_id=certificate.pk)
    assert codes(refused) == {"justification_required"}

    job = services.request_renewal(
        actor=alice, certificate_id=certificate.pk, justification="It ends."
    ).job
    assert job.justification == "It ends."


def test_the_sweep_says_that_the_policy_asked(ask, strict_and_free, system):
    rules = RenewalPolicy.objects.create(name="rules", window=timedelta(days=14))
    ask(strict_and_free, justification=WHY, renewal_policy=rules)
    runner.run_pending()
    grow_old()

    assert services.request_due_renewals(actor=system) == 1

    assert Job.objects.get(kind=Job.Kind.RENEWAL).justification == BY_POLICY


def test_a_device_needs_none_for_its_door_says_what_brought_it(ask, strict, alice, bob):
    job = ask(strict, device=services.ForDevice("doors/gate-7", bob, wants_approval=False))

    assert job.justification == "The device doors/gate-7 enrolled by itself; bob let it."


def test_without_a_rule_nothing_is_made_up(ask, profile, bob):
    job = ask(profile, device=services.ForDevice("doors/gate-7", bob, wants_approval=False))

    assert job.justification == ""


# --- Over REST, and in the admin -----------------------------------------------------------------


def asked_over_rest(client, profile, owner, issuer, csr, **more):
    return client.post(
        "/api/v1/certificates/",
        {"csr": csr, "issuer": issuer.slug, "profile": profile.slug, "owner": owner.name, **more},
        format="json",
    )


def test_rest_takes_and_shows_it(client_of, alice, profile, owner, local_ca, csr_for):
    client = client_of(alice)
    answer = asked_over_rest(client, profile, owner, local_ca, csr_for(NAME), justification=WHY)

    assert (answer.status_code, answer.json()["justification"]) == (201, WHY)
    review = client.get(f"/api/v1/jobs/{answer.json()['id']}/review/").json()
    assert review["justification"] == WHY


def test_rest_refuses_one_that_is_missing_or_too_long(
    client_of, alice, strict, owner, local_ca, csr_for
):
    client, given = client_of(alice), (strict, owner, local_ca, csr_for(NAME))

    missing = asked_over_rest(client, *given)
    long = asked_over_rest(client, *given, justification="x" * 2001)

    assert (missing.status_code, long.status_code) == (400, 400)
    assert [error["code"] for error in missing.json()["errors"]] == ["justification_required"]
    assert [error["field"] for error in long.json()["errors"]] == ["justification"]


def test_a_renewal_over_rest_takes_it(client_of, alice, issued):
    answer = client_of(alice).post(
        f"/api/v1/certificates/{issued.pk}/renew/", {"justification": WHY}, format="json"
    )

    assert (answer.status_code, answer.json()["justification"]) == (202, WHY)


def test_whoever_decides_reads_it_as_it_is(browse, bob, ask, profile):
    job = ask(profile, justification="<b>new</b> machines")

    page = browse(bob).get(reverse("admin:jobs_job_approve_one", args=[job.pk]))

    assert "&lt;b&gt;new&lt;/b&gt; machines" in page.content.decode()


def test_carol_has_a_profile_want_it(browse, client_of, carol, profile):
    answer = client_of(carol).patch(
        f"/api/v1/profiles/{profile.pk}/", {"justification_required": True}, format="json"
    )
    assert (answer.status_code, answer.json()["justification_required"]) == (200, True)

    address = reverse("admin:issuers_profile_change", args=[profile.pk])
    page = browse(carol).get(f"{address}?edit=1")
    assert 'name="justification_required"' in page.content.decode()


def test_alice_cannot_take_the_rule_away(client_of, alice, strict):
    answer = client_of(alice).patch(
        f"/api/v1/profiles/{strict.pk}/", {"justification_required": False}, format="json"
    )

    assert answer.status_code == 403
    assert Profile.objects.get(pk=strict.pk).justification_required

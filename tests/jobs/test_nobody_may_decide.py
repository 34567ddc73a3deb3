"""Whoever asks for what nobody may decide on is told so then, and the trail says it.

alice asks; bob would decide, where nothing keeps him from it.
"""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import Event
from certificates.models import Version
from jobs import approvals, policy, runner, services
from jobs.models import Job
from owners.models import Principal
from owners.roles import Role
from tests.factories import OwnerFactory, TeamFactory
from tests.fixtures import person
from tests.jobs.conftest import NAME

pytestmark = pytest.mark.django_db


@pytest.fixture
def body(local_ca, profile, owner, csr_for):
    return {
        "owner": str(owner.pk),
        "issuer": local_ca.slug,
        "profile": profile.slug,
        "csr": csr_for(NAME),
    }


@pytest.fixture
def asked(client_of, alice, body):
    """Ask over REST as alice; the answer."""

    def ask(**changes):
        given = {key: value for key, value in {**body, **changes}.items() if value is not None}
        response = client_of(alice).post("/api/v1/certificates/", given, format="json")
        assert response.status_code == 201, response.json()
        return response.json()

    return ask


def newest(action="job.request"):
    return Event.objects.filter(action=action).order_by("-sequence")[0].data


# --- What is told ----------------------------------------------------------------------------


def test_alice_who_is_alone_is_told_that_nobody_may_decide(asked, browse, victor):
    given = asked()

    assert given["warnings"] == [approvals.LACKS_DECIDER]
    assert newest()["nobody_may_decide"] is True
    page = browse(victor).get(reverse("admin:jobs_job_change", args=[given["id"]]))
    assert "Nobody could approve this" in page.content.decode()


def test_alice_is_told_nothing_where_bob_may(asked, browse, bob):
    given = asked()

    assert given["warnings"] == []
    assert "nobody_may_decide" not in newest()
    page = browse(bob).get(reverse("admin:jobs_job_change", args=[given["id"]]))
    assert "Nobody could approve this" not in page.content.decode()


def test_the_page_says_how_it_stands_now(asked, browse, victor):
    given = asked()
    person("bob", Role.OPERATOR)

    page = browse(victor).get(reverse("admin:jobs_job_change", args=[given["id"]]))

    assert "Nobody could approve this" not in page.content.decode()


def test_nothing_is_told_of_what_needs_no_decision(asked, free_profile):
    given = asked(profile=free_profile.slug)

    assert given["warnings"] == []
    assert "nobody_may_decide" not in newest()


def test_it_is_told_before_the_csr_is_there_and_again_with_it(asked, client_of, bob, csr_for):
    waiting = asked(csr=None, sans=[f"dns:{NAME}"])
    assert (waiting["status"], waiting["warnings"]) == ("AwaitingCSR", [])

    # It was bob who could have decided, until he brought the key.
    answer = client_of(bob).post(f"/api/v1/jobs/{waiting['id']}/csr/", {"csr": csr_for(NAME)})

    assert answer.json()["status"] == "AwaitingApproval"
    assert answer.json()["warnings"] == [approvals.LACKS_DECIDER]
    assert newest("job.submit_csr_for_approval")["nobody_may_decide"] is True


def test_it_is_told_of_a_job_that_waits_for_its_csr(asked):
    given = asked(csr=None, sans=[f"dns:{NAME}"])

    assert (given["status"], given["warnings"]) == ("AwaitingCSR", [approvals.LACKS_DECIDER])


@pytest.mark.parametrize("verb", ["deploy", "verify"])
def test_it_is_told_of_work_at_targets(
    client_of, alice, issued, free_profile, watched_target, verb
):
    free_profile.approval_required_for = ["Deployment", "Validation"]
    free_profile.save()

    answer = client_of(alice).post(
        f"/api/v1/certificates/{issued.pk}/{verb}/", {"target": watched_target.name}
    )

    assert answer.json()["warnings"] == [approvals.LACKS_DECIDER], answer.json()
    assert newest()["nobody_may_decide"] is True


def test_it_is_on_record_of_what_follows_by_itself(ask, free_profile, target, places):
    free_profile.approval_required_for = ["Deployment"]
    free_profile.save()
    ask(free_profile, targets=[target])

    runner.run_pending()

    assert newest("job.follow")["nobody_may_decide"] is True


# --- Who does not count ----------------------------------------------------------------------


def leave(bob, **changes):
    Principal.objects.filter(pk=bob.pk).update(**changes)


def sit(team, bob):
    team.members.add(bob)


WHY_NOT = {
    "he is not active": lambda bob, owner: leave(bob, is_active=False),
    "he is a machine": lambda bob, owner: leave(bob, kind=Principal.Kind.MACHINE),
    "he is no operator any more": lambda bob, owner: bob.groups.clear(),
    "he is alice under an alias": lambda bob, owner: leave(bob, email="Alice+b@people.example"),
    "he is the owner by membership": lambda bob, owner: owner.members.add(bob),
    "he is the owner by address": lambda bob, owner: leave(bob, email=owner.email.upper()),
    "he is the owner by name": lambda bob, owner: leave(bob, first_name="Web-Shop"),
    "a member is he, under an alias": lambda bob, owner: owner.members.add(
        person("robert", Role.VIEWER, email="BOB+r@people.example")
    ),
    "he sits in the owner's team": lambda bob, owner: sit(owner.team, bob),
}


@pytest.mark.parametrize("why", WHY_NOT)
def test_bob_does_not_count_where(asked, bob, owner, why):
    owner.team = TeamFactory()
    owner.save()
    assert asked()["warnings"] == []

    WHY_NOT[why](bob, owner)

    assert asked()["warnings"][-1] == approvals.LACKS_DECIDER


def test_bob_does_not_count_where_he_sits_in_the_certificates_team(asked, bob):
    team = TeamFactory()
    assert asked(team=team.name)["warnings"] == []

    team.members.add(bob)

    assert asked(team=team.name)["warnings"][-1] == approvals.LACKS_DECIDER


@pytest.mark.parametrize("how", ["superuser", "permission", "admin"])
def test_whoever_may_by_other_ways_counts(asked, victor, how):
    if how == "superuser":
        Principal.objects.filter(pk=victor.pk).update(is_superuser=True)
    elif how == "permission":
        victor.user_permissions.add(Permission.objects.get(codename="decide_job"))
    else:
        person("carol", Role.ADMIN)

    assert asked()["warnings"] == []


def test_who_has_no_address_is_not_everybody_without_one(asked, bob, owner):
    owner.members.add(person("mia", Role.VIEWER, email=""))
    leave(bob, email="")

    assert asked()["warnings"] == []


def test_the_system_does_not_count(asked, system):
    Principal.objects.filter(pk=system.pk).update(is_superuser=True)

    assert asked()["warnings"] == [approvals.LACKS_DECIDER]


def test_bob_does_not_count_where_the_key_is_his(ask, alice, bob, issued, free_profile, target):
    free_profile.approval_required_for = ["Deployment"]
    free_profile.save()
    Version.objects.update(requested_by=bob, csr_by=bob)

    job = services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)

    assert job.lacks_decider


def test_of_a_key_whose_origin_nobody_knows_only_who_came_later_counts(
    alice, bob, issued, free_profile, target, watched_target
):
    free_profile.approval_required_for = ["Deployment"]
    free_profile.save()
    Version.objects.update(requested_by=None, csr_by=None)

    assert services.request_deployment(
        actor=alice, certificate_id=issued.pk, target=target
    ).lacks_decider
    person("dora", Role.OPERATOR)
    assert not services.request_deployment(
        actor=alice, certificate_id=issued.pk, target=watched_target
    ).lacks_decider


# --- One rule, asked of one or of all --------------------------------------------------------


@pytest.fixture
def crowd(owner):
    """People who stand to the owner, and to alice, in every way, and some who stand in none."""
    owner.team = TeamFactory()
    owner.save()
    member, seated = person("mia", Role.OPERATOR), person("sam", Role.OPERATOR)
    owner.members.add(member)
    owner.team.members.add(seated)
    person("mia2", Role.OPERATOR, email="mia+2@people.example")
    person("sam2", Role.OPERATOR, email="SAM@people.example.")
    person("alias", Role.OPERATOR, email="alice+x@people.example")
    person("web-shop2", Role.OPERATOR, first_name="WEB-", last_name="shop")
    person("named", Role.OPERATOR, first_name="web-", last_name="shop")
    person("mail", Role.OPERATOR, email="web-shop+1@owners.example")
    person("nobody", Role.OPERATOR, email="")
    person("other", Role.OPERATOR)
    return list(Principal.objects.filter(groups__name="operator"))


@pytest.mark.parametrize("origin", ["known", "unknown"])
def test_the_rule_is_the_one_that_is_asked_of_who_decides(
    crowd, alice, bob, issued, free_profile, target, origin
):
    free_profile.approval_required_for = ["Deployment"]
    free_profile.save()
    if origin == "unknown":
        Version.objects.update(requested_by=None, csr_by=None)
    later = person("later", Role.OPERATOR)
    job = services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)
    job = Job.objects.get(pk=job.pk)
    gains = policy._gaining(job)

    def is_refused(one):
        try:
            policy.check_may_approve(one, job)
        except policy.SelfApproval:
            return True
        return False

    people = [*crowd, bob, later]
    by_one = {one.username: is_refused(one) for one in people}
    assert {one.username: gains(one) for one in people} == by_one
    assert set(by_one.values()) == {True, False}


def test_many_people_take_no_more_queries_than_few(awaiting, owner):
    def count():
        job = Job.objects.select_related("certificate__owner", "certificate__profile").get(
            pk=awaiting.pk
        )
        with CaptureQueriesContext(connection) as queries:
            assert policy.lacks_decider(job)
        return len(queries)

    few = count()
    for number in range(30):
        one = person(f"operator-{number}", Role.OPERATOR)
        owner.members.add(one)
    OwnerFactory()

    assert count() == few
    assert few <= 10

"""The page on which bob decides on what alice asks for; victor only reads, carol administers."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from deployments.models import Deployment, Target
from foundation.errors import CertctlError
from jobs import policy
from jobs.admin.deciding import NAMES, next_waiting, who_may
from jobs.models import Job
from jobs.states import Status
from owners.models import Principal


@pytest.fixture
def page_of(client):
    """Return the page of a job as somebody sees it: `page_of(actor, job)`."""

    def get(actor, job, name="decide"):
        client.force_login(actor)
        return client.get(reverse(f"admin:jobs_job_{name}", args=[job.pk]))

    return get


def test_bob_sees_both_buttons_and_the_digest(page_of, awaiting, bob):
    text = page_of(bob, awaiting).text

    assert ">Approve</button>" in text
    assert ">Reject</button>" in text
    assert f'name="digest_{awaiting.pk}"' in text
    assert "Digest of exactly this" in text


@pytest.mark.parametrize("who", ["alice", "victor"])
def test_whoever_may_not_sees_no_button_and_is_led_to_who_may(page_of, awaiting, request, who):
    text = page_of(request.getfixturevalue(who), awaiting).text

    assert "</button>" not in text[text.index("data-decide") :].split("</article>")[0]
    assert reverse("admin:jobs_job_deciders", args=[awaiting.pk]) in text


def test_the_list_of_deciders_agrees_with_the_decision(awaiting, alice, bob, carol, owner):
    people = list(policy.who_decide_at_all().order_by("username"))
    said = {one.name: not one.why_not for one in who_may(awaiting, people)}

    for one in people:
        try:
            policy.check_may_approve(Principal.objects.get(pk=one.pk), awaiting)
            may = True
        except CertctlError:
            may = False
        assert said[one.username] is may, one.username
    assert True in said.values()
    assert said.get("alice") in {False, None}


def test_the_page_of_deciders_says_who_and_why_not(page_of, awaiting, alice, victor, as_operator):
    as_operator(alice)

    text = page_of(victor, awaiting, "deciders").text

    assert "No: asked for it" in text
    assert "bob" in text


@pytest.fixture
def as_operator():
    """Give somebody the permission to decide, whatever their role."""

    def give(actor):
        actor.user_permissions.add(Permission.objects.get(codename="decide_job"))

    return give


def test_the_next_one_is_the_next_by_deadline_that_bob_may_decide(ask, profile, bob, alice):
    first, second, third = (ask(profile, f"{number}.demo.internal") for number in range(3))

    assert next_waiting(bob, first) == second
    assert next_waiting(bob, third) == first  # round again
    assert next_waiting(bob, second, is_back=True) == first
    assert next_waiting(alice, first) is None


def test_after_deciding_bob_is_led_to_the_next(client, ask, profile, bob):
    first, second = ask(profile, "a.demo.internal"), ask(profile, "b.demo.internal")
    client.force_login(bob)
    text = client.get(reverse("admin:jobs_job_decide", args=[first.pk])).text
    digest = text.split(f'name="digest_{first.pk}" value="')[1].split('"')[0]

    answer = client.post(
        reverse("admin:jobs_job_approve_one", args=[first.pk]),
        {"confirmed": "yes", "then": "next", "reason": "", f"digest_{first.pk}": digest},
    )

    assert answer.headers["Location"] == reverse("admin:jobs_job_decide", args=[second.pk])
    assert Job.objects.get(pk=first.pk).status == Status.PENDING


def test_what_was_refused_leads_to_no_next(client, ask, profile, bob):
    first = ask(profile, "a.demo.internal")
    ask(profile, "b.demo.internal")
    client.force_login(bob)

    answer = client.post(
        reverse("admin:jobs_job_approve_one", args=[first.pk]),
        {"confirmed": "yes", "then": "next", "reason": "", f"digest_{first.pk}": "stale"},
    )

    assert answer.headers["Location"] == reverse("admin:jobs_job_change", args=[first.pk])
    assert Job.objects.get(pk=first.pk).status == Status.AWAITING_APPROVAL


def test_what_hides_in_a_justification_is_named(page_of, ask, profile, bob):
    job = ask(profile, justification="<b>please</b> \u202enow")

    text = page_of(bob, job).text

    assert "<b>please</b>" not in text
    assert "U+202E" in text


def test_whoever_decides_on_nothing_is_asked_about_nothing(
    ask, profile, victor, django_assert_num_queries
):
    job = ask(profile)
    victor.has_perm(policy.DECIDE)  # which is kept

    with django_assert_num_queries(0):
        assert next_waiting(victor, job) is None


def test_the_page_of_a_job_offers_no_button_that_would_be_refused(page_of, awaiting, alice, bob):
    def offered(actor):
        text = page_of(actor, awaiting, "change").text
        return {name for name in ("approve", "reject", "cancel") if f"/{name}/" in text}

    assert offered(bob) == {"approve", "reject", "cancel"}
    assert offered(alice) == {"cancel"}


def test_victor_who_has_no_inbox_is_led_to_none(page_of, awaiting, victor, bob):
    inbox, next_ = reverse("admin:jobs_inbox"), reverse("admin:jobs_job_next", args=[awaiting.pk])

    assert f'href="{inbox}" data-key' in page_of(bob, awaiting).text
    text = page_of(victor, awaiting).text
    assert inbox not in text
    assert next_ not in text
    back = page_of(victor, awaiting, "next").headers["Location"]
    assert back == reverse("admin:jobs_job_change", args=[awaiting.pk])


def test_the_targets_beyond_the_first_are_counted(page_of, awaiting, bob):
    for number in range(NAMES + 2):
        there = Target.objects.create(name=f"web-{number}", kind=Target.Kind.FILE)
        Deployment.objects.create(certificate=awaiting.certificate, target=there)

    text = page_of(bob, awaiting).text

    assert "web-5 and 2 more" in " ".join(text.split())
    assert "web-6" not in text

"""The inbox's page and several decisions at once: alice asks, bob decides, victor reads."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from deployments.models import Deployment, Target
from jobs import approvals, inbox, services
from jobs.admin import several
from jobs.inbox import numbers, parting
from jobs.models import Job
from jobs.states import Status
from tests.factories import OwnerFactory
from tests.jobs.conftest import status_of
from tests.jobs.waiting import many

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_wildcards")]
INBOX = "/admin/jobs/inbox/"
MARKUP = "<script>alert(1)</script>"


def rows(answer):
    return [row.job.pk for row in answer.context["rows"]]


def send(client, decision, jobs, *, confirmed=True, digests=None, **given):
    """Send what the confirming page sends for `jobs`."""
    data = {"decision": decision, "job": [str(job.pk) for job in jobs], **given}
    if confirmed:
        data["confirmed"] = "yes"
        for job in jobs:
            data[f"digest_{job.pk}"] = (digests or {}).get(job.pk, digest_of(job))
    return client.post(INBOX, data)


def digest_of(job):
    row = Job.objects.get(pk=job.pk)
    return approvals.digest_of(row, row.certificate)


def outcomes(answer):
    return {one.job.pk: (one.is_done, one.words) for one in answer.context["outcomes"]}


@pytest.fixture
def three(ask, profile):
    return [ask(profile, f"{name}.demo.internal") for name in ("a", "b", "c")]


# --- Who sees it -------------------------------------------------------------------------------


def test_bob_sees_what_he_may_decide_and_alice_what_is_hers(browse, alice, bob, three):
    for_bob, for_alice = browse(bob), browse(alice)

    assert rows(for_bob.get(INBOX)) == [job.pk for job in three]
    assert rows(for_bob.get(INBOX, {"part": "mine"})) == []
    assert rows(for_alice.get(INBOX)) == []
    assert rows(for_alice.get(INBOX, {"part": "mine"})) == [job.pk for job in three]


def test_victor_who_decides_on_nothing_has_no_inbox(browse, victor, three):
    client = browse(victor)

    assert client.get(INBOX).status_code == 403
    assert send(client, "approve", three).status_code == 403
    assert 'href="/admin/jobs/inbox/"' not in client.get("/admin/").text
    assert {status_of(job) for job in three} == {Status.AWAITING_APPROVAL}


def test_whoever_is_not_signed_in_is_led_to_the_form(client):
    assert client.get(INBOX).headers["Location"].startswith("/admin/login/")


def test_alice_gets_no_button_for_what_others_decide(browse, alice, three):
    page = browse(alice).get(INBOX, {"part": "mine"}).text

    assert "Decide…" not in page
    assert "Approve ticked" not in page
    assert 'name="job"' not in page


# --- What a row says ---------------------------------------------------------------------------


def test_a_row_says_who_asks_for_what_why_where_and_until_when(browse, bob, ask, profile):
    job = ask(
        profile,
        *(f"{name}.demo.internal" for name in "abcde"),
        justification=f"The shop moves. {MARKUP}",
    )
    target = Target.objects.create(name="web-1", kind=Target.Kind.FILE, config={"at": "web-1"})
    Deployment.objects.create(certificate=job.certificate, target=target)

    page = browse(bob).get(INBOX).text

    for words in (
        "dns:a.demo.internal",
        "and 2 more",
        "TLS server",
        "Test Issuing",
        "web-shop",
        "47 days",
        "alice, just now",
        "The shop moves. &lt;script&gt;",
        "web-1",
        f"{job.waits_until:%Y-%m-%d %H:%M} UTC · in ",
    ):
        assert words in page, words
    assert MARKUP not in page


def test_a_row_with_a_flag_says_so_and_cannot_be_ticked(browse, bob, wild, three):
    answer = browse(bob).get(INBOX)

    may_tick = {row.job.pk: row.may_tick for row in answer.context["rows"]}
    assert may_tick == {wild.pk: False, **{job.pk: True for job in three}}
    assert "inbox-flags" in answer.text


def test_an_empty_inbox_says_what_would_stand_there(browse, bob):
    page = browse(bob).get(INBOX).text

    assert "Nothing waits for you" in page
    assert "Less urgent" not in page


def test_pages_follow_on_one_another(browse, bob, alice):
    jobs = many(60, requested_by=alice)
    client = browse(bob)
    seen, query = [], ""
    while True:
        answer = client.get(f"{INBOX}?{query}")
        seen += rows(answer)
        query = answer.context["further"]
        if not query:
            break
    assert seen == [job.pk for job in jobs]


@pytest.mark.parametrize("query", ["after=x", "part=nothing", "after=1.2.3&part=mine"])
def test_an_address_that_makes_no_sense_shows_the_beginning(browse, bob, three, query):
    assert browse(bob).get(f"{INBOX}?{query}").status_code == 200


def test_thousands_that_wait_ask_no_more_queries_than_a_few(browse, bob, alice):
    client = browse(bob)
    many(5, requested_by=alice, owner=OwnerFactory())
    client.get(INBOX)
    with CaptureQueriesContext(connection) as few:
        client.get(INBOX)
    many(2500, requested_by=alice, owner=OwnerFactory())
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(INBOX)

    assert len(rows(answer)) == 25
    assert len(queries) <= len(few) + 1
    assert len(queries) <= 45, len(queries)
    assert "2,505 wait" in answer.text
    assert len(answer.content) < 250_000


def test_more_than_ten_thousand_are_not_counted(monkeypatch, browse, bob, three):
    monkeypatch.setattr("jobs.admin.inbox.MOST_COUNTED", 2)

    assert "2+ wait for a decision" in browse(bob).get(INBOX).text


# --- The number in the side bar, the dashboard, other pages ------------------------------------


def test_the_number_beside_the_inbox_is_of_what_one_may_decide(browse, alice, bob, three):
    assert inbox.number_for(bob) == "3"
    assert inbox.number_for(alice) == ""


def test_the_number_falls_when_something_is_decided(
    alice, bob, three, django_capture_on_commit_callbacks
):
    assert inbox.number_for(bob) == "3"
    with django_capture_on_commit_callbacks(execute=True):
        services.approve_job(job_id=three[0].pk, actor=bob)
    assert inbox.number_for(bob) == "2"


def test_the_number_is_kept_for_a_while(bob, three, django_assert_num_queries):
    inbox.number_for(bob)
    with django_assert_num_queries(0):
        assert inbox.number_for(bob) == "3"


def test_the_number_says_that_there_are_more(bob, alice):
    many(120, requested_by=alice)

    assert inbox.number_for(bob) == "99+"


def test_the_number_counts_on_where_the_most_urgent_are_not_ones_own_to_decide(
    alice, bob, three, monkeypatch
):
    monkeypatch.setattr(numbers, "LOOKED_AT", 500)
    jobs = many(300, requested_by=bob)
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(waits_until=timezone.now())

    assert inbox.number_for(bob) == "3"


def test_the_number_is_not_told_where_not_all_was_looked_at(alice, bob, monkeypatch):
    monkeypatch.setattr(parting, "SLICE", 2)
    monkeypatch.setattr(numbers, "LOOKED_AT", 2)
    many(1, requested_by=alice)
    many(300, requested_by=bob, minutes=2)

    assert inbox.number_for(bob) == "1+"


def test_the_dashboard_offers_a_review_only_of_what_one_may_approve(browse, bob, alice, three):
    three[0].certificate.owner.members.add(bob)
    barred = three[1]
    other = OwnerFactory()
    for job in (three[0], three[2]):
        type(job.certificate).objects.filter(pk=job.certificate_id).update(owner=other)

    answer = browse(bob).get("/admin/")

    assert [job.pk for job in answer.context["waiting_for_me"]] == [three[0].pk, three[2].pk]
    assert [job.pk for job in answer.context["waiting_for_others"]] == [barred.pk]
    assert reverse("admin:jobs_job_decide", args=[barred.pk]) not in answer.text


def test_my_requests_lead_to_the_inbox_whoever_decides(browse, alice, victor):
    assert "What waits for my decision" in browse(alice).get("/admin/jobs/mine/").text
    assert "What waits for my decision" not in browse(victor).get("/admin/jobs/mine/").text


# --- Several at once ---------------------------------------------------------------------------


def test_bob_is_shown_each_row_with_the_digest_that_a_single_decision_sends(
    browse, bob, three, wild
):
    answer = send(browse(bob), "approve", [*three[:2], wild], confirmed=False)

    assert [item.review.job.pk for item in answer.context["items"]] == [job.pk for job in three[:2]]
    for job in three[:2]:
        assert f'name="digest_{job.pk}" value="{digest_of(job)}"' in answer.text
    assert f"digest_{wild.pk}" not in answer.text
    assert [item.review.job.pk for item in answer.context["left_out"]] == [wild.pk]
    assert {status_of(job) for job in three} == {Status.AWAITING_APPROVAL}


def test_bob_approves_several_with_one_reason_each_by_itself(browse, bob, three):
    answer = send(browse(bob), "approve", three[:2], reason="as agreed")

    assert outcomes(answer) == {job.pk: (True, "Approved.") for job in three[:2]}
    for job in three[:2]:
        row = Job.objects.get(pk=job.pk)
        assert (row.status, row.decided_by, row.decision_reason) == ("Pending", bob, "as agreed")
        assert row.approved_digest == digest_of(job)
    assert Event.objects.filter(action="job.approve").count() == 2
    assert status_of(three[2]) == Status.AWAITING_APPROVAL


def test_bob_rejects_several_and_must_say_why(browse, bob, three):
    client = browse(bob)
    unsaid = send(client, "reject", three[:2])
    assert unsaid.status_code == 400
    assert "Say why, for whoever asked." in unsaid.text
    assert {status_of(job) for job in three} == {Status.AWAITING_APPROVAL}

    send(client, "reject", three[:2], reason="not now")

    assert [status_of(job) for job in three] == ["Cancelled", "Cancelled", "AwaitingApproval"]
    assert Event.objects.filter(action="job.reject").count() == 2


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_row_that_changed_since_it_was_shown_is_left_as_it_is(browse, bob, three, decision):
    stale = {three[0].pk: "0" * 64, three[1].pk: ""}

    answer = send(browse(bob), decision, three, digests=stale, reason="so")

    assert outcomes(answer) == {
        three[0].pk: (False, services.ChangedSinceShown.message),
        three[1].pk: (False, services.ChangedSinceShown.message),
        three[2].pk: (True, "Approved." if decision == "approve" else "Rejected."),
    }
    assert [status_of(job) for job in three[:2]] == [Status.AWAITING_APPROVAL] * 2


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_row_with_a_flag_is_left_as_it_is_whatever_is_sent(browse, bob, wild, three, decision):
    answer = send(browse(bob), decision, [wild, three[0]], reason="so")

    done, words = outcomes(answer)[wild.pk]
    assert not done
    assert services.Flagged.message in words
    assert status_of(wild) == Status.AWAITING_APPROVAL
    assert outcomes(answer)[three[0].pk][0]
    assert Event.objects.filter(action=f"job.{decision}.refuse").count() == 1


def test_what_became_risky_after_it_was_shown_is_left_as_it_is(browse, bob, three):
    shown = send(browse(bob), "approve", three[:1], confirmed=False)
    assert shown.context["items"]
    type(three[0].certificate).objects.filter(pk=three[0].certificate_id).update(
        sans=["dns:*.demo.internal"]
    )

    answer = send(browse(bob), "approve", three[:1], reason="so")

    assert not outcomes(answer)[three[0].pk][0]
    assert status_of(three[0]) == Status.AWAITING_APPROVAL


def test_a_row_with_a_flag_can_be_decided_by_itself(bob, wild):
    services.approve_job(job_id=wild.pk, actor=bob, digest=digest_of(wild))

    assert status_of(wild) == Status.PENDING


def test_alice_is_refused_what_is_hers_in_its_row(browse, alice, bob, three, ask, profile):
    theirs = ask(profile, "bobs.demo.internal", actor=bob)

    answer = send(browse(alice), "approve", [three[0], theirs], reason="so")

    assert outcomes(answer)[three[0].pk][0] is False
    assert "somebody else must approve it" in outcomes(answer)[three[0].pk][1]
    assert outcomes(answer)[theirs.pk] == (True, "Approved.")
    assert status_of(three[0]) == Status.AWAITING_APPROVAL


def test_what_is_hers_is_not_asked_about(browse, alice, three):
    answer = send(browse(alice), "approve", three[:1], confirmed=False)

    assert answer.context["items"] == []
    assert "somebody else must approve it" in answer.text
    assert 'type="submit" class="decide-button decide-yes"' not in answer.text


def test_the_same_sent_twice_is_done_once(browse, bob, three):
    client = browse(bob)
    digests = {job.pk: digest_of(job) for job in three}
    send(client, "approve", three, digests=digests)

    again = send(client, "approve", three, digests=digests)

    assert {done for done, _ in outcomes(again).values()} == {False}
    assert "cannot be approved" in again.text
    assert Event.objects.filter(action="job.approve").count() == 3


def test_rows_ticked_twice_are_decided_once(browse, bob, three):
    answer = send(browse(bob), "approve", [three[0], three[0]])

    assert outcomes(answer) == {three[0].pk: (True, "Approved.")}


@pytest.mark.parametrize(
    "given",
    [
        {"decision": "cancel"},
        {"decision": ""},
        {"decision": "approve", "job": []},
        {"decision": "approve", "job": ["x", "00000000-0000-0000-0000-000000000000"]},
    ],
)
def test_what_makes_no_sense_leads_back_to_the_inbox(browse, bob, three, given):
    data = {"job": [str(three[0].pk)], "confirmed": "yes", **given}

    answer = browse(bob).post(INBOX, data)

    assert (answer.status_code, answer.headers["Location"]) == (302, INBOX)
    assert status_of(three[0]) == Status.AWAITING_APPROVAL


def test_more_than_a_page_at_once_is_too_many(browse, bob, three, monkeypatch):
    monkeypatch.setattr(several, "MOST_AT_ONCE", 2)

    answer = send(browse(bob), "approve", three)

    assert answer.status_code == 302
    assert {status_of(job) for job in three} == {Status.AWAITING_APPROVAL}


def test_the_deadline_is_told_even_where_it_is_over(browse, bob, three):
    Job.objects.update(waits_until=timezone.now())

    assert "· just now" in browse(bob).get(INBOX).text

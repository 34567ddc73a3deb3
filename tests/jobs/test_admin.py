"""The admin's job list, job page and the page of a decision."""

import pytest

from audit.models import Event
from jobs import risks, services
from jobs.models import Job
from jobs.states import Status
from tests.jobs.conftest import NAME, status_of

pytestmark = pytest.mark.django_db
LIST = "/admin/jobs/job/"


def ask_about(client, action, *jobs):
    return client.post(LIST, {"action": action, "_selected_action": [str(job.pk) for job in jobs]})


def confirm(client, action, *jobs, reason="", **extra):
    digests = {f"digest_{job.pk}": services.decisions.approvals.review(job).digest for job in jobs}
    return client.post(
        LIST,
        {
            "action": action,
            "_selected_action": [str(job.pk) for job in jobs],
            "confirmed": "yes",
            "reason": reason,
            **digests,
            **extra,
        },
        follow=True,
    )


def words(response):
    return [str(message) for message in response.context["messages"]]


def test_the_list_shows_the_newest_first_but_of_what_waits_the_longest(
    browse, bob, issued, ask, profile
):
    waiting = [ask(profile, f"{name}.demo.internal") for name in ("new", "old", "older")]
    for job, year in zip(waiting, (2022, 2021, 2020), strict=True):
        Job.objects.filter(pk=job.pk).update(created_at=f"{year}-01-01T00:00:00Z")
    client = browse(bob)

    inbox = client.get(LIST, {"status__exact": "AwaitingApproval"})
    everything = client.get(LIST)

    new, old, older = (job.pk for job in waiting)
    rows = [job.pk for job in inbox.context["cl"].result_list]
    assert rows == [older, old, new]
    rows = [job.pk for job in everything.context["cl"].result_list]
    assert rows == [issued.jobs.get().pk, new, old, older]
    assert "Awaiting approval" in inbox.content.decode()
    assert "older.demo.internal" in inbox.content.decode()


def test_the_list_takes_as_many_queries_for_one_as_for_many(
    browse, bob, ask, profile, django_assert_max_num_queries
):
    for name in ("a", "b", "c", "d", "e"):
        ask(profile, f"{name}.demo.internal")
    client = browse(bob)

    # Five of them offer what the chips can be ticked by and the list's views, however many jobs.
    with django_assert_max_num_queries(20):
        client.get(LIST)


def test_filters_and_search_work(browse, bob, awaiting, issued):
    client = browse(bob)

    for query, count in (
        ("status__exact=AwaitingApproval", 1),
        ("kind__exact=Issuance", 2),
        ("q=web.demo", 2),
        ("q=nothing", 0),
    ):
        response = client.get(f"{LIST}?{query}")
        assert response.status_code == 200
        assert len(response.context["cl"].result_list) == count


def test_the_page_before_approving_shows_what_is_approved(
    browse, alice, bob, issued, free_profile, csr_for
):
    free_profile.approval_required_for = ["Renewal"]
    free_profile.save()
    job = services.request_renewal(actor=alice, certificate_id=issued.pk, csr_pem=csr_for(NAME)).job

    response = ask_about(browse(bob), "approve", job)
    page = response.content.decode()

    assert response.status_code == 200
    assert status_of(job) == Status.AWAITING_APPROVAL
    for shown in (
        NAME,
        "ecdsa-p256",
        "47 days",
        "issuing",
        "tls-free",
        issued.current.serial,
        issued.current.key_fingerprint,
        "What differs from version 1",
        "Renewal of web.demo.internal",
    ):
        assert shown in page
    assert '<th scope="col">' in page
    assert '<label class="decide-label" for="reason">' in page


def test_confirming_approves_what_was_shown(browse, bob, awaiting):
    response = confirm(browse(bob), "approve", awaiting, reason="fine")

    assert words(response) == ["Approved: Issuance of web.demo.internal."]
    awaiting.refresh_from_db()
    assert (awaiting.status, awaiting.decided_by) == (Status.PENDING, bob)
    assert awaiting.decision_reason == "fine"
    event = Event.objects.get(action="job.approve")
    assert (event.actor, event.door) == (bob, "admin")


def test_what_was_not_shown_is_not_approved(browse, bob, awaiting):
    client = browse(bob)

    for digest in ("", "0" * 64):
        response = confirm(client, "approve", awaiting, **{f"digest_{awaiting.pk}": digest})
        assert "has changed since it was shown" in words(response)[0]

    assert status_of(awaiting) == Status.AWAITING_APPROVAL


def test_approving_ones_own_is_refused_in_the_words_of_rest(browse, alice, awaiting, client_of):
    client = browse(alice)
    rest = client_of(alice).post(f"/api/v1/jobs/{awaiting.pk}/approve/", {}).json()["detail"]

    assert rest in ask_about(client, "approve", awaiting).content.decode()
    response = confirm(client, "approve", awaiting)

    assert words(response) == [f"Issuance of web.demo.internal: {rest}"]
    assert status_of(awaiting) == Status.AWAITING_APPROVAL
    refusal = Event.objects.get(action="job.approve.refuse", door="admin")
    assert (refusal.actor, refusal.data["code"]) == (alice, "self_approval")
    assert refusal.subject_id == str(awaiting.pk)


def test_a_rejection_needs_a_reason(browse, bob, awaiting):
    client = browse(bob)

    response = confirm(client, "reject", awaiting, reason="  ")
    assert response.status_code == 400
    assert "Say why" in response.content.decode()
    assert status_of(awaiting) == Status.AWAITING_APPROVAL

    confirm(client, "reject", awaiting, reason="wrong name")
    awaiting.refresh_from_db()
    assert (awaiting.status, awaiting.decision_reason) == (Status.CANCELLED, "wrong name")


def test_several_are_decided_each_for_itself(browse, bob, ask, profile, monkeypatch):
    monkeypatch.setattr(risks, "flags_of", lambda jobs: {})  # what these ask for is usual
    jobs = [ask(profile, f"{name}.demo.internal") for name in ("a", "b")]
    own = ask(profile, "c.demo.internal", actor=bob)

    response = confirm(browse(bob), "approve", *jobs, own)

    assert [status_of(job) for job in (*jobs, own)] == ["Pending", "Pending", "AwaitingApproval"]
    assert len(words(response)) == 3


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_what_is_risky_is_decided_on_by_itself_on_the_list_as_in_the_inbox(
    browse, bob, ask, profile, action, monkeypatch
):
    risky, usual = (ask(profile, f"{name}.demo.internal") for name in ("a", "b"))
    flag = risks.Flag("wildcard", "A wildcard.")
    monkeypatch.setattr(
        risks,
        "flags_of",
        lambda jobs: {job.pk: (flag,) for job in jobs if job.pk == risky.pk},
    )

    response = confirm(browse(bob), action, risky, usual, reason="so")

    assert status_of(risky) == Status.AWAITING_APPROVAL
    assert status_of(usual) != Status.AWAITING_APPROVAL
    assert any(services.Flagged.message in one for one in words(response))
    confirm(browse(bob), action, risky, reason="so")
    assert status_of(risky) != Status.AWAITING_APPROVAL


def test_the_job_page_shows_it_and_offers_what_its_status_allows(browse, bob, awaiting, issued):
    client = browse(bob)
    done = Job.objects.get(certificate=issued)

    page = client.get(f"{LIST}{awaiting.pk}/change/").content.decode()
    assert f"{LIST}{awaiting.pk}/approve/" in page
    assert f"{LIST}{awaiting.pk}/reject/" in page
    assert "What this job does" in page
    assert client.get(f"{LIST}{awaiting.pk}/approve/").status_code == 200

    page = client.get(f"{LIST}{done.pk}/change/").content.decode()
    assert f"{LIST}{done.pk}/approve/" not in page
    assert f"{LIST}{done.pk}/cancel/" not in page


def test_deciding_from_the_job_page_leads_back_to_it(browse, bob, awaiting):
    client, page = browse(bob), f"{LIST}{awaiting.pk}/approve/"
    digest = client.get(page).context["items"][0].review.digest

    response = client.post(page, {"confirmed": "yes", f"digest_{awaiting.pk}": digest}, follow=True)

    assert status_of(awaiting) == Status.PENDING
    assert response.redirect_chain[-1][0] == f"{LIST}{awaiting.pk}/change/"


def test_a_job_is_cancelled(browse, alice, awaiting):
    confirm(browse(alice), "cancel", awaiting, reason="typo")

    assert status_of(awaiting) == Status.CANCELLED


def test_a_viewer_reads_and_decides_nothing(browse, victor, awaiting):
    client = browse(victor)

    page = client.get(f"{LIST}{awaiting.pk}/change/")
    assert page.status_code == 200
    assert f"{LIST}{awaiting.pk}/approve/" not in page.content.decode()
    assert client.get(f"{LIST}{awaiting.pk}/approve/").status_code == 403
    confirm(client, "approve", awaiting)
    confirm(client, "cancel", awaiting)

    assert status_of(awaiting) == Status.AWAITING_APPROVAL
    assert Event.objects.filter(action="job.cancel.refuse", actor=victor).exists()


def test_rows_cannot_be_added_edited_or_deleted(browse, carol, awaiting):
    client = browse(carol)

    assert client.get(f"{LIST}add/").status_code == 403
    assert client.get(f"{LIST}{awaiting.pk}/delete/").status_code == 403
    assert client.post(f"{LIST}{awaiting.pk}/change/", {"status": "Pending"}).status_code == 403
    assert client.get(f"{LIST}nonsense/change/").status_code in {302, 404}
    assert client.get(f"{LIST}nonsense/approve/").status_code == 404
    assert status_of(awaiting) == Status.AWAITING_APPROVAL


def test_what_people_wrote_is_shown_as_text(browse, bob, ask, profile):
    job = ask(profile, name="<script>alert(1)</script>")

    for response in (
        ask_about(browse(bob), "approve", job),
        browse(bob).get(f"{LIST}{job.pk}/change/"),
        browse(bob).get(LIST),
    ):
        assert "<script>alert(1)" not in response.content.decode()


def test_more_than_a_page_is_not_decided_at_once(browse, bob, ask, profile, monkeypatch):
    jobs = [ask(profile, f"{name}.demo.internal") for name in ("a", "b")]
    monkeypatch.setattr("jobs.admin.jobs.MOST_AT_ONCE", 1)

    confirm(browse(bob), "approve", *jobs)

    assert {status_of(job) for job in jobs} == {Status.AWAITING_APPROVAL}

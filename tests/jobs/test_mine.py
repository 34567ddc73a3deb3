"""My requests, and a rejection that reads as one: alice asks, bob decides, victor only reads."""

import pytest

from certificates.models import Certificate, CertificateStatus
from jobs import approvals, runner, services
from jobs.models import Job
from jobs.states import Status
from tests.jobs.conftest import NAME

pytestmark = pytest.mark.django_db
MINE, LIST, CERTIFICATES = (
    "/admin/jobs/mine/",
    "/admin/jobs/job/",
    "/admin/certificates/certificate/",
)
MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def rejected(awaiting, bob):
    return services.reject_job(job_id=awaiting.pk, actor=bob, reason=f"Wrong name. {MARKUP}")


def rows(response):
    return [row.job.pk for row in response.context["rows"]]


def standings(response):
    return [row.standing.word for row in response.context["rows"]]


def test_a_rejection_is_cancelled_over_the_wire_and_rejected_to_people(rejected, client_of, bob):
    wire = client_of(bob).get(f"/api/v1/jobs/{rejected.pk}/").json()

    assert wire["status"] == "Cancelled"
    assert approvals.word_of(rejected) == "Rejected"
    assert approvals.standing_of(rejected).detail.startswith("By bob: Wrong name.")
    assert list(Job.objects.rejected()) == [rejected]


def test_what_was_approved_and_then_called_off_is_not_rejected(awaiting, alice, bob):
    services.approve_job(job_id=awaiting.pk, actor=bob)
    job = services.cancel_job(job_id=awaiting.pk, actor=alice)

    assert not job.is_rejected
    assert not Job.objects.rejected()
    assert approvals.word_of(job) == "Cancelled"


def test_bob_reads_a_rejection_and_its_reason_in_both_lists_and_on_both_pages(
    browse, bob, rejected
):
    client = browse(bob)
    certificate = Certificate.objects.get()
    assert certificate.status == CertificateStatus.FAILED  # over the wire, as before

    for page in (
        LIST,
        f"{LIST}{rejected.pk}/change/",
        CERTIFICATES,
        f"{CERTIFICATES}{certificate.pk}/change/",
    ):
        text = client.get(page).content.decode()
        assert "Rejected" in text, page
        assert "Wrong name." in text, page
        assert MARKUP not in text, page
        assert 'standing-failed">' not in text, page


def test_a_certificate_that_fails_after_a_rejection_reads_failed(
    browse, bob, rejected, ask, profile
):
    certificate = Certificate.objects.get()
    Job.objects.create(
        kind=Job.Kind.ISSUANCE,
        status=Status.FAILED,
        certificate=certificate,
        requested_by=rejected.requested_by,
    )

    text = browse(bob).get(CERTIFICATES).content.decode()

    assert "standing-rejected" not in text
    assert 'standing-failed">' in text


def test_alice_sees_what_she_asked_for_and_nobody_elses_the_newest_first(
    browse, alice, bob, ask, profile, csr_for
):
    mine = [ask(profile, f"{name}.demo.internal") for name in ("old", "new")]
    Job.objects.filter(pk=mine[0].pk).update(created_at="2020-01-01T00:00:00Z")
    ask(profile, "other.demo.internal", actor=bob)

    response = browse(alice).get(MINE)

    assert rows(response) == [mine[1].pk, mine[0].pk]
    assert "other.demo.internal" not in response.content.decode()


def test_alice_reads_whom_a_request_waits_for_and_until_when(browse, alice, awaiting):
    text = browse(alice).get(MINE).content.decode()

    assert "An operator must decide who is neither alice" in text
    assert f"{awaiting.waits_until:%Y-%m-%d %H:%M} UTC" in text


def test_alice_downloads_what_was_issued(browse, alice, issued):
    client = browse(alice)
    response = client.get(MINE)
    row = response.context["rows"][0]

    assert row.standing.word == "Issued"
    assert f"{issued.current.not_after:%d %b %Y}" in row.standing.detail
    file = client.post(row.download, {"form": "pem"})
    assert b"BEGIN CERTIFICATE" in file.content


def test_alice_reads_who_said_no_and_why_and_can_ask_again(browse, alice, rejected):
    response = browse(alice).get(MINE)
    row = response.context["rows"][0]

    assert (row.standing.word, row.standing.tone) == ("Rejected", "rejected")
    assert row.standing.detail == f"By bob: Wrong name. {MARKUP}"
    assert [link.words for link in row.links] == ["Ask again…"]
    assert MARKUP not in response.content.decode()


def test_alice_reads_what_to_do_about_what_failed(browse, alice, awaiting):
    Job.objects.filter(pk=awaiting.pk).update(
        status=Status.FAILED, given_up=True, last_error="The name is not allowed."
    )

    row = browse(alice).get(MINE).context["rows"][0]

    assert row.standing.detail == "The name is not allowed."
    assert "ask again" in row.standing.todo
    assert [link.words for link in row.links] == ["What can be done"]


def test_the_page_narrows_to_where_requests_stand(browse, alice, bob, ask, profile, issued):
    waits = ask(profile, "waits.demo.internal")
    no = ask(profile, "no.demo.internal")
    services.reject_job(job_id=no.pk, actor=bob, reason="No.")
    client = browse(alice)

    assert rows(client.get(MINE, {"stands": "open"})) == [waits.pk]
    assert rows(client.get(MINE, {"stands": "rejected"})) == [no.pk]
    assert standings(client.get(MINE, {"stands": "done"})) == ["Issued"]
    assert len(rows(client.get(MINE, {"stands": "nonsense"}))) == 3


@pytest.mark.parametrize("page", ["", "0", "-1", "2", "x", "999999999999999999999", "²"])
def test_a_page_that_is_none_is_no_fault(browse, alice, awaiting, page):
    assert browse(alice).get(MINE, {"p": page}).status_code == 200


def test_it_pages_and_takes_as_many_queries_for_one_as_for_many(
    browse, alice, awaiting, django_assert_max_num_queries
):
    client = browse(alice)
    client.get(MINE)
    with django_assert_max_num_queries(12) as one:
        client.get(MINE)
    job = Job.objects.get(pk=awaiting.pk)
    for number in range(60):
        status = (Status.FAILED, Status.COMPLETED, Status.CANCELLED)[number % 3]
        Job.objects.create(
            kind=Job.Kind.VALIDATION,
            status=status,
            certificate=job.certificate,
            requested_by=alice,
            attempts=3,
        )

    with django_assert_max_num_queries(len(one.captured_queries)):
        first = client.get(MINE)
    last = client.get(MINE, {"p": "3"})

    assert (len(rows(first)), len(rows(last))) == (25, 11)
    assert first.context["after"] == 2
    assert last.context["after"] == 0


def test_who_asked_for_nothing_is_told_what_the_page_is_for(browse, bob, victor):
    asks, reads = browse(bob).get(MINE), browse(victor).get(MINE)

    assert "You have asked for nothing yet" in asks.content.decode()
    assert asks.context["ask"] == "/admin/certificates/certificate/add/"
    assert reads.context["ask"] == ""
    for client_page in (asks, reads):
        assert "My requests" in client_page.content.decode()


def test_who_may_neither_ask_nor_see_has_no_such_page(browse, django_user_model):
    nobody = django_user_model.objects.create(username="nobody", is_staff=True)
    client = browse(nobody)

    assert client.get(MINE).status_code == 403
    assert MINE not in client.get("/admin/").content.decode()


def test_a_worker_takes_it_to_being_signed(awaiting, bob):
    job = services.approve_job(job_id=awaiting.pk, actor=bob)
    assert approvals.standing_of(job).detail == "It is signed next."

    assert runner.run_pending() == 1
    done = Job.objects.select_related("version").get(pk=job.pk)
    assert approvals.standing_of(done).word == "Issued"
    assert NAME in done.certificate.name

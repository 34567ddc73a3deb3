"""The page about a certificate: what it is, where it is served, who decided, what was done.

Alice asks and changes, bob decides, victor only reads, and mallory may not read it at all.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from certificates import services as certificate_services
from certificates.models import Alert, Certificate
from deployments.models import Deployment, Target
from jobs import runner, services
from jobs.models import Job
from jobs.states import Status
from owners.models import Principal
from tests.factories import JobFactory, RenewalPolicyFactory, VersionFactory

pytestmark = pytest.mark.django_db
HIDING = "web\u202e<i>shop\u200b"


def page_of(certificate):
    return f"/admin/certificates/certificate/{certificate.pk}/change/"


def read(client, certificate):
    answer = client.get(page_of(certificate))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def decided(ask, profile, bob):
    """A certificate that alice asked for, bob approved and the local CA signed."""
    job = ask(profile, justification="Ticket 4711")
    services.approve_job(actor=bob, job_id=job.pk, reason="As agreed")
    runner.run_pending()
    certificate = Certificate.objects.get(pk=job.certificate_id)
    assert certificate.current is not None
    return certificate


def test_victor_reads_what_it_is_and_no_form(browse, victor, decided):
    text = read(browse(victor), decided)

    assert '<h1 id="page-name">web.demo.internal</h1>' in text
    assert "It is in use. Nothing renews it by itself" in text
    assert f"in {(decided.current.not_after - timezone.now()).days} days" in text
    assert f"{decided.current.not_after:%Y-%m-%d %H:%M} UTC" in text
    assert decided.current.serial in text
    assert "dns:web.demo.internal" in text
    assert 'method="post" id="certificate_form"' not in text


def test_a_version_says_who_asked_why_who_decided_and_who_signed(browse, victor, decided):
    text = read(browse(victor), decided)

    versions = text[text.index(">Versions</h2>") : text.index(">Jobs</h2>")]
    for words in ("alice", "Ticket 4711", "bob", "As agreed", "issuing", "in use"):
        assert words in versions, words


def test_a_revocation_stands_on_its_version_with_who_and_why(browse, victor, carol, decided):
    certificate_services.revoke(
        version_id=decided.current_id, actor=carol, reason="keyCompromise", note="Lost laptop"
    )

    text = read(browse(victor), decided)

    assert "by carol: Lost laptop" in text
    assert "Key compromise" in text
    assert "Ask for a renewal where it is still needed" in text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"health": "Healthy", "ago": 1}, "proved by a handshake"),
        ({"health": "Healthy", "ago": 3}, "not looked at since"),
        ({"health": "Mismatch", "ago": 1}, "another one is served"),
        ({"health": "Down", "ago": 1}, "no answer"),
        ({"health": "Unknown", "ago": None}, "not looked at yet"),
    ],
)
def test_it_says_whether_a_handshake_proved_what_is_served(
    browse, victor, decided, watched_target, fields, words
):
    now = timezone.now()
    ago = fields["ago"]
    Deployment.objects.create(
        certificate=decided,
        target=watched_target,
        version=decided.current,
        health=fields["health"],
        deployed_at=now - timedelta(hours=2),
        checked_at=now - timedelta(hours=ago) if ago else None,
    )

    text = read(browse(victor), decided)

    assert words in text
    assert f"/admin/deployments/target/{watched_target.pk}/change/" in text
    assert "not the one in use" not in text


def test_a_target_that_has_an_older_version_says_so(browse, victor, decided, target):
    first = decided.current
    VersionFactory(certificate=decided)
    Deployment.objects.create(
        certificate=decided, target=target, version=first, deployed_at=timezone.now()
    )

    text = read(browse(victor), decided)

    assert "not the one in use" in text
    assert "no endpoint to look at" in text


def test_its_history_has_what_was_decided_about_it_and_nobody_elses(browse, victor, decided):
    text = read(browse(victor), decided)

    history = text[text.index(">History</h2>") :]
    for action, words in {
        "certificate.register": "<b><bdi>alice</bdi></b> ",
        "job.approve": "<b><bdi>bob</bdi></b> approved the ",
        "certificate.issue": "<b><bdi>certctl</bdi></b> ",
        "job.complete": "<b><bdi>certctl</bdi></b> ",
    }.items():
        event = Event.objects.get(action=action, certificate=decided.pk)
        assert f'/admin/audit/event/{event.pk}/change/">{words}' in history, action
        assert f">{action}<" not in history
    assert f"/admin/audit/event/?certificate={decided.pk}" in history


def test_whoever_may_not_read_the_trail_is_shown_none_of_it(browse, victor, decided, monkeypatch):
    without(monkeypatch, "audit.view_event")

    text = read(browse(victor), decided)

    assert ">History</h2>" not in text
    assert "approved the" not in text


def test_whoever_may_not_read_jobs_and_places_is_shown_none(
    browse, victor, decided, awaiting_renewal, target, monkeypatch
):
    Deployment.objects.create(certificate=decided, target=target, version=decided.current)
    without(
        monkeypatch,
        "jobs.view_job",
        "deployments.view_deployment",
        "deployments.view_target",
        "audit.view_event",
    )

    text = read(browse(victor), decided)

    assert ">Jobs</h2>" not in text
    assert "Ticket 4711" not in text
    assert "Awaiting approval" not in text
    assert "web-1" not in text


@pytest.fixture
def awaiting_renewal(decided, alice):
    return JobFactory(
        certificate=decided,
        kind=Job.Kind.RENEWAL,
        status=Status.AWAITING_APPROVAL,
        requested_by=alice,
    )


def test_what_is_under_way_stands_beside_the_status(browse, victor, decided, awaiting_renewal):
    text = read(browse(victor), decided)

    head = text[: text.index(">Versions</h2>")]
    assert f"/admin/jobs/job/{awaiting_renewal.pk}/change/" in head
    assert "An operator must decide who is neither alice" in head


def test_an_open_alert_is_at_the_top_and_one_that_is_over_is_not(browse, victor, decided):
    kinds = Alert.Kind
    Alert.objects.create(kind=kinds.VALIDATION_FAILED, certificate=decided, detail="web-2 is wrong")
    Alert.objects.create(
        kind=kinds.ISSUER_REVOKED, certificate=decided, detail="gone", cleared_at=timezone.now()
    )

    text = read(browse(victor), decided)

    assert "web-2 is wrong" in text
    assert "gone" not in text


def test_it_says_when_it_is_renewed_by_itself(browse, victor, decided):
    decided.renewal_policy = RenewalPolicyFactory(name="standard", window=timedelta(days=10))
    decided.save()

    due = decided.current.not_after - timedelta(days=10)
    assert f"from {due:%Y-%m-%d %H:%M} UTC on (standard)" in read(browse(victor), decided)


@pytest.mark.parametrize(
    ("who", "buttons"),
    [
        ("victor", set()),
        ("alice", {"renew", "deploy", "revoke", "?edit=1"}),
        ("carol", {"renew", "deploy", "revoke", "?edit=1"}),
    ],
)
def test_nobody_sees_a_button_for_what_they_may_not_do(browse, decided, who, buttons):
    text = read(browse(Principal.objects.get(username=who)), decided)

    offered = {
        name
        for name, link in {
            "renew": f"/{decided.pk}/renew",
            "deploy": f"/{decided.pk}/deploy",
            "revoke": f"/{decided.pk}/revoke",
            "?edit=1": 'href="?edit=1"',
        }.items()
        if link in text
    }
    assert offered == buttons


@pytest.fixture(autouse=True)
def _everybody(alice, bob, carol, victor):
    """All of them are there, whoever reads."""


def test_the_form_is_behind_the_button_and_for_whoever_may_change_it(
    browse, alice, victor, decided
):
    form = browse(alice).get(f"{page_of(decided)}?edit=1")
    looked = browse(victor).get(f"{page_of(decided)}?edit=1").content.decode()

    assert set(form.context["adminform"].form.fields) == {
        "name",
        "owner",
        "team",
        "renewal_policy",
        "environment",
        "tags",
    }
    assert 'id="certificate_form"' not in looked
    assert "page-name" in looked


def test_after_saving_one_looks_at_what_was_saved(browse, alice, decided):
    body = {"name": "renamed", "owner": str(decided.owner_id), "tags": ""}

    answer = browse(alice).post(f"{page_of(decided)}?edit=1", body)

    assert answer.status_code == 302
    assert answer["Location"] == page_of(decided)


def test_a_refusal_shows_the_form_again(browse, alice, decided):
    answer = browse(alice).post(f"{page_of(decided)}?edit=1", {"name": ""})

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["name"]
    decided.refresh_from_db()
    assert decided.name == "web.demo.internal"


def test_mallory_is_shown_nothing(browse, victor, decided, monkeypatch):
    without(monkeypatch, "certificates.view_certificate", "certificates.change_certificate")

    assert browse(victor).get(page_of(decided)).status_code == 403


def test_a_certificate_that_is_not_there_leads_back(browse, victor, decided):
    answer = browse(victor).get("/admin/certificates/certificate/nonsense/change/")

    assert answer.status_code == 302


def test_names_are_shown_as_what_they_are(browse, victor, decided):
    decided.name = HIDING
    decided.save()

    text = read(browse(victor), decided)

    assert "\u202e" not in text
    assert "\u200b" not in text
    assert "<i>shop" not in text
    assert ">U+202E</span>&lt;i&gt;shop" in text


def test_two_hundred_names_are_folded_after_ten(browse, victor, decided):
    decided.sans = [f"dns:n{number}.demo.internal" for number in range(200)]
    decided.save()

    text = read(browse(victor), decided)

    assert "190 more names" in text
    assert text.index("n9.demo.internal") < text.index("190 more names")
    assert text.index("190 more names") < text.index("n10.demo.internal")


def grow(certificate, alice, *, versions, jobs, targets):
    for _ in range(versions):
        VersionFactory(certificate=certificate, requested_by=alice, job_id=None)
    for number in range(targets):
        place = Target.objects.create(name=f"at-{versions}-{number}", kind=Target.Kind.FILE)
        Deployment.objects.create(
            certificate=certificate, target=place, version=certificate.current
        )
        for _ in range(jobs // targets):
            JobFactory(
                certificate=certificate,
                kind=Job.Kind.DEPLOYMENT,
                status=Status.COMPLETED,
                target=place,
                version=certificate.current,
            )


def test_the_page_takes_the_same_queries_however_much_there_is(
    browse, alice, decided, django_assert_max_num_queries
):
    client = browse(alice)
    grow(decided, alice, versions=1, jobs=1, targets=1)
    read(client, decided)
    with django_assert_max_num_queries(25) as few:
        read(client, decided)
    grow(decided, alice, versions=20, jobs=50, targets=3)

    with django_assert_max_num_queries(len(few)):
        text = read(client, decided)

    assert "Version 22" in text
    assert "All its jobs" in text


def without(monkeypatch, *missing):
    """Have nobody hold these permissions."""
    really = Principal.has_perm
    monkeypatch.setattr(
        Principal,
        "has_perm",
        lambda self, perm, obj=None: perm not in missing and really(self, perm, obj),
    )


def test_a_rejection_reads_as_one_in_its_head_and_among_its_jobs(browse, victor, ask, profile, bob):
    job = ask(profile)
    services.reject_job(job_id=job.pk, actor=bob, reason="Not this name.")

    text = read(browse(victor), job.certificate)

    assert text.count('<span class="standing standing-rejected">Rejected</span>') == 2
    assert "page-rejected" not in text
    assert ">Cancelled<" not in text
    assert "Not this name." in text

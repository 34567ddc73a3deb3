"""The dashboard: what needs somebody first, and what it costs however much there is.

Bob decides, carol administers, victor reads, and paula may sign in and see nothing.
"""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from certificates import crl
from certificates.models import Alert, CertificateStatus, Responder, Revocation
from console import stats, trends
from deployments.models import Deployment, Target
from enrollment.models import Label
from issuers.models import Profile
from jobs.models import Job
from jobs.states import Status
from pki_wellknown.models import LATENCY_BUCKETS, WebProcess
from tests.factories import CertificateFactory, JobFactory, PrincipalFactory, VersionFactory

MOST_QUERIES = 25


@pytest.fixture
def page_of(browse):
    """The dashboard as a person gets it: `page_of(bob)` is its answer."""

    def look(person):
        answer = browse(person).get("/admin/")
        assert answer.status_code == 200
        return answer

    return look


def _certificates(count, *, ends):
    first = CertificateFactory()
    rows = [first] + [
        CertificateFactory(owner=first.owner, issuer=first.issuer, profile=first.profile)
        for _ in range(count - 1)
    ]
    return [VersionFactory(certificate=row, not_after=ends).certificate for row in rows]


@pytest.fixture
def everything(local_ca, system, bob):
    """Something of each kind that the dashboard tells of."""
    now = timezone.now()
    crl.publish(issuer_id=local_ca.pk, actor=system)
    ending = _certificates(12, ends=now + timedelta(days=3))
    JobFactory.create_batch(
        12, status=Status.FAILED, completed_at=now - timedelta(hours=1), certificate=ending[0]
    )
    JobFactory.create_batch(
        3,
        kind=Job.Kind.RENEWAL,
        status=Status.COMPLETED,
        completed_at=now,
        certificate=ending[0],
    )
    target = Target.objects.create(
        name="edge", kind="file", endpoint_host="edge.example", endpoint_port=443
    )
    for one in ending:
        Deployment.objects.create(
            certificate=one, target=target, version=one.current, deployed_at=now
        )
        Alert.objects.create(
            kind=Alert.Kind.VALIDATION_FAILED, certificate=one, since=now, detail="Not that one."
        )
    Revocation.objects.create(version=ending[0].current, revoked_at=now, revoked_by=bob)
    local_ca.ocsp_delegated = True
    local_ca.save()
    own = {}
    for kind in ("is_ra", "is_responder"):
        profile = Profile.objects.create(slug=kind.replace("_", "-"), name=kind, **{kind: True})
        own[kind] = CertificateFactory(profile=profile, issuer=local_ca)
        VersionFactory(certificate=own[kind])
    Responder.objects.create(issuer=local_ca, certificate=own["is_responder"])
    Label.objects.create(
        protocol="scep",
        path="phones",
        principal=PrincipalFactory(),
        issuer=local_ca,
        profile=ending[0].profile,
        owner=ending[0].owner,
        ra_certificate=own["is_ra"],
    )
    WebProcess.objects.create(
        name="web-1",
        seen_at=now,
        hits=1,
        misses=1,
        entries=1,
        confirmation_seconds=1.0,
        latency_seconds=1.0,
        latency_counts=[0, 3, 0, 1, *([0] * (len(LATENCY_BUCKETS) - 3))],
    )
    return ending


@pytest.mark.parametrize("waiting", [0, 90, 200])
def test_it_costs_no_more_queries_whatever_waits(
    waiting, everything, bob, browse, django_assert_max_num_queries
):
    _certificates(20, ends=timezone.now() + timedelta(days=20))
    JobFactory.create_batch(waiting, status=Status.AWAITING_APPROVAL)
    client = browse(bob)

    with django_assert_max_num_queries(MOST_QUERIES):
        client.get("/admin/")
    # What is counted over everything was kept.
    with django_assert_max_num_queries(MOST_QUERIES - 7):
        client.get("/admin/dashboard/")


@pytest.mark.takes(20)
def test_two_thousand_certificates_cost_no_more(
    everything, carol, browse, django_assert_max_num_queries
):
    _certificates(2000, ends=timezone.now() + timedelta(days=3))
    JobFactory.create_batch(200, status=Status.AWAITING_APPROVAL)
    client = browse(carol)

    with django_assert_max_num_queries(MOST_QUERIES):
        text = client.get("/admin/").text

    assert "1,000+" in text  # no number is counted beyond that while somebody waits
    assert len(text) < 150_000


def test_bob_sees_what_others_asked_for_first_and_his_own_apart(page_of, bob, alice):
    JobFactory(status=Status.AWAITING_APPROVAL, requested_by=alice)
    own = JobFactory(status=Status.AWAITING_APPROVAL, requested_by=bob)

    page = page_of(bob)

    assert page.context["waiting_for_me_count"] == 1
    assert page.context["waiting_for_others"] == [own]


def test_what_needs_somebody_stands_there_with_its_number(page_of, carol, everything):
    page = page_of(carol)

    counts = {duty.ident: count for duty, count in page.context["duties"]}
    assert counts == {"failed": "12", "ending": "12", "unproven": "12"}
    assert page.context["alerts_count"] == 12
    assert {end.what for end in page.context["ends"]} == {"CA", "RA", "OCSP responder"}


@pytest.mark.parametrize("person", ["carol", "victor"])
def test_behind_every_number_is_a_list_of_as_many(request, person, everything, browse):
    reader = browse(request.getfixturevalue(person))
    text = reader.get("/admin/").text
    links = set(re.findall(r'href="(/admin/[^"]*\?[^"]*)"[^>]*>(?:<span[^>]*>)?([\d,]+)<', text))

    assert len(links) > 15
    for address, number in sorted(links):
        rows = reader.get(unescape(address))
        assert rows.status_code == 200, address
        assert rows.context["cl"].result_count == int(number.replace(",", "")), address


def test_victor_is_not_asked_to_decide(page_of, victor, alice):
    JobFactory(status=Status.AWAITING_APPROVAL, requested_by=alice)

    page = page_of(victor)

    assert "does not decide" in page.text
    assert "Waiting for you" not in page.text
    assert "Review" not in page.text


def test_paula_who_may_see_nothing_sees_nothing(page_of, everything):
    paula = PrincipalFactory(is_staff=True)

    page = page_of(paula)

    assert page.context["duties"] == []
    assert page.context["alerts"] == []
    assert page.context["ends"] == []
    counted = ("tiles", "weeks", "forecast", "per_day", "jobs", "queue", "latency", "events")
    assert not any(page.context.get(name) for name in counted)
    assert everything[0].name not in page.text


def test_an_empty_installation_says_that_nothing_waits(page_of, carol):
    page = page_of(carol)

    assert "Nothing waits for you" in page.text
    assert "No certificate is live yet." in page.text


def test_a_renewal_under_way_is_nothing_to_do(page_of, carol):
    soon = timezone.now() + timedelta(days=3)
    renewing, forgotten = _certificates(2, ends=soon)
    renewing.status = CertificateStatus.RENEWAL_IN_PROGRESS
    renewing.save()

    [(duty, count)] = page_of(carol).context["duties"]

    assert count == "1"
    assert [line.name for line in duty.lines] == [forgotten.name]
    assert duty.lines[0].detail == "Nothing renews it by itself."


def test_a_target_without_an_endpoint_is_not_reproached(page_of, carol):
    [one] = _certificates(1, ends=timezone.now() + timedelta(days=30))
    target = Target.objects.create(name="files", kind="file")
    Deployment.objects.create(certificate=one, target=target, version=one.current)

    assert page_of(carol).context["duties"] == []


def test_the_names_of_this_installation_are_looked_up_among_its_own(page_of, carol, settings):
    settings.ALLOWED_HOSTS = ["*", "pki.demo.internal"]
    one = CertificateFactory(name="pki.demo.internal")
    VersionFactory(certificate=one, not_after=timezone.now() + timedelta(minutes=9))

    ends = page_of(carol).context["ends"]

    assert [(end.what, end.name, end.state) for end in ends] == [
        ("Our own TLS", "pki.demo.internal", "soon")
    ]


def test_days_are_utc_days_and_today_is_the_last(db, time_machine):
    time_machine.move_to("2026-11-26T00:30:00+00:00", tick=False)
    for when in ("2026-11-25T23:59:59Z", "2026-11-26T00:00:00Z", "2026-11-26T00:20:00Z"):
        JobFactory(status=Status.COMPLETED, completed_at=when)
    JobFactory(status=Status.COMPLETED, completed_at="2026-10-27T23:59:59Z")  # before the first

    counted = trends.days()

    assert len(counted.days) == 30
    assert str(counted.days[-1]) == "2026-11-26"
    assert counted.issued[-2:] == (1, 2)
    assert sum(counted.issued) == 3


def test_renewals_succeed_in_percent_of_those_that_ended(db):
    now = timezone.now()
    renewal = {"kind": Job.Kind.RENEWAL, "completed_at": now}
    JobFactory.create_batch(3, status=Status.COMPLETED, **renewal)
    JobFactory(status=Status.FAILED, **renewal)
    JobFactory(status=Status.CANCELLED, **renewal)
    JobFactory(status=Status.FAILED, completed_at=now)

    counted = trends.days()

    assert counted.renewal_success == 75
    assert counted.failed[-1] == 2


def test_the_forecast_renews_at_two_thirds_of_each_lifetime(db):
    many = _certificates(47, ends=timezone.now() + timedelta(days=30))
    VersionFactory(certificate=many[0], number=2, job_id="1" * 32)
    VersionFactory(certificate=many[0], number=3)  # imported: nobody renewed it here

    [load] = trends.forecast()

    assert load.live == 47
    assert load.foreseen == pytest.approx((47 * 1.5 / 200, 47 * 1.5 / 100, 1.5))
    assert load.seen == pytest.approx(1 / 30)


def test_latency_is_of_all_processes_together(db):
    rows = [
        WebProcess(latency_counts=[5, 0, 4, *([0] * 8)]),
        WebProcess(latency_counts=[0, 0, 0, *([0] * 7), 1]),
    ]

    counted = trends.latency(rows)

    assert counted.changes == 10
    assert (counted.within(50), counted.within(90), counted.within(95)) == (
        "0.01 s",
        "0.05 s",
        "> 10 s",
    )


def test_a_week_has_the_same_colour_whatever_the_others_have(page_of, carol):
    _certificates(9, ends=timezone.now() + timedelta(days=3))
    _certificates(10, ends=timezone.now() + timedelta(days=10))

    weeks = page_of(carol).context["weeks"]

    assert [bar.value.level for bar in weeks.bars[:3]] == [1, 2, 0]


def test_what_is_counted_over_everything_is_kept_for_all(db, django_assert_num_queries):
    trends.kept("certificates", stats.certificates_by_status)

    with django_assert_num_queries(0):
        trends.kept("certificates", stats.certificates_by_status)


def test_the_fragment_is_for_whoever_is_signed_in(browse, victor, client):
    whole = browse(victor).get("/admin/dashboard/")
    assert whole.status_code == 200
    assert "<html" not in whole.text
    # No redirect: htmx would put the sign-in page into the board.
    assert client.get("/admin/dashboard/").status_code == 401
    assert browse(PrincipalFactory()).get("/admin/dashboard/").status_code == 401


def test_names_that_people_type_are_text(page_of, bob, alice):
    bad = CertificateFactory(name="<script>alert(1)</script>")
    JobFactory(
        status=Status.FAILED,
        certificate=bad,
        completed_at=timezone.now(),
        last_error="<img src=x onerror=alert(1)>",
    )
    JobFactory(status=Status.AWAITING_APPROVAL, certificate=bad, requested_by=alice)

    text = page_of(bob).text

    assert "<script>alert" not in text
    assert "<img src=x" not in text


def test_no_page_style_is_written_into_the_page(page_of, carol, everything):
    board = page_of(carol).text.split('id="cc-board"')[1].split('id="cc-stale"')[0]

    assert "style=" not in board
    assert "<script" not in board

"""The page about a target: what is there, whether a handshake proved it, what was done.

Carol administers, alice asks, victor only reads, and mallory may not read it at all.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.services import record
from deployments.models import Deployment, Target
from foundation.sealed import Sealed
from jobs.models import Job
from tests.console.rows_pages import (
    HIDING,
    MOST_QUERIES,
    address,
    limited,
    read,
    section,
    shows_what_hides,
    titles,
    without,
    words_of,
)
from tests.factories import CertificateFactory, JobFactory, VersionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def target(db):
    return Target.objects.create(
        name="web-1",
        kind=Target.Kind.FILE,
        config={"certificate_path": "/srv/web.pem", "key_path": "/srv/web.key"},
        endpoint_host="2001:db8::1",
        endpoint_port=443,
    )


@pytest.fixture
def deployed(target):
    """Have a certificate deployed there: `deployed(health="Healthy", ago=1)`."""

    def make(*, health="Unknown", ago=None, hours=2, name="web.demo.internal"):
        now = timezone.now()
        certificate = CertificateFactory(name=name)
        version = VersionFactory(certificate=certificate)
        return Deployment.objects.create(
            certificate=certificate,
            target=target,
            version=version,
            health=health,
            deployed_at=now - timedelta(hours=hours),
            checked_at=now - timedelta(hours=ago) if ago else None,
        )

    return make


def head(text):
    return text[text.index("page-head") : text.index("page-sections")]


def test_victor_reads_where_and_how_and_no_form_and_no_secret(browse, victor, target):
    Target.objects.update(secrets=Sealed(b"\x01sealed"), server_name="www.demo.internal")

    text = read(browse(victor), target)

    assert '<h1 id="page-name">web-1</h1>' in text
    where = words_of(section(text, "Where and how"))
    assert "Certificate path /srv/web.pem" in where
    assert "Secrets kept; never shown" in where
    assert "Brought there by this server" in where
    looked = words_of(section(text, "What a handshake looks at"))
    assert "[2001:db8::1]:443" in looked
    assert "www.demo.internal" in looked
    assert "sealed" not in text
    assert 'id="target_form"' not in text


@pytest.mark.parametrize(
    ("health", "ago", "badge", "words"),
    [
        ("Healthy", 1, "proved by a handshake", "what was brought there last is what is served"),
        ("Healthy", 3, "not looked at yet", "A handshake proved 0 of 1"),
        ("Unknown", None, "not looked at yet", "A handshake proved 0 of 1"),
        ("Mismatch", 1, "another one is served", "Of 1 deployed: another one is served (1)."),
        ("Down", 1, "no answer", "Of 1 deployed: no answer (1)."),
        ("Degraded", 1, "degraded", "Of 1 deployed: degraded (1)."),
    ],
)
def test_its_status_is_what_handshakes_said_of_all_that_is_there(
    browse, victor, target, deployed, health, ago, badge, words
):
    deployed(health=health, ago=ago)

    text = head(read(browse(victor), target))

    assert f">{badge}</span>" in text
    assert words in text


def test_one_that_is_wrong_outweighs_those_that_are_right(browse, victor, target, deployed):
    deployed(health="Healthy", ago=1, name="right")
    deployed(health="Degraded", ago=1, name="half")
    deployed(health="Mismatch", ago=1, name="wrong")

    text = head(read(browse(victor), target))

    assert ">another one is served</span>" in text
    assert "Of 3 deployed: degraded (1), another one is served (1)." in text


@pytest.mark.parametrize(
    ("fields", "badge", "words"),
    [
        ({"enabled": False}, "disabled", "No newer version is brought there"),
        ({"endpoint_host": ""}, "no endpoint to look at", "give it an endpoint"),
    ],
)
def test_what_is_not_looked_at_says_why(browse, victor, target, deployed, fields, badge, words):
    deployed(health="Healthy", ago=1)
    Target.objects.update(**fields)

    text = head(read(browse(victor), target))

    assert f">{badge}</span>" in text
    assert words in text


def test_nothing_there_yet_says_what_to_do(browse, victor, target):
    text = read(browse(victor), target)

    assert "Deploy a certificate from its page." in head(text)
    assert "Nothing: deploy a certificate from its page." in section(text, "What is deployed there")


def test_what_is_deployed_stands_there_the_last_first(browse, victor, target, deployed):
    deployed(health="Healthy", ago=1, hours=5, name="older.demo.internal")
    last = deployed(health="Healthy", ago=1, name="newer.demo.internal")
    client = browse(victor)

    part = section(read(client, target), "What is deployed there")

    assert part.index("newer.demo.internal") < part.index("older.demo.internal")
    assert f'href="{address(last.certificate)}"' in part
    assert f'href="{address(last)}"' in part
    link = f"/admin/deployments/deployment/?target={target.pk}"
    assert f'href="{link}"' in part
    assert client.get(link).status_code == 200


def test_what_it_did_are_jobs_and_sentences(browse, victor, carol, target, deployed):
    job = JobFactory(certificate=deployed().certificate, kind=Job.Kind.DEPLOYMENT, target=target)
    record(actor=carol, action="target.update", subject=target)
    client = browse(victor)

    text = read(client, target)

    assert f'href="{address(job)}"' in section(text, "Jobs")
    link = f"/admin/jobs/job/?target={target.pk}"
    assert f'href="{link}"' in section(text, "Jobs")
    assert client.get(link).status_code == 200
    history = section(text, "History")
    assert "carol changed the target web-1" in words_of(history)
    assert f"?subject_type=deployments.target&amp;subject_id={target.pk}" in history


def test_the_form_is_behind_a_button_that_only_carol_sees(browse, alice, carol, target):
    assert 'href="?edit=1"' in read(browse(carol), target)
    assert 'href="?edit=1"' not in read(browse(alice), target)
    form = browse(carol).get(f"{address(target)}?edit=1")
    assert "endpoint_host" in form.context["adminform"].form.fields
    assert "page-name" in browse(alice).get(f"{address(target)}?edit=1").content.decode()


def test_mallory_is_shown_nothing(browse, victor, target, monkeypatch):
    without(monkeypatch, "deployments.view_target", "deployments.change_target")

    assert browse(victor).get(address(target)).status_code == 403


def test_nobody_is_shown_what_they_may_not_read(browse, victor, target, deployed, monkeypatch):
    JobFactory(certificate=deployed().certificate, kind=Job.Kind.DEPLOYMENT, target=target)
    without(monkeypatch, "audit.view_event", "deployments.view_deployment", "jobs.view_job")

    text = read(browse(victor), target)

    assert titles(text) == ["Where and how", "What a handshake looks at"]
    assert "web.demo.internal" not in text


def test_what_people_typed_is_shown_as_what_it_is(browse, victor, target):
    Target.objects.update(name=HIDING, server_name=HIDING, config={"certificate_path": HIDING})

    assert shows_what_hides(read(browse(victor), target))


def test_two_thousand_deployments_take_no_more_queries_than_few(
    browse, carol, target, deployed, django_assert_max_num_queries
):
    like = deployed(health="Healthy", ago=1)
    client = browse(carol)
    read(client, target)
    with django_assert_max_num_queries(MOST_QUERIES) as few:
        read(client, target)
    one = like.certificate
    certificates = type(one).objects.bulk_create(
        type(one)(name=f"more-{n}", owner=one.owner, issuer=one.issuer, profile=one.profile)
        for n in range(2_000)
    )
    Deployment.objects.bulk_create(
        Deployment(
            certificate=row, target=target, version=like.version, health="Healthy",
            deployed_at=like.deployed_at, checked_at=like.checked_at,
        )
        for row in certificates
    )  # fmt: skip
    Deployment.objects.filter(certificate=certificates[7]).update(health="Unknown")

    with django_assert_max_num_queries(len(few)):
        text = read(client, target)

    assert "A handshake proved 2,000 of 2,001" in head(text)


def test_proofs_are_counted_to_ten_thousand(browse, victor, target, deployed, monkeypatch):
    for number in range(4):
        deployed(name=f"n-{number}")
    monkeypatch.setattr("deployments.shown.COUNTED", 3)

    client = browse(victor)

    with CaptureQueriesContext(connection) as queries:
        text = head(read(client, target))

    assert "A handshake proved 0 of 3+" in text
    assert limited(queries, "deployments_deployment", 4)

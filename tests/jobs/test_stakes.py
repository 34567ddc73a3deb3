"""The page that asks to revoke one version shows what breaks, to whoever may read it.

Bob operates; victor may not revoke; mallory has no role.
"""

import pytest
from django.urls import reverse
from django.utils import timezone

from certificates.models import Certificate
from deployments.models import Deployment, Target
from jobs import runner, services
from tests.factories import JobFactory, VersionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued(ask, profile, bob):
    """A certificate with one version, that alice asked for and bob approved."""
    job = ask(profile)
    services.approve_job(actor=bob, job_id=job.pk)
    runner.run_pending()
    return Certificate.objects.get(pk=job.certificate_id)


def ask_page(client, row):
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_revoke_one"
    return client.get(reverse(name, args=[row.pk]))


def served_at(version, *names):
    for name in names:
        Deployment.objects.create(
            certificate=version.certificate,
            version=version,
            target=Target.objects.create(name=name, kind="file"),
            deployed_at=timezone.now(),
        )


@pytest.mark.parametrize("kind", ["certificate", "version"])
def test_it_says_where_it_is_served_and_what_is_under_way(browse, bob, issued, kind):
    served_at(issued.current, "edge-1", "edge-2")
    JobFactory(certificate=issued, kind="Deployment", requested_by=bob)

    text = ask_page(
        browse(bob), issued if kind == "certificate" else issued.current
    ).content.decode()

    assert "2 targets would go on to present it" in text
    assert "edge-1" in text
    assert "edge-2" in text
    assert "no endpoint to look at" in text
    assert "It is the one in use" in text
    under_way = text[text.index("Under way for this certificate") :]
    assert "Deployment" in under_way
    assert "Except for a hold, this cannot be taken back." in text


def test_nothing_served_and_nothing_under_way_is_said_too(browse, bob, issued):
    text = ask_page(browse(bob), issued).content.decode()

    assert "would go on to present it" not in text
    assert "Nothing: no job is open." in text
    assert "There are none." in text


def test_an_older_version_says_which_one_is_in_use_and_that_it_stays(browse, bob, issued):
    old = issued.current
    VersionFactory(certificate=issued, number=2)

    text = ask_page(browse(bob), old).content.decode()

    assert "Version 2 is in use, and stays as it is." in text
    assert "Other versions: not touched by this" in text


def test_who_may_not_revoke_sees_no_such_page(browse, victor, issued):
    assert ask_page(browse(victor), issued).status_code == 403
    assert ask_page(browse(victor), issued.current).status_code == 403


def test_the_page_asks_no_more_where_it_is_served_at_many(
    browse, bob, issued, django_assert_max_num_queries
):
    served_at(issued.current, *(f"edge-{n}" for n in range(40)))
    client = browse(bob)

    with django_assert_max_num_queries(40):
        ask_page(client, issued)

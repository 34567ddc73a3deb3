"""Renew, deploy, verify, give a CSR and try again, by the buttons of the admin.

Alice asks, bob decides, carol administers, victor only reads.
"""

import pytest

from audit.models import Event
from certificates.models import CertificateStatus, RenewalPolicy
from deployments.models import Deployment
from jobs import runner, services
from jobs.models import Job
from jobs.states import Status
from tests.factories import JobFactory
from tests.jobs.conftest import NAME

pytestmark = pytest.mark.django_db
VERBS = ("renew", "deploy", "verify")


def page_of(certificate, verb="change"):
    return f"/admin/certificates/certificate/{certificate.pk}/{verb}/"


def act(certificate, verb):
    return f"/admin/certificates/certificate/{certificate.pk}/{verb}"


def job_act(job, verb):
    return f"/admin/jobs/job/{job.pk}/{verb}"


def offered(client, certificate):
    text = client.get(page_of(certificate)).content.decode()
    return {
        verb
        for verb in VERBS
        if f'{act(certificate, verb)}/"' in text or act(certificate, verb) in text
    }


def confirm(client, url, **given):
    return client.post(f"{url}/", {"confirmed": "yes", **given}, follow=True)


def said(response):
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def served(issued, watched_target):
    Deployment.objects.create(certificate=issued, target=watched_target)
    return issued


def test_alice_renews_with_the_same_key(browse, alice, issued):
    answer = confirm(browse(alice), act(issued, "renew"), justification="It ends soon.")

    job = Job.objects.get(kind=Job.Kind.RENEWAL)
    assert (job.requested_by, job.justification) == (alice, "It ends soon.")
    assert job.csr_pem == issued.current.csr_pem
    assert said(answer)[0].startswith("Asked to renew web.demo.internal.")


def test_alice_renews_with_a_new_key(browse, alice, issued, csr_for):
    confirm(browse(alice), act(issued, "renew"), csr=csr_for(NAME))

    runner.run_pending()
    before, now = issued.versions.order_by("number")
    assert before.key_fingerprint != now.key_fingerprint


def test_a_renewal_that_is_refused_says_why_on_its_page(browse, alice, issued, csr_for):
    answer = confirm(browse(alice), act(issued, "renew"), csr=csr_for("other.demo.internal"))

    assert answer.status_code == 400
    assert "names differ" in answer.content.decode()
    assert Event.objects.filter(action="certificate.renew.refuse", actor=alice).count() == 1


def test_without_reuse_the_job_waits_and_takes_its_csr_on_its_page(browse, alice, issued, csr_for):
    issued.renewal_policy = RenewalPolicy.objects.create(name="new keys", reuse_key=False)
    issued.save()
    client = browse(alice)

    assert "waits for a CSR" in client.get(f"{act(issued, 'renew')}/").content.decode()
    confirm(client, act(issued, "renew"))
    job = Job.objects.get(kind=Job.Kind.RENEWAL)
    assert job.status == Status.AWAITING_CSR

    page = client.get(f"/admin/jobs/job/{job.pk}/change/").content.decode()
    assert job_act(job, "submit-csr") in page
    confirm(client, job_act(job, "submit-csr"), csr=csr_for(NAME))
    job.refresh_from_db()
    assert job.status == Status.PENDING


def test_alice_deploys_to_a_target(browse, alice, issued, target):
    answer = confirm(browse(alice), act(issued, "deploy"), target=str(target.pk))

    job = Job.objects.get(kind=Job.Kind.DEPLOYMENT)
    assert (job.target, job.version) == (target, issued.current)
    assert said(answer) == ["Asked for: Deployment at web-1. A worker takes it in a moment."]


def test_alice_verifies_where_there_is_an_endpoint(browse, alice, served, watched_target):
    confirm(browse(alice), act(served, "verify"), target=str(watched_target.pk))

    assert Job.objects.get(kind=Job.Kind.VALIDATION).target == watched_target


def test_a_target_that_it_is_not_served_at_is_not_looked_at(browse, alice, served, target):
    target.endpoint_host, target.endpoint_port = "127.0.0.1", 2
    target.save()
    answer = confirm(browse(alice), act(served, "verify"), target=str(target.pk))

    assert answer.status_code == 400
    assert not Job.objects.filter(kind=Job.Kind.VALIDATION).exists()


def test_alice_tries_a_failed_job_again(browse, alice, issued):
    job = JobFactory(
        kind=Job.Kind.RENEWAL,
        certificate=issued,
        status=Status.FAILED,
        given_up=True,
        csr_pem=issued.current.csr_pem,
        last_error="The issuer was away.",
    )
    client = browse(alice)

    assert "The issuer was away." in client.get(f"{job_act(job, 'retry')}/").content.decode()
    confirm(client, job_act(job, "retry"))

    job.refresh_from_db()
    assert job.status == Status.PENDING


def test_what_newer_work_replaced_has_no_button_to_try_it_again(browse, alice, issued):
    job = JobFactory(kind=Job.Kind.RENEWAL, certificate=issued, status=Status.FAILED)
    services.request_renewal(actor=alice, certificate_id=issued.pk)

    page = browse(alice).get(f"/admin/jobs/job/{job.pk}/change/").content.decode()

    assert job_act(job, "retry") not in page


def test_asking_twice_is_refused_and_offered_once(browse, alice, issued):
    client = browse(alice)
    confirm(client, act(issued, "renew"))

    assert "renew" not in offered(client, issued)
    answer = confirm(client, act(issued, "renew"))
    assert said(answer) == ["There is already an open job of this kind for this certificate."]


def test_the_buttons_are_those_that_the_state_allows(browse, alice, served, issued):
    client = browse(alice)
    assert offered(client, served) == {"renew", "deploy", "verify"}

    served.deployments.all().delete()
    assert offered(client, served) == {"renew", "deploy"}

    served.status = CertificateStatus.ARCHIVED
    served.save()
    assert offered(client, served) == set()


def test_victor_sees_no_button_and_is_refused_without_one(browse, victor, served, target):
    client = browse(victor)
    job = JobFactory(kind=Job.Kind.RENEWAL, certificate=served, status=Status.FAILED)

    assert offered(client, served) == set()
    assert (
        job_act(job, "retry")
        not in client.get(f"/admin/jobs/job/{job.pk}/change/").content.decode()
    )
    for url in (
        *(act(served, verb) for verb in VERBS),
        job_act(job, "retry"),
        job_act(job, "submit-csr"),
    ):
        assert client.get(f"{url}/").status_code == 403
        assert client.post(f"{url}/", {"confirmed": "yes"}).status_code == 403
    assert Job.objects.filter(status=Status.PENDING).count() == 0


def test_a_certificate_is_not_added_by_saving_another(browse, alice, issued):
    text = browse(alice).get(f"{page_of(issued)}?edit=1").content.decode()

    assert "_save" in text
    assert "_addanother" not in text


def test_nothing_is_asked_for_before_it_is_confirmed(browse, alice, issued):
    browse(alice).post(f"{act(issued, 'renew')}/", {"justification": "x"})

    assert Job.objects.filter(kind=Job.Kind.RENEWAL).count() == 0

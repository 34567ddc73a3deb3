"""Each act on jobs has one name, and what is refused is in the trail under it, by any door."""

import pytest

from audit.actions import ACTIONS
from audit.models import Event
from certificates.models import Certificate
from foundation.errors import CertctlError
from jobs import services
from jobs.models import Job

pytestmark = pytest.mark.django_db


def refused_renewal(alice, awaiting, target):
    services.request_renewal(actor=alice, certificate_id=awaiting.certificate_id)


def refused_deployment(alice, awaiting, target):
    services.request_deployment(actor=alice, certificate_id=awaiting.certificate_id, target=target)


def refused_validation(alice, awaiting, target):
    services.request_validation(actor=alice, certificate_id=awaiting.certificate_id, target=target)


def refused_csr(alice, awaiting, target):
    services.submit_csr(actor=alice, job_id=awaiting.pk, csr_pem="no")


def refused_approval(alice, awaiting, target):
    services.approve_job(actor=alice, job_id=awaiting.pk)


def refused_rejection(alice, awaiting, target):
    services.reject_job(actor=alice, job_id=awaiting.pk, reason="no")


def refused_retry(alice, awaiting, target):
    services.retry_job(actor=alice, job_id=awaiting.pk)


ACTS = {
    "certificate.renew": (refused_renewal, "duplicate_job", Certificate),
    "certificate.deploy": (refused_deployment, "no_version", Certificate),
    "certificate.verify": (refused_validation, "no_version", Certificate),
    "job.submit_csr": (refused_csr, "invalid_move", Job),
    "job.approve": (refused_approval, "self_approval", Job),
    "job.reject": (refused_rejection, "self_rejection", Job),
    "job.retry": (refused_retry, "invalid_move", Job),
}


def the_refusal(action):
    (event,) = Event.objects.filter(action__endswith=".refuse")
    assert event.action == f"{action}.refuse"
    return event


@pytest.mark.parametrize("action", ACTS)
def test_what_is_refused_is_in_the_history_of_what_it_was_about(alice, awaiting, target, action):
    refused, code, model = ACTS[action]

    with pytest.raises(CertctlError):
        refused(alice, awaiting, target)

    event = the_refusal(action)
    about = awaiting if model is Job else awaiting.certificate
    assert (event.actor, event.data["code"]) == (alice, code)
    assert (event.subject_type, event.subject_id) == (model._meta.label_lower, str(about.pk))


def test_somebody_elses_work_is_not_called_off_and_that_is_written_down(victor, awaiting):
    with pytest.raises(CertctlError):
        services.cancel_job(actor=victor, job_id=awaiting.pk)

    assert the_refusal("job.cancel").subject_id == str(awaiting.pk)


def test_a_request_that_makes_nothing_is_written_down(alice, ask, profile):
    with pytest.raises(CertctlError):
        ask(profile, "www.elsewhere.example")

    assert the_refusal("certificate.request").data["code"] == "csr_rejected"


def test_these_are_all_acts_on_jobs():
    acts = {act.name for act in ACTIONS.values() if act.function.startswith("jobs.services.")}

    of_ra = {"certificate.request_ra", "certificate.renew_ra"}
    of_agents = {"job.carry", "job.report"}
    of_responders = {"certificate.request_responder", "certificate.renew_responder"}
    assert acts == {
        *ACTS, *of_ra, *of_responders, *of_agents, "job.cancel", "certificate.request",
        "deployment.unbind",
    }  # fmt: skip

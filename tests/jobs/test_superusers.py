"""Every permission is no way round the separation of duties.

Dora has every permission, asks, or answers for what alice asks.
"""

import pytest

from audit.via import Door, Via
from jobs import services
from jobs.models import Job
from jobs.policy import MayNotDecide, SelfApproval
from jobs.states import Status
from owners.accounts import create_superuser
from owners.roles import Role

pytestmark = pytest.mark.usefixtures("alice")


@pytest.fixture
def dora(system):
    system.via = Via(door=Door.CLI)
    return create_superuser(actor=system, username="dora", email="dora@people.example")


def waits(job):
    return Job.objects.get(pk=job.pk).status == Status.AWAITING_APPROVAL


def test_dora_does_not_approve_what_she_asked_for(ask, profile, dora, client_of):
    job = ask(profile, actor=dora)

    with pytest.raises(SelfApproval):
        services.approve_job(job_id=job.pk, actor=dora)
    answer = client_of(dora, role_cap="admin").post(f"/api/v1/jobs/{job.pk}/approve/", {})

    assert (answer.status_code, waits(job)) == (403, True)


def test_dora_does_not_approve_what_she_answers_for(awaiting, owner, dora):
    owner.members.add(dora)

    with pytest.raises(SelfApproval):
        services.approve_job(job_id=awaiting.pk, actor=dora)

    assert waits(awaiting)


def test_dora_does_not_approve_with_a_key_that_may_not(awaiting, dora, client_of):
    dora.cap = Role.VIEWER

    with pytest.raises(MayNotDecide):
        services.approve_job(job_id=awaiting.pk, actor=dora)
    answer = client_of(dora, role_cap="viewer").post(f"/api/v1/jobs/{awaiting.pk}/approve/", {})

    assert (answer.status_code, waits(awaiting)) == (403, True)


def test_dora_approves_what_is_none_of_hers(awaiting, dora):
    services.approve_job(job_id=awaiting.pk, actor=dora)

    assert not waits(awaiting)

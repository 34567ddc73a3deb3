"""What the admin refuses of jobs: one event each, under the use case's own name."""

import pytest

from jobs.states import Status
from tests.jobs.conftest import status_of
from tests.trail import the_refusal

pytestmark = pytest.mark.django_db
LIST = "/admin/jobs/job/"


def chosen(action, *jobs, **more):
    return {"action": action, "_selected_action": [str(job.pk) for job in jobs], **more}


@pytest.mark.parametrize("way", ["page", "list"])
def test_nobody_approves_their_own(browse, alice, awaiting, way):
    client = browse(alice)

    if way == "page":
        client.post(f"{LIST}{awaiting.pk}/approve/", {"confirmed": "yes"})
    else:
        client.post(LIST, chosen("approve", awaiting, confirmed="yes"))

    event = the_refusal("job.approve", alice)
    assert (event.data["code"], event.subject_id) == ("self_approval", str(awaiting.pk))
    assert status_of(awaiting) == Status.AWAITING_APPROVAL


@pytest.mark.parametrize("way", ["page", "list"])
def test_a_viewer_approves_nothing(browse, victor, awaiting, way):
    client = browse(victor)

    answer = {
        "page": lambda: client.post(f"{LIST}{awaiting.pk}/approve/", {"confirmed": "yes"}),
        "list": lambda: client.post(LIST, chosen("approve", awaiting, confirmed="yes")),
    }[way]()

    assert answer.status_code == 403
    event = the_refusal("job.approve", victor)
    assert (event.data["code"], event.subject_id) == ("missing_permission", str(awaiting.pk))


def test_a_rejection_without_a_reason_is_refused_before_the_use_case(browse, bob, awaiting):
    answer = browse(bob).post(f"{LIST}{awaiting.pk}/reject/", {"confirmed": "yes", "reason": " "})

    assert answer.status_code == 400
    event = the_refusal("job.reject", bob)
    assert (event.data["code"], event.subject_id) == ("invalid", str(awaiting.pk))


def test_what_was_filtered_out_meanwhile_is_still_answered(browse, bob, awaiting):
    """The page goes back to the plain list: under a filter the job would be gone without a word."""
    shown = browse(bob).post(f"{LIST}?status__exact=AwaitingApproval", chosen("reject", awaiting))

    assert shown.context["address"] == LIST

"""Nobody leaves a certificate by transfer: alice answers for it, bob does not."""

import pytest

from audit.models import Event
from certificates import services
from jobs.models import Job
from jobs.services import cancel_job
from jobs.states import Status
from owners.services import OwnWayOut
from tests.factories import OwnerFactory, TeamFactory

pytestmark = pytest.mark.django_db


def _member(certificate, who):
    certificate.owner.members.add(who)


def _seat(certificate, who):
    certificate.team = TeamFactory()
    certificate.team.members.add(who)
    certificate.save()


WAYS_IN = {"a member of the owner": _member, "a seat in its team": _seat}


@pytest.fixture(params=WAYS_IN)
def answered(request, certificate, alice):
    """A certificate that alice answers for; what takes her out of it."""
    WAYS_IN[request.param](certificate, alice)
    change = {"owner": OwnerFactory()} if request.param.startswith("a member") else {"team": None}
    return certificate, change


def transfer(certificate, actor, change):
    return services.update_details(certificate_id=certificate.pk, actor=actor, changes=change)


def test_who_answers_for_it_does_not_transfer_it_away(answered, alice):
    certificate, change = answered

    with pytest.raises(OwnWayOut) as refused:
        transfer(certificate, alice, change)

    assert refused.value.code == "own_way_out"
    assert Event.objects.filter(action="certificate.update.refuse").exists()


def test_cancelling_what_is_open_first_does_not_help(answered, alice):
    certificate, change = answered
    job = Job.objects.create(
        kind="Renewal",
        certificate=certificate,
        requested_by=alice,
        status=Status.AWAITING_APPROVAL,
    )
    with pytest.raises(OwnWayOut):
        transfer(certificate, alice, change)
    cancel_job(job_id=job.pk, actor=alice)

    with pytest.raises(OwnWayOut):
        transfer(certificate, alice, change)


def test_somebody_else_does_it(answered, alice, bob):
    certificate, change = answered

    transfer(certificate, bob, change)


def test_who_still_answers_for_it_afterwards_may(answered, alice):
    certificate, change = answered
    certificate.owner.members.add(alice)
    there = OwnerFactory(team=TeamFactory())
    there.team.members.add(alice)

    transfer(certificate, alice, {**change, "owner": there})

    certificate.refresh_from_db()
    assert certificate.owner == there


def test_over_rest_and_in_the_admin_too(answered, alice, client_of, browse):
    certificate, change = answered
    name, value = next(iter(change.items()))
    before = getattr(certificate, name)

    rest = client_of(alice).patch(
        f"/api/v1/certificates/{certificate.pk}/", {name: value and value.name}
    )
    form = {
        "name": certificate.name,
        "owner": str(certificate.owner_id),
        "team": str(certificate.team_id or ""),
        "renewal_policy": "",
        "environment": "",
        "tags": "",
        "versions-TOTAL_FORMS": "0",
        "versions-INITIAL_FORMS": "0",
    }
    page = browse(alice).post(
        f"/admin/certificates/certificate/{certificate.pk}/change/",
        {**form, name: value.pk if value else ""},
    )

    assert (rest.status_code, rest.json()["code"]) == (403, "own_way_out")
    assert "somebody else must take you out" in page.text.lower()
    certificate.refresh_from_db()
    assert getattr(certificate, name) == before
    doors = Event.objects.filter(
        action="certificate.update.refuse", data__code="own_way_out"
    ).values_list("door", flat=True)
    assert set(doors) == {"rest", "admin"}

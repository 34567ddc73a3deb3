"""Who may confirm a plan: nobody revokes very many on their own word.

Carol makes plans, dave is a second administrator; carol2 is carol under another name.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

import owners.services
from audit.models import Event
from audit.via import Via
from certificates.models import Revocation
from foundation.errors import MissingPermission
from owners.models import Principal
from owners.roles import Role
from revocation import policy, services
from revocation.models import Plan
from revocation.states import Status
from tests.fixtures import person
from tests.revocation.conftest import confirm

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limit(settings):
    settings.BULK_REVOKE_LIMIT = 3


@pytest.fixture
def carol2(carol):
    return person("carol2", Role.ADMIN, email=carol.email.upper())


def with_key(principal, made_by):
    """The principal as it comes with an API key that `made_by` made."""
    key, _ = owners.services.issue_api_key(
        actor=made_by, principal=principal, name=f"of-{made_by}", role_cap=Role.ADMIN
    )
    fresh = Principal.objects.get(pk=principal.pk)
    fresh.via = Via(api_key=key.name)
    return fresh


def test_up_to_the_limit_its_maker_confirms_a_plan(make, plan_of, carol):
    make(3)

    plan = confirm(plan_of(), carol)

    assert (plan.status, plan.is_alone, plan.confirmed_by) == (Status.RUNNING, True, carol)


def test_beyond_the_limit_a_second_administrator_does(make, plan_of, carol, dave, run):
    make(4)
    plan = plan_of()

    with pytest.raises(policy.SecondNeeded):
        confirm(plan, carol)
    assert run() == 0
    confirm(plan, dave)
    run()

    plan.refresh_from_db()
    assert (plan.status, plan.is_alone, plan.revoked) == (Status.COMPLETED, False, 4)
    assert {row.revoked_by for row in Revocation.objects.all()} == {dave}
    refusal = Event.objects.get(action="revocation_plan.confirm.refuse")
    assert (refusal.actor, refusal.data["code"]) == (carol, "second_administrator")
    event = Event.objects.get(action="revocation_plan.confirm")
    assert (event.actor, event.data["made_by"], event.data["alone"]) == (dave, "carol", False)


def test_the_second_is_not_the_first_under_another_name(make, plan_of, carol, carol2):
    make(4)
    with pytest.raises(policy.SecondNeeded):
        confirm(plan_of(), carol2)
    with pytest.raises(policy.SecondNeeded):
        confirm(plan_of(actor=carol2), carol)


def test_who_made_the_key_that_the_second_comes_with_is_no_other(make, plan_of, carol, dave):
    make(4)
    with pytest.raises(policy.SecondNeeded):
        confirm(plan_of(), with_key(dave, made_by=carol))
    with pytest.raises(policy.SecondNeeded):
        confirm(plan_of(actor=with_key(carol, made_by=dave)), dave)
    assert confirm(plan_of(), with_key(dave, made_by=dave)).is_alone is False


def test_what_one_person_revoked_within_a_day_counts_under_any_name(
    make, plan_of, carol, carol2, dave, run
):
    make(2)
    confirm(plan_of(), carol)
    run()
    make(2)
    plan = plan_of(actor=carol2)

    with pytest.raises(policy.SecondNeeded) as caught:
        confirm(plan, carol2)
    assert "2 within the last 24 hours" in caught.value.detail
    long_ago = timezone.now() - timedelta(hours=24, seconds=1)
    Plan.objects.filter(confirmed_by=carol).update(confirmed_at=long_ago, ended_at=long_ago)

    assert confirm(plan, carol2).is_alone


def test_plans_that_were_paused_for_days_are_not_saved_up(make, plan_of, carol):
    """Else carol has one plan a day confirmed and paused, and resumes all of them on one day."""
    make(2)
    saved = confirm(plan_of(), carol)
    services.pause_plan(plan_id=saved.pk, actor=carol)
    Plan.objects.filter(pk=saved.pk).update(confirmed_at=timezone.now() - timedelta(days=3))

    with pytest.raises(policy.SecondNeeded):
        confirm(plan_of(), carol)


def test_what_ended_today_counts_however_long_ago_it_was_confirmed(make, plan_of, carol, run):
    make(2)
    confirm(plan_of(), carol)
    Plan.objects.update(confirmed_at=timezone.now() - timedelta(days=3))
    run()
    make(2)

    with pytest.raises(policy.SecondNeeded):
        confirm(plan_of(), carol)


def test_what_a_second_confirmed_and_drills_do_not_count(make, plan_of, carol, dave, run):
    make(4)
    confirm(plan_of(), dave)
    run()
    make(3)
    confirm(plan_of(drill=True), carol)

    assert confirm(plan_of(), carol).is_alone


def test_a_stopped_plan_counts_with_what_it_revoked(make, plan_of, carol):
    make(3)
    plan = confirm(plan_of(), carol)
    services.stop_plan(plan_id=plan.pk, actor=carol)

    assert confirm(plan_of(), carol).is_alone


@pytest.mark.parametrize("reason", ["keyCompromise", "cACompromise"])
def test_a_compromise_waits_for_nobody_and_is_shown_until_a_second_has_looked(
    make, plan_of, carol, carol2, dave, run, browse, reason
):
    make(5)
    plan = confirm(plan_of(reason=reason), carol)
    run()
    plan.refresh_from_db()
    assert (plan.status, plan.revoked, plan.needs_look) == (Status.COMPLETED, 5, True)
    event = Event.objects.get(action="revocation_plan.confirm")
    assert event.data["waits_for_a_second_look"] is True
    shown = browse(dave).get("/admin/").content.decode()
    assert "revoked these at once" in shown

    for one in (carol, carol2):
        with pytest.raises(policy.SelfLook):
            services.look_at_plan(plan_id=plan.pk, actor=one)
    services.look_at_plan(plan_id=plan.pk, actor=dave, note="right so")

    plan.refresh_from_db()
    assert (plan.needs_look, plan.looked_by) == (False, dave)
    assert Event.objects.get(action="revocation_plan.look").data["note"] == "right so"
    assert "revoked these at once" not in browse(dave).get("/admin/").content.decode()
    with pytest.raises(policy.NothingToLookAt):
        services.look_at_plan(plan_id=plan.pk, actor=dave)


def test_who_was_an_administrator_once_confirms_nothing(make, plan_of, carol, dave, system):
    make(4)
    plan = plan_of()
    asking = Principal.objects.get(pk=dave.pk)
    assert asking.has_perm(policy.BULK_REVOKE)
    owners.services.update_principal(
        actor=system, principal_id=dave.pk, changes={}, role=Role.OPERATOR, change_role=True
    )

    with pytest.raises(MissingPermission):
        confirm(plan, asking)


def test_the_plan_of_somebody_who_may_not_any_more_is_dead(make, plan_of, carol, dave, system):
    make(2)
    plan = plan_of()
    Principal.objects.filter(pk=carol.pk).update(is_active=False)

    with pytest.raises(policy.PlanExpired):
        confirm(plan, dave)


def test_at_zero_every_plan_wants_a_second(make, plan_of, carol, settings):
    settings.BULK_REVOKE_LIMIT = 0
    make(1)

    with pytest.raises(policy.SecondNeeded):
        confirm(plan_of(), carol)


# --- Every way to revoke many goes by the same limit -----------------------------------------

BULK = "/api/v1/certificates/bulk-revoke/"


def test_over_rest_more_becomes_a_plan_that_a_second_confirms(make, carol, dave, client_of, run):
    make(4)

    answer = client_of(carol).post(BULK, {"criteria": {"owner": "web-shop"}})

    assert answer.status_code == 202
    assert not Revocation.objects.exists()
    plan = answer.json()
    assert (plan["status"], plan["count"]) == ("Previewed", 4)
    assert answer.headers["Location"].endswith(f"/api/v1/revocation-plans/{plan['id']}/")
    done = client_of(dave).post(f"{answer.headers['Location']}confirm/", {"digest": plan["digest"]})
    assert (done.status_code, done.json()["status"]) == (200, "Running")
    run()
    assert Revocation.objects.count() == 4


def test_over_rest_a_compromise_is_done_at_once(make, carol, client_of):
    make(4)
    body = {"criteria": {"owner": "web-shop"}, "reason": "keyCompromise"}

    answer = client_of(carol).post(BULK, body)

    assert (answer.status_code, answer.json()["revoked"]) == (200, 4)
    assert Plan.objects.get().needs_look


def test_more_than_a_request_carries_out_is_left_to_the_worker(
    make, carol, client_of, run, settings, monkeypatch
):
    settings.BULK_REVOKE_LIMIT = 10
    monkeypatch.setattr(policy, "MOST_AT_ONCE", 3)
    make(4)

    answer = client_of(carol).post(BULK, {"criteria": {"owner": "web-shop"}})

    assert (answer.status_code, answer.json()["status"]) == (202, "Running")
    assert not Revocation.objects.exists()
    run()
    assert Revocation.objects.count() == 4


def test_on_the_list_of_certificates_more_becomes_a_plan_too(make, carol, browse):
    rows = [str(one.certificate_id) for one in make(4)]
    body = {"action": "revoke_selected", "_selected_action": rows}
    page = "/admin/certificates/certificate/"
    shown = browse(carol).post(page, body)

    told = browse(carol).post(
        page, {**body, "confirmed": "yes", "plan": shown.context["plan"]}, follow=True
    )

    assert "need a second administrator" in told.content.decode()
    assert Plan.objects.get().status == Status.PREVIEWED
    assert not Revocation.objects.exists()

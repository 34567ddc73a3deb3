"""A plan from the preview to the report.

Carol makes plans and dave is the second administrator; bob operates, victor only reads.
"""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import certificates.services
from audit.models import Event
from audit.services import verify
from certificates.models import Certificate, OCSPResponse, Revocation, Version
from certificates.policy import NotOnHold, PlanChanged
from certificates.services import release_hold, revoke
from deployments.models import Deployment, Target
from foundation.errors import CertctlError, MissingPermission
from owners.models import Principal
from revocation import policy, services
from revocation.models import InvalidPlanMove, Item, Plan
from revocation.services import waves
from revocation.states import Status
from tests.revocation.conftest import confirm

pytestmark = pytest.mark.django_db


def outcomes(plan):
    return sorted(Item.objects.filter(plan=plan).values_list("outcome", "code"))


def test_a_preview_is_kept_with_all_its_numbers(make, plan_of, local_ca, owner, carol, bob):
    versions = make(5)
    target = Target.objects.create(name="edge", kind="file")
    Deployment.objects.create(certificate=versions[0].certificate, target=target)
    Version.objects.filter(pk=versions[1].pk).update(not_after=timezone.now() - timedelta(days=1))
    revoke(version_id=versions[2].pk, actor=bob)
    Version.objects.filter(pk=versions[3].pk).update(short_lived=True)

    plan = plan_of(reason="superseded")

    assert (plan.status, plan.count, plan.items.count()) == (Status.PREVIEWED, 3, 3)
    facts = plan.preview
    assert facts["owners"] == [{"name": "web-shop", "email": owner.email, "count": 3}]
    assert (facts["deployments"], facts["targets"]) == (1, ["edge"])
    assert (facts["already_expired"], facts["already_revoked"], facts["short_lived"]) == (1, 1, 1)
    assert facts["crl_growth_bytes"] > 0
    assert facts["crls"] == [{"issuer": local_ca.slug, "bytes": facts["crl_growth_bytes"]}]
    assert facts["irreplaceable"] == {"no_renewal_policy": 3}
    assert Revocation.objects.count() == 1
    assert Event.objects.get(action="revocation_plan.create").data["plan"] == plan.digest


def test_a_confirmed_plan_is_carried_out_in_waves_with_a_crl_at_the_end_of_each(
    make, plan_of, carol, run, hints
):
    make(5)
    plan = plan_of(wave_size=2, reason="superseded")
    confirm(plan, carol)
    hints.clear()

    assert run() == 3

    plan.refresh_from_db()
    assert (plan.status, plan.revoked, plan.waves, plan.pending) == (Status.COMPLETED, 5, 3, 0)
    assert hints == ["certificates.publish_crl"] * 3
    assert {row.revoked_by for row in Revocation.objects.all()} == {carol}
    assert {row.status for row in Certificate.objects.all()} == {"Revoked"}
    assert Event.objects.filter(action="certificate.revoke").count() == 5
    assert Event.objects.filter(action="revocation_plan.wave").count() == 3
    assert Event.objects.get(action="revocation_plan.complete").data["revoked"] == 5
    assert verify()[1] is None


def test_a_wave_takes_as_many_statements_however_many_it_revokes(make, plan_of, carol, run):
    counts = []
    for count in (3, 40):
        make(count)
        confirm(plan_of(), carol)
        with CaptureQueriesContext(connection) as queries:
            run()
        counts.append(len(queries))

    # On SQLite an insert is parted by its parameters, which is what may be more.
    assert counts[1] <= counts[0] + 3
    assert counts[0] <= 50


def test_answers_of_ocsp_are_dropped_for_all_at_once(make, plan_of, carol, run, local_ca):
    versions = make(3)
    now = timezone.now()
    for version in versions[:2]:
        OCSPResponse.objects.create(
            version=version, issuer=local_ca, serial=version.serial, hash_algorithm="sha1",
            name_hash="", key_hash="", status="good", this_update=now,
            next_update=now + timedelta(hours=1), der=b"", etag="",
        )  # fmt: skip
    confirm(plan_of(), carol)

    run()

    assert not OCSPResponse.objects.exists()
    assert Version.objects.filter(answers_after=now).count() == 2


def test_a_poisoned_one_costs_only_itself(make, plan_of, carol, run, monkeypatch):
    versions = make(4)
    really = certificates.services.revoke_many, certificates.services.revoke
    bad = versions[1].pk

    def many(*, version_ids, **rest):
        if bad in version_ids:
            raise RuntimeError("poisoned")
        return really[0](version_ids=version_ids, **rest)

    def one(*, version_id, **rest):
        if version_id == bad:
            raise RuntimeError("poisoned")
        return really[1](version_id=version_id, **rest)

    monkeypatch.setattr(certificates.services, "revoke_many", many)
    monkeypatch.setattr(certificates.services, "revoke", one)
    plan = plan_of(wave_size=2)
    confirm(plan, carol)

    run()

    plan.refresh_from_db()
    assert (plan.status, plan.revoked, plan.failed) == (Status.COMPLETED, 3, 1)
    assert outcomes(plan)[0] == ("failed", "internal_error")
    assert plan.waves == 2
    assert set(Item.objects.values_list("wave", flat=True)) == {1, 2}


def test_a_claim_that_dave_takes_away_among_them_still_has_the_crl_made(
    make, plan_of, carol, dave, system, monkeypatch, hints
):
    """Bob's relying parties wait for no sweep because a plan was paused one by one."""
    make(3)
    really = certificates.services.revoke
    plan = confirm(plan_of(), carol)
    hints.clear()

    def many(**_):
        raise RuntimeError("poisoned")

    def one(**said):
        services.pause_plan(plan_id=plan.pk, actor=dave)
        return really(**said)

    monkeypatch.setattr(certificates.services, "revoke_many", many)
    monkeypatch.setattr(certificates.services, "revoke", one)

    services.run_plans(actor=system)

    assert Revocation.objects.count() == 1
    assert hints == ["certificates.publish_crl"]


def test_what_was_revoked_meanwhile_and_what_another_ca_signed_is_told_one_by_one(
    make, plan_of, carol, bob, run
):
    versions = make(4)
    plan = plan_of()
    confirm(plan, carol)
    revoke(version_id=versions[0].pk, actor=bob)
    Version.objects.filter(pk=versions[1].pk).update(issuer=None)

    run()

    assert outcomes(plan) == [
        ("already_revoked", "already_revoked"),
        ("failed", "issued_elsewhere"),
        ("revoked", ""),
        ("revoked", ""),
    ]


def test_what_bob_has_on_hold_is_meant_too_and_cannot_be_released_after_the_plan(
    make, plan_of, carol, bob, run
):
    held, final, plain = make(3)
    revoke(version_id=held.pk, actor=bob, reason="certificateHold")
    revoke(version_id=final.pk, actor=bob, reason="superseded")
    plan = plan_of(reason="keyCompromise")
    assert (plan.count, plan.preview["on_hold"], plan.preview["already_revoked"]) == (2, 1, 1)
    alone = plan_of(criteria={"ids": [str(plain.pk)]}, reason="keyCompromise")
    assert plan.preview["crl_growth_bytes"] == alone.preview["crl_growth_bytes"]
    confirm(plan, carol)

    run()

    plan.refresh_from_db()
    assert (plan.status, plan.revoked) == (Status.COMPLETED, 2)
    reasons = dict(Revocation.objects.values_list("version", "reason"))
    assert (reasons[held.pk], reasons[plain.pk]) == ("keyCompromise", "keyCompromise")
    with pytest.raises(NotOnHold):
        release_hold(version_id=held.pk, actor=bob)


def test_a_hold_that_bob_releases_or_sets_meanwhile_changes_no_plan(make, plan_of, carol, bob, run):
    first, second = make(2)
    revoke(version_id=first.pk, actor=bob, reason="certificateHold")
    plan, holds = plan_of(reason="superseded"), plan_of(reason="certificateHold", drill=True)
    release_hold(version_id=first.pk, actor=bob)
    revoke(version_id=second.pk, actor=bob, reason="certificateHold")
    confirm(holds, carol)
    confirm(plan, carol)

    run()

    assert outcomes(holds) == [("already_revoked", "already_revoked"), ("revoked", "")]
    assert outcomes(plan) == [("revoked", "")] * 2
    assert set(Revocation.objects.values_list("reason", flat=True)) == {"superseded"}


def test_a_drill_revokes_nothing_and_reports_the_same(make, plan_of, carol, bob, run, hints):
    versions = make(4)
    Version.objects.filter(pk=versions[1].pk).update(issuer=None)
    drill, plan = plan_of(drill=True), plan_of()
    confirm(drill, carol)
    hints.clear()

    run()
    assert not Revocation.objects.exists()
    assert {row.status for row in Certificate.objects.all()} == {"Active"}
    assert hints == []
    assert not Event.objects.filter(action__startswith="certificate.revoke").exists()
    confirm(plan, carol)
    run()

    assert outcomes(drill) == outcomes(plan)
    drill.refresh_from_db()
    assert (drill.status, drill.revoked, drill.failed) == (Status.COMPLETED, 3, 1)
    assert Event.objects.filter(action="revocation_plan.complete", data__drill=True).exists()
    assert Revocation.objects.count() == 3


def test_a_plan_whose_set_changed_is_refused_and_says_what_changed(make, plan_of, carol, bob, run):
    versions = make(3)
    plan = plan_of()
    new = make(1)[0]
    revoke(version_id=versions[0].pk, actor=bob)

    with pytest.raises(PlanChanged) as caught:
        confirm(plan, carol)

    said = {one["field"]: one["detail"] for one in caught.value.errors}
    assert said == {"added": f"1: {new}", "removed": f"1: {versions[0]}"}
    assert run() == 0
    assert Revocation.objects.count() == 1


def test_a_plan_that_nobody_confirmed_in_time_changes_nothing(make, plan_of, carol, run, system):
    make(2)
    plan = plan_of()
    Plan.objects.update(expires_at=timezone.now())

    with pytest.raises(policy.PlanExpired):
        confirm(plan, carol)
    assert services.expire_plans(actor=system) == 1
    with pytest.raises(InvalidPlanMove):
        confirm(plan, carol)

    assert run() == 0
    assert Plan.objects.get().status == Status.EXPIRED
    assert not Revocation.objects.exists()


def test_another_digest_confirms_nothing(make, plan_of, carol):
    make(2)
    plan = plan_of()

    with pytest.raises(policy.WrongDigest):
        services.confirm_plan(plan_id=plan.pk, actor=carol, digest="0" * 64)


def test_a_plan_is_paused_goes_on_and_is_stopped_between_waves(make, plan_of, carol, dave, run):
    make(5)
    plan = plan_of(wave_size=2, pause_seconds=3600)
    confirm(plan, carol)
    run()
    assert Revocation.objects.count() == 2

    services.pause_plan(plan_id=plan.pk, actor=dave)
    Plan.objects.update(next_at=timezone.now())
    assert run() == 0
    services.resume_plan(plan_id=plan.pk, actor=dave)
    assert run() == 1
    services.stop_plan(plan_id=plan.pk, actor=carol, note="enough")
    Plan.objects.update(next_at=timezone.now())
    assert run() == 0

    plan.refresh_from_db()
    assert (plan.status, plan.revoked, plan.pending) == (Status.STOPPED, 4, 1)
    assert Revocation.objects.count() == 4
    with pytest.raises(InvalidPlanMove):
        services.resume_plan(plan_id=plan.pk, actor=carol)


def test_a_worker_that_lost_its_claim_writes_nothing(make, plan_of, carol, system):
    make(3)
    plan = plan_of()
    confirm(plan, carol)
    now = timezone.now()
    lost = Plan.objects.claim(lease=timedelta(seconds=60), now=now)
    Plan.objects.update(lease_until=now - timedelta(seconds=1))
    assert Plan.objects.claim(lease=timedelta(seconds=60), now=now) is not None

    assert waves.run_claimed(lost, actor=system, ends=float("inf")) == 0

    assert not Revocation.objects.exists()


def test_a_plan_that_a_worker_has_is_left_alone(make, plan_of, carol, run):
    make(3)
    confirm(plan_of(), carol)
    Plan.objects.claim(lease=timedelta(seconds=60), now=timezone.now())

    assert run() == 0


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"wave_size": 0}, "wave_size"),
        ({"wave_size": 5001}, "wave_size"),
        ({"pause_seconds": 86_401}, "pause_seconds"),
        ({"replace_first": True}, "replace_by"),
        ({"unproven": "leave"}, "unproven"),
        ({"reason": "no reason"}, "reason"),
    ],
)
def test_a_plan_says_only_what_it_may_say(make, plan_of, said, field):
    with pytest.raises(CertctlError) as caught:
        plan_of(**said)

    assert caught.value.errors[0]["field"] == field
    assert not Plan.objects.exists()


@pytest.mark.parametrize("name", ["bob", "victor", "system"])
def test_only_administrators_make_plans(request, make, plan_of, name):
    actor = request.getfixturevalue(name)

    with pytest.raises(MissingPermission):
        plan_of(actor=Principal.objects.get(pk=actor.pk))


def test_the_report_has_owners_addresses_and_every_outcome(make, plan_of, carol, run, owner):
    make(2)
    plan = plan_of()
    confirm(plan, carol)
    run()

    rows = "".join(services.to_csv(plan)).splitlines()

    assert rows[0].split(",") == list(services.HEADING)
    assert len(rows) == 3
    assert all(f",web-shop,{owner.email}," in row and ",revoked," in row for row in rows[1:])
    assert services.summary(plan)["outcomes"] == [{"outcome": "revoked", "code": "", "count": 2}]


def test_the_tables_are_as_the_models_say(db):
    call_command("makemigrations", "revocation", check=True, dry_run=True, verbosity=0)

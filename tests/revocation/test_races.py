"""Two at once: executed once, counted together, and a plan's worker that dies in the middle.

Carol makes plans, dave confirms; erin administers too.
"""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

import owners.services
from audit.models import Event
from audit.services import verify
from certificates.models import Certificate, OCSPResponse, Revocation, Version
from foundation.errors import CertctlError
from owners.models import Principal
from owners.roles import Role
from revocation import services
from revocation.models import Item, Plan
from revocation.services import waves
from revocation.states import Status
from tests.factories import CertificateFactory, VersionFactory
from tests.fixtures import person
from tests.processes import ROOT, environment_of, until
from tests.races import aside, meanwhile, together
from tests.revocation.conftest import confirm

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def erin(db):
    return person("erin", Role.ADMIN)


def on_postgres():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to wait for")


def outcome_of(call):
    """What a call that may be refused gives."""
    try:
        return call()
    except CertctlError as refused:
        return refused


def test_two_administrators_who_confirm_at_once_have_it_done_once(
    make, plan_of, carol, dave, erin, system, settings
):
    settings.BULK_REVOKE_LIMIT = 2
    make(3)
    plan = plan_of()

    told = together(
        *(lambda who=who: outcome_of(lambda: confirm(plan, who)) for who in (dave, erin))
    )
    together(*(lambda: services.run_plans(actor=Principal.objects.system()),) * 2)

    assert sorted(type(one).__name__ for one in told) == ["InvalidPlanMove", "Plan"]
    assert Event.objects.filter(action="revocation_plan.confirm").count() == 1
    assert Event.objects.filter(action="revocation_plan.complete").count() == 1
    assert Revocation.objects.count() == 3
    plan.refresh_from_db()
    assert (plan.status, plan.revoked) == (Status.COMPLETED, 3)


def test_who_confirms_second_sees_that_the_first_one_did(make, plan_of, dave, erin):
    on_postgres()
    make(3)
    plan = plan_of()

    told = meanwhile(lambda: confirm(plan, dave), lambda: outcome_of(lambda: confirm(plan, erin)))

    assert told.code == "invalid_move"


def test_two_plans_that_one_person_confirms_at_once_count_together(make, plan_of, carol, settings):
    """The second confirmation waits for the first, and counts it."""
    on_postgres()
    settings.BULK_REVOKE_LIMIT = 3
    carol2 = person("carol2", Role.ADMIN, email=carol.email)
    first = plan_of(criteria={"ids": [str(one.pk) for one in make(2)]})
    second = plan_of(actor=carol2, criteria={"ids": [str(one.pk) for one in make(2)]})

    told = meanwhile(
        lambda: confirm(first, carol), lambda: outcome_of(lambda: confirm(second, carol2))
    )

    assert told.code == "second_administrator"


def test_who_loses_the_role_meanwhile_confirms_nothing(make, plan_of, dave, system):
    on_postgres()
    make(2)
    plan = plan_of()
    asking = Principal.objects.get(pk=dave.pk)

    def take_away():
        owners.services.update_principal(
            actor=system, principal_id=dave.pk, changes={}, role=Role.OPERATOR, change_role=True
        )

    told = meanwhile(take_away, lambda: outcome_of(lambda: confirm(plan, asking)))

    assert told.code == "missing_permission"


def test_who_becomes_the_maker_meanwhile_is_no_second(make, plan_of, carol, dave, settings):
    """Dave's address becomes carol's while he confirms: they may be one person."""
    on_postgres()
    settings.BULK_REVOKE_LIMIT = 1
    make(2)
    plan = plan_of()

    def same_address():
        Principal.objects.select_for_update(no_key=True).get(pk=dave.pk)
        Principal.objects.filter(pk=dave.pk).update(email=carol.email)

    told = meanwhile(same_address, lambda: outcome_of(lambda: confirm(plan, dave)))

    assert told.code == "second_administrator"


def test_a_pause_waits_for_the_wave_and_the_wave_after_it_is_not_begun(
    make, plan_of, carol, dave, system
):
    on_postgres()
    make(4)
    plan = confirm(plan_of(wave_size=2), carol)

    def pause():
        services.pause_plan(plan_id=plan.pk, actor=dave)

    # The worker has claimed the plan, and comes to its wave while the pause is not committed.
    with transaction.atomic():
        Plan.objects.claim(lease=timedelta(seconds=60), now=timezone.now())
    claimed = Plan.objects.get()
    done = meanwhile(
        pause,
        lambda: waves.run_claimed(claimed, actor=system, ends=float("inf")),
    )

    assert done == 0
    assert not Revocation.objects.exists()


def test_a_pause_in_the_middle_of_a_wave_forgets_nothing_of_it(make, plan_of, carol, dave, system):
    """The pause waits for the wave, and then writes the plan with what the wave counted."""
    on_postgres()
    make(4)
    plan = confirm(plan_of(wave_size=2, pause_seconds=60), carol)

    meanwhile(
        lambda: services.run_plans(actor=system),
        lambda: services.pause_plan(plan_id=plan.pk, actor=dave),
    )

    plan.refresh_from_db()
    assert (plan.status, plan.revoked, plan.waves) == (Status.PAUSED, 2, 1)
    assert Revocation.objects.count() == 2


def test_an_answer_that_is_being_signed_does_not_outlive_the_wave(
    make, plan_of, carol, system, local_ca
):
    """Who signs holds the version: the wave waits, and deletes what was stored meanwhile."""
    on_postgres()
    (version,) = make(1)
    confirm(plan_of(), carol)
    now = timezone.now()

    def sign():
        Version.objects.select_for_update(no_key=True).get(pk=version.pk)
        OCSPResponse.objects.create(
            version=version, issuer=local_ca, serial=version.serial, hash_algorithm="sha1",
            name_hash="", key_hash="", status="good", this_update=now,
            next_update=now + timedelta(hours=1), der=b"", etag="",
        )  # fmt: skip

    meanwhile(sign, lambda: services.run_plans(actor=system))

    assert Revocation.objects.get().version == version
    assert not OCSPResponse.objects.exists()
    assert Version.objects.get().answers_after == now


def test_a_certificate_that_is_renewed_meanwhile_is_not_shown_as_revoked(
    make, plan_of, carol, system
):
    """Who renews holds the certificate: the wave waits, and sees that its version is superseded."""
    on_postgres()
    (old,) = make(1)
    confirm(plan_of(), carol)

    def renew():
        Certificate.objects.lock(old.certificate_id)
        VersionFactory(certificate=old.certificate)

    meanwhile(renew, lambda: services.run_plans(actor=system))

    assert Revocation.objects.get().version == old
    assert Certificate.objects.get().status == "Active"


def test_two_workers_never_have_one_plan(make, plan_of, carol, system):
    on_postgres()
    make(1)
    confirm(plan_of(), carol)

    def claim():
        Plan.objects.claim(lease=timedelta(seconds=60), now=timezone.now())

    with transaction.atomic():
        claim()
        assert aside(lambda: services.run_plans(actor=Principal.objects.system())) == 0

    assert not Revocation.objects.exists()


# --- A worker that is killed ------------------------------------------------------------------

WORKER = """
import django
django.setup()
from owners.models import Principal
from revocation import services
print("begins", flush=True)
services.run_plans(actor=Principal.objects.system())
"""
MANY = 2000


@pytest.fixture
def two_thousand(local_ca, profile, owner):
    first = CertificateFactory(issuer=local_ca, profile=profile, owner=owner)
    rows = Certificate.objects.bulk_create(
        Certificate(name=f"c-{n}", owner=owner, issuer=local_ca, profile=profile, status="Active")
        for n in range(MANY - 1)
    )
    now = timezone.now()
    versions = Version.objects.bulk_create(
        Version(
            certificate=row,
            issuer=local_ca,
            number=1,
            serial=f"{n + 1:x}",
            subject="CN=x",
            not_before=now - timedelta(hours=1),
            not_after=now + timedelta(days=40),
            fingerprint=f"{n:064x}",
            key_fingerprint=f"{n:064x}",
            key_algorithm="ecdsa-p256",
            pem="made up",
        )
        for n, row in enumerate([first, *rows])
    )
    for version in versions:
        version.certificate.current = version
    Certificate.objects.bulk_update([one.certificate for one in versions], ["current"])


@pytest.mark.takes(40)
def test_a_worker_that_is_killed_in_the_middle_leaves_each_to_be_revoked_once(
    two_thousand, plan_of, carol, dave, tmp_path
):
    plan = confirm(plan_of(wave_size=100), dave)

    def start():
        return subprocess.Popen(
            [sys.executable, "-c", WORKER], cwd=ROOT, env=environment_of(tmp_path)
        )

    worker = start()
    assert until(lambda: Plan.objects.get().revoked >= 300, 60)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(timeout=20)
    half = Plan.objects.get()
    assert 300 <= half.revoked < MANY
    assert Revocation.objects.count() == half.revoked
    # Its lease is over, as it would be a minute later.
    Plan.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert start().wait(timeout=90) == 0

    plan.refresh_from_db()
    assert (plan.status, plan.revoked, plan.failed, plan.pending) == (Status.COMPLETED, MANY, 0, 0)
    assert plan.claim_number == 2
    assert Revocation.objects.count() == MANY
    events = Event.objects.filter(action="certificate.revoke")
    assert events.count() == events.values("subject_id").distinct().count() == MANY
    assert Event.objects.filter(action="revocation_plan.wave").count() == plan.waves == 20
    assert not Item.objects.exclude(outcome="revoked").exists()
    assert len(list(services.to_csv(plan))) == MANY + 1
    assert verify()[1] is None

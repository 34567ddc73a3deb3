"""A decision rests on what is true at its commit: the order in the trail is the order of truth.

Alice asks, bob decides, carol changes who bob is or what he answers for. The trail's head is held
until both wait: whoever came first is written first, and the other sees it.
"""

import time
from dataclasses import dataclass

import pytest
from django.db import connection, transaction

import certificates.services
from audit.models import ChainHead, Event
from audit.via import Door, Via
from jobs import approvals, policy, services
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.states import Status
from owners import services as owner_services
from owners.models import Owner, Principal, Team
from owners.policy import KeyGone
from owners.roles import Role
from tests.factories import (
    CertificateFactory,
    OwnerFactory,
    PrincipalFactory,
    TeamFactory,
    VersionFactory,
)
from tests.jobs.conftest import status_of
from tests.races import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _postgres_only(db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to wait for")


@dataclass
class Scene:
    """Who and what a change may be about."""

    owner: Owner
    team: Team
    member: Principal
    alice: Principal
    bob: Principal
    carol: Principal
    seated: Principal
    giver: Principal
    bringer: Principal
    key: object = None

    def of_owner(self, members=None, **changes):
        owner_services.update_owner(
            actor=self.carol, owner_id=self.owner.pk, changes=changes, members=members
        )

    def of_team(self, team):
        owner_services.update_team(
            actor=self.carol, team_id=team.pk, changes={}, members=[self.bob]
        )

    def of(self, principal, **changes):
        owner_services.update_principal(
            actor=self.carol, principal_id=principal.pk, changes=changes
        )

    def of_role(self):
        owner_services.update_principal(
            actor=self.carol,
            principal_id=self.bob.pk,
            changes={},
            role=Role.VIEWER,
            change_role=True,
        )


CHANGES = {
    "membership": (lambda s: s.of_owner(members=[s.bob]), policy.SelfApproval),
    "the owner's e-mail": (lambda s: s.of_owner(email=s.bob.email), policy.SelfApproval),
    "the owner's team": (
        lambda s: s.of_owner(team=Team.objects.get(name="bobs")),
        policy.SelfApproval,
    ),
    "a seat in the owner's team": (lambda s: s.of_team(s.owner.team), policy.SelfApproval),
    "a seat in the certificate's team": (lambda s: s.of_team(s.team), policy.SelfApproval),
    "the decider's e-mail": (lambda s: s.of(s.bob, email=s.alice.email), policy.SelfApproval),
    "the requester's e-mail": (lambda s: s.of(s.alice, email=s.bob.email), policy.SelfApproval),
    "a member's e-mail": (lambda s: s.of(s.member, email=s.bob.email), policy.SelfApproval),
    "the e-mail of who has a seat": (
        lambda s: s.of(s.seated, email=s.bob.email),
        policy.SelfApproval,
    ),
    "the e-mail of who gave the CSR": (
        lambda s: s.of(s.giver, email=s.bob.email),
        policy.SelfApproval,
    ),
    "the e-mail of who brought its key": (
        lambda s: s.of(s.bringer, email=s.bob.email),
        policy.SelfApproval,
    ),
    "role": (Scene.of_role, policy.MayNotDecide),
    "activity": (lambda s: s.of(s.bob, is_active=False), policy.MayNotDecide),
    "key": (
        lambda s: owner_services.disable_api_key(actor=s.carol, key_id=s.key.pk),
        KeyGone,
    ),
}


@pytest.fixture
def scene(awaiting, alice, bob, carol, system):
    owner, team = awaiting.certificate.owner, TeamFactory()
    owner.team = TeamFactory()
    owner.save()
    member = PrincipalFactory()
    owner.members.add(member)
    awaiting.certificate.team = team
    awaiting.certificate.save()
    TeamFactory(name="bobs").members.add(bob)
    seated, giver, bringer = PrincipalFactory.create_batch(3)
    team.members.add(seated)
    Job.objects.filter(pk=awaiting.pk).update(csr_by=giver)
    VersionFactory(
        certificate=CertificateFactory(),
        key_fingerprint=kind_of(awaiting).key(awaiting).fingerprint,
        csr_by=bringer,
    )
    made = Scene(owner, team, member, alice, bob, carol, seated, giver, bringer)
    made.key, _ = owner_services.issue_api_key(
        actor=system, principal=bob, name="bobs-key", role_cap=Role.OPERATOR
    )
    return made


@pytest.fixture
def approve(awaiting, bob):
    def run():
        actor = Principal.objects.get(pk=bob.pk)
        actor.via = Via(door=Door.REST, api_key="bobs-key")
        digest = approvals.digest_of(awaiting, awaiting.certificate)
        return services.approve_job(job_id=awaiting.pk, actor=actor, digest=digest)

    return run


def until_waiting(count, *futures):
    """Wait until so many sessions of this database wait for a lock; fail where one ends first."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                # pg_stat_activity stays as a transaction saw it; pg_locks is read anew.
                "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid"
                " FROM pg_locks JOIN pg_database d ON d.oid = database"
                " WHERE d.datname = current_database())"
            )
            if cursor.fetchone()[0] == count:
                return
        assert not any(one.done() for one in futures), "one of them waited for nobody"
        assert time.monotonic() < deadline, "they neither wait nor end"
        time.sleep(0.005)


def one_after_the_other(aside, first, second):
    """Have both wait, the first one in front; give what became of them."""
    with transaction.atomic():
        ChainHead.objects.select_for_update(no_key=True).get(pk=1)
        ahead = aside(first)
        until_waiting(1, ahead)
        behind = aside(second)
        until_waiting(2, ahead, behind)
    return ahead, behind


@pytest.mark.parametrize("fact", CHANGES)
def test_a_change_that_is_written_first_is_seen(scene, awaiting, approve, aside, fact):
    change, refusal = CHANGES[fact]

    changed, decided = one_after_the_other(aside, lambda: change(scene), approve)

    changed.result(timeout=10)
    with pytest.raises(refusal):
        decided.result(timeout=10)
    assert status_of(awaiting) == Status.AWAITING_APPROVAL


@pytest.mark.parametrize("fact", CHANGES)
def test_an_approval_that_is_written_first_holds(scene, awaiting, approve, aside, fact):
    change, _ = CHANGES[fact]

    decided, changed = one_after_the_other(aside, approve, lambda: change(scene))

    decided.result(timeout=10)
    changed.result(timeout=10)
    assert status_of(awaiting) == Status.PENDING
    newest = Event.objects.order_by("-sequence").values_list("action", flat=True)[:2]
    assert newest[1] == "job.approve", list(newest)


def test_a_transfer_sees_a_membership_that_is_written_first(scene, awaiting, bob, aside):
    services.cancel_job(job_id=awaiting.pk, actor=scene.alice)
    elsewhere = OwnerFactory()

    changed, moved = one_after_the_other(
        aside,
        lambda: scene.of_owner(members=[bob]),
        lambda: certificates.services.update_details(
            certificate_id=awaiting.certificate_id, actor=bob, changes={"owner": elsewhere}
        ),
    )

    changed.result(timeout=10)
    with pytest.raises(owner_services.OwnWayOut):
        moved.result(timeout=10)


def test_two_who_decide_share_what_they_read(scene, bob, aside):
    """A shared lock: somebody who holds the owner to decide keeps nobody else from deciding."""
    from owners.policy import hold  # noqa: PLC0415

    def held():
        with transaction.atomic():
            hold(owners=[scene.owner.pk], teams=[], people=[bob.pk])
        return True

    with transaction.atomic():
        hold(owners=[scene.owner.pk], teams=[], people=[bob.pk])
        assert aside(held).result(timeout=5)

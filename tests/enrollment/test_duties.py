"""Separation of duties at devices' doors, under every alias and in every order.

carol made the labels, alice makes credentials, bob decides; dora is alice by another name.
"""

import pytest
from cryptography import x509

from enrollment import services
from enrollment.models import Label
from enrollment.states import Stand
from jobs import services as job_services
from jobs.models import Job
from jobs.policy import MayNotDecide, SelfApproval, lacks_decider
from jobs.states import Status
from owners.models import Principal
from owners.roles import Role
from owners.services import update_owner, update_team
from tests.ca import make_ca, named, pem_of
from tests.enrollment.conftest import DEVICE, ask_by, ask_with, machine
from tests.factories import OwnerFactory, TeamFactory
from tests.fixtures import make_csr, person
from tests.races import meanwhile

pytestmark = pytest.mark.django_db


def waiting_job(label, made):
    answer = ask_by(label, made, make_csr(DEVICE))
    assert answer.stand is Stand.WAITING
    return answer.enrollment.job


def approve(job, actor):
    return job_services.approve_job(job_id=job.pk, actor=actor)


def test_whoever_made_the_credential_does_not_approve_as_somebody_else(
    slow_label, secret_for, alice
):
    dora = person("dora", Role.OPERATOR)
    Principal.objects.filter(pk=dora.pk).update(email=alice.email.upper())
    job = waiting_job(slow_label, secret_for(slow_label))

    with pytest.raises(SelfApproval):
        approve(job, Principal.objects.get(pk=dora.pk))


def test_nor_where_the_address_became_theirs_after_it_was_asked(slow_label, secret_for, alice):
    dora = person("dora", Role.OPERATOR)
    job = waiting_job(slow_label, secret_for(slow_label))
    Principal.objects.filter(pk=alice.pk).update(email=dora.email)

    with pytest.raises(SelfApproval):
        approve(job, dora)


def test_whoever_has_a_seat_in_the_label_s_team_does_not_approve(
    make_label, device_profile, secret_for, bob
):
    team = TeamFactory(name="cams")
    label = make_label("teamed", device_profile, team=team)
    job = waiting_job(label, secret_for(label))
    team.members.add(bob)

    with pytest.raises(SelfApproval):
        approve(job, bob)


def test_a_label_s_owner_at_the_time_of_asking_answers_still(slow_label, secret_for, carol, bob):
    slow_label.owner.members.add(bob)
    job = waiting_job(slow_label, secret_for(slow_label))
    services.update_label(
        actor=carol, label_id=slow_label.pk, changes={"owner": OwnerFactory(name="others")}
    )

    with pytest.raises(SelfApproval):
        approve(job, bob)


def test_a_label_s_principal_approves_nothing_whatever_role_it_is_given(slow_label, secret_for):
    machine = slow_label.principal
    job = waiting_job(slow_label, secret_for(slow_label))
    machine.groups.set(person("dora", Role.ADMIN).groups.all())

    with pytest.raises((SelfApproval, MayNotDecide)):
        approve(job, Principal.objects.get(pk=machine.pk))


def test_whoever_vouched_first_counts_where_an_operator_has_the_same_key_renewed(
    make_label, free_device_profile, secret_for, alice, bob, carol
):
    label = make_label("strict", free_device_profile, approve_renewals=True)
    version = ask_by(label, secret_for(label), make_csr(DEVICE)).version

    job = job_services.request_renewal(actor=bob, certificate_id=version.certificate_id).job

    assert job.status == Status.AWAITING_APPROVAL
    for one in (alice, bob):
        with pytest.raises(SelfApproval):
            approve(job, one)
    approve(job, carol)


def test_a_renewal_after_another_s_credential_counts_that_one(
    make_label, free_device_profile, secret_for, alice, carol, bob
):
    label = make_label("strict", free_device_profile, approve_renewals=True)
    ask_by(label, secret_for(label), make_csr(DEVICE))
    second = ask_by(label, secret_for(label, actor=carol), make_csr(DEVICE)).version

    job = ask_with(label, second, make_csr(DEVICE)).enrollment.job

    with pytest.raises(SelfApproval):
        approve(job, carol)
    approve(job, bob)


@pytest.fixture
def made_by_two(make_label, free_device_profile, carol, dave):
    """A label, and two makers of devices: carol trusted the first, dave added the second."""
    makers = [make_ca(subject=named(f"Maker {number}")) for number in (1, 2)]
    pems = [pem_of(maker.certificate) for maker in makers]
    label = make_label(
        "born", free_device_profile, accepts=["manufacturer"], trust_anchors_pem=pems[0]
    )
    services.update_label(
        actor=dave, label_id=label.pk, changes={"trust_anchors_pem": "\n".join(pems)}
    )
    label.refresh_from_db()
    return label, makers


def shown(label, maker, name):
    """Return whoever shows a certificate of that maker, as the door lets them in."""
    born = maker.certify(f"{name}.maker.test", name=name)
    certificate = x509.load_pem_x509_certificate(born.leaf_pem.encode())
    return services.by_certificate(label=label, certificate=certificate, via=machine(label).via)


@pytest.fixture
def dave(db):
    return person("dave", Role.ADMIN)


def test_whoever_brought_the_trust_anchor_vouches_for_what_that_one_lets_in(
    made_by_two, carol, dave
):
    label, makers = made_by_two
    csr = make_csr(DEVICE)

    answer = services.ask(
        actor=machine(label),
        label_id=label.pk,
        caller=shown(label, makers[0], "SN-1"),
        csr_pem=csr,
    )

    assert answer.enrollment.job.csr_by == carol
    with pytest.raises(SelfApproval):
        approve(answer.enrollment.job, carol)
    approve(answer.enrollment.job, dave)


def test_what_a_trust_anchor_let_in_is_refused_once_that_is_gone(made_by_two, carol):
    label, makers = made_by_two
    caller = shown(label, makers[1], "SN-2")
    services.update_label(
        actor=carol,
        label_id=label.pk,
        changes={"trust_anchors_pem": pem_of(makers[0].certificate)},
    )

    with pytest.raises(services.CertificateRefused, match="is gone"):
        services.ask(
            actor=machine(label), label_id=label.pk, caller=caller, csr_pem=make_csr(DEVICE)
        )


@pytest.mark.parametrize("by", ["membership", "seat"])
def test_whoever_a_label_was_given_to_since_answers_for_what_it_enrolled(
    make_label, free_device_profile, secret_for, carol, bob, by
):
    label = make_label("strict", free_device_profile, approve_renewals=True)
    version = ask_by(label, secret_for(label), make_csr(DEVICE)).version
    owner, team = OwnerFactory(name="others"), TeamFactory(name="others")
    (owner if by == "membership" else team).members.add(bob)
    changes = {"owner": owner} if by == "membership" else {"team": team}
    services.update_label(actor=carol, label_id=label.pk, changes=changes)

    job = ask_with(label, version, make_csr(DEVICE)).enrollment.job

    assert job.certificate.owner == label.owner  # as it was enrolled
    with pytest.raises(SelfApproval):
        approve(job, bob)
    approve(job, carol)


def test_it_is_told_at_once_where_nobody_is_left_to_decide(
    make_label, free_device_profile, secret_for, carol, bob
):
    label = make_label("strict", free_device_profile, approve_renewals=True)
    version = ask_by(label, secret_for(label), make_csr(DEVICE)).version
    job = ask_with(label, version, make_csr(DEVICE)).enrollment.job
    assert not lacks_decider(job)

    team = TeamFactory(name="others")
    team.members.set([bob, carol])
    Label.objects.filter(pk=label.pk).update(team=team)

    assert lacks_decider(Job.objects.get(pk=job.pk))
    owner = OwnerFactory(name="others")
    owner.members.set([bob, carol])
    Label.objects.filter(pk=label.pk).update(team=None, owner=owner)
    assert lacks_decider(Job.objects.get(pk=job.pk))


@pytest.mark.django_db(transaction=True)
def test_a_label_that_is_given_away_before_an_approval_is_seen_by_it(
    slow_label, secret_for, carol, bob
):
    job = waiting_job(slow_label, secret_for(slow_label))
    owner = OwnerFactory(name="others")
    owner.members.add(bob)

    with pytest.raises(SelfApproval):
        meanwhile(
            lambda: services.update_label(
                actor=carol, label_id=slow_label.pk, changes={"owner": owner}
            ),
            lambda: approve(job, bob),
        )


@pytest.mark.django_db(transaction=True)
def test_a_seat_at_a_label_that_is_taken_before_an_approval_is_seen_by_it(
    make_label, device_profile, secret_for, carol, bob
):
    label = make_label("teamed", device_profile)
    job = waiting_job(label, secret_for(label))
    team = TeamFactory(name="others")
    services.update_label(actor=carol, label_id=label.pk, changes={"team": team})

    with pytest.raises(SelfApproval):
        meanwhile(
            lambda: update_team(actor=carol, team_id=team.pk, changes={}, members=[bob]),
            lambda: approve(job, bob),
        )


@pytest.mark.django_db(transaction=True)
def test_a_member_of_a_label_s_owner_that_is_taken_in_before_an_approval_is_seen_by_it(
    make_label, device_profile, secret_for, carol, bob
):
    label = make_label("given", device_profile)
    job = waiting_job(label, secret_for(label))
    owner = OwnerFactory(name="others")
    services.update_label(actor=carol, label_id=label.pk, changes={"owner": owner})

    with pytest.raises(SelfApproval):
        meanwhile(
            lambda: update_owner(actor=carol, owner_id=owner.pk, changes={}, members=[bob]),
            lambda: approve(job, bob),
        )

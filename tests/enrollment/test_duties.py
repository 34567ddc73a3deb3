"""Separation of duties at devices' doors, under every alias and in every order.

carol made the labels, alice makes credentials, bob decides; dora is alice by another name.
"""

import pytest
from cryptography import x509

from enrollment import services
from enrollment.states import Stand
from jobs import services as job_services
from jobs.policy import MayNotDecide, SelfApproval
from jobs.states import Status
from owners.models import Principal
from owners.roles import Role
from tests.ca import make_ca, named, pem_of
from tests.enrollment.conftest import DEVICE, ask_by, ask_with, machine
from tests.factories import OwnerFactory, TeamFactory
from tests.fixtures import make_csr, person

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

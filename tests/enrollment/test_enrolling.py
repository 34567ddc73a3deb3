"""What a device may ask for, and what it is told: the rules below both protocols."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

import certificates.services
from audit.models import Event
from certificates.models import Certificate, RenewalPolicy, Version
from enrollment import policy, services
from enrollment.models import Enrollment
from enrollment.states import Stand
from foundation.errors import Invalid, TooMany
from jobs import runner
from jobs import services as job_services
from jobs.approvals import review
from jobs.models import Job
from jobs.policy import SelfApproval
from jobs.states import Status
from owners.models import Owner
from owners.services import OwnWayOut
from tests.enrollment.conftest import DEVICE, OTHER, ask_by, ask_with
from tests.factories import CertificateFactory, OwnerFactory, VersionFactory
from tests.fixtures import make_csr, new_key

pytestmark = pytest.mark.django_db


def approve(answer, actor):
    job = answer.enrollment.job
    return job_services.approve_job(job_id=job.pk, actor=actor, digest=review(job).digest)


def test_where_nothing_waits_the_answer_is_the_certificate(label, secret_for):
    answer = ask_by(label, secret_for(label), make_csr(DEVICE))

    assert answer.stand is Stand.ISSUED
    assert answer.version.sans == [f"dns:{DEVICE}"]
    assert answer.version.device == f"est/cams/{DEVICE}"
    assert answer.version.certificate.owner == label.owner


def test_the_label_asks_and_whoever_made_the_credential_counts_as_having_brought_the_key(
    label, secret_for, alice
):
    version = ask_by(label, secret_for(label), make_csr(DEVICE)).version

    assert version.requested_by == label.principal
    assert version.csr_by == alice
    event = Event.objects.get(action="job.request")
    assert (event.door, event.actor, event.data["device"]) == (
        "est",
        label.principal,
        f"est/cams/{DEVICE}",
    )


def test_what_needs_approval_waits_and_the_same_request_collects_it(slow_label, secret_for, bob):
    made, csr = secret_for(slow_label), make_csr(DEVICE)
    first = ask_by(slow_label, made, csr)
    assert (first.stand, first.retry_after) == (Stand.WAITING, timedelta(minutes=1))

    assert ask_by(slow_label, made, csr).enrollment == first.enrollment
    approve(first, bob)
    answer = ask_by(slow_label, made, csr)

    assert answer.stand is Stand.ISSUED
    assert Version.objects.count() == 1
    assert Job.objects.filter(kind="Issuance").count() == 1


def test_whoever_made_the_credential_does_not_approve(slow_label, secret_for, alice):
    answer = ask_by(slow_label, secret_for(slow_label), make_csr(DEVICE))

    with pytest.raises(SelfApproval):
        approve(answer, alice)


def test_whoever_answers_for_the_label_does_not_approve(slow_label, secret_for, bob):
    slow_label.owner.members.add(bob)
    answer = ask_by(slow_label, secret_for(slow_label), make_csr(DEVICE))

    with pytest.raises(SelfApproval):
        approve(answer, bob)


def test_whoever_made_the_credential_does_not_approve_the_renewal_either(
    make_label, free_device_profile, secret_for, alice, bob
):
    label = make_label("strict", free_device_profile, approve_renewals=True)
    version = ask_by(label, secret_for(label), make_csr(DEVICE)).version
    answer = ask_with(label, version, make_csr(DEVICE))

    assert answer.stand is Stand.WAITING
    with pytest.raises(SelfApproval):
        approve(answer, alice)
    approve(answer, bob)
    runner.run_at_once(answer.enrollment.job_id)
    assert version.certificate.versions.count() == 2


def test_a_rejection_is_told_with_its_reason_and_not_asked_again(slow_label, secret_for, bob):
    made, csr = secret_for(slow_label, one_time=False), make_csr(DEVICE)
    answer = ask_by(slow_label, made, csr)
    job_services.reject_job(job_id=answer.enrollment.job_id, actor=bob, reason="not ours")

    again = ask_by(slow_label, made, csr)

    assert (again.stand, again.reason) == (Stand.REFUSED, "The request was rejected: not ours")
    assert Job.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False):
        assert ask_by(slow_label, made, csr).stand is Stand.WAITING


def test_the_same_without_a_decision_may_be_asked_anew(slow_label, secret_for, bob):
    made, csr = secret_for(slow_label, one_time=False), make_csr(DEVICE)
    answer = ask_by(slow_label, made, csr)
    job_services.cancel_job(job_id=answer.enrollment.job_id, actor=bob)

    assert ask_by(slow_label, made, csr).stand is Stand.WAITING
    assert Job.objects.count() == 2


def test_a_one_time_credential_brings_one_request_and_stands_for_that_alone(label, secret_for):
    made, csr = secret_for(label), make_csr(DEVICE)
    first = ask_by(label, made, csr)

    assert ask_by(label, made, csr).version == first.version  # the answer was lost on the way
    with pytest.raises(services.InvalidCredential):
        ask_by(label, made, make_csr(DEVICE))
    assert Version.objects.count() == 1


def test_a_one_time_credential_ends_when_its_answer_was_fetched_long_ago(label, secret_for):
    made, csr = secret_for(label), make_csr(DEVICE)
    ask_by(label, made, csr)

    with (
        time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False),
        pytest.raises(services.InvalidCredential),
    ):
        ask_by(label, made, csr)


def test_a_one_time_credential_ends_when_the_device_shows_what_it_got(label, secret_for):
    made, csr = secret_for(label), make_csr(DEVICE)
    version = ask_by(label, made, csr).version
    ask_with(label, version, make_csr(DEVICE))

    with pytest.raises(services.InvalidCredential):
        ask_by(label, made, csr)


def test_a_device_renews_with_its_certificate_and_the_names_stay(label, secret_for):
    first = ask_by(label, secret_for(label), make_csr(DEVICE)).version

    second = ask_with(label, first, make_csr(DEVICE)).version

    assert (second.number, second.certificate) == (2, first.certificate)
    with pytest.raises(policy.NamesChanged):
        ask_with(label, second, make_csr(DEVICE, OTHER))
    with pytest.raises(policy.NamesChanged):
        ask_with(label, second, make_csr(OTHER))


def test_a_superseded_certificate_fetches_what_replaced_it_and_nothing_else(label, secret_for):
    first = ask_by(label, secret_for(label), make_csr(DEVICE)).version
    csr = make_csr(DEVICE)
    second = ask_with(label, first, csr).version

    assert ask_with(label, first, csr).version == second
    with pytest.raises(services.CertificateRefused):
        ask_with(label, first, make_csr(DEVICE))
    assert Version.objects.count() == 2


def test_the_same_key_is_renewed_once_the_window_is_open(
    make_label, free_device_profile, secret_for
):
    weekly = RenewalPolicy.objects.create(
        name="devices", auto_renew=False, window=timedelta(days=7)
    )
    label = make_label("weekly", free_device_profile, renewal_policy=weekly)
    csr = make_csr(DEVICE)
    first = ask_by(label, secret_for(label), csr).version

    assert ask_with(label, first, csr).version == first
    with time_machine.travel(timezone.now() + timedelta(days=41), tick=False):
        assert ask_with(label, first, csr).version.number == 2


@pytest.mark.parametrize("why", ["revoked", "expired", "foreign", "other-label"])
def test_a_certificate_that_does_not_hold_is_refused(
    why, label, make_label, free_device_profile, secret_for, alice, bob
):
    version = ask_by(label, secret_for(label), make_csr(DEVICE)).version
    at = label
    when = timezone.now()
    if why == "revoked":
        certificates.services.revoke(version_id=version.pk, actor=bob, reason="superseded")
    elif why == "expired":
        when += timedelta(days=50)
    elif why == "foreign":
        version = issued_elsewhere(alice, version)
    else:
        at = make_label("others", free_device_profile)

    with time_machine.travel(when, tick=False), pytest.raises(services.CertificateRefused):
        ask_with(at, version, make_csr(DEVICE))
    assert Version.objects.filter(number=2).count() == 0


def issued_elsewhere(alice, version):
    """Return a version of the same CA and names that no device enrolled."""
    own = version.certificate
    job = job_services.request_issuance(
        actor=alice,
        owner=own.owner,
        issuer=own.issuer,
        profile=own.profile,
        csr_pem=make_csr(DEVICE),
    ).job
    assert runner.run_pending() == 1
    job.refresh_from_db()
    return job.version


def test_a_credential_enrolls_no_name_but_its_own(label, secret_for):
    made = secret_for(label)

    for csr in (make_csr(OTHER), make_csr(DEVICE, OTHER), make_csr(DEVICE, common_name=OTHER)):
        with pytest.raises((policy.NameNotYours, Invalid)):
            ask_by(label, made, csr)
    assert not Certificate.objects.exists()
    assert ask_by(label, made, make_csr(DEVICE)).stand is Stand.ISSUED  # nothing was spent


def test_a_pattern_enrolls_no_name_that_another_device_has(label, secret_for):
    ask_by(label, secret_for(label), make_csr(DEVICE))
    wide = secret_for(label, "gateway", names=["dns:*.demo.internal"])

    with pytest.raises(policy.NameNotYours):
        ask_by(label, wide, make_csr(DEVICE))
    assert ask_by(label, wide, make_csr(OTHER)).stand is Stand.ISSUED


def under_management(name):
    """Return a certificate that no device has, whose names are found."""
    return CertificateFactory(name=name)


def test_an_exact_name_may_be_that_of_a_certificate_which_no_device_has(label, secret_for):
    old = under_management(DEVICE)
    VersionFactory(certificate=old)

    assert ask_by(label, secret_for(label), make_csr(DEVICE)).stand is Stand.ISSUED


def test_not_even_an_exact_name_is_taken_from_another_device(label, make_label, secret_for):
    other = make_label("gates", label.profile)
    ask_by(other, secret_for(other), make_csr(DEVICE))

    with pytest.raises(policy.NameNotYours):
        ask_by(label, secret_for(label, "thief", names=[f"dns:{DEVICE}"]), make_csr(DEVICE))


def test_what_all_devices_share_enrolls_only_names_that_nobody_has_and_waits(
    make_label, free_device_profile, secret_for
):
    label = make_label("shared", free_device_profile, accepts=["label-secret"])
    shared = secret_for(label, "", names=[], one_time=False)
    old = under_management(OTHER)
    VersionFactory(certificate=old)

    assert ask_by(label, shared, make_csr(DEVICE)).stand is Stand.WAITING
    with pytest.raises(policy.NameNotYours):
        ask_by(label, shared, make_csr(OTHER))


def test_a_label_may_say_that_what_all_share_need_not_wait(
    make_label, free_device_profile, secret_for
):
    label = make_label("trusting", free_device_profile, accepts=["label-secret"], trust_shared=True)
    shared = secret_for(label, "", names=[], one_time=False)

    assert ask_by(label, shared, make_csr(DEVICE)).stand is Stand.ISSUED


def test_a_label_accepts_only_what_it_says(make_label, free_device_profile, secret_for):
    label = make_label("own", free_device_profile)
    shared = secret_for(label, "", names=[], one_time=False)

    with pytest.raises(policy.NotAccepted):
        ask_by(label, shared, make_csr(DEVICE))


def test_a_device_that_has_credentials_is_not_taken_for_one_that_came_by_itself(
    make_label, free_device_profile, secret_for
):
    label = make_label(
        "both", free_device_profile, accepts=["secret", "label-secret"], trust_shared=True
    )
    secret_for(label)
    shared = secret_for(label, "", names=[], one_time=False)

    with pytest.raises(policy.NameNotYours):
        ask_by(label, shared, make_csr(DEVICE))


def test_a_blocked_device_gets_nothing_and_its_open_request_ends(slow_label, secret_for, bob):
    made, csr = secret_for(slow_label, one_time=False), make_csr(DEVICE)
    answer = ask_by(slow_label, made, csr)

    services.block_device(actor=bob, device_id=answer.enrollment.device_id, reason="stolen")

    answer.enrollment.job.refresh_from_db()
    assert answer.enrollment.job.status == Status.CANCELLED
    with pytest.raises(policy.Blocked):
        ask_by(slow_label, made, csr)


def test_a_blocked_device_does_not_renew_and_shows_what_it_holds(label, secret_for, bob):
    answer = ask_by(label, secret_for(label), make_csr(DEVICE))
    services.block_device(actor=bob, device_id=answer.enrollment.device_id)

    with pytest.raises(policy.Blocked):
        ask_with(label, answer.version, make_csr(DEVICE))
    held = services.holds(Enrollment.objects.filter(device=answer.enrollment.device))
    assert list(held) == [answer.version]


def test_a_blocked_credential_and_a_blocked_label_let_nothing_through(label, secret_for, bob):
    made = secret_for(label, one_time=False)
    version = ask_by(label, made, make_csr(DEVICE)).version
    services.block_credential(actor=bob, credential_id=made.credential.pk)
    with pytest.raises(policy.Blocked):
        ask_by(label, made, make_csr(DEVICE))
    services.block_label(actor=bob, label_id=label.pk)

    with pytest.raises(policy.Blocked):
        ask_with(label, version, make_csr(DEVICE))


def test_why_a_label_is_blocked_is_bounded_below_the_doors(label, bob):
    with pytest.raises(Invalid) as refused:
        services.block_label(actor=bob, label_id=label.pk, reason="x" * 501)

    assert refused.value.errors[0]["field"] == "reason"
    label.refresh_from_db()
    assert label.enabled


def test_a_device_may_ask_so_often_an_hour(make_label, free_device_profile, secret_for):
    label = make_label("twice", free_device_profile, hourly_limit=2)
    made = secret_for(label, one_time=False)
    ask_by(label, made, make_csr(DEVICE))
    ask_by(label, made, make_csr(DEVICE))

    with pytest.raises(TooMany) as caught:
        ask_by(label, made, make_csr(DEVICE))

    assert 3500 < caught.value.wait <= 3600
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert ask_by(label, made, make_csr(DEVICE)).stand is Stand.ISSUED


def test_one_request_at_a_time_for_the_same_names(slow_label, secret_for):
    made = secret_for(slow_label, one_time=False)
    ask_by(slow_label, made, make_csr(DEVICE))

    with pytest.raises(policy.OtherRequestOpen):
        ask_by(slow_label, made, make_csr(DEVICE))


def test_a_revoked_certificate_is_not_collected(label, secret_for, bob):
    made, csr = secret_for(label), make_csr(DEVICE)
    version = ask_by(label, made, csr).version
    certificates.services.revoke(version_id=version.pk, actor=bob, reason="superseded")

    assert ask_by(label, made, csr).stand is Stand.REFUSED


def test_the_answer_is_noted_once(label, secret_for):
    made, csr = secret_for(label), make_csr(DEVICE)
    ask_by(label, made, csr)
    ask_by(label, made, csr)

    assert Event.objects.filter(action="enrollment.collect").count() == 1


def test_a_policy_that_renews_by_itself_is_refused_at_the_label(make_label, free_device_profile):
    eager = RenewalPolicy.objects.create(name="eager")

    with pytest.raises(Invalid, match="auto-renew"):
        make_label("eager", free_device_profile, renewal_policy=eager)


def test_an_operation_of_est_is_no_label(make_label, free_device_profile):
    with pytest.raises(Invalid, match="operation of EST"):
        make_label("simpleenroll", free_device_profile)


def test_nobody_leaves_a_label_by_their_own_hand(label, carol):
    label.owner.members.add(carol)

    with pytest.raises(OwnWayOut):
        services.update_label(
            actor=carol, label_id=label.pk, changes={"owner": OwnerFactory(name="others")}
        )


def test_whom_a_label_goes_to_is_read_after_the_wait(label, carol):
    """Also where the one who asks has an owner in hand that was changed since."""
    label.owner.members.add(carol)
    seen = OwnerFactory(name="others", email=carol.email)
    Owner.objects.filter(pk=seen.pk).update(email="somebody@owners.example")

    with pytest.raises(OwnWayOut):
        services.update_label(actor=carol, label_id=label.pk, changes={"owner": seen})


def test_a_label_principal_cannot_sign_in_and_has_no_role(label):
    assert not label.principal.has_usable_password()
    assert not label.principal.groups.exists()
    assert label.principal.kind == "machine"


def test_a_key_of_another_request_is_another_request(label, secret_for):
    made = secret_for(label, one_time=False)
    key = new_key()
    one = ask_by(label, made, make_csr(DEVICE, key=key))
    two = ask_by(label, made, make_csr(DEVICE, key=key))

    assert one.enrollment == two.enrollment  # signed anew, but the same key and names

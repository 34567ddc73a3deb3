"""What nobody gets at a device's door: another's names, or what a leaked key still opens.

carol made the labels, alice makes credentials, bob decides and revokes.
"""

from datetime import timedelta

import pytest
import time_machine
from django.db.models import ProtectedError
from django.utils import timezone

import certificates.services
import issuers.services
import owners.services
from audit.models import Event
from certificates.models import Certificate, RenewalPolicy, Version
from enrollment import policy, services
from enrollment.services import Caller
from enrollment.services.callers import CertificateRefused
from enrollment.states import Stand
from foundation.errors import Conflict
from foundation.outcomes import outcome_of
from issuers.models import Issuer
from jobs import runner
from jobs import services as job_services
from jobs.models import Job
from jobs.states import Status
from tests.enrollment.conftest import DEVICE, OTHER, ask_by, ask_with, machine
from tests.fixtures import make_csr, new_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def trusting(make_label, free_device_profile):
    """A label where what all devices share need not wait."""
    return make_label("trusting", free_device_profile, accepts=["label-secret"], trust_shared=True)


@pytest.fixture
def shared(trusting, secret_for):
    return secret_for(trusting, "", names=[], one_time=False)


def test_what_all_devices_share_takes_no_name_from_a_device_that_enrolled_by_it(trusting, shared):
    csr = make_csr(DEVICE)
    first = ask_by(trusting, shared, csr)
    assert first.stand is Stand.ISSUED

    with pytest.raises(policy.NameNotYours):
        ask_by(trusting, shared, make_csr(DEVICE))

    assert Version.objects.count() == 1
    assert ask_by(trusting, shared, csr).version == first.version


def test_nor_from_one_whose_request_still_waits(make_label, free_device_profile, secret_for):
    label = make_label("slow", free_device_profile, accepts=["label-secret"])
    shared = secret_for(label, "", names=[], one_time=False)
    ask_by(label, shared, make_csr(DEVICE))

    with pytest.raises((policy.NameNotYours, policy.OtherRequestOpen)):
        ask_by(label, shared, make_csr(DEVICE))


def test_what_was_revoked_may_be_asked_for_by_what_all_share(trusting, shared, bob):
    version = ask_by(trusting, shared, make_csr(DEVICE)).version
    certificates.services.revoke(version_id=version.pk, actor=bob, reason="superseded")

    assert ask_by(trusting, shared, make_csr(DEVICE)).stand is Stand.ISSUED


def test_a_certificate_of_a_key_that_leaked_renews_nothing(label, secret_for, bob):
    key = new_key()
    made = secret_for(label, one_time=False)
    first = ask_by(label, made, make_csr(DEVICE, key=key)).version
    wide = secret_for(label, "gateway", names=[f"dns:{OTHER}"])
    second = ask_by(label, wide, make_csr(OTHER, key=key)).version
    certificates.services.revoke(version_id=first.pk, actor=bob, reason="keyCompromise")

    with pytest.raises(CertificateRefused, match="its key has leaked"):
        ask_with(label, second, make_csr(OTHER))
    with pytest.raises(CertificateRefused):  # also where it leaked after the door had let it in
        services.ask(
            actor=machine(label),
            label_id=label.pk,
            caller=Caller(version=second.pk),
            csr_pem=make_csr(OTHER),
        )
    assert Version.objects.count() == 2


def test_an_expired_credential_still_collects_what_it_brought(slow_label, secret_for, bob):
    made = secret_for(slow_label, expires_at=timezone.now() + timedelta(hours=1))
    csr = make_csr(DEVICE)
    answer = ask_by(slow_label, made, csr)

    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        job_services.approve_job(job_id=answer.enrollment.job_id, actor=bob)
        assert ask_by(slow_label, made, csr).stand is Stand.ISSUED
        with pytest.raises(services.InvalidCredential):
            ask_by(slow_label, made, make_csr(DEVICE))


def test_an_expired_credential_brings_nothing(label, secret_for):
    made = secret_for(label, expires_at=timezone.now() + timedelta(hours=1))

    with (
        time_machine.travel(timezone.now() + timedelta(hours=2), tick=False),
        pytest.raises(policy.Blocked),
    ):
        ask_by(label, made, make_csr(DEVICE))


def test_a_blocked_credential_collects_nothing_either(slow_label, secret_for, bob):
    made, csr = secret_for(slow_label), make_csr(DEVICE)
    answer = ask_by(slow_label, made, csr)
    job_services.approve_job(job_id=answer.enrollment.job_id, actor=bob)
    services.block_credential(actor=bob, credential_id=made.credential.pk)

    with pytest.raises(policy.Blocked):
        ask_by(slow_label, made, csr)


def test_an_operator_s_renewal_waits_where_the_label_has_renewals_wait(
    make_label, free_device_profile, secret_for, bob
):
    label = make_label("strict", free_device_profile, approve_renewals=True)
    version = ask_by(label, secret_for(label), make_csr(DEVICE)).version

    job = job_services.request_renewal(
        actor=bob, certificate_id=version.certificate_id, csr_pem=make_csr(DEVICE)
    ).job

    assert job.status == Status.AWAITING_APPROVAL


def test_a_sweep_renews_nothing_that_a_device_holds(
    make_label, free_device_profile, secret_for, alice, system
):
    rules = RenewalPolicy.objects.create(name="devices", auto_renew=False, window=timedelta(days=7))
    label = make_label("weekly", free_device_profile, renewal_policy=rules)
    ask_by(label, secret_for(label), make_csr(DEVICE))
    certificates.services.update_policy(
        policy_id=rules.pk, actor=alice, changes={"auto_renew": True}
    )

    with time_machine.travel(timezone.now() + timedelta(days=42), tick=False):
        assert job_services.request_due_renewals(actor=system) == 0
    assert Job.objects.count() == 1


def another_ca(local_ca, **changes):
    """Return another issuer that is like `local_ca`."""
    other = Issuer.objects.get(pk=local_ca.pk)
    other.pk, other._state.adding = None, True
    for name, value in ({"slug": "another", "name": "Another"} | changes).items():
        setattr(other, name, value)
    other.save()
    return other


def test_no_issuer_is_called_over_a_network_while_a_device_waits(
    slow_label, secret_for, local_ca, bob, monkeypatch
):
    made, csr = secret_for(slow_label), make_csr(DEVICE)
    answer = ask_by(slow_label, made, csr)
    job_services.approve_job(job_id=answer.enrollment.job_id, actor=bob)
    Certificate.objects.update(issuer=another_ca(local_ca, kind="acme"))  # as its label was then
    monkeypatch.setattr(runner, "run", lambda *_, **__: pytest.fail("it was called"))

    assert ask_by(slow_label, made, csr).stand is Stand.WAITING


def test_a_label_that_moves_to_another_ca_takes_its_devices_along(
    label, secret_for, root_ca, carol
):
    first = ask_by(label, secret_for(label), make_csr(DEVICE)).version
    assert first.issuer != root_ca
    services.update_label(actor=carol, label_id=label.pk, changes={"issuer": root_ca})

    second = ask_with(label, first, make_csr(DEVICE)).version

    assert (second.issuer, second.number, second.certificate) == (root_ca, 2, first.certificate)
    moved = Event.objects.get(action="certificate.update")
    assert moved.data["changes"]["issuer"]["after"] == root_ca.slug


def test_under_a_stricter_profile_a_device_waits_as_if_it_were_new(
    label, secret_for, device_profile, carol, bob
):
    first = ask_by(label, secret_for(label), make_csr(DEVICE)).version
    services.update_label(actor=carol, label_id=label.pk, changes={"profile": device_profile})

    answer = ask_with(label, first, make_csr(DEVICE))

    assert (answer.stand, answer.enrollment.job.kind) == (Stand.WAITING, "Issuance")


def test_a_wildcard_is_not_enrolled_by_what_all_devices_share(
    make_label, free_device_profile, secret_for
):
    free_device_profile.allow_wildcards = True
    free_device_profile.save()
    label = make_label("wild", free_device_profile, accepts=["label-secret"], trust_shared=True)
    shared = secret_for(label, "", names=[], one_time=False)

    with pytest.raises(policy.NameNotYours):
        ask_by(label, shared, make_csr("*.demo.internal"))


@pytest.mark.parametrize("row", ["renewal_policy", "profile", "owner"])
def test_what_a_label_names_is_not_deleted(make_label, free_device_profile, alice, row):
    rules = RenewalPolicy.objects.create(name="devices", auto_renew=False)
    label = make_label("weekly", free_device_profile, renewal_policy=rules)
    delete = {
        "renewal_policy": lambda: certificates.services.delete_policy(
            policy_id=rules.pk, actor=alice
        ),
        "profile": lambda: issuers.services.delete_profile(
            profile=free_device_profile, actor=alice
        ),
        "owner": lambda: owners.services.delete_owner(owner_id=label.owner_id, actor=alice),
    }[row]

    with pytest.raises((Conflict, ProtectedError)) as caught:
        delete()

    assert outcome_of(caught.value).status == 409

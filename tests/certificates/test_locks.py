"""Two who change the same certificate or renewal policy at once."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

import owners.services
from audit.models import Event
from certctl.management.commands import rotate_keys
from certificates import services
from certificates.models import Certificate, RenewalPolicy, Revocation
from certificates.policy import Archived, SubscriberWithdraws
from certificates.services.policies import PolicyInUse
from foundation import crypto
from foundation.sealed import sealed_fields
from issuers.ca_keys import CA_KEY
from issuers.models import Issuer
from tests.factories import RenewalPolicyFactory
from tests.races import aside, meanwhile

pytestmark = pytest.mark.django_db(transaction=True)


def test_changing_details_waits_for_whoever_is_changing_them(certificate, alice):
    meanwhile(
        lambda: Certificate.objects.filter(pk=certificate.pk).update(environment="first"),
        lambda: services.update_details(
            certificate_id=certificate.pk, actor=alice, changes={"environment": "second"}
        ),
    )

    event = Event.objects.get(action="certificate.update")
    assert event.data["changes"] == {"environment": {"before": "first", "after": "second"}}


def test_archiving_waits_for_whoever_is_archiving(certificate, carol):
    services.revoke(version_id=certificate.current_id, actor=carol)

    def archive():
        return services.archive(certificate_id=certificate.pk, actor=carol)

    with pytest.raises(Archived):
        meanwhile(archive, archive)

    assert Event.objects.filter(action="certificate.archive").count() == 1


def test_who_becomes_an_owner_meanwhile_withdraws_nothing(certificate, owner, bob, carol):
    with pytest.raises(SubscriberWithdraws):
        meanwhile(
            lambda: owners.services.update_owner(
                owner_id=owner.pk, actor=carol, changes={}, members=[bob]
            ),
            lambda: services.revoke(
                version_id=certificate.current_id, actor=bob, reason="privilegeWithdrawn"
            ),
        )

    assert not Revocation.objects.exists()


def test_changing_a_renewal_policy_waits_for_whoever_is_changing_it(carol):
    policy = RenewalPolicyFactory(name="first")
    rows = RenewalPolicy.objects.filter(pk=policy.pk)

    meanwhile(
        lambda: rows.update(name="second", max_attempts=7),
        lambda: services.update_policy(policy_id=policy.pk, actor=carol, changes={"name": "third"}),
    )

    event = Event.objects.get(action="renewalpolicy.update")
    assert event.data["changes"] == {"name": {"before": "second", "after": "third"}}
    assert rows.get().max_attempts == 7


def test_a_policy_that_a_certificate_takes_up_meanwhile_is_not_deleted(certificate, alice, carol):
    policy = RenewalPolicyFactory()

    with pytest.raises(PolicyInUse):
        meanwhile(
            lambda: services.update_details(
                certificate_id=certificate.pk, actor=alice, changes={"renewal_policy": policy}
            ),
            lambda: services.delete_policy(policy_id=policy.pk, actor=carol),
        )

    assert RenewalPolicy.objects.get() == policy


def test_a_secret_that_is_replaced_meanwhile_is_not_rotated_back(local_ca, settings):
    old = settings.KEY_ENCRYPTION_KEYS
    new = ["bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4="]
    replaced = CA_KEY.of(local_ca).seal(b"the new secret")
    column = next(field for field in sealed_fields() if field.model is Issuer)
    Issuer.objects.exclude(pk=local_ca.pk).update(secrets=None)
    settings.KEY_ENCRYPTION_KEYS = new + old
    lost = []

    count = meanwhile(
        lambda: Issuer.objects.filter(pk=local_ca.pk).update(secrets=replaced),
        lambda: rotate_keys._rotate(column, lost),
    )

    sealed = Issuer.objects.get(pk=local_ca.pk).secrets
    assert (count, lost) == (1, [])
    assert crypto.is_current(sealed._token)
    assert sealed.open(CA_KEY.of(local_ca)) == b"the new secret"


@pytest.mark.postgres
def test_the_sweep_of_statuses_waits_for_nobody(issue, system):
    held, free = issue("a.demo.internal").certificate, issue("b.demo.internal").certificate
    later = timezone.now() + timedelta(days=100)

    with transaction.atomic():
        Certificate.objects.lock(held.pk)
        changed = aside(lambda: services.update_expiry_statuses(now=later, actor=system))

    assert changed == 1
    status = dict(Certificate.objects.values_list("pk", "status"))
    assert (status[held.pk], status[free.pk]) == ("Active", "Expired")

"""BR 7.2.2: that a privilege is withdrawn is said by the CA's people, never by a subscriber.

Carol administers; bob operates and, where a test says so, is a subscriber; alice asked for it.
"""

import pytest
from django.urls import reverse

from audit.models import Event
from certificates import policy, services
from certificates.models import Reason, Revocation, Version
from owners.models import Principal, Team
from owners.roles import Role
from tests.factories import OwnerFactory
from tests.fixtures import person

WITHDRAWN = "privilegeWithdrawn"


def answers_as_owner(bob, version):
    version.certificate.owner.members.add(bob)


def answers_in_the_team(bob, version):
    team = Team.objects.create(name="web")
    team.members.add(bob)
    version.certificate.team = team
    version.certificate.save()


def asked_for_it(bob, version):
    Version.objects.filter(pk=version.pk).update(requested_by=bob)


def brought_its_csr(bob, version):
    Version.objects.filter(pk=version.pk).update(csr_by=bob)


def asked_under_another_name(bob, version):
    other = person("robert", Role.VIEWER)
    other.email = bob.email = "bob@example.com"
    other.save()
    bob.save()
    Version.objects.filter(pk=version.pk).update(requested_by=other)


def is_the_owner_since_a_moment_ago(bob, version):
    # Whoever acts was read before the wait for the locks; what holds is the row after it.
    owner = version.certificate.owner
    Principal.objects.filter(pk=bob.pk).update(email=owner.email)
    assert bob.email != owner.email


SUBSCRIBERS = [
    answers_as_owner,
    answers_in_the_team,
    asked_for_it,
    brought_its_csr,
    asked_under_another_name,
    is_the_owner_since_a_moment_ago,
]


@pytest.mark.parametrize("becomes", SUBSCRIBERS)
def test_a_subscriber_withdraws_no_privilege_of_their_own(version, bob, carol, becomes):
    becomes(bob, version)

    with pytest.raises(policy.SubscriberWithdraws) as refused:
        services.revoke(version_id=version.pk, actor=bob, reason=WITHDRAWN)

    assert refused.value.errors[0]["field"] == "reason"
    assert not Revocation.objects.exists()
    refusal = Event.objects.get(action="certificate.revoke.refuse")
    assert (refusal.actor, refusal.data["code"]) == (bob, "subscriber_withdraws")
    services.revoke(version_id=version.pk, actor=carol, reason=WITHDRAWN)
    assert Revocation.objects.get().reason == WITHDRAWN


@pytest.mark.parametrize("becomes", SUBSCRIBERS)
def test_many_at_once_leave_out_what_their_subscriber_would_withdraw(issue, bob, becomes):
    own, other = issue("own.demo.internal"), issue("other.demo.internal")
    becomes(bob, own)
    if becomes in {answers_as_owner, is_the_owner_since_a_moment_ago}:
        other.certificate.owner = OwnerFactory(name="somebody else")
        other.certificate.save()

    done = services.revoke_many(
        version_ids=[own.pk, other.pk], actor=bob, reason=WITHDRAWN, note=""
    )

    assert done == {other.pk}


def test_any_other_reason_is_a_subscribers_to_give(version, bob):
    answers_as_owner(bob, version)

    services.revoke(version_id=version.pk, actor=bob, reason="cessationOfOperation")

    assert Revocation.objects.get().reason == "cessationOfOperation"


def test_rest_refuses_a_subscriber(version, client_of, bob):
    asked_for_it(bob, version)

    refused = client_of(bob).post(f"/api/v1/versions/{version.pk}/revoke/", {"reason": WITHDRAWN})

    assert (refused.status_code, refused.json()["code"]) == (403, "subscriber_withdraws")
    assert not Revocation.objects.exists()


@pytest.mark.parametrize("page", ["certificates_certificate", "certificates_version"])
def test_the_admin_offers_and_takes_it_from_everybody_else_alone(browse, version, bob, carol, page):
    asked_for_it(bob, version)
    row = version.certificate if page.endswith("_certificate") else version
    address = reverse(f"admin:{page}_revoke_one", args=[row.pk])

    assert f'value="{WITHDRAWN}"' not in browse(bob).get(address).content.decode()
    refused = browse(bob).post(address, {"confirmed": "yes", "reason": WITHDRAWN})
    assert refused.status_code == 400
    assert not Revocation.objects.exists()
    assert f'value="{WITHDRAWN}"' in browse(carol).get(address).content.decode()


def test_unspecified_comes_first_and_is_preset(browse, version, carol):
    address = reverse("admin:certificates_version_revoke_one", args=[version.pk])

    shown = browse(carol).get(address)

    field = shown.context["form"]["reason"]
    assert [value for value, _ in field.field.choices] == list(Reason.values)
    assert (field.field.choices[0][0], field.initial) == ("unspecified", "unspecified")
    assert "The private key may be known to others." in shown.content.decode()


def test_of_a_ca_no_reason_is_preset(browse, version, carol, profile):
    version.certificate.profile.is_ca = True
    version.certificate.profile.save()
    address = reverse("admin:certificates_version_revoke_one", args=[version.pk])

    field = browse(carol).get(address).context["form"]["reason"]

    offered = [value for value, _ in field.field.choices]
    assert "unspecified" not in offered
    assert "certificateHold" not in offered
    assert field.initial is None


def test_what_is_revoked_is_only_corrected_and_a_hold_becomes_anything_else(version, bob, carol):
    services.revoke(version_id=version.pk, actor=bob, reason="certificateHold")
    held = Version.objects.get(pk=version.pk)
    assert Reason.CERTIFICATE_HOLD not in policy.reasons_for(carol, held, is_ca=False)
    assert Reason.UNSPECIFIED in policy.reasons_for(carol, held, is_ca=False)

    services.revoke(version_id=version.pk, actor=bob, reason="superseded")

    gone = Version.objects.get(pk=version.pk)
    assert policy.reasons_for(carol, gone, is_ca=False) == [Reason.KEY_COMPROMISE]

"""Two who change the same issuer or profile at once: the second sees what the first did."""

from datetime import timedelta

import pytest
from django.db import transaction

from audit.models import Event
from audit.services import Busy, record
from foundation.errors import Invalid
from issuers import services
from issuers.models import Issuer, Profile
from tests.factories import CertificateFactory
from tests.races import aside, meanwhile

pytestmark = pytest.mark.django_db(transaction=True)


def test_switching_an_issuer_waits_for_whoever_is_switching_it(local_ca, carol):
    rows = Issuer.objects.filter(pk=local_ca.pk)

    issuer = meanwhile(
        lambda: rows.update(enabled=False),
        lambda: services.update_issuer(
            actor=carol, issuer_id=local_ca.pk, changes={"enabled": False}
        ),
    )

    # It was off already when its turn came: nothing to do, nothing to write down.
    assert not issuer.enabled
    assert not Event.objects.filter(action__in=["issuer.update", "issuer.disable"]).exists()


def test_changing_a_profile_waits_for_whoever_is_changing_it(profile, carol):
    rows = Profile.objects.filter(pk=profile.pk)

    meanwhile(
        lambda: rows.update(max_lifetime=timedelta(days=9), name="First"),
        lambda: services.save_profile(
            actor=carol, profile_id=profile.pk, changes={"name": "Second"}
        ),
    )

    profile.refresh_from_db()
    assert (profile.name, profile.max_lifetime) == ("Second", timedelta(days=9))
    [event] = Event.objects.filter(action="profile.update")
    assert event.data["changes"] == {"name": {"before": "First", "after": "Second"}}


def test_a_profile_that_a_certificate_gets_meanwhile_is_not_deleted(profile, carol):
    with pytest.raises(services.profiles.ProfileInUse):
        meanwhile(
            lambda: (
                CertificateFactory(profile=profile),
                record(actor=carol, action="certificate.register"),
            ),
            lambda: services.delete_profile(actor=carol, profile=profile),
        )

    assert Profile.objects.filter(pk=profile.pk).exists()


@pytest.mark.postgres
def test_deleting_a_profile_that_somebody_is_changing_waits_for_nobody(profile, carol):
    with transaction.atomic():
        Profile.objects.select_for_update(no_key=True).get(pk=profile.pk)
        with pytest.raises(Busy):
            aside(lambda: services.delete_profile(actor=carol, profile=profile))

    assert Profile.objects.filter(pk=profile.pk).exists()


def test_naming_a_successor_waits_for_whoever_names_the_other_way_round(local_ca, carol):
    other = services.create_local_ca(
        actor=carol,
        ca=services.NewCA(slug="next", common_name="Next", lifetime=timedelta(days=900)),
    )

    with pytest.raises(Invalid):
        meanwhile(
            lambda: Issuer.objects.filter(pk=other.pk).update(successor=local_ca),
            lambda: services.name_successor(actor=carol, issuer_id=local_ca.pk, successor=other),
        )

    assert Issuer.objects.get(pk=local_ca.pk).successor is None

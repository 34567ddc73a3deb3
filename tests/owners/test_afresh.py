"""Whoever decides is read anew once their row is held: bob has a key, and carol disables it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.via import Door, Via
from owners import services
from owners.models import ApiKey, Principal
from owners.policy import KeyGone, afresh
from owners.roles import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_key(bob, system):
    """Bob as he came in by his key, which was good then."""
    services.issue_api_key(actor=system, principal=bob, name="bobs", role_cap=Role.OPERATOR)
    actor = Principal.objects.get(pk=bob.pk)
    actor.via, actor.cap = Via(door=Door.REST, api_key="bobs"), Role.VIEWER
    return actor


def test_whoever_is_read_afresh_came_in_as_they_came(by_key, bob):
    Principal.objects.filter(pk=bob.pk).update(email="new@people.example")

    fresh = afresh(by_key)

    assert fresh.email == "new@people.example"
    assert (fresh.via, fresh.cap) == (by_key.via, Role.VIEWER)
    assert not fresh.has_perm("jobs.decide_job")


def test_what_the_edge_held_against_somebody_is_not_forgotten(by_key):
    by_key.is_active = False

    assert not afresh(by_key).is_active


def test_a_key_that_was_disabled_meanwhile_decides_nothing(by_key, carol):
    services.disable_api_key(actor=carol, key_id=ApiKey.objects.get().pk)

    with pytest.raises(KeyGone):
        afresh(by_key)


def test_a_key_that_is_gone_decides_nothing(by_key):
    ApiKey.objects.all().delete()

    with pytest.raises(KeyGone):
        afresh(by_key)


def test_a_key_of_the_same_name_is_another_persons(by_key, alice, system, carol):
    services.issue_api_key(actor=system, principal=alice, name="bobs", role_cap=Role.OPERATOR)
    services.disable_api_key(actor=carol, key_id=ApiKey.objects.get(principal=by_key).pk)

    with pytest.raises(KeyGone):
        afresh(by_key)


def test_a_key_that_has_expired_meanwhile_decides_nothing(by_key, time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    keys = ApiKey.objects.all()
    keys.update(expires_at=now + timedelta(microseconds=1))
    assert afresh(by_key).is_active

    keys.update(expires_at=now)

    with pytest.raises(KeyGone):
        afresh(by_key)

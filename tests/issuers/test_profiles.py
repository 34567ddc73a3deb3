"""Profiles: every rule is checked before it is saved."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from foundation.errors import Invalid
from issuers import services
from issuers.models import Issuer, Profile
from tests.factories import CertificateFactory


def save(actor, **changes):
    return services.save_profile(actor=actor, changes={"slug": "p", "name": "P", **changes})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key_algorithms", []),
        ("key_algorithms", ["rsa-1024"]),
        ("key_algorithms", "rsa-2048"),
        ("key_algorithms", [1]),
        ("key_algorithms", ["rsa-2048", "rsa-2048"]),
        ("max_lifetime", timedelta(minutes=4)),
        ("max_lifetime", timedelta(days=4000)),
        ("key_usage", ["keyCertSign"]),
        ("key_usage", ["cRLSign"]),
        ("key_usage", ["fly"]),
        ("key_usage", ["encipherOnly"]),
        ("extended_key_usage", ["OCSPSigning"]),
        ("extended_key_usage", ["1.3.6.1.5.5.7.3.9"]),
        ("extended_key_usage", ["fly"]),
        ("extended_key_usage", ["2.5.29.37.0"]),
        ("allowed_sans", ["demo.internal"]),
        ("allowed_sans", ["ip:10.0.0.1/8"]),
        ("allowed_sans", ["dns:a b"]),
        ("allowed_sans", [f"dns:a{number}.example" for number in range(501)]),
        ("allowed_sans", ["uri:https://" + "x" * 500]),
        ("required_sans", ["uri:"]),
        ("subject_attributes", ["fly"]),
        ("fixed_subject", {"fly": "x"}),
        ("fixed_subject", {"C": "Germany"}),
        ("fixed_subject", {"O": ""}),
        ("fixed_subject", {"O": "a\nb"}),
        ("fixed_subject", {"O": "a\ud800"}),
        ("fixed_subject", {"O": "a\u202eb"}),
        ("fixed_subject", {"O": "x" * 65}),
        ("fixed_subject", ["O"]),
        ("approval_required_for", ["Flight"]),
        ("max_sans", 0),
        ("slug", "no slug"),
        ("name", ""),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_at_its_field(carol, field, value):
    with pytest.raises(Invalid) as caught:
        save(carol, **{field: value})

    assert {error["field"] for error in caught.value.errors} == {field}
    assert not Profile.objects.exists()


def test_a_profile_is_made_and_audited(carol, local_ca):
    profile = services.save_profile(
        actor=carol,
        changes={
            "slug": "p",
            "name": "P",
            "extended_key_usage": ["serverAuth", "1.2.3.4"],
            "allowed_sans": ["dns:*", "ip:2001:db8::/32", "email:*@example.com", "uri:spiffe://*"],
            "fixed_subject": {"O": "Example", "C": "DE"},
            "key_usage": ["keyAgreement", "encipherOnly"],
        },
        issuers=[local_ca],
    )

    event = Event.objects.get(action="profile.create")
    assert event.actor == carol
    assert event.data["changes"]["issuers"] == {"before": [], "after": ["issuing"]}
    assert event.data["changes"]["fixed_subject"]["after"] == {"O": "Example", "C": "DE"}
    assert profile.key_algorithms == ["ecdsa-p256"]


def test_a_change_says_what_was_and_what_is(carol, profile):
    services.save_profile(
        actor=carol, profile_id=profile.pk, changes={"max_lifetime": timedelta(days=7)}
    )

    [event] = Event.objects.filter(action="profile.update")
    assert event.data["changes"] == {
        "max_lifetime": {"before": "47 days, 0:00:00", "after": "7 days, 0:00:00"}
    }


def test_changing_nothing_writes_no_event(carol, profile):
    services.save_profile(actor=carol, profile_id=profile.pk, changes={"name": profile.name})

    assert not Event.objects.filter(action="profile.update").exists()


def test_a_slug_is_taken_once(carol, profile):
    with pytest.raises(services.profiles.ProfileTaken):
        save(carol, slug=profile.slug)


def test_a_used_profile_stays(carol, profile):
    CertificateFactory(profile=profile)

    with pytest.raises(services.profiles.ProfileInUse):
        services.delete_profile(actor=carol, profile=profile)

    assert Profile.objects.filter(pk=profile.pk).exists()


def test_an_unused_profile_is_deleted_and_audited(carol, profile):
    services.delete_profile(actor=carol, profile=profile)

    assert not Profile.objects.exists()
    assert Event.objects.get(action="profile.delete").data["slug"] == "tls-server"


def test_the_profile_of_our_own_cas_is_left_alone(carol, profile):
    Profile.objects.update(is_ca=True)

    with pytest.raises(services.profiles.ProfileReserved):
        services.save_profile(actor=carol, profile_id=profile.pk, changes={"enabled": True})
    with pytest.raises(services.profiles.ProfileReserved):
        services.delete_profile(actor=carol, profile=Profile.objects.get())


def test_short_lived_is_under_an_hour():
    assert Profile(max_lifetime=timedelta(minutes=59)).is_short_lived
    assert not Profile(max_lifetime=timedelta(hours=1)).is_short_lived


def test_the_slug_of_that_profile_is_taken_by_nobody(carol, profile):
    with pytest.raises(services.profiles.ProfileReserved):
        save(carol, slug="ca")
    with pytest.raises(services.profiles.ProfileReserved):
        services.save_profile(actor=carol, profile_id=profile.pk, changes={"slug": "ca"})


def test_the_database_keeps_numbers_and_lifetimes_in_bounds(profile, local_ca):
    for rows, change in (
        (Issuer.objects.filter(pk=local_ca.pk), {"crl_number": -1}),
        (Profile.objects.filter(pk=profile.pk), {"max_lifetime": timedelta(0)}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)


@pytest.mark.parametrize(
    ("bound", "beyond"),
    [
        (timedelta(minutes=5), timedelta(minutes=5, microseconds=-1)),
        (timedelta(days=3660), timedelta(days=3660, microseconds=1)),
    ],
)
def test_a_lifetime_is_five_minutes_at_least_and_ten_years_at_most(carol, bound, beyond):
    assert save(carol, max_lifetime=bound).max_lifetime == bound

    with pytest.raises(Invalid):
        save(carol, slug="beyond", max_lifetime=beyond)

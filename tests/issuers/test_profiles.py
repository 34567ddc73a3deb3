"""Profiles: every rule is checked before it is saved."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from audit.models import Event
from foundation.errors import Invalid
from issuers import services
from issuers.models import Issuer, Profile
from tests.factories import CertificateFactory


def save(actor, **changes):
    return services.save_profile(
        actor=actor, changes={"slug": "p", "name": "P", "allowed_sans": ["dns:*"], **changes}
    )


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
    assert event.data["changes"] == {"max_lifetime": {"before": "P47D", "after": "P7D"}}


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


def test_a_new_profile_is_the_same_by_every_door(carol, client_of, browse):
    """What nobody says is the model's: a TLS server's, approved first, a CN among its names."""
    answer = client_of(carol).post(
        "/api/v1/profiles/", {"slug": "rest", "name": "P", "allowed_sans": ["dns:*"]}, format="json"
    )
    assert answer.status_code == 201, answer.json()
    page = browse(carol).get("/admin/issuers/profile/add/")
    form = {
        name: field.get_bound_field(page.context["adminform"].form, name).value()
        for name, field in page.context["adminform"].form.fields.items()
    }
    shown = {name: "\n".join(v) if isinstance(v, list) else v for name, v in form.items()}
    posted = {name: value for name, value in shown.items() if value not in (None, False, "")}
    posted |= {"slug": "admin", "name": "P", "allowed_sans": "dns:*"}
    assert browse(carol).post("/admin/issuers/profile/add/", posted).status_code == 302
    save(carol, slug="service")

    for profile in Profile.objects.all():
        assert profile.key_algorithms == ["ecdsa-p256"]
        assert profile.key_usage == ["digitalSignature"]
        assert profile.extended_key_usage == ["serverAuth"]
        assert profile.subject_attributes == ["CN"]
        assert profile.approval_required_for == ["Issuance"]
        assert profile.max_lifetime == timedelta(days=47)
    assert Profile.objects.count() == 3


def test_a_profile_that_issues_nothing_says_so(carol):
    with pytest.raises(Invalid) as refusal:
        save(carol, allowed_sans=[])
    assert refusal.value.errors[0]["field"] == "allowed_sans"
    assert refusal.value.errors[0]["code"] == "issues_nothing"

    profile = save(carol, allowed_sans=[], issues_nothing=True)
    with pytest.raises(Invalid):
        services.save_profile(actor=carol, profile_id=profile.pk, changes={"issues_nothing": False})


def test_the_database_keeps_numbers_and_lifetimes_in_bounds(profile, local_ca):
    with pytest.raises(ValidationError), transaction.atomic():  # it cannot even be written down
        Issuer.objects.filter(pk=local_ca.pk).update(crl_number=-1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Profile.objects.filter(pk=profile.pk).update(max_lifetime=timedelta(0))


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

"""Issuers and profiles in the admin."""

from datetime import timedelta

import pytest
from django.urls import reverse

from audit.models import Event
from foundation.sealed import Sealed
from issuers.models import Issuer, Profile
from tests.factories import CertificateFactory
from tests.issuers.test_api import secrets_of

ISSUERS, PROFILES = (
    reverse(f"admin:issuers_{model}_changelist") for model in ("issuer", "profile")
)
NEW_CA = {
    "slug": "made",
    "name": "Made",
    "common_name": "Made CA",
    "organization": "",
    "key_algorithm": "ecdsa-p256",
    "lifetime_days": "400",
    "parent": "",
    "path_length": "",
}


def page(row):
    return reverse(f"admin:issuers_{row._meta.model_name}_change", args=[row.pk])


def said(response):
    return [str(message) for message in response.context["messages"]]


def test_the_list_and_the_page_show_a_ca_and_never_its_key(browse, victor, local_ca):
    client = browse(victor)

    answers = [client.get(ISSUERS), client.get(page(local_ca))]

    text = "".join(answer.content.decode() for answer in answers)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "CN=Test Issuing CA" in text
    assert "http://pki.test/.well-known/pki/crl/issuing" in text
    assert not [secret for secret in secrets_of(local_ca) if secret in text]


def test_a_ca_is_made(browse, carol, root_ca):
    client = browse(carol)

    response = client.post(
        reverse("admin:issuers_issuer_add"),
        {**NEW_CA, "parent": str(root_ca.pk), "path_length": "0"},
        follow=True,
    )

    assert response.status_code == 200
    made = Issuer.objects.get(slug="made")
    assert made.parent == root_ca
    assert Event.objects.get(action="issuer.create", subject_id=str(made.pk)).door == "admin"
    assert not [secret for secret in secrets_of(made) if secret in response.content.decode()]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"slug": "Upper"}, "lower-case letters"),
        ({"slug": "root"}, "already"),
        ({"lifetime_days": "0"}, "greater than or equal to 1"),
        ({"common_name": ""}, "required"),
    ],
)
def test_a_ca_that_cannot_be_says_so_in_the_form(browse, carol, root_ca, change, words):
    response = browse(carol).post(reverse("admin:issuers_issuer_add"), {**NEW_CA, **change})

    assert response.status_code == 200
    assert words in response.content.decode()
    assert Issuer.objects.count() == 1


def test_name_and_switch_are_all_that_changes(browse, carol, local_ca):
    response = browse(carol).post(
        page(local_ca),
        {
            "name": "New",
            "slug": "other",
            "certificate_pem": "x",
            "confirmed": "yes",
            "confirm_name": local_ca.slug,
        },
    )

    assert response.status_code == 302
    local_ca.refresh_from_db()
    assert (local_ca.name, local_ca.enabled, local_ca.slug) == ("New", False, "issuing")
    assert local_ca.certificate_pem != "x"


def act(client, url, action, *rows, **more):
    return client.post(
        url, {"action": action, "_selected_action": [row.pk for row in rows], **more}, follow=True
    )


def test_the_actions_test_and_switch(browse, carol, local_ca, root_ca):
    client = browse(carol)
    Issuer.objects.filter(pk=root_ca.pk).update(secrets=Sealed(b"\x01changed"))

    tested = said(act(client, ISSUERS, "test", local_ca, root_ca))
    act(client, ISSUERS, "disable", local_ca, confirmed="yes", confirm_name=local_ca.slug)
    local_ca.refresh_from_db()
    off = local_ca.enabled
    act(client, ISSUERS, "enable", local_ca)
    local_ca.refresh_from_db()

    assert any(text.startswith("issuing: The key signs") for text in tested)
    assert any(text.startswith("root: No key of") for text in tested)
    assert (off, local_ca.enabled) == (False, True)


@pytest.mark.parametrize("who", ["victor", "alice"])
def test_only_administrators_act(browse, who, request, local_ca, profile):
    client = browse(request.getfixturevalue(who))

    for action in ("test", "disable"):
        act(client, ISSUERS, action, local_ca)
    answers = [
        client.get(reverse("admin:issuers_issuer_add")),
        client.post(page(local_ca), {"name": "New"}),
        client.post(page(profile), {"name": "New"}),
        client.get(reverse("admin:issuers_profile_delete", args=[profile.pk])),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
    local_ca.refresh_from_db()
    assert local_ca.enabled
    assert not Event.objects.filter(action__in=["issuer.test", "issuer.disable"]).exists()


def test_an_issuer_is_not_deleted(browse, carol, local_ca):
    response = browse(carol).post(
        reverse("admin:issuers_issuer_delete", args=[local_ca.pk]), {"post": "yes"}
    )

    assert response.status_code == 403
    assert Issuer.objects.filter(pk=local_ca.pk).exists()


# --- Profiles -------------------------------------------------------------------------------

NEW_PROFILE = {
    "slug": "p",
    "name": "P",
    "description": "",
    "enabled": "on",
    "issuers": [],
    "allowed_sans": "dns:*.demo.internal\n\n  ip:10.0.0.0/8  ",
    "required_sans": "",
    "max_sans": "10",
    "subject_attributes": ["CN", "O"],
    "fixed_subject": "OU=Web = shop",
    "max_lifetime": "10d",
    "key_algorithms": ["ecdsa-p256", "rsa-2048"],
    "key_usage": "digitalSignature",
    "extended_key_usage": [],
    "further_purposes": "",
    "approval_required_for": "Issuance",
}


def test_a_profile_is_made_from_lines(browse, carol, local_ca):
    response = browse(carol).post(
        reverse("admin:issuers_profile_add"), {**NEW_PROFILE, "issuers": [str(local_ca.pk)]}
    )

    assert response.status_code == 302, response.context["adminform"].form.errors
    made = Profile.objects.get()
    assert made.allowed_sans == ["dns:*.demo.internal", "ip:10.0.0.0/8"]
    assert made.subject_attributes == ["CN", "O"]
    assert made.fixed_subject == {"OU": "Web = shop"}
    assert made.max_lifetime == timedelta(days=10)
    assert (made.required_sans, made.extended_key_usage) == ([], [])
    assert list(made.issuers.all()) == [local_ca]
    assert Event.objects.get(action="profile.create").actor == carol


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key_algorithms", "rsa-1"),
        ("key_algorithms", ""),
        ("key_usage", "keyCertSign"),
        ("allowed_sans", "demo.internal"),
        ("fixed_subject", "no equals"),
        ("fixed_subject", "fly=x"),
        ("max_lifetime", "1s"),
        ("approval_required_for", "Flight"),
    ],
)
def test_a_mistake_shows_at_its_field(browse, carol, field, value):
    response = browse(carol).post(
        reverse("admin:issuers_profile_add"), {**NEW_PROFILE, field: value}
    )

    assert list(response.context["adminform"].form.errors) == [field]
    assert not Profile.objects.exists()


def test_a_profile_is_shown_and_changed_as_lines(browse, carol, profile):
    client = browse(carol)

    shown = client.get(f"{page(profile)}?edit=1").content.decode()
    client.post(page(profile), {**NEW_PROFILE, "slug": profile.slug, "name": "Changed"})

    profile.refresh_from_db()
    assert "dns:*.demo.internal\ndns:demo.internal" in shown
    assert profile.name == "Changed"
    assert Event.objects.filter(action="profile.update").count() == 1


def test_a_used_profile_is_not_deleted(browse, carol, profile):
    CertificateFactory(profile=profile)
    client = browse(carol)

    client.post(
        reverse("admin:issuers_profile_delete", args=[profile.pk]),
        {"post": "yes", "confirm_name": profile.slug},
    )
    act(client, PROFILES, "delete_selected", profile, post="yes", confirm_name=profile.slug)

    assert Profile.objects.filter(pk=profile.pk).exists()


def test_an_unused_profile_is_deleted(browse, carol, profile, free_profile):
    client = browse(carol)

    client.post(
        reverse("admin:issuers_profile_delete", args=[profile.pk]),
        {"post": "yes", "confirm_name": profile.slug},
    )
    act(
        client,
        PROFILES,
        "delete_selected",
        free_profile,
        post="yes",
        confirm_name=free_profile.slug,
    )

    assert not Profile.objects.exists()
    assert Event.objects.filter(action="profile.delete").count() == 2


def test_the_profile_of_our_own_cas_is_not_edited_or_deleted(browse, carol, profile):
    Profile.objects.update(is_ca=True)
    client = browse(carol)

    shown = client.get(page(profile))
    changed = client.post(page(profile), NEW_PROFILE)
    act(client, PROFILES, "delete_selected", profile, post="yes", confirm_name=profile.slug)

    assert (shown.status_code, changed.status_code) == (200, 403)
    assert Profile.objects.filter(slug="tls-server").exists()


def test_there_is_no_page_to_delete_the_profile_of_our_own_cas(browse, carol, profile):
    delete = reverse("admin:issuers_profile_delete", args=[profile.pk])
    client = browse(carol)
    assert client.get(delete).status_code == 200

    Profile.objects.update(is_ca=True)

    assert client.get(delete).status_code == 403

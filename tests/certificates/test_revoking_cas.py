"""A CA's own certificate is revoked by an administrator who types its name, at every door.

carol administers; alice, an operator, revokes what CAs signed and no CA; victor only reads.
"""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse
from django.utils import timezone

import revocation.services
from audit.models import Event
from certificates import policy, services
from certificates.details import Details
from certificates.models import Certificate, Revocation
from foundation.errors import MissingPermission
from owners import services as owner_services
from owners.models import Principal
from owners.roles import Role
from tests.ca import make_ca, pem_of
from tests.races import meanwhile
from tests.trail import the_refusal

LIST = "/admin/certificates/certificate/"
NAMED = {"reason": "cessationOfOperation", "confirm_name": "CA issuing"}


@pytest.fixture
def ca(local_ca, owner, system):
    """The certificate of the issuing CA, as it stands under the root."""
    return services.record_ca(actor=system, issuer=local_ca, owner=owner)


@pytest.fixture
def root(root_ca, owner, free_profile, system):
    """The root's own certificate, imported under a profile for leaves."""
    details = Details(name="Our root", owner=owner, issuer=root_ca, profile=free_profile)
    return services.import_pem(actor=system, pem=root_ca.certificate_pem, details=details)


def address(row, verb="revoke"):
    return f"/api/v1/{row._meta.model_name}s/{row.pk}/{verb}/"


def page_of(certificate, name="revoke_one"):
    return reverse(f"admin:certificates_certificate_{name}", args=[certificate.pk])


@pytest.mark.parametrize("door", ["certificate", "version"])
def test_an_operator_does_not_revoke_a_ca_over_rest(client_of, alice, ca, door):
    row = ca if door == "certificate" else ca.current

    answer = client_of(alice).post(address(row), NAMED, format="json")

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_permission")
    assert policy.REVOKE_CA in answer.json()["detail"]
    assert not Revocation.objects.exists()
    the_refusal("certificate.revoke", alice, door="rest")


def test_an_operator_does_not_revoke_a_ca_in_the_admin(browse, alice, carol, ca):
    client = browse(alice)

    assert client.get(page_of(ca)).status_code == 403
    answer = client.post(page_of(ca), {"confirmed": "yes", **NAMED})

    assert answer.status_code == 403
    assert not Revocation.objects.exists()
    newest = Event.objects.filter(action="certificate.revoke.refuse").order_by("-sequence")[0]
    assert (newest.actor, newest.data["status"]) == (alice, 403)
    offered = [
        page_of(ca) in at.get(page_of(ca, "change")).content.decode()
        for at in (client, browse(carol))
    ]
    assert offered == [False, True]


def test_an_operator_does_not_revoke_a_ca_from_the_list(browse, alice, ca):
    answer = browse(alice).post(
        LIST,
        {"action": "revoke_selected", "_selected_action": [ca.pk], "confirmed": "yes", **NAMED},
    )

    assert answer.status_code == 403
    assert not Revocation.objects.exists()
    the_refusal("certificate.revoke", alice)


def test_the_rule_stands_below_the_doors(alice, ca):
    with pytest.raises(MissingPermission):
        services.revoke(version_id=ca.current_id, actor=alice, **NAMED)

    assert not Revocation.objects.exists()
    the_refusal("certificate.revoke", alice, door="system")


def test_a_key_that_is_capped_below_admin_revokes_no_ca(client_of, carol, ca):
    answer = client_of(carol, role_cap=Role.OPERATOR).post(address(ca), NAMED, format="json")

    assert answer.status_code == 403
    assert not Revocation.objects.exists()


@pytest.mark.parametrize(
    ("typed", "code"), [(None, "required"), ("", "required"), ("CA other", "wrong_name")]
)
def test_carol_is_told_which_name_to_type(client_of, carol, ca, typed, code):
    body = {"reason": "cACompromise", **({} if typed is None else {"confirm_name": typed})}

    answer = client_of(carol).post(address(ca), body, format="json")

    assert answer.status_code == 400, answer.json()
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("confirm_name", code)
    assert "CA issuing" in error["detail"]
    assert not Revocation.objects.exists()
    the_refusal("certificate.revoke", carol, door="rest")


def test_all_that_is_wrong_is_told_at_once(client_of, carol, ca):
    answer = client_of(carol).post(address(ca), {}, format="json")

    fields = [error["field"] for error in answer.json()["errors"]]
    assert (answer.status_code, fields) == (400, ["reason", "confirm_name"])


@pytest.mark.parametrize("door", ["certificate", "version"])
def test_carol_revokes_a_ca_by_its_name(client_of, carol, ca, door):
    row = ca if door == "certificate" else ca.current

    answer = client_of(carol).post(address(row), NAMED, format="json")

    assert answer.status_code == 200, answer.json()
    assert Revocation.objects.get().version == ca.current


def test_the_page_asks_for_the_name_of_a_ca_alone(browse, carol, ca, certificate):
    client = browse(carol)

    assert "confirm_name" not in client.get(page_of(certificate)).content.decode()
    assert "confirm_name" in client.get(page_of(ca)).content.decode()
    refused = client.post(page_of(ca), {"confirmed": "yes", **NAMED, "confirm_name": "CA another"})
    assert refused.status_code == 400
    assert "Type the certificate&#x27;s name to revoke it: CA issuing" in refused.content.decode()
    assert not Revocation.objects.exists()
    client.post(page_of(ca), {"confirmed": "yes", **NAMED})
    assert Revocation.objects.get().version == ca.current


def test_a_root_that_stands_under_a_profile_for_leaves_is_a_ca_too(client_of, alice, carol, root):
    body = {"reason": "cACompromise", "confirm_name": "Our root"}

    assert client_of(alice).post(address(root), body, format="json").status_code == 403
    assert client_of(carol).post(address(root), body, format="json").status_code == 200


def test_a_ca_of_somebody_else_that_our_root_signed_is_a_ca_too(
    alice, root_ca, owner, free_profile, system
):
    from issuers.connectors import connector_for  # noqa: PLC0415
    from tests.ca import CA  # noqa: PLC0415

    ours = CA(root_ca.certificate, connector_for(root_ca)._key)
    theirs = make_ca(parent=ours, begins=timezone.now().replace(microsecond=0))
    details = Details(name="theirs", owner=owner, issuer=root_ca, profile=free_profile)
    row = services.import_pem(actor=system, pem=pem_of(theirs.certificate), details=details)

    with pytest.raises(MissingPermission):
        services.revoke(
            version_id=row.current_id, actor=alice, reason="superseded", confirm_name="theirs"
        )


def test_a_leaf_needs_no_name_but_a_wrong_one_is_a_mistake(client_of, alice, certificate):
    client = client_of(alice)

    wrong = client.post(address(certificate), {"confirm_name": "another"}, format="json")
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (400, "wrong_name")
    assert client.post(address(certificate), {}, format="json").status_code == 200


def test_among_many_a_ca_is_refused_and_the_others_are_revoked(client_of, carol, ca, certificate):
    body = {
        "criteria": {"ids": [str(ca.pk), str(certificate.pk)]},
        "reason": "cessationOfOperation",
    }

    answer = client_of(carol).post("/api/v1/certificates/bulk-revoke/", body, format="json")

    assert answer.status_code == 200, answer.json()
    outcomes = {one["name"]: one for one in answer.json()["outcomes"]}
    assert outcomes[certificate.name]["outcome"] == "revoked"
    refused = outcomes["CA issuing"]
    assert (refused["outcome"], refused["code"]) == ("failed", "revoked_alone")
    assert "alone" in refused["detail"]
    assert Revocation.objects.get().version == certificate.current
    the_refusal("certificate.revoke", carol, door="rest")


def test_a_version_of_a_ca_is_revoked_on_its_own_page_by_its_name_too(browse, alice, carol, ca):
    page = reverse("admin:certificates_version_revoke_one", args=[ca.current_id])
    refused = browse(alice).post(page, {"confirmed": "yes", **NAMED})
    unnamed = browse(carol).post(page, {"confirmed": "yes", "reason": "cessationOfOperation"})
    assert refused.status_code == 403
    assert "required" in unnamed.content.decode()
    assert not Revocation.objects.exists()

    assert browse(carol).post(page, {"confirmed": "yes", **NAMED}).status_code == 302
    assert Revocation.objects.get().version_id == ca.current_id


def test_releasing_a_ca_that_an_old_crl_put_on_hold_takes_an_administrator(
    client_of, alice, carol, ca, system
):
    now = timezone.now()
    Revocation.objects.create(
        version=ca.current,
        reason="certificateHold",
        revoked_at=now,
        recorded_at=now,
        revoked_by=system,
    )

    refused = client_of(alice).post(address(ca, "release-hold"), {}, format="json")

    assert refused.status_code == 403
    assert Revocation.objects.exists()
    assert client_of(carol).post(address(ca, "release-hold"), {}, format="json").status_code == 200


def test_bulk_revocation_alone_does_not_let_an_operator_revoke_a_ca(client_of, alice, ca):
    alice.user_permissions.add(Permission.objects.get(codename="bulk_revoke"))
    body = {"criteria": {"ids": [str(ca.pk)]}, "reason": "cACompromise"}

    with pytest.raises(MissingPermission):
        services.revoke(version_id=ca.current_id, actor=alice, **NAMED)
    made = revocation.services.bulk_revoke(actor=Principal.objects.get(pk=alice.pk), **body)
    result = revocation.services.result_of(made)

    assert [one.code for one in result.outcomes] == ["missing_permission"]
    assert not Revocation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_loses_the_role_meanwhile_revokes_no_ca(ca, carol, system):
    """The revocation waits for the change, which is first in the trail, and sees it."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to wait for")

    def take_away():
        owner_services.update_principal(
            actor=system,
            principal_id=carol.pk,
            changes={},
            role=Role.OPERATOR,
            change_role=True,
        )

    def revoke():
        actor = Principal.objects.get(pk=carol.pk)
        assert actor.has_perm(policy.REVOKE_CA)  # remembered, as an edge does that asked before
        services.revoke(version_id=ca.current_id, actor=actor, **NAMED)

    with pytest.raises(MissingPermission):
        meanwhile(take_away, revoke)

    assert not Revocation.objects.exists()
    assert Certificate.objects.get(pk=ca.pk).status == "Active"

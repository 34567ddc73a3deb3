"""Issuers and profiles over REST."""

import base64

import pytest

from audit.models import Event
from foundation.sealed import Sealed
from issuers.ca_keys import CA_KEY
from issuers.models import Issuer, Profile
from tests.factories import CertificateFactory

ISSUERS, PROFILES = "/api/v1/issuers/", "/api/v1/profiles/"
NEW = {"slug": "made", "name": "Made", "common_name": "Made CA", "lifetime_days": 400}


def secrets_of(issuer):
    """Return everything that must be in no response, as it could be written."""
    token, plain = issuer.secrets._token, issuer.secrets.open(CA_KEY.of(issuer))
    return [
        base64.b64encode(plain)[:60].decode(),
        plain.hex()[:60],
        base64.b64encode(token)[:40].decode(),
        token.hex()[:40],
        "PRIVATE KEY",
    ]


def test_an_issuer_is_read_by_everybody_and_never_with_its_key(client_of, victor, local_ca):
    response = client_of(victor).get(f"{ISSUERS}{local_ca.pk}/")

    body = response.json()
    assert set(body) == {
        "id", "slug", "name", "kind", "enabled", "parent", "successor", "old_with_new_pem",
        "new_with_old_pem", "subject", "not_before", "not_after",
        "fingerprint", "key_algorithm", "awaits_crl", "certificate_pem", "chain_pem", "pki_prefix",
        "crl_url", "ocsp_url", "ca_url", "warnings", "created_at", "revocation", "ocsp_nonces",
        "ocsp_delegated", "ocsp_ahead", "crl_shards", "crl_deltas",
    }  # fmt: skip
    assert body["key_algorithm"] == "ecdsa-p256"
    assert body["subject"] == "CN=Test Issuing CA,O=Test"
    assert body["crl_url"] == "http://pki.test/.well-known/pki/crl/issuing"
    assert body["not_after"].endswith("Z")
    assert not [text for text in secrets_of(local_ca) if text in response.content.decode()]


def test_no_answer_of_any_kind_has_a_secret(client_of, carol, local_ca):
    client = client_of(carol)
    url = f"{ISSUERS}{local_ca.pk}/"

    answers = [
        client.get(ISSUERS),
        client.get(f"{url}?fields=secrets"),
        client.patch(url, {"secrets": "x", "name": "n"}),
        client.post(f"{url}test/"),
        client.get("/api/v1/audit/"),
        client.options(url),
    ]

    said = "".join(answer.content.decode() for answer in answers)
    assert not [text for text in secrets_of(local_ca) if text in said]


def test_an_issuer_whose_certificate_is_not_known_yet_is_listed(client_of, victor):
    Issuer.objects.create(slug="remote", name="Remote")

    [row] = client_of(victor).get(ISSUERS).json()["results"]

    assert (row["subject"], row["fingerprint"], row["not_after"]) == (None, None, None)


def test_the_list_is_filtered_searched_sorted_and_thinned(client_of, victor, local_ca, root_ca):
    client = client_of(victor)

    def slugs(query):
        return [row["slug"] for row in client.get(ISSUERS + query).json()["results"]]

    assert slugs("") == ["issuing", "root"]
    assert slugs("?sort=-slug") == ["root", "issuing"]
    assert slugs("?search=issu") == ["issuing"]
    assert slugs(f"?parent={root_ca.pk}") == ["issuing"]
    assert slugs("?enabled=false") == []
    assert client.get(f"{ISSUERS}?fields=id,slug").json()["results"][0].keys() == {"id", "slug"}
    assert client.get(f"{ISSUERS}?sort=secrets").status_code == 400


@pytest.mark.parametrize("path", [ISSUERS, PROFILES])
def test_a_list_costs_the_same_however_long_it_is(
    client_of, victor, path, local_ca, profile, django_assert_max_num_queries
):
    client = client_of(victor)
    for number in range(10):
        made = Profile.objects.create(slug=f"p{number}", name="P")
        made.issuers.add(local_ca)
        Issuer.objects.create(slug=f"i{number}", name="I", parent=local_ca)

    with django_assert_max_num_queries(8):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("by", ["slug", "id"])
def test_a_ca_is_made_below_another(client_of, carol, root_ca, by):
    parent = root_ca.slug if by == "slug" else str(root_ca.pk)

    response = client_of(carol).post(ISSUERS, {**NEW, "parent": parent, "path_length": 0})

    assert response.status_code == 201, response.json()
    issuer = Issuer.objects.get(slug="made")
    assert issuer.parent == root_ca
    assert response.json()["parent"] == str(root_ca.pk)
    assert Event.objects.get(action="issuer.create", subject_id=str(issuer.pk)).actor == carol
    assert not [text for text in secrets_of(issuer) if text in response.content.decode()]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "no slug"}, "slug"),
        ({"slug": "Upper"}, "slug"),
        ({"common_name": ""}, "common_name"),
        ({"key_algorithm": "rsa-512"}, "key_algorithm"),
        ({"lifetime_days": 0}, "lifetime_days"),
        ({"lifetime_days": 999_999}, "lifetime_days"),
        ({"parent": "nobody"}, "parent"),
        ({"path_length": -1}, "path_length"),
    ],
)
def test_a_ca_that_cannot_be_is_refused_at_its_field(client_of, carol, change, field):
    response = client_of(carol).post(ISSUERS, {**NEW, **change})

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_a_slug_is_taken_once(client_of, carol, local_ca):
    response = client_of(carol).post(ISSUERS, {**NEW, "slug": "issuing"})

    assert (response.status_code, response.json()["code"]) == (409, "name_taken")


def test_only_name_and_switch_are_changed(client_of, carol, local_ca):
    response = client_of(carol).patch(f"{ISSUERS}{local_ca.pk}/", {"name": "New", "enabled": False})

    assert response.status_code == 200
    body = response.json()
    assert (body["name"], body["enabled"], body["slug"]) == ("New", False, "issuing")


def test_carol_cannot_rename_what_certificates_point_to(client_of, carol, local_ca):
    url = f"{ISSUERS}{local_ca.pk}/"

    response = client_of(carol).patch(url, {"slug": "renamed", "name": "New"})

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["slug"]
    local_ca.refresh_from_db()
    assert (local_ca.slug, local_ca.name) != ("renamed", "New")
    assert local_ca.slug == "issuing"
    refusal = Event.objects.get(action="issuer.update.refuse")
    assert refusal.actor == carol


def test_an_issuer_is_not_deleted_or_replaced(client_of, carol, local_ca):
    client = client_of(carol)

    assert client.delete(f"{ISSUERS}{local_ca.pk}/").status_code == 405
    assert client.put(f"{ISSUERS}{local_ca.pk}/", NEW).status_code == 405


def test_a_test_works(client_of, carol, local_ca):
    response = client_of(carol).post(f"{ISSUERS}{local_ca.pk}/test/")

    assert response.status_code == 200
    assert response.json()["works"] is True


def test_a_test_that_fails_is_a_bad_gateway(client_of, carol, local_ca):
    Issuer.objects.filter(pk=local_ca.pk).update(secrets=Sealed(b"\x01changed"))

    response = client_of(carol).post(f"{ISSUERS}{local_ca.pk}/test/")

    assert (response.status_code, response.json()["code"]) == (502, "connector_error")
    assert Event.objects.get(action="issuer.test").data["works"] is False


@pytest.mark.parametrize("who", ["victor", "alice"])
def test_only_administrators_write(client_of, who, request, local_ca, profile):
    client = client_of(request.getfixturevalue(who))
    issuer, rules = f"{ISSUERS}{local_ca.pk}/", f"{PROFILES}{profile.pk}/"

    answers = [
        client.post(ISSUERS, NEW),
        client.patch(issuer, {"enabled": False}),
        client.post(f"{issuer}test/"),
        client.post(PROFILES, {"slug": "p", "name": "P"}),
        client.patch(rules, {"enabled": False}),
        client.delete(rules),
    ]

    assert [answer.status_code for answer in answers] == [403] * 6
    local_ca.refresh_from_db()
    assert local_ca.enabled


def test_nobody_reads_without_a_key(anonymous, local_ca):
    assert anonymous.get(ISSUERS).status_code == 401
    assert anonymous.post(f"{ISSUERS}{local_ca.pk}/test/").status_code == 401


# --- Profiles -------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["slug", "id"])
def test_a_profile_is_made_changed_and_deleted(client_of, carol, local_ca, by):
    client = client_of(carol)

    made = client.post(
        PROFILES,
        {
            "slug": "p",
            "name": "P",
            "max_lifetime": "10d",
            "allowed_sans": ["dns:*.demo.internal"],
            "fixed_subject": {"O": "Example"},
            "issuers": [local_ca.slug if by == "slug" else str(local_ca.pk)],
        },
        format="json",
    )
    url = f"{PROFILES}{made.json()['id']}/"
    changed = client.patch(url, {"max_lifetime": "30m", "issuers": []}, format="json")
    deleted = client.delete(url)

    assert made.status_code == 201, made.json()
    assert made.json()["issuers"] == ["issuing"]
    assert made.json()["max_lifetime"] == "P10D"
    assert (changed.json()["is_short_lived"], changed.json()["issuers"]) == (True, [])
    assert deleted.status_code == 204
    actions = Event.objects.filter(action__startswith="profile.").values_list("action", flat=True)
    assert sorted(actions) == ["profile.create", "profile.delete", "profile.update"]


def test_what_makes_no_sense_is_refused_at_its_field(client_of, carol):
    response = client_of(carol).post(
        PROFILES,
        {"slug": "p", "name": "P", "key_algorithms": ["rsa-1"], "allowed_sans": "dns:*"},
        format="json",
    )

    assert response.status_code == 400
    fields = {error["field"] for error in response.json()["errors"]}
    assert fields == {"key_algorithms", "allowed_sans"}


def test_a_used_profile_is_a_conflict(client_of, carol, profile):
    CertificateFactory(profile=profile)

    response = client_of(carol).delete(f"{PROFILES}{profile.pk}/")

    assert (response.status_code, response.json()["code"]) == (409, "in_use")


def test_nobody_makes_a_profile_for_cas(client_of, carol):
    response = client_of(carol).post(
        PROFILES, {"slug": "p", "name": "P", "is_ca": True}, format="json"
    )

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "is_ca"
    assert response.json()["errors"][0]["code"] == "not_editable"


def test_a_slug_of_a_profile_is_taken_once(client_of, carol, profile):
    response = client_of(carol).post(PROFILES, {"slug": "tls-server", "name": "P"}, format="json")

    assert response.status_code in {400, 409}
    assert response.json()["errors"][0]["field"] == "slug"

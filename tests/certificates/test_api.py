from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from django.utils import timezone

from audit.models import Event
from certificates import services
from certificates.models import Certificate, RenewalPolicy, Revocation
from issuers.models import Profile
from tests.factories import (
    CertificateFactory,
    OwnerFactory,
    PrincipalFactory,
    RenewalPolicyFactory,
    TeamFactory,
    VersionFactory,
)

URL = "/api/v1/certificates/"


@pytest.fixture
def some(local_ca, profile):
    """Make a certificate with one version."""

    def make(**fields):
        certificate = CertificateFactory(issuer=local_ca, profile=profile, **fields)
        VersionFactory(certificate=certificate)
        return certificate

    return make


def names(response):
    assert response.status_code == 200, response.content
    return sorted(row["name"] for row in response.json()["results"])


# --- Reading --------------------------------------------------------------------------------


def test_a_list_takes_the_same_queries_however_long_it_is(
    client_of, victor, some, django_assert_max_num_queries
):
    client = client_of(victor)
    some()
    with django_assert_max_num_queries(30) as few:
        client.get(URL)
    for n in range(10):
        certificate = some(team=TeamFactory(), renewal_policy=RenewalPolicyFactory())
        if n % 2:
            services.revoke(version_id=certificate.current_id, actor=victor)

    with django_assert_max_num_queries(len(few)):
        response = client.get(URL)

    assert response.json()["count"] == 11
    assert response.json()["results"][0]["issuer"] == "issuing"


def test_the_other_lists_take_the_same_queries_too(
    client_of, victor, some, django_assert_max_num_queries
):
    client = client_of(victor)
    first = some()
    services.revoke(version_id=first.current_id, actor=victor)
    for path in ("versions", "revocations"):
        with django_assert_max_num_queries(30) as few:
            client.get(f"/api/v1/{path}/")
        for _ in range(5):
            services.revoke(version_id=some().current_id, actor=victor)
        with django_assert_max_num_queries(len(few)):
            response = client.get(f"/api/v1/{path}/")
        assert response.json()["count"] > 5


def test_every_filter_narrows_in_the_database(client_of, victor, some):
    team = TeamFactory(name="platform")
    owner = OwnerFactory(name="payments", team=team)
    wanted = some(
        name="wanted",
        common_name="pay.demo.internal",
        sans=["dns:pay.demo.internal", "dns:p%y.demo.internal"],
        owner=owner,
        environment="production",
        tags=["blue", "tier/1"],
        renewal_policy=RenewalPolicyFactory(),
    )
    wanted.versions.update(not_after=timezone.now() + timedelta(days=5))
    Certificate.objects.filter(pk=wanted.pk).update(status="Expiring")
    some(name="other", tags=["blueish"], environment="staging")
    client = client_of(victor)
    soon = (timezone.now() + timedelta(days=10)).isoformat()

    for query in (
        {"status": "Expiring"},
        {"owner": "payments"},
        {"owner": str(owner.pk)},
        {"team": "platform"},
        {"environment": "production"},
        {"tag": "blue"},
        {"name": "WANT"},
        {"common_name": "pay."},
        {"san": "PAY.demo"},
        {"san": "p%y"},
        {"serial": wanted.current.serial.upper()},
        {"expires_before": soon},
        {"search": "payments"},
        {"search": "pay.demo"},
        {"renewal_policy": str(wanted.renewal_policy_id)},
        {"issuer": "issuing", "profile": "tls-server", "tag": "tier/1"},
    ):
        assert names(client.get(URL, query)) == ["wanted"], query
    assert names(client.get(URL, {"expires_after": soon})) == ["other"]
    assert names(client.get(URL, {"issuer": "nowhere"})) == []
    assert names(client.get(URL, {"status": ["Expiring", "Active"]})) == ["other", "wanted"]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "Wrong"},
        {"expires_before": "tomorrow"},
        {"sort": "pem"},
        {"fields": "id,secret"},
        {"renewal_policy": "x"},
    ],
)
def test_a_query_that_makes_no_sense_is_refused(client_of, victor, some, query):
    some()

    response = client_of(victor).get(URL, query)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_lists_are_sorted_paged_and_sparse(client_of, victor, some):
    for name in ("b", "a", "c"):
        some(name=name)
    client = client_of(victor)

    shown = client.get(URL, {"sort": "-name", "fields": "name", "page_size": 2}).json()

    assert shown["results"] == [{"name": "c"}, {"name": "b"}]
    assert client.get(shown["next"]).json()["results"] == [{"name": "a"}]
    first = client.get(URL, {"cursor": "", "page_size": 2, "fields": "name"}).json()
    assert len(first["results"]) == 2
    assert len(client.get(first["next"]).json()["results"]) == 1
    assert client.get(URL, {"page": 10**9}).status_code == 404


def test_one_certificate_shows_its_current_version(client_of, victor, version):
    shown = client_of(victor).get(f"{URL}{version.certificate_id}/").json()

    assert shown["current"]["serial"] == version.serial
    assert (shown["owner_name"], shown["profile"]) == ("web-shop", "tls-free")
    assert "encrypted_key" not in str(shown)


def test_versions_are_listed_newest_first(client_of, victor, issue, version):
    second = issue(certificate=version.certificate)
    services.revoke(version_id=version.pk, actor=victor, reason="superseded")
    client = client_of(victor)

    rows = client.get(f"{URL}{version.certificate_id}/versions/").json()["results"]

    assert [row["number"] for row in rows] == [2, 1]
    assert [row["revocation_reason"] for row in rows] == [None, "superseded"]
    assert client.get("/api/v1/versions/", {"revoked": "true"}).json()["count"] == 1
    assert client.get("/api/v1/versions/", {"superseded": "false"}).json()["count"] == 1
    by_serial = client.get("/api/v1/versions/", {"serial": f"0x{second.serial}"}).json()
    assert by_serial["results"][0]["id"] == str(second.pk)
    assert client.get("/api/v1/revocations/", {"reason": "superseded"}).json()["count"] == 1
    assert client.get("/api/v1/revocations/", {"issuer": "root"}).json()["count"] == 0


# --- Changing -------------------------------------------------------------------------------


def test_details_are_changed(client_of, alice, certificate):
    other = OwnerFactory(name="payments")

    response = client_of(alice).patch(
        f"{URL}{certificate.pk}/", {"owner": "payments", "tags": ["blue"], "team": None}
    )

    assert response.status_code == 200
    assert (response.json()["owner"], response.json()["tags"]) == (str(other.pk), ["blue"])
    event = Event.objects.get(action="certificate.update")
    assert (event.actor, event.door) == (alice, "rest")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "Archived"}, "status"),
        ({"sans": []}, "sans"),
        ({"owner": "nobody"}, "owner"),
        ({"owner": "6f8df0b2-2a52-4f7f-9f5f-0d6f1e4f2b11"}, "owner"),
        ({"owner": ["x"]}, "owner"),
        ({"owner": "a\0b"}, "owner"),
        ({"tags": ["No Good"]}, "tags"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
    ],
)
def test_a_change_that_makes_no_sense_names_the_field(client_of, alice, certificate, body, field):
    response = client_of(alice).patch(f"{URL}{certificate.pk}/", body)

    assert response.status_code == 400
    assert field in {error["field"].partition(".")[0] for error in response.json()["errors"]}
    certificate.refresh_from_db()
    assert certificate.name == "web.demo.internal"


def test_deleting_archives(client_of, carol, certificate):
    client = client_of(carol)
    refused = client.delete(f"{URL}{certificate.pk}/")
    assert (refused.status_code, refused.json()["code"]) == (409, "still_valid")
    services.revoke(version_id=certificate.current_id, actor=carol)

    assert client.delete(f"{URL}{certificate.pk}/").status_code == 204

    assert client.get(f"{URL}{certificate.pk}/").json()["status"] == "Archived"
    again = client.post(f"{URL}{certificate.pk}/archive/")
    assert (again.status_code, again.json()["code"]) == (409, "archived")


def test_nothing_is_put(client_of, carol, certificate):
    assert client_of(carol).put(f"{URL}{certificate.pk}/", {}).status_code == 405


# --- Revoking -------------------------------------------------------------------------------


def test_the_current_version_is_revoked(client_of, bob, certificate):
    response = client_of(bob).post(f"{URL}{certificate.pk}/revoke/", {"note": "gone"})

    assert response.status_code == 200
    assert response.json()["reason"] == "unspecified"
    assert response.json()["serial"] == certificate.current.serial
    again = client_of(bob).post(f"{URL}{certificate.pk}/revoke/", {})
    assert (again.status_code, again.json()["code"]) == (409, "already_revoked")
    assert Event.objects.filter(action="certificate.revoke.refuse").count() == 1


def test_a_named_version_is_revoked(client_of, bob, issue, version):
    issue(certificate=version.certificate)
    client, url = client_of(bob), f"{URL}{version.certificate_id}/revoke/"

    response = client.post(url, {"version": str(version.pk), "reason": "superseded"})

    assert response.json()["version"] == str(version.pk)
    other = client.post(url, {"version": "6f8df0b2-2a52-4f7f-9f5f-0d6f1e4f2b11"})
    assert other.status_code == 404
    direct = client.post(f"/api/v1/versions/{version.pk}/revoke/", {"reason": "superseded"})
    assert direct.status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "because"},
        {"reason": 1},
        {"reason": "superseded", "revoked_at": "2026-01-01T00:00:00Z"},
        {"reason": "keyCompromise", "revoked_at": "2999-01-01T00:00:00Z"},
        {"version": "x"},
        {"note": "x" * 2001},
    ],
)
def test_a_revocation_that_makes_no_sense_is_refused(client_of, bob, certificate, body):
    response = client_of(bob).post(f"{URL}{certificate.pk}/revoke/", body)

    assert response.status_code == 400
    assert response.json()["errors"]
    assert not Revocation.objects.exists()


def test_without_a_version_there_is_nothing_to_revoke_or_export(client_of, bob, local_ca, profile):
    empty = CertificateFactory(issuer=local_ca, profile=profile)
    client = client_of(bob)

    for response in (
        client.post(f"{URL}{empty.pk}/revoke/", {}),
        client.get(f"{URL}{empty.pk}/export/"),
    ):
        assert (response.status_code, response.json()["code"]) == (409, "nothing_issued")


def test_a_hold_is_released(client_of, bob, certificate):
    client = client_of(bob)
    client.post(f"{URL}{certificate.pk}/revoke/", {"reason": "certificateHold"})

    response = client.post(f"{URL}{certificate.pk}/release-hold/", {})

    assert response.json()["status"] == "Active"
    again = client.post(f"{URL}{certificate.pk}/release-hold/", {})
    assert (again.status_code, again.json()["code"]) == (409, "not_on_hold")


def test_bulk_revocation_is_previewed_and_executed(client_of, carol, some, owner):
    for _ in range(3):
        some(owner=owner)
    client, url = client_of(carol), f"{URL}bulk-revoke/"
    criteria = {"owner": "web-shop"}

    preview = client.post(url, {"criteria": criteria, "dry_run": True}).json()

    assert (preview["count"], preview["owners"], len(preview["affected"])) == (3, ["web-shop"], 3)
    assert preview["crl_growth_bytes"] > 0
    assert not Revocation.objects.exists()
    done = client.post(
        url, {"criteria": criteria, "reason": "cessationOfOperation", "plan": preview["plan"]}
    ).json()
    assert (done["revoked"], done["failed"], len(done["outcomes"])) == (3, 0, 3)
    changed = client.post(url, {"criteria": criteria, "plan": preview["plan"]})
    assert (changed.status_code, changed.json()["code"]) == (409, "plan_changed")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"criteria": {}},
        {"criteria": []},
        {"criteria": {"owner": ""}},
        {"criteria": {"ids": []}},
        {"criteria": {"all": True}},
        {"owner": "web-shop"},
        {"criteria": {"owner": "web-shop"}, "dryrun": True},
        {"criteria": {"owner": "web-shop"}, "reason": "x"},
        {"criteria": {"owner": "nobody"}},
        [],
    ],
)
def test_bulk_revocation_of_nothing_in_particular_is_refused(client_of, carol, some, owner, body):
    some(owner=owner)

    response = client_of(carol).post(f"{URL}bulk-revoke/", body)

    assert response.status_code == 400
    assert not Revocation.objects.exists()


# --- Permissions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "method", "path", "allowed"),
    [
        ("victor", "get", "", True),
        ("victor", "get", "{pk}/", True),
        ("victor", "get", "{pk}/versions/", True),
        ("victor", "get", "{pk}/export/", True),
        ("victor", "patch", "{pk}/", False),
        ("victor", "delete", "{pk}/", False),
        ("victor", "post", "{pk}/archive/", False),
        ("victor", "post", "{pk}/revoke/", False),
        ("victor", "post", "{pk}/release-hold/", False),
        ("victor", "post", "import/", False),
        ("victor", "post", "bulk-revoke/", False),
        ("bob", "delete", "{pk}/", False),
        ("bob", "post", "{pk}/archive/", False),
        ("bob", "post", "bulk-revoke/", False),
        ("bob", "post", "{pk}/revoke/", True),
        ("bob", "patch", "{pk}/", True),
        ("carol", "post", "{pk}/revoke/", True),
    ],
)
def test_each_role_may_what_it_may(
    request, client_of, certificate, bob, carol, who, method, path, allowed
):
    actor = request.getfixturevalue(who)

    response = getattr(client_of(actor), method)(URL + path.format(pk=certificate.pk))

    if allowed:
        assert response.status_code == 200
        return
    assert (response.status_code, response.json()["code"]) == (403, "missing_permission")
    refusal = Event.objects.order_by("-sequence").first()
    assert (refusal.actor, refusal.data["code"]) == (actor, "missing_permission")


@pytest.mark.parametrize("path", ["", "{pk}/", "{pk}/versions/", "{pk}/export/"])
def test_nobody_reads_without_a_key(anonymous, certificate, path):
    assert anonymous.get(URL + path.format(pk=certificate.pk)).status_code == 401


@pytest.mark.parametrize("path", ["versions", "revocations"])
def test_machine_written_rows_cannot_be_written(client_of, carol, certificate, path):
    client = client_of(carol)

    assert client.post(f"/api/v1/{path}/", {}).status_code in (403, 405)
    pk = certificate.current_id
    services.revoke(version_id=pk, actor=carol)
    for method in ("put", "patch", "delete"):
        assert getattr(client, method)(f"/api/v1/{path}/{pk}/").status_code in (403, 405)


# --- Files ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "media", "start"),
    [
        (None, "application/x-pem-file", b"-----BEGIN CERTIFICATE"),
        ("pem", "application/x-pem-file", b"-----BEGIN CERTIFICATE"),
        ("der", "application/pkix-cert", b"\x30"),
        ("pkcs12", "application/x-pkcs12", b"\x30"),
    ],
)
def test_an_export_is_a_file_and_on_record(client_of, victor, certificate, form, media, start):
    query = {"format": form} if form else {}

    response = client_of(victor).get(f"{URL}{certificate.pk}/export/", query)

    assert (response.status_code, response["Content-Type"]) == (200, media)
    assert response.content.startswith(start)
    assert b"PRIVATE KEY" not in response.content
    assert "attachment" in response["Content-Disposition"]
    assert Event.objects.get(action="certificate.export").data["format"] == (form or "pem")


def test_a_password_comes_in_the_body(client_of, victor, certificate):
    response = client_of(victor).post(
        f"{URL}{certificate.pk}/export/", {"format": "pkcs12", "password": "open sesame"}
    )

    assert pkcs12.load_pkcs12(response.content, b"open sesame").key is None
    assert "sesame" not in str(Event.objects.get(action="certificate.export").data)


def test_a_browser_or_json_client_gets_the_chain(client_of, victor, certificate):
    for accept in ("application/json", "*/*", "text/html"):
        response = client_of(victor).get(
            f"{URL}{certificate.pk}/export/", headers={"Accept": accept}
        )
        assert (response.status_code, response.content[:5]) in ((200, b"-----"), (406, b'{"typ'))


def test_errors_of_an_export_are_problems(client_of, victor, certificate):
    client = client_of(victor)

    unknown = client.get(f"{URL}{certificate.pk}/export/", {"format": "jks"})
    missing = client.get(
        f"{URL}{certificate.pk}/export/", {"version": "6f8df0b2-2a52-4f7f-9f5f-0d6f1e4f2b11"}
    )
    wrong = client.post(f"{URL}{certificate.pk}/export/", {"format": "jks"})

    assert [r.status_code for r in (unknown, missing, wrong)] == [404, 404, 400]
    for response in (unknown, missing, wrong):
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["code"]


def test_what_was_exported_can_be_imported_elsewhere(
    client_of, alice, version, local_ca, profile, owner
):
    client = client_of(alice)
    pem = client.get(f"{URL}{version.certificate_id}/export/").content.decode()
    body = {"pem": pem, "owner": owner.name, "issuer": "issuing", "profile": "tls-server"}

    taken = client.post(f"{URL}import/", body)
    assert (taken.status_code, taken.json()["code"]) == (409, "already_imported")
    Certificate.objects.update(current=None)
    version.delete()
    response = client.post(f"{URL}import/", body)

    assert response.status_code == 201
    assert response.json()["current"]["serial"] == version.serial
    assert x509.load_pem_x509_certificates(pem.encode())


@pytest.mark.parametrize(
    "change",
    [{"owner": "nobody"}, {"issuer": "nowhere"}, {"profile": "none"}, {"pem": "x"}, {"pem": ""}],
)
def test_an_import_that_makes_no_sense_names_the_field(
    client_of, alice, local_ca, profile, owner, change
):
    body = {"pem": "x", "owner": owner.name, "issuer": "issuing", "profile": "tls-server"}

    response = client_of(alice).post(f"{URL}import/", body | change)

    assert response.status_code == 400
    assert next(iter(change)) in {error["field"] for error in response.json()["errors"]}


# --- Renewal policies -----------------------------------------------------------------------


def test_a_renewal_policy_is_made_changed_and_deleted_on_record(client_of, carol):
    client, url = client_of(carol), "/api/v1/renewal-policies/"

    made = client.post(url, {"name": "short", "window": "P5D", "alert_days": [7, 0]})
    pk = made.json()["id"]
    changed = client.patch(f"{url}{pk}/", {"window": "3d"})

    assert (made.status_code, changed.json()["window"]) == (201, "P3D")
    data = Event.objects.get(action="renewalpolicy.update").data
    assert data == {"changes": {"window": {"before": "P5D", "after": "P3D"}}}
    assert client.delete(f"{url}{pk}/").status_code == 204
    assert not RenewalPolicy.objects.exists()
    assert Event.objects.filter(action="renewalpolicy.delete").count() == 1


def test_a_renewal_policy_in_use_stays(client_of, carol, some):
    policy = RenewalPolicyFactory()
    some(renewal_policy=policy)

    response = client_of(carol).delete(f"/api/v1/renewal-policies/{policy.pk}/")

    assert (response.status_code, response.json()["code"]) == (409, "in_use")


@pytest.mark.parametrize(
    "body",
    [
        {"window": "-1d"},
        {"window": "400d"},
        {"window": "soon"},
        {"max_attempts": 0},
        {"max_attempts": 1000},
        {"retry_delay": "PT0S"},
        {"alert_days": [-1]},
        {"alert_days": "x"},
        {"name": ""},
    ],
)
def test_a_renewal_policy_out_of_bounds_is_refused(client_of, carol, body):
    response = client_of(carol).post("/api/v1/renewal-policies/", {"name": "p", **body})

    assert response.status_code == 400
    assert next(iter(body)) in {
        error["field"].partition(".")[0] for error in response.json()["errors"]
    }


def test_operators_do_not_write_renewal_policies(client_of, bob):
    assert client_of(bob).post("/api/v1/renewal-policies/", {"name": "p"}).status_code == 403


# --- More doors, and bounds -----------------------------------------------------------------


@pytest.mark.parametrize("path", ["versions/", "export/"])
def test_whoever_may_nothing_reads_and_takes_nothing(client_of, certificate, path):
    nobody = PrincipalFactory(username="nobody")

    response = client_of(nobody).get(f"{URL}{certificate.pk}/{path}")

    assert (response.status_code, response.json()["code"]) == (403, "missing_permission")


def test_a_viewer_revokes_no_version(client_of, victor, certificate):
    response = client_of(victor).post(f"/api/v1/versions/{certificate.current_id}/revoke/")

    assert (response.status_code, response.json()["code"]) == (403, "missing_permission")
    assert not Revocation.objects.exists()


def test_a_version_of_another_certificate_is_not_revoked_through_this_one(
    client_of, bob, certificate, issue
):
    other = issue("other.demo.internal")

    response = client_of(bob).post(f"{URL}{certificate.pk}/revoke/", {"version": str(other.pk)})

    assert response.status_code == 404
    assert not Revocation.objects.exists()


def test_an_import_is_bounded(client_of, alice):
    response = client_of(alice).post(f"{URL}import/", {"pem": "x" * 200_001})

    codes = {(error["field"], error["code"]) for error in response.json()["errors"]}
    assert ("pem", "max_length") in codes


def test_a_note_is_bounded(client_of, bob, certificate):
    url = f"{URL}{certificate.pk}/revoke/"

    response = client_of(bob).post(url, {"note": "x" * 2001})

    assert response.json()["errors"][0]["code"] == "max_length"
    assert client_of(bob).post(url, {"note": "x" * 2000}).status_code == 200


def test_nothing_is_imported_under_the_profile_of_our_own_cas(client_of, alice, owner, local_ca):
    Profile.objects.create(slug="ca", name="CA certificates", is_ca=True)

    response = client_of(alice).post(
        f"{URL}import/",
        {
            "pem": local_ca.certificate_pem,
            "owner": owner.name,
            "issuer": "issuing",
            "profile": "ca",
        },
    )

    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "unknown_profile"

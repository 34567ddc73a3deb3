from datetime import timedelta

import pytest
from django.urls import reverse

from audit.models import Event
from certificates import crl, services
from certificates.models import CRL, OCSPResponse, Revocation
from tests.factories import CertificateFactory, RenewalPolicyFactory, VersionFactory

LIST = "/admin/certificates/certificate/"


@pytest.fixture
def two(local_ca, profile, owner):
    rows = [CertificateFactory(issuer=local_ca, profile=profile, owner=owner) for _ in range(2)]
    return [VersionFactory(certificate=row).certificate for row in rows]


def words(response):
    return [str(message) for message in response.context["messages"]]


def test_every_model_can_be_read(browse, carol, version, system):
    services.revoke(version_id=version.pk, actor=carol)
    published = crl.publish(issuer_id=version.issuer_id, actor=system)
    policy = RenewalPolicyFactory()
    client = browse(carol)

    for path, pk in (
        ("certificate", version.certificate_id),
        ("version", version.pk),
        ("revocation", version.pk),
        ("crl", published.pk),
        ("renewalpolicy", policy.pk),
    ):
        assert client.get(f"/admin/certificates/{path}/").status_code == 200, path
        assert client.get(f"/admin/certificates/{path}/{pk}/change/").status_code == 200, path


def test_the_list_takes_the_same_queries_however_long_it_is(
    browse, carol, two, local_ca, profile, django_assert_max_num_queries
):
    client = browse(carol)
    client.get(LIST)
    with django_assert_max_num_queries(60) as few:
        client.get(LIST)
    for _ in range(8):
        VersionFactory(certificate=CertificateFactory(issuer=local_ca, profile=profile))

    with django_assert_max_num_queries(len(few)):
        client.get(LIST)


@pytest.mark.parametrize("path", ["version", "revocation", "crl", "ocspresponse", "certificate"])
def test_machine_written_rows_are_not_added_or_deleted(browse, carol, version, system, path):
    carol.is_superuser = True
    carol.save()
    services.revoke(version_id=version.pk, actor=carol)
    published = crl.publish(issuer_id=version.issuer_id, actor=system)
    answer = OCSPResponse.objects.create(
        version=version,
        issuer=version.issuer,
        serial=version.serial,
        hash_algorithm="sha1",
        name_hash="",
        key_hash="",
        status="good",
        this_update=published.this_update,
        next_update=published.next_update,
        der=b"",
        etag="",
    )
    pk = {
        "version": version.pk,
        "revocation": version.pk,
        "crl": published.pk,
        "ocspresponse": answer.pk,
        "certificate": version.certificate_id,
    }[path]
    client = browse(carol)

    # A certificate is asked for there, and no row is made by hand.
    adds = client.get(f"/admin/certificates/{path}/add/").status_code
    assert adds == (200 if path == "certificate" else 403)
    assert (
        client.post(f"/admin/certificates/{path}/{pk}/delete/", {"post": "yes"}).status_code == 403
    )
    if path != "certificate":
        assert client.post(f"/admin/certificates/{path}/{pk}/change/", {}).status_code == 403


def test_details_are_changed_through_the_service(browse, alice, certificate):
    client = browse(alice)

    response = client.post(
        f"{LIST}{certificate.pk}/change/",
        {
            "name": "renamed",
            "owner": str(certificate.owner_id),
            "team": "",
            "renewal_policy": "",
            "environment": "staging",
            "tags": "blue\n green \n",
            "versions-TOTAL_FORMS": "0",
            "versions-INITIAL_FORMS": "0",
            "status": "Archived",
        },
    )

    assert response.status_code == 302, response.context["adminform"].form.errors
    certificate.refresh_from_db()
    assert (certificate.name, certificate.status, certificate.tags) == (
        "renamed",
        "Active",
        ["blue", "green"],
    )
    event = Event.objects.get(action="certificate.update")
    assert (event.actor, event.door) == (alice, "admin")


def test_one_certificate_is_revoked_after_confirmation(browse, bob, certificate):
    client, url = (
        browse(bob),
        reverse("admin:certificates_certificate_revoke_one", args=[certificate.pk]),
    )

    page = client.get(url)
    assert certificate.current.serial in page.content.decode()
    assert 'value="unspecified" id="reason_0" checked' in page.content.decode()
    assert not Revocation.objects.exists()
    client.post(url, {"confirmed": "yes", "reason": "keyCompromise", "note": "lost"}, follow=True)

    revocation = Revocation.objects.get()
    assert (revocation.reason, revocation.revoked_by, revocation.note) == (
        "keyCompromise",
        bob,
        "lost",
    )
    assert Event.objects.get(action="certificate.revoke").door == "admin"


def test_a_version_that_was_not_on_the_page_is_not_revoked(browse, bob, issue, certificate):
    client = browse(bob)
    url = reverse("admin:certificates_certificate_revoke_one", args=[certificate.pk])
    plan = client.get(url).context["plan"]
    issue(certificate=certificate)

    response = client.post(url, {"confirmed": "yes", "plan": plan}, follow=True)

    assert "no longer what the preview showed" in words(response)[0]
    assert not Revocation.objects.exists()


def test_a_get_never_revokes(browse, bob, certificate):
    url = reverse("admin:certificates_certificate_revoke_one", args=[certificate.pk])

    browse(bob).get(url, {"confirmed": "yes", "reason": "superseded"})

    assert not Revocation.objects.exists()


def test_what_is_refused_is_said_in_the_words_of_the_api_and_audited(browse, bob, certificate):
    services.revoke(version_id=certificate.current_id, actor=bob)
    url = reverse("admin:certificates_certificate_revoke_one", args=[certificate.pk])

    response = browse(bob).post(url, {"confirmed": "yes"}, follow=True)

    assert words(response) == ["This version is already revoked."]
    event = Event.objects.get(action="certificate.revoke.refuse")
    assert (event.actor, event.data["code"]) == (bob, "already_revoked")


def test_a_viewer_cannot_revoke(browse, victor, certificate):
    client = browse(victor)
    url = reverse("admin:certificates_certificate_revoke_one", args=[certificate.pk])

    assert client.post(url, {"confirmed": "yes"}).status_code == 403
    client.post(
        LIST,
        {"action": "revoke_selected", "_selected_action": [certificate.pk], "confirmed": "yes"},
    )

    assert not Revocation.objects.exists()


def test_more_than_one_needs_bulk_revoke(browse, bob, two):
    response = browse(bob).post(
        LIST,
        {
            "action": "revoke_selected",
            "_selected_action": [row.pk for row in two],
            "confirmed": "yes",
        },
        follow=True,
    )

    assert words(response) == ["This needs the permission certificates.bulk_revoke."]
    assert not Revocation.objects.exists()
    assert Event.objects.get(action="certificate.bulk_revoke.refuse").actor == bob


def test_an_admin_revokes_what_the_page_showed(browse, carol, two):
    client = browse(carol)
    body = {"action": "revoke_selected", "_selected_action": [row.pk for row in two]}

    page = client.post(LIST, body)
    assert all(row.current.serial in page.content.decode() for row in two)
    assert not Revocation.objects.exists()
    plan = page.context["plan"]
    done = client.post(
        LIST, {**body, "confirmed": "yes", "plan": plan, "reason": "superseded"}, follow=True
    )

    assert "Revoked 2 version(s)." in words(done)
    assert {row.reason for row in Revocation.objects.all()} == {"superseded"}


def test_a_page_that_is_out_of_date_revokes_nothing(browse, carol, two):
    client = browse(carol)
    body = {"action": "revoke_selected", "_selected_action": [row.pk for row in two]}
    plan = client.post(LIST, body).context["plan"]
    VersionFactory(certificate=two[0])

    response = client.post(LIST, {**body, "confirmed": "yes", "plan": plan}, follow=True)

    assert "no longer what the preview showed" in words(response)[0]
    assert not Revocation.objects.exists()


def test_a_hold_is_released_and_a_revoked_one_archived(browse, carol, certificate):
    services.revoke(version_id=certificate.current_id, actor=carol, reason="certificateHold")
    client = browse(carol)
    release = reverse("admin:certificates_certificate_release_hold", args=[certificate.pk])
    archive = reverse("admin:certificates_certificate_archive", args=[certificate.pk])

    assert client.get(release).status_code == client.get(archive).status_code == 200
    client.post(release, {"confirmed": "yes"})
    certificate.refresh_from_db()
    assert certificate.status == "Active"
    refused = client.post(archive, {"confirmed": "yes"}, follow=True)
    assert "still valid" in words(refused)[-1]
    services.revoke(version_id=certificate.current_id, actor=carol)
    client.post(archive, {"confirmed": "yes"})
    certificate.refresh_from_db()
    assert certificate.status == "Archived"


def test_a_crl_is_published_now(browse, carol, bob, local_ca, system):
    first = crl.publish(issuer_id=local_ca.pk, actor=system)
    body = {"action": "publish_now", "_selected_action": [first.pk]}

    browse(bob).post("/admin/certificates/crl/", body)
    assert CRL.objects.count() == 1
    browse(carol).post("/admin/certificates/crl/", body)

    assert sorted(CRL.objects.values_list("number", flat=True)) == [1, 2]
    assert Event.objects.filter(action="crl.publish", door="admin").get().actor == carol


def test_a_renewal_policy_is_saved_with_before_and_after(browse, carol):
    policy = RenewalPolicyFactory(name="short")
    url = f"/admin/certificates/renewalpolicy/{policy.pk}/change/"
    body = {
        "name": "short",
        "window": "3d",
        "max_attempts": "3",
        "retry_delay": "PT1M",
        "alert_days": "7",
    }

    browse(carol).post(url, body)
    refused = browse(carol).post(url, {**body, "window": "400d"})

    assert "up to 365 days" in refused.content.decode()
    assert (
        Event.objects.get(action="renewalpolicy.update").data["changes"]["window"]["after"] == "P3D"
    )


def test_the_list_of_policies_says_the_window_in_words(browse, carol):
    RenewalPolicyFactory(window=timedelta(days=19))

    assert "19 days" in browse(carol).get("/admin/certificates/renewalpolicy/").text


def offered(client, certificate):
    page = client.get(f"{LIST}{certificate.pk}/change/").content.decode()
    return {path for path in ("revoke", "release-hold", "archive") if f"/{path}" in page}


def test_the_page_shows_the_names_and_offers_what_the_state_allows(browse, carol, certificate):
    client = browse(carol)
    page = client.get(f"{LIST}{certificate.pk}/change/").content.decode()
    assert certificate.sans[0] in page
    assert "Active" in page
    assert "(&#x27;Active" not in page

    assert offered(client, certificate) == {"revoke"}
    services.revoke(version_id=certificate.current_id, actor=carol, reason="certificateHold")
    assert offered(client, certificate) == {"revoke", "release-hold", "archive"}
    services.revoke(version_id=certificate.current_id, actor=carol, reason="superseded")
    assert offered(client, certificate) == {"revoke", "archive"}
    services.revoke(version_id=certificate.current_id, actor=carol, reason="keyCompromise")
    assert offered(client, certificate) == {"archive"}
    services.archive(certificate_id=certificate.pk, actor=carol)
    assert offered(client, certificate) == set()


# --- Doors ----------------------------------------------------------------------------------


def test_an_operator_does_not_archive(browse, alice, certificate):
    services.revoke(version_id=certificate.current_id, actor=alice)

    response = browse(alice).post(f"{LIST}{certificate.pk}/archive/", {"confirmed": "yes"})

    assert response.status_code == 403
    certificate.refresh_from_db()
    assert certificate.status == "Revoked"


def test_an_operator_has_no_crl_published(browse, alice, local_ca, system):
    row = crl.publish(issuer_id=local_ca.pk, actor=system)

    browse(alice).post(
        "/admin/certificates/crl/", {"action": "publish_now", "_selected_action": [str(row.pk)]}
    )

    assert CRL.objects.count() == 1


def test_a_note_that_is_too_long_is_not_kept(browse, bob, certificate):
    answer = browse(bob).post(
        f"{LIST}{certificate.pk}/revoke/",
        {"confirmed": "yes", "reason": "superseded", "note": "x" * 2001},
    )

    assert answer.status_code == 400
    assert not Revocation.objects.exists()


def test_versions_are_not_written_on_their_certificates_page(browse, carol, version):
    carol.is_superuser = True
    carol.save()

    form = browse(carol).get(f"{LIST}{version.certificate_id}/change/?edit=1")

    assert form.context["inline_admin_formsets"] == []
    assert "version" not in form.context["adminform"].form.fields

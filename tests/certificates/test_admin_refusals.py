"""What the admin refuses of certificates: one event each, under the use case's own name."""

import pytest
from django.urls import reverse

from audit.models import Event
from certificates import crl, services
from certificates.models import CRL, Certificate, RenewalPolicy, Revocation
from issuers.models import Profile
from tests.factories import (
    CertificateFactory,
    JobFactory,
    OwnerFactory,
    RenewalPolicyFactory,
)
from tests.trail import the_refusal

LIST = "/admin/certificates/certificate/"
POLICIES = "/admin/certificates/renewalpolicy/"
CRLS = "/admin/certificates/crl/"


def page(name, row):
    return reverse(f"admin:certificates_{row._meta.model_name}_{name}", args=[row.pk])


def details(certificate, **changes):
    return {
        "name": certificate.name,
        "owner": str(certificate.owner_id),
        "team": "",
        "renewal_policy": "",
        "environment": "",
        "tags": "",
        "versions-TOTAL_FORMS": "0",
        "versions-INITIAL_FORMS": "0",
        **changes,
    }


def chosen(action, *rows, **more):
    return {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}


def words(response):
    return [str(message) for message in response.context["messages"]]


def test_an_owner_stays_while_a_job_is_open(browse, alice, certificate):
    JobFactory(certificate=certificate)
    before = certificate.owner

    answer = browse(alice).post(
        page("change", certificate), details(certificate, owner=str(OwnerFactory().pk), name="new")
    )

    assert "A job is open" in str(answer.context["adminform"].form.errors)
    certificate.refresh_from_db()
    assert (certificate.owner, certificate.name) == (before, "web.demo.internal")
    event = the_refusal("certificate.update", alice)
    assert (event.data["code"], event.subject_id) == ("job_open", str(certificate.pk))


def test_a_viewer_changes_no_certificate(browse, victor, certificate):
    answer = browse(victor).post(page("change", certificate), details(certificate, name="new"))

    assert answer.status_code == 403
    event = the_refusal("certificate.update", victor)
    assert (event.data["code"], event.subject_id) == ("missing_permission", str(certificate.pk))


def test_a_form_that_is_not_valid_is_refused_under_the_same_name(browse, alice, certificate):
    browse(alice).post(page("change", certificate), details(certificate, owner="hunter2"))

    event = the_refusal("certificate.update", alice)
    assert (event.data["code"], event.data["status"]) == ("invalid", 400)
    assert "owner" in event.data["detail"]
    assert "hunter2" not in str(event.data)


def test_what_is_revoked_is_not_revoked_again(browse, bob, certificate):
    services.revoke(version_id=certificate.current_id, actor=bob)

    browse(bob).post(page("revoke_one", certificate), {"confirmed": "yes"})

    event = the_refusal("certificate.revoke", bob)
    assert (event.data["code"], event.data["status"]) == ("already_revoked", 409)
    assert event.certificate == certificate.pk


@pytest.mark.parametrize("way", ["page", "list"])
def test_a_viewer_revokes_nothing(browse, victor, certificate, way):
    client = browse(victor)

    answer = {
        "page": lambda: client.post(page("revoke_one", certificate), {"confirmed": "yes"}),
        "list": lambda: client.post(LIST, chosen("revoke_selected", certificate, confirmed="yes")),
    }[way]()

    assert answer.status_code == 403
    event = the_refusal("certificate.revoke", victor)
    assert (event.data["code"], event.subject_id) == ("missing_permission", str(certificate.pk))
    assert not Revocation.objects.exists()


def test_to_open_the_page_is_to_look(browse, victor, certificate):
    assert browse(victor).get(page("revoke_one", certificate)).status_code == 403

    event = the_refusal("records.view", victor)
    assert event.subject_id == str(certificate.pk)


def test_a_viewer_revokes_nothing_in_bulk(browse, victor, certificate, issue):
    other = issue("mail.demo.internal").certificate

    answer = browse(victor).post(LIST, chosen("revoke_selected", certificate, other))

    assert answer.status_code == 403
    assert the_refusal("certificate.bulk_revoke", victor).subject_id == ""


def test_all_pages_of_a_list_are_no_single_certificate(browse, victor, certificate):
    browse(victor).post(LIST, chosen("revoke_selected", certificate, select_across="1"))

    assert the_refusal("certificate.bulk_revoke", victor).subject_id == ""


def test_an_unknown_reason_shows_at_its_field(browse, bob, certificate):
    answer = browse(bob).post(
        page("revoke_one", certificate), {"confirmed": "yes", "reason": "boredom"}
    )

    assert answer.status_code == 400
    assert "boredom is not one of the available choices" in answer.content.decode()
    assert the_refusal("certificate.revoke", bob).data["code"] == "invalid"
    assert not Revocation.objects.exists()


def test_what_only_the_use_case_finds_wrong_shows_the_page_again(browse, carol, certificate):
    Profile.objects.update(is_ca=True)  # of a CA's certificate a reason must be stated

    answer = browse(carol).post(
        page("revoke_one", certificate), {"confirmed": "yes", "confirm_name": certificate.name}
    )

    assert answer.status_code == 400
    assert answer.context["form"].errors == {
        "reason": ["Revoking a CA certificate needs a reason."]
    }
    the_refusal("certificate.revoke", carol)


def test_nothing_issued_is_nothing_to_revoke(browse, bob, profile, local_ca):
    certificate = CertificateFactory(issuer=local_ca, profile=profile)
    client = browse(bob)

    shown = client.get(page("revoke_one", certificate), follow=True)
    client.post(page("release_hold", certificate), {"confirmed": "yes"})

    assert words(shown) == ["Nothing has been issued for this certificate yet."]
    assert the_refusal("certificate.release_hold", bob).data["code"] == "not_found"


def test_a_certificate_that_is_valid_is_not_archived(browse, carol, certificate):
    browse(carol).post(page("archive", certificate), {"confirmed": "yes"})

    event = the_refusal("certificate.archive", carol)
    assert (event.data["code"], event.subject_id) == ("still_valid", str(certificate.pk))


def test_an_operator_archives_nothing(browse, bob, certificate):
    answer = browse(bob).post(page("archive", certificate), {"confirmed": "yes"})

    assert answer.status_code == 403
    event = the_refusal("certificate.archive", bob)
    assert (event.data["code"], event.subject_id) == ("missing_permission", str(certificate.pk))


def test_a_certificate_that_is_not_there_is_not_found(browse, carol, certificate):
    url = page("archive", certificate).replace(str(certificate.pk), "nonsense")

    assert browse(carol).post(url, {"confirmed": "yes"}).status_code == 404
    assert not Event.objects.filter(action__endswith=".refuse").exists()


# --- Renewal policies -----------------------------------------------------------------------


@pytest.fixture
def used(certificate):
    policy = RenewalPolicyFactory()
    Certificate.objects.filter(pk=certificate.pk).update(renewal_policy=policy)
    return policy


def test_the_page_before_deleting_shows_what_stands_in_the_way(browse, carol, used, certificate):
    shown = browse(carol).get(page("delete", used)).content.decode()

    assert certificate.name in shown


def test_a_policy_in_use_is_not_deleted(browse, carol, used):
    answer = browse(carol).post(
        page("delete", used), {"post": "yes", "confirm_name": used.name}, follow=True
    )

    assert words(answer) == ["Certificates still use this renewal policy."]
    event = the_refusal("renewalpolicy.delete", carol)
    assert (event.data["code"], event.subject_id) == ("in_use", str(used.pk))


def test_of_several_policies_those_in_use_stay(browse, carol, used):
    free = RenewalPolicyFactory()

    answer = browse(carol).post(
        POLICIES, chosen("delete_selected", used, free, post="yes", confirm_name="2"), follow=True
    )

    assert words(answer) == [
        f"{used}: Certificates still use this renewal policy.",
        "Deleted 1 renewal policy.",
    ]
    assert list(RenewalPolicy.objects.all()) == [used]
    assert the_refusal("renewalpolicy.delete", carol).subject_id == str(used.pk)


def test_deleting_on_the_list_asks_first(browse, carol):
    policy = RenewalPolicyFactory()

    answer = browse(carol).post(POLICIES, chosen("delete_selected", policy))

    assert answer.status_code == 200
    assert policy.name in answer.content.decode()
    assert RenewalPolicy.objects.exists()


@pytest.mark.parametrize("way", ["page", "list"])
def test_an_operator_deletes_no_policy(browse, bob, way):
    policy = RenewalPolicyFactory()
    client = browse(bob)

    answer = {
        "page": lambda: client.post(
            page("delete", policy), {"post": "yes", "confirm_name": policy.name}
        ),
        "list": lambda: client.post(
            POLICIES, chosen("delete_selected", policy, post="yes", confirm_name=policy.name)
        ),
    }[way]()

    assert answer.status_code == 403
    event = the_refusal("renewalpolicy.delete", bob)
    assert (event.data["code"], event.subject_id) == ("missing_permission", str(policy.pk))


def test_an_operator_publishes_no_crl(browse, bob, local_ca, system):
    first = crl.publish(issuer_id=local_ca.pk, actor=system)

    assert browse(bob).post(CRLS, chosen("publish_now", first)).status_code == 403
    assert CRL.objects.count() == 1
    the_refusal("crl.publish", bob)

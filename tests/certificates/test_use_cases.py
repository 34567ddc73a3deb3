"""Each act on certificates and issuers has one name, which is also that of its refusal."""

import uuid
from datetime import timedelta

import pytest

import revocation.services
from audit.models import Event
from audit.use_cases import name_of
from certificates import crl, services
from certificates.details import Details
from foundation.errors import CertctlError
from issuers import services as issuer_services
from issuers.services import ExistingCA, NewCA
from revocation.services import bulk_revoke, waves
from tests.ca import pem_of
from tests.certificates.test_importing import old

ACTS = {
    "certificate.update": services.update_details,
    "certificate.archive": services.archive,
    "certificate.export": services.export,
    "certificate.import": services.import_pem,
    "certificate.revoke": services.revoke,
    "certificate.release_hold": services.release_hold,
    "certificate.bulk_revoke": bulk_revoke,
    "crl.publish": crl.publish,
    "renewalpolicy.create": services.create_policy,
    "renewalpolicy.update": services.update_policy,
    "renewalpolicy.delete": services.delete_policy,
    "issuer.create": services.make_ca,
    "issuer.import": services.take_over_ca,
    "issuer.request": issuer_services.request_ca,
    "issuer.complete": services.complete_ca,
    "issuer.give_up": issuer_services.drop_requested,
    "issuer.update": issuer_services.update_issuer,
    "issuer.test": issuer_services.test_connection,
    "profile.create": issuer_services.create_profile,
    "profile.update": issuer_services.update_profile,
    "profile.delete": issuer_services.delete_profile,
}


@pytest.mark.parametrize("action", ACTS)
def test_each_act_has_its_name(action):
    assert name_of(ACTS[action]) == action


@pytest.fixture
def refusals(version, certificate, alice, carol, owner, local_ca, free_profile):
    """What cannot be done: an act, and who wants it."""
    nobody = uuid.uuid4()
    key = {"key_pem": b"", "certificate_pem": ""}
    details = Details(owner=owner, issuer=local_ca, profile=free_profile)
    local_ca.secrets = None
    return {
        "certificate.update": {"certificate_id": certificate.pk, "changes": {"status": "Active"}},
        "certificate.archive": {"certificate_id": certificate.pk},
        "certificate.export": {"version": version, "form": "jks"},
        "certificate.import": {"pem": "", "details": details},
        "certificate.revoke": {"version_id": version.pk, "reason": "bored"},
        "certificate.release_hold": {"version_id": version.pk},
        "certificate.bulk_revoke": {"criteria": {}},
        "crl.publish": {"issuer_id": nobody},
        "renewalpolicy.create": {"name": "x", "window": timedelta(0)},
        "renewalpolicy.update": {"policy_id": nobody, "changes": {}},
        "renewalpolicy.delete": {"policy_id": nobody},
        "issuer.create": {"ca": NewCA(slug="", common_name="", lifetime=timedelta(0))},
        "issuer.import": {"ca": ExistingCA(slug="taken", **key)},
        "issuer.request": {"slug": "", "common_name": ""},
        "issuer.complete": {"requested_id": nobody, "certificate_pem": ""},
        "issuer.give_up": {"requested_id": nobody},
        "issuer.update": {"issuer_id": nobody, "changes": {}},
        "issuer.test": {"issuer": local_ca},
        "profile.create": {"rules": {"slug": "ca"}},
        "profile.update": {"profile_id": nobody, "changes": {}},
        "profile.delete": {"profile": free_profile},
    }


@pytest.mark.parametrize("action", ACTS)
def test_what_is_refused_is_on_record_once_and_changes_nothing_else(refusals, action, carol):
    before = set(Event.objects.values_list("pk", flat=True))

    with pytest.raises(Exception) as caught:  # noqa: PT011 - a CertctlError, or DoesNotExist
        ACTS[action](actor=carol, **refusals[action])

    events = Event.objects.exclude(pk__in=before).exclude(action=action)
    assert [(event.action, event.actor) for event in events] == [(f"{action}.refuse", carol)]
    if isinstance(caught.value, CertctlError):
        assert events[0].data["code"] == caught.value.code


def test_the_refusal_stands_in_the_history_of_the_certificate(certificate, alice):
    with pytest.raises(CertctlError):
        services.archive(certificate_id=certificate.pk, actor=alice)
    with pytest.raises(CertctlError):
        services.export(version=certificate.current, form="jks", actor=alice)

    refused = Event.objects.filter(certificate=certificate.pk, action__endswith=".refuse")
    assert {event.action for event in refused} == {
        "certificate.archive.refuse",
        "certificate.export.refuse",
    }
    assert {event.owner for event in refused} == {certificate.owner_id}


def test_a_version_that_is_refused_in_bulk_is_on_record_and_stops_no_other(
    issue, carol, monkeypatch
):
    issue("a.demo.internal")
    bad = issue("b.demo.internal")
    plan = revocation.services.preview_revocation(criteria={"owner": "web-shop"})
    begin = waves.run_claimed

    def meanwhile(plan, **options):
        services.revoke(version_id=bad.pk, actor=carol)
        return begin(plan, **options)

    monkeypatch.setattr(waves, "run_claimed", meanwhile)

    made = revocation.services.bulk_revoke(
        criteria={"owner": "web-shop"}, actor=carol, plan=plan.plan
    )

    result = revocation.services.result_of(made)

    assert (result.revoked, result.already_revoked, result.total) == (1, 1, 2)
    assert Event.objects.get(action="certificate.revoke.refuse").data["code"] == "already_revoked"


def test_what_is_imported_is_about_its_certificate(alice, owner, local_ca, profile):
    details = Details(owner=owner, issuer=local_ca, profile=profile)

    certificate = services.import_pem(actor=alice, pem=pem_of(old()[1]), details=details)

    event = Event.objects.get(action="certificate.import")
    assert (event.certificate, event.owner) == (certificate.pk, owner.pk)


@pytest.mark.parametrize("tags", [["x" * 64], [f"t{n}" for n in range(33)]])
@pytest.mark.parametrize("door", ["request", "import", "change"])
def test_tags_have_the_same_bounds_by_whichever_way_a_certificate_comes_in(
    client_of, alice, certificate, owner, local_ca, free_profile, door, tags
):
    client, url = client_of(alice), "/api/v1/certificates/"
    said = {
        "owner": owner.name,
        "issuer": local_ca.slug,
        "profile": free_profile.slug,
    }
    if door == "import":
        said["pem"] = pem_of(old()[1])
    else:
        said |= {"common_name": "new.demo.internal", "sans": ["dns:new.demo.internal"]}

    def ask(tags):
        if door == "change":
            return client.patch(f"{url}{certificate.pk}/", {"tags": tags}, format="json")
        path = url if door == "request" else f"{url}import/"
        return client.post(path, {**said, "tags": tags}, format="json")

    refused = ask(tags)

    assert refused.status_code == 400
    assert {error["field"].partition(".")[0] for error in refused.json()["errors"]} == {"tags"}
    assert ask(["x" * 63, *(f"t{n}" for n in range(31))]).status_code in {200, 201}

"""Two who change the same principal, key, team or owner at once."""

import pytest
from django.db import transaction
from django.db.models import ProtectedError

from audit.models import Event
from audit.services import Busy
from certificates.services import details, update_details
from owners import services
from owners.models import ApiKey, Owner, Principal, Team
from tests.factories import CertificateFactory, OwnerFactory, TeamFactory
from tests.races import aside, meanwhile

pytestmark = pytest.mark.django_db(transaction=True)


def changes(action):
    return Event.objects.get(action=action).data["changes"]


def test_changing_a_principal_waits_for_whoever_is_changing_it(carol, alice):
    rows = Principal.objects.filter(pk=alice.pk)

    meanwhile(
        lambda: rows.update(last_name="First", email="first@people.example"),
        lambda: services.update_principal(
            actor=carol, principal_id=alice.pk, changes={"last_name": "Second"}
        ),
    )

    assert changes("principal.update") == {"last_name": {"before": "First", "after": "Second"}}
    assert rows.get().email == "first@people.example"


def test_disabling_a_key_waits_for_whoever_is_disabling_it(carol, alice, key_of):
    key_of(alice)
    key = ApiKey.objects.get()

    def disable():
        return services.disable_api_key(actor=carol, key_id=key.pk)

    meanwhile(disable, disable)

    assert Event.objects.filter(action="apikey.disable").count() == 1


def test_changing_a_team_waits_for_whoever_is_changing_it(carol):
    team = TeamFactory(name="red")

    meanwhile(
        lambda: Team.objects.filter(pk=team.pk).update(name="green"),
        lambda: services.save_team(actor=carol, team_id=team.pk, name="blue"),
    )

    assert changes("team.update") == {"name": {"before": "green", "after": "blue"}}


def test_changing_an_owner_waits_for_whoever_is_changing_it(carol):
    owner = OwnerFactory(name="red")
    rows = Owner.objects.filter(pk=owner.pk)

    meanwhile(
        lambda: rows.update(name="green", email="first@owners.example"),
        lambda: services.save_owner(actor=carol, owner_id=owner.pk, changes={"name": "blue"}),
    )

    assert changes("owner.update") == {"name": {"before": "green", "after": "blue"}}
    assert rows.get().email == "first@owners.example"


def test_an_owner_whom_a_certificate_gets_meanwhile_is_not_deleted(carol, alice):
    certificate, owner = CertificateFactory(), OwnerFactory()

    with pytest.raises(ProtectedError):
        meanwhile(
            lambda: update_details(
                certificate_id=certificate.pk, actor=alice, changes={"owner": owner}
            ),
            lambda: services.delete_named(actor=carol, row=owner),
        )

    assert Owner.objects.filter(pk=owner.pk).exists()
    assert not Event.objects.filter(action="owner.delete").exists()


@pytest.mark.postgres
def test_deleting_what_somebody_is_changing_waits_for_nobody(carol, client_of):
    owner = OwnerFactory()
    client = client_of(carol)

    with transaction.atomic():
        Owner.objects.select_for_update(no_key=True).get(pk=owner.pk)
        answer = aside(lambda: client.delete(f"/api/v1/owners/{owner.pk}/"))

    assert (answer.status_code, answer.json()["code"]) == (409, "busy")
    assert Owner.objects.filter(pk=owner.pk).exists()


@pytest.mark.postgres
def test_the_admin_says_so_in_a_message(carol, client):
    owner = OwnerFactory()
    client.force_login(carol, backend="django.contrib.auth.backends.ModelBackend")
    page = f"/admin/owners/owner/{owner.pk}/delete/"

    with transaction.atomic():
        Owner.objects.select_for_update(no_key=True).get(pk=owner.pk)
        answer = aside(lambda: client.post(page, {"post": "yes", "confirm_name": owner.name}))

    assert answer.headers["Location"] == "/admin/owners/owner/"
    shown = client.get("/admin/owners/owner/").content.decode()
    assert "Somebody is changing this just now" in shown
    assert "deleted successfully" not in shown
    refusal = Event.objects.get(action="owner.delete.refuse")
    assert (refusal.actor, refusal.data["code"]) == (carol, "busy")


@pytest.mark.postgres
def test_an_owner_whom_somebody_is_about_to_refer_to_is_not_deleted_meanwhile(
    carol, alice, client_of, monkeypatch
):
    """What a transfer rests on is held until it commits."""
    certificate, owner = CertificateFactory(), OwnerFactory()
    client = client_of(alice)
    really = details.record

    def late(**given):
        with pytest.raises(Busy):
            aside(lambda: services.delete_named(actor=carol, row=owner))
        return really(**given)

    monkeypatch.setattr(details, "record", late)
    answer = client.patch(f"/api/v1/certificates/{certificate.pk}/", {"owner": str(owner.pk)})

    assert answer.status_code == 200, answer.json()
    certificate.refresh_from_db()
    assert certificate.owner == owner
    assert Owner.objects.filter(pk=owner.pk).exists()

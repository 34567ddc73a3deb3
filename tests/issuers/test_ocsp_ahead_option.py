"""Which OCSP answers are signed ahead: administrators say it, everybody who reads sees it."""

import pytest

from audit.models import Event
from issuers import services
from issuers.models import Issuer


def patch(client, issuer, value):
    return client.patch(f"/api/v1/issuers/{issuer.pk}/", {"ocsp_ahead": value}, format="json")


def test_carol_may_change_it_and_the_trail_has_before_and_after(local_ca, carol, client_of):
    answer = patch(client_of(carol), local_ca, "all")

    assert (answer.status_code, answer.json()["ocsp_ahead"]) == (200, "all")
    event = Event.objects.filter(action="issuer.update").latest("pk")
    assert event.data["changes"] == {"ocsp_ahead": {"before": "asked", "after": "all"}}


def test_alice_bob_and_victor_may_not(local_ca, alice, bob, victor, client_of):
    for person in (alice, bob, victor):
        assert patch(client_of(person), local_ca, "off").status_code == 403
    assert Issuer.objects.get(pk=local_ca.pk).ocsp_ahead == "asked"


def test_what_is_no_choice_is_refused(local_ca, carol, client_of):
    assert patch(client_of(carol), local_ca, "some").status_code == 400


@pytest.mark.parametrize("choice", Issuer.Ahead.values)
def test_each_choice_can_be_made(local_ca, carol, choice):
    changed = services.update_issuer(
        actor=carol, issuer_id=local_ca.pk, changes={"ocsp_ahead": choice}
    )
    assert changed.ocsp_ahead == choice

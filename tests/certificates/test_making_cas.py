"""A CA is made whole, by whichever door: issuer, version under its parent, first CRL.

carol administers and makes CAs; alice, an operator, may not.
"""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from certificates import services
from certificates.models import CRL, Certificate
from foundation.errors import Invalid
from issuers.models import Issuer
from issuers.services import ExistingCA, NewCA
from issuers.x509 import crl as x509_crl
from owners.models import Owner
from tests.ca import CA, make_ca, pem_of, pem_of_key

NEW = {"slug": "made", "name": "Made", "common_name": "Made CA", "lifetime_days": 400}


@pytest.fixture
def make(carol, client_of, browse, root_ca):
    """Make the same CA below the root by a door: returns who acted."""

    def by(door, **change):
        said = {**NEW, **change}
        if door == "cli":
            call_command("create_ca", said.pop("slug"), parent="root", verbosity=0, **said)
        elif door == "rest":
            client_of(carol).post("/api/v1/issuers/", {**said, "parent": "root"})
        else:
            form = {**said, "parent": str(root_ca.pk), "key_algorithm": "ecdsa-p256"}
            browse(carol).post(reverse("admin:issuers_issuer_add"), form)
        return "system" if door == "cli" else "carol"

    return by


@pytest.mark.parametrize("door", ["cli", "rest", "admin"])
def test_every_door_makes_the_whole_of_a_ca(make, root_ca, door):
    actor = make(door)

    made = Issuer.objects.get(slug="made")
    below = Certificate.objects.get(issuer=root_ca)
    assert (below.name, below.current.pem) == ("CA made", made.certificate_pem)
    assert (below.owner.name, below.profile.is_ca) == ("PKI operations", True)
    assert (CRL.objects.get().issuer, made.crl_number) == (made, 1)
    events = Event.objects.filter(sequence__gt=Event.objects.get(subject_name="root").sequence)
    assert {event.actor_name for event in events} >= {actor}
    actions = {event.action for event in events}
    assert actions >= {"issuer.create", "owner.create", "certificate.register", "crl.publish"}


def test_a_root_stands_below_nobody_and_needs_no_owner(carol):
    ca = NewCA(slug="top", common_name="Top", lifetime=timedelta(days=400))

    issuer = services.make_ca(actor=carol, ca=ca)

    assert not Certificate.objects.exists()
    assert not Owner.objects.exists()
    assert CRL.objects.get().issuer == issuer


def test_whoever_is_named_answers_for_it(client_of, carol, root_ca, owner):
    said = {**NEW, "parent": "root", "owner": owner.name}

    assert client_of(carol).post("/api/v1/issuers/", said).status_code == 201

    assert Certificate.objects.get().owner == owner


def test_the_owner_of_cas_is_made_once(carol, root_ca):
    for slug in ("one", "two"):
        ca = NewCA(slug=slug, common_name=slug, lifetime=timedelta(days=9), parent=root_ca)
        services.make_ca(actor=carol, ca=ca)

    assert Owner.objects.count() == 1


def test_a_ca_whose_crl_cannot_be_signed_is_not_made(carol, root_ca, monkeypatch):
    def refuse(self, **fields):
        raise Invalid("The clock stands still.")

    monkeypatch.setattr("issuers.connectors.local.LocalCA.sign_crl", refuse)
    ca = NewCA(slug="made", common_name="Made", lifetime=timedelta(days=9), parent=root_ca)

    with pytest.raises(Invalid):
        services.make_ca(actor=carol, ca=ca)

    assert Issuer.objects.get() == root_ca
    assert not Certificate.objects.exists()
    refused = Event.objects.get(action="issuer.create.refuse")
    assert refused.data["detail"] == "The clock stands still."


def test_an_operator_makes_none_and_the_attempt_is_on_record(client_of, alice, root_ca):
    answer = client_of(alice).post("/api/v1/issuers/", {**NEW, "parent": "root"})

    assert answer.status_code == 403
    assert Issuer.objects.get() == root_ca
    assert Event.objects.get(action="issuer.create.refuse").actor == alice


def test_a_slug_that_is_taken_is_refused_once_on_record(client_of, carol, root_ca):
    answer = client_of(carol).post("/api/v1/issuers/", {**NEW, "slug": "root"})

    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    refused = Event.objects.get(action="issuer.create.refuse")
    assert (refused.actor, refused.data["code"]) == (carol, "name_taken")


def old_crl(ca, *entries, number=7, **changes):
    """Return the CRL that a CA published elsewhere."""
    now = timezone.now().replace(microsecond=0)
    given = {"this_update": now, "next_update": now + timedelta(days=7), **changes}
    return x509_crl.assemble(
        **ca.signer, number=number, entries=map(x509_crl.encode, entries), **given
    )


@pytest.fixture
def existing(root_ca):
    """A CA that our root signed, whose key was kept elsewhere."""
    from issuers.connectors import connector_for  # noqa: PLC0415

    connector = connector_for(root_ca)
    ours = CA(root_ca.certificate, connector._key)
    begins = timezone.now().replace(microsecond=0)
    below = make_ca("ecdsa-p384", begins=begins, parent=ours, days=300)
    return ExistingCA(
        slug="taken",
        certificate_pem=pem_of(below.certificate),
        key_pem=pem_of_key(below.key),
        crls=[old_crl(below, number=41)],
    )


def test_a_ca_that_is_taken_over_stands_below_the_one_of_ours_that_signed_it(
    carol, root_ca, existing
):
    issuer = services.take_over_ca(actor=carol, ca=existing)

    assert issuer.parent == root_ca
    below = Certificate.objects.get(issuer=root_ca)
    assert below.current.pem == issuer.certificate_pem
    services.revoke(
        version_id=below.current_id, actor=carol, reason="superseded", confirm_name=below.name
    )
    assert (CRL.objects.get(issuer=issuer).number, issuer.crl_number) == (42, 42)


def test_a_key_to_be_taken_over_is_in_no_text_form(existing):
    assert "PRIVATE" not in repr(existing)
    assert "key" not in repr(existing)

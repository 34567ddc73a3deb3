"""Nobody enrolls, renews or collects what is another's: tried for each pair of credentials."""

import pytest

from certificates.models import Version
from issuers.models import Profile
from issuers.x509 import certs
from tests.ca import make_ca, named, pem_of
from tests.enrollment.conftest import DEVICE, OPEN, OTHER
from tests.enrollment.scep_client import Device
from tests.enrollment.scep_door import (
    FAILURE,
    PENDING,
    SUCCESS,
    asks,
    csr_der,
    device,
    new_key,
    replied,
)

pytestmark = pytest.mark.django_db

SHOWN = ("challenge", "certificate", "shared", "manufacturer", "elsewhere", "stranger")


@pytest.fixture
def world(scep, make_scep_label, secret_for, carol):
    """A label that accepts everything, with two devices that have all that there is to show."""
    maker = make_ca(subject=named("Maker"))
    profile = Profile.objects.create(slug="all", approval_required_for=[], **OPEN)
    label = make_scep_label(
        "routers",
        profile,
        accepts=["secret", "label-secret", "manufacturer"],
        trust_anchors_pem=pem_of(maker.certificate),
    )
    other_label = make_scep_label("others", profile)
    challenge = secret_for(label)
    victim = secret_for(label, OTHER)
    shared = secret_for(label, "", names=[], one_time=False)
    elsewhere = secret_for(other_label, "cam-9.demo.internal")
    held = device(scep, name=DEVICE)
    got = asks(scep, held, secret_for(label, DEVICE).text, name=DEVICE)
    victims = device(scep, name=OTHER)
    assert asks(scep, victims, victim.text, name=OTHER).status == SUCCESS
    at_other = device(scep, label="others", name="cam-9.demo.internal")
    got_there = asks(scep, at_other, elsewhere.text, name="cam-9.demo.internal", label="others")
    own = leaf(got, held)
    there = leaf(got_there, at_other)
    made = maker.certify("sn-1.maker.test", name="SN-1", key=new_key())
    ra = scep.ra_of()
    return label, {
        "challenge": (device(scep), challenge.text, 19),
        "certificate": (Device(ra, held.key, own, transaction_id="t2"), None, 17),
        "shared": (device(scep), shared.text, 19),
        "manufacturer": (Device(ra, made.key, made.certificate, transaction_id="t3"), None, 19),
        "elsewhere": (Device(ra, at_other.key, there, transaction_id="t4"), None, 17),
        "stranger": (device(scep), None, 19),
    }


def leaf(reply, who):
    """Return the certificate of the device's own key."""
    return next(one for one in reply.certificates if one.public_key() == who.key.public_key())


@pytest.mark.parametrize("shows", SHOWN)
@pytest.mark.parametrize("by", ["post", "get"])
def test_nobody_gets_another_device_s_name(scep, world, shows, by):
    _, all_shown = world
    who, challenge, kind = all_shown[shows]
    before = set(Version.objects.values_list("pk", flat=True))

    request = csr_der(who.key, name=OTHER, challenge=challenge)
    reply = replied(who, scep.send(who.message(kind, request), by=by))

    assert reply.status == FAILURE
    assert set(Version.objects.values_list("pk", flat=True)) == before


@pytest.mark.parametrize("shows", SHOWN)
def test_nobody_renews_another_device_s_certificate_or_asks_after_its_request(scep, world, shows):
    label, all_shown = world
    who, challenge, _ = all_shown[shows]
    victim = Version.objects.get(device=f"scep/routers/{OTHER}")

    renewal = who.message(17, csr_der(who.key, name=OTHER, challenge=challenge))
    poll = who.poll(label.issuer.certificate, subject=OTHER)
    get = who.get_cert(label.issuer.certificate, int(victim.serial, 16))

    assert [replied(who, scep.send(body)).status for body in (renewal, get)] == [FAILURE, FAILURE]
    reply = replied(who, scep.send(poll))
    assert victim.pem not in {certs.pem(one) for one in reply.certificates}


def test_a_manufacturer_s_certificate_enrolls_its_device_which_waits(scep, make_scep_label):
    maker = make_ca(subject=named("Maker"))
    profile = Profile.objects.create(
        slug="made",
        approval_required_for=[],
        **{**OPEN, "allowed_sans": ["dns:sn-1.demo.internal"]},
    )
    make_scep_label(
        "routers", profile, accepts=["manufacturer"], trust_anchors_pem=pem_of(maker.certificate)
    )
    key = new_key()
    born, forged = (
        one.certify("sn-1.maker.test", name="SN-1", key=key).certificate
        for one in (maker, make_ca(subject=named("Maker")))
    )
    who, fake = (device(scep, key=key, certificate=one) for one in (born, forged))

    assert asks(scep, fake, None, name="sn-1.demo.internal").status == FAILURE
    assert asks(scep, who, None, name="sn-1.demo.internal").status == PENDING


def test_a_manufacturer_s_certificate_renews_nothing(scep, world):
    _, all_shown = world
    who, _, _ = all_shown["manufacturer"]

    reply = replied(who, scep.send(who.message(17, csr_der(who.key, name="sn-1.demo.internal"))))

    assert reply.status == FAILURE

"""Fixtures for devices' doors: carol made the labels, alice makes credentials, bob decides."""

from dataclasses import replace

import pytest
from cryptography import x509

from audit.via import Door, Via
from enrollment import services
from enrollment.models import Label
from enrollment.services import Caller, NewCredential
from issuers.models import Profile
from owners.models import Principal
from tests.fixtures import PROFILE

FRONT = "192.0.2.7"  # a TLS front that is believed
DEVICE = "cam-1.demo.internal"
OTHER = "cam-2.demo.internal"
OPEN = {**PROFILE, "extended_key_usage": ["serverAuth", "clientAuth"]}


@pytest.fixture
def device_profile(db):
    """For devices: first certificates need approval, renewals do not."""
    return Profile.objects.create(slug="devices", approval_required_for=["Issuance"], **OPEN)


@pytest.fixture
def free_device_profile(db):
    """The same without approval."""
    return Profile.objects.create(slug="devices-free", approval_required_for=[], **OPEN)


@pytest.fixture
def make_label(carol, owner, local_ca):
    """Make a label as carol: `make_label("cams", profile)`."""

    def make(path, profile, *, protocol="est", **options):
        return services.create_label(
            actor=carol,
            protocol=protocol,
            path=path,
            issuer=options.pop("issuer", local_ca),
            profile=profile,
            owner=options.pop("owner", owner),
            **options,
        )

    return make


@pytest.fixture
def label(make_label, free_device_profile):
    """An EST label where nothing waits."""
    return make_label("cams", free_device_profile)


@pytest.fixture
def slow_label(make_label, device_profile):
    """An EST label where a first certificate waits for approval."""
    return make_label("slow-cams", device_profile)


@pytest.fixture
def secret_for(alice):
    """Make a credential as alice; its row and its text."""

    def make(label, name=DEVICE, *, names=None, actor=alice, **options):
        patterns = [f"dns:{name}"] if names is None else names
        wanted = NewCredential(device=name, names=patterns, **options)
        (made,) = services.create_credentials(actor=actor, label_id=label.pk, wanted=[wanted])
        return made

    return make


def machine(label: Label) -> Principal:
    """Return the label's principal as a door has it."""
    principal = Principal.objects.get(pk=label.principal_id)
    door = Door(label.protocol)
    principal.via = replace(Via(), door=door, remote_address="127.0.0.1")
    return principal


def ask_by(label, made, csr_pem, **options):
    """Ask at a label as whoever holds the credential `made`."""
    return services.ask(
        actor=machine(label),
        label_id=label.pk,
        caller=Caller(credential=made.credential.pk),
        csr_pem=csr_pem,
        **options,
    )


def ask_with(label, version, csr_pem, **options):
    """Ask at a label as whoever holds the key of `version`."""
    caller = services.by_certificate(
        label=label,
        certificate=x509.load_pem_x509_certificate(version.pem.encode()),
        via=machine(label).via,
    )
    return services.ask(
        actor=machine(label), label_id=label.pk, caller=caller, csr_pem=csr_pem, **options
    )


@pytest.fixture
def front(settings):
    """Have the front believed."""
    settings.TLS_FRONTS = [FRONT]


@pytest.fixture
def est(front):
    """A device that comes through the front."""
    from tests.enrollment.est_client import Est  # noqa: PLC0415 - it needs this module

    return Est(raise_request_exception=True)


# --- SCEP -----------------------------------------------------------------------------------


@pytest.fixture
def make_scep_label(make_label, django_capture_on_commit_callbacks):
    """Make a SCEP label as carol; its RA certificate is signed as soon as that is committed."""

    def make(path, profile, **options):
        with django_capture_on_commit_callbacks(execute=True):
            label = make_label(path, profile, protocol="scep", **options)
        return Label.objects.get(pk=label.pk)

    return make


@pytest.fixture
def scep_label(make_scep_label, free_device_profile):
    """A SCEP label where nothing waits."""
    return make_scep_label("routers", free_device_profile)


@pytest.fixture
def slow_scep_label(make_scep_label, device_profile):
    """A SCEP label where a first certificate waits for approval."""
    return make_scep_label("routers", device_profile)


@pytest.fixture
def scep(db):
    """A device that speaks SCEP."""
    from tests.enrollment.scep_door import Scep  # noqa: PLC0415 - it needs this module

    return Scep(raise_request_exception=True)

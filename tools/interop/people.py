"""What people do meanwhile: carol makes labels, alice credentials, bob decides. By use cases."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from certificates.models import Version
    from jobs.models import Job
    from owners.models import Principal

DOMAIN = "demo.internal"
PATIENCE = 30.0  # seconds for a client to bring its request


@dataclass(frozen=True, slots=True)
class Enrolling:
    """A device that may enroll at a label: its name and the text of its credential."""

    protocol: str
    label: str
    name: str
    secret: str

    @property
    def device(self) -> str:
        """How jobs and versions call it."""
        return f"{self.protocol}/{self.label}/{self.name}"


def make_profiles() -> None:
    """Make the profiles of devices: one under which a first certificate waits, one without."""
    from issuers.services import save_profile

    for slug, kinds in (("devices", []), ("devices-slow", ["Issuance"])):
        save_profile(
            actor=person("carol"),
            changes={
                "slug": slug,
                "name": slug,
                "key_algorithms": ["ecdsa-p256", "rsa-2048"],
                "key_usage": ["digitalSignature"],
                "extended_key_usage": ["clientAuth"],
                "allowed_sans": [f"dns:*.{DOMAIN}"],
                "subject_attributes": ["CN"],
                "max_lifetime": timedelta(days=47),
                "approval_required_for": kinds,
            },
        )


def device_at(protocol: str, path: str, *, waits: bool = False, **options: Any) -> Enrolling:
    """Make a label and a device with a credential for its own name there.

    The label is the default one of its protocol from now on: some clients reach no other.
    """
    from enrollment import services
    from enrollment.services import NewCredential
    from issuers.models import Issuer, Profile
    from owners.models import Owner

    _free_the_default(protocol)
    label = services.create_label(
        actor=person("carol"),
        protocol=protocol,
        path=path,
        issuer=Issuer.objects.get(slug="demo-issuing"),
        profile=Profile.objects.get(slug="devices-slow" if waits else "devices"),
        owner=Owner.objects.get(name="Web platform"),
        hourly_limit=100,
        is_default=True,
        **options,
    )
    name = f"{path}-1.{DOMAIN}"
    (made,) = services.create_credentials(
        actor=person("alice"),
        label_id=label.pk,
        wanted=[NewCredential(device=name, names=[f"dns:{name}"])],
    )
    return Enrolling(protocol, path, name, made.text)


def approve(device: Enrolling) -> None:
    """Approve what the device asks for, as soon as it does."""
    from jobs import services
    from jobs.approvals import review

    job = _waiting(device)
    services.approve_job(job_id=job.pk, actor=person("bob"), digest=review(job).digest)


def until_signed(device: Enrolling) -> None:
    """Wait until the worker has signed what was approved: a device that asks meanwhile waits on."""
    ends = time.monotonic() + PATIENCE
    while not versions(device):
        if time.monotonic() > ends:
            raise AssertionError(f"{device.name} is given no certificate.")
        time.sleep(0.2)


def reject(device: Enrolling, reason: str) -> None:
    """Reject what the device asks for, as soon as it does."""
    from jobs import services

    services.reject_job(job_id=_waiting(device).pk, actor=person("bob"), reason=reason)


def revoke(version: "Version") -> None:
    """Revoke a version whose key is lost."""
    import certificates.services

    certificates.services.revoke(version_id=version.pk, actor=person("bob"), reason="keyCompromise")


def versions(device: Enrolling) -> "list[Version]":
    """Return what the device was given, the oldest first."""
    from certificates.models import Version

    return list(Version.objects.filter(device=device.device).order_by("number"))


def person(name: str) -> "Principal":
    """Return one of the demo's people, as at a terminal."""
    from owners.models import Principal

    return Principal.objects.get(username=name)


def _free_the_default(protocol: str) -> None:
    from enrollment import services
    from enrollment.models import Label

    for label in Label.objects.filter(protocol=protocol, is_default=True):
        services.update_label(
            actor=person("carol"), label_id=label.pk, changes={"is_default": False}
        )


def _waiting(device: Enrolling) -> "Job":
    from jobs.models import Job
    from jobs.states import Status

    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        job = Job.objects.filter(device=device.device, status=Status.AWAITING_APPROVAL).first()
        if job is not None:
            return job
        time.sleep(0.2)
    raise AssertionError(f"{device.name} has asked for nothing that waits.")

"""A device, and the secrets that it may enroll with the first time."""

import hashlib
import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from audit.about import About
from enrollment.models.labels import Label
from foundation.statements import Given, Rows, locked
from owners.models import Principal

MAX_DEVICE_NAME = 100
_DIGITS = 16  # of the digest in a long name: 64 bits


def device_name(text: str) -> str:
    """Return the name under which a device that calls itself `text` is known.

    One that is too long is cut, and told from others that begin the same by its digest.
    """
    if len(text) <= MAX_DEVICE_NAME:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    return f"{text[: MAX_DEVICE_NAME - _DIGITS - 1]}~{digest}"


class DeviceQuerySet(models.QuerySet["Device"]):
    """Devices as services look for them."""

    def lock(self, pk: uuid.UUID) -> "Device":
        """Return the bare row, locked; raises Device.DoesNotExist."""
        return locked(Device, pk)


class Device(models.Model):
    """What enrolls at a label: known by a credential at first, then by the certificate it holds."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.ForeignKey(Label, models.PROTECT, related_name="devices")
    name = models.CharField(max_length=MAX_DEVICE_NAME)
    announced = models.BooleanField(
        default=True,
        editable=False,
        help_text="Somebody here named it; otherwise it came by itself, by what all devices share.",
    )
    blocked_at = models.DateTimeField(null=True, blank=True, editable=False)
    blocked_because = models.CharField(max_length=500, blank=True, editable=False)
    created_by = models.ForeignKey(
        Principal, models.PROTECT, null=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["label", "name"], name="enrollment_device_once")
        ]
        indexes = [models.Index(fields=["-created_at", "id"], name="enrollment_device_newest")]
        permissions = [("block_device", "Can block a device at once")]

    def __str__(self) -> str:
        return self.name

    def about(self) -> About:
        """Return what an event on this device is about."""
        return self.label.about()


class CredentialQuerySet(models.QuerySet["Credential"]):
    """Credentials as doors and services look for them."""

    def of_prefix(self, prefix: str) -> "Credential | None":
        """Return the credential of that prefix with its device and maker, in one query."""
        return _OF_PREFIX.first(prefix=prefix)

    def lock(self, pk: uuid.UUID) -> "Credential":
        """Return the bare row, locked; raises Credential.DoesNotExist."""
        return locked(Credential, pk)


class Credential(models.Model):
    """A secret that enrolls: EST's password, SCEP's challenge. Stored nowhere but as SHA-256."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.ForeignKey(Label, models.PROTECT, related_name="credentials")
    device = models.ForeignKey(
        Device,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="credentials",
        help_text="Whose it is; empty: all devices of the label share it.",
    )
    names = models.JSONField(
        default=list,
        blank=True,
        help_text='What it may enroll, as ["dns:cam-17.example.com", "dns:*.cams.example.com"].',
    )
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    one_time = models.BooleanField(
        default=True, help_text="Spent by the first request that it brings."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    spent_on = models.OneToOneField(
        "Enrollment",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        help_text="The one request that a one-time credential stands for, since it brought it.",
    )
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(Principal, models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(device__isnull=False) | Q(one_time=False),
                name="enrollment_shared_is_not_one_time",
            )
        ]
        indexes = [models.Index(F("created_at").desc(), F("id"), name="enrollment_cred_newest")]

    def __str__(self) -> str:
        return f"{self.device or 'all devices'} ({self.prefix}…)"

    def about(self) -> About:
        """Return what an event on this credential is about."""
        return self.label.about()

    def is_usable(self, now: datetime) -> bool:
        """Whether it is neither disabled nor expired; being spent is another question."""
        return self.disabled_at is None and (self.expires_at is None or now < self.expires_at)


_OF_PREFIX: Rows[Credential] = Rows(
    lambda: (
        Credential.objects.select_related("device", "created_by")
        .filter(prefix=Given("prefix", models.CharField()))
        .order_by()
    )
)

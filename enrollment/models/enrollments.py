"""One request of a device, and the job that it became."""

import uuid
from collections.abc import Collection
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from audit.about import About
from certificates.models import Certificate, Version
from enrollment.models.devices import Credential, Device
from enrollment.models.labels import Label
from enrollment.states import Stand
from foundation.statements import Given
from jobs.models import Job
from jobs.states import Status


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    """Enrollments as services look for them."""

    def standing(self, stand: str) -> Self:
        """Narrow to what became of them, as `enrollment.services.standing` says it of one."""
        issued = Q(job__status=Status.COMPLETED, job__version_id__isnull=False)
        waiting = Q(job__in=Job.objects.under_way())
        return self.filter(
            {Stand.ISSUED: issued, Stand.WAITING: waiting}.get(Stand(stand), ~issued & ~waiting)
        )

    def with_outcome(self) -> Self:
        """Fetch along what the outcome of each, and the line that shows it, ask for."""
        return self.select_related(
            "label", "device", "credential__device", "certificate", "job__version__revocation"
        )

    def let_in_by(self, anchors: Collection[str]) -> Self:
        """Return what these trust anchors let in, or may have: of the first that was not kept."""
        unknown = Q(anchor="", credential__isnull=True, presented__isnull=True)
        return self.filter(Q(anchor__in=anchors) | unknown)

    def same(
        self,
        device: Device | Given,
        key_fingerprint: str | Given,
        names_digest: str | Given,
    ) -> Self:
        """Return the same request, whenever it came, the newest first."""
        return self.filter(
            device=device, key_fingerprint=key_fingerprint, names_digest=names_digest
        ).order_by("-created_at", "-pk")


class Enrollment(models.Model):
    """What a device asked for. The same asked again is this row again, not another one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.ForeignKey(Label, models.PROTECT, related_name="enrollments")
    device = models.ForeignKey(Device, models.PROTECT, related_name="enrollments")
    credential = models.ForeignKey(
        Credential, models.PROTECT, null=True, blank=True, related_name="enrollments"
    )
    presented = models.ForeignKey(
        Version,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The certificate that the device showed, of those that it enrolled.",
    )
    anchor = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="SHA-256 of the trust anchor that let the device in, where one did.",
    )
    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="enrollments")
    job = models.OneToOneField(Job, models.PROTECT, related_name="enrollment")
    key_fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the public key.")
    names_digest = models.CharField(max_length=64, help_text="SHA-256 of subject and names.")
    transaction = models.CharField(
        max_length=255, blank=True, help_text="What the device calls it, in SCEP."
    )
    transaction_key = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="SHA-256 of the key that signed the request, in SCEP: it asks after it, too.",
    )
    server_key = models.BooleanField(
        default=False,
        editable=False,
        help_text="Its key was made here, went out once and is not kept.",
    )
    remote_address = models.GenericIPAddressField(null=True, blank=True)
    collected_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the device first got its answer."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = EnrollmentQuerySet.as_manager()

    # Known in memory alone, to the very request that made it: it was signed with the asking.
    issued: Version | None = None

    class Meta:
        ordering = ["-created_at", "pk"]
        indexes = [
            models.Index(fields=["device", "-created_at"], name="enrollment_of_device"),
            models.Index(fields=["label", "-created_at"], name="enrollment_of_label"),
            models.Index(fields=["-created_at", "id"], name="enrollment_newest"),
            models.Index(
                fields=["anchor", "-created_at"],
                condition=~Q(anchor=""),
                name="enrollment_of_anchor",
            ),
            models.Index(
                fields=["label", "transaction"],
                condition=~Q(transaction=""),
                name="enrollment_transaction",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device} at {self.label}"

    def about(self) -> About:
        """Return what an event on this enrollment is about."""
        return self.certificate.about()

"""Alerts: what somebody has to look at, from when it was first seen until it is over."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from audit.about import About
from issuers.models import Issuer
from owners.models import Principal


class AlertQuerySet(models.QuerySet["Alert"]):
    """Alerts as the sweeps and people look for them."""

    def open(self) -> Self:
        """Those that are not over."""
        return self.filter(cleared_at__isnull=True)


class Alert(models.Model):
    """That something about a certificate or an issuer is not as it should be.

    Sweeps raise and clear it; people acknowledge that they have seen it. There is one open alert
    per subject and kind, however often it is seen; one that is over stays as history.
    """

    class Kind(models.TextChoices):
        """What is wrong; the values are API."""

        RENEWAL_GAINS_NO_TIME = "renewal_gains_no_time", "A renewal gains no time"
        ISSUER_REVOKED = "issuer_revoked", "Its CA is revoked"
        EXPIRES_WITHOUT_RENEWAL = "expires_without_renewal", "It ends and nothing renews it"
        VALIDATION_FAILED = "validation_failed", "Something else is served"
        CA_ENDS_SOON = "ca_ends_soon", "The CA ends soon"
        CRL_LATE = "crl_late", "The CRL is late"
        LINT_FAILED = "lint_failed", "A linter finds fault with what is published"
        RA_NOT_VALID = "ra_not_valid", "SCEP has no valid RA certificate"
        RESPONDER_NOT_VALID = "responder_not_valid", "OCSP has no valid delegate"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=32, choices=Kind)
    certificate = models.ForeignKey(
        "certificates.Certificate",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="alerts",
        help_text="What it is about, unless that is an issuer.",
    )
    issuer = models.ForeignKey(Issuer, models.PROTECT, null=True, blank=True, related_name="alerts")
    detail = models.TextField(help_text="What is wrong and what to do, in words.")
    since = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)
    acknowledged_by = models.ForeignKey(
        Principal, models.PROTECT, null=True, blank=True, related_name="+"
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-since", "pk"]
        default_permissions = ("view",)
        permissions = [("acknowledge_alert", "Can acknowledge alerts")]
        constraints = [
            models.CheckConstraint(
                condition=Q(certificate__isnull=False, issuer__isnull=True)
                | Q(certificate__isnull=True, issuer__isnull=False),
                name="alerts_one_subject",
            ),
            models.UniqueConstraint(
                fields=["certificate", "kind"],
                condition=Q(cleared_at__isnull=True, certificate__isnull=False),
                name="alerts_open_once",
            ),
            models.UniqueConstraint(
                fields=["issuer", "kind"],
                condition=Q(cleared_at__isnull=True, issuer__isnull=False),
                name="alerts_open_once_issuer",
            ),
        ]
        indexes = [models.Index(fields=["-since", "id"], name="alerts_newest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.certificate or self.issuer}"

    def about(self) -> About:
        """Return what an event on this alert is about."""
        return self.certificate.about() if self.certificate else About()

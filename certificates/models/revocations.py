"""Revocations, and the CRLs that relying parties read of them."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from audit.about import About
from certificates.models.certificates import Version
from foundation.numbers import LongNumberField
from issuers.models import Issuer
from owners.models import Principal


class Reason(models.TextChoices):
    """Why a certificate was revoked: RFC 5280 §5.3.1 by name; 7 is unused, 8 is for delta CRLs."""

    UNSPECIFIED = "unspecified", "unspecified"
    KEY_COMPROMISE = "keyCompromise", "keyCompromise"
    CA_COMPROMISE = "cACompromise", "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged", "affiliationChanged"
    SUPERSEDED = "superseded", "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation", "cessationOfOperation"
    CERTIFICATE_HOLD = "certificateHold", "certificateHold"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn", "privilegeWithdrawn"


class RevocationQuerySet(models.QuerySet["Revocation"]):
    """Revocations as a CRL lists them."""

    def for_crl(self, issuer: Issuer) -> Self:
        """What the next CRL of `issuer` must list, by serial.

        RFC 5280 §3.3: an entry stays until it was on one regularly scheduled CRL issued after the
        certificate's expiry. `final_crl` names that CRL once it was published.
        """
        return (
            self.filter(version__issuer=issuer, version__short_lived=False, final_crl__isnull=True)
            .select_related("version")
            .order_by("version__serial")
        )


class Revocation(models.Model):
    """The row that makes a version bad."""

    version = models.OneToOneField(
        Version, models.PROTECT, primary_key=True, related_name="revocation"
    )
    reason = models.CharField(max_length=24, choices=Reason, default=Reason.UNSPECIFIED)
    revoked_at = models.DateTimeField(help_text="The revocationDate that the CRL states.")
    invalid_since = models.DateTimeField(
        null=True, blank=True, help_text="The invalidityDate that an old CRL of the CA stated."
    )
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_by = models.ForeignKey(Principal, models.PROTECT, related_name="+")
    note = models.TextField(blank=True)
    listed_in = LongNumberField(
        null=True,
        blank=True,
        help_text="Number of the first CRL that states this as it stands; empty: none does yet.",
    )
    final_crl = LongNumberField(
        null=True, blank=True, help_text="Number of the CRL that listed it after its expiry."
    )

    objects = RevocationQuerySet.as_manager()

    class Meta:
        ordering = ["-recorded_at"]
        constraints = [
            models.CheckConstraint(condition=Q(reason__in=Reason.values), name="certs_reason_known")
        ]

    def __str__(self) -> str:
        return f"{self.version.serial} ({self.reason})"

    def about(self) -> About:
        """Return what an event on this revocation is about."""
        return self.version.about()


class SerialRevocation(models.Model):
    """A revocation by issuer and serial: an old CRL of the CA lists it, and no certificate is here.

    Serial and date may be such as no certificate of ours has. When the certificate ends is not
    known, so it stays on the CRL (RFC 5280 §3.3 lets it), until a version takes its place.
    """

    issuer = models.ForeignKey(Issuer, models.PROTECT, related_name="serial_revocations")
    serial = models.CharField(
        max_length=2001, help_text="Lower-case hexadecimal, of any length; it may be negative."
    )
    reason = models.CharField(max_length=24, help_text="By its name in RFC 5280 §5.3.1.")
    revoked_at = models.DateTimeField(help_text="The revocationDate that the CRL states.")
    invalid_since = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)
    recorded_by = models.ForeignKey(Principal, models.PROTECT, related_name="+")
    listed_in = LongNumberField(
        null=True, blank=True, help_text="Number of the first CRL of ours that states this."
    )

    class Meta:
        ordering = ["-recorded_at", "pk"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["issuer", "serial"], name="certs_serial_revoked_once")
        ]

    def __str__(self) -> str:
        return f"{self.serial[:40]} ({self.reason})"


class CRL(models.Model):
    """One signed CRL, served byte for byte as it was signed."""

    issuer = models.ForeignKey(Issuer, models.PROTECT, related_name="crls")
    number = LongNumberField()
    this_update = models.DateTimeField()
    next_update = models.DateTimeField()
    entries = models.PositiveIntegerField(default=0)
    der = models.BinaryField()
    etag = models.CharField(max_length=64, help_text="SHA-256 of the DER.")

    class Meta:
        verbose_name = "CRL"
        verbose_name_plural = "CRLs"
        ordering = ["-number"]
        permissions = [("publish_crl", "Can have a CRL published now")]
        constraints = [
            models.UniqueConstraint(fields=["issuer", "number"], name="certs_crl_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.issuer} CRL {self.number}"

"""Revocations, and the CRLs that relying parties read of them."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID, uuid4

from cryptography.x509 import ReasonFlags
from django.db import models
from django.db.models import Q
from django.utils import timezone
from typing_extensions import override

from audit.about import About
from certificates.models.certificates import Version
from foundation.numbers import LongNumberField
from issuers.models import Issuer
from issuers.x509 import crl as x509_crl
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


REASONS = {reason.value: reason for reason in ReasonFlags}


class RevocationQuerySet(models.QuerySet["Revocation"]):
    """Revocations as a CRL lists them."""

    def for_crl(self, issuer: Issuer) -> Self:
        """What the next CRL of `issuer` must list, by serial.

        RFC 5280 §3.3: an entry stays until it was on one regularly scheduled CRL issued after the
        certificate's expiry. `final_crl` names that CRL once it was published.
        """
        return self.filter(issuer=issuer, final_crl__isnull=True).order_by("serial")


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
    # From here on: what a CRL is built of, so that a build reads this one table in one order.
    issuer = models.ForeignKey(
        Issuer,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        help_text="Whose CRL lists it; empty: none does (RFC 9608, or a CA that we do not run).",
    )
    serial = models.CharField(max_length=40, editable=False, help_text="That of the version.")
    not_after = models.DateTimeField(null=True, editable=False, help_text="That of the version.")
    shard = models.PositiveSmallIntegerField(
        null=True, editable=False, help_text="That of the version."
    )
    entry = models.BinaryField(
        default=b"", help_text="Its entry on the CRL in DER, as the columns above say it."
    )

    objects = RevocationQuerySet.as_manager()

    class Meta:
        ordering = ["-recorded_at"]
        indexes = [
            # What the next CRL lists, in its order: a build reads this index and no row.
            models.Index(
                fields=["issuer", "serial", "shard", "entry"],
                condition=Q(final_crl__isnull=True),
                name="revocations_listed",
            ),
            models.Index(
                fields=["issuer"], condition=Q(listed_in__isnull=True), name="revocations_unlisted"
            ),
            models.Index(
                fields=["issuer", "not_after"],
                condition=Q(final_crl__isnull=True),
                name="revocations_ending",
            ),
            models.Index(
                fields=["issuer", "listed_in"],
                condition=Q(final_crl__isnull=True),
                name="revocations_since",
            ),
            models.Index(fields=["issuer", "final_crl"], name="revocations_final"),
            models.Index(fields=["recorded_at"], name="revocations_recorded"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(reason__in=Reason.values), name="certs_reason_known")
        ]

    def __str__(self) -> str:
        return f"{self.serial} ({self.reason})"

    @override
    def save(self, **options: Any) -> None:
        """Keep it with the entry that says what it says; `bulk_create` wants `fill` before."""
        self.fill()
        if options.get("update_fields") is not None:
            options["update_fields"] = {*options["update_fields"], *FILLED}
        super().save(**options)

    def fill(self) -> None:
        """Set what a CRL is built of from the version and from what this row states."""
        version = self.version
        self.issuer_id = None if version.short_lived else version.issuer_id
        self.serial, self.not_after = version.serial, version.not_after
        self.shard = version.shard
        self.entry = entry_of(self.serial, self.reason, self.revoked_at, self.invalid_since)

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
    entry = models.BinaryField(
        default=b"", help_text="Its entry on the CRL in DER; empty where the serial is no number."
    )

    class Meta:
        ordering = ["-recorded_at", "pk"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["issuer", "serial"], name="certs_serial_revoked_once")
        ]
        indexes = [
            models.Index(
                fields=["issuer"], condition=Q(listed_in__isnull=True), name="serials_unlisted"
            )
        ]

    def __str__(self) -> str:
        return f"{self.serial[:40]} ({self.reason})"

    @override
    def save(self, **options: Any) -> None:
        """Keep it with its entry; `bulk_create` wants `fill` before."""
        self.fill()
        super().save(**options)

    def fill(self) -> None:
        """Set the entry from what this row states."""
        self.entry = entry_of(self.serial, self.reason, self.revoked_at, self.invalid_since)


FILLED = ("issuer", "serial", "not_after", "shard", "entry")


def entry_of(
    serial: str, reason: str, revoked_at: datetime, invalid_since: datetime | None
) -> bytes:
    """Return a revocation's entry on a CRL in DER (RFC 5280 §5.3).

    Nothing where `serial` is no number: that one must not stop all others. A reason that is not
    known is unspecified.
    """
    try:
        number = int(serial, 16)
    except ValueError:
        return b""
    why = REASONS.get(reason, ReasonFlags.unspecified)
    return x509_crl.encode(x509_crl.Entry(number, revoked_at, why, invalid_since))


class Removal(models.Model):
    """A hold that was released, and may be on a CRL: deltas say so (RFC 5280 §5.3.1)."""

    issuer = models.ForeignKey(Issuer, models.CASCADE, related_name="+")
    serial = models.CharField(max_length=40)
    removed_at = models.DateTimeField(default=timezone.now)
    left_out_of = LongNumberField(
        null=True, help_text="Number of the first CRL without it; empty: none yet."
    )

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["issuer", "left_out_of"], name="removals_since")]

    def __str__(self) -> str:
        return self.serial


class Body(models.Model):
    """The bytes of something large that was signed, in pieces, so that no statement has them all.

    It is written before what refers to it, and is nobody's until then.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class Piece(models.Model):
    """Some of a body's bytes."""

    body = models.ForeignKey(Body, models.CASCADE, related_name="pieces")
    position = models.PositiveIntegerField(help_text="Its place among the pieces, from 0.")
    data = models.BinaryField()

    class Meta:
        default_permissions = ()
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["body", "position"], name="certs_piece_once")
        ]

    def __str__(self) -> str:
        return f"{self.body_id} {self.position}"


class CRL(models.Model):
    """One signed CRL, served byte for byte as it was signed."""

    issuer = models.ForeignKey(Issuer, models.PROTECT, related_name="crls")
    number = LongNumberField()
    this_update = models.DateTimeField()
    next_update = models.DateTimeField()
    entries = models.PositiveIntegerField(default=0)
    addresses = models.PositiveIntegerField(
        default=0, help_text="How many addresses of shards its parts name."
    )
    body = models.ForeignKey(Body, models.PROTECT, related_name="+", editable=False)
    size = models.PositiveIntegerField(help_text="Of the DER, in octets.")
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

    @property
    def der(self) -> bytes:
        """All of it, read from the database."""
        return der_of(self.body_id)


class CRLPart(models.Model):
    """What was published with a CRL, under its number and dates: a shard of it, or its delta."""

    DELTA = "delta"

    crl = models.ForeignKey(CRL, models.CASCADE, related_name="parts")
    scope = models.CharField(max_length=8, help_text='The number of the shard, or "delta".')
    base_number = LongNumberField(null=True, help_text="Of a delta: what it adds to.")
    entries = models.PositiveIntegerField()
    body = models.ForeignKey(Body, models.PROTECT, related_name="+", editable=False)
    size = models.PositiveIntegerField(help_text="Of the DER, in octets.")
    etag = models.CharField(max_length=64, help_text="SHA-256 of the DER.")

    class Meta:
        verbose_name = "part of a CRL"
        verbose_name_plural = "parts of CRLs"
        default_permissions = ("view",)
        ordering = ["crl", "scope"]
        constraints = [models.UniqueConstraint(fields=["crl", "scope"], name="certs_crl_part_once")]

    def __str__(self) -> str:
        return f"{self.crl} {self.scope}"

    @property
    def der(self) -> bytes:
        """All of it, read from the database."""
        return der_of(self.body_id)


def der_of(body_id: UUID) -> bytes:
    """Return the bytes of a body; read piece by piece."""
    pieces = Piece.objects.filter(body=body_id).order_by("position")
    return b"".join(bytes(data) for data in pieces.values_list("data", flat=True).iterator(4))

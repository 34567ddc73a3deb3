"""Certificates, their versions, and what revocation leaves behind."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import ExpressionWrapper, F, Max, Q, Value
from django.db.models.lookups import GreaterThanOrEqual
from django.utils import timezone

from audit.about import About
from audit.changes import Changes, changed
from foundation.sealed import SealedField
from foundation.statements import locked, update
from issuers.models import Issuer, Profile
from issuers.server_keys import SERVER_KEY
from owners.models import Owner, Principal, Team


class RenewalPolicy(models.Model):
    """When and how a certificate is renewed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    auto_renew = models.BooleanField(default=True)
    window = models.DurationField(
        default=timedelta(days=14),
        help_text="How long before its end a renewal is due; at most two thirds of its lifetime, "
        "at least two minutes.",
    )
    reuse_key = models.BooleanField(
        default=True,
        help_text="Renew from the last CSR; otherwise the job waits for a new one (AwaitingCSR).",
    )
    max_attempts = models.PositiveSmallIntegerField(default=3, validators=[MinValueValidator(1)])
    retry_delay = models.DurationField(default=timedelta(minutes=1))
    alert_days = models.JSONField(default=list, blank=True, help_text="As [30, 14, 7, 0].")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "renewal policies"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CertificateStatus(models.TextChoices):
    """Where a certificate stands; the values are API."""

    PENDING = "Pending"
    ACTIVE = "Active"
    EXPIRING = "Expiring"
    EXPIRED = "Expired"
    RENEWAL_IN_PROGRESS = "RenewalInProgress", "Renewal in progress"
    FAILED = "Failed"
    REVOKED = "Revoked"
    ARCHIVED = "Archived"


class CertificateQuerySet(models.QuerySet["Certificate"]):
    """Certificates as the services and the sweeps look for them."""

    def lock(self, pk: uuid.UUID) -> "Certificate":
        """Return the certificate with its row locked; raises Certificate.DoesNotExist."""
        return locked(Certificate, pk)

    def show_revoked(self) -> int:
        """Have these show that their current version is revoked; the caller holds their locks.

        What is archived stays so, as in `Certificate.become`, which this is for many.
        """
        rows = self.exclude(status=CertificateStatus.ARCHIVED)
        return rows.update(status=CertificateStatus.REVOKED, updated_at=timezone.now())

    def ending(self, now: datetime, window: timedelta | models.F) -> Self:
        """Those whose current version ends within `window` of `now`, or has ended.

        A window is never longer than two thirds of a version's life (policy.renewal_window): not
        before a third of that is over.
        """
        at = Value(now, output_field=models.DateTimeField())
        if isinstance(window, timedelta):
            is_near = Q(current__not_after__lte=now + window)
        else:
            horizon = ExpressionWrapper(at + window, output_field=models.DateTimeField())
            is_near = Q(current__not_after__lte=horizon)
        return self.filter(current__superseded_at__isnull=True).filter(
            Q(current__not_after__lte=now) | is_near & third_is_over(now)
        )

    def due_for_renewal(self, now: datetime) -> Self:
        """Certificates that their policy wants renewed at `now`, the most urgent first.

        Not what a device holds: it renews for itself, and could not tell why what it has was
        replaced.

        One that has ended stays due. Every minute this is asked, so the longest window that there
        is has the index find the few rows that any policy could mean.
        """
        wanting = RenewalPolicy.objects.filter(auto_renew=True)
        longest: timedelta | None = wanting.aggregate(longest=Max("window"))["longest"]
        if longest is None:
            return self.none()
        return (
            self.ending(now, F("renewal_policy__window"))
            .filter(
                status__in=(
                    CertificateStatus.ACTIVE,
                    CertificateStatus.EXPIRING,
                    CertificateStatus.EXPIRED,
                ),
                renewal_policy__auto_renew=True,
                current__not_after__lte=now + longest,
                current__revocation__isnull=True,
                current__device="",
            )
            .select_related("current", "renewal_policy")
            .order_by("current__not_after", "pk")
        )


def third_is_over(now: datetime) -> Q:
    """Whether a third of the life of a certificate's current version is over at `now`."""
    at = Value(now, output_field=models.DateTimeField())
    span = models.DurationField()
    age = ExpressionWrapper(at - F("current__not_before"), output_field=span)
    life = ExpressionWrapper(F("current__not_after") - F("current__not_before"), output_field=span)
    return Q(GreaterThanOrEqual(ExpressionWrapper(age * 3, output_field=span), life))


class Certificate(models.Model):
    """A name under management: who answers for it, who signs it, under which rules."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    common_name = models.CharField(max_length=64, blank=True)
    sans = models.JSONField(
        "subject alternative names", default=list, help_text='As ["dns:web.example.com"].'
    )
    owner = models.ForeignKey(Owner, models.PROTECT, related_name="certificates")
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="certificates"
    )
    issuer = models.ForeignKey(Issuer, models.PROTECT, related_name="certificates")
    profile = models.ForeignKey(Profile, models.PROTECT, related_name="certificates")
    renewal_policy = models.ForeignKey(
        RenewalPolicy, models.PROTECT, null=True, blank=True, related_name="certificates"
    )
    environment = models.CharField(max_length=32, blank=True, db_index=True)
    tags = models.JSONField(default=list, blank=True)
    status = models.CharField(
        max_length=20, choices=CertificateStatus, default=CertificateStatus.PENDING, editable=False
    )
    current = models.OneToOneField(
        "Version", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "pk"]
        indexes = [
            models.Index(fields=["-created_at", "id"], name="certs_newest"),
            models.Index(fields=["status", "-created_at"], name="certs_status"),
            models.Index(fields=["name"], name="certs_name"),
            # What is usual under a profile is read of its newest.
            models.Index(fields=["profile", "-created_at", "id"], name="certs_profile_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=CertificateStatus.values), name="certs_status_known"
            )
        ]
        permissions = [
            ("import_certificate", "Can import certificates"),
            ("export_certificate", "Can export certificates"),
            ("revoke_certificate", "Can revoke one certificate"),
            ("bulk_revoke", "Can revoke many certificates at once"),
            ("revoke_ca", "Can revoke a CA's own certificate"),
            ("archive_certificate", "Can archive certificates"),
        ]

    def __str__(self) -> str:
        return self.name

    def about(self) -> About:
        """Return what an event on this certificate is about."""
        return About(self.pk, self.owner_id)

    def become(self, status: CertificateStatus, *, also: Sequence[str] = ()) -> Changes:
        """Set the status, which only this does, and tell; the caller holds the row's lock.

        `also` are fields that the caller has set, saved with it.
        """
        done = changed(self, {"status": status}, ("status",))
        if done or also:
            update(self, [*also, "status", "updated_at"])
        return done


class VersionQuerySet(models.QuerySet["Version"]):
    """Versions as revocation and its answers look for them."""

    def issued_elsewhere(self, *, after: uuid.UUID | None = None) -> Self:
        """Those that no key of ours is known to have signed, by key; only those behind `after`."""
        # By the empty column too, as the index is, so that either database reads on in it.
        rows = self.filter(issuer__isnull=True).order_by("issuer_id", "pk")
        return rows if after is None else rows.filter(pk__gt=after)


class Version(models.Model):
    """One signed X.509 certificate. Written once, but for `superseded_at` and `answers_after`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="versions")
    issuer = models.ForeignKey(
        Issuer,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="versions",
        help_text="Whose key signed it; empty for an imported one of a CA that we do not run.",
    )
    number = models.PositiveIntegerField(help_text="1 for the first, rising by one.")
    serial = models.CharField(max_length=40, help_text="Lower-case hexadecimal.")
    subject = models.CharField(max_length=500)
    sans = models.JSONField(default=list)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField(db_index=True)
    fingerprint = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 of the DER, in lower-case hexadecimal."
    )
    key_fingerprint = models.CharField(
        max_length=64, db_index=True, help_text="SHA-256 of the SubjectPublicKeyInfo."
    )
    key_algorithm = models.CharField(max_length=16)
    key_size = models.PositiveIntegerField(null=True, blank=True)
    pem = models.TextField()
    chain_pem = models.TextField(blank=True)
    csr_pem = models.TextField(blank=True)
    encrypted_key = SealedField(
        SERVER_KEY,
        null=True,
        help_text="Only where the server made the key (a demo setting); encrypted at rest.",
    )
    short_lived = models.BooleanField(
        default=False, help_text="It carries noRevAvail: in no CRL and no OCSP (RFC 9608)."
    )
    shard = models.PositiveSmallIntegerField(
        null=True,
        editable=False,
        help_text="Which part of its issuer's CRL its CDP names; empty: the complete one.",
    )
    job_id = models.UUIDField(
        null=True,
        unique=True,
        editable=False,
        help_text="The job that had it signed; unique, so that no job makes two.",
    )
    requested_by = models.ForeignKey(
        Principal,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        help_text="Who asked when its key was brought, or imported it; empty: nobody knows.",
    )
    csr_by = models.ForeignKey(
        Principal,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name="CSR by",
        help_text="Who brought its CSR, or imported it; empty: nobody knows.",
    )
    device = models.CharField(
        max_length=170,
        blank=True,
        editable=False,
        help_text="The device that enrolled it, with its label; empty: somebody else asked.",
    )
    superseded_at = models.DateTimeField(null=True, blank=True, editable=False)
    answers_after = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="The latest thisUpdate of an OCSP answer that no longer holds.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "pk"]
        indexes = [
            models.Index(fields=["-created_at", "id"], name="versions_newest"),
            # Whoever looks for a serial knows no issuer.
            models.Index(fields=["serial"], name="versions_serial"),
            models.Index(
                fields=["not_after"],
                condition=Q(superseded_at__isnull=True),
                name="versions_current_end",
            ),
            models.Index(
                fields=["issuer", "id"],
                condition=Q(issuer__isnull=True),
                name="versions_elsewhere",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["issuer", "serial"], name="certs_serial_once"),
            models.UniqueConstraint(fields=["certificate", "number"], name="certs_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.certificate.name} v{self.number}"

    def about(self) -> About:
        """Return what an event on this version is about."""
        return self.certificate.about()

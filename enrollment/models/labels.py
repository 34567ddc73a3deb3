"""A label: one address at which devices enroll, and what holds for all that is enrolled there."""

import uuid

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from audit.about import About
from certificates.models import Certificate, RenewalPolicy
from enrollment.states import Accepts, Protocol
from issuers.models import Issuer, Profile
from owners.models import Owner, Principal, Team


def default_accepts() -> list[str]:
    """Return what a new label accepts: credentials that were made for one device each."""
    return [Accepts.SECRET.value]


class Label(models.Model):
    """One address of EST or SCEP, and the rules for all that enrolls there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    protocol = models.CharField(max_length=8, choices=Protocol)
    path = models.SlugField(
        max_length=64,
        help_text="As cams in /.well-known/est/cams/ and /scep/cams: a-z, 0-9 and hyphens.",
    )
    is_default = models.BooleanField(
        default=False, help_text="Also answers where no label is given; one of each protocol."
    )
    enabled = models.BooleanField(default=True)
    principal = models.OneToOneField(
        Principal,
        models.PROTECT,
        related_name="enrollment_label",
        editable=False,
        help_text="The machine that asks for what devices enroll here.",
    )
    issuer = models.ForeignKey(Issuer, models.PROTECT, related_name="+")
    profile = models.ForeignKey(Profile, models.PROTECT, related_name="+")
    owner = models.ForeignKey(
        Owner, models.PROTECT, related_name="+", help_text="Who answers for what is enrolled here."
    )
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="+")
    renewal_policy = models.ForeignKey(
        RenewalPolicy,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Its window and its alerts; devices renew for themselves, so without auto-renew.",
    )
    environment = models.CharField(max_length=32, blank=True)
    tags = models.JSONField(default=list, blank=True)
    accepts = models.JSONField(
        default=default_accepts,
        blank=True,
        help_text='What may be shown the first time: any of "secret", "label-secret" and '
        '"manufacturer". The certificate that a device enrolled here renews always.',
    )
    trust_anchors_pem = models.TextField(
        "trust anchors",
        blank=True,
        help_text="CA certificates of manufacturers, as PEM, whose device certificates may enroll.",
    )
    anchor_makers = models.JSONField(
        default=dict,
        editable=False,
        help_text="Who brought each trust anchor, by its SHA-256: they vouch for what it lets in.",
    )
    anchors_by = models.ForeignKey(
        Principal,
        models.PROTECT,
        verbose_name="anchors given by",
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    approve_first = models.BooleanField(
        default=False,
        help_text="Every first enrollment waits for approval, whatever the profile says.",
    )
    approve_renewals = models.BooleanField(
        default=False, help_text="Every renewal waits for approval, whatever the profile says."
    )
    trust_shared = models.BooleanField(
        default=False,
        help_text="Whoever shows only what all devices share, or a manufacturer's certificate, "
        "waits for approval no more than the profile says.",
    )
    hourly_limit = models.PositiveIntegerField(
        default=10,
        validators=[MinValueValidator(1)],
        help_text="New requests of one device within an hour.",
    )
    server_keys = models.BooleanField(
        default=False, help_text="EST only: devices may have their key made here (serverkeygen)."
    )
    legacy_algorithms = models.BooleanField(
        default=False, help_text="SCEP only: 3DES and SHA-1 too, which others can break."
    )
    ra_certificate = models.OneToOneField(
        Certificate,
        models.PROTECT,
        verbose_name="RA certificate",
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        help_text="SCEP only: whose key opens requests and signs answers.",
    )
    created_by = models.ForeignKey(
        Principal, models.PROTECT, null=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["protocol", "path"]
        constraints = [
            models.UniqueConstraint(fields=["protocol", "path"], name="enrollment_label_once"),
            models.UniqueConstraint(
                fields=["protocol"],
                condition=Q(is_default=True),
                name="enrollment_one_default_label",
            ),
        ]
        permissions = [("block_label", "Can block a label at once")]

    def __str__(self) -> str:
        return f"{self.protocol}/{self.path}"

    def about(self) -> About:
        """Return what an event on this label is about."""
        return About(owner=self.owner_id)

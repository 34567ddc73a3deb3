"""What the REST API shows of certificates."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from typing_extensions import override

from certificates import signers
from certificates.details import EDITABLE
from certificates.models import Alert, Certificate, RenewalPolicy, Revocation, Version
from certificates.services.policies import MAX_ALERT_DAYS, MAX_DELAY, MAX_WINDOW, MIN_WINDOW
from foundation.rest.fields import Duration, SparseFields
from issuers.models import Issuer
from issuers.serializers import IssuerSerializer

Slug = serializers.SlugRelatedField[Any]


class VersionSerializer(SparseFields):
    """One signed certificate."""

    issuer: Slug = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    is_revoked = serializers.SerializerMethodField()
    revocation_reason = serializers.SerializerMethodField()

    class Meta:
        model = Version
        fields = (
            "id",
            "certificate",
            "number",
            "issuer",
            "serial",
            "subject",
            "sans",
            "not_before",
            "not_after",
            "fingerprint",
            "key_fingerprint",
            "key_algorithm",
            "key_size",
            "short_lived",
            "is_revoked",
            "revocation_reason",
            "superseded_at",
            "device",
            "job_id",
            "pem",
            "chain_pem",
            "created_at",
        )

    def get_is_revoked(self, version: Version) -> bool:
        """Whether it is revoked or on hold."""
        return hasattr(version, "revocation")

    def get_revocation_reason(self, version: Version) -> str | None:
        """Return the reason of its revocation, if any."""
        return version.revocation.reason if hasattr(version, "revocation") else None


class CurrentVersionSerializer(VersionSerializer):
    """The version in use, as a certificate shows it."""

    class Meta(VersionSerializer.Meta):
        fields = (  # type: ignore[assignment]
            "id",
            "number",
            "serial",
            "not_before",
            "not_after",
            "fingerprint",
            "key_fingerprint",
            "key_algorithm",
            "key_size",
            "is_revoked",
            "revocation_reason",
        )


class CertificateSerializer(SparseFields):
    """A name under management."""

    owner_name = serializers.CharField(source="owner.name", read_only=True)
    issuer: Slug = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    profile: Slug = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    current = CurrentVersionSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Certificate
        fields = (
            "id",
            *EDITABLE,
            "owner_name",
            "issuer",
            "profile",
            "common_name",
            "sans",
            "status",
            "current",
            "created_at",
            "updated_at",
        )


class RevocationSerializer(SparseFields):
    """That a version is bad, since when and why."""

    serial = serializers.CharField(source="version.serial", read_only=True)
    certificate = serializers.UUIDField(source="version.certificate_id", read_only=True)
    certificate_name = serializers.CharField(source="version.certificate.name", read_only=True)
    issuer = serializers.CharField(
        source="version.issuer.slug", read_only=True, allow_null=True, default=None
    )
    listed_in = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="A CRL number: up to 48 digits."
    )

    class Meta:
        model = Revocation
        fields = (
            "version",
            "certificate",
            "certificate_name",
            "issuer",
            "serial",
            "reason",
            "revoked_at",
            "recorded_at",
            "revoked_by",
            "note",
            "listed_in",
        )


class AlertSerializer(SparseFields):
    """What somebody has to look at."""

    certificate_name = serializers.CharField(
        source="certificate.name", read_only=True, allow_null=True, default=None
    )
    issuer: Slug = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    acknowledged_by_name = serializers.CharField(
        source="acknowledged_by.username", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = Alert
        fields = (
            "id",
            "kind",
            "certificate",
            "certificate_name",
            "issuer",
            "detail",
            "since",
            "last_seen",
            "acknowledged_by",
            "acknowledged_by_name",
            "acknowledged_at",
            "cleared_at",
        )


class RenewalPolicySerializer(SparseFields):
    """When and how certificates are renewed; durations in ISO 8601."""

    window = Duration(
        min_value=MIN_WINDOW,
        max_value=MAX_WINDOW,
        required=False,
        help_text="How long before its end a renewal is due; two thirds of its lifetime at most.",
    )
    retry_delay = Duration(max_value=MAX_DELAY, required=False)
    alert_days = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=MAX_ALERT_DAYS),
        required=False,
        max_length=20,
    )

    class Meta:
        model = RenewalPolicy
        fields = (
            "id",
            "name",
            "auto_renew",
            "window",
            "reuse_key",
            "max_attempts",
            "retry_delay",
            "alert_days",
            "created_at",
        )


class IssuerRevocationSerializer(serializers.Serializer[Any]):
    """Why a CA signs no more certificates."""

    version = serializers.UUIDField(source="revocation.version_id", help_text="What is revoked.")
    reason = serializers.CharField(source="revocation.reason")
    revoked_at = serializers.DateTimeField(source="revocation.revoked_at")
    is_own = serializers.BooleanField(
        help_text="Whether that is its own certificate, and not one of a CA above it."
    )
    detail = serializers.CharField()


class CaListSerializer(serializers.ListSerializer[Issuer]):
    """Many CAs, of which it is looked up at once which are revoked."""

    child: "CaSerializer"

    @override
    def to_representation(self, data: Any) -> list[Any]:
        rows: Iterable[Issuer] = list(data)
        self.child.barred = signers.barred(rows)
        return super().to_representation(rows)


@extend_schema_serializer(component_name="Issuer")
class CaSerializer(IssuerSerializer):
    """An issuer, what relying parties find where, and whether it is revoked."""

    barred: dict[UUID, signers.Bar] | None = None
    revocation = serializers.SerializerMethodField(
        help_text="Why it signs no more certificates, CRLs and OCSP answers excepted."
    )

    class Meta(IssuerSerializer.Meta):
        fields = (*IssuerSerializer.Meta.fields, "revocation")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]
        list_serializer_class = CaListSerializer

    @extend_schema_field(IssuerRevocationSerializer(allow_null=True))
    def get_revocation(self, issuer: Issuer) -> dict[str, Any] | None:
        """Return what of it, or above it, is revoked."""
        barred = signers.barred([issuer]) if self.barred is None else self.barred
        bar = barred.get(issuer.pk)
        return None if bar is None else dict(IssuerRevocationSerializer(bar).data)

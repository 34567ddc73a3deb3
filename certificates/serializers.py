"""What the REST API shows and takes about certificates."""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from typing_extensions import override

from certificates import signers
from certificates.details import EDITABLE, MAX_TAG, MAX_TAGS
from certificates.models import Alert, Certificate, Reason, RenewalPolicy, Revocation, Version
from certificates.services.bulk import CRITERIA, BulkResult, Preview
from certificates.services.policies import MAX_ALERT_DAYS, MAX_DELAY, MAX_WINDOW, MIN_WINDOW
from foundation.rest.dataclasses import serializer_of
from foundation.rest.fields import Duration, Named, SparseFields, StrictInput
from issuers.models import Issuer, Profile
from issuers.serializers import IssuerSerializer
from owners.models import Owner, Team

PEM_MAX = 200_000
MAX_CRL = 1_000_000  # larger ones come by the command
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


# --- Input ----------------------------------------------------------------------------------


class DetailsInput(StrictInput, serializers.ModelSerializer[Any]):
    """What people say of a certificate (`certificates.details.Details`), with its bounds."""

    owner = Named(by="name", what="owner", queryset=Owner.objects.all())
    issuer = Named(
        by="slug", what="issuer", queryset=Issuer.objects.all(), help_text="Who signs or renews it."
    )
    profile = Named(by="slug", what="profile", queryset=Profile.objects.all())
    team = Named(
        by="name", what="team", queryset=Team.objects.all(), required=False, allow_null=True
    )
    renewal_policy = Named(
        by="name",
        what="renewal_policy",
        queryset=RenewalPolicy.objects.all(),
        required=False,
        allow_null=True,
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=MAX_TAG), required=False, max_length=MAX_TAGS
    )

    class Meta:
        model = Certificate
        fields: tuple[str, ...] = (*EDITABLE, "issuer", "profile")
        extra_kwargs: ClassVar = {"name": {"required": False, "allow_blank": True}}


class DetailsChanges(DetailsInput):
    """What may be changed about a certificate."""

    owner = Named(by="name", what="owner", queryset=Owner.objects.all(), required=False)

    class Meta(DetailsInput.Meta):
        fields = EDITABLE
        extra_kwargs: ClassVar = {"name": {"required": False}}

    @override
    def refuse_field(self, name: str) -> ErrorDetail:
        # What a certificate shows and nobody changes is no typing error.
        if name in CertificateSerializer.Meta.fields:
            return ErrorDetail("This cannot be changed.", code="not_editable")
        return super().refuse_field(name)


class ImportInput(DetailsInput):
    """A certificate that somebody else had signed; never with its key."""

    pem = serializers.CharField(
        max_length=PEM_MAX, help_text="The certificate and its chain in PEM, in any order."
    )
    profile = Named(
        by="slug", what="profile", queryset=Profile.objects.filter(is_ca=False, is_ra=False)
    )

    class Meta(DetailsInput.Meta):
        fields = ("pem", *DetailsInput.Meta.fields)


class RevokeInput(StrictInput):
    """Why, and since when."""

    # BR 7.2.2: tools offer the reasons with "unspecified" as the default.
    reason = serializers.ChoiceField(choices=Reason.choices, default=Reason.UNSPECIFIED.value)
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    revoked_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="For keyCompromise only."
    )
    confirm_name = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        default="",
        help_text="The certificate's name: required for a CA's own certificate.",
    )


class RevokeCurrentInput(RevokeInput):
    """The same for a certificate: its current version, unless another one is named."""

    version = serializers.UUIDField(required=False, allow_null=True, default=None)


class NoteInput(StrictInput):
    """Why."""

    version = serializers.UUIDField(required=False, allow_null=True, default=None)
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class ExportInput(StrictInput):
    """What to export, where a password is wanted: it must not stand in a URL."""

    format = serializers.ChoiceField(choices=["pem", "der", "pkcs12"], default="pkcs12")
    password = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=128, trim_whitespace=False
    )
    legacy = serializers.BooleanField(
        default=False,
        help_text="PKCS#12 with 3DES and SHA-1, for Windows before Server 2019; wants a password.",
    )
    version = serializers.UUIDField(required=False, allow_null=True, default=None)


class OldCRLsInput(StrictInput):
    """What a CA published before it was taken over."""

    crls = serializers.ListField(
        child=serializers.CharField(max_length=MAX_CRL),
        max_length=20,
        required=False,
        default=list,
        help_text="CRLs in PEM, or the base64 of their DER.",
    )
    none_published = serializers.BooleanField(
        default=False, help_text="It never published a CRL: nothing of it is revoked."
    )

    @override
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs["crls"]) == attrs["none_published"]:
            raise serializers.ValidationError(
                {"crls": ["Give CRLs, or say none_published."]}, code="required"
            )
        return attrs


class CriteriaInput(serializers.Serializer[Any]):
    """What is to be revoked: every criterion given must be met."""

    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="Of certificates or versions."
    )
    profile = serializers.CharField(required=False, help_text="Id or slug.")
    owner = serializers.CharField(required=False, help_text="Id or name.")
    team = serializers.CharField(required=False, help_text="Id or name.")
    issuer = serializers.CharField(required=False, help_text="Id or slug.")
    agent = serializers.CharField(required=False, help_text="Id or name.")
    key_fingerprint = serializers.CharField(
        required=False, help_text="SHA-256 of the SubjectPublicKeyInfo in hexadecimal."
    )


class BulkRevokeInput(StrictInput):
    """What is to be revoked, why, and whether really."""

    criteria = CriteriaInput()
    reason = serializers.ChoiceField(choices=Reason.choices, default=Reason.UNSPECIFIED.value)
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    dry_run = serializers.BooleanField(default=False)
    plan = serializers.CharField(
        required=False, allow_null=True, default=None, max_length=64, help_text="Of the preview."
    )

    @override
    def to_internal_value(self, data: Any) -> dict[str, Any]:
        # The criteria are kept as they were given: the service names what is wrong with them.
        value: dict[str, Any] = super().to_internal_value(data)
        value["criteria"] = data["criteria"]
        return value

    @override
    def refuse_field(self, name: str) -> ErrorDetail:
        if name in CRITERIA:
            # A criterion in the wrong place: ignored, it would revoke more.
            return ErrorDetail(f"{name}: belongs into `criteria`.", code="unknown_field")
        return super().refuse_field(name)


PreviewSerializer = serializer_of(Preview, name="BulkRevokePreview", properties=("count",))
BulkResultSerializer = serializer_of(
    BulkResult,
    name="BulkRevokeResult",
    properties=("revoked", "already_revoked", "failed"),
    count=serializers.IntegerField(source="total"),
)

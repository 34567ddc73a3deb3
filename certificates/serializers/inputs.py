"""What the REST API takes about certificates."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from typing_extensions import override

from certificates.details import EDITABLE, MAX_TAG, MAX_TAGS
from certificates.models import Certificate, Reason, RenewalPolicy
from certificates.serializers.shown import CertificateSerializer
from foundation.rest.fields import Named, StrictInput
from issuers.models import Issuer, Profile
from owners.models import Owner, Team

PEM_MAX = 200_000
MAX_CRL = 1_000_000  # larger ones come by the command
Slug = serializers.SlugRelatedField[Any]


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
        by="slug",
        what="profile",
        queryset=Profile.objects.filter(is_ca=False, is_ra=False, is_responder=False),
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

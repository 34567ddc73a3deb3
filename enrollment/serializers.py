"""What the REST API shows and takes about labels, devices, credentials and enrollments."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from typing_extensions import override

from certificates.details import MAX_TAG, MAX_TAGS
from certificates.models import RenewalPolicy, Version
from enrollment import services
from enrollment.models import MAX_DEVICE_NAME, Credential, Device, Enrollment, Label
from enrollment.policy import MAX_NAMES, MAX_PATTERN, MAX_REASON
from enrollment.services.labels import EDITABLE
from enrollment.states import Accepts, Protocol, Stand
from foundation.rest.fields import Named, SparseFields, StrictInput
from issuers.models import Issuer, Profile
from owners.models import Owner, Team

MAX_ANCHORS = 200_000
MAX_CSV = 1_000_000
SlugField = serializers.SlugRelatedField[Any]


# --- Labels ---------------------------------------------------------------------------------


class LabelSerializer(SparseFields):
    """One address at which devices enroll."""

    issuer: SlugField = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    profile: SlugField = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    owner_name = serializers.CharField(source="owner.name", read_only=True)
    principal_name = serializers.CharField(source="principal.username", read_only=True)

    class Meta:
        model = Label
        fields = (
            "id",
            "protocol",
            "path",
            "is_default",
            "enabled",
            "issuer",
            "profile",
            "owner",
            "owner_name",
            "team",
            "renewal_policy",
            "environment",
            "tags",
            "accepts",
            "trust_anchors_pem",
            "approve_first",
            "approve_renewals",
            "trust_shared",
            "hourly_limit",
            "server_keys",
            "legacy_algorithms",
            "principal",
            "principal_name",
            "ra_certificate",
            "created_by",
            "created_at",
        )


class LabelChanges(StrictInput, serializers.ModelSerializer[Any]):
    """What may be changed about a label: all but its address."""

    issuer = Named(by="slug", what="issuer", queryset=Issuer.objects.all(), required=False)
    profile = Named(by="slug", what="profile", queryset=Profile.objects.all(), required=False)
    owner = Named(by="name", what="owner", queryset=Owner.objects.all(), required=False)
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
    accepts = serializers.ListField(
        child=serializers.ChoiceField(choices=Accepts.choices),
        required=False,
        max_length=len(Accepts),
        help_text="What may be shown the first time; the certificate that a device enrolled here "
        "renews always.",
    )
    trust_anchors_pem = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_ANCHORS,
        help_text="CA certificates of manufacturers, as PEM, whose device certificates may enroll.",
    )
    hourly_limit = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=100_000,
        help_text="New requests of one device within an hour.",
    )

    class Meta:
        model = Label
        fields: tuple[str, ...] = EDITABLE

    @override
    def refuse_field(self, name: str) -> ErrorDetail:
        # What a label shows and nobody changes is no typing error.
        if name in LabelSerializer.Meta.fields:
            return ErrorDetail("This cannot be changed.", code="not_editable")
        return super().refuse_field(name)


class LabelInput(LabelChanges):
    """A new label."""

    protocol = serializers.ChoiceField(choices=Protocol.choices)
    path = serializers.RegexField(
        r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=64,
        help_text="As in /.well-known/est/<path>/ and /scep/<path>: a-z, 0-9 and hyphens.",
    )
    issuer = Named(by="slug", what="issuer", queryset=Issuer.objects.all())
    profile = Named(by="slug", what="profile", queryset=Profile.objects.all())
    owner = Named(by="name", what="owner", queryset=Owner.objects.all())

    class Meta(LabelChanges.Meta):
        fields = ("protocol", "path", *LabelChanges.Meta.fields)
        validators: ClassVar[list[Any]] = []  # the use case says it, in its own words


class BlockInput(StrictInput):
    """Why."""

    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=MAX_REASON
    )


# --- Devices --------------------------------------------------------------------------------


class DeviceSerializer(SparseFields):
    """What enrolls at a label."""

    label_name = serializers.CharField(source="label.__str__", read_only=True)

    class Meta:
        model = Device
        fields = (
            "id",
            "name",
            "label",
            "label_name",
            "announced",
            "blocked_at",
            "blocked_because",
            "created_by",
            "created_at",
        )


def _label(**options: Any) -> Any:
    return serializers.PrimaryKeyRelatedField(
        queryset=Label.objects.all(),
        pk_field=serializers.UUIDField(),
        error_messages={"does_not_exist": "There is no such label."},
        **options,
    )


class DeviceInput(StrictInput):
    """A device to be announced."""

    label = _label()
    name = serializers.CharField(max_length=MAX_DEVICE_NAME)


class HeldSerializer(serializers.ModelSerializer[Any]):
    """A version that relying parties still accept, and where to revoke it."""

    certificate_name = serializers.CharField(source="certificate.name", read_only=True)
    issuer: SlugField = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    revoke = serializers.SerializerMethodField(help_text="POST a reason here to revoke it.")

    class Meta:
        model = Version
        fields = (
            "id",
            "certificate",
            "certificate_name",
            "number",
            "serial",
            "issuer",
            "not_after",
            "revoke",
        )

    def get_revoke(self, version: Version) -> str:
        """Return the address that revokes it."""
        return f"/api/v1/versions/{version.pk}/revoke/"


class BlockedDeviceSerializer(DeviceSerializer):
    """A blocked device, with what it holds: that stays valid until it is revoked."""

    holds = serializers.SerializerMethodField()

    class Meta(DeviceSerializer.Meta):
        fields = (*DeviceSerializer.Meta.fields, "holds")  # type: ignore[assignment]

    @extend_schema_field(HeldSerializer(many=True))
    def get_holds(self, device: Device) -> Any:
        """Return the versions that are still accepted."""
        return HeldSerializer(services.holds(device.enrollments.all()), many=True).data


# --- Credentials ----------------------------------------------------------------------------


class CredentialSerializer(SparseFields):
    """A credential as it is shown: its secret is stored nowhere."""

    label_name = serializers.CharField(source="label.__str__", read_only=True)
    device_name = serializers.CharField(
        source="device.name", read_only=True, default=None, allow_null=True
    )
    created_by_name = serializers.CharField(source="created_by.username", read_only=True)

    class Meta:
        model = Credential
        fields = (
            "id",
            "label",
            "label_name",
            "device",
            "device_name",
            "names",
            "prefix",
            "one_time",
            "expires_at",
            "spent_on",
            "disabled_at",
            "created_by",
            "created_by_name",
            "created_at",
        )


class CredentialInput(StrictInput):
    """A credential or challenge to be made; a device that is new is announced by it."""

    label = _label()
    device = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=MAX_DEVICE_NAME,
        help_text="The device's name; empty: all devices of the label share it.",
    )
    names = serializers.ListField(
        child=serializers.CharField(max_length=MAX_PATTERN),
        required=False,
        default=list,
        max_length=MAX_NAMES,
        help_text='What it may enroll, as ["dns:cam-17.example.com", "dns:*.cams.example.com"].',
    )
    one_time = serializers.BooleanField(
        required=False,
        help_text="Spent by the first request that it brings; left out: where a device is named.",
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class CreatedCredential(CredentialSerializer):
    """The answer to a creation, the only one that ever carries the text itself."""

    credential = serializers.CharField(read_only=True, help_text="EST's password, SCEP's challenge")

    class Meta(CredentialSerializer.Meta):
        fields = (*CredentialSerializer.Meta.fields, "credential")  # type: ignore[assignment]


class BulkInput(StrictInput):
    """Many credentials at once."""

    label = _label()
    csv = serializers.CharField(
        max_length=MAX_CSV,
        trim_whitespace=False,
        help_text="A heading of device, names, one_time, expires_at (in any order), then a row for "
        "each credential; names are separated by spaces.",
    )


class BulkMade(serializers.Serializer[Any]):
    """All of them, or a refusal."""

    credentials = CreatedCredential(many=True)


# --- Enrollments ----------------------------------------------------------------------------


class EnrollmentSerializer(SparseFields):
    """What a device asked for, and what became of it."""

    label_name = serializers.CharField(source="label.__str__", read_only=True)
    device_name = serializers.CharField(source="device.name", read_only=True)
    credential_prefix = serializers.CharField(
        source="credential.prefix", read_only=True, default=None, allow_null=True
    )
    certificate_name = serializers.CharField(source="certificate.name", read_only=True)
    outcome = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField(
        help_text="Why it was refused, as the device is told; or why what was issued is over."
    )

    class Meta:
        model = Enrollment
        fields = (
            "id",
            "label",
            "label_name",
            "device",
            "device_name",
            "credential",
            "credential_prefix",
            "presented",
            "anchor",
            "certificate",
            "certificate_name",
            "job",
            "outcome",
            "reason",
            "transaction",
            "key_fingerprint",
            "remote_address",
            "collected_at",
            "created_at",
        )

    @extend_schema_field(serializers.ChoiceField(choices=Stand.choices))
    def get_outcome(self, enrollment: Enrollment) -> str:
        """Return what became of it."""
        return services.standing(enrollment.job)[0].value

    def get_reason(self, enrollment: Enrollment) -> str:
        """Return why."""
        return services.standing(enrollment.job)[1]

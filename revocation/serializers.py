"""What the REST API shows and takes about bulk revocation."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from typing_extensions import override

from certificates.models import Reason
from foundation.rest.dataclasses import serializer_of
from foundation.rest.fields import SparseFields, StrictInput
from revocation import services
from revocation.models import MAX_PAUSE, MAX_WAVE, Plan
from revocation.services import BulkResult, Line, Preview
from revocation.services.plans import DEFAULT_WAVE, MAX_NOTE
from revocation.states import Unproven

MAX_CSV = 1_000_000


class BetweenInput(serializers.Serializer[Any]):
    """Two instants: from the first on, without the second."""

    from_ = serializers.DateTimeField()
    to = serializers.DateTimeField()

    @override
    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {"from": fields.pop("from_"), **fields}


class CriteriaInput(serializers.Serializer[Any]):
    """What is to be revoked: every criterion given must be met."""

    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="Of certificates or versions."
    )
    serials = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="In hexadecimal, with or without colons.",
    )
    csv = serializers.CharField(
        required=False,
        max_length=MAX_CSV,
        help_text="A table with a heading: serial, issuer (its slug), fingerprint (SHA-256).",
    )
    profile = serializers.CharField(required=False, help_text="Id or slug.")
    owner = serializers.CharField(required=False, help_text="Id or name.")
    team = serializers.CharField(required=False, help_text="Id or name.")
    issuer = serializers.CharField(required=False, help_text="Id or slug.")
    agent = serializers.CharField(required=False, help_text="Id or name.")
    key_fingerprint = serializers.CharField(
        required=False, help_text="SHA-256 of the SubjectPublicKeyInfo in hexadecimal."
    )
    issued_between = BetweenInput(required=False)
    tags = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="It must have all of them."
    )
    environment = serializers.CharField(required=False)


class _WithCriteria(StrictInput):
    criteria = CriteriaInput()
    reason = serializers.ChoiceField(choices=Reason.choices, default=Reason.UNSPECIFIED.value)
    note = serializers.CharField(max_length=MAX_NOTE, required=False, allow_blank=True, default="")

    @override
    def to_internal_value(self, data: Any) -> dict[str, Any]:
        # The criteria are kept as they were given: the service names what is wrong with them.
        value: dict[str, Any] = super().to_internal_value(data)
        value["criteria"] = data["criteria"]
        return value

    @override
    def refuse_field(self, name: str) -> ErrorDetail:
        if name in services.CRITERIA:
            # A criterion in the wrong place: ignored, it would revoke more.
            return ErrorDetail(f"{name}: belongs into `criteria`.", code="unknown_field")
        return super().refuse_field(name)


class BulkRevokeInput(_WithCriteria):
    """What is to be revoked, why, and whether really."""

    dry_run = serializers.BooleanField(default=False)
    plan = serializers.CharField(
        required=False, allow_null=True, default=None, max_length=64, help_text="Of the preview."
    )


class PlanInput(_WithCriteria):
    """A plan to be made."""

    wave_size = serializers.IntegerField(min_value=1, max_value=MAX_WAVE, default=DEFAULT_WAVE)
    pause_seconds = serializers.IntegerField(min_value=0, max_value=MAX_PAUSE, default=0)
    drill = serializers.BooleanField(default=False)
    replace_first = serializers.BooleanField(default=False)
    replace_by = serializers.DateTimeField(required=False, allow_null=True, default=None)
    unproven = serializers.ChoiceField(
        choices=Unproven.choices, required=False, allow_blank=True, default=""
    )


class ConfirmInput(StrictInput):
    """The plan as it was looked at."""

    digest = serializers.CharField(max_length=64, help_text="Of the plan.")


class PlanNoteInput(StrictInput):
    """Why; it is kept in the audit trail."""

    note = serializers.CharField(max_length=MAX_NOTE, required=False, allow_blank=True, default="")


class PlanSerializer(SparseFields):
    """A plan: what was previewed and frozen, who confirmed it, and how far it is."""

    criteria = serializers.SerializerMethodField()
    preview = serializers.DictField(read_only=True)
    made_by = serializers.CharField(source="made_by.username", read_only=True)
    confirmed_by = serializers.CharField(
        source="confirmed_by.username", read_only=True, allow_null=True, default=None
    )
    looked_by = serializers.CharField(
        source="looked_by.username", read_only=True, allow_null=True, default=None
    )
    needs_look = serializers.BooleanField(read_only=True)
    pending = serializers.IntegerField(read_only=True)

    class Meta:
        model = Plan
        fields: ClassVar = (
            "id",
            "status",
            "criteria",
            "reason",
            "note",
            "drill",
            "wave_size",
            "pause_seconds",
            "replace_first",
            "replace_by",
            "unproven",
            "digest",
            "count",
            "preview",
            "made_by",
            "made_at",
            "expires_at",
            "confirmed_by",
            "confirmed_at",
            "is_alone",
            "needs_look",
            "looked_by",
            "looked_at",
            "waves",
            "revoked",
            "already_revoked",
            "failed",
            "left",
            "pending",
            "started_at",
            "ended_at",
        )

    def get_criteria(self, plan: Plan) -> dict[str, Any]:
        """Show the criteria; long lists are only counted."""
        return services.brief(plan.criteria)


LineSerializer = serializer_of(Line, name="RevocationReportLine")
PreviewSerializer = serializer_of(Preview, name="BulkRevokePreview", properties=("count",))
BulkResultSerializer = serializer_of(
    BulkResult,
    name="BulkRevokeResult",
    properties=("revoked", "already_revoked", "failed"),
    count=serializers.IntegerField(source="total"),
)

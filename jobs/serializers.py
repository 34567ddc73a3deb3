"""Jobs as JSON, and the forms of what asks for them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from certificates.serializers import DetailsInput
from deployments.models import Target
from foundation.rest.dataclasses import serializer_of
from foundation.rest.fields import Duration, Named, SparseFields, StrictInput
from jobs import approvals
from jobs.models import Job
from jobs.services.justifying import MAX_JUSTIFICATION
from jobs.states import Status


class DecisionSerializer(serializers.Serializer[Any]):
    """Who decided, when, why, and on exactly what."""

    by = serializers.CharField(help_text="Name of the principal.")
    by_id = serializers.UUIDField()
    at = serializers.DateTimeField()
    reason = serializers.CharField()
    digest = serializers.CharField(help_text="Of what was approved; empty for a rejection.")


WaitingForSerializer = serializer_of(
    approvals.Wait,
    name="WaitingFor",
    what=serializers.ChoiceField(choices=["csr", "approval", "agent", "order", "time", "retry"]),
)


class OrderSerializer(serializers.Serializer[Any]):
    """An order at an issuer that keeps orders."""

    key = serializers.CharField(help_text="What certctl calls it; an issuer may show it.")
    ref = serializers.CharField(help_text="What the issuer calls it; empty while that is unknown.")
    placed_at = serializers.DateTimeField(help_text="Since when it may be there.")


class JobSerializer(SparseFields):
    """One job, read only: what happens to it is asked for by its actions."""

    certificate_name = serializers.CharField(source="certificate.name", read_only=True)
    target_name = serializers.CharField(
        source="target.name", read_only=True, default=None, allow_null=True
    )
    requested_by_name = serializers.CharField(source="requested_by.username", read_only=True)
    digest = serializers.SerializerMethodField(
        help_text="SHA-256 of exactly what would be done; send it along with an approval."
    )
    verification = serializers.SerializerMethodField(
        help_text="What a Validation saw; empty for other kinds."
    )
    decision = serializers.SerializerMethodField()
    order = serializers.SerializerMethodField()
    waiting_for = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields: tuple[str, ...] = (
            "id",
            "kind",
            "status",
            "certificate",
            "certificate_name",
            "target",
            "target_name",
            "agent",
            "csr_agent",
            "device",
            "wants_approval",
            "version",
            "requested_by",
            "requested_by_name",
            "attempts",
            "max_attempts",
            "given_up",
            "last_error",
            "error_code",
            "order",
            "lifetime",
            "justification",
            "created_at",
            "scheduled_at",
            "started_at",
            "completed_at",
            "lease_until",
            "waits_until",
            "digest",
            "decision",
            "waiting_for",
            "verification",
            "verification_detail",
        )
        read_only_fields: tuple[str, ...] = fields

    def get_digest(self, job: Job) -> str:
        """Return what an approval would be bound to, or was."""
        if job.status == Status.AWAITING_APPROVAL:
            return approvals.digest_of(job, job.certificate)
        return job.approved_digest

    @extend_schema_field(
        serializers.ChoiceField(choices=["", *Job.Verification.values], allow_blank=True)
    )
    def get_verification(self, job: Job) -> str:
        """Return what a Validation saw."""
        return job.verification

    @extend_schema_field(DecisionSerializer(allow_null=True))
    def get_decision(self, job: Job) -> dict[str, Any] | None:
        """Return the decision, if one was taken."""
        if job.decided_by is None:
            return None
        return {
            "by": job.decided_by.get_username(),
            "by_id": job.decided_by_id,
            "at": job.decided_at,
            "reason": job.decision_reason,
            "digest": job.approved_digest,
        }

    @extend_schema_field(OrderSerializer(allow_null=True))
    def get_order(self, job: Job) -> dict[str, Any] | None:
        """Return the order, where it may be at its issuer."""
        if job.ordered_at is None:
            return None
        return {"key": job.order_key, "ref": job.order_ref, "placed_at": job.ordered_at}

    @extend_schema_field(WaitingForSerializer(allow_null=True))
    def get_waiting_for(self, job: Job) -> dict[str, Any] | None:
        """Return what has to happen before the job goes on."""
        waits = approvals.waits_for(job)
        return None if waits is None else waits.as_data()


class AskedSerializer(JobSerializer):
    """A job that was just asked for, with what the asker should know."""

    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(JobSerializer.Meta):
        fields = (*JobSerializer.Meta.fields, "warnings")
        read_only_fields = fields


ReviewSerializer = serializer_of(
    approvals.Review,
    job=serializers.UUIDField(),
    kind=serializers.ChoiceField(choices=Job.Kind.choices),
    target_config=serializers.DictField(
        help_text="The target, with the configuration that the digest covers; else empty."
    ),
)


def _target(**options: Any) -> Named:
    return Named(queryset=Target.objects.all(), by="name", what="target", **options)


class AskSerializer(StrictInput):
    """What issuance and renewal have in common."""

    csr = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=65536, help_text="PKCS#10, PEM."
    )
    generate_key = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Have the server make the key: a demonstration setting, off by default.",
    )
    lifetime = Duration(
        required=False,
        allow_null=True,
        default=None,
        help_text="As P47D, PT8H, 30d; the profile's longest when left out.",
    )
    justification = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=MAX_JUSTIFICATION,
        help_text="Why; shown to whoever decides, part of what is approved, and never changed.",
    )


class IssuanceSerializer(DetailsInput, AskSerializer):
    """Ask for a certificate; names that are left out are those of the CSR."""

    sans = serializers.ListField(
        child=serializers.CharField(max_length=255),
        required=False,
        default=list,
        max_length=1000,
        help_text='As ["dns:web.example.com"].',
    )
    targets = serializers.ListField(child=_target(), required=False, default=list, max_length=100)

    class Meta(DetailsInput.Meta):
        fields = (
            *DetailsInput.Meta.fields,
            "common_name",
            "sans",
            "targets",
            "csr",
            "generate_key",
            "lifetime",
            "justification",
        )


class RenewalSerializer(AskSerializer):
    """Ask for the next version; without a CSR the last one is used where the policy says so."""


class AtTargetSerializer(StrictInput):
    """Where to deploy or look; may be left out where the certificate has one target only."""

    target = _target(required=False, allow_null=True, default=None)


class DetachSerializer(StrictInput):
    """Where a certificate is no longer to be served."""

    target = _target()


class DetachedSerializer(serializers.Serializer[Any]):
    """What went with the binding."""

    target = serializers.CharField(help_text="Its name.")
    cancelled_jobs = serializers.ListField(
        child=serializers.UUIDField(), help_text="Open deployments and validations of it."
    )


class ApproveSerializer(StrictInput):
    """Say yes."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    digest = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=64,
        help_text="What was looked at, from the job's review: anything else is 409.",
    )


class RejectSerializer(StrictInput):
    """Say no, and why."""

    reason = serializers.CharField(max_length=2000)


class CancelSerializer(StrictInput):
    """Call it off."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)


class CsrSerializer(StrictInput):
    """The CSR that a job waits for."""

    csr = serializers.CharField(max_length=65536, help_text="PKCS#10, PEM.")

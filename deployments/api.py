"""REST: targets, and what is deployed there."""

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

from deployments import services
from deployments.models import Agent, Deployment, Target
from deployments.serializers import ConfigField
from foundation.rest.fields import Named, SparseFields
from foundation.rest.views import Strict
from owners.authentication import actor_of
from owners.permissions import needs


class TargetSerializer(SparseFields):
    """A target; its secrets go in and never come out."""

    config = ConfigField(
        required=False, help_text="Paths and commands, by kind. Replaced as a whole."
    )
    secrets = serializers.DictField(
        child=serializers.CharField(trim_whitespace=False),
        required=False,
        write_only=True,
        help_text="Replaces all of them; left out, they are kept.",
    )
    has_secrets = serializers.SerializerMethodField()
    agent = Named(
        by="name",
        what="agent",
        as_id=True,
        queryset=Agent.objects.all(),
        required=False,
        allow_null=True,
    )
    endpoint_port = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=65535
    )

    class Meta:
        model = Target
        fields: tuple[str, ...] = (
            "id",
            "name",
            "kind",
            "enabled",
            "agent",
            "config",
            "secrets",
            "has_secrets",
            "endpoint_host",
            "endpoint_port",
            "server_name",
            "created_at",
        )

    def get_has_secrets(self, target: Target) -> bool:
        """Say that there are secrets, and no more."""
        return bool(target.secrets)


class OneTargetSerializer(TargetSerializer):
    """A target as it is told alone: with what whoever sets it up should know."""

    warnings = serializers.SerializerMethodField(
        help_text="Files that are another target's too. Nothing is refused for them."
    )

    class Meta(TargetSerializer.Meta):
        fields = (*TargetSerializer.Meta.fields, "warnings")

    def get_warnings(self, target: Target) -> list[str]:
        """Ask for them."""
        return services.warnings_of(target)


class CheckSerializer(serializers.Serializer[Any]):
    """One thing that was looked at."""

    name = serializers.CharField()
    ok = serializers.BooleanField()
    detail = serializers.CharField()


class TestResultSerializer(serializers.Serializer[Any]):
    """What a test of a target found; `ok` where nothing stands in the way."""

    __test__ = False  # pytest: this is not a test case

    ok = serializers.BooleanField()
    checks = CheckSerializer(many=True)


class TargetViewSet(
    Strict,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.ReadOnlyModelViewSet[Target],
):
    """Targets: everybody sees them, administrators write them."""

    use_cases: ClassVar = {
        "create": "target.create",
        "partial_update": "target.update",
        "destroy": "target.delete",
        "test": "target.test",
    }
    queryset = Target.objects.order_by("name")
    serializer_class = TargetSerializer
    filterset_fields = ("name", "kind", "enabled", "agent", "endpoint_host")
    search_fields = ("name", "endpoint_host", "server_name")
    ordering_fields = ("name", "kind", "created_at")
    bodiless = ("test",)
    unconditional = ("test",)
    http_method_names = ["get", "head", "options", "post", "patch", "delete"]

    @override
    def get_serializer_class(self) -> type[TargetSerializer]:
        """Say the warnings of one target, not those of a whole list."""
        return TargetSerializer if self.action == "list" else OneTargetSerializer

    @override
    def perform_create(self, serializer: serializers.BaseSerializer[Any]) -> None:
        serializer.instance = services.create_target(
            actor=actor_of(self.request), **serializer.validated_data
        )

    @override
    def perform_update(self, serializer: serializers.BaseSerializer[Any]) -> None:
        assert serializer.instance is not None  # noqa: S101 - REST framework gives it
        changes = dict(serializer.validated_data)
        secrets = changes.pop("secrets", None)
        serializer.instance = services.update_target(
            actor=actor_of(self.request),
            target_id=serializer.instance.pk,
            changes=changes,
            secrets=secrets,
        )

    @override
    def perform_destroy(self, instance: Target) -> None:
        services.delete_target(actor=actor_of(self.request), target_id=instance.pk)

    @extend_schema(request=None, responses=TestResultSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("deployments.change_target")])
    def test(self, request: Request, pk: str) -> Response:
        """Look at paths, programs and the endpoint; nothing is changed and nothing is started."""
        checks = services.check_target(actor=actor_of(request), target=self.get_object())
        found = {"ok": all(check.ok for check in checks), "checks": checks}
        return Response(TestResultSerializer(found).data)


class DeploymentSerializer(SparseFields):
    """That a certificate is served at a target, and what a handshake saw there."""

    certificate_name = serializers.CharField(source="certificate.name", read_only=True)
    target_name = serializers.CharField(source="target.name", read_only=True)
    version_number = serializers.IntegerField(
        source="version.number", read_only=True, allow_null=True, default=None
    )
    fingerprint = serializers.CharField(
        source="version.fingerprint",
        read_only=True,
        allow_null=True,
        default=None,
        help_text="What should be served.",
    )
    note = serializers.CharField(
        read_only=True, help_text="Why nothing newer comes there; empty where it does."
    )

    class Meta:
        model = Deployment
        fields = (
            "id",
            "certificate",
            "certificate_name",
            "target",
            "target_name",
            "version",
            "version_number",
            "fingerprint",
            "deployed_at",
            "health",
            "served_fingerprint",
            "checked_at",
            "created_at",
            "note",
        )
        read_only_fields = fields


class DeploymentFilter(filters.FilterSet):
    """Deployments by what they are of, where, and how they are."""

    deployed_before = filters.IsoDateTimeFilter(field_name="deployed_at", lookup_expr="lt")
    deployed_after = filters.IsoDateTimeFilter(field_name="deployed_at", lookup_expr="gte")

    class Meta:
        model = Deployment
        fields = ("certificate", "target", "version", "health")


class DeploymentViewSet(Strict, viewsets.ReadOnlyModelViewSet[Deployment]):
    """What is served where: written by jobs, read by everybody."""

    queryset = Deployment.objects.select_related("certificate", "target", "version").order_by(
        "-created_at", "pk"
    )
    serializer_class = DeploymentSerializer
    filterset_class = DeploymentFilter
    search_fields = ("certificate__name", "target__name")
    ordering_fields = ("created_at", "deployed_at", "checked_at", "health")

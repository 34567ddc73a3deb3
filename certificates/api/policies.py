"""Renewal policies over REST."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import mixins, serializers, viewsets
from typing_extensions import override

from certificates import serializers as shapes
from certificates import services
from certificates.models import RenewalPolicy
from foundation.rest.views import Strict
from owners.authentication import actor_of


class RenewalPolicyViewSet(
    Strict,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.ReadOnlyModelViewSet[RenewalPolicy],
):
    """Renewal policies."""

    use_cases: ClassVar = {
        "create": "renewalpolicy.create",
        "partial_update": "renewalpolicy.update",
        "destroy": "renewalpolicy.delete",
    }
    queryset: QuerySet[RenewalPolicy] = RenewalPolicy.objects.order_by("name")
    serializer_class = shapes.RenewalPolicySerializer
    filterset_fields: ClassVar = ("name", "auto_renew", "reuse_key")
    search_fields: ClassVar = ("name",)
    ordering_fields: ClassVar = ("name", "window", "created_at")
    http_method_names = ["get", "head", "options", "post", "patch", "delete"]

    @override
    def perform_create(self, serializer: serializers.BaseSerializer[Any]) -> None:
        serializer.instance = services.create_policy(
            actor=actor_of(self.request), **serializer.validated_data
        )

    @override
    def perform_update(self, serializer: serializers.BaseSerializer[Any]) -> None:
        serializer.instance = services.update_policy(
            policy_id=self.get_object().pk,
            actor=actor_of(self.request),
            changes=dict(serializer.validated_data),
        )

    @override
    def perform_destroy(self, instance: RenewalPolicy) -> None:
        services.delete_policy(policy_id=instance.pk, actor=actor_of(self.request))

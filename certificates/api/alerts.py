"""Alerts over REST: to read, and to acknowledge."""

from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from certificates import serializers as shapes
from certificates import services
from certificates.filters import AlertFilter
from certificates.models import Alert
from foundation.rest.views import Strict
from owners.authentication import actor_of
from owners.permissions import needs


class AlertViewSet(Strict, viewsets.ReadOnlyModelViewSet[Alert]):
    """What somebody has to look at; what is over stays as history (`?open=true` leaves it out)."""

    use_cases: ClassVar = {"acknowledge": "alert.acknowledge"}
    bodiless: ClassVar = ("acknowledge",)
    queryset: QuerySet[Alert] = Alert.objects.select_related(
        "certificate", "issuer", "acknowledged_by"
    ).order_by("-since", "pk")
    serializer_class = shapes.AlertSerializer
    filterset_class = AlertFilter
    search_fields: ClassVar = ("detail", "certificate__name")
    ordering_fields: ClassVar = ("since", "last_seen", "kind")
    cursor_ordering: ClassVar = ("-since", "pk")

    @extend_schema(request=None, responses=shapes.AlertSerializer)
    @action(
        detail=True, methods=["post"], permission_classes=[needs("certificates.acknowledge_alert")]
    )
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Say that somebody knows of it; it goes by itself when what is wrong is over."""
        alert = services.acknowledge_alert(alert_id=self.get_object().pk, actor=actor_of(request))
        return Response(shapes.AlertSerializer(alert).data)

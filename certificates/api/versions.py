"""Versions and their revocations over REST."""

from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import (
    extend_schema,
)
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from certificates import search, services
from certificates import serializers as shapes
from certificates.filters import (
    RevocationFilter,
    VersionFilter,
    searching_by_index,
    searching_serials,
)
from certificates.models import Revocation, Version
from foundation.rest.parsers import valid
from foundation.rest.views import Strict
from owners.authentication import actor_of
from owners.permissions import needs


class VersionViewSet(Strict, viewsets.ReadOnlyModelViewSet[Version]):
    """Versions: each one signed certificate."""

    use_cases: ClassVar = {
        "revoke": "certificate.revoke",
    }
    repeatable: ClassVar = ("revoke",)
    queryset: QuerySet[Version] = Version.objects.select_related("issuer", "revocation").order_by(
        "-created_at", "pk"
    )
    serializer_class = shapes.VersionSerializer
    filterset_class = VersionFilter
    filter_backends = searching_by_index()
    search_rows = staticmethod(search.matching_versions)
    search_fields: ClassVar = ("serial", "subject", "sans", "fingerprint")
    ordering_fields: ClassVar = ("number", "not_before", "not_after", "created_at")

    @extend_schema(request=shapes.RevokeInput, responses=shapes.RevocationSerializer)
    @action(
        detail=True, methods=["post"], permission_classes=[needs("certificates.revoke_certificate")]
    )
    def revoke(self, request: Request, pk: str) -> Response:
        """Revoke this version."""
        data = valid(shapes.RevokeInput, request)
        revocation = services.revoke(
            version_id=self.get_object().pk, actor=actor_of(request), **data
        )
        return Response(shapes.RevocationSerializer(revocation).data)


class RevocationViewSet(Strict, viewsets.ReadOnlyModelViewSet[Revocation]):
    """Revocations; relying parties get theirs from the CRL and OCSP, never here."""

    queryset: QuerySet[Revocation] = Revocation.objects.select_related(
        "version__certificate", "version__issuer"
    ).order_by("-recorded_at", "pk")
    serializer_class = shapes.RevocationSerializer
    filterset_class = RevocationFilter
    filter_backends = searching_serials()
    serial_field: ClassVar = "version__serial"
    search_fields: ClassVar = ("version__serial", "version__certificate__name", "note")
    ordering_fields: ClassVar = ("revoked_at", "recorded_at", "reason")
    cursor_ordering: ClassVar = ("-recorded_at", "pk")

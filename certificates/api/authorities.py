"""Issuers over REST, with the making of a whole CA."""

from datetime import timedelta
from typing import ClassVar

from drf_spectacular.utils import (
    extend_schema,
)
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

from certificates import serializers as shapes
from certificates import services
from foundation.rest.parsers import valid
from issuers.api import IssuerViewSet
from issuers.serializers import IssuerChanges, IssuerInput
from issuers.services import NewCA
from owners.authentication import actor_of
from owners.permissions import needs


class CaViewSet(IssuerViewSet):
    """CAs that sign, and whether they still do."""

    use_cases: ClassVar = {**IssuerViewSet.use_cases, "import_revocations": "crl.import"}
    repeatable: ClassVar = ("create", "import_revocations")
    serializer_class = shapes.CaSerializer

    @extend_schema(request=IssuerInput, responses={201: shapes.CaSerializer})
    def create(self, request: Request) -> Response:
        """Make a local CA with a fresh key, and publish its first CRL."""
        data = valid(IssuerInput, request)
        owner, days = data.pop("owner", None), data.pop("lifetime_days")
        issuer = services.make_ca(
            actor=actor_of(request), ca=NewCA(lifetime=timedelta(days=days), **data), owner=owner
        )
        return Response(self.get_serializer(issuer).data, status.HTTP_201_CREATED)

    @extend_schema(request=IssuerChanges, responses=shapes.CaSerializer)
    @override
    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename, enable or disable an issuer."""
        return super().partial_update(request, pk)

    @extend_schema(request=shapes.OldCRLsInput, responses=shapes.CaSerializer)
    @action(
        detail=True,
        methods=["post"],
        url_path="revocations/import",
        permission_classes=[needs("issuers.add_issuer")],
    )
    def import_revocations(self, request: Request, pk: str) -> Response:
        """Take over what the CA's own CRLs list, and their number; then publish the next one."""
        data = valid(shapes.OldCRLsInput, request)
        issuer = services.import_crls(
            actor=actor_of(request), issuer_id=self.get_object().pk, crls=data["crls"]
        )
        return Response(self.get_serializer(issuer).data)

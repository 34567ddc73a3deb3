"""Issuers over REST, with the making of a whole CA."""

from datetime import timedelta

from drf_spectacular.utils import (
    extend_schema,
)
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from certificates import services
from foundation.rest.parsers import valid
from issuers.api import IssuerViewSet
from issuers.serializers import IssuerInput, IssuerSerializer
from issuers.services import NewCA
from owners.authentication import actor_of


class CaViewSet(IssuerViewSet):
    """CAs that sign."""

    @extend_schema(request=IssuerInput, responses={201: IssuerSerializer})
    def create(self, request: Request) -> Response:
        """Make a local CA with a fresh key, and publish its first CRL."""
        data = valid(IssuerInput, request)
        owner, days = data.pop("owner", None), data.pop("lifetime_days")
        issuer = services.make_ca(
            actor=actor_of(request), ca=NewCA(lifetime=timedelta(days=days), **data), owner=owner
        )
        return Response(IssuerSerializer(issuer).data, status.HTTP_201_CREATED)

"""REST: counts over everything."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console import stats
from foundation.rest.views import Strict
from owners.permissions import needs


class StatsSerializer(serializers.Serializer[Any]):
    """Counts."""

    certificates = serializers.DictField(child=serializers.IntegerField())
    jobs = serializers.DictField(child=serializers.IntegerField())
    expiring = serializers.ListField(child=serializers.DictField())
    oldest_due_seconds = serializers.FloatField()


class StatsView(Strict, APIView):
    """Counts over everything."""

    permission_classes = [needs("certificates.view_certificate", "jobs.view_job")]

    @extend_schema(responses=StatsSerializer)
    def get(self, request: Request) -> Response:
        """Return certificates and jobs by status, and what expires in the coming weeks."""
        certificates, jobs = stats.by_status()
        return Response(
            {
                "certificates": certificates,
                "jobs": jobs,
                "expiring": stats.expiring_by_week(),
                "oldest_due_seconds": stats.oldest_due_seconds(),
            }
        )

"""REST: read the audit trail and take it away as CSV or JSON lines."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from audit.models import Event
from foundation import tables
from foundation.rest.fields import SparseFields
from foundation.rest.views import Strict

FIELDS = (
    "sequence",
    "at",
    "actor",
    "actor_name",
    "api_key",
    "door",
    "action",
    "subject_type",
    "subject_id",
    "subject_name",
    "data",
    "request_id",
    "remote_address",
    "previous_hash",
    "hash",
    "format",
    "certificate",
    "owner",
)
MAX_SEQUENCE = 2**63 - 1  # of the column


class EventSerializer(SparseFields):
    """One event."""

    class Meta:
        model = Event
        fields = FIELDS


class EventFilter(django_filters.FilterSet):
    """By time, actor, action, subject, and the certificate and owner that it is about."""

    since = django_filters.IsoDateTimeFilter("at", "gte")
    until = django_filters.IsoDateTimeFilter("at", "lt")
    actor_name = django_filters.CharFilter("actor_name")
    action = django_filters.CharFilter("action")
    action_prefix = django_filters.CharFilter("action", "startswith")
    after = django_filters.NumberFilter("sequence", "gt", min_value=-1, max_value=MAX_SEQUENCE)

    class Meta:
        model = Event
        fields = (
            "actor",
            "api_key",
            "door",
            "subject_type",
            "subject_id",
            "certificate",
            "owner",
            "request_id",
        )


class EventViewSet(Strict, viewsets.ReadOnlyModelViewSet[Event]):
    """The audit trail, newest first."""

    queryset = Event.objects.order_by("-sequence")
    serializer_class = EventSerializer
    filterset_class = EventFilter
    search_fields = ("action", "actor_name", "subject_name")
    ordering_fields = ("sequence", "at")
    cursor_ordering = ("-sequence",)
    filtered = ("list", "export")
    parameters: ClassVar = {"export": ("as",)}

    @extend_schema(
        parameters=[OpenApiParameter("as", str, enum=["csv", "jsonl"], description="The form.")],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/jsonl"): OpenApiTypes.STR,
        },
    )
    @action(detail=False, methods=["get"], pagination_class=None)
    def export(self, request: Request) -> StreamingHttpResponse:
        """Stream every event that the filters let through, the oldest first."""
        form = request.query_params.get("as", "jsonl")
        events = self.filter_queryset(self.get_queryset()).order_by("sequence")
        if form == "csv":
            return _download(_csv(events), "text/csv; charset=utf-8", "audit.csv")
        if form == "jsonl":
            return _download(_lines(events), "application/jsonl", "audit.jsonl")
        raise ValidationError({"as": "It must be csv or jsonl."})


def _download(chunks: Iterator[str], content_type: str, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(chunks, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _row(event: Event) -> dict[str, Any]:
    row = {name: getattr(event, name) for name in FIELDS}
    row["at"] = event.at.isoformat()
    row["actor"] = event.actor_id
    return {name: str(value) if isinstance(value, UUID) else value for name, value in row.items()}


def _lines(events: QuerySet[Event]) -> Iterator[str]:
    for event in events.iterator(chunk_size=1000):
        yield json.dumps(_row(event), sort_keys=True) + "\n"


def _csv(events: QuerySet[Event]) -> Iterator[str]:
    yield tables.line(FIELDS)
    for event in events.iterator(chunk_size=1000):
        row = _row(event) | {"data": json.dumps(event.data, sort_keys=True)}
        yield tables.line([tables.disarmed(row[name]) for name in FIELDS])

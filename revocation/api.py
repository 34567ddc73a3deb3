"""REST: plans of bulk revocation, and `certificates/bulk-revoke/`, which makes one."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import renderers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

import jobs.api
from foundation.rest.parsers import valid
from foundation.rest.renderers import Csv
from foundation.rest.views import PAGES, Strict
from owners.authentication import actor_of
from owners.permissions import needs
from revocation import serializers as shapes
from revocation import services
from revocation.models import Plan
from revocation.policy import BULK_REVOKE
from revocation.states import Status

ADMINISTRATORS = [needs(BULK_REVOKE)]


class PlanViewSet(Strict, viewsets.ReadOnlyModelViewSet[Plan]):
    """Plans of bulk revocation: made, confirmed, followed. For administrators alone."""

    use_cases: ClassVar = {
        "create": "revocation_plan.create",
        "confirm": "revocation_plan.confirm",
        "look": "revocation_plan.look",
        "pause": "revocation_plan.pause",
        "resume": "revocation_plan.resume",
        "stop": "revocation_plan.stop",
    }
    queryset = Plan.objects.select_related("made_by", "confirmed_by", "looked_by").order_by(
        "-made_at", "pk"
    )
    cursor_ordering = ("-made_at", "pk")
    serializer_class = shapes.PlanSerializer
    permission_classes = ADMINISTRATORS
    filterset_fields = ("status", "reason", "drill")
    search_fields = ("note",)
    ordering_fields = ("made_at", "confirmed_at", "ended_at", "count")
    parameters: ClassVar = {"report": ("fields", *PAGES)}
    http_method_names = ["get", "head", "options", "post"]

    @extend_schema(request=shapes.PlanInput, responses={201: shapes.PlanSerializer})
    def create(self, request: Request) -> Response:
        """Look at what would be revoked, and keep it as a plan; nothing is revoked yet."""
        plan = services.create_plan(actor=actor_of(request), **valid(shapes.PlanInput, request))
        return self._answer(plan.pk, HTTPStatus.CREATED)

    @extend_schema(request=shapes.ConfirmInput, responses=shapes.PlanSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Have the plan carried out; a large one needs another administrator than its maker."""
        plan = services.confirm_plan(
            plan_id=self.get_object().pk,
            actor=actor_of(request),
            **valid(shapes.ConfirmInput, request),
        )
        return self._answer(plan.pk)

    @extend_schema(request=shapes.PlanNoteInput, responses=shapes.PlanSerializer)
    @action(detail=True, methods=["post"])
    def look(self, request: Request, pk: str) -> Response:
        """Say that you have looked at what another administrator revoked at once."""
        return self._carry_out(request, services.look_at_plan)

    @extend_schema(request=shapes.PlanNoteInput, responses=shapes.PlanSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Begin no further wave until it is resumed."""
        return self._carry_out(request, services.pause_plan)

    @extend_schema(request=shapes.PlanNoteInput, responses=shapes.PlanSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Go on where it was paused."""
        return self._carry_out(request, services.resume_plan)

    @extend_schema(request=shapes.PlanNoteInput, responses=shapes.PlanSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> Response:
        """End the plan for good; what is revoked stays so."""
        return self._carry_out(request, services.stop_plan)

    @extend_schema(
        responses={
            (200, "application/json"): shapes.LineSerializer(many=True),
            (200, "text/csv"): OpenApiTypes.STR,
        },
        filters=False,
        operation_id="revocation_plan_report",
    )
    @action(
        detail=True,
        methods=["get"],
        filter_backends=[],
        renderer_classes=[renderers.JSONRenderer, Csv],
    )
    def report(self, request: Request, pk: str) -> Any:
        """Show what became of each version, in pages; as CSV all of it, with owners' addresses."""
        plan = self.get_object()
        if request.accepted_renderer.format == Csv.format:
            name = f"{'drill' if plan.drill else 'revocation'}-{plan.pk}.csv"
            return StreamingHttpResponse(
                (one.encode() for one in services.to_csv(plan)),
                content_type="text/csv; charset=utf-8",
                headers={"Content-Disposition": f'attachment; filename="{name}"'},
            )
        page = self.paginate_queryset(services.items_of(plan))
        shown = shapes.LineSerializer(list(services.lines(plan, page or ())), many=True)
        answer = self.get_paginated_response(shown.data)
        answer.data.update(services.summary(plan))
        return answer

    def _carry_out(self, request: Request, act: Callable[..., Plan]) -> Response:
        data = valid(shapes.PlanNoteInput, request)
        return self._answer(act(plan_id=self.get_object().pk, actor=actor_of(request), **data).pk)

    def _answer(self, pk: UUID, status: int = HTTPStatus.OK) -> Response:
        return Response(_shown(pk), status)


def _shown(pk: UUID) -> Any:
    return shapes.PlanSerializer(PlanViewSet.queryset.get(pk=pk)).data


class RevokingCertificatesViewSet(jobs.api.CertificateJobsViewSet):
    """Certificates, with what revokes many of them: that is done by a plan."""

    use_cases: ClassVar = {
        **jobs.api.CertificateJobsViewSet.use_cases,
        "bulk_revoke": "certificate.bulk_revoke",
    }

    @extend_schema(
        request=shapes.BulkRevokeInput,
        responses={
            200: PolymorphicProxySerializer(
                "BulkRevoke", [shapes.PreviewSerializer, shapes.BulkResultSerializer], None
            ),
            202: shapes.PlanSerializer,
        },
    )
    @action(
        detail=False, methods=["post"], url_path="bulk-revoke", permission_classes=ADMINISTRATORS
    )
    def bulk_revoke(self, request: Request) -> Response:
        """Revoke everything that meets the criteria; with `dry_run` only show what that is.

        More than one administrator revokes alone, or than is done while somebody waits, becomes a
        plan (202): to be confirmed, or followed, at its Location.
        """
        data = valid(shapes.BulkRevokeInput, request)
        if data.pop("dry_run"):
            preview = services.preview_revocation(criteria=data["criteria"], reason=data["reason"])
            return Response(shapes.PreviewSerializer(preview).data)
        plan = services.bulk_revoke(actor=actor_of(request), **data)
        if plan.status == Status.COMPLETED:
            return Response(shapes.BulkResultSerializer(services.result_of(plan)).data)
        place = reverse("revocationplan-detail", args=[plan.pk], request=request)
        return Response(_shown(plan.pk), HTTPStatus.ACCEPTED, headers={"Location": place})

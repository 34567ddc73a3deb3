"""REST: labels, devices, their credentials, and what they asked for."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import renderers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from enrollment import filters, services
from enrollment import serializers as shapes
from enrollment.models import Credential, Device, Enrollment, Label
from enrollment.services import Made, NewCredential
from foundation.rest.parsers import valid
from foundation.rest.renderers import Csv
from foundation.rest.views import Strict
from owners.authentication import actor_of
from owners.permissions import needs

ONCE = {"Cache-Control": "no-store"}


class LabelViewSet(Strict, viewsets.ReadOnlyModelViewSet[Label]):
    """Labels: one address each at which devices enroll."""

    use_cases: ClassVar = {
        "create": "label.create",
        "partial_update": "label.update",
        "block": "label.block",
        "unblock": "label.unblock",
    }
    queryset: QuerySet[Label] = Label.objects.select_related(
        "issuer", "profile", "owner", "principal"
    ).order_by("protocol", "path")
    serializer_class = shapes.LabelSerializer
    filterset_fields = ("protocol", "path", "enabled", "is_default", "issuer__slug", "owner")
    search_fields = ("path", "owner__name", "environment")
    ordering_fields = ("protocol", "path", "created_at")
    bodiless = ("unblock",)

    @extend_schema(request=shapes.LabelInput, responses={201: shapes.LabelSerializer})
    def create(self, request: Request) -> Response:
        """Make a label, and the machine principal that asks for what is enrolled there."""
        label = services.create_label(actor=actor_of(request), **valid(shapes.LabelInput, request))
        return Response(shapes.LabelSerializer(label).data, status.HTTP_201_CREATED)

    @extend_schema(request=shapes.LabelChanges, responses=shapes.LabelSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what holds for all that is enrolled from now on."""
        label = services.update_label(
            actor=actor_of(request),
            label_id=self.get_object().pk,
            changes=valid(shapes.LabelChanges, request),
        )
        return Response(shapes.LabelSerializer(label).data)

    @extend_schema(request=shapes.BlockInput, responses=shapes.LabelSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("enrollment.block_label")])
    def block(self, request: Request, pk: str) -> Response:
        """Have nothing enrolled, renewed or collected here from now on."""
        label = services.block_label(
            actor=actor_of(request),
            label_id=self.get_object().pk,
            **valid(shapes.BlockInput, request),
        )
        return Response(shapes.LabelSerializer(label).data)

    @extend_schema(request=None, responses=shapes.LabelSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("enrollment.change_label")])
    def unblock(self, request: Request, pk: str) -> Response:
        """Open the label again."""
        label = services.unblock_label(actor=actor_of(request), label_id=self.get_object().pk)
        return Response(shapes.LabelSerializer(label).data)


class DeviceViewSet(Strict, viewsets.ReadOnlyModelViewSet[Device]):
    """Devices that enroll at labels."""

    use_cases: ClassVar = {
        "create": "device.create",
        "block": "device.block",
        "unblock": "device.unblock",
    }
    queryset: QuerySet[Device] = Device.objects.select_related("label").order_by(
        "-created_at", "pk"
    )
    serializer_class = shapes.DeviceSerializer
    filterset_class = filters.DeviceFilter
    search_fields = ("name",)
    ordering_fields = ("name", "created_at")
    bodiless = ("unblock",)

    @extend_schema(request=shapes.DeviceInput, responses={201: shapes.DeviceSerializer})
    def create(self, request: Request) -> Response:
        """Announce a device at a label."""
        data = valid(shapes.DeviceInput, request)
        device = services.create_device(
            actor=actor_of(request), label_id=data["label"].pk, name=data["name"]
        )
        return Response(shapes.DeviceSerializer(device).data, status.HTTP_201_CREATED)

    @extend_schema(request=shapes.BlockInput, responses=shapes.BlockedDeviceSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("enrollment.block_device")])
    def block(self, request: Request, pk: str) -> Response:
        """Block a device at once; `holds` is what it can still show until that is revoked."""
        device = services.block_device(
            actor=actor_of(request),
            device_id=self.get_object().pk,
            **valid(shapes.BlockInput, request),
        )
        return Response(shapes.BlockedDeviceSerializer(device).data)

    @extend_schema(request=None, responses=shapes.DeviceSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("enrollment.change_device")])
    def unblock(self, request: Request, pk: str) -> Response:
        """Let a blocked device ask again."""
        device = services.unblock_device(actor=actor_of(request), device_id=self.get_object().pk)
        return Response(shapes.DeviceSerializer(device).data)


class CredentialViewSet(Strict, viewsets.ReadOnlyModelViewSet[Credential]):
    """Credentials and challenges: made and blocked, never changed and never shown again."""

    use_cases: ClassVar = {
        "create": "credential.create",
        "bulk": "credential.create",
        "block": "credential.block",
    }
    queryset: QuerySet[Credential] = Credential.objects.select_related(
        "label", "device", "created_by"
    ).order_by("-created_at", "pk")
    serializer_class = shapes.CredentialSerializer
    filterset_class = filters.CredentialFilter
    search_fields = ("prefix", "device__name", "names")
    ordering_fields = ("created_at", "expires_at")
    bodiless = ("block",)
    repeatable = ("create", "bulk")
    shown_once = ("credential", "credentials")

    @extend_schema(request=shapes.CredentialInput, responses={201: shapes.CreatedCredential})
    def create(self, request: Request) -> Response:
        """Make a credential; `credential` in the answer is shown this once."""
        data = valid(shapes.CredentialInput, request)
        label = data.pop("label")
        data.setdefault("one_time", bool(data["device"]))
        (made,) = services.create_credentials(
            actor=actor_of(request), label_id=label.pk, wanted=[NewCredential(**data)]
        )
        return Response(_shown(made), status.HTTP_201_CREATED, headers=ONCE)

    @extend_schema(
        request=shapes.BulkInput,
        responses={
            (201, "application/json"): shapes.BulkMade,
            (201, "text/csv"): OpenApiTypes.STR,
        },
    )
    @action(
        detail=False,
        methods=["post"],
        permission_classes=[needs("enrollment.add_credential")],
        renderer_classes=[renderers.JSONRenderer, Csv],
    )
    def bulk(self, request: Request) -> Response:
        """Make a credential for each row of a CSV, all or none; the texts are shown this once."""
        data = valid(shapes.BulkInput, request)
        made = services.create_credentials(
            actor=actor_of(request),
            label_id=data["label"].pk,
            wanted=services.read_csv(data["csv"]),
            numbered=True,
        )
        if request.accepted_renderer.format == Csv.format:
            headers = {**ONCE, "Content-Disposition": 'attachment; filename="credentials.csv"'}
            return Response(services.to_csv(made), status.HTTP_201_CREATED, headers=headers)
        shown = {"credentials": [_shown(one) for one in made]}
        return Response(shown, status.HTTP_201_CREATED, headers=ONCE)

    @extend_schema(request=None, responses=shapes.CredentialSerializer)
    @action(
        detail=True, methods=["post"], permission_classes=[needs("enrollment.change_credential")]
    )
    def block(self, request: Request, pk: str) -> Response:
        """Have a credential enroll nothing any more; what it brought and is still open ends."""
        credential = services.block_credential(
            actor=actor_of(request), credential_id=self.get_object().pk
        )
        return Response(shapes.CredentialSerializer(credential).data)


def _shown(made: Made) -> dict[str, Any]:
    return {**shapes.CredentialSerializer(made.credential).data, "credential": made.text}


class EnrollmentViewSet(Strict, viewsets.ReadOnlyModelViewSet[Enrollment]):
    """What devices asked for, and what became of it."""

    queryset: QuerySet[Enrollment] = Enrollment.objects.with_outcome().order_by("-created_at", "pk")
    serializer_class = shapes.EnrollmentSerializer
    filterset_class = filters.EnrollmentFilter
    search_fields = ("device__name", "certificate__name", "transaction")
    ordering_fields = ("created_at", "collected_at")

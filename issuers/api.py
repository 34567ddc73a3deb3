"""REST: issuers and profiles."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

from foundation.rest.parsers import valid
from foundation.rest.views import Strict
from issuers import services
from issuers.models import Issuer, Profile
from issuers.serializers import (
    IssuerChanges,
    IssuerSerializer,
    ProfileSerializer,
    SuccessorInput,
    TestedSerializer,
)
from owners.authentication import actor_of
from owners.permissions import needs


class IssuerViewSet(Strict, viewsets.ReadOnlyModelViewSet[Issuer]):
    """CAs that sign; `certificates.api` adds the making of one in a subclass."""

    use_cases: ClassVar = {
        "create": "issuer.create",
        "partial_update": "issuer.update",
        "test": "issuer.test",
        "successor": "issuer.name_successor",
    }
    queryset = Issuer.objects.order_by("slug")
    serializer_class: type[serializers.BaseSerializer[Issuer]] = IssuerSerializer
    filterset_fields = ("slug", "kind", "enabled", "parent")
    search_fields = ("slug", "name")
    ordering_fields = ("slug", "name", "created_at")
    cursor_ordering = ("slug",)
    bodiless: ClassVar[tuple[str, ...]] = ("test",)
    unconditional: ClassVar = ("test",)

    @extend_schema(request=IssuerChanges, responses=IssuerSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename, enable or disable an issuer, or change how its CRLs are made."""
        issuer = services.update_issuer(
            actor=actor_of(request),
            issuer_id=self.get_object().pk,
            changes=valid(IssuerChanges, request),
        )
        return Response(self.get_serializer(issuer).data)

    @extend_schema(request=None, responses=TestedSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("issuers.test_issuer")])
    def test(self, request: Request, pk: str) -> Response:
        """Have the issuer prove that it can sign."""
        said = services.test_connection(issuer=self.get_object(), actor=actor_of(request))
        return Response({"works": True, "detail": said})

    @extend_schema(request=SuccessorInput)
    @action(detail=True, methods=["post"], permission_classes=[needs("issuers.change_issuer")])
    def successor(self, request: Request, pk: str) -> Response:
        """Name the issuer that follows this one, or say with null that none does.

        Where both keys are ours, each CA signs the other, so that devices that trust the one come
        to trust the other (EST's cacerts, RFC 7030 section 4.1.3); else bring what they signed.
        """
        issuer = services.name_successor(
            actor=actor_of(request),
            issuer_id=self.get_object().pk,
            **valid(SuccessorInput, request),
        )
        return Response(self.get_serializer(issuer).data)


class ProfileViewSet(
    Strict,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.ReadOnlyModelViewSet[Profile],
):
    """Rules for kinds of certificates."""

    use_cases: ClassVar = {
        "create": "profile.create",
        "partial_update": "profile.update",
        "destroy": "profile.delete",
    }
    queryset = Profile.objects.prefetch_related("issuers").order_by("slug")
    serializer_class = ProfileSerializer
    filterset_fields = ("slug", "enabled", "issuers__slug")
    search_fields = ("slug", "name", "description")
    ordering_fields = ("slug", "name", "max_lifetime", "created_at")
    cursor_ordering = ("slug",)
    http_method_names = ["get", "head", "options", "post", "patch", "delete"]

    @override
    def perform_create(self, serializer: serializers.BaseSerializer[Profile]) -> None:
        self._save(serializer)

    @override
    def perform_update(self, serializer: serializers.BaseSerializer[Profile]) -> None:
        self._save(serializer)

    @override
    def perform_destroy(self, instance: Profile) -> None:
        """Delete it, where nothing was ever issued under it."""
        services.delete_profile(actor=actor_of(self.request), profile=instance)

    def _save(self, serializer: serializers.BaseSerializer[Profile]) -> None:
        data = dict(serializer.validated_data)
        row = serializer.instance
        serializer.instance = services.save_profile(
            actor=actor_of(self.request),
            issuers=data.pop("issuers", None),
            changes=data,
            profile_id=row.pk if isinstance(row, Profile) else None,
        )

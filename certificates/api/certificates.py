"""REST: certificates, their versions and revocations, and renewal policies."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import renderers, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

from certificates import search, services
from certificates import serializers as shapes
from certificates.api.files import MEDIA, DerFile, PemFile, Pkcs12File, export_of
from certificates.details import Details
from certificates.filters import CertificateFilter, searching_by_index
from certificates.models import Certificate, Version
from foundation.errors import Conflict, NotFound
from foundation.rest.parsers import valid
from foundation.rest.views import PAGES, Strict
from owners.authentication import actor_of
from owners.permissions import needs


class NothingIssued(Conflict):
    """The certificate has no version yet."""

    code = "nothing_issued"
    message = "Nothing has been issued for this certificate yet."


class CertificateViewSet(Strict, viewsets.ReadOnlyModelViewSet[Certificate]):
    """Certificates: the names under management.

    `jobs.api` adds what makes jobs (request, renew, deploy, verify) in a subclass.
    """

    use_cases: ClassVar = {
        "partial_update": "certificate.update",
        "destroy": "certificate.archive",
        "archive": "certificate.archive",
        "revoke": "certificate.revoke",
        "release_hold": "certificate.release_hold",
        "export": "certificate.export",
        "export_with_password": "certificate.export",
        "import_pem": "certificate.import",
    }
    queryset = Certificate.objects.select_related(
        "owner", "issuer", "profile", "current", "current__revocation"
    ).order_by("-created_at", "pk")
    serializer_class: type[serializers.BaseSerializer[Any]] = shapes.CertificateSerializer
    filterset_class = CertificateFilter
    filter_backends = searching_by_index()
    search_rows = staticmethod(search.matching)
    search_fields: ClassVar = ("name", "common_name", "sans", "owner__name", "environment")
    ordering_fields: ClassVar = (
        "name",
        "common_name",
        "status",
        "environment",
        "owner__name",
        "current__not_after",
        "created_at",
        "updated_at",
    )
    sorted_by: ClassVar = {"current__not_after": "ends_at"}
    parameters: ClassVar = {"versions": ("fields", *PAGES), "export": ("format", "version")}
    bodiless = ("archive",)
    repeatable: ClassVar[tuple[str, ...]] = ("create", "import_pem", "revoke")
    unconditional = ("export_with_password",)
    http_method_names = ["get", "head", "options", "post", "patch", "delete"]
    # What the standard actions need where the model's own permissions do not say it.
    action_permissions: ClassVar[dict[str, type[BasePermission]]] = {
        "destroy": needs("certificates.archive_certificate"),
    }

    @override
    def get_permissions(self) -> list[Any]:
        """Ask for the permission that belongs to the action."""
        special = self.action_permissions.get(str(self.action))
        return [special()] if special else list(super().get_permissions())

    @extend_schema(request=shapes.DetailsChanges, responses=shapes.CertificateSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what people say of a certificate; who signs it, and under which profile, stays."""
        changes = valid(shapes.DetailsChanges, request)
        services.update_details(
            certificate_id=self.get_object().pk, actor=actor_of(request), changes=changes
        )
        return self._shown()

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Archive the certificate: nothing is ever deleted."""
        services.archive(certificate_id=self.get_object().pk, actor=actor_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=shapes.CertificateSerializer)
    @action(
        detail=True,
        methods=["post"],
        permission_classes=[needs("certificates.archive_certificate")],
    )
    def archive(self, request: Request, pk: str) -> Response:
        """Put the certificate away for good, once nothing of it is valid any more."""
        services.archive(certificate_id=self.get_object().pk, actor=actor_of(request))
        return self._shown()

    @extend_schema(
        responses=shapes.VersionSerializer(many=True),
        filters=False,
        operation_id="certificate_versions",
    )
    @action(
        detail=True,
        methods=["get"],
        filter_backends=[],
        permission_classes=[needs("certificates.view_version")],
    )
    def versions(self, request: Request, pk: str) -> Response:
        """List every version, the newest first."""
        rows: Any = (
            Version.objects.filter(certificate=self.get_object())
            .select_related("issuer", "revocation")
            .order_by("-number", "pk")
        )
        page = self.paginate_queryset(rows)
        shown = shapes.VersionSerializer(page, many=True, context=self.get_serializer_context())
        return self.get_paginated_response(shown.data)

    @extend_schema(request=shapes.RevokeCurrentInput, responses=shapes.RevocationSerializer)
    @action(
        detail=True, methods=["post"], permission_classes=[needs("certificates.revoke_certificate")]
    )
    def revoke(self, request: Request, pk: str) -> Response:
        """Revoke the current version, or the one that is named."""
        data = valid(shapes.RevokeCurrentInput, request)
        version = _version_of(self.get_object(), data.pop("version"))
        revocation = services.revoke(version_id=version.pk, actor=actor_of(request), **data)
        return Response(shapes.RevocationSerializer(revocation).data)

    @extend_schema(request=shapes.NoteInput, responses=shapes.CertificateSerializer)
    @action(
        detail=True,
        methods=["post"],
        url_path="release-hold",
        permission_classes=[needs("certificates.revoke_certificate")],
    )
    def release_hold(self, request: Request, pk: str) -> Response:
        """Take a certificateHold back."""
        data = valid(shapes.NoteInput, request)
        version = _version_of(self.get_object(), data.pop("version"))
        services.release_hold(version_id=version.pk, actor=actor_of(request), **data)
        return self._shown()

    @extend_schema(
        parameters=[
            OpenApiParameter("format", str, enum=list(MEDIA), default="pem"),
            OpenApiParameter("version", OpenApiTypes.UUID),
        ],
        responses={
            (200, "application/x-pem-file"): OpenApiTypes.BINARY,
            (200, "application/pkix-cert"): OpenApiTypes.BINARY,
            (200, "application/x-pkcs12"): OpenApiTypes.BINARY,
        },
        filters=False,
    )
    @action(
        detail=True,
        methods=["get"],
        permission_classes=[needs("certificates.export_certificate")],
        renderer_classes=[PemFile, DerFile, Pkcs12File, renderers.JSONRenderer],
        filter_backends=[],
    )
    def export(self, request: Request, pk: str) -> Response:
        """Download the chain (pem), the certificate (der) or both (pkcs12); never a key.

        With a POST, a password for the PKCS#12 store can be given.
        """
        version = _version_of(self.get_object(), _id(request.query_params.get("version")))
        chosen = str(getattr(request.accepted_renderer, "format", "pem"))
        return export_of(request, version, chosen if chosen in MEDIA else "pem")

    @extend_schema(
        request=shapes.ExportInput,
        responses={(200, media.media_type): OpenApiTypes.BINARY for media in MEDIA.values()},
    )
    @export.mapping.post
    def export_with_password(self, request: Request, pk: str) -> Response:
        """Download as above, with a password for the PKCS#12 store."""
        data = valid(shapes.ExportInput, request)
        version = _version_of(self.get_object(), data["version"])
        return export_of(request, version, data["format"], data["password"], legacy=data["legacy"])

    @extend_schema(request=shapes.ImportInput, responses={201: shapes.CertificateSerializer})
    @action(
        detail=False,
        methods=["post"],
        url_path="import",
        permission_classes=[needs("certificates.import_certificate")],
    )
    def import_pem(self, request: Request) -> Response:
        """Put a certificate that somebody else had signed into the inventory."""
        data = valid(shapes.ImportInput, request)
        certificate = services.import_pem(
            actor=actor_of(request), pem=data.pop("pem"), details=Details(**data)
        )
        shown = shapes.CertificateSerializer(certificate, context=self.get_serializer_context())
        return Response(shown.data, status.HTTP_201_CREATED)

    def _shown(self) -> Response:
        """Return the certificate as it is now."""
        shown = shapes.CertificateSerializer(
            self.get_object(), context=self.get_serializer_context()
        )
        return Response(shown.data)


def _id(text: str | None) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def _version_of(certificate: Certificate, version_id: UUID | None) -> Version:
    """Return the named version of this certificate, or its current one."""
    if version_id is not None:
        version = certificate.versions.select_related("certificate").filter(pk=version_id).first()
        if version is None:
            raise NotFound("The certificate has no such version.")
        return version
    if certificate.current is None:
        raise NothingIssued
    return certificate.current

"""REST: certificates, their versions and revocations, and renewal policies."""

import json
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, renderers, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from certificates import serializers as shapes
from certificates import services
from certificates.filters import CertificateFilter, RevocationFilter, VersionFilter
from certificates.models import Certificate, RenewalPolicy, Revocation, Version
from foundation.errors import Conflict, NotFound
from owners.authentication import actor_of
from owners.permissions import needs

BINARY = OpenApiResponse(OpenApiTypes.BINARY, "The file.")


class NothingIssued(Conflict):
    """The certificate has no version yet."""

    code = "nothing_issued"
    message = "Nothing has been issued for this certificate yet."


class _File(renderers.BaseRenderer):
    """A file as it is; a problem (which is no bytes) as JSON."""

    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None
    ) -> bytes:
        """Return the bytes."""
        return data if isinstance(data, bytes) else json.dumps(data, default=str).encode()


class PemFile(_File):
    """`?format=pem`: the chain, leaf first."""

    media_type = "application/x-pem-file"
    format = "pem"


class DerFile(_File):
    """`?format=der`: the certificate alone."""

    media_type = "application/pkix-cert"
    format = "der"


class Pkcs12File(_File):
    """`?format=pkcs12`: a store of certificates, without a key."""

    media_type = "application/x-pkcs12"
    format = "pkcs12"


_SUFFIX = {"pem": "pem", "der": "cer", "pkcs12": "p12"}
_MEDIA = {"pem": PemFile, "der": DerFile, "pkcs12": Pkcs12File}


class CertificateViewSet(viewsets.ReadOnlyModelViewSet[Certificate]):
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
        "bulk_revoke": "certificate.bulk_revoke",
    }
    queryset = Certificate.objects.select_related(
        "owner", "issuer", "profile", "current", "current__revocation"
    ).order_by("-created_at", "pk")
    serializer_class: type[serializers.BaseSerializer[Any]] = shapes.CertificateSerializer
    filterset_class = CertificateFilter
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
    http_method_names = ["get", "head", "options", "post", "patch", "delete"]
    # What the standard actions need where the model's own permissions do not say it.
    action_permissions: ClassVar[dict[str, type[BasePermission]]] = {
        "destroy": needs("certificates.archive_certificate"),
    }

    def get_permissions(self) -> list[Any]:
        """Ask for the permission that belongs to the action."""
        special = self.action_permissions.get(str(self.action))
        return [special()] if special else list(super().get_permissions())

    @extend_schema(request=shapes.DetailsInput, responses=shapes.CertificateSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change name, owner, team, renewal policy, environment or tags."""
        changes = _valid(shapes.DetailsInput(data=request.data))
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
        data = _valid(shapes.RevokeCurrentInput(data=request.data))
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
        data = _valid(shapes.NoteInput(data=request.data))
        version = _version_of(self.get_object(), data.pop("version"))
        services.release_hold(version_id=version.pk, actor=actor_of(request), **data)
        return self._shown()

    @extend_schema(
        parameters=[
            OpenApiParameter("format", str, enum=list(_MEDIA), default="pem"),
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
        return _export(request, version, chosen if chosen in _MEDIA else "pem", "")

    @extend_schema(
        request=shapes.ExportInput,
        responses={(200, media.media_type): OpenApiTypes.BINARY for media in _MEDIA.values()},
    )
    @export.mapping.post
    def export_with_password(self, request: Request, pk: str) -> Response:
        """Download as above, with a password for the PKCS#12 store."""
        data = _valid(shapes.ExportInput(data=request.data))
        version = _version_of(self.get_object(), data["version"])
        return _export(request, version, data["format"], data["password"])

    @extend_schema(request=shapes.ImportInput, responses={201: shapes.CertificateSerializer})
    @action(
        detail=False,
        methods=["post"],
        url_path="import",
        permission_classes=[needs("certificates.import_certificate")],
    )
    def import_pem(self, request: Request) -> Response:
        """Put a certificate that somebody else had signed into the inventory."""
        data = _valid(shapes.ImportInput(data=request.data))
        certificate = services.import_pem(actor=actor_of(request), **data)
        shown = shapes.CertificateSerializer(certificate, context=self.get_serializer_context())
        return Response(shown.data, status.HTTP_201_CREATED)

    @extend_schema(request=shapes.BulkRevokeInput, responses=shapes.BulkRevokeResult)
    @action(
        detail=False,
        methods=["post"],
        url_path="bulk-revoke",
        permission_classes=[needs("certificates.bulk_revoke")],
    )
    def bulk_revoke(self, request: Request) -> Response:
        """Revoke everything that meets the criteria; with `dry_run` only show what that is."""
        data = _valid(shapes.BulkRevokeInput(data=request.data))
        result = services.bulk_revoke(actor=actor_of(request), **data)
        if isinstance(result, services.Preview):
            shown = {
                "dry_run": True,
                "plan": result.plan,
                "count": result.count,
                "affected": result.affected,
                "owners": result.owners,
                "crl_growth_bytes": result.crl_growth_bytes,
            }
        else:
            shown = {
                "dry_run": False,
                "plan": result.plan,
                "count": len(result.outcomes),
                "outcomes": result.outcomes,
                "revoked": result.count("revoked"),
                "already_revoked": result.count("already_revoked"),
                "failed": result.count("failed"),
            }
        return Response(shapes.BulkRevokeResult(shown).data)

    def _shown(self) -> Response:
        """Return the certificate as it is now."""
        shown = shapes.CertificateSerializer(
            self.get_object(), context=self.get_serializer_context()
        )
        return Response(shown.data)


class VersionViewSet(viewsets.ReadOnlyModelViewSet[Version]):
    """Versions: each one signed certificate."""

    use_cases: ClassVar = {
        "revoke": "certificate.revoke",
    }
    queryset: QuerySet[Version] = Version.objects.select_related("issuer", "revocation").order_by(
        "-created_at", "pk"
    )
    serializer_class = shapes.VersionSerializer
    filterset_class = VersionFilter
    search_fields: ClassVar = ("serial", "subject", "sans", "fingerprint")
    ordering_fields: ClassVar = ("number", "not_before", "not_after", "created_at")

    @extend_schema(request=shapes.RevokeInput, responses=shapes.RevocationSerializer)
    @action(
        detail=True, methods=["post"], permission_classes=[needs("certificates.revoke_certificate")]
    )
    def revoke(self, request: Request, pk: str) -> Response:
        """Revoke this version."""
        data = _valid(shapes.RevokeInput(data=request.data))
        revocation = services.revoke(
            version_id=self.get_object().pk, actor=actor_of(request), **data
        )
        return Response(shapes.RevocationSerializer(revocation).data)


class RevocationViewSet(viewsets.ReadOnlyModelViewSet[Revocation]):
    """Revocations; relying parties get theirs from the CRL and OCSP, never here."""

    queryset: QuerySet[Revocation] = Revocation.objects.select_related(
        "version__certificate", "version__issuer"
    ).order_by("-recorded_at", "pk")
    serializer_class = shapes.RevocationSerializer
    filterset_class = RevocationFilter
    search_fields: ClassVar = ("version__serial", "version__certificate__name", "note")
    ordering_fields: ClassVar = ("revoked_at", "recorded_at", "reason")
    cursor_ordering: ClassVar = ("-recorded_at", "pk")


class RenewalPolicyViewSet(
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.ReadOnlyModelViewSet[RenewalPolicy],
):
    """Renewal policies."""

    use_cases: ClassVar = {
        "create": "renewalpolicy.create",
        "partial_update": "renewalpolicy.update",
        "destroy": "renewalpolicy.delete",
    }
    queryset: QuerySet[RenewalPolicy] = RenewalPolicy.objects.order_by("name")
    serializer_class = shapes.RenewalPolicySerializer
    filterset_fields: ClassVar = ("name", "auto_renew", "reuse_key")
    search_fields: ClassVar = ("name",)
    ordering_fields: ClassVar = ("name", "window", "created_at")
    http_method_names = ["get", "head", "options", "post", "patch", "delete"]

    def perform_create(self, serializer: serializers.BaseSerializer[Any]) -> None:
        """Make it."""
        serializer.instance = services.create_policy(
            actor=actor_of(self.request), **serializer.validated_data
        )

    def perform_update(self, serializer: serializers.BaseSerializer[Any]) -> None:
        """Change it."""
        serializer.instance = services.update_policy(
            policy_id=self.get_object().pk,
            actor=actor_of(self.request),
            changes=dict(serializer.validated_data),
        )

    def perform_destroy(self, instance: RenewalPolicy) -> None:
        """Delete it, where no certificate uses it."""
        services.delete_policy(policy_id=instance.pk, actor=actor_of(self.request))


def _valid(serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


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


def _export(request: Request, version: Version, form: str, password: str) -> Response:
    data = services.export(version=version, form=form, actor=actor_of(request), password=password)
    renderer = _MEDIA[form]()
    request.accepted_renderer, request.accepted_media_type = renderer, renderer.media_type
    name = f"{version.certificate.pk}-v{version.number}.{_SUFFIX[form]}"
    return Response(
        data,
        content_type=renderer.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )

"""Certificates as files: the forms in which a version leaves."""

import json
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiResponse,
)
from rest_framework import renderers
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

from certificates import services
from certificates.export import FILES
from certificates.models import Version
from owners.authentication import actor_of

BINARY = OpenApiResponse(OpenApiTypes.BINARY, "The file.")


class _File(renderers.BaseRenderer):
    """A file as it is; a problem (which is no bytes) as JSON."""

    charset = None
    render_style = "binary"

    @override
    def render(
        self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None
    ) -> bytes:
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


MEDIA = {"pem": PemFile, "der": DerFile, "pkcs12": Pkcs12File}


def export_of(
    request: Request, version: Version, form: str, password: str = "", *, legacy: bool = False
) -> Response:
    """Answer with the file; the export is recorded."""
    data = services.export(
        version=version, form=form, actor=actor_of(request), password=password, legacy=legacy
    )
    renderer = MEDIA[form]()
    request.accepted_renderer, request.accepted_media_type = renderer, renderer.media_type
    name = f"{version.certificate.pk}-v{version.number}.{FILES[form][1]}"
    return Response(
        data,
        content_type=renderer.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )

"""Media types besides JSON, for routes whose answers are tables too."""

from typing import Any

from rest_framework import renderers
from typing_extensions import override


class Csv(renderers.BaseRenderer):
    """`Accept: text/csv`: a table that the view has made; a problem as JSON."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    @override
    def render(
        self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None
    ) -> bytes:
        return data.encode() if isinstance(data, str) else renderers.JSONRenderer().render(data)

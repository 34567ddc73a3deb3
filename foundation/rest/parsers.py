"""Bodies on their way in."""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from typing_extensions import override

from foundation.rest.fields import StrictInput


class Json(JSONParser):
    """JSON, with nesting that Python's own parser gives up on told as malformed."""

    @override
    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("JSON parse error - it is nested too deeply.") from None


def valid(form: type[BaseSerializer[Any]], request: Request) -> dict[str, Any]:
    """Return what the body says, as `form` reads it; raises ValidationError, ParseError."""
    serializer = form(data=request.data, context={"request": request})
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


class Nothing(StrictInput):
    """The body of what reads none: absent or an empty object."""

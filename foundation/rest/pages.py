"""Lists in pages: counted, or walked by key."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError as InvalidValue
from django.db import DataError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

from foundation.texts import is_unusable

if TYPE_CHECKING:
    # REST framework loads these classes while it loads its views.
    from rest_framework.views import APIView


# What the database or a column says of a position that is none of its values.
_FORGED = (ValueError, TypeError, OverflowError, AttributeError, DataError, InvalidValue)


class _Cursor(CursorPagination):
    """Keyset pages: as fast at the millionth row as at the first."""

    page_size = 50
    max_page_size = 500
    page_size_query_param = "page_size"
    ordering = ("-created_at", "pk")

    def paginate_queryset(
        self, queryset: Any, request: Request, view: "APIView | None" = None
    ) -> list[Any] | None:
        """Return the page's rows; a cursor that we never gave out is 404, as one that ended."""
        text = request.query_params.get(self.cursor_query_param) or ""
        try:
            position = getattr(self.decode_cursor(request), "position", None) if text else None
            if is_unusable(position or ""):
                raise NotFound(self.invalid_cursor_message)
            return super().paginate_queryset(queryset, request, view)
        except _FORGED:
            raise NotFound(self.invalid_cursor_message) from None

    def _get_position_from_instance(self, instance: Any, ordering: Any) -> str:
        """Return what a row is sorted by, of another row too (`owner__name`)."""
        value = instance
        for name in ordering[0].removeprefix("-").split("__"):
            value = getattr(value, name, None)
        return str(value)

    @override
    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        """Follow the order that was asked for, else the view's own, else the newest first."""
        return tuple(queryset.query.order_by or getattr(view, "cursor_ordering", self.ordering))


class Pagination(PageNumberPagination):
    """`?page=` counts pages; `?cursor=` (empty for the first) walks the list by key."""

    page_size = 50
    max_page_size = 500
    page_size_query_param = "page_size"

    def __init__(self) -> None:
        self._cursor: _Cursor | None = None

    @override
    def paginate_queryset(
        self, queryset: Any, request: Request, view: "APIView | None" = None
    ) -> list[Any] | None:
        if "cursor" in request.query_params:
            if "page" in request.query_params:
                raise ValidationError({"page": "Give either a page or a cursor."})
            self._cursor = _Cursor()
            return self._cursor.paginate_queryset(queryset, request, view)
        return super().paginate_queryset(queryset, request, view)

    @override
    def get_paginated_response(self, data: Any) -> Response:
        if self._cursor is not None:
            return self._cursor.get_paginated_response(data)
        return super().get_paginated_response(data)

    @override
    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe both kinds of page: one that was walked to by key is not counted."""
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        described["required"] = ["results"]
        described["properties"]["count"]["description"] = "Of all rows; absent with `cursor`."
        return described

    @override
    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            *super().get_schema_operation_parameters(view),
            {
                "name": "cursor",
                "required": False,
                "in": "query",
                "description": "Walk by key instead of by page; empty for the first page.",
                "schema": {"type": "string"},
            },
        ]

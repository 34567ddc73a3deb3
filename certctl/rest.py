"""What all REST lists share: pages and cursors, sorting, sparse fields, throttling."""

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:
    # REST framework loads these classes while it loads its views.
    from rest_framework.views import APIView


class Json(JSONParser):
    """JSON, with nesting that Python's own parser gives up on told as malformed."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the body's value; raises ParseError."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("JSON parse error - it is nested too deeply.") from None


class _Cursor(CursorPagination):
    """Keyset pages: as fast at the millionth row as at the first."""

    page_size = 50
    max_page_size = 500
    page_size_query_param = "page_size"
    ordering = ("-created_at", "pk")

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

    def paginate_queryset(
        self, queryset: Any, request: Request, view: "APIView | None" = None
    ) -> list[Any] | None:
        """Return the page's rows."""
        if "cursor" in request.query_params:
            if "page" in request.query_params:
                raise ValidationError({"page": "Give either a page or a cursor."})
            self._cursor = _Cursor()
            return self._cursor.paginate_queryset(queryset, request, view)
        return super().paginate_queryset(queryset, request, view)

    def get_paginated_response(self, data: Any) -> Response:
        """Wrap the rows with the links to the next and previous page."""
        if self._cursor is not None:
            return self._cursor.get_paginated_response(data)
        return super().get_paginated_response(data)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe both kinds of page: one that was walked to by key is not counted."""
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        described["required"] = ["results"]
        described["properties"]["count"]["description"] = "Of all rows; absent with `cursor`."
        return described

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe both ways in the OpenAPI schema."""
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


class SortFilter(OrderingFilter):
    """`?sort=-created_at,name`: by the view's `ordering_fields`, refused for any other."""

    ordering_param = "sort"

    def remove_invalid_fields(
        self, queryset: QuerySet[Any], fields: Any, view: Any, request: Request
    ) -> list[str]:
        """Refuse what cannot be sorted by, rather than ignore it."""
        wanted = list(fields)
        valid = super().remove_invalid_fields(queryset, wanted, view, request)
        if len(valid) != len(wanted):
            names = sorted(set(wanted) - set(valid))
            raise ValidationError({"sort": f"It cannot be sorted by: {', '.join(names)}."})
        return list(valid)


class SparseFields(serializers.ModelSerializer[Any]):
    """A serializer that gives only the fields named in `?fields=id,name`."""

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> Any:
        """Look at the names at once, so that an empty list refuses unknown ones too."""
        many: Any = super().many_init(*args, **kwargs)
        if "context" in kwargs:
            _ = many.child.fields
        return many

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Drop what was not asked for; refuse what does not exist."""
        fields = super().get_fields()
        request = self.context.get("request")
        root = self.root
        is_root = root is self or getattr(root, "child", None) is self
        if not isinstance(request, Request) or request.method != "GET" or not is_root:
            return fields
        asked = request.query_params.get("fields")
        if asked is None:
            return fields
        names = [name.strip() for name in asked.split(",") if name.strip()]
        unknown = sorted(set(names) - set(fields))
        if unknown:
            raise ValidationError({"fields": f"There is no field: {', '.join(unknown)}."})
        return {name: field for name, field in fields.items() if name in names}


@extend_schema_field(OpenApiTypes.STR)
class Named(serializers.SlugRelatedField[Any]):
    """A row by its id or by the unique name that people know it under (`by`).

    It is shown by that name, or by its id where `as_id`. What does not exist is refused as
    `unknown_<what>`.
    """

    def __init__(self, *, by: str, what: str, as_id: bool = False, **options: Any) -> None:
        super().__init__(slug_field=by, **options)
        self.what, self.as_id = what, as_id
        self.error_messages[f"unknown_{what}"] = f"There is no {what} {{given!r}}."
        self.error_messages["invalid"] = f"Give the {what}'s id or {by}, as a string."

    def to_internal_value(self, data: Any) -> Any:
        """Find the row; say what does not exist."""
        if not isinstance(data, str) or not data:
            self.fail("invalid")
        named = Q(**{str(self.slug_field): data})
        with contextlib.suppress(ValueError):
            named |= Q(pk=UUID(data))
        rows: Any = self.get_queryset()
        row = None if "\0" in data else rows.filter(named).first()
        if row is None:
            self.fail(f"unknown_{self.what}", given=data[:100])
        return row

    def to_representation(self, obj: Any) -> Any:
        """Give the name, or the id."""
        return obj.pk if self.as_id else super().to_representation(obj)


class PrincipalThrottle(SimpleRateThrottle):
    """So many requests a minute for one principal, whatever keys it uses."""

    scope = "principal"

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """Count by principal, or by address for those who are not known."""
        user = request.user
        ident = str(user.pk) if user.is_authenticated else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": ident}

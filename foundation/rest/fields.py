"""What serializers share: sparse fields, and rows that are known by a name."""

import contextlib
from typing import Any
from uuid import UUID

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from typing_extensions import override


class SparseFields(serializers.ModelSerializer[Any]):
    """A serializer that gives only the fields named in `?fields=id,name`."""

    @classmethod
    @override
    def many_init(cls, *args: Any, **kwargs: Any) -> Any:
        """Look at the names at once, so that an empty list refuses unknown ones too."""
        many: Any = super().many_init(*args, **kwargs)
        if "context" in kwargs:
            _ = many.child.fields
        return many

    @override
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

    @override
    def to_internal_value(self, data: Any) -> Any:
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

    @override
    def to_representation(self, obj: Any) -> Any:
        """Give the name, or the id."""
        return obj.pk if self.as_id else super().to_representation(obj)

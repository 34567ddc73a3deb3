"""What serializers share: unknown fields refused, sparse fields, rows known by a name."""

import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from typing_extensions import override

from foundation import durations
from foundation.texts import UnusableText, has_unusable, is_unusable
from foundation.unknown import SHOWN, nearest, not_among, words_for

MOST_NEAR = 500  # names that one which nobody knows is compared with


class StrictInput(serializers.Serializer[Any]):
    """A serializer that refuses fields which it does not know, and those that only it writes.

    Every form of a body is one, the nested ones too: what is ignored reads like what is done.
    """

    @override
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        wrong: dict[str, Any] = {}
        value = None
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            if not isinstance(error.detail, dict):
                raise
            wrong.update(error.detail)
            for name in set(error.detail) & set(self.fields) & set(data):
                wrong[name] = _with_allowed(self.fields[name], data[name], wrong[name])
        for name, given in data.items():
            if name not in self.fields or self.fields[name].read_only:
                wrong[str(name)[:SHOWN]] = [self.refuse_field(str(name))]
            elif name not in wrong and has_unusable(given):
                wrong[name] = [ErrorDetail(UnusableText.message, code=UnusableText.code)]
        if wrong:
            raise ValidationError(wrong)
        return value

    def refuse_field(self, name: str) -> ErrorDetail:
        """Return what is wrong with a field that nobody may give."""
        if name in self.fields:
            return ErrorDetail(f"{name}: this cannot be changed.", code="not_editable")
        writable = [known for known, field in self.fields.items() if not field.read_only]
        return ErrorDetail(words_for(name, writable), code="unknown_field")


def _with_allowed(field: Any, given: Any, errors: Any) -> Any:
    """Return what is wrong with a value; of one that is not on a closed list, what is on it."""
    if isinstance(field, serializers.ChoiceField) and isinstance(errors, list):
        words = not_among(given, [str(one) for one in field.choices])
        return [
            ErrorDetail(words, code=one.code) if one.code == "invalid_choice" else one
            for one in errors
        ]
    if isinstance(field, serializers.ListField) and isinstance(errors, dict):
        return {
            at: _with_allowed(field.child, given[at], wrong) if isinstance(at, int) else wrong
            for at, wrong in errors.items()
        }
    return errors


@extend_schema_field({"type": "string", "format": "duration"})
class Duration(serializers.Field[Any, Any, Any, Any]):
    """A duration: ISO 8601, or a number with its unit; shown in ISO 8601."""

    default_error_messages = {
        "too_long": "It is at most {longest}.",
        "too_short": "It is at least {shortest}.",
    }

    def __init__(
        self,
        *,
        min_value: timedelta | None = None,
        max_value: timedelta | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.min_value, self.max_value = min_value, max_value

    @override
    def to_internal_value(self, data: Any) -> timedelta:
        if not isinstance(data, str):
            raise ValidationError(durations.FORMS, code="invalid_duration")
        try:
            value = durations.parse(data)
        except durations.NoDuration as error:
            raise ValidationError(str(error), code="invalid_duration") from None
        if self.max_value is not None and value > self.max_value:
            self.fail("too_long", longest=durations.words(self.max_value))
        if self.min_value is not None and value < self.min_value:
            self.fail("too_short", shortest=durations.words(self.min_value))
        return value

    @override
    def to_representation(self, value: timedelta) -> str:
        return durations.iso(value)


class SparseFields(StrictInput, serializers.ModelSerializer[Any]):
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
        self.error_messages["invalid"] = f"Give the {what}'s id or {by}, as a string."

    @override
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or not data:
            self.fail("invalid")
        named = Q(**{str(self.slug_field): data})
        with contextlib.suppress(ValueError):
            named |= Q(pk=UUID(data))
        rows: Any = self.get_queryset()
        row = None if is_unusable(data) else rows.filter(named).first()
        if row is None:
            words = f"There is no {self.what} {data[:100]!r}.{self._nearest(data)}"
            raise ValidationError(words, code=f"unknown_{self.what}")
        return row

    def _nearest(self, data: str) -> str:
        """Return the name that may have been meant, of rows that whoever asks may look at."""
        request = self.context.get("request")
        rows: Any = self.get_queryset()
        meta = rows.model._meta  # noqa: SLF001 - Django's public name for it
        if is_unusable(data) or request is None:
            return ""
        if not request.user.has_perm(f"{meta.app_label}.view_{meta.model_name}"):
            return ""
        begins = {f"{self.slug_field}__istartswith": data[:1]}
        names = rows.filter(**begins).order_by(self.slug_field)
        return nearest(data, map(str, names.values_list(self.slug_field, flat=True)[:MOST_NEAR]))

    @override
    def to_representation(self, obj: Any) -> Any:
        """Give the name, or the id."""
        return obj.pk if self.as_id else super().to_representation(obj)

"""Serializers of plain dataclasses, made from them: a field is spelled out once.

    PreviewSerializer = serializer_of(Preview, properties=("count",))

A docstring describes the component in the OpenAPI schema, `metadata={"help_text": "…"}` a field.
"""

import dataclasses
import typing
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from types import NoneType
from typing import Any, Literal
from uuid import UUID

from rest_framework import serializers

from foundation.rest.fields import Duration

Field = serializers.Field[Any, Any, Any, Any]
_PLAIN: dict[Any, type[Field]] = {
    str: serializers.CharField,
    int: serializers.IntegerField,
    bool: serializers.BooleanField,
    UUID: serializers.UUIDField,
    datetime: serializers.DateTimeField,
    timedelta: Duration,
}


@cache
def serializer_of(
    shape: type[Any], *, name: str = "", properties: tuple[str, ...] = (), **instead: Field
) -> type[serializers.Serializer[Any]]:
    """Return a serializer for a dataclass: all of its fields, and the `properties` named.

    `instead` are fields that cannot be told from their types, or that it has not. `name` is the
    component's in the schema, where it is not the dataclass's. The same question has the same class
    for an answer. Raises TypeError for a type that has no field here.
    """
    hints = typing.get_type_hints(shape)
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(shape):
        if field.name not in instead:
            help_text = field.metadata.get("help_text")
            fields[field.name] = _field(hints[field.name], {"help_text": help_text})
    for text in properties:
        getter: Any = getattr(shape, text).fget
        words = {"help_text": getter.__doc__, "read_only": True}
        fields[text] = _field(typing.get_type_hints(getter)["return"], words)
    body = {"__doc__": shape.__doc__, "__module__": __name__, **fields, **instead}
    return type(f"{name or shape.__name__}Serializer", (serializers.Serializer,), body)


def _field(hint: Any, options: dict[str, Any]) -> Field:
    options = {name: value for name, value in options.items() if value}
    origin, of = typing.get_origin(hint), typing.get_args(hint)
    if NoneType in of:
        (hint,) = (one for one in of if one is not NoneType)
        return _field(hint, {**options, "allow_null": True})
    if origin is Literal:
        return serializers.ChoiceField(choices=of, **options)
    if origin in {list, tuple, Sequence}:
        item: Any = of[0]
        if _is_shape(item):
            return serializer_of(item)(many=True, **options)
        return serializers.ListField(child=_field(item, {}), **options)
    if _is_shape(hint):
        return serializer_of(hint)(**options)
    try:
        return _PLAIN[hint](**options)
    except KeyError:
        raise TypeError(f"{hint} has no field.") from None


def _is_shape(hint: Any) -> bool:
    return dataclasses.is_dataclass(hint)

"""How a target's configuration stands in the OpenAPI schema: made from what connectors describe."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction
from rest_framework import serializers
from typing_extensions import override

from deployments.connectors import TABLE, connector_class
from deployments.connectors.fields import schema_of


class ConfigField(serializers.DictField):
    """The keys that a target's kind has; which ones is the connector's to say, and to check."""


class ConfigSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """One alternative for each kind of target."""

    target_class = ConfigField

    @override
    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        return {"anyOf": [_component(auto_schema, kind) for kind in TABLE]}


def _component(auto_schema: AutoSchema, kind: str) -> dict[str, Any]:
    component = ResolvedComponent(  # type: ignore[no-untyped-call]
        name=f"{kind.title()}Config",
        type=ResolvedComponent.SCHEMA,
        schema=schema_of(connector_class(kind).FIELDS),
        object=kind,
    )
    auto_schema.registry.register_on_missing(component)
    ref: dict[str, Any] = component.ref
    return ref

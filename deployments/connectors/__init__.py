"""The table of connectors: which class speaks to which kind of target.

Dotted paths, imported on first use, so that the SDK of one vendor is nobody else's start-up time.
"""

from collections.abc import Mapping
from typing import Any, cast

from django.utils.module_loading import import_string

from deployments.connectors.base import Connector, ConnectorClass
from foundation.errors import FieldError, Invalid

TABLE: Mapping[str, str] = {
    "file": "deployments.connectors.file.FileConnector",
    "nginx": "deployments.connectors.nginx.NginxConnector",
}


def connector_class(kind: str) -> ConnectorClass:
    """Return the class for targets of `kind`; raises Invalid for a kind that does not exist."""
    if kind not in TABLE:
        known = ", ".join(sorted(TABLE))
        raise Invalid(errors=[FieldError("kind", "unknown_kind", f"It must be one of: {known}.")])
    return cast("ConnectorClass", import_string(TABLE[kind]))


def connector_for(
    kind: str, config: Mapping[str, Any], secrets: Mapping[str, str] | None = None
) -> Connector:
    """Return a connector that is ready to deploy from this server.

    Raises Invalid where the configuration is wrong, or asks for a place or a program that this
    server does not allow.
    """
    return connector_class(kind).configured(config, secrets or {}, local=True)

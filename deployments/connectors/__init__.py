"""The table of connectors: which class speaks to which kind of target.

Dotted paths, imported on first use, so that the SDK of one vendor is nobody else's start-up time.
This package knows no Django and none of our apps: what it may do where it runs is an argument.
"""

import pkgutil
from collections.abc import Mapping
from typing import Any, cast

from deployments.connectors.base import Allowed, Connector, ConnectorClass
from deployments.connectors.fields import check_secrets
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
    return cast("ConnectorClass", pkgutil.resolve_name(TABLE[kind]))


def connector_for(
    kind: str,
    config: Mapping[str, Any],
    secrets: Mapping[str, str] | None = None,
    *,
    allowed: Allowed | None,
) -> Connector:
    """Return the connector for a target of `kind`, ready to deploy.

    `allowed` is what the machine that it runs on allows; None asks only whether the configuration
    makes sense, for what runs elsewhere. Raises Invalid where it does not, or asks for a place or
    a program that is not allowed.
    """
    speaks = connector_class(kind)
    connector = speaks.configured(config, secrets or {}, allowed=allowed)
    check_secrets(secrets or {}, speaks.SECRETS)
    return connector

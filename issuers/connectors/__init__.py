"""The table of connectors to issuers, loaded on first use."""

from typing import TYPE_CHECKING

from django.utils.module_loading import import_string

from issuers.connectors.base import Connector, SignsRevocation

if TYPE_CHECKING:
    from issuers.models import Issuer

CONNECTORS = {"local": "issuers.connectors.local.LocalCA"}


def connector_for(issuer: "Issuer") -> Connector:
    """Return the connector that speaks to `issuer`."""
    connector: Connector = import_string(CONNECTORS[issuer.kind])(issuer)
    return connector


def revocation_signer(issuer: "Issuer") -> SignsRevocation | None:
    """Return what signs the CRLs and OCSP answers of `issuer`; None where its CA does so itself."""
    connector = connector_for(issuer)
    return connector if isinstance(connector, SignsRevocation) else None

"""What pages show of deployments: what is where, since when, and whether a handshake proved it."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from deployments.models import Deployment
from foundation.admin.pages import link_to
from foundation.admin.parts import Badge, Table

RELATED = ("target", "certificate", "version__certificate")
_PROOFS = {
    Deployment.Health.DEGRADED: Badge("degraded", "warning"),
    Deployment.Health.DOWN: Badge("no answer", "danger"),
    Deployment.Health.MISMATCH: Badge("another one is served", "danger"),
}


def proof_of(row: Deployment) -> Badge:
    """Return whether a handshake proved that what was deployed last is what is served."""
    if not row.target.has_endpoint:
        return Badge("no endpoint to look at", "default")
    if row.checked_at is None or row.health == Deployment.Health.UNKNOWN:
        return Badge("not looked at yet", "info")
    if row.health != Deployment.Health.HEALTHY:
        return _PROOFS[Deployment.Health(row.health)]
    if row.deployed_at is not None and row.checked_at < row.deployed_at:
        return Badge("not looked at since", "info")
    return Badge("proved by a handshake", "success")


def places_of(request: HttpRequest, rows: Iterable[Deployment]) -> Table:
    """Return where one certificate is put in place, in whose order they come."""
    return Table(
        "Where it is deployed",
        ("Target", "Version", "Deployed", "Proof", "Looked at"),
        [
            (
                [link_to(request, row.target), *_disabled(row)],
                version_cell(request, row),
                row.deployed_at,
                link_to_proof(request, row),
                row.checked_at,
            )
            for row in rows
        ],
        empty="Nowhere: nothing that is known here serves it.",
    )


def link_to_proof(request: HttpRequest, row: Deployment) -> Any:
    """Return the proof, and a link to the deployment for whoever may read that."""
    proof, link = proof_of(row), link_to(request, row, "details")
    return [proof, link] if link and link.url else proof


def version_cell(request: HttpRequest, row: Deployment) -> Any:
    """Return which version is in place, and that it is not the one in use where it is not."""
    if row.version is None:
        return None
    link = link_to(request, row.version, f"v{row.version.number}")
    is_current = row.version_id == row.certificate.current_id
    return link if is_current else [link, Badge("not the one in use", "warning")]


def _disabled(row: Deployment) -> list[Badge]:
    return [] if row.target.enabled else [Badge("disabled", "warning")]

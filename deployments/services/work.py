"""Use cases on deployments: bind, deploy, look, and record what was done and seen."""

import time
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit.services import record
from certificates.models import Certificate, Revocation, Version
from deployments.connectors import handshake
from deployments.connectors.base import Connector, Material, Outcome
from deployments.models import Agent, Deployment, Target
from deployments.services.targets import connector_for
from foundation.errors import Conflict, ConnectorError, Invalid, NotFound
from foundation.sealed import CannotDecrypt
from issuers.server_keys import SERVER_KEY
from owners.models import Principal

# A server that was told to reload answers with the old certificate for a moment.
_LOOKS = 5
_BETWEEN = 0.4  # seconds
# What the time limits of one validation add up to.
LONGEST_VALIDATION = timedelta(seconds=_LOOKS * handshake.TIMEOUT + (_LOOKS - 1) * _BETWEEN)


class NotBound(NotFound):
    """The certificate is not served there."""

    code = "not_bound"
    message = "The certificate is not bound to the target."


class TargetDisabled(Conflict):
    """Nothing is deployed there any more."""

    code = "target_disabled"
    message = "The target is disabled."


class AgentRetired(Conflict):
    """Nobody carries certificates there any more."""

    code = "agent_retired"
    message = "The agent that carried certificates there is retired or disabled."


class NotForTargets(Conflict):
    """The key is certctl's own, and is served nowhere."""

    code = "not_for_targets"
    message = "This is the RA certificate of a SCEP label: its key leaves certctl for no target."


@dataclass(frozen=True, slots=True)
class Seen:
    """What a handshake saw; `expected` is the fingerprint that it was compared with."""

    fingerprint: str | None
    matches: bool
    detail: str = ""
    expected: str = ""

    @property
    def result(self) -> str:
        """The word for it: success or failed."""
        return "success" if self.matches else "failed"

    @property
    def health(self) -> Deployment.Health:
        """What it says about the endpoint."""
        if self.matches:
            return Deployment.Health.HEALTHY
        return Deployment.Health.MISMATCH if self.fingerprint else Deployment.Health.DOWN


@transaction.atomic
def bind(*, actor: Principal, certificate: Certificate, target: Target) -> Deployment:
    """Say that `certificate` is to be served at `target`; nothing happens if it is already.

    Raises TargetDisabled, NotForTargets.
    """
    if certificate.profile.is_own:
        raise NotForTargets  # its key would go out with it
    bound = Deployment.objects.filter(certificate=certificate, target=target).first()
    if bound is not None:
        return bound
    check_enabled(target)
    # Two who bind at once: the unique constraint lets one in, and the other gets its row.
    deployment, created = Deployment.objects.get_or_create(certificate=certificate, target=target)
    if created:
        record(
            actor=actor,
            action="deployment.bind",
            subject=deployment,
            certificate=str(certificate.pk),
            target=str(target.pk),
        )
    return deployment


def check_enabled(target: Target) -> None:
    """Refuse to ask for work at a target to which nothing is deployed any more.

    Raises TargetDisabled, AgentRetired.
    """
    why_not = why_closed(target)
    if why_not is not None:
        raise why_not


def why_closed(target: Target) -> Conflict | None:
    """Return why nothing is deployed to `target`; None where it is open."""
    if not target.enabled:
        return TargetDisabled()
    if target.agent is not None and not target.agent.enabled:
        return AgentRetired()
    return None


def keymaker_of(certificate: Certificate) -> Agent | None:
    """Return the agent that makes the keys of `certificate`: the one that carries it everywhere.

    None where the server or several agents do: a key stays on its host, so somebody else brings
    the CSR, and sees to the key.
    """
    agents = Agent.objects.filter(targets__deployments__certificate=certificate, enabled=True)
    bound = Deployment.objects.filter(certificate=certificate)
    elsewhere = bound.filter(Q(target__agent=None) | Q(target__agent__enabled=False))
    carriers = list(agents.distinct()[:2])
    if len(carriers) != 1 or elsewhere.exists():
        return None
    return carriers[0]


@transaction.atomic
def unbind(*, actor: Principal, certificate: Certificate, target: Target) -> None:
    """Say that `certificate` is no longer to be served at `target`; what is there stays there.

    The caller holds the certificate's lock, and sees to work that is under way. Raises NotBound.
    """
    deployment = _locked(certificate, target)
    if deployment is None:
        raise NotBound
    row = Deployment(pk=deployment.pk, certificate=certificate, target=target)
    before = deployment.version.number if deployment.version else None
    deployment.delete()
    record(
        actor=actor,
        action="deployment.unbind",
        subject=row,
        certificate=str(certificate.pk),
        target=str(target.pk),
        changes={"version": {"before": before, "after": None}},
    )


def deploy(*, version: Version, target: Target) -> Outcome:
    """Have `version` served at `target`. Call it with no transaction open: it may take minutes.

    Raises ConnectorError, permanent where trying again cannot help: a revoked or expired version,
    a target that is not bound, is disabled or an agent's, a configuration that is not allowed, a
    key that does not fit.
    """
    if not target.enabled:
        raise ConnectorError(TargetDisabled.message, permanent=True)
    if target.agent_id is not None:
        raise ConnectorError("An agent carries certificates there.", permanent=True)
    _check_may_serve(version, target)
    connector = connector_for(target)
    return connector.deploy(
        # Asked again with the files locked: a worker that was held up for long must not put an
        # old version over the new one of another worker, nor one where none is wanted any more.
        _material(version, connector),
        before_swap=lambda: _check_may_serve(version, target),
    )


def for_agent(*, version: Version, target: Target) -> Material:
    """Return what the agent of `target` is to put in place there; never a key.

    Raises ConnectorError, permanent where trying again cannot help: a revoked or expired version, a
    target that is not bound, or is closed, a key that lies here and not with the agent.
    """
    _check_may_serve(version, target)
    if version.encrypted_key is not None:
        raise ConnectorError(
            "The server made this key, and hands out none: have the certificate renewed with a new "
            "key, which the agent makes.",
            permanent=True,
        )
    return Material(
        leaf_pem=version.pem,
        chain_pem=version.chain_pem,
        fingerprint=version.fingerprint,
        key_fingerprint=version.key_fingerprint,
    )


@transaction.atomic
def record_deployed(
    *,
    certificate: Certificate,
    target: Target,
    version: Version,
    outcome: Outcome,
    actor: Principal,
) -> Deployment:
    """Record that `version` is in place at `target`; the caller holds the certificate's lock.

    Only ever moves to a newer version: a result that comes late is dropped.
    """
    if version.certificate_id != certificate.pk:
        raise Invalid("That is a version of another certificate.")
    Deployment.objects.get_or_create(certificate=certificate, target=target)
    # All of the target's at once and in one order, so that two results cannot wait in a ring.
    there = list(
        Deployment.objects.select_for_update(no_key=True).filter(target=target).order_by("pk")
    )
    deployment = next(row for row in there if row.certificate_id == certificate.pk)
    before = deployment.version
    if before is not None and before.number > version.number:
        return deployment
    if before is None or before.pk != version.pk or outcome.changed:
        # What a handshake saw before says nothing about what is there now.
        deployment.health = Deployment.Health.UNKNOWN
        deployment.served_fingerprint = ""
        deployment.checked_at = None
    deployment.version = version
    deployment.deployed_at = timezone.now()
    deployment.save()
    displaced = _displace([row for row in there if row is not deployment], version)
    record(
        actor=actor,
        action="deployment.deploy",
        subject=deployment,
        before=before.number if before else None,
        after=version.number,
        fingerprint=version.fingerprint,
        changed=outcome.changed,
        displaced=displaced,
    )
    return deployment


def validate(*, target: Target, version: Version) -> Seen:
    """Look by handshake whether `target` serves `version`. Call it with no transaction open.

    Raises ConnectorError (permanent) where no endpoint is known, or no handshake may go.
    """
    if not target.has_endpoint:
        raise ConnectorError("No endpoint is known.", permanent=True)
    endpoint = handshake.Endpoint(
        target.endpoint_host, target.endpoint_port or 0, target.server_name or _first_name(version)
    )
    seen = _look(endpoint, version)
    for _ in range(_LOOKS - 1):
        if seen.matches or seen.fingerprint is None:
            break
        time.sleep(_BETWEEN)
        seen = _look(endpoint, version)
    return seen


@transaction.atomic
def record_seen(
    *, certificate: Certificate, target: Target, seen: Seen, actor: Principal
) -> Deployment | None:
    """Record what a handshake saw; None where nothing is deployed there.

    What was compared with a version that is not the deployed one any more is dropped.
    """
    deployment = _locked(certificate, target)
    if deployment is None or deployment.version is None:
        return None
    if seen.expected and seen.expected != deployment.version.fingerprint:
        return deployment
    before = deployment.health
    deployment.health = seen.health
    deployment.served_fingerprint = seen.fingerprint or ""
    deployment.checked_at = timezone.now()
    deployment.save(update_fields=["health", "served_fingerprint", "checked_at"])
    record(
        actor=actor,
        action="deployment.validate",
        subject=deployment,
        before=str(before),
        after=str(deployment.health),
        expected=deployment.version.fingerprint,
        served=seen.fingerprint,
        detail=seen.detail,
    )
    return deployment


def _locked(certificate: Certificate, target: Target) -> Deployment | None:
    return (
        Deployment.objects.select_for_update(no_key=True)
        .filter(certificate=certificate, target=target)
        .first()
    )


def _displace(others: list[Deployment], version: Version) -> list[str]:
    """Show as drifted what the target served until now; return the certificates' ids."""
    displaced = []
    for other in others:
        if other.version_id is None or other.health == Deployment.Health.MISMATCH:
            continue
        other.health = Deployment.Health.MISMATCH
        other.served_fingerprint = version.fingerprint
        other.save(update_fields=["health", "served_fingerprint"])
        displaced.append(str(other.certificate_id))
    return displaced


def _check_may_serve(version: Version, target: Target) -> None:
    """Refuse what must not be served, or not there, by fresh queries."""
    bound = Deployment.objects.filter(certificate=version.certificate_id, target=target.pk)
    if not bound.exists():
        raise ConnectorError(NotBound.message, permanent=True)
    if not bound.filter(target__enabled=True).exists():
        raise ConnectorError(TargetDisabled.message, permanent=True)
    if Revocation.objects.filter(version=version.pk).exists():
        raise ConnectorError("The version is revoked.", permanent=True)
    if version.not_after <= timezone.now():
        raise ConnectorError("The version has expired.", permanent=True)
    superseded = Version.objects.filter(pk=version.pk, superseded_at__isnull=False).exists()
    if superseded:
        # Not permanent: the next try carries the newest version.
        raise ConnectorError("A newer version has come since.", permanent=False)


def _material(version: Version, connector: Connector) -> Material:
    key = None
    # Decrypted only for a target that is told to keep it.
    if version.encrypted_key is not None and connector.takes_key:
        try:
            key = version.encrypted_key.open(SERVER_KEY)
        except CannotDecrypt as error:
            raise ConnectorError(str(error), permanent=True) from error
    return Material(
        leaf_pem=version.pem,
        chain_pem=version.chain_pem,
        fingerprint=version.fingerprint,
        key_fingerprint=version.key_fingerprint,
        key_pem=key,
    )


def _look(endpoint: handshake.Endpoint, version: Version) -> Seen:
    try:
        fingerprint = handshake.served_fingerprint(
            endpoint, loopback=settings.ALLOW_LOOPBACK_TARGETS
        )
    except handshake.Unreachable as error:
        return Seen(None, matches=False, detail=str(error), expected=version.fingerprint)
    matches = fingerprint == version.fingerprint
    return Seen(
        fingerprint,
        matches=matches,
        detail="" if matches else f"Another certificate is served: {fingerprint}.",
        expected=version.fingerprint,
    )


def _first_name(version: Version) -> str:
    """Return the name to ask for: the first DNS name, with a label where it has a wildcard."""
    for san in version.sans:
        kind, _, name = str(san).partition(":")
        if kind == "dns" and not _is_address(name):
            return f"www{name[1:]}" if name.startswith("*.") else name
    return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True

"""Use cases on targets: each writes its audit event with what was and what is, less secrets."""

import json
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from audit.changes import Changes, change, changed, gone, made
from audit.services import lock_to_delete, record
from audit.use_cases import use_case
from deployments import policy
from deployments.connectors import connector_class, handshake
from deployments.connectors.base import Check, Connector
from deployments.models import TARGET_SECRETS, Agent, Target
from foundation.clock import database_clock
from foundation.errors import CertctlError, Conflict, ConnectorError, FieldError, Invalid
from foundation.preconditions import as_expected
from foundation.sealed import CannotDecrypt, Sealed
from foundation.unknown import words_for
from owners.models import Principal
from owners.services import NameTaken

# What can be said of a target; the order is that of the audit event.
FIELDS = (
    "name",
    "kind",
    "enabled",
    "agent",
    "config",
    "endpoint_host",
    "endpoint_port",
    "server_name",
)
# What says where a target's files lie.
MOVES = frozenset({"kind", "agent", "config"})


class TargetInUse(Conflict):
    """Certificates are bound to the target."""

    code = "in_use"
    message = "Certificates are or were deployed there; disable the target instead."


@use_case("target.create")
def create_target(  # noqa: PLR0913 - one argument a column
    *,
    actor: Principal,
    name: str,
    kind: str,
    enabled: bool = True,
    agent: Agent | None = None,
    config: dict[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    endpoint_host: str = "",
    endpoint_port: int | None = None,
    server_name: str = "",
) -> Target:
    """Make a target.

    Raises InvalidTarget with a FieldError for each mistake, NameTaken.
    """
    target = Target(
        name=name,
        kind=kind,
        enabled=enabled,
        agent=agent,
        config=config or {},
        endpoint_host=endpoint_host,
        endpoint_port=endpoint_port,
        server_name=server_name,
    )
    policy.check(target, secrets or {})
    policy.check_places(target)
    target.secrets = _sealed(target, secrets or {})
    _save(target)
    changes = made(target, FIELDS) | _of_secrets(had=False, secrets=secrets or {})
    record(actor=actor, action="target.create", subject=target, changes=changes)
    return target


@use_case("target.update", on=Target)
def update_target(
    *,
    actor: Principal,
    target_id: uuid.UUID,
    changes: Mapping[str, Any],
    secrets: Mapping[str, str] | None = None,
) -> Target:
    """Change a target; `secrets` replaces all of them, None keeps them.

    Raises InvalidTarget, NameTaken, Target.DoesNotExist.
    """
    target = as_expected(actor, Target.objects.select_for_update(no_key=True).get(pk=target_id))
    unknown = sorted(set(changes) - set(FIELDS))
    if unknown:
        raise Invalid(
            errors=[FieldError(key, "unknown", words_for(key, FIELDS)) for key in unknown]
        )
    done = changed(target, changes, FIELDS)
    policy.check(target, secrets_of(target) if secrets is None else secrets)
    if MOVES & set(done):
        policy.check_places(target)
    if secrets is not None:
        done |= _of_secrets(had=target.secrets is not None, secrets=secrets)
        target.secrets = _sealed(target, secrets)
    if not done:
        return target
    _save(target)
    record(actor=actor, action="target.update", subject=target, changes=done)
    return target


@use_case("target.delete", on=Target)
def delete_target(*, actor: Principal, target_id: uuid.UUID) -> None:
    """Delete a target that nothing refers to.

    Raises TargetInUse, Busy, Target.DoesNotExist.
    """
    target = as_expected(actor, lock_to_delete(Target.objects.all(), target_id))
    row = Target(pk=target.pk, name=target.name)
    changes = gone(target, FIELDS)
    try:
        target.delete()
    except ProtectedError as error:
        raise TargetInUse from error
    record(actor=actor, action="target.delete", subject=row, changes=changes)


def warnings_of(target: Target) -> list[str]:
    """Return what whoever sets up `target` should know and may want all the same."""
    return [
        f"{shared.path} ({shared.field}) is written by {shared.other} too: "
        "what is deployed last is what is there."
        for shared in policy.shared_places(target)
    ]


@use_case("target.test", on=Target, atomic=False)
def check_target(*, actor: Principal, target: Target) -> list[Check]:
    """Look whether a deployment to `target` could succeed, without changing anything there.

    A handshake may take ten seconds, so no transaction is open but the one at the end: the last
    result stays with the target, in words that name no secret, and is in the trail.
    """
    checks = [*_check_config(target), *_check_endpoint(target)]
    passed = all(check.ok for check in checks)
    with transaction.atomic():
        Target.objects.filter(pk=target.pk).update(
            tested_at=database_clock.now(),
            tested_by=actor,
            test_passed=passed,
            test_words="\n".join(f"{check.name}: {check.detail}" for check in checks),
        )
        record(
            actor=actor,
            action="target.test",
            subject=target,
            ok=passed,
            failed=[check.name for check in checks if not check.ok],
        )
    return checks


def longest(target: Target) -> timedelta:
    """Return what the time limits of one deployment to `target` add up to."""
    return connector_class(target.kind).longest


def connector_for(target: Target) -> Connector:
    """Return the connector of a stored target.

    Raises ConnectorError (permanent) where its configuration is not, or no longer, allowed.
    """
    try:
        return policy.connector_of(target, secrets_of(target))
    except Invalid as error:
        details = [f"{wrong['field']}: {wrong['detail']}" for wrong in error.errors]
        raise ConnectorError(
            " ".join(["The target's configuration is not valid.", *details]), permanent=True
        ) from error


def secrets_of(target: Target) -> dict[str, str]:
    """Return the target's secrets; only a connector gets to see them.

    Raises ConnectorError (permanent) where they cannot be decrypted.
    """
    if target.secrets is None:
        return {}
    try:
        plain = target.secrets.open(TARGET_SECRETS.of(target))
    except CannotDecrypt as error:
        raise ConnectorError(str(error), permanent=True) from error
    secrets: dict[str, str] = json.loads(plain)
    return secrets


def _sealed(target: Target, secrets: Mapping[str, str]) -> Sealed | None:
    if not secrets:
        return None
    return TARGET_SECRETS.of(target).seal(json.dumps(dict(secrets)).encode())


def _save(target: Target) -> None:
    try:
        with transaction.atomic():
            target.save()
    except IntegrityError as error:
        if not Target.objects.filter(name=target.name).exclude(pk=target.pk).exists():
            raise
        raise NameTaken(errors=[FieldError("name", "name_taken", NameTaken.message)]) from error


def _of_secrets(*, had: bool, secrets: Mapping[str, str]) -> Changes:
    """Say that there were secrets, and which there are now by name; never what they are."""
    return change(
        "secrets",
        "kept back" if had else None,
        f"set: {', '.join(sorted(secrets))}" if secrets else None,
    )


def _check_config(target: Target) -> list[Check]:
    if target.agent_id is not None:
        return [Check("agent", ok=True, detail="An agent carries certificates there.")]
    try:
        return connector_for(target).check()
    except CertctlError as error:
        return [Check("config", ok=False, detail=error.detail)]


def _check_endpoint(target: Target) -> list[Check]:
    if not target.has_endpoint:
        return [Check("endpoint", ok=True, detail="No endpoint is known, so none is looked at.")]
    endpoint = handshake.Endpoint(
        target.endpoint_host, target.endpoint_port or 0, target.server_name
    )
    try:
        fingerprint = handshake.served_fingerprint(
            endpoint, loopback=settings.ALLOW_LOOPBACK_TARGETS
        )
    except (handshake.Unreachable, CertctlError) as error:
        return [Check("endpoint", ok=False, detail=str(error))]
    return [Check("endpoint", ok=True, detail=f"It serves the certificate {fingerprint}.")]

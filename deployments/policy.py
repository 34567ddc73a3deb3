"""What a target may be: one set of rules for REST, the admin and the demo."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings

from deployments.connectors import addresses, connector_class, connector_for
from deployments.connectors.base import Allowed, Connector
from deployments.connectors.fields import Field, Holds
from deployments.models import Target
from foundation.errors import CertctlError, FieldError, Invalid

MAX_PORT = 65535
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_MAX_HOST = 253


class InvalidTarget(Invalid):
    """What was said of a target is not right; `errors` names each mistake."""

    code = "invalid_target"
    message = "The target is not valid."


def check(target: Target, secrets: Mapping[str, str]) -> Connector:
    """Return the target's connector; raises InvalidTarget that names every mistake."""
    errors = [*_name(target), *_endpoint(target)]
    connector: Connector | None = None
    try:
        connector = connector_of(target, secrets)
    except CertctlError as error:
        errors += error.errors
    if errors or connector is None:
        raise InvalidTarget(errors=errors)
    return connector


def connector_of(target: Target, secrets: Mapping[str, str]) -> Connector:
    """Return the target's connector; raises Invalid where its configuration is wrong."""
    connector_class(target.kind)  # a kind that does not exist has no configuration either
    if not isinstance(target.config, dict):
        raise Invalid(errors=[FieldError("config", "invalid", "It must be an object.")])
    # What an agent carries elsewhere is the agent's to allow.
    allowed = here() if target.agent_id is None else None
    return connector_for(target.kind, target.config, secrets, allowed=allowed)


@dataclass(frozen=True, slots=True)
class Shared:
    """A file of one target that another target writes or reads too."""

    field: str
    path: str
    other: Target
    loses_key: bool


def shared_places(target: Target) -> list[Shared]:
    """Return which of the target's files are another target's too, on the same machine."""
    ours = dict(_places(target))
    others = Target.objects.filter(agent=target.agent).exclude(pk=target.pk).defer("secrets")
    return [
        Shared(ours[place].name, place, other, Holds.KEY in pair and len(pair) > 1)
        for other in others.order_by("name")
        for place, field in _places(other)
        if place in ours
        for pair in [{ours[place].holds, field.holds}]
    ]


def check_places(target: Target) -> None:
    """Refuse to have certificates written where another target keeps its private key."""
    errors = [
        FieldError(
            f"config.{shared.field}",
            "path_in_use",
            f"One of this target and {shared.other} keeps its private key in {shared.path} and "
            "the other its certificate: give each a file of its own.",
        )
        for shared in shared_places(target)
        if shared.loses_key
    ]
    if errors:
        raise InvalidTarget(errors=errors)


def here() -> Allowed:
    """Return what this server allows its own deployments."""
    return Allowed(tuple(settings.TARGET_ROOTS), tuple(settings.TARGET_COMMANDS))


def is_host(name: str) -> bool:
    """Whether `name` is a host name as DNS and SNI have them."""
    labels = name.removesuffix(".").split(".")
    return (
        0 < len(name) <= _MAX_HOST
        and name.isascii()
        and all(_LABEL.fullmatch(label) for label in labels)
    )


def _places(target: Target) -> Iterator[tuple[str, Field]]:
    """Yield each file that the target names; here every symlink is followed, elsewhere none."""
    config = target.config if isinstance(target.config, dict) else {}
    for field in connector_class(target.kind).FIELDS:
        path = config.get(field.name)
        if field.holds and isinstance(path, str) and path:
            yield (path if target.agent_id else os.path.realpath(path)), field


def _name(target: Target) -> list[FieldError]:
    if not target.name.strip() or not target.name.isprintable():
        return [FieldError("name", "required", "It needs a name.")]
    return []


def _endpoint(target: Target) -> list[FieldError]:
    errors = []
    host, port = target.endpoint_host, target.endpoint_port
    if bool(host) != bool(port):
        field = "endpoint_port" if host else "endpoint_host"
        errors.append(FieldError(field, "required", "An endpoint has a host and a port."))
    if host:
        errors += _host(host)
    if port is not None and not 1 <= port <= MAX_PORT:
        errors.append(FieldError("endpoint_port", "invalid", f"It must be 1 to {MAX_PORT}."))
    if target.server_name and (not is_host(target.server_name) or _is_address(target.server_name)):
        errors.append(FieldError("server_name", "invalid", "It must be a host name."))
    return errors


def _host(host: str) -> list[FieldError]:
    if _is_address(host):
        # A name is only resolved for a handshake, which asks again; an address we know already.
        why = addresses.refusal(host, loopback=settings.ALLOW_LOOPBACK_TARGETS)
        return [FieldError("endpoint_host", "address_not_allowed", why)] if why else []
    # 127.1 and 0x7f000001 are addresses to getaddrinfo, but no host name ends in a number.
    last = host.removesuffix(".").rpartition(".")[2]
    if not is_host(host) or _NUMBER.fullmatch(last):
        return [FieldError("endpoint_host", "invalid", "It must be a host name or an address.")]
    return []


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

"""A TLS handshake that only looks which certificate an endpoint serves just now."""

import hashlib
import socket
import ssl
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from deployments.connectors import addresses
from foundation.errors import ConnectorError

TIMEOUT = 10.0  # seconds, for all addresses and the whole handshake together


class Unreachable(Exception):
    """No handshake came about; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to look, and which name to ask for (SNI; "" sends none)."""

    host: str
    port: int
    server_name: str = ""


def served_fingerprint(endpoint: Endpoint, *, loopback: bool = False) -> str:
    """Return the SHA-256 of the certificate that `endpoint` serves, in lower-case hexadecimal.

    `loopback` is whether this host itself may be looked at.
    Raises Unreachable where nobody answers with TLS 1.2 or later, ConnectorError (permanent)
    where no handshake may go.
    """
    try:
        # As ssl does it, which would lose the socket over a name that it cannot send.
        endpoint.server_name.encode("idna")
    except UnicodeError as error:
        raise ConnectorError(
            f"{endpoint.server_name} cannot be asked for by name.", permanent=True
        ) from error
    ends = time.monotonic() + TIMEOUT
    problem = "It has no address."
    for family, address in resolve(endpoint, loopback=loopback):
        try:
            return _look(family, address, endpoint.server_name, ends)
        except ssl.SSLError as error:
            problem = f"TLS failed: {error.reason or type(error).__name__}."
        except TimeoutError:
            problem = f"No answer within {TIMEOUT:g} seconds."
        except OSError as error:
            problem = f"{error.strerror or 'The connection ended'}."
    raise Unreachable(problem)


def resolve(endpoint: Endpoint, *, loopback: bool) -> list[tuple[int, Any]]:
    """Return the endpoint's addresses, each allowed; one that is not spoils them all.

    Whoever connects must use these and not the name, which may lead elsewhere a moment later.
    Raises Unreachable for an unknown name, ConnectorError (permanent) for a refused address.
    """
    try:
        answers = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise Unreachable(f"{endpoint.host} is not known.") from error
    for _, _, _, _, address in answers:
        why = addresses.refusal(str(address[0]), loopback=loopback)
        if why:
            raise ConnectorError(f"No handshake goes there: {why}", permanent=True)
    return [(family, address) for family, _, _, _, address in answers]


def _look(family: int, address: Any, server_name: str, ends: float) -> str:
    with closing(socket.socket(family, socket.SOCK_STREAM)) as plain:
        plain.settimeout(_left(ends))
        plain.connect(address)
        # The timeout of the socket is one for the whole handshake, not one for each read.
        plain.settimeout(_left(ends))
        with _context().wrap_socket(
            plain, server_hostname=server_name or None, do_handshake_on_connect=False
        ) as secure:
            secure.do_handshake()
            der = secure.getpeercert(binary_form=True)
    if not der:
        raise OSError(0, "No certificate was shown")
    return hashlib.sha256(der).hexdigest()


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _context() -> ssl.SSLContext:
    """Trust is not the question here: an expired or unknown certificate must be seen too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context

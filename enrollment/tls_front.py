"""What a TLS front says of the client: which certificate it showed, and over which connection.

A front is believed because it is the peer of this very connection, an address that the settings
name; whatever a header says of who sent it is worth nothing. It has verified that the client holds
the key (that is what TLS does) and nothing else: chain, time, purpose and revocation are for
`services.by_certificate`.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from cryptography import x509
from django.conf import settings
from django.http import HttpRequest

from enrollment import client_cert
from enrollment.client_cert import BadHeader
from foundation.errors import Invalid
from issuers.x509.reading import UNREADABLE

CHAIN, BINDING = "Client-Cert-Chain", "X-TLS-Unique"
# How a front hands a certificate on: in which header, and how it is read.
FORMS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "nginx": ("X-SSL-Client-Cert", client_cert.from_nginx),
    "rfc9440": ("Client-Cert", client_cert.from_rfc9440),
    "haproxy": ("X-SSL-Client-DER", client_cert.from_haproxy),
}
HEADERS = (*(name for name, _ in FORMS.values()), CHAIN, BINDING)


class BadFront(Invalid):
    """The front hands on what cannot be read: it is set up for another form, or damaged it."""

    code = "bad_client_certificate"
    message = "The client's certificate cannot be read as the TLS front hands it on."


@dataclass(frozen=True, slots=True)
class Connection:
    """What the client's TLS connection to the front was: nothing of it is verified yet."""

    certificate: x509.Certificate | None = None
    chain: tuple[x509.Certificate, ...] = ()
    binding: str = ""  # base64 of tls-unique (RFC 5929 §3); "" where the front hands none on

    def is_bound_by(self, text: str) -> bool:
        """Whether `text` is of this connection (RFC 7030 §3.5); False where that is not known."""
        return bool(self.binding) and hmac.compare_digest(self.binding.encode(), text.encode())


def connection_of(request: HttpRequest) -> Connection | None:
    """Return the client's TLS connection; None where the request came past every front.

    A front serves plain http too (SCEP), so it must also say that this one came by https. Raises
    BadFront.
    """
    if not _is_front(request) or request.headers.get("X-Forwarded-Proto", "") != "https":
        return None
    name, read = FORMS[settings.TLS_FRONT_FORM]
    text = request.headers.get(name, "")
    binding = request.headers.get(BINDING, "").strip()
    if not text.strip():
        return Connection(binding=binding)
    try:
        chain: tuple[bytes, ...] = ()
        if settings.TLS_FRONT_FORM == "rfc9440" and request.headers.get(CHAIN, "").strip():
            chain = client_cert.chain_from_rfc9440(request.headers[CHAIN])
        return Connection(_certificate(read(text)), tuple(map(_certificate, chain)), binding)
    except BadHeader as error:
        raise BadFront(str(error)) from None
    except UNREADABLE:
        raise BadFront from None


def claims(request: HttpRequest) -> bool:
    """Whether a request speaks for a client as only a front may."""
    return not _is_front(request) and any(request.headers.get(name) for name in HEADERS)


def _certificate(der: bytes) -> x509.Certificate:
    certificate = x509.load_der_x509_certificate(der)
    # What is read lazily must fail here and not later.
    _ = certificate.public_key(), certificate.subject, list(certificate.extensions)
    return certificate


def _is_front(request: HttpRequest) -> bool:
    try:
        peer = ip_address((request.META.get("REMOTE_ADDR") or "").partition("%")[0])
    except ValueError:
        return False  # a Unix socket has no address
    peer = getattr(peer, "ipv4_mapped", None) or peer
    return any(peer in network for network in _fronts(tuple(settings.TLS_FRONTS)))


@lru_cache(maxsize=8)
def _fronts(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, texts))

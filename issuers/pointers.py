"""Where relying parties find what an issuer publishes: the addresses that certificates carry.

All of them begin with one prefix: the issuer's own `pki_prefix`, else the setting
CERTCTL_PKI_PREFIX, else `/.well-known/pki` under CERTCTL_PKI_BASE_URL. A prefix is signed into
certificates, so what was once signed goes on being answered (pki_wellknown.middleware): a new one
only changes what is signed from then on.
"""

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings

from issuers.x509 import certs

if TYPE_CHECKING:
    from issuers.models import Issuer

WELL_KNOWN = "/.well-known/pki"
MAX_PREFIX = 200  # characters, as the column has: far more than any, and it is in each certificate
# First segments of paths that are other doors' here (certctl.urls).
RESERVED = frozenset(
    {"admin", "api", "health", "live", "mcp", "metrics", "ready", "scep", "static"}
)
# What an address goes on with: by this it is told where the prefix ends.
PUBLISHED = frozenset({"crl", "ocsp", "ca"})

_SEGMENT = re.compile(r"[A-Za-z0-9._~-]+")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_AUTHORITY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?")


def prefix_of(issuer: "Issuer") -> str:
    """Return the address, without a slash at the end, under which an issuer is published."""
    return issuer.pki_prefix or default_prefix()


def default_prefix() -> str:
    """Return the prefix of issuers that have none of their own."""
    return str(settings.PKI_PREFIX or f"{settings.PKI_BASE_URL}{WELL_KNOWN}")


def pointers_of(issuer: "Issuer", shard: int | None = None) -> certs.Pointers:
    """Return where relying parties find what an issuer of ours publishes.

    With a `shard`, the CRL is that part of the issuer's CRL.
    """
    prefix, slug = prefix_of(issuer), issuer.slug
    crl = f"{prefix}/crl/{slug}"
    return certs.Pointers(
        crl if shard is None else f"{crl}/{shard}",
        f"{prefix}/ocsp/{slug}",
        f"{prefix}/ca/{slug}",
        f"{crl}/delta",
    )


def problem_of(prefix: str) -> str | None:  # noqa: PLR0911 - one return a rule
    """Return what is wrong with a prefix in a sentence, or None.

    Plain http: whoever checks TLS by it cannot need TLS to reach it (RFC 5280 §8; BR 7.1.2.11.2
    and 7.1.2.7.7 allow nothing else). Nothing in it needs escaping, so that it is the same bytes in
    a certificate, in a critical IDP and on the wire.
    """
    if len(prefix) > MAX_PREFIX:
        return f"It may have {MAX_PREFIX} characters."
    if not prefix.isascii() or not prefix.isprintable() or " " in prefix:
        return "Use printable ASCII without spaces."
    if prefix.startswith("https:"):
        return "Use http: relying parties that check TLS by it would need TLS to reach it."
    if not prefix.startswith("http://"):
        return "Write an absolute URL that begins with http://."
    rest = prefix.removeprefix("http://")
    authority, _, path = rest.partition("/")
    if "?" in rest or "#" in rest:
        return "It has no query and no fragment: paths are added to it."
    if not _is_authority(authority):
        return "It needs a host's name or address, and a port at most."
    if rest.endswith("/"):
        return "Leave out the slash at the end."
    return _problem_of_path(path.split("/") if path else [])


def is_elsewhere(segments: list[str]) -> bool:
    """Whether a path that begins with these segments is another door's."""
    return segments[:1] != [] and (
        segments[0] in RESERVED or segments[:2] == [".well-known", "est"]
    )


def is_loopback(prefix: str) -> bool:
    """Whether an address leads to whoever asks it, and so nowhere."""
    host = (urlsplit(prefix).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 §6.3
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def warning_of(prefix: str) -> str | None:
    """Return what to say before a prefix is signed into anything, or None; a demo is none."""
    if settings.DEMO or not is_loopback(prefix):
        return None
    return (
        f"Certificates would say that CRLs and OCSP are at {prefix}, which leads every relying "
        "party to itself. Set CERTCTL_PKI_PREFIX or CERTCTL_PKI_BASE_URL, or the issuer's own "
        "prefix, before anything is signed: it cannot be changed in what is."
    )


def _is_authority(text: str) -> bool:
    if not _AUTHORITY.fullmatch(text):
        return False
    try:
        parts = urlsplit(f"http://{text}")
        if text.startswith("["):
            ip_address(parts.hostname or "")
        port = parts.port
    except ValueError:  # no address, or a port past 65535
        return False
    return port != 0


def _problem_of_path(segments: list[str]) -> str | None:
    if any(not _SEGMENT.fullmatch(one) or one in {".", ".."} for one in segments):
        return "Its path has letters, digits, '-', '.', '_' and '~' between single slashes."
    if PUBLISHED.intersection(segments):
        return "Its path may not have crl, ocsp or ca as a part: those follow it."
    if is_elsewhere(segments):
        return f"/{segments[0]} is something else here."
    return None

"""Which addresses a handshake may go to: an endpoint is typed in by people (SSRF)."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

# Metadata services that lie outside of the link-local networks.
_METADATA = frozenset(
    ip_address(address)
    for address in (
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",  # AWS
        "fd20:ce::254",  # Google
    )
)
_THIS_NETWORK = ip_network("0.0.0.0/8")
_NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ip_network("::/96")
_SHORT = 2**32


def refusal(address: str) -> str:
    """Return why no handshake goes to `address`, or "" if one may. Fails closed."""
    try:
        given = ip_address(address)
    except ValueError:
        return f"{address} is no address."
    for seen in _meanings(given):
        why = _why(seen)
        if why:
            return f"{address} is {why}."
    return ""


def _meanings(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """The address, and every IPv4 address that it may lead to."""
    yield address
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    low = int(address) % _SHORT
    if any(address in network for network in _NAT64) or (
        address in _COMPATIBLE and not address.is_loopback and not address.is_unspecified
    ):
        yield IPv4Address(low)


def _why(address: IPv4Address | IPv6Address) -> str:
    if address.is_loopback:
        return "" if settings.ALLOW_LOOPBACK_TARGETS else "this server itself"
    if address.is_link_local or address in _METADATA:
        return "link-local, or a cloud's metadata service"
    # Reserved IPv6 is too much to refuse: it holds the NAT64 prefix.
    if (
        address.is_unspecified
        or address.is_multicast
        or address in _THIS_NETWORK
        or (isinstance(address, IPv4Address) and address.is_reserved)
    ):
        return "no address of a host"
    return ""

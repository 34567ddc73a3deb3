"""Which addresses a handshake may go to: an endpoint is typed in by people (SSRF)."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

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
_NAT64 = ip_network("64:ff9b::/96")
# An installation's own prefix lies anywhere in here (RFC 8215), and its length is not told.
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")
_COMPATIBLE = ip_network("::/96")
_SHORT = 2**32


def refusal(address: str, *, loopback: bool) -> str:
    """Return why no handshake goes to `address`, or "" if one may. Fails closed.

    `loopback` is whether this host itself may be looked at.
    """
    try:
        given = ip_address(address)
    except ValueError:
        return f"{address} is no address."
    for seen in _meanings(given):
        why = _why(seen, loopback=loopback)
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
    if address in _NAT64 or (
        address in _COMPATIBLE and not address.is_loopback and not address.is_unspecified
    ):
        yield IPv4Address(low)
    if address in _LOCAL_NAT64:
        yield IPv4Address(low)
        yield from _embedded(int(address))


def _embedded(address: int) -> Iterator[IPv4Address]:
    """Yield what prefixes of 48, 56 and 64 bits would translate to (RFC 6052, section 2.2).

    Bits 64 to 71 are none of the address there. Where the prefix is longer, such a reading begins
    with the zeros that fill it: that is no address of a host, and nobody means it.
    """
    for prefix in (48, 56, 64):
        before = address >> 64
        after = address & (1 << 56) - 1  # the bits after the 71st
        whole = (before << 56 | after) >> (120 - prefix - 32)
        meant = IPv4Address(whole % _SHORT)
        if meant not in _THIS_NETWORK:
            yield meant


def _why(address: IPv4Address | IPv6Address, *, loopback: bool) -> str:
    if address.is_loopback:
        return "" if loopback else "this server itself"
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

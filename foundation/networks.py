"""Networks that something is bound to, as CIDR texts: read in one form, and asked about."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from foundation.errors import FieldError


def read(texts: Iterable[str], field: str) -> tuple[list[str], list[FieldError]]:
    """Return `texts` as they are kept, and what is wrong with them as faults of `field`."""
    try:
        return [str(ip_network(text)) for text in texts], []
    except (ValueError, TypeError) as error:
        return [], [FieldError(field, "invalid", f"Not a network: {error}.")]


def allow(networks: Iterable[str], address: str | None) -> bool:
    """Whether `address` is in one of `networks`; no network is anywhere, no address is nowhere."""
    known = [ip_network(text) for text in networks]
    if not known:
        return True
    return address is not None and any(ip_address(address) in one for one in known)

"""Name constraints (RFC 5280 §4.2.1.10): which names a CA may certify, as the strictest reads it.

Verifiers differ where the RFC leaves room. What is permitted here must be permitted by all, and
what one of them takes for excluded is.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from issuers.x509 import der, names, raw

_NAME_CONSTRAINTS = bytes.fromhex("551d1e")
_UTF8_MAILBOX = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.9")  # RFC 9598: an address as well

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def names_of(
    subject: x509.Name, alternative: Iterable[x509.GeneralName], *, is_ca: bool
) -> list[x509.GeneralName]:
    """Return all names that constraints are about.

    Besides the alternative names these are the subject, the e-mail addresses in it, and a common
    name that clients take for a host where there is no DNS name.
    """
    found = list(alternative)
    if list(subject):
        found.append(x509.DirectoryName(subject))
    addresses = subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)
    found.extend(x509.RFC822Name(_ascii(str(one.value))) for one in addresses)
    if not is_ca and not any(isinstance(name, x509.DNSName) for name in found):
        for attribute in subject.get_attributes_for_oid(NameOID.COMMON_NAME):
            text = str(attribute.value).lower()
            if "." in text and names.is_dns_name(text):
                found.append(x509.DNSName(text))
    return found


def outside(ca: x509.Certificate, given: Iterable[x509.GeneralName]) -> Iterator[str]:
    """Go through those of `given` that `ca` may not certify, each as words that say so."""
    constraints = _of(ca)
    if constraints is None:
        return
    if _has_bounds(ca):
        yield "any name at all: its name constraints have bounds (RFC 5280 §4.2.1.10 has none)"
        return
    permitted = constraints.permitted_subtrees or []
    excluded = constraints.excluded_subtrees or []
    for name in given:
        kind = _kind(name)
        here = [base for base in permitted if _kind(base) is kind]
        away = [base for base in excluded if _kind(base) is kind]
        if (here or away) and not _is_understood(name):
            yield f"{names.shown(name)}: names like this are constrained, and it cannot be told how"
        elif here and not any(_is_within(name, base) for base in here):
            yield f"{names.shown(name)}: it permits {_list(here)}"
        elif any(_touches(name, base) for base in away):
            yield f"{names.shown(name)}: it excludes {_list(away)}"


def leaves_nothing(ca: x509.Certificate, base: x509.GeneralName) -> bool:
    """Whether no name of a subtree that is to be permitted below `ca` could be certified by it."""
    constraints = _of(ca)
    if constraints is None:
        return False
    here = [one for one in constraints.permitted_subtrees or [] if _kind(one) is _kind(base)]
    away = [one for one in constraints.excluded_subtrees or [] if _kind(one) is _kind(base)]
    meets = [one for one in here if _covers(one, base) or _covers(base, one)]
    return bool(here and not meets) or any(_covers(one, base) for one in away)


def _list(bases: Sequence[x509.GeneralName]) -> str:
    return ", ".join(map(names.shown, bases[:5])) + (", …" if len(bases) > 5 else "")  # noqa: PLR2004


def _of(ca: x509.Certificate) -> x509.NameConstraints | None:
    try:
        return ca.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return None


def _has_bounds(ca: x509.Certificate) -> bool:
    """Whether a subtree has a minimum or maximum, which the library does not tell."""
    value = raw.extension(ca, _NAME_CONSTRAINTS)
    return value is not None and any(
        len(list(subtree)) != 1 for subtrees in der.read(value) for subtree in subtrees
    )


def _kind(name: x509.GeneralName) -> type[x509.GeneralName]:
    if isinstance(name, x509.OtherName) and name.type_id == _UTF8_MAILBOX:
        return x509.RFC822Name
    return type(name)


def _is_understood(name: x509.GeneralName) -> bool:
    if isinstance(name, x509.UniformResourceIdentifier):
        return bool(_host(name.value))  # RFC 5280: without a host name it must be refused
    return isinstance(name, x509.DNSName | x509.IPAddress | x509.RFC822Name | x509.DirectoryName)


def _is_within(name: x509.GeneralName, base: x509.GeneralName) -> bool:
    """Whether every verifier finds `name` in the subtree."""
    match name, base:
        case x509.DNSName(), x509.DNSName():
            return _dns_within(name.value.lower().removeprefix("*."), base.value.lower())
        case x509.IPAddress(), x509.IPAddress():
            return _is_in(name.value, base.value)
        case x509.RFC822Name(), x509.RFC822Name():
            return _email_within(name.value, base.value)
        case x509.UniformResourceIdentifier(), x509.UniformResourceIdentifier():
            return _host_within(_host(name.value), base.value.lower())
        case x509.DirectoryName(), x509.DirectoryName():
            return _begins_with(name.value, base.value)
    return False


def _touches(name: x509.GeneralName, base: x509.GeneralName) -> bool:
    """Whether some verifier finds `name`, or a name that it stands for, in the subtree."""
    if _is_within(name, base):
        return True
    match name, base:
        case x509.DNSName(), x509.DNSName():
            # *.example.com stands for each label below example.com, an excluded one as well.
            own, away = name.value.lower(), base.value.lower().strip(".")
            is_wild = own.startswith("*.") and own[2:] == away.partition(".")[2]
            return is_wild or _dns_within(own, away)
        case x509.RFC822Name(), x509.RFC822Name():
            return not base.value or _email_within(name.value, base.value.removeprefix("."))
        case x509.UniformResourceIdentifier(), x509.UniformResourceIdentifier():
            return not base.value or _host(name.value) == base.value.lower().removeprefix(".")
    return False


def _dns_within(name: str, base: str) -> bool:
    if base.startswith("."):
        # Not in RFC 5280, but in use: at least one label more.
        return name.endswith(base)
    return not base or name == base or name.endswith(f".{base}")


def _is_in(value: Address | Network, base: Address | Network) -> bool:
    inner, outer = ipaddress.ip_network(value), ipaddress.ip_network(base)
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


def _email_within(address: str, base: str) -> bool:
    local, _, host = address.rpartition("@")
    if "@" in base:  # one mailbox, whose local part may tell upper from lower case
        base_local, _, base_host = base.rpartition("@")
        return local == base_local and host.lower() == base_host.lower()
    return _host_within(host.lower(), base.lower())


def _host_within(host: str, base: str) -> bool:
    # A host is that host alone, a leading dot all below it; "" is none.
    return bool(base) and (host.endswith(base) if base.startswith(".") else host == base)


def _host(uri: str) -> str:
    """Return the host name of a URI in lower case; "" where it has none, or an address."""
    try:
        host = urlsplit(uri).hostname or ""
    except ValueError:
        return ""
    return host if names.is_dns_name(host, wildcard=False) else ""


def _begins_with(name: x509.Name, base: x509.Name) -> bool:
    parts, wanted = [_plain(rdn) for rdn in name.rdns], [_plain(rdn) for rdn in base.rdns]
    return parts[: len(wanted)] == wanted


def _plain(rdn: x509.RelativeDistinguishedName) -> set[tuple[str, str]]:
    # RFC 5280 §7.1: neither case nor the number of blanks tells two names apart.
    return {(one.oid.dotted_string, " ".join(str(one.value).lower().split())) for one in rdn}


def _covers(outer: x509.GeneralName, inner: x509.GeneralName) -> bool:
    """Whether all of one subtree lies in another of its kind."""
    match outer, inner:
        case x509.DNSName(), x509.DNSName():
            return _dns_within(inner.value.lower(), outer.value.lower())
        case x509.IPAddress(), x509.IPAddress():
            return _is_in(inner.value, outer.value)
        case x509.RFC822Name(), x509.RFC822Name() if "@" in inner.value:
            return _email_within(inner.value, outer.value)
        case x509.RFC822Name(), x509.RFC822Name():
            return _host_within(inner.value.lower(), outer.value.lower())
    return True


def _ascii(text: str) -> str:
    # The library takes no other characters in an address; one with them is in no subtree.
    return text if text.isascii() else "?"

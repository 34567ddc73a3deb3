"""Names in certificates: subject alternative names as text ("dns:…"), and subjects."""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress

from cryptography import x509
from cryptography.x509.oid import NameOID

ATTRIBUTES: Mapping[str, x509.ObjectIdentifier] = {
    "CN": NameOID.COMMON_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "STREET": NameOID.STREET_ADDRESS,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "DC": NameOID.DOMAIN_COMPONENT,
    "UID": NameOID.USER_ID,
}
SHORT = {oid: name for name, oid in ATTRIBUTES.items()}
# RFC 5280 §4.2.1.6 with RFC 1123 labels; underscores are refused as BR 7.1.2.7.12 does.
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?P<domain>[A-Za-z0-9.-]{1,253})")
# Control and format characters (which hide or turn text round), halves of characters, private use.
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Co"}
# RFC 5280 appendix A.1, the upper bounds of X.520, in characters.
MAX_VALUE = 128
_UPPER_BOUNDS = {"CN": 64, "O": 64, "OU": 64, "C": 2, "serialNumber": 64, "DC": 63}
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}:[\x21-\x7e]{1,1024}")
_AUTHORITY = re.compile(r"//(?:[^/?#\\]*@)?[^/?#\\]*")
_NAMESPACE = re.compile(r"[A-Za-z0-9-]{1,32}:")


_PREFIXES: dict[type[x509.GeneralName], str] = {
    x509.DNSName: "dns",
    x509.IPAddress: "ip",
    x509.RFC822Name: "email",
    x509.UniformResourceIdentifier: "uri",
}


class BadName(ValueError):
    """A name that no certificate may carry; the message says why."""


def san_strings(names: Iterable[x509.GeneralName]) -> list[str]:
    """Return general names as "dns:", "ip:", "email:" or "uri:" and the name, without doubles.

    Raises BadName for a form that certctl does not issue (otherName, directoryName, …) and for a
    name that is malformed.
    """
    return list(dict.fromkeys(_text(name) for name in names))


def shown(name: x509.GeneralName) -> str:
    """Return any general name to show to people, also one that is never issued."""
    match name:
        case x509.DirectoryName():
            text = f"dir:{name.value.rfc4514_string()}"
        case x509.OtherName():
            text = f"otherName:{name.type_id.dotted_string}"
        case x509.RegisteredID():
            text = f"registeredID:{name.value.dotted_string}"
        case _:
            text = f"{_PREFIXES.get(type(name), type(name).__name__)}:{name.value}"
    return "".join(one if one.isprintable() else "\ufffd" for one in text[:200])


def general_names(texts: Iterable[str]) -> list[x509.GeneralName]:
    """Return what `san_strings` gave as general names; raises BadName."""
    return [_general(text) for text in texts]


def normal(text: str) -> str:
    """Return one "dns:…" text in its normal form; raises BadName."""
    return _text(_general(text))


def comparable(text: str) -> str:
    """Return a SAN's text, or a common name, so that two which mean the same name are equal.

    A common name that is a host name equals its SAN. Only to find what may be alike: letter case
    counts nowhere, and what is no name at all is compared as text.
    """
    kind, _, value = text.partition(":")
    if kind not in _PREFIXES.values():
        kind, value = "dns", text
    if kind == "dns":
        value = value.strip().rstrip(".")
        if not value.isascii():
            with suppress(UnicodeError):  # else it is no host name: a text like any other
                value = value.encode("idna").decode("ascii")
    try:
        return normal(f"{kind}:{value}").casefold()
    except ValueError:
        return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def is_dns_name(name: str, *, wildcard: bool = True) -> bool:
    """Whether `name` is a host name of A-labels; one leading `*.` label may be allowed."""
    if wildcard and name.startswith("*."):
        name = name[2:]
        if "." not in name:
            return False  # BR 3.2.2.6: no wildcard right above a top level domain
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):  # noqa: PLR2004
        return False
    return not labels[-1].isdigit() and all(_is_a_label(label) for label in labels)


def attributes(subject: x509.Name) -> list[tuple[str, str]]:
    """Return a subject's attributes as (short name or dotted OID, value), in order."""
    return [(SHORT.get(a.oid, a.oid.dotted_string), str(a.value)) for a in subject]


def subject_of(pairs: Iterable[tuple[str, str]]) -> x509.Name:
    """Build a subject of attributes by short name; raises BadName for what cannot be encoded."""
    pairs = list(pairs)
    for name, value in pairs:
        longest = _UPPER_BOUNDS.get(name, MAX_VALUE)
        if not is_printable(value) or len(value) > longest:
            raise BadName(f"The subject's {name} must be 1 to {longest} printable characters.")
    try:
        return x509.Name([x509.NameAttribute(ATTRIBUTES[name], value) for name, value in pairs])
    except (ValueError, KeyError) as error:
        raise BadName(f"The subject cannot be encoded: {error}.") from None


def is_printable(value: str) -> bool:
    """Whether `value` is text that everybody sees as it is: nothing hidden in it, nor blank."""
    hidden = any(unicodedata.category(character) in _UNPRINTABLE for character in value)
    return bool(value.strip()) and not hidden


def _is_a_label(label: str) -> bool:
    # RFC 5890: "??--" is reserved, and of those only "xn--" with valid Punycode is in use.
    if label[2:4] != "--":
        return True
    if not label.startswith("xn--"):
        return False
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
        # One U-label has one A-label: composed, in lower case, not in ASCII (RFC 5891 §4.4, §5.3).
        again = unicodedata.normalize("NFC", decoded.lower()).encode("punycode").decode("ascii")
    except UnicodeError:
        return False
    # The joiners are hidden, but some scripts cannot be written without (RFC 5892 appendix A.1).
    shown = decoded.replace("\u200c", "").replace("\u200d", "")
    return again == label[4:] and not shown.isascii() and shown.isprintable()


def _text(name: x509.GeneralName) -> str:
    match name:
        case x509.DNSName():
            return f"dns:{_dns(name.value)}"
        case x509.IPAddress():
            if isinstance(name.value, ipaddress.IPv4Network | ipaddress.IPv6Network):
                raise BadName("An IP network is no name of a host.")
            return f"ip:{name.value.compressed}"
        case x509.RFC822Name():
            return f"email:{_email(name.value)}"
        case x509.UniformResourceIdentifier():
            return f"uri:{_uri(name.value)}"
    raise BadName(f"Names of the kind {type(name).__name__} are not issued ({shown(name)}).")


def _general(text: str) -> x509.GeneralName:
    kind, colon, value = text.partition(":")
    match kind if colon else "":
        case "dns":
            return x509.DNSName(_dns(value))
        case "ip":
            return x509.IPAddress(_ip(value))
        case "email":
            return x509.RFC822Name(_email(value))
        case "uri":
            return x509.UniformResourceIdentifier(_uri(value))
    raise BadName(f'{text[:60]!r} must begin with "dns:", "ip:", "email:" or "uri:".')


def _dns(value: str) -> str:
    name = value.lower()
    if "_" in name:
        raise BadName(f"{value[:80]!r} has an underscore, which no host name has (BR 7.1.2.7.12).")
    if not is_dns_name(name):
        raise BadName(f"{value[:80]!r} is no DNS name (write IDNs as A-labels, xn--…).")
    return name


def _ip(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        if "%" not in value:  # a scope (fe80::1%eth0) means nothing elsewhere
            return ipaddress.ip_address(value)
    except ValueError:
        pass
    raise BadName(f"{value[:60]!r} is no IP address.")


def _email(value: str) -> str:
    match = _EMAIL.fullmatch(value)
    if match is None or not is_dns_name(match["domain"].lower(), wildcard=False):
        raise BadName(f"{value[:80]!r} is no e-mail address.")
    local, _, domain = value.rpartition("@")
    return f"{local}@{domain.lower()}"


def _uri(value: str) -> str:
    """Return a URI with scheme and host in lower case, which mean the same (RFC 3986 §6.2.2.1)."""
    if not _URI.fullmatch(value):
        raise BadName(f"{value[:80]!r} is no absolute URI.")
    scheme, _, rest = value.partition(":")
    scheme = scheme.lower()
    if authority := _AUTHORITY.match(rest):
        user, at, host = authority[0].rpartition("@")
        rest = f"{user}{at}{host.lower()}{rest[authority.end() :]}"
    elif scheme == "urn" and (namespace := _NAMESPACE.match(rest)):  # RFC 8141 §3.1
        rest = f"{namespace[0].lower()}{rest[namespace.end() :]}"
    return f"{scheme}:{rest}"

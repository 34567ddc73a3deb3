"""Keys and requests (PKCS#10), made on this machine: the key never leaves it."""

import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from certctl_cli import files
from certctl_cli.errors import Stop
from certctl_cli.exits import Exit
from certctl_cli.text import harmless

# As the API calls them.
ALGORITHMS = ("ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519")
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def make(algorithm: str) -> Key:
    """Return a new private key of that algorithm, one of ALGORITHMS."""
    match algorithm.partition("-"):
        case ("ecdsa", _, curve):
            return ec.generate_private_key(ec.SECP384R1() if curve == "p384" else ec.SECP256R1())
        case ("rsa", _, size):
            return rsa.generate_private_key(65537, int(size))
    return ed25519.Ed25519PrivateKey.generate()


def pem_of(key: Key) -> bytes:
    """Return the key as PKCS#8 in PEM, not encrypted: for a file of mode 0600 alone."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def request(key: Key, *, common_name: str, sans: Sequence[str]) -> bytes:
    """Return a CSR in PEM for those names (`dns:…`, `ip:…`, `email:…`, `uri:…`; RFC 2986)."""
    try:
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    except ValueError as error:  # longer than 64 characters (RFC 5280 appendix A.1)
        raise Stop(f"The common name cannot stand in a request: {error}", Exit.USAGE) from error
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if sans:
        names = x509.SubjectAlternativeName([_name(one) for one in sans])
        builder = builder.add_extension(names, critical=not subject)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM)


def san_of(name: str) -> str:
    """Return a name as a SAN of the API: its kind is put before it where none is.

    International names become A-labels (RFC 5280 section 7.2). Raises Stop for a name with
    characters that nobody sees, and for one that is none of IDNA 2008.
    """
    if harmless(name, keep="") != name:
        raise Stop(f"{harmless(name)} has characters in it that are not seen.", Exit.USAGE)
    kind, colon, value = name.partition(":")
    if not colon or kind not in {"dns", "ip", "email", "uri"}:
        kind, value = _kind_of(name), name
    match kind:
        case "dns":
            value = _a_labels(value)
        case "email":
            mailbox, at, host = value.rpartition("@")
            value = f"{mailbox}{at}{_a_labels(host)}"
    return f"{kind}:{value}"


def of_file(path: Path) -> str:
    """Return a request that a person named (`-`: standard input), never one with a key in it."""
    text = sys.stdin.read() if str(path) == "-" else files.read(path).decode(errors="replace")
    if "PRIVATE KEY-----" in text:
        raise Stop(
            f"There is a private key in {path}: it is not sent.",
            Exit.USAGE,
            hint="Name a file that holds the request alone.",
        )
    return text


def _kind_of(name: str) -> str:
    try:
        ip_address(name)
    except ValueError:
        if "://" in name:
            return "uri"
        return "email" if "@" in name else "dns"
    return "ip"


def _a_labels(host: str) -> str:
    if host.isascii():
        return host
    import idna  # noqa: PLC0415 - only where somebody writes such a name

    star, host = ("*.", host[2:]) if host.startswith("*.") else ("", host)
    try:
        return star + idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise Stop(f"{host!r} is no international name: {error}", Exit.USAGE) from error


def _name(san: str) -> x509.GeneralName:
    kind, _, value = san.partition(":")
    try:
        match kind:
            case "dns":
                return x509.DNSName(value)
            case "ip":
                return x509.IPAddress(ip_address(value))
            case "email":
                return x509.RFC822Name(value)
        return x509.UniformResourceIdentifier(value)
    except ValueError as error:
        raise Stop(f"{value!r} cannot stand in a request: {error}", Exit.USAGE) from error

"""Keys and requests (PKCS#10), made on this machine: the key never leaves it."""

from collections.abc import Sequence
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from certctl_cli.errors import Stop
from certctl_cli.exits import Exit

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
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if sans:
        names = x509.SubjectAlternativeName([_name(one) for one in sans])
        builder = builder.add_extension(names, critical=not subject)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM)


def san_of(name: str) -> str:
    """Return a name as a SAN of the API: `dns:` or `ip:` are put before it where nothing is."""
    kind, colon, _ = name.partition(":")
    if colon and kind in {"dns", "ip", "email", "uri"}:
        return name
    try:
        return f"ip:{ip_address(name)}"
    except ValueError:
        return f"email:{name}" if "@" in name else f"dns:{name}"


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

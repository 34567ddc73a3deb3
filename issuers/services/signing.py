"""Have a certificate signed, and say beforehand exactly what would be."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.conf import settings

from foundation.errors import FieldError, Invalid
from issuers import crypto
from issuers.connectors import connector_for
from issuers.connectors.base import SigningRequest
from issuers.models import SHORT_LIVED, Issuer, Profile
from issuers.services.checking import check_csr
from issuers.x509 import certs, names
from issuers.x509 import csr as requests

SERVER_KEY = "serverkey"  # the context that server-made keys are encrypted for


@dataclass(frozen=True, slots=True)
class SignedCertificate:
    """A signed certificate and what the inventory says of it."""

    certificate_pem: str
    chain_pem: str
    serial_hex: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    key_fingerprint: str
    key_algorithm: str
    key_size: int | None
    subject: str
    sans: list[str]
    short_lived: bool


def sign(  # noqa: PLR0913 - one argument a thing that decides what is signed
    *,
    issuer: Issuer,
    profile: Profile,
    csr_pem: str,
    sans: Sequence[str] = (),
    common_name: str = "",
    lifetime: timedelta | None = None,
) -> SignedCertificate:
    """Have `issuer` sign the request under `profile`; call it with no transaction open.

    The request is checked again. `lifetime` None means the profile's longest, and none is ever
    longer. Under one hour the certificate is short-lived (RFC 9608). Raises CSRRejected,
    MalformedCSR, Invalid (issuer not allowed) or ConnectorError.
    """
    checked = check_csr(
        csr_pem=csr_pem, profile=profile, common_name=common_name, sans=sans, issuer=issuer
    )
    _check_issuer(issuer, profile)
    span = _span(lifetime, profile)
    request = SigningRequest(
        csr=checked.csr,
        subject=checked.subject,
        sans=checked.sans,
        lifetime=span,
        key_usage=profile.key_usage,
        extended_key_usage=profile.extended_key_usage,
        short_lived=span < SHORT_LIVED,
    )
    signed = connector_for(issuer).issue(request)
    return describe(signed.certificate_pem, signed.chain_pem)


def describe(certificate_pem: str, chain_pem: str) -> SignedCertificate:
    """Return what the inventory says of a certificate."""
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    algorithm, size = certs.key_algorithm_of(certificate.public_key())
    oids = {extension.oid for extension in certificate.extensions}
    sans: list[str] = []
    if x509.SubjectAlternativeName.oid in oids:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        sans = names.san_strings(found.value)
    return SignedCertificate(
        certificate_pem=certificate_pem,
        chain_pem=chain_pem,
        serial_hex=certs.serial_hex(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        fingerprint=certs.fingerprint(certificate),
        key_fingerprint=certs.key_fingerprint(certificate.public_key()),
        key_algorithm=algorithm,
        key_size=size,
        subject=certificate.subject.rfc4514_string()[:500],
        sans=sans,
        short_lived=certs.NO_REV_AVAIL in oids,
    )


def signing_digest(  # noqa: PLR0913
    *,
    issuer: Issuer,
    profile: Profile,
    csr_pem: str,
    common_name: str,
    sans: Sequence[str],
    lifetime: timedelta | None,
) -> str:
    """Return the SHA-256 of everything that decides what would be signed.

    An approval is bound to it: another CSR, another name, another issuer key, or a rule of the
    profile changed since, gives another digest.
    """
    csr_hash = ""
    if csr_pem:
        der = requests.parse(csr_pem).public_bytes(serialization.Encoding.DER)
        csr_hash = hashlib.sha256(der).hexdigest()
    issuer_hash = hashlib.sha256(issuer.certificate_pem.encode()).hexdigest()
    decides = {
        "csr": csr_hash,
        "common_name": common_name,
        "sans": sorted(sans),
        "lifetime": int(_span(lifetime, profile).total_seconds()),
        "issuer": [str(issuer.pk), issuer.slug, issuer.kind, issuer_hash],
        "profile": {
            "id": str(profile.pk),
            "key_algorithms": sorted(profile.key_algorithms),
            "max_lifetime": int(profile.max_lifetime.total_seconds()),
            "key_usage": sorted(profile.key_usage),
            "extended_key_usage": sorted(profile.extended_key_usage),
            "allowed_sans": sorted(profile.allowed_sans),
            "required_sans": sorted(profile.required_sans),
            "allow_wildcards": profile.allow_wildcards,
            "max_sans": profile.max_sans,
            "subject_attributes": sorted(profile.subject_attributes),
            "fixed_subject": profile.fixed_subject,
        },
    }
    text = json.dumps(decides, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def generate_key_and_csr(
    *, profile: Profile, common_name: str, sans: Sequence[str]
) -> tuple[bytes, str]:
    """Make a subscriber's key here: for demos only, where the settings allow it.

    Returns the key encrypted for SERVER_KEY, and a CSR as PEM. Raises Invalid.
    """
    if not settings.ALLOW_SERVER_KEYS:
        raise Invalid(
            errors=[FieldError("generate_key", "server_keys_disabled", "It is switched off.")]
        )
    key = _new_key(profile.key_algorithms[0] if profile.key_algorithms else "ecdsa-p256")
    try:
        general = names.general_names(sans)
        subject = names.subject_of([("CN", common_name)] if common_name else [])
    except names.BadName as error:
        raise Invalid(errors=[FieldError("sans", "bad_name", str(error))]) from None
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if general:
        builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
    plain = isinstance(key, ed25519.Ed25519PrivateKey)
    csr = builder.sign(key, None if plain else hashes.SHA256())
    pkcs8 = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    encrypted = crypto.encrypt(pkcs8, context=SERVER_KEY)
    return encrypted, csr.public_bytes(serialization.Encoding.PEM).decode()


def _new_key(
    algorithm: str,
) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey:
    if algorithm.startswith("rsa-"):
        return rsa.generate_private_key(65537, max(2048, int(algorithm.removeprefix("rsa-"))))
    if algorithm == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    curve = ec.SECP384R1() if algorithm == "ecdsa-p384" else ec.SECP256R1()
    return ec.generate_private_key(curve)


def _span(lifetime: timedelta | None, profile: Profile) -> timedelta:
    return profile.max_lifetime if lifetime is None else min(lifetime, profile.max_lifetime)


def _check_issuer(issuer: Issuer, profile: Profile) -> None:
    allowed = profile.issuers.all()
    if not issuer.enabled:
        raise Invalid(errors=[FieldError("issuer", "issuer_disabled", f"{issuer} is disabled.")])
    if allowed and issuer not in allowed:
        raise Invalid(
            errors=[
                FieldError("issuer", "issuer_not_allowed", f"{profile} does not allow {issuer}.")
            ]
        )

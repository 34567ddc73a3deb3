"""Have a certificate signed, and say beforehand exactly what would be."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.conf import settings

from foundation.clock import database_clock
from foundation.errors import FieldError, Invalid
from foundation.sealed import Sealed
from issuers.connectors import connector_for
from issuers.connectors.base import Signed, SigningRequest, WrongCertificate
from issuers.models import SHORT_LIVED, Issuer, Profile
from issuers.server_keys import SERVER_KEY
from issuers.services import orders, shards
from issuers.services.checking import CheckedRequest, check_csr
from issuers.services.orders import OrderState, Waiting
from issuers.x509 import csr as requests
from issuers.x509 import lint, names, reading
from issuers.x509.description import SignedCertificate, describe

# Of elliptic curves the one whose signatures are quickly made, and long enough for two weeks.
_RESPONDER_KEYS = {"rsa": "rsa-2048", "ed25519": "ed25519", "ed448": "ed25519"}


def sign(  # noqa: PLR0913 - one argument a thing that decides what is signed
    *,
    issuer: Issuer,
    profile: Profile,
    csr_pem: str,
    sans: Sequence[str] = (),
    common_name: str = "",
    lifetime: timedelta | None = None,
    order: OrderState | None = None,
    placing: Callable[[], None] = lambda: None,
    checked: CheckedRequest | None = None,
) -> SignedCertificate | Waiting:
    """Have `issuer` sign the request under `profile`; call it with no transaction open.

    The request is checked again, and what comes back is held against it. `lifetime` None means the
    profile's longest, and none is ever longer. Under one hour the certificate is short-lived (RFC
    9608). `order` is how the order stands where there was one before, and `placing` is called
    before it goes out (see `orders.answer_of`). `checked` is what `check_csr` says of the very
    same, where the caller has just asked that, and whether the issuer may sign; with a CA of ours
    it may be in the midst of a transaction. Raises CSRRejected, MalformedCSR, Invalid (issuer not
    allowed) or ConnectorError, of it WrongCertificate and those of orders.
    """
    if checked is None:
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
        is_responder=profile.is_responder,
        shard=None if span < SHORT_LIVED else shards.draw(issuer),
    )
    order = order or OrderState(str(uuid4()))
    answer = orders.answer_of(connector_for(issuer), request, order, placing)
    if isinstance(answer, Waiting):
        return answer
    _check_received(answer, request)
    return describe(answer.certificate_pem, answer.chain_pem)


def _check_received(signed: Signed, request: SigningRequest) -> None:
    """Raise WrongCertificate where a connector brought something else than was asked for."""
    asked = lint.Asked(
        public_key=request.csr.public_key(),
        subject=request.subject,
        sans=request.sans,
        lifetime=request.lifetime,
        key_usage=request.key_usage,
        extended_key_usage=request.extended_key_usage,
    )
    try:
        (received,) = reading.certificates(signed.certificate_pem)
        chain = reading.cas(signed.chain_pem)
        problems = lint.check_received(received, asked, chain=chain, now=database_clock.now())
    except reading.UNREADABLE:
        problems = ["it or its chain cannot be read"]
    if problems:
        raise WrongCertificate(f"What came back is not what was asked for: {'; '.join(problems)}.")


def signing_inputs(  # noqa: PLR0913
    *,
    issuer: Issuer,
    profile: Profile,
    csr_pem: str,
    common_name: str,
    sans: Sequence[str],
    lifetime: timedelta | None,
) -> dict[str, Any]:
    """Return everything that decides what would be signed, as JSON has it.

    An approval is bound to its hash: another CSR, another name, another issuer key, or a rule of
    the profile changed since, makes other inputs.
    """
    csr_hash = ""
    if csr_pem:
        der = requests.parse(csr_pem).public_bytes(serialization.Encoding.DER)
        csr_hash = hashlib.sha256(der).hexdigest()
    issuer_hash = hashlib.sha256(issuer.certificate_pem.encode()).hexdigest()
    # Only where there are any, so that what was approved of issuers without them stays approved.
    issuer_settings = [issuer.config] if issuer.config else []
    return {
        "csr": csr_hash,
        "common_name": common_name,
        "sans": sorted(sans),
        "lifetime": int(_span(lifetime, profile).total_seconds()),
        "issuer": [str(issuer.pk), issuer.slug, issuer.kind, issuer_hash, *issuer_settings],
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


def generate_key_and_csr(
    *, profile: Profile, common_name: str, sans: Sequence[str]
) -> tuple[Sealed, str]:
    """Make a subscriber's key here: for demos only, where the settings allow it.

    Returns the key, sealed, and a CSR as PEM. Raises Invalid.
    """
    if not settings.ALLOW_SERVER_KEYS:
        raise Invalid(
            errors=[FieldError("generate_key", "server_keys_disabled", "It is switched off.")]
        )
    return _key_and_csr(profile, common_name, sans)


def new_ra_key(*, profile: Profile, common_name: str) -> tuple[Sealed, str]:
    """Make a key that certctl itself uses, at a SCEP label: nobody else ever has it.

    Returns the key, sealed, and a CSR as PEM.
    """
    return _key_and_csr(profile, common_name, [])


def new_responder_key(*, issuer: Issuer, common_name: str) -> tuple[Sealed, str]:
    """Make a key for the OCSP responder of an issuer, of the kind that the CA's own is.

    Who verifies what the CA signs can verify what its responder signs. Returns as `new_ra_key`.
    """
    kind = issuer.described.key_algorithm if issuer.described else ""
    return _key_and_csr(None, common_name, [], _RESPONDER_KEYS.get(kind, "ecdsa-p256"))


def _key_and_csr(
    profile: Profile | None, common_name: str, sans: Sequence[str], algorithm: str = ""
) -> tuple[Sealed, str]:
    if profile is not None and profile.key_algorithms:
        algorithm = algorithm or profile.key_algorithms[0]
    key = _new_key(algorithm or "ecdsa-p256")
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
    return SERVER_KEY.seal(pkcs8), csr.public_bytes(serialization.Encoding.PEM).decode()


def new_key_for(*, csr_pem: str, profile: Profile) -> tuple[bytes, str]:
    """Make a key for a device that sends a request only for its names (RFC 7030 §4.4.1).

    Returns the key in PKCS #8 DER, in the clear and nowhere else, and a request in PEM with it: of
    the kind that `profile` names first, whatever the key of the other was. Raises MalformedCSR.
    """
    csr = requests.parse(csr_pem)
    key = _new_key(profile.key_algorithms[0] if profile.key_algorithms else "ecdsa-p256")
    builder = x509.CertificateSigningRequestBuilder().subject_name(csr.subject)
    for extension in csr.extensions:
        if extension.oid != x509.SubjectKeyIdentifier.oid:  # that is of the key that is not used
            builder = builder.add_extension(extension.value, extension.critical)
    plain = isinstance(key, ed25519.Ed25519PrivateKey)
    request = builder.sign(key, None if plain else hashes.SHA256())
    pkcs8 = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pkcs8, request.public_bytes(serialization.Encoding.PEM).decode()


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
    if not issuer.enabled:
        raise Invalid(errors=[FieldError("issuer", "issuer_disabled", f"{issuer} is disabled.")])
    if not profile.allows(issuer):
        raise Invalid(
            errors=[
                FieldError("issuer", "issuer_not_allowed", f"{profile} does not allow {issuer}.")
            ]
        )

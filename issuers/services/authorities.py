"""Make, import, test and change issuers."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from audit.services import record
from certctl.errors import Conflict, ConnectorError, FieldError, Invalid
from issuers import crypto
from issuers.connectors import connector_for
from issuers.connectors.local import BACKDATE, LocalCA, pointers_of
from issuers.models import Issuer
from issuers.x509 import certs, names
from owners.models import Principal

CA_ALGORITHMS = ("ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519")


class SlugTaken(Conflict):
    """There is an issuer of that slug."""

    code = "name_taken"
    message = "There is already an issuer of that slug."


class CannotImport(Invalid):
    """The certificate and key are none that an issuer can be made of."""

    code = "cannot_import"
    message = "This is no CA certificate with its key."


@transaction.atomic
def create_local_ca(  # noqa: PLR0913 - one argument a property of a CA
    *,
    actor: Principal,
    slug: str,
    name: str,
    common_name: str,
    lifetime: timedelta,
    organization: str = "",
    key_algorithm: str = "ecdsa-p256",
    parent: Issuer | None = None,
    path_length: int | None = None,
    name_constraints: Sequence[str] = (),
) -> Issuer:
    """Make a CA with a fresh key: a root, or one below `parent` (a local CA of ours).

    A CA below a parent may sign no further CAs unless `path_length` says so. Raises SlugTaken,
    Invalid, ConnectorError (the parent cannot sign).
    """
    _check_new(slug, key_algorithm)
    key = _new_key(key_algorithm)
    try:
        pairs = [("O", organization)] if organization else []
        subject = names.subject_of([*pairs, ("CN", common_name)])
        certificate = _certificate(key, subject, lifetime, parent, path_length, name_constraints)
    except ValueError as error:
        raise Invalid(
            str(error), errors=[FieldError("common_name", "invalid", str(error))]
        ) from None
    above = "".join(connector_for(parent).chain()) if parent else ""
    issuer = _save(slug, name, key, certificate, above, parent)
    record(
        actor=actor,
        action="issuer.create",
        subject=issuer,
        kind=issuer.kind,
        key_algorithm=key_algorithm,
        parent=parent.slug if parent else None,
        fingerprint=certs.fingerprint(certificate),
        not_after=certificate.not_valid_after_utc.isoformat(),
    )
    return issuer


@transaction.atomic
def import_local_ca(  # noqa: PLR0913
    *,
    actor: Principal,
    slug: str,
    name: str,
    certificate_pem: str,
    key_pem: bytes,
    key_password: bytes | None = None,
    chain_pem: str = "",
) -> Issuer:
    """Take over an existing CA, such as a sub-CA under an enterprise root.

    Raises CannotImport where the key is not the certificate's, or the certificate is no CA's or
    not valid now, or the chain does not lead on from it; SlugTaken.
    """
    _check_new(slug, "ecdsa-p256")
    certificate, chain = _load(certificate_pem, chain_pem)
    try:
        key = serialization.load_pem_private_key(key_pem, password=key_password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's words could quote the input, which is a secret.
        raise CannotImport("The private key cannot be read: wrong password or format.") from None
    problems = _problems(certificate, key, chain)
    if problems:
        raise CannotImport(" ".join(problems))
    above = "".join(certs.pem(one) for one in chain)
    issuer = _save(slug, name, key, certificate, above, None)  # type: ignore[arg-type]  # _problems
    record(
        actor=actor,
        action="issuer.import",
        subject=issuer,
        fingerprint=certs.fingerprint(certificate),
        not_after=certificate.not_valid_after_utc.isoformat(),
    )
    return issuer


def test_connection(*, issuer: Issuer, actor: Principal) -> str:
    """Have the issuer prove that it can sign; return its sentence or raise ConnectorError.

    Either way an audit event says how it went.
    """
    try:
        said = connector_for(issuer).check()
    except ConnectorError as error:
        record(actor=actor, action="issuer.test", subject=issuer, works=False, detail=error.detail)
        raise
    record(actor=actor, action="issuer.test", subject=issuer, works=True, detail=said)
    return said


@transaction.atomic
def update_issuer(*, actor: Principal, issuer_id: uuid.UUID, changes: dict[str, Any]) -> Issuer:
    """Change an issuer's name, or enable and disable it; nothing else of it ever changes.

    A disabled issuer signs no certificates, but still CRLs and OCSP answers: those who rely on
    what it signed must go on being served.
    """
    issuer = Issuer.objects.select_for_update(no_key=True).get(pk=issuer_id)
    what = {}
    for field in ("name", "enabled"):
        if field in changes and getattr(issuer, field) != changes[field]:
            what[field] = {"before": getattr(issuer, field), "after": changes[field]}
            setattr(issuer, field, changes[field])
    if what:
        issuer.save(update_fields=list(what))
        record(actor=actor, action="issuer.update", subject=issuer, changes=what)
    return issuer


def _check_new(slug: str, key_algorithm: str) -> None:
    errors = []
    if not slug or slugify(slug) != slug:
        errors.append(FieldError("slug", "invalid", "Use lower-case letters, digits and hyphens."))
    if key_algorithm not in CA_ALGORITHMS:
        errors.append(
            FieldError("key_algorithm", "invalid", f"Use one of {', '.join(CA_ALGORITHMS)}.")
        )
    if errors:
        raise Invalid(errors=errors)
    if Issuer.objects.filter(slug=slug).exists():
        raise SlugTaken(errors=[FieldError("slug", "name_taken", SlugTaken.message)])


def _new_key(algorithm: str) -> CertificateIssuerPrivateKeyTypes:
    if algorithm.startswith("rsa-"):
        return rsa.generate_private_key(65537, int(algorithm.removeprefix("rsa-")))
    if algorithm == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP384R1() if algorithm == "ecdsa-p384" else ec.SECP256R1())


def _certificate(  # noqa: PLR0913, PLR0917
    key: CertificateIssuerPrivateKeyTypes,
    subject: x509.Name,
    lifetime: timedelta,
    parent: Issuer | None,
    path_length: int | None,
    name_constraints: Sequence[str],
) -> x509.Certificate:
    begins = timezone.now().replace(microsecond=0) - BACKDATE
    ends = begins + lifetime - timedelta(seconds=1)
    if ends <= timezone.now():
        raise ValueError("the lifetime is over before it begins")
    if parent is None:
        return certs.build_ca(
            public_key=key.public_key(),
            subject=subject,
            not_before=begins,
            not_after=ends,
            key=key,
            path_length=path_length,
            permitted=name_constraints,
        )
    signer = connector_for(parent)
    if not isinstance(signer, LocalCA):
        raise ConnectorError("Only a local CA signs subordinate CAs.", permanent=True)
    return signer.issue_ca(
        public_key=key.public_key(),
        subject=subject,
        not_before=max(begins, signer.certificate.not_valid_before_utc),
        not_after=min(ends, signer.certificate.not_valid_after_utc),
        path_length=0 if path_length is None else path_length,
        permitted=name_constraints,
        pointers=pointers_of(parent.slug),
    )


def _save(  # noqa: PLR0913, PLR0917
    slug: str,
    name: str,
    key: CertificateIssuerPrivateKeyTypes,
    certificate: x509.Certificate,
    chain_pem: str,
    parent: Issuer | None,
) -> Issuer:
    issuer = Issuer(
        slug=slug,
        name=name or slug,
        kind=Issuer.Kind.LOCAL,
        parent=parent,
        certificate_pem=certs.pem(certificate),
        chain_pem=chain_pem,
    )
    pkcs8 = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    issuer.secrets = crypto.encrypt(pkcs8, context=f"issuer:{issuer.pk}")
    issuer.save(force_insert=True)
    return issuer


def _load(certificate_pem: str, chain_pem: str) -> tuple[x509.Certificate, list[x509.Certificate]]:
    try:
        found = x509.load_pem_x509_certificates(f"{certificate_pem}\n{chain_pem}".encode())
    except ValueError:
        raise CannotImport("There is no readable PEM certificate.") from None
    return found[0], found[1:]


def _problems(
    certificate: x509.Certificate, key: object, chain: Sequence[x509.Certificate]
) -> list[str]:
    problems = []
    kinds = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    if not isinstance(key, kinds):
        return ["Keys of this kind cannot sign here."]
    if key.public_key() != certificate.public_key():
        problems.append("The private key is not that of the certificate.")
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < 2048:  # noqa: PLR2004
        problems.append("RSA keys under 2048 bits are not accepted.")
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return [*problems, "The certificate lacks basicConstraints or keyUsage."]
    if not basic.ca or not usage.key_cert_sign:
        problems.append("The certificate is not that of a CA (cA, keyCertSign).")
    if not usage.crl_sign:
        problems.append("The CA may not sign CRLs (cRLSign).")
    now = timezone.now()
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        problems.append("The certificate is not valid now.")
    for lower, upper in zip((certificate, *chain), chain, strict=False):
        try:
            lower.verify_directly_issued_by(upper)
        except (ValueError, TypeError, InvalidSignature):
            problems.append("The chain is not in order: each must be signed by the next.")
            break
    return problems

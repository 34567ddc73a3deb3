"""Make, import, test and change issuers."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
)
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from audit.services import record
from foundation.errors import Conflict, ConnectorError, FieldError
from issuers import crypto
from issuers.connectors import connector_for
from issuers.connectors.base import BACKDATE
from issuers.connectors.local import LocalCA, pointers_of
from issuers.models import Issuer
from issuers.services.ca_rules import (
    CA_ALGORITHMS,
    CannotImport,
    check_import,
    check_new,
    checked_subject,
    load_chain,
    wrong,
)
from issuers.x509 import certs, chains
from owners.models import Principal

MAX_SLUG, MAX_NAME = 64, 150  # as the columns are
MAX_CRL_NUMBER = 1 << 62  # the column is a BIGINT, and the numbers must go on

__all__ = [
    "CA_ALGORITHMS",
    "CannotImport",
    "SlugTaken",
    "create_local_ca",
    "import_local_ca",
    "test_connection",
    "update_issuer",
]


class SlugTaken(Conflict):
    """There is an issuer of that slug."""

    code = "name_taken"
    message = "There is already an issuer of that slug."


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
    _check_new(slug, name)
    subject = checked_subject(
        common_name=common_name,
        organization=organization,
        key_algorithm=key_algorithm,
        lifetime=lifetime,
        parent=parent,
        path_length=path_length,
        name_constraints=name_constraints,
    )
    key = _new_key(key_algorithm)
    certificate = _certificate(key, subject, lifetime, parent, path_length, name_constraints)
    above = "".join(connector_for(parent).chain()) if parent else ""
    check_new(certificate, above)
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
    crl_number: int = 0,
) -> Issuer:
    """Take over an existing CA, such as a sub-CA under an enterprise root.

    Raises CannotImport where the key is not the certificate's, or the certificate is no CA's or
    not valid now, or the chain does not lead on from it, or another issuer has that key; SlugTaken.
    `crl_number` is that of the last CRL published elsewhere: ours go on from there (RFC 5280
    §5.2.3: they only ever rise).
    """
    _check_new(slug, name)
    if not 0 <= crl_number < MAX_CRL_NUMBER:
        raise wrong("crl_number", f"It must be 0 to {MAX_CRL_NUMBER - 1}.")
    certificate, chain = load_chain(certificate_pem, chain_pem)
    try:
        key = serialization.load_pem_private_key(key_pem, password=key_password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's words could quote the input, which is a secret.
        raise CannotImport("The private key cannot be read: wrong password or format.") from None
    check_import(certificate, key, chain)
    above = "".join(certs.pem(one) for one in chain)
    issuer = _save(slug, name, key, certificate, above, None, crl_number)  # type: ignore[arg-type]  # check_import
    record(
        actor=actor,
        action="issuer.import",
        subject=issuer,
        fingerprint=certs.fingerprint(certificate),
        not_after=certificate.not_valid_after_utc.isoformat(),
        crl_number=crl_number,
        chain_lacks=chains.missing(certificate, chain) or None,
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
    what: dict[str, dict[str, Any]] = {}
    for field in ("name", "enabled"):
        if field in changes and getattr(issuer, field) != changes[field]:
            what[field] = {"before": getattr(issuer, field), "after": changes[field]}
            setattr(issuer, field, changes[field])
    if what:
        issuer.save(update_fields=list(what))
        record(actor=actor, action=f"issuer.{_verb(what)}", subject=issuer, changes=what)
    return issuer


def _verb(what: dict[str, dict[str, Any]]) -> str:
    # Switching is what an auditor looks for, whatever else changed with it.
    if "enabled" not in what:
        return "update"
    return "enable" if what["enabled"]["after"] else "disable"


def _check_new(slug: str, name: str) -> None:
    if not slug or slugify(slug) != slug or len(slug) > MAX_SLUG:
        raise wrong("slug", f"Use up to {MAX_SLUG} lower-case letters, digits and hyphens.")
    if len(name) > MAX_NAME:
        raise wrong("name", f"Use up to {MAX_NAME} characters.")
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
    crl_number: int = 0,
) -> Issuer:
    issuer = Issuer(
        slug=slug,
        name=name or slug,
        kind=Issuer.Kind.LOCAL,
        parent=parent,
        certificate_pem=certs.pem(certificate),
        chain_pem=chain_pem,
        crl_number=crl_number,
    )
    pkcs8 = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    issuer.secrets = crypto.encrypt(pkcs8, context=f"issuer:{issuer.pk}")
    try:
        with transaction.atomic():
            issuer.save(force_insert=True)
    except IntegrityError:
        # Somebody else made one of that slug since we looked.
        raise SlugTaken(errors=[FieldError("slug", "name_taken", SlugTaken.message)]) from None
    return issuer

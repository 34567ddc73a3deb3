"""Make, import, test and change issuers."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
)
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from audit.changes import Changes, changed
from audit.services import record
from audit.use_cases import use_case
from foundation.errors import Conflict, ConnectorError, FieldError, Invalid
from foundation.numbers import END
from foundation.preconditions import as_expected
from issuers.ca_keys import CA_KEY
from issuers.connectors import connector_for
from issuers.connectors.base import BACKDATE
from issuers.connectors.local import LocalCA
from issuers.models import MAX_SHARDS, Issuer, RequestedCA
from issuers.pointers import pointers_of, problem_of
from issuers.services import shards
from issuers.services.ca_rules import (
    CA_ALGORITHMS,
    CannotImport,
    ExistingCA,
    NewCA,
    check_import,
    check_new,
    checked_subject,
    load_chain,
    new_key,
    wrong,
)
from issuers.x509 import certs, chains
from issuers.x509.reading import is_signed_by
from owners.models import Principal

CHANGEABLE = (
    "name",
    "enabled",
    "pki_prefix",
    "ocsp_ahead",
    "ocsp_nonces",
    "ocsp_delegated",
    "crl_shards",
    "crl_deltas",
)
MAX_SLUG, MAX_NAME = 64, 150  # as the columns are
MAX_CRL_NUMBER = END - (1 << 32)  # exclusive, below what 20 octets hold: the numbers must go on

__all__ = [
    "CA_ALGORITHMS",
    "CannotImport",
    "ExistingCA",
    "NewCA",
    "SlugTaken",
    "create_local_ca",
    "import_local_ca",
    "signer_of",
    "test_connection",
    "update_issuer",
]


class SlugTaken(Conflict):
    """There is an issuer of that slug."""

    code = "name_taken"
    message = "There is already an issuer of that slug."


@transaction.atomic
def create_local_ca(*, actor: Principal, ca: NewCA) -> Issuer:
    """Make a CA with a fresh key: a root, or one below its parent (a local CA of ours).

    A CA below a parent may sign no further CAs unless its path length says so. Raises SlugTaken,
    Invalid, ConnectorError (the parent cannot sign).
    """
    check_slug(ca.slug, ca.name)
    check_prefix(ca.pki_prefix)
    subject = checked_subject(ca)
    key = new_key(ca.key_algorithm)
    certificate = _certificate(key, subject, ca)
    above = "".join(connector_for(ca.parent).chain()) if ca.parent else ""
    check_new(certificate, above)
    issuer = _save(ca, key, certificate, above, ca.parent)
    record(
        actor=actor,
        action="issuer.create",
        subject=issuer,
        kind=issuer.kind,
        key_algorithm=ca.key_algorithm,
        parent=ca.parent.slug if ca.parent else None,
        fingerprint=certs.fingerprint(certificate),
        not_after=certificate.not_valid_after_utc.isoformat(),
    )
    return issuer


@transaction.atomic
def import_local_ca(*, actor: Principal, ca: ExistingCA) -> Issuer:
    """Take over an existing CA, such as a sub-CA under an enterprise root.

    One that another issuer of ours signed stands below that. Raises CannotImport where the key is
    not the certificate's, or the certificate is no CA's or not valid now, or the chain does not
    lead on from it, or another issuer has that key; SlugTaken.
    """
    check_slug(ca.slug, ca.name)
    check_prefix(ca.pki_prefix)
    if not 0 <= ca.crl_number < MAX_CRL_NUMBER:
        raise wrong(
            "crl_number", "It must be 0 to 2^159 - 2^32, which leaves room for those to come."
        )
    if ca.crl_number and not ca.crls:
        # Going on with the number alone would call good again what the CA had revoked.
        raise wrong("crl_number", "Give the CRL that has this number: it tells what was revoked.")
    if ca.crls and ca.has_no_crl:
        raise wrong("crl", "Give CRLs, or say that there never was one.")
    certificate, chain = load_chain(ca.certificate_pem, ca.chain_pem)
    try:
        key = serialization.load_pem_private_key(ca.key_pem, password=ca.key_password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's words could quote the input, which is a secret.
        raise CannotImport("The private key cannot be read: wrong password or format.") from None
    check_import(certificate, key, chain)
    above = "".join(certs.pem(one) for one in chain)
    issuer = _save(ca, key, certificate, above, signer_of(certificate))  # type: ignore[arg-type]  # check_import
    record(
        actor=actor,
        action="issuer.import",
        subject=issuer,
        fingerprint=certs.fingerprint(certificate),
        not_after=certificate.not_valid_after_utc.isoformat(),
        crl_number=ca.crl_number,
        chain_lacks=chains.missing(certificate, chain) or None,
    )
    return issuer


def signer_of(certificate: x509.Certificate) -> Issuer | None:
    """Return the issuer of ours that signed a certificate, if any.

    By signature, not by name: two CAs may have the same name and different keys.
    """
    issuers = Issuer.objects.exclude(certificate_pem="")
    return next((one for one in issuers if is_signed_by(certificate, one.certificate)), None)


@use_case("issuer.test", on=Issuer, atomic=False)
def test_connection(*, issuer: Issuer, actor: Principal) -> str:
    """Have an issuer prove that it can sign.

    Returns its sentence or raises ConnectorError; either way an audit event says how it went.
    """
    try:
        said = connector_for(issuer).check()
    except ConnectorError as error:
        record(actor=actor, action="issuer.test", subject=issuer, works=False, detail=error.detail)
        raise
    record(actor=actor, action="issuer.test", subject=issuer, works=True, detail=said)
    return said


@use_case("issuer.update", on=Issuer)
def update_issuer(*, actor: Principal, issuer_id: uuid.UUID, changes: Mapping[str, Any]) -> Issuer:
    """Change an issuer's name or options, enable or disable it; all else of it never changes.

    A new prefix is in what is signed from now on; Invalid where it is none (issuers.pointers).
    `crl_shards` is for what is issued from then on. A disabled issuer signs no certificates, but
    still CRLs and OCSP answers: those who rely on what it signed must go on being served. Whoever
    has its answers signed by a delegate is the one in whose name that certificate is asked for.
    Raises Invalid where its CA answers for itself.
    """
    issuer = as_expected(actor, Issuer.objects.select_for_update(no_key=True).get(pk=issuer_id))
    check_prefix(changes.get("pki_prefix", ""))
    done = changed(issuer, changes, CHANGEABLE)
    if done:
        _check_crl_options(issuer)
        if "ocsp_delegated" in done:
            _delegate(issuer, actor)
        issuer.save(update_fields=[*done, "ocsp_delegated_by"])
        shards.keep_addresses(issuer)
        record(actor=actor, action=f"issuer.{_verb(done)}", subject=issuer, changes=done)
    return issuer


def _delegate(issuer: Issuer, actor: Principal) -> None:
    if not issuer.ocsp_delegated:
        issuer.ocsp_delegated_by = None
    elif issuer.answers_for_revocation:
        issuer.ocsp_delegated_by = actor
    else:
        raise Invalid(
            errors=[FieldError("ocsp_delegated", "issued_elsewhere", "Its CA answers for itself.")]
        )


def _check_crl_options(issuer: Issuer) -> None:
    if not 1 <= issuer.crl_shards <= MAX_SHARDS:
        raise wrong("crl_shards", f"A CRL has 1 to {MAX_SHARDS} shards.")
    if issuer.crl_shards > 1 and issuer.crl_deltas:
        raise wrong(
            "crl_deltas",
            "A CRL in shards has no delta: who reads one shard is served little already. "
            "Choose one of the two.",
        )
    if (issuer.crl_shards > 1 or issuer.crl_deltas) and not issuer.answers_for_revocation:
        raise wrong(
            "crl_shards" if issuer.crl_shards > 1 else "crl_deltas",
            "This issuer's CRLs are not signed by certctl.",
        )


def _verb(done: Changes) -> str:
    # Switching is what an auditor looks for, whatever else changed with it.
    if "enabled" not in done:
        return "update"
    return "enable" if done["enabled"]["after"] else "disable"


def check_prefix(prefix: str) -> None:
    """Raise Invalid where an address is none that certificates may carry; empty is none."""
    problem = problem_of(prefix) if prefix else None
    if problem:
        raise wrong("pki_prefix", problem)


def check_slug(slug: str, name: str) -> None:
    """Raise Invalid or SlugTaken where no new issuer can be called that."""
    if not slug or slugify(slug) != slug or len(slug) > MAX_SLUG:
        raise wrong("slug", f"Use up to {MAX_SLUG} lower-case letters, digits and hyphens.")
    if len(name) > MAX_NAME:
        raise wrong("name", f"Use up to {MAX_NAME} characters.")
    if Issuer.objects.filter(slug=slug).exists():
        raise SlugTaken(errors=[FieldError("slug", "name_taken", SlugTaken.message)])


def insert_named(row: Issuer | RequestedCA) -> None:
    """Insert a new row; raises SlugTaken where somebody made one of that slug since we looked."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise SlugTaken(errors=[FieldError("slug", "name_taken", SlugTaken.message)]) from None


def _certificate(
    key: CertificateIssuerPrivateKeyTypes, subject: x509.Name, ca: NewCA
) -> x509.Certificate:
    begins = timezone.now().replace(microsecond=0) - BACKDATE
    ends = begins + ca.lifetime - timedelta(seconds=1)
    if ca.parent is None:
        return certs.build_ca(
            public_key=key.public_key(),
            subject=subject,
            not_before=begins,
            not_after=ends,
            key=key,
            path_length=ca.path_length,
            permitted=ca.name_constraints,
        )
    signer = connector_for(ca.parent)
    if not isinstance(signer, LocalCA):
        raise ConnectorError("Only a local CA signs subordinate CAs.", permanent=True)
    return signer.issue_ca(
        public_key=key.public_key(),
        subject=subject,
        not_before=max(begins, signer.certificate.not_valid_before_utc),
        not_after=min(ends, signer.certificate.not_valid_after_utc),
        path_length=ca.path_length or 0,
        permitted=ca.name_constraints,
        pointers=pointers_of(ca.parent),
    )


def _save(
    ca: NewCA | ExistingCA,
    key: CertificateIssuerPrivateKeyTypes,
    certificate: x509.Certificate,
    chain_pem: str,
    parent: Issuer | None,
) -> Issuer:
    issuer = Issuer(
        slug=ca.slug,
        name=ca.name or ca.slug,
        kind=Issuer.Kind.LOCAL,
        parent=parent,
        certificate_pem=certs.pem(certificate),
        chain_pem=chain_pem,
        pki_prefix=ca.pki_prefix,
        crl_number=ca.crl_number if isinstance(ca, ExistingCA) else 0,
        awaits_crl=isinstance(ca, ExistingCA) and not ca.has_no_crl,
    )
    pkcs8 = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    issuer.secrets = CA_KEY.of(issuer).seal(pkcs8)
    insert_named(issuer)
    return issuer

"""A CA whose certificate another CA is to sign: its key and CSR are made here, and wait."""

import uuid

from cryptography.hazmat.primitives import serialization

from audit.services import record
from audit.use_cases import use_case
from foundation.errors import NotFound
from issuers.ca_keys import REQUESTED_CA_KEY
from issuers.models import RequestedCA
from issuers.services.authorities import check_prefix, check_slug, insert_named
from issuers.services.ca_rules import (
    MIN_CA_LIFETIME,
    ExistingCA,
    NewCA,
    checked_subject,
    new_key,
)
from issuers.x509 import certs
from owners.models import Principal

__all__ = ["drop_requested", "existing_of", "request_ca"]


@use_case("issuer.request")
def request_ca(  # noqa: PLR0913 - one argument a thing that it asks for
    *,
    actor: Principal,
    slug: str,
    name: str = "",
    common_name: str,
    organization: str = "",
    key_algorithm: str = "ecdsa-p256",
    path_length: int | None = 0,
    pki_prefix: str = "",
) -> RequestedCA:
    """Make the key of a CA, sealed, and the CSR for another CA to sign.

    The CSR asks for what a CA needs (`issuers.x509.certs.ca_request`); its signer decides. Raises
    SlugTaken, Invalid, naming all that is wrong.
    """
    check_slug(slug, name)
    check_prefix(pki_prefix)
    # Who signs it decides how long it is valid.
    subject = checked_subject(
        NewCA(
            slug=slug,
            common_name=common_name,
            organization=organization,
            key_algorithm=key_algorithm,
            lifetime=MIN_CA_LIFETIME,
            path_length=path_length,
        )
    )
    key = new_key(key_algorithm)
    csr = certs.ca_request(key=key, subject=subject, path_length=path_length)
    row = RequestedCA(
        slug=slug,
        name=name or slug,
        csr_pem=csr.public_bytes(serialization.Encoding.PEM).decode(),
        pki_prefix=pki_prefix,
        requested_by=actor,
    )
    pkcs8 = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    row.encrypted_key = REQUESTED_CA_KEY.of(row).seal(pkcs8)
    insert_named(row)
    record(actor=actor, action="issuer.request", subject=row, key_algorithm=key_algorithm)
    return row


@use_case("issuer.give_up", on=RequestedCA, by="requested_id")
def drop_requested(*, actor: Principal, requested_id: uuid.UUID) -> None:
    """Give up a CA to be, with its key: what is signed for it later cannot be used.

    Raises NotFound where it was completed or given up meanwhile.
    """
    row = RequestedCA.objects.select_for_update().filter(pk=requested_id).first()
    if row is None:
        raise NotFound
    record(actor=actor, action="issuer.give_up", subject=row, slug=row.slug)
    row.delete()


def existing_of(row: RequestedCA, *, certificate_pem: str, chain_pem: str) -> ExistingCA:
    """Return what becomes an issuer: the key that waited, and what was signed for it.

    Nothing was signed with that key, so there never was a CRL of it.
    """
    sealed = row.encrypted_key
    assert sealed is not None  # noqa: S101 - the column is not null
    return ExistingCA(
        slug=row.slug,
        name=row.name,
        certificate_pem=certificate_pem,
        chain_pem=chain_pem,
        key_pem=sealed.open(REQUESTED_CA_KEY.of(row)),
        has_no_crl=True,
        pki_prefix=row.pki_prefix,
    )

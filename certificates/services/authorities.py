"""A CA as a whole: the issuer, its own certificate under its parent, its first CRL.

It stands here and not in `issuers`, since a subordinate CA's own certificate is also a version
under its parent: the parent's CRL and OCSP speak for it.
"""

import logging
import uuid

from django.db import DatabaseError, transaction

import owners.services
from audit.services import record
from audit.use_cases import use_case
from certificates import crl, signers
from certificates.services.adoption import adopt, await_adoption
from certificates.services.importing import record_ca
from certificates.services.old_crls import checked, take_in
from foundation.errors import FieldError, Invalid, NotFound
from issuers.models import Issuer, RequestedCA
from issuers.services import ExistingCA, NewCA, create_local_ca, existing_of, import_local_ca
from owners.models import Owner, Principal

logger = logging.getLogger(__name__)
ANSWERS_FOR_CAS = "PKI operations"


@use_case("issuer.create")
def make_ca(*, actor: Principal, ca: NewCA, owner: Owner | None = None) -> Issuer:
    """Make a local CA, list it under its parent, and publish its first CRL.

    Below a parent `owner` answers for its certificate; without one that is ANSWERS_FOR_CAS.
    Raises SlugTaken, Invalid (a parent that is revoked), ConnectorError.
    """
    if ca.parent is not None:
        _check_parent(ca.parent)
    return _complete(actor, create_local_ca(actor=actor, ca=ca), owner)


@use_case("issuer.import", atomic=False)
def take_over_ca(*, actor: Principal, ca: ExistingCA, owner: Owner | None = None) -> Issuer:
    """Take over an existing CA with its key, what its last CRLs list, and what it has signed.

    With neither CRLs nor the word that there never was one it awaits them: until `import_crls` no
    CRL of it is published, and its responder says nothing. All else as `make_ca`. Raises SlugTaken,
    CannotImport, Invalid, WrongCRL.
    """
    with transaction.atomic():
        issuer = import_local_ca(actor=actor, ca=ca)
        if ca.crls:
            # Nobody else sees the row yet, so there is nothing to lock.
            take_in(issuer, checked(issuer, ca.crls), actor=actor)
        _complete(actor, issuer, owner)
        await_adoption(issuer=issuer, actor=actor)
    # Afterwards: an import that saw no such CA has ended by now, or sees it. The first batch is
    # done here, the rest is the sweep's.
    try:
        adopt(issuer_id=issuer.pk, actor=actor)
    except DatabaseError as error:
        # The CA is taken over already, and the sweep does what was not done here.
        logger.warning("what %s signed is left to the sweep: %s", issuer.slug, error)
    return issuer


@use_case("issuer.complete", on=RequestedCA, by="requested_id")
def complete_ca(
    *,
    actor: Principal,
    requested_id: uuid.UUID,
    certificate_pem: str,
    chain_pem: str = "",
    owner: Owner | None = None,
) -> Issuer:
    """Make an issuer of a CA to be, with the certificate that another CA signed for its key.

    Its first CRL is published, for a key made here has signed nothing yet. Raises CannotImport
    where the certificate is not that key's or no CA's, or what it signs could not be verified;
    SlugTaken; NotFound where it was completed or given up meanwhile.
    """
    requested = RequestedCA.objects.select_for_update().filter(pk=requested_id).first()
    if requested is None:
        raise NotFound
    ca = existing_of(requested, certificate_pem=certificate_pem, chain_pem=chain_pem)
    issuer = _complete(actor, import_local_ca(actor=actor, ca=ca), owner)
    record(actor=actor, action="issuer.complete", subject=issuer, requested=str(requested.pk))
    requested.delete()
    return issuer


def _check_parent(parent: Issuer) -> None:
    try:
        signers.check_may_sign_until_commit(parent)
    except signers.IssuerRevoked as error:
        raise Invalid(errors=[FieldError("parent", error.code, error.detail)]) from None


def _complete(actor: Principal, issuer: Issuer, owner: Owner | None) -> Issuer:
    if issuer.parent is not None:
        record_ca(actor=actor, issuer=issuer, owner=owner or owner_of_cas(actor))
    # Nobody else sees the row yet, so locking it after the trail can make nobody wait.
    if issuer.awaits_crl:
        return issuer
    crl.publish(issuer_id=issuer.pk, actor=actor)
    issuer.refresh_from_db(fields=["crl_number"])
    return issuer


def owner_of_cas(actor: Principal) -> Owner:
    """Return who answers for CAs for which nobody else was named."""
    owner = Owner.objects.filter(name=ANSWERS_FOR_CAS).first()
    return owner or owners.services.create_owner(actor=actor, details={"name": ANSWERS_FOR_CAS})

"""A CA as a whole: the issuer, its own certificate under its parent, its first CRL.

It stands here and not in `issuers`, since a subordinate CA's own certificate is also a version
under its parent: the parent's CRL and OCSP speak for it.
"""

import owners.services
from audit.use_cases import use_case
from certificates import crl
from certificates.services.importing import record_ca
from issuers.models import Issuer
from issuers.services import ExistingCA, NewCA, create_local_ca, import_local_ca
from owners.models import Owner, Principal

ANSWERS_FOR_CAS = "PKI operations"


@use_case("issuer.create")
def make_ca(*, actor: Principal, ca: NewCA, owner: Owner | None = None) -> Issuer:
    """Make a local CA, list it under its parent, and publish its first CRL.

    Below a parent `owner` answers for its certificate; without one that is ANSWERS_FOR_CAS.
    Raises SlugTaken, Invalid, ConnectorError.
    """
    return _complete(actor, create_local_ca(actor=actor, ca=ca), owner)


@use_case("issuer.import")
def take_over_ca(*, actor: Principal, ca: ExistingCA, owner: Owner | None = None) -> Issuer:
    """Take over an existing CA with its key, and go on with its CRL numbers.

    All else as `make_ca`. Raises SlugTaken, CannotImport, Invalid.
    """
    return _complete(actor, import_local_ca(actor=actor, ca=ca), owner)


def _complete(actor: Principal, issuer: Issuer, owner: Owner | None) -> Issuer:
    if issuer.parent is not None:
        record_ca(actor=actor, issuer=issuer, owner=owner or _default_owner(actor))
    # Nobody else sees the row yet, so locking it after the trail can make nobody wait.
    crl.publish(issuer_id=issuer.pk, actor=actor)
    issuer.refresh_from_db(fields=["crl_number"])
    return issuer


def _default_owner(actor: Principal) -> Owner:
    owner = Owner.objects.filter(name=ANSWERS_FOR_CAS).first()
    return owner or owners.services.create_owner(actor=actor, details={"name": ANSWERS_FOR_CAS})

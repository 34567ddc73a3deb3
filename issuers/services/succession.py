"""Use case: an issuer names the one that follows it, and certificates carry trust between both."""

import uuid
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from audit.changes import changed
from audit.services import record
from audit.use_cases import use_case
from foundation.clock import database_clock
from foundation.errors import ConnectorError, FieldError, Invalid
from issuers.connectors import connector_for
from issuers.connectors.local import LocalCA
from issuers.models import Issuer
from issuers.x509 import certs, cross, path, reading
from owners.models import Principal

_STATED = ("successor", "old_with_new_pem", "new_with_old_pem")


@use_case("issuer.name_successor", on=Issuer)
def name_successor(
    *,
    actor: Principal,
    issuer_id: uuid.UUID,
    successor: Issuer | None,
    old_with_new_pem: str = "",
    new_with_old_pem: str = "",
) -> Issuer:
    """Say which issuer follows this one, or that none does.

    OldWithNew (the old CA signed by the new key) and NewWithOld are taken as given; where one is
    not and both keys are ours it is made, if what it says would verify: a CA that may have none
    below it signs no other. Raises Invalid, ConnectorError (a CA is not valid now).
    """
    # Both, in one order, so that two who name each other at the same time do not both succeed.
    both = [issuer_id, *([successor.pk] if successor else [])]
    rows = Issuer.objects.select_for_update(no_key=True).order_by("pk").in_bulk(both)
    if issuer_id not in rows:
        raise Issuer.DoesNotExist
    issuer = rows[issuer_id]
    successor = rows[successor.pk] if successor else None
    wanted: dict[str, Any] = {
        "successor": successor,
        "old_with_new_pem": old_with_new_pem,
        "new_with_old_pem": new_with_old_pem,
    }
    if successor is not None:
        _check(issuer, successor)
        if issuer.successor_id == successor.pk:  # said again: what was signed before will do
            wanted = {name: wanted[name] or getattr(issuer, name) for name in _STATED}
        for name, pair in (
            ("old_with_new_pem", (issuer, successor)),
            ("new_with_old_pem", (successor, issuer)),
        ):
            wanted[name] = _link(name, wanted[name], *pair)
    elif old_with_new_pem or new_with_old_pem:
        raise Invalid(
            errors=[FieldError("successor", "required", "Say which issuer these lead to.")]
        )
    done = changed(issuer, wanted, _STATED)
    if done:
        issuer.save(update_fields=list(_STATED))
        record(actor=actor, action="issuer.name_successor", subject=issuer, changes=done)
    return issuer


def ca_certificates(issuer: Issuer, *, now: datetime | None = None) -> list[x509.Certificate]:
    """Return what a device must know of the issuer's CA (RFC 7030 §4.1.3).

    Its certificate and those above it; where it has a successor that one's too, and what carries
    trust between both for as long as it is valid.
    """
    now = now or database_clock.now()
    texts = [issuer.own_chain_pem]
    if issuer.successor is not None:
        texts.append(issuer.successor.own_chain_pem)
    links = certs.load_all(f"{issuer.old_with_new_pem}\n{issuer.new_with_old_pem}")
    return [
        *(one for text in texts for one in certs.load_all(text)),
        *(one for one in links if one.not_valid_before_utc <= now <= one.not_valid_after_utc),
    ]


def sign_attributes(issuer: Issuer, attributes: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    """Sign the signed attributes of a CMS message with the CA's own key (RFC 8894 §4.7.1).

    Raises ConnectorError, also where the key is not ours.
    """
    connector = connector_for(issuer)
    if not isinstance(connector, LocalCA):
        raise ConnectorError(f"The key of {issuer} is not here.", permanent=True)
    return connector.sign_attributes(attributes, algorithm)


def _check(issuer: Issuer, successor: Issuer) -> None:
    seen = {issuer.pk}
    one: Issuer | None = successor
    while one is not None:
        if one.pk in seen:
            raise Invalid(
                errors=[FieldError("successor", "circle", f"{successor} leads back to {issuer}.")]
            )
        seen.add(one.pk)
        one = one.successor
    if issuer.certificate is None or successor.certificate is None:
        raise Invalid(
            errors=[FieldError("successor", "no_certificate", "Both need a certificate.")]
        )


def _link(field: str, pem: str, ca: Issuer, signer: Issuer) -> str:
    """Return the certificate of `ca` signed by `signer`: as given, or made here, or none."""
    if not pem.strip():
        return _made(ca, signer)
    try:
        (link,) = reading.certificates(pem)
    except ValueError:
        raise Invalid(
            errors=[FieldError(field, "invalid", "Give one certificate in PEM.")]
        ) from None
    assert ca.certificate is not None  # noqa: S101 - _check
    assert signer.certificate is not None  # noqa: S101 - _check
    why = cross.problem(link, ca=ca.certificate, signer=signer.certificate)
    if why:
        raise Invalid(
            errors=[FieldError(field, "wrong_link", f"This is not {ca} by {signer}: {why}.")]
        )
    return certs.pem(link)


def _made(ca: Issuer, signer: Issuer) -> str:
    connector = connector_for(signer)
    are_ours = isinstance(connector, LocalCA) and isinstance(connector_for(ca), LocalCA)
    if not are_ours or ca.secrets is None or signer.secrets is None or ca.certificate is None:
        return ""
    assert isinstance(connector, LocalCA)  # noqa: S101 - just asked
    try:
        link = connector.cross_sign(ca.certificate)
    except ValueError:
        raise ConnectorError(
            f"{ca} and {signer} are never valid together.", permanent=True
        ) from None
    above = certs.load_all(signer.own_chain_pem)
    return "" if path.ca_problems(link, above) else certs.pem(link)

"""Hints to the worker, by name. A lost hint costs time, never work: the sweep finds it."""

from uuid import UUID

from foundation import hints

ADOPT = "certificates.adopt"
PUBLISH_CRL = "certificates.publish_crl"
SIGN_AHEAD = "certificates.sign_ahead"


def adopt() -> None:
    """Ask to have what a CA signed adopted soon."""
    hints.send(ADOPT)


def publish_crl(issuer_id: UUID) -> None:
    """Ask for a new CRL of the issuer soon."""
    hints.send(PUBLISH_CRL, str(issuer_id))


def sign_ahead() -> None:
    """Ask to have the OCSP answers signed soon that a change made wrong."""
    hints.send(SIGN_AHEAD)

"""Certificates, their versions, and what revocation leaves behind."""

from certificates.models.adoptions import Adoption
from certificates.models.alerts import Alert
from certificates.models.certificates import (
    Certificate,
    CertificateQuerySet,
    CertificateStatus,
    RenewalPolicy,
    Version,
)
from certificates.models.names import CertificateName
from certificates.models.revocations import (
    CRL,
    Body,
    CRLPart,
    OCSPResponse,
    Piece,
    Reason,
    Removal,
    Revocation,
    SerialRevocation,
)

__all__ = [
    "CRL",
    "Adoption",
    "Alert",
    "Body",
    "CRLPart",
    "Certificate",
    "CertificateName",
    "CertificateQuerySet",
    "CertificateStatus",
    "OCSPResponse",
    "Piece",
    "Reason",
    "Removal",
    "RenewalPolicy",
    "Revocation",
    "SerialRevocation",
    "Version",
]

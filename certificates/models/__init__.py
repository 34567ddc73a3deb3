"""Certificates, their versions, and what revocation leaves behind."""

from certificates.models.adoptions import Adoption
from certificates.models.alerts import Alert
from certificates.models.answers import AnswerChange, CurrentTransaction, OCSPResponse
from certificates.models.certificates import (
    Certificate,
    CertificateQuerySet,
    CertificateStatus,
    RenewalPolicy,
    Version,
)
from certificates.models.names import CertificateName, parents_of
from certificates.models.responders import Responder
from certificates.models.revocations import (
    CRL,
    Body,
    CRLPart,
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
    "AnswerChange",
    "Body",
    "CRLPart",
    "Certificate",
    "CertificateName",
    "CertificateQuerySet",
    "CertificateStatus",
    "CurrentTransaction",
    "OCSPResponse",
    "Piece",
    "Reason",
    "Removal",
    "RenewalPolicy",
    "Responder",
    "Revocation",
    "SerialRevocation",
    "Version",
    "parents_of",
]

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
from certificates.models.names import CertificateName
from certificates.models.responders import Responder
from certificates.models.revocations import (
    CRL,
    Reason,
    Revocation,
    SerialRevocation,
)

__all__ = [
    "CRL",
    "Adoption",
    "Alert",
    "AnswerChange",
    "Certificate",
    "CertificateName",
    "CertificateQuerySet",
    "CertificateStatus",
    "CurrentTransaction",
    "OCSPResponse",
    "Reason",
    "RenewalPolicy",
    "Responder",
    "Revocation",
    "SerialRevocation",
    "Version",
]

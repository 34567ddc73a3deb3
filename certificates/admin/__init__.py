"""Certificates and what belongs to them in the admin; every change goes through the services."""

from certificates.admin.alerts import AlertAdmin
from certificates.admin.authorities import CaAdmin
from certificates.admin.certificates import CertificateAdmin
from certificates.admin.crls import CRLAdmin
from certificates.admin.ocsp import OCSPResponseAdmin
from certificates.admin.policies import RenewalPolicyAdmin
from certificates.admin.requested import RequestedCAAdmin
from certificates.admin.revocations import RevocationAdmin, SerialRevocationAdmin
from certificates.admin.versions import VersionAdmin

__all__ = [
    "AlertAdmin",
    "CRLAdmin",
    "CaAdmin",
    "CertificateAdmin",
    "OCSPResponseAdmin",
    "RenewalPolicyAdmin",
    "RequestedCAAdmin",
    "RevocationAdmin",
    "SerialRevocationAdmin",
    "VersionAdmin",
]

"""Certificates over REST: jobs.api adds what makes jobs of them."""

from certificates.api.alerts import AlertViewSet
from certificates.api.authorities import CaViewSet
from certificates.api.certificates import CertificateViewSet
from certificates.api.policies import RenewalPolicyViewSet
from certificates.api.versions import RevocationViewSet, VersionViewSet

__all__ = [
    "AlertViewSet",
    "CaViewSet",
    "CertificateViewSet",
    "RenewalPolicyViewSet",
    "RevocationViewSet",
    "VersionViewSet",
]

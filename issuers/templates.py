"""Profiles to begin with: values for a new one's form, each with sane rules. Pure of rows.

None of them names anything that may be certified: that is for whoever makes the profile to say, and
a profile that allows no name is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

# From 15 March 2029 on a public TLS certificate lives 47 days at most (BR 6.3.2).
LONGEST_TLS = timedelta(days=47)


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of certificate: its slug, what it is for, a name as it may be allowed, and rules."""

    slug: str
    name: str
    words: str
    example: str
    rules: Mapping[str, Any]

    @property
    def initial(self) -> dict[str, Any]:
        """Return what the form of a new profile begins with."""
        common = {
            "slug": self.slug,
            "name": self.name,
            "description": self.words,
            "key_usage": ["digitalSignature"],
            "subject_attributes": ["CN"],
            # A first certificate says who somebody is, so somebody else looks at it.
            "approval_required_for": ["Issuance"],
        }
        return {**common, **self.rules}


TEMPLATES = (
    Template(
        "tls-server",
        "TLS server",
        "Web servers and APIs: 47 days, renewed without asking again.",
        "dns:*.example.com",
        {
            "max_lifetime": LONGEST_TLS,
            "key_algorithms": ["ecdsa-p256", "ecdsa-p384", "rsa-2048"],
            "extended_key_usage": ["serverAuth"],
        },
    ),
    Template(
        "tls-client",
        "TLS client",
        "Programs that show who they are by mutual TLS: 47 days.",
        "dns:*.clients.example.com",
        {
            "max_lifetime": LONGEST_TLS,
            "key_algorithms": ["ecdsa-p256", "ecdsa-p384", "rsa-2048"],
            "extended_key_usage": ["clientAuth"],
            "max_sans": 5,
        },
    ),
    Template(
        "device",
        "Device",
        "Cameras, printers and gateways that enroll by EST or SCEP: 90 days.",
        "dns:*.devices.example.com",
        {
            "max_lifetime": timedelta(days=90),
            # Much gear makes RSA keys alone.
            "key_algorithms": ["ecdsa-p256", "rsa-2048"],
            "extended_key_usage": ["clientAuth"],
            "max_sans": 5,
        },
    ),
    Template(
        "code-signing",
        "Code signing",
        "Whoever signs releases: a year, each renewal decided on and with its reason.",
        "cn:Example releases*",
        {
            # CS BR 6.1.5.2: RSA of 3072 bits at least; 6.3.2: 460 days at most.
            "max_lifetime": timedelta(days=365),
            "key_algorithms": ["ecdsa-p256", "ecdsa-p384", "rsa-3072"],
            "extended_key_usage": ["codeSigning"],
            "max_sans": 1,
            "approval_required_for": ["Issuance", "Renewal"],
            "justification_required": True,
        },
    ),
    Template(
        "short-lived",
        "Short-lived TLS",
        "Workloads that renew by themselves: 30 minutes, in no CRL and no OCSP (RFC 9608).",
        "dns:*.svc.example.com",
        {
            "max_lifetime": timedelta(minutes=30),
            "key_algorithms": ["ecdsa-p256"],
            "extended_key_usage": ["serverAuth", "clientAuth"],
            "max_sans": 5,
        },
    ),
)
BY_SLUG = {one.slug: one for one in TEMPLATES}

"""What the demo has for devices: their profile and owner, and a default label of each protocol."""

from datetime import timedelta

from certificates import services as certificate_services
from certificates.models import RenewalPolicy
from enrollment import services
from enrollment.models import Label
from enrollment.states import Protocol
from issuers import services as issuer_services
from issuers.models import Issuer, Profile
from owners import services as owner_services
from owners.models import Owner, Principal

PATH, PROFILE, DOMAIN = "demo", "device", "devices.demo.internal"
OWNER, POLICY = "Field devices", "devices"
# By which protocol a first certificate waits for somebody's approval here.
PROTOCOLS = {Protocol.EST: True, Protocol.SCEP: False}


def labels(*, actor: Principal, issuer: Issuer) -> None:
    """Make what is missing of the labels and of what they name."""
    profile = Profile.objects.filter(slug=PROFILE).first() or issuer_services.save_profile(
        actor=actor,
        changes={
            "slug": PROFILE,
            "name": "Device",
            "description": "30 days for TLS clients; the label says whether the first one waits.",
            "key_algorithms": ["ecdsa-p256", "rsa-2048"],
            "key_usage": ["digitalSignature"],
            "extended_key_usage": ["clientAuth"],
            "allowed_sans": [f"dns:*.{DOMAIN}"],
            "subject_attributes": ["CN"],
            "max_lifetime": timedelta(days=30),
            "approval_required_for": [],
        },
    )
    owner = Owner.objects.filter(name=OWNER).first() or owner_services.save_owner(
        actor=actor, changes={"name": OWNER, "email": "field-devices@demo.internal"}
    )
    policy = RenewalPolicy.objects.filter(
        name=POLICY
    ).first() or certificate_services.create_policy(
        # Devices renew for themselves.
        actor=actor,
        name=POLICY,
        window=timedelta(days=10),
        auto_renew=False,
        alert_days=[7, 0],
    )
    for protocol, approve_first in PROTOCOLS.items():
        if not Label.objects.filter(protocol=protocol, path=PATH).exists():
            services.create_label(
                actor=actor,
                protocol=protocol.value,
                path=PATH,
                issuer=issuer,
                profile=profile,
                owner=owner,
                renewal_policy=policy,
                environment="demo",
                approve_first=approve_first,
                is_default=not Label.objects.filter(protocol=protocol, is_default=True).exists(),
            )

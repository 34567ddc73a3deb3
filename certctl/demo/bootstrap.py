"""What the demo starts with: five people, a CA of two tiers, profiles, an owner and a target."""

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db.models import Sum
from django.utils import timezone

from certctl.demo import devices
from certctl.demo.front import Front
from certctl.embedded import write_private
from certificates import services as certificate_services
from certificates.models import RenewalPolicy
from deployments import services as deployment_services
from deployments.models import Target
from issuers import services as issuer_services
from issuers.models import Issuer, Profile
from owners import services as owner_services
from owners.models import Owner, Principal
from owners.roles import Role
from revocation import policy as revocation_policy
from revocation.models import Plan

ROOT, ISSUING = "demo-root", "demo-issuing"
PEOPLE = {
    "alice": (Role.OPERATOR, "requests certificates"),
    "bob": (Role.OPERATOR, "approves them"),
    "carol": (Role.ADMIN, "administers"),
    "dave": (Role.ADMIN, "is the second administrator"),
    "victor": (Role.VIEWER, "reads"),
}


# What one administrator revokes alone at each start: the two versions of the walk, and one more.
ALONE = 3


@dataclass(frozen=True)
class Folders:
    """Where the demo keeps what it writes."""

    file: Path
    site: Path
    front: Path

    @classmethod
    def under(cls, var: Path) -> "Folders":
        """Return the demo's places under the installation's var folder."""
        return cls(file=var / "demo.json", site=var / "demo" / "site", front=var / "demo" / "front")


def bootstrap(*, base_url: str, tls_port: int, front: Front | None = None) -> dict[str, Any]:
    """Make whatever is missing; return what var/demo.json says (and write it there, 0600).

    With a front there are labels too, at which devices enroll through it.
    Passwords and keys are made once; a second start finds them in the file and keeps them.
    """
    folders = Folders.under(Path(settings.VAR_DIR))
    folders.site.mkdir(mode=0o700, parents=True, exist_ok=True)
    system = Principal.objects.system()
    known = json.loads(folders.file.read_text()) if folders.file.exists() else {}
    told: dict[str, Any] = {"base_url": base_url, "issuer": ISSUING}
    for name, (role, what) in PEOPLE.items():
        told[name] = _person(system, name, role, known.get(name, {}))
        told[name]["role"], told[name]["what"] = role.value, what
    _authorities()
    _rules(system)
    _target(system, folders, tls_port)
    told["tls_port"] = tls_port
    if front is not None:
        issuer = Issuer.objects.get(slug=ISSUING)
        told["front"] = front.prepare(actor=system, issuer=issuer)
        devices.labels(actor=system, issuer=issuer)
    write_private(folders.file, json.dumps(told, indent=2) + "\n")
    return told


def limit() -> int:
    """Return CERTCTL_BULK_REVOKE_LIMIT for this start: what earlier walks revoked counts, too."""
    since = timezone.now() - revocation_policy.WINDOW
    alone = Plan.objects.filter(is_alone=True, drill=False, confirmed_at__gt=since)
    return ALONE + (alone.aggregate(all=Sum("count"))["all"] or 0)


def _person(system: Principal, name: str, role: Role, known: dict[str, Any]) -> dict[str, Any]:
    principal = Principal.objects.filter(username=name).first()
    if principal is not None and known.get("api_key"):
        return {key: known[key] for key in ("username", "password", "api_key")}
    password = secrets.token_urlsafe(12)
    if principal is None:
        principal = owner_services.create_principal(
            actor=system,
            username=name,
            role=role,
            email=f"{name}@demo.internal",
            first_name=name.title(),
            password=password,
        )
    else:
        owner_services.update_principal(
            actor=system, principal_id=principal.pk, changes={}, password=password
        )
    count = principal.api_keys.count()
    _, key = owner_services.issue_api_key(
        actor=system,
        principal=principal,
        name=f"{name}-demo" + (f"-{count + 1}" if count else ""),
        role_cap=role,
    )
    return {"username": name, "password": password, "api_key": key}


def _authorities() -> None:
    if not Issuer.objects.filter(slug=ROOT).exists():
        call_command(
            "create_ca", ROOT, name="Demo root", common_name="certctl Demo Root CA",
            organization="certctl demo", lifetime_days=3650, verbosity=0,
        )  # fmt: skip
    if not Issuer.objects.filter(slug=ISSUING).exists():
        call_command(
            "create_ca", ISSUING, name="Demo issuing", common_name="certctl Demo Issuing CA",
            organization="certctl demo", lifetime_days=1825, parent=ROOT, verbosity=0,
        )  # fmt: skip


def _rules(system: Principal) -> None:
    common = {
        "key_algorithms": ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "ed25519"],
        "key_usage": ["digitalSignature"],
        "extended_key_usage": ["serverAuth"],
        "allowed_sans": ["dns:*.demo.internal"],
        "subject_attributes": ["CN"],
    }
    profiles = (
        {
            "slug": "tls-server",
            "name": "TLS server",
            "description": "47 days; somebody else approves the first issuance.",
            "max_lifetime": timedelta(days=47),
            "approval_required_for": ["Issuance"],
        },
        {
            "slug": "tls-short",
            "name": "Short-lived TLS",
            "description": "30 minutes: noRevAvail, in no CRL and no OCSP (RFC 9608).",
            "max_lifetime": timedelta(minutes=30),
        },
    )
    for profile in profiles:
        if not Profile.objects.filter(slug=profile["slug"]).exists():
            issuer_services.save_profile(actor=system, changes={**common, **profile})
    if not RenewalPolicy.objects.filter(name="standard").exists():
        certificate_services.create_policy(
            actor=system, name="standard", window=timedelta(days=14), alert_days=[30, 14, 7, 0]
        )
    if not Owner.objects.filter(name="Web platform").exists():
        owner_services.save_owner(
            actor=system,
            changes={"name": "Web platform", "email": "web-platform@demo.internal"},
        )


def _target(system: Principal, folders: Folders, tls_port: int) -> None:
    config = {
        "certificate_path": str(folders.site / "fullchain.pem"),
        "key_path": str(folders.site / "key.pem"),
        "fullchain": True,
    }
    fields: dict[str, Any] = {
        "config": config,
        "endpoint_host": "127.0.0.1",
        "endpoint_port": tls_port,
    }
    target = Target.objects.filter(name="demo-web").first()
    if target is None:
        deployment_services.create_target(actor=system, name="demo-web", kind="file", **fields)
    else:
        deployment_services.update_target(actor=system, target_id=target.pk, changes=fields)

"""The roles viewer, operator and admin: each a group of Django permissions.

One table says what each role may; `ensure_groups` writes it into the groups after every migrate.
A group may be given more by hand; what the table lists is only ever added, never taken away.
"""

from enum import StrEnum
from functools import cache
from typing import Any


class Role(StrEnum):
    """What a principal is for; also the cap of an API key."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


VIEWER = frozenset(
    {
        "audit.view_event",
        "certificates.view_alert",
        "certificates.view_certificate",
        "certificates.view_crl",
        "certificates.view_renewalpolicy",
        "certificates.view_revocation",
        "certificates.view_version",
        "certificates.export_certificate",
        "deployments.view_agent",
        "deployments.view_deployment",
        "deployments.view_target",
        "enrollment.view_device",
        "enrollment.view_enrollment",
        "enrollment.view_label",
        "issuers.view_issuer",
        "issuers.view_profile",
        "jobs.view_job",
        "owners.view_owner",
        "owners.view_team",
    }
)
OPERATOR = VIEWER | {
    "certificates.acknowledge_alert",
    "certificates.add_certificate",
    "certificates.change_certificate",
    "certificates.import_certificate",
    "certificates.revoke_certificate",
    "console.share_savedview",
    "enrollment.add_credential",
    "enrollment.add_device",
    "enrollment.block_device",
    "enrollment.block_label",
    "enrollment.change_credential",
    "enrollment.view_credential",
    "jobs.add_job",
    "jobs.cancel_job",
    "jobs.decide_job",
}
ADMIN = OPERATOR | {
    "certificates.bulk_revoke",
    "certificates.revoke_ca",
    "certificates.archive_certificate",
    "certificates.add_renewalpolicy",
    "certificates.change_renewalpolicy",
    "certificates.delete_renewalpolicy",
    "certificates.publish_crl",
    "console.manage_savedview",
    "agents.add_token",
    "agents.change_token",
    "agents.view_token",
    "deployments.add_agent",
    "deployments.change_agent",
    "deployments.add_target",
    "deployments.change_target",
    "deployments.delete_target",
    "enrollment.add_label",
    "enrollment.change_device",
    "enrollment.change_label",
    "issuers.add_issuer",
    "issuers.change_issuer",
    "issuers.test_issuer",
    "issuers.add_profile",
    "issuers.change_profile",
    "issuers.delete_profile",
    "notifications.view_message",
    "revocation.view_plan",
    "owners.add_apikey",
    "owners.change_apikey",
    "owners.view_apikey",
    "owners.add_owner",
    "owners.change_owner",
    "owners.delete_owner",
    "owners.add_principal",
    "owners.change_principal",
    "owners.view_principal",
    "owners.add_team",
    "owners.change_team",
    "owners.delete_team",
}
PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.VIEWER: VIEWER,
    Role.OPERATOR: frozenset(OPERATOR),
    Role.ADMIN: frozenset(ADMIN),
}


@cache
def permissions_of(role: str) -> frozenset[str]:
    """Return the permissions ("app.codename") that `role` gives; none for an unknown role."""
    return PERMISSIONS[Role(role)] if role in set(Role) else frozenset()


def ensure_groups(**kwargs: Any) -> None:
    """Make the three groups and give each what its role lists (called after migrate)."""
    from django.apps import apps  # noqa: PLC0415
    from django.contrib.auth.models import Group, Permission  # noqa: PLC0415

    if not apps.is_installed("django.contrib.auth"):
        return
    known = {
        f"{p.content_type.app_label}.{p.codename}": p
        for p in Permission.objects.select_related("content_type")
    }
    for role, wanted in PERMISSIONS.items():
        group, _ = Group.objects.get_or_create(name=role.value)
        group.permissions.add(*(known[name] for name in wanted if name in known))


ROLE_CHOICES = [(role.value, role.value) for role in Role]

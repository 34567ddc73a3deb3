"""The admin's side bar: by what people come to do, not by Django app."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy

import jobs.admin.mine
from jobs.models import Job
from jobs.states import Status


def waiting(request: HttpRequest) -> str:
    """Return how many jobs wait for a decision, for the badge; empty for none."""
    count = Job.objects.filter(status=Status.AWAITING_APPROVAL).count()
    return str(count) if count else ""


def _allows(*permissions: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perms(permissions)


def _item(title: str, icon: str, model: str, query: str = "", **more: Any) -> dict[str, Any]:
    app, name = model.split(".")
    link = reverse_lazy(f"admin:{app}_{name}_changelist")
    return {
        "title": title,
        "icon": icon,
        "link": (lambda request: f"{link}{query}") if query else link,
        "permission": _allows(f"{app}.view_{name}"),
        **more,
    }


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups (unfold's SIDEBAR.navigation)."""
    return [
        {
            "items": [
                {
                    "title": "Dashboard",
                    "icon": "dashboard",
                    "link": reverse_lazy("admin:index"),
                },
                _item(
                    "Waiting for approval",
                    "approval",
                    "jobs.job",
                    f"?status__exact={Status.AWAITING_APPROVAL}",
                    badge="console.navigation.waiting",
                ),
                {
                    "title": "Request a certificate",
                    "icon": "add_circle",
                    "link": reverse_lazy("admin:certificates_certificate_add"),
                    "permission": _allows("certificates.add_certificate", "jobs.add_job"),
                },
                {
                    "title": "My requests",
                    "icon": "assignment_ind",
                    "link": reverse_lazy("admin:jobs_mine"),
                    "permission": jobs.admin.mine.may_ask_or_see,
                },
                _item("Alerts", "notifications", "certificates.alert"),
                _item("Jobs", "work_history", "jobs.job"),
            ],
        },
        {
            "title": "Inventory",
            "separator": True,
            "items": [
                _item("Certificates", "workspace_premium", "certificates.certificate"),
                _item("Versions", "history", "certificates.version"),
                _item("Renewal policies", "autorenew", "certificates.renewalpolicy"),
                _item("Targets", "dns", "deployments.target"),
                _item("Deployments", "rocket_launch", "deployments.deployment"),
                _item("Agents", "smart_toy", "deployments.agent"),
            ],
        },
        {
            "title": "Enrollment",
            "separator": True,
            "items": [
                _item("Enrollments", "how_to_reg", "enrollment.enrollment"),
                _item("Labels", "label", "enrollment.label"),
                _item("Devices", "devices", "enrollment.device"),
                _item("Credentials", "password", "enrollment.credential"),
            ],
        },
        {
            "title": "Trust",
            "separator": True,
            "items": [
                _item("Issuers", "account_balance", "issuers.issuer"),
                _item("Profiles", "rule", "issuers.profile"),
                _item("Revocations", "block", "certificates.revocation"),
                _item("Bulk revocation", "playlist_remove", "revocation.plan"),
                _item("CRLs", "list_alt", "certificates.crl"),
                _item("OCSP responses", "quickreply", "certificates.ocspresponse"),
            ],
        },
        {
            "title": "People",
            "separator": True,
            "items": [
                _item("Principals", "person", "owners.principal"),
                _item("API keys", "key", "owners.apikey"),
                _item("Owners", "badge", "owners.owner"),
                _item("Teams", "groups", "owners.team"),
                _item("E-mails", "mail", "notifications.message"),
                _item("Audit trail", "fact_check", "audit.event"),
            ],
        },
    ]

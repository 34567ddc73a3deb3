"""The admin's side bar: by what people come to do, not by Django app.

One more page is one more line in `GROUPS`. Who may not open it does not see it, and it is not there
while its address is not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from console import first_steps, waiting
from console.search import Page
from deployments.models import Agent
from jobs import policy

Allows = Callable[[HttpRequest], bool]


def _allows(*permissions: str) -> Allows:
    return lambda request: request.user.has_perms(permissions)


def _everybody(request: HttpRequest) -> bool:
    return True


def _has_agents(request: HttpRequest) -> bool:
    """Whether there is an agent to look at, or this is somebody who may register one."""
    user = request.user
    if not user.has_perm("deployments.view_agent"):
        return False
    if user.has_perm("deployments.add_agent"):
        return True
    # Whoever sets up is asked about it with the rest.
    has_more = user.has_perm(first_steps.SETS_UP)
    return first_steps.there(user)["agent"] if has_more else Agent.objects.exists()


@dataclass(frozen=True, slots=True)
class Item:
    """One page: what it is called, its icon, the name of its address, who may open it."""

    title: str
    icon: str
    name: str
    allows: Allows
    count: Callable[[HttpRequest], str] | None = None

    def url(self) -> str:
        """Return its address; "" where this installation has no such page."""
        try:
            return reverse(self.name)
        except NoReverseMatch:
            return ""


@dataclass(frozen=True, slots=True)
class Group:
    """Pages that belong together; one that `folds` is closed while another page is open."""

    title: str
    items: Sequence[Item]
    folds: bool = False


def _may_ask_or_see(request: HttpRequest) -> bool:
    from jobs.admin import mine  # noqa: PLC0415 - the site is made before what is registered on it

    return mine.may_ask_or_see(request)


def _rows(title: str, icon: str, model: str, allows: Allows | None = None) -> Item:
    """Return the list of a model, "app.name", for whoever may view its rows."""
    app, name = model.split(".")
    view = _allows(f"{app}.view_{name}")
    return Item(title, icon, f"admin:{app}_{name}_changelist", allows or view)


GROUPS = (
    Group(
        "",
        (
            Item("Dashboard", "dashboard", "admin:index", _everybody),
            Item(
                "First steps",
                "flag",
                "admin:first_steps",
                lambda request: first_steps.is_for(request.user),
            ),
            Item(
                "Inbox",
                "approval",
                "admin:jobs_inbox",
                _allows(policy.DECIDE),
                count=waiting.number,
            ),
            Item("My requests", "outbox", "admin:jobs_mine", _may_ask_or_see),
            Item(
                "Request a certificate",
                "add_circle",
                "admin:certificates_certificate_add",
                _allows("certificates.add_certificate", "jobs.add_job"),
            ),
            _rows("Alerts", "notifications", "certificates.alert"),
        ),
    ),
    Group(
        "Certificates",
        (
            _rows("Certificates", "workspace_premium", "certificates.certificate"),
            _rows("Jobs", "work_history", "jobs.job"),
            _rows("Targets", "dns", "deployments.target"),
            _rows("Agents", "smart_toy", "deployments.agent", _has_agents),
            _rows("Bulk revocation", "playlist_remove", "revocation.plan"),
        ),
    ),
    Group(
        "Issuing",
        (
            _rows("Issuers", "account_balance", "issuers.issuer"),
            _rows("Profiles", "rule", "issuers.profile"),
            _rows("Renewal policies", "autorenew", "certificates.renewalpolicy"),
        ),
        folds=True,
    ),
    Group(
        "People",
        (
            _rows("Owners", "badge", "owners.owner"),
            _rows("Teams", "groups", "owners.team"),
            _rows("Principals", "person", "owners.principal"),
            _rows("API keys", "key", "owners.apikey"),
            _rows("E-mails", "mail", "notifications.message"),
        ),
        folds=True,
    ),
    Group(
        "Devices",
        (
            _rows("Labels", "label", "enrollment.label"),
            _rows("Devices", "devices", "enrollment.device"),
            _rows("Credentials", "password", "enrollment.credential"),
            _rows("Enrollments", "how_to_reg", "enrollment.enrollment"),
            _rows("Agent tokens", "vpn_key", "agents.token"),
        ),
        folds=True,
    ),
    Group(
        "Records",
        (
            _rows("Audit trail", "fact_check", "audit.event"),
            _rows("Versions", "history", "certificates.version"),
            _rows("Deployments", "rocket_launch", "deployments.deployment"),
            _rows("Revocations", "block", "certificates.revocation"),
            _rows("CRLs", "list_alt", "certificates.crl"),
            _rows("OCSP responses", "quickreply", "certificates.ocspresponse"),
        ),
        folds=True,
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups (unfold's SIDEBAR.navigation), without what is not for this principal."""
    shown = []
    for group in GROUPS:
        items = [_shown(request, item, url) for item, url in _open_to(request, group)]
        if items:
            shown.append({"title": group.title, "folds": group.folds, "items": items})
    return shown


def pages(request: HttpRequest) -> list[Page]:
    """Return the pages that this principal may open, for the search."""
    return [
        Page(item.title, url, item.icon, group.title)
        for group in GROUPS
        for item, url in _open_to(request, group)
    ]


def _open_to(request: HttpRequest, group: Group) -> list[tuple[Item, str]]:
    return [(item, url) for item in group.items if (url := item.url()) and item.allows(request)]


def _shown(request: HttpRequest, item: Item, url: str) -> dict[str, Any]:
    count = item.count(request) if item.count else ""
    return {"title": item.title, "icon": item.icon, "link": url, "count": count}

"""The guide of an empty installation: from the address for relying parties to the first target.

Each step is done once its rows are there; nothing remembers that somebody was here. All of it is a
handful of `exists`, whatever the installation holds.
"""

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.db.models import Exists, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from certificates.models import Version
from certificates.services.authorities import ANSWERS_FOR_CAS
from deployments.models import Agent, Target
from issuers.models import Issuer, Profile
from issuers.pointers import default_prefix, warning_of
from issuers.templates import TEMPLATES
from jobs.models import Job
from jobs.states import Status
from owners.models import Owner, Principal
from owners.roles import Role

DECIDERS = 2  # whoever asks does not decide, so it takes another

TAKE_OVER = (
    'create_ca corp-issuing --name "Corporate issuing" --import-certificate ca.pem '
    "--import-key ca.key --chain root.pem --no-crl"
)
ALONE = (
    "One person alone can get nothing approved, for nobody decides on what they asked for: add "
    "another with the role operator or admin."
)
CLOSED = (
    "This server may not write anywhere yet: CERTCTL_TARGET_ROOTS says into which folders, and "
    "wants a restart."
)


@dataclass(frozen=True, slots=True)
class Button:
    """Where a step is done, and what that takes."""

    label: str
    url: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step as the page shows it; `notes` say what is still missing or in the way."""

    key: str
    title: str
    words: str
    is_done: bool
    buttons: tuple[Button, ...] = ()
    notes: tuple[str, ...] = ()
    commands: tuple[tuple[str, str], ...] = ()
    is_next: bool = False


# --- What is done ---------------------------------------------------------------------------


def has_ca() -> bool:
    """Whether somebody can sign."""
    return _cas().exists()


def has_profile() -> bool:
    """Whether there are rules to issue under, besides those that certctl keeps for itself."""
    return _profiles().exists()


def has_owner() -> bool:
    """Whether somebody answers for certificates, besides for our own CAs'."""
    return _owners().exists()


def has_deciders() -> bool:
    """Whether there are enough people for one to ask and another to decide."""
    return _deciders().exists()


def has_people() -> bool:
    """Whether there is an owner, and people to ask and to decide."""
    return has_owner() and has_deciders()


def has_certificate() -> bool:
    """Whether something was issued or imported for a subscriber."""
    return _versions().exists()


def has_target() -> bool:
    """Whether there is somewhere to put certificates."""
    return Target.objects.exists()


def _cas() -> QuerySet[Issuer]:
    return Issuer.objects.filter(enabled=True)


def _profiles() -> QuerySet[Profile]:
    return Profile.objects.filter(_of_subscribers(), enabled=True)


def _owners() -> QuerySet[Owner]:
    return Owner.objects.exclude(name=ANSWERS_FOR_CAS)


def _deciders() -> QuerySet[Principal]:
    """Return the last of those who are enough; nobody while they are too few."""
    roles = Q(groups__name__in=[Role.OPERATOR.value, Role.ADMIN.value]) | Q(is_superuser=True)
    people = Principal.objects.filter(roles, kind=Principal.Kind.HUMAN, is_active=True)
    each = Principal.objects.filter(pk__in=people.order_by().values("pk")).order_by("pk")
    return each[DECIDERS - 1 : DECIDERS]


def _versions() -> QuerySet[Version]:
    return Version.objects.filter(_of_subscribers("certificate__profile__"))


def _of_subscribers(of: str = "") -> Q:
    return Q(**{f"{of}{kind}": False for kind in ("is_ca", "is_ra", "is_responder")})


# What is missing, and whose work that is.
_MISSING: dict[str, tuple[str, ...]] = {
    "target": ("deployments.add_target",),
    "certificate": ("certificates.add_certificate", "jobs.add_job"),
    "owner": ("owners.add_owner", "owners.add_principal"),
    "deciders": ("owners.add_owner", "owners.add_principal"),
    "profile": ("issuers.add_profile",),
    "ca": ("issuers.add_issuer",),
}
# Whose work it is to set an installation up: whoever may make CAs. Others only look.
SETS_UP = "issuers.add_issuer"
_SAID = "_what_is_there"


def is_for(user: Any) -> bool:
    """Whether something is still to be done that `user` may do: what the side bar asks."""
    return bool(user.has_perm(SETS_UP)) and any(
        not is_there and user.has_perms(_MISSING[name])
        for name, is_there in there(user).items()
        if name in _MISSING
    )


def there(user: Any) -> dict[str, bool]:
    """Return what there is, in one query a request: every page of who sets up asks it."""
    if not hasattr(user, _SAID):
        setattr(user, _SAID, _there())
    said: dict[str, bool] = getattr(user, _SAID)
    return said


def _there() -> dict[str, bool]:
    kinds = {
        "agent": Agent.objects.all(),
        "target": Target.objects.all(),
        "certificate": _versions(),
        "owner": _owners(),
        "deciders": _deciders(),
        "profile": _profiles(),
        "ca": _cas(),
    }
    # Of whoever asks there is a row; any would do.
    asked = Principal.objects.order_by()[:1].values_list(*(Exists(rows) for rows in kinds.values()))
    return dict(zip(kinds, asked[0], strict=True))


# --- The page -------------------------------------------------------------------------------


def steps() -> list[Step]:
    """Return the steps in their order; the first one that is not done is the next."""
    rows = [_address(), _ca(), _profile(), _people(), _certificate(), _target()]
    # An address that leads nowhere is warned about, but whoever only tries it goes on.
    following = next((row.key for row in rows[1:] if not row.is_done), "")
    return [replace(row, is_next=True) if row.key == following else row for row in rows]


def page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Answer the guide; everybody may look, and sees the buttons of what they may do."""
    shown = [(row, _allowed(row.buttons, request.user)) for row in steps()]
    context = {
        **site.each_context(request),
        "title": "First steps",
        "steps": shown,
        "done": sum(row.is_done for row, _ in shown),
        "is_finished": not any(row.is_next for row, _ in shown),
    }
    return TemplateResponse(request, "admin/first_steps.html", context)


def _allowed(buttons: tuple[Button, ...], user: Any) -> list[Button]:
    return [one for one in buttons if user.has_perms(one.permissions)]


def _address() -> Step:
    prefix = default_prefix()
    warning = warning_of(prefix)
    return Step(
        "address",
        "Address for relying parties",
        f"Certificates say where their CRL and OCSP are: at {prefix}. What is signed keeps that."
        if warning is None
        else "Certificates say where their CRL and OCSP are. To try it on this machine alone, "
        "leave it and go on.",
        is_done=warning is None,
        notes=() if warning is None else (warning,),
    )


def _ca() -> Step:
    return Step(
        "ca",
        "A CA",
        "It signs. Make a root here and a CA below it; or make a key and a CSR here, which your "
        "company's root signs; or bring a CA of your own with its key.",
        is_done=has_ca(),
        buttons=(
            _button("Make a CA", "issuers_issuer_add", "issuers.add_issuer"),
            _button("Have a CA signed by another", "issuers_requestedca_add", "issuers.add_issuer"),
            _button("Take over a CA", "issuers_issuer_take_over", "issuers.add_issuer"),
        ),
        commands=(("Take over a CA, in a terminal", TAKE_OVER),),
    )


def _profile() -> Step:
    url = reverse("admin:issuers_profile_add")
    return Step(
        "profile",
        "A profile",
        "The rules for one kind of certificate: names, keys, lifetime, who must agree. Begin with "
        "one of these, and say which names it may certify.",
        is_done=has_profile(),
        buttons=tuple(
            Button(one.name, f"{url}?template={one.slug}", ("issuers.add_profile",))
            for one in TEMPLATES
        ),
    )


def _people() -> Step:
    owner, deciders = has_owner(), has_deciders()
    notes: tuple[str, ...] = () if owner else ("No owner answers for certificates yet.",)
    if not deciders:
        notes += (ALONE,)
    return Step(
        "people",
        "An owner, and people",
        "Somebody answers for each certificate; one person asks for it, and another decides.",
        is_done=owner and deciders,
        buttons=(
            _button("Make an owner", "owners_owner_add", "owners.add_owner"),
            _button("Add a person", "owners_principal_add", "owners.add_principal"),
        ),
        notes=notes,
    )


def _certificate() -> Step:
    is_done = has_certificate()
    buttons = [
        _button(
            "Request a certificate",
            "certificates_certificate_add",
            "certificates.add_certificate",
            "jobs.add_job",
        )
    ]
    asked = None if is_done else _waiting()
    if asked is not None:
        page_of = reverse("admin:jobs_job_change", args=[asked])
        buttons.insert(0, Button("See what waits", page_of, ("jobs.view_job",)))
    return Step(
        "certificate",
        "The first certificate",
        "Its key can be made in your browser, where it stays, or you bring a CSR.",
        is_done=is_done,
        buttons=tuple(buttons),
        notes=() if asked is None else ("One waits for somebody to decide on it.",),
    )


def _waiting() -> Any:
    rows = Job.objects.filter(status=Status.AWAITING_APPROVAL).order_by("created_at")
    return rows.values_list("pk", flat=True).first()


def _target() -> Step:
    is_done = has_target()
    return Step(
        "target",
        "The first target",
        "Where certificates are put: files, or an NGINX; a handshake then shows what is served.",
        is_done=is_done,
        buttons=(_button("Make a target", "deployments_target_add", "deployments.add_target"),),
        notes=() if is_done or settings.TARGET_ROOTS else (CLOSED,),
    )


def _button(label: str, name: str, *permissions: str) -> Button:
    return Button(label, reverse(f"admin:{name}"), permissions)

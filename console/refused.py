"""The admin's pages of what was not done: 403, 404 and 500, with its menu and what to do now.

Elsewhere the doors keep their own forms: problem+json under /api/, plain text, DER.
"""

import logging
from copy import copy
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from console import typed
from foundation.outcomes import Outcome
from owners.roles import Role, permissions_of

logger = logging.getLogger(__name__)

_VERBS = ("add", "change", "delete", "changelist", "history")
_LISTS = (
    ("Certificates", "admin:certificates_certificate_changelist", "certificates.view_certificate"),
    ("Jobs", "admin:jobs_job_changelist", "jobs.view_job"),
)


class _Anybody:
    """Whoever has a role and nothing else, to ask a page whom it is for."""

    is_active = is_staff = is_authenticated = True

    def __init__(self, role: Role) -> None:
        self.allowed = permissions_of(role)

    def has_perm(self, name: str, obj: Any = None) -> bool:
        return name in self.allowed

    def has_perms(self, names: Any, obj: Any = None) -> bool:
        return all(name in self.allowed for name in names)


@dataclass(frozen=True, slots=True)
class _Said:
    """What such a page says; `back` is the page it came from, for what is typed there."""

    status: int
    title: str
    words: list[str]
    searches: bool = False
    signs_in: bool = False
    reference: str = ""
    back: str = ""


def forbidden(request: HttpRequest) -> HttpResponse:
    """Answer 403: this page is not for whoever is signed in; it says for whom it is."""
    words = ["Nothing was done.", who_may(request)]
    return _page(
        request,
        _Said(HTTPStatus.FORBIDDEN, "You may not do this", words, signs_in=True),
    )


def missing(request: HttpRequest) -> HttpResponse:
    """Answer 404, with the box to search in and the way to the lists."""
    words = [
        "The address may have been mistyped, or what it was about is gone.",
        "Search for it by name, serial or fingerprint, or go on from a list.",
    ]
    return _page(
        request, _Said(HTTPStatus.NOT_FOUND, "There is nothing here", words, searches=True)
    )


def stale(request: HttpRequest) -> HttpResponse:
    """Answer 403 to a form whose token is not the browser's: it is from before a sign-in."""
    words = [
        "Nothing was done: the form is from before your last sign-in, or cookies are blocked here.",
        "Go back to the page and press the button again. What you typed there is filled in.",
    ]
    return _page(
        request,
        _Said(
            HTTPStatus.FORBIDDEN, "This page was out of date", words, back=typed.came_from(request)
        ),
    )


def broken(request: HttpRequest, outcome: Outcome, *, is_away: bool) -> HttpResponse:
    """Answer what nobody foresaw (500), or a database that is away (503).

    The page with the menu asks the database; where that is away, or anything of it fails, the
    bare page is answered, which asks nothing.
    """
    reference = str(request.META.get("certctl.request_id", ""))
    if is_away:
        words = [outcome.detail, "Wait a moment, then load the page again."]
        said = _Said(outcome.status, "The database does not answer", words, reference=reference)
        return _bare(request, said)
    words = [
        "Something went wrong on our side.",
        "It is not known how far it came: look before you try again.",
        "Whoever runs this server finds the cause in its log, under the reference below.",
    ]
    said = _Said(outcome.status, "This did not work", words, reference=reference)
    try:
        return _page(request, said)
    except Exception:  # whatever broke the page may break this one
        logger.exception("the page of a 500 could not be made")
        return _bare(request, said)


def who_may(request: HttpRequest) -> str:
    """Return for whom the page is that was refused, in a sentence."""
    roles = _roles(request)
    if roles is None:
        return "An administrator can tell who may, and give you the role for it."
    if not roles:
        return "Nobody does this here: there is no such page for anybody."
    names = [f"{role.value}s" if role != Role.ADMIN else "administrators" for role in roles]
    return f"This is for {' and '.join(names)}. An administrator can give you that role."


def _roles(request: HttpRequest) -> list[Role] | None:
    """Return the roles that one of the framework's own pages is for; None for any other page."""
    match = request.resolver_match
    model_admin = getattr(match.func, "model_admin", None) if match else None
    verb = (match.url_name or "").rpartition("_")[2] if match else ""
    if model_admin is None or verb not in _VERBS:
        return None
    return [role for role in Role if _may(model_admin, verb, request, role)]


def _may(model_admin: Any, verb: str, request: HttpRequest, role: Role) -> bool:
    asked = copy(request)
    asked.user = _Anybody(role)  # type: ignore[assignment]
    is_asking = request.method not in {"GET", "HEAD"}
    if verb == "add":
        return bool(model_admin.has_add_permission(asked))
    if verb == "delete":
        return bool(model_admin.has_delete_permission(asked))
    if verb == "change" and is_asking:
        return bool(model_admin.has_change_permission(asked))
    return bool(model_admin.has_view_or_change_permission(asked))


def _page(request: HttpRequest, said: _Said) -> HttpResponse:
    user = getattr(request, "user", None)
    if user is None or not admin.site.has_permission(request):
        return _bare(request, said)
    lists = [(words, reverse(name)) for words, name, needed in _LISTS if user.has_perm(needed)]
    context = {**admin.site.each_context(request), "title": said.title, "said": said}
    context |= {"lists": lists, "typed": _typed(request, said)}
    html = render_to_string("admin/refused.html", context, request=request)
    return HttpResponse(html, status=said.status)


def _typed(request: HttpRequest, said: _Said) -> str:
    """Return what becomes of what was typed, where a form is what is answered here."""
    if request.method != "POST":
        return ""
    return "kept" if said.status < HTTPStatus.INTERNAL_SERVER_ERROR else "doubtful"


def _bare(request: HttpRequest, said: _Said) -> HttpResponse:
    """Return a page of no menu, no session and no query; text where not even that can be made."""
    try:
        context = {"said": said, "typed": _typed(request, said)}
        html = render_to_string("admin/refused_bare.html", context)
    except Exception:
        logger.exception("the bare page of a refusal could not be made")
        lines = [said.title, *said.words, said.reference]
        return HttpResponse(
            "\n".join(lines) + "\n", status=said.status, content_type="text/plain; charset=utf-8"
        )
    return HttpResponse(html, status=said.status)

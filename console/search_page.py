"""The search's address: a page, and the part of it that the box in the top bar shows."""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse

from console import search
from foundation import rates
from foundation.errors import TooMany
from foundation.hits import Sought
from owners.models import Principal

IN_THE_BOX, ON_THE_PAGE = 5, 20  # of each kind

Pages = Callable[[HttpRequest], Sequence[search.Page]]


def answer(site: AdminSite, request: HttpRequest, pages: Pages) -> HttpResponse:
    """Answer GET /admin/search/?q=…; with `part` what the box lists, else a whole page."""
    user = request.user
    assert isinstance(user, Principal)  # noqa: S101 - the admin lets nobody else in
    sought = Sought.of(request.GET.get("q", ""))
    is_part = "part" in request.GET
    context: dict[str, Any] = {"sought": sought, "groups": [], "has_too_many": False}
    status = 200
    if sought.text:
        try:
            rates.take("search", str(user.pk), rates.Rate.parse(settings.SEARCH_RATE))
        except TooMany:
            context["has_too_many"], status = True, 429
        else:
            limit = IN_THE_BOX if is_part else ON_THE_PAGE
            groups = search.find(sought, principal=user, pages=pages(request), limit=limit)
            context["groups"] = [_shown(group, limit) for group in groups]
    context["count"] = sum(len(group["rows"]) for group in context["groups"])
    template = "admin/search/part.html"
    if not is_part:
        template = "admin/search/page.html"
        context |= {**site.each_context(request), "title": "Search", **context}
    return TemplateResponse(request, template, context, status=status)


def _shown(group: search.Group, limit: int) -> dict[str, Any]:
    rows = [
        {"title": page.title, "detail": page.group, "url": page.url, "icon": page.icon}
        for page in group.pages
    ]
    rows += [
        {
            "title": hit.title,
            "detail": hit.detail,
            "url": reverse(_name(hit.model, "change"), args=[hit.key]),
            "icon": group.kind.icon,
        }
        for hit in group.hits
    ]
    is_full = len(rows) >= limit
    return {
        "kind": group.kind,
        "rows": rows,
        "is_late": group.is_late,
        "more": _list(group, is_full),
    }


def _list(group: search.Group, is_full: bool) -> str:
    """Return the address of the list that has all of the kind; "" where these are all."""
    if not (is_full and group.hits):
        return ""
    try:
        return reverse(_name(group.kind.model, "changelist"))
    except NoReverseMatch:
        return ""


def _name(model: str, page: str) -> str:
    return f"admin:{model.replace('.', '_')}_{page}"

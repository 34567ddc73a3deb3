"""What the menus over a list send: a view to keep or to delete, columns to see."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from console import services
from console.models import SavedView
from foundation.admin import Edge
from foundation.admin.lists import kept
from foundation.admin.lists.chips import plain_address
from foundation.admin.lists.listing import KEPT
from foundation.admin.refusals import record, refusal_of, words_of
from owners.logins import actor_of


def urls(site: AdminSite) -> list[URLPattern]:
    """Return the addresses that the menus send to, of whoever is signed in."""

    def at(view: Callable[[HttpRequest, AdminSite], HttpResponse]) -> Any:
        def signed_in(request: HttpRequest) -> HttpResponse:
            return view(request, site)

        return require_POST(site.admin_view(signed_in))

    return [
        path("admin/views/save/", at(save), name="view_save"),
        path("admin/views/delete/", at(delete), name="view_delete"),
        path("admin/columns/choose/", at(columns), name="columns_choose"),
    ]


def save(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Keep what a list is narrowed to, under a name."""
    model_admin = _list(request, site)

    def act() -> str:
        query = QueryDict(request.POST.get("query", "")[:8000])
        narrowed = model_admin.narrowed_by(request, query)
        plain = plain_address(narrowed, query, KEPT).urlencode()
        view = services.save_view(
            actor=actor_of(request),
            of_list=kept.name_of(model_admin),
            name=request.POST.get("name", ""),
            query=plain,
            shared="shared" in request.POST,
        )
        return f"Kept as “{view.name}”{', for everybody' if view.shared else ''}."

    return _answer(request, model_admin, "view.save", act)


def delete(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Delete a view that has a name."""
    model_admin = _list(request, site)
    try:
        view = SavedView.objects.filter(pk=request.POST.get("view", "")).first()
    except ValidationError:
        view = None  # no key at all
    if view is None:
        raise Http404

    def act() -> str:
        services.delete_view(view_id=view.pk, actor=actor_of(request))
        return f"Deleted the view “{view.name}”."

    return _answer(request, model_admin, "view.delete", act, subject=view)


def columns(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Keep which columns of a list are seen; the list's own again where that was asked for."""
    model_admin = _list(request, site)

    def act() -> str:
        own = "own" in request.POST
        services.choose_columns(
            actor=actor_of(request),
            of_list=kept.name_of(model_admin),
            columns=[] if own else request.POST.getlist("column"),
            allowed=kept.allowed(model_admin),
        )
        return "These are the list's own columns." if own else "These are your columns now."

    return _answer(request, model_admin, "columns.choose", act)


def _list(request: HttpRequest, site: AdminSite) -> Edge:
    """Return the list that is meant, if whoever asks may look at it; raises Http404."""
    try:
        model = apps.get_model(request.POST.get("list", ""))
    except (LookupError, ValueError):
        raise Http404 from None
    model_admin = site._registry.get(model)  # noqa: SLF001 - there is no public way to all of them
    if not isinstance(model_admin, Edge):
        raise Http404
    if not model_admin.has_view_or_change_permission(request):
        raise PermissionDenied
    return model_admin


def _answer(
    request: HttpRequest,
    model_admin: Edge,
    action: str,
    act: Callable[[], str],
    subject: SavedView | None = None,
) -> HttpResponse:
    """Do it, say what was done or refused, and lead back to the list as it was."""
    try:
        said, level = act(), messages.SUCCESS
    except Exception as error:  # what nobody foresaw is raised again
        outcome = refusal_of(error)
        if outcome is None:
            raise
        record(request, action=action, error=error, subject=subject)
        said, level = words_of(outcome), messages.ERROR
    messages.add_message(request, level, said)
    options = model_admin.opts
    at = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    query = request.POST.get("query", "")[:8000]
    return HttpResponseRedirect(f"{at}?{QueryDict(query).urlencode()}" if query else at)

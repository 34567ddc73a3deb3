"""A page about a row: what it is, what depends on it, what it did. Its form is behind a button."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from typing_extensions import override

from foundation.admin.edge import Edge
from foundation.admin.parts import Head, Link, Section, Shown
from foundation.admin.plainly import as_text

EDIT = "edit"  # in the address: the form, for whoever may change the row
_FORMS = (EDIT, "_popup")  # a form in a window of its own is asked for by another form

Adds = Callable[[HttpRequest, Any], Iterable[Section]]
_ADDED: defaultdict[str, list[Adds]] = defaultdict(list)


def adds_to(label: str) -> Callable[[Adds], Adds]:
    """Have the page about rows of `label`, as "owners.owner", show what an app above knows of them.

    The decorated function gets the request and the row and returns sections; it shows nobody
    what they may not see. They come after the page's own, in the order of the apps.
    """

    def add(sections: Adds) -> Adds:
        _ADDED[label].append(sections)
        return sections

    return add


@dataclass(frozen=True, slots=True)
class Button:
    """One press: where it leads, and whether it is the page's main one or takes something away."""

    words: str
    url: str
    colour: str = ""


class Page(Edge):
    """Rows with a page to read. Whoever may change one comes from there to the form.

    The form's address is that of the page: what is sent there is saved, and `?edit=1` shows it.
    """

    page_template: ClassVar[str] = "admin/page.html"
    # A template below the sections, for what `change_view` puts into the context besides.
    page_after: ClassVar[str] = ""

    # What the page shows of other tables, read with the row.
    page_related: ClassVar[tuple[str, ...]] = ()

    # Scripts of the page; the form's would look for the form.
    page_scripts: ClassVar[tuple[str, ...]] = ()

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        match = request.resolver_match
        name = f"{self.opts.app_label}_{self.opts.model_name}_change"
        if not self.page_related or match is None or match.url_name != name:
            return rows
        return rows.select_related(*self.page_related)

    def head(self, request: HttpRequest, row: Any) -> Head:
        """Return what stands at the top of the page."""
        raise NotImplementedError

    def sections(self, request: HttpRequest, row: Any) -> Iterable[Section]:
        """Return what stands below it, without what apps above add and without the history."""
        raise NotImplementedError

    def last_sections(self, request: HttpRequest, row: Any) -> Iterable[Section]:
        """Return what stands at the end: the row's history."""
        return ()

    @override
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is None or request.method not in {"GET", "HEAD"}:
            return super().changeform_view(request, object_id, form_url, extra_context)
        row = self.get_object(request, unquote(object_id))
        wants_form = any(name in request.GET for name in _FORMS)
        if row is None or (wants_form and self.has_change_permission(request, row)):
            return super().changeform_view(request, object_id, form_url, extra_context)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return self.page_view(request, row, extra_context or {})

    def page_view(self, request: HttpRequest, row: Any, extra: dict[str, Any]) -> HttpResponse:
        """Show the page about `row`."""
        request.current_app = self.admin_site.name
        sections = [*self.sections(request, row)]
        for added in _ADDED[self.opts.label_lower]:
            sections.extend(added(request, row))
        sections.extend(self.last_sections(request, row))
        return TemplateResponse(
            request,
            self.page_template,
            {
                **self.admin_site.each_context(request),
                "title": as_text(row),
                "opts": self.opts,
                "media": Media(css={"all": ["certctl/page.css"]}, js=self.page_scripts),
                "page": Shown(self.head(request, row), sections),
                "buttons": self.buttons(request, row),
                "after": self.page_after,
                **extra,
            },
        )

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Return what this person may do with the row as it stands, the main thing first."""
        key = quote(row.pk)
        buttons = [
            Button(
                words=str(one.description),
                url=reverse(f"{self.admin_site.name}:{one.action_name}", args=[key]),
                colour=one.variant.value if one.variant else "",
            )
            for one in self.get_actions_detail(request, str(row.pk))
        ]
        if self.has_change_permission(request, row):
            kept = {EDIT: "1"}
            if "_changelist_filters" in request.GET:
                kept["_changelist_filters"] = request.GET["_changelist_filters"]
            buttons.append(Button("Edit", f"?{urlencode(kept)}"))
        if self.has_delete_permission(request, row):
            buttons.append(Button("Delete…", f"{self._address(row, 'delete')}", "danger"))
        return buttons

    def _address(self, row: Model, view: str) -> str:
        name = f"{self.opts.app_label}_{self.opts.model_name}_{view}"
        return reverse(f"{self.admin_site.name}:{name}", args=[quote(row.pk)])

    @override
    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponseRedirect(self._address(obj, "change"))  # to look at what was saved


def link_to(request: HttpRequest, row: Model | None, words: str = "") -> Link | None:
    """Return a link to the page about `row`, or its name alone for whoever may not read that."""
    if row is None:
        return None
    app, model = row._meta.app_label, row._meta.model_name  # noqa: SLF001 - documented
    return Link(words or str(row), _page_of(request, app, str(model), "change", [quote(row.pk)]))


def link_to_list(request: HttpRequest, label: str, words: str, **narrowed: Any) -> Link | None:
    """Return a link to the list of `label`, as "jobs.job", narrowed by its own look-ups.

    None for whoever may not read that, and where there is no such list.
    """
    app, model = label.split(".")
    url = _page_of(request, app, model, "changelist", [])
    return Link(words, f"{url}?{urlencode(narrowed)}" if narrowed else url) if url else None


def _page_of(request: HttpRequest, app: str, model: str, view: str, keys: list[str]) -> str:
    if not request.user.has_perm(f"{app}.view_{model}"):
        return ""
    try:
        return reverse(f"{admin.site.name}:{app}_{model}_{view}", args=keys)
    except NoReverseMatch:
        return ""

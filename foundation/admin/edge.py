"""A model's admin as an edge: its use cases by name, and what comes of a refusal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, resolve, reverse
from typing_extensions import override
from unfold.admin import ModelAdmin

from foundation.admin import readonly
from foundation.admin.lists import kept
from foundation.admin.lists.chips import Active, Chip, UnknownValue, active, known_parameters
from foundation.admin.lists.derived import derived
from foundation.admin.lists.listing import NARROWED, Listing
from foundation.admin.lists.pages import CappedPaginator
from foundation.admin.refusals import act_of, chosen_action, record, refusal_of, words_of
from foundation.errors import Invalid
from foundation.forms import DurationField, DurationWidget
from foundation.outcomes import Outcome
from foundation.unknown import check_parameters

# Of Django's own: all rows, order, page, search, its error flag, facets, and choosing in a window.
_OF_EVERY_LIST = ("all", "o", "p", "q", "e", "_facets", "_popup", "_to_field")

CHIPS = "certctl.chips"  # in request.META: of each model

Row = TypeVar("Row", bound=Model)
R = TypeVar("R")


class Edge(ModelAdmin):
    """A model's admin that names the use case behind each of its pages and actions.

    `use_cases` says under which name in the trail each act is refused: "add", "change" and
    "delete" are Django's own pages, all others the names of actions.
    """

    use_cases: ClassVar[Mapping[str, str]] = {}
    formfield_overrides: ClassVar[Mapping[Any, Any]] = {
        models.DurationField: {"form_class": DurationField, "widget": DurationWidget}
    }
    # What the list says while it has no rows: what it is for, and (label, URL's name) of the page
    # where one begins. Whoever may not add there has no button.
    empty_words: ClassVar[str] = ""
    empty_button: ClassVar[tuple[str, str] | None] = None

    class Media:
        css: ClassVar = {"all": ("certctl/forms.css",)}

    # Chips that the list is narrowed by, besides those that `list_filter` names as Django does.
    own_chips: ClassVar[Sequence[Chip]] = ()
    # Look-ups of our own links to the list, besides those of the chips.
    linked: ClassVar[tuple[str, ...]] = ()
    # Columns that one may choose besides those of `list_display`.
    more_columns: ClassVar[tuple[str, ...]] = ()
    paginator = CappedPaginator
    list_per_page = 50
    show_full_result_count = False

    @property
    def readonly_preprocess_fields(self) -> dict[str, Callable[[str], str]]:
        """Show words where nothing can be edited, as to whoever may only look."""
        return readonly.in_words(self.model)

    def address(self, name: str, *args: Any) -> str:
        """Return the address of a page of this admin by its URL's name."""
        return reverse(f"{self.admin_site.name}:{name}", args=args)

    def render_page(
        self, request: HttpRequest, template: str, *, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """Answer a page of our own within this admin: its menu, and `context`."""
        request.current_app = self.admin_site.name
        shared = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**shared, **context}, status=status)

    @override
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            request.META[NARROWED] = self.narrowed_by(request, request.GET)
        except Invalid as error:
            # Django lets everybody look up by any column: a password's hash, letter by letter.
            return self._refuse_address(request, error)
        # Django leaves an action that one may not choose out of the list, and says that none was.
        chosen = chosen_action(request)
        if act_of(chosen) in self.use_cases and chosen not in self.get_actions(request):
            raise PermissionDenied
        try:
            return super().changelist_view(request, extra_context)
        except UnknownValue as error:
            return self._refuse_address(request, error)

    def _refuse_address(self, request: HttpRequest, error: Invalid) -> HttpResponse:
        record(request, action="", error=error)
        messages.error(request, error.detail)
        return HttpResponseRedirect(request.path)

    @override
    def get_changelist_instance(self, request: HttpRequest) -> Any:
        shown = super().get_changelist_instance(request)
        narrowed = shown.query or shown.get_filters_params()
        # For templates/admin/empty.html: None where there are rows, or were looked for in vain.
        shown.empty = None if narrowed or shown.result_list else self.empty(request)
        return shown

    def empty(self, request: HttpRequest) -> dict[str, str]:
        """Return what the list says while it has no rows: name, words, and a button for who may."""
        said = {"name": str(self.opts.verbose_name_plural), "words": self.empty_words}
        if self.empty_button is None:
            return said
        label, name = self.empty_button
        url = reverse(f"{self.admin_site.name}:{name}")
        # The page's own admin says who may, so that the rule stands there alone.
        beyond = resolve(url).func.model_admin  # type: ignore[attr-defined]  # Django sets it
        return {**said, "label": label, "url": url} if beyond.has_add_permission(request) else said

    @override
    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return request is not None and lookup in self._lookups(request)

    @override
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return Listing

    def chips(self, request: HttpRequest) -> list[Chip]:
        """Return what the list can be narrowed by: its own chips, and those of its filters."""
        made = request.META.get(CHIPS, {})
        if self.model not in made:
            made[self.model] = derived(
                self.model, self.own_chips, self.get_list_filter(request), self.linked
            )
            request.META[CHIPS] = made
        chips: list[Chip] = made[self.model]
        return chips

    def narrowed_by(self, request: HttpRequest, query: QueryDict) -> list[Active]:
        """Return by what an address narrows the list; raises Invalid for what is not known."""
        check_parameters(query, {*_OF_EVERY_LIST, *self._lookups(request)})
        return active(self.chips(request), query)

    @override
    def get_list_display(self, request: HttpRequest) -> Any:
        chosen = kept.columns_of(request, self)
        return chosen or super().get_list_display(request)

    def _lookups(self, request: HttpRequest) -> set[str]:
        """Return the names by which the list's address may narrow it."""
        return known_parameters(self.chips(request))

    def own_pages(self) -> list[URLPattern]:
        """Return pages of the app's own, by their addresses below /admin/; they are no model's."""
        return []

    def use_case_of(self, request: HttpRequest, name: str) -> str:
        """Return the use case behind the page or action `name`, a key of `use_cases`."""
        return self.use_cases[name]

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row that an action's page is about; raises Http404."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return row

    def refuse(
        self, request: HttpRequest, name: str, error: Exception, subject: Model | None = None
    ) -> Outcome:
        """Record that `name` was refused, and return what to say of it; raises what nobody foresaw.

        `name` is a key of `use_cases`. Call it with no transaction open.
        """
        outcome = refusal_of(error)
        if outcome is None:
            raise error
        record(request, action=self.use_case_of(request, name), error=error, subject=subject)
        return outcome

    def each(
        self, request: HttpRequest, name: str, rows: Iterable[Row], act: Callable[[Row], R]
    ) -> list[tuple[Row, R]]:
        """Do `act` to each row for itself; return what was done, say and record what was refused.

        `name` is a key of `use_cases`.
        """
        done = []
        for row in rows:
            try:
                done.append((row, act(row)))
            except Exception as error:  # noqa: BLE001 - what nobody foresaw is raised again
                words = words_of(self.refuse(request, name, error, row))
                self.message_user(request, f"{row}: {words}", messages.ERROR)
        return done


class ReadOnly(Edge):
    """Rows that machines write: nobody adds, edits or deletes them by hand."""

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

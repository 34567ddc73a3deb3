"""What every view of the REST API does before it answers: it refuses what it does not know."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from foundation.rest.parsers import Nothing, valid
from foundation.texts import check_texts
from foundation.unknown import check_parameters

if TYPE_CHECKING:
    from rest_framework.views import APIView as _View
else:
    _View = object

PAGES = ("page", "page_size", "cursor")


class Strict(_View):
    """A view that answers 400 to parameters it does not know, and to bodies nobody would read.

    Lists know their filters, `search`, `sort`, the pages' and `fields`; a single thing `fields`.
    `parameters` names what an action knows besides, `filtered` the actions that are narrowed as
    the list is, `bodiless` those that read no body, as DELETE never does.
    """

    parameters: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    filtered: ClassVar[tuple[str, ...]] = ("list",)
    bodiless: ClassVar[tuple[str, ...]] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Look at address and body once it is known who asks, and that they may."""
        super().initial(request, *args, **kwargs)
        action = getattr(self, "action", "")
        if action is None or request.method == "OPTIONS":
            return  # there is no such act: 405 says so
        # The address first: it is what everything else is looked up by.
        check_texts(dict(request.query_params.lists()))
        check_texts(kwargs)
        check_parameters(request.query_params, self.known_parameters(action))
        if request.method == "DELETE" or action in self.bodiless:
            valid(Nothing, request)

    def known_parameters(self, action: str) -> set[str]:
        """Return the names that an address may carry for `action`."""
        known = set(self.parameters.get(action, ()))
        if action in {"list", "retrieve"}:
            known.add("fields")
        if action == "list":
            known.update(PAGES)
        if action in self.filtered:
            known |= self._narrowing()
        return known

    def _narrowing(self) -> set[str]:
        rows = getattr(self, "queryset", None)
        filters = DjangoFilterBackend().get_filterset_class(self, rows)
        known = set(filters.base_filters) if filters else set()
        if getattr(self, "search_fields", ()):
            known.add("search")
        if getattr(self, "ordering_fields", ()):
            known.add("sort")
        return known

"""What every view of the REST API does before it answers, and around the act itself."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.rest.conditions import Conditional
from foundation.rest.parsers import Nothing, valid
from foundation.rest.repeats import Repeatable
from foundation.texts import check_texts
from foundation.unknown import check_parameters

PAGES = ("page", "page_size", "cursor")


class Strict(Conditional, Repeatable):
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
        self.read_conditions(request)
        method = str(request.method).lower()
        if method in self.http_method_names and hasattr(self, method):
            # As the framework itself puts the action under the method's name.
            setattr(self, method, partial(self._act, getattr(self, method)))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Put the tag on what shows one thing."""
        if isinstance(response, Response) and getattr(self, "detail", False):
            response = self.tagged(request, response)
        return super().finalize_response(request, response, *args, **kwargs)

    def _act(
        self, handler: Callable[..., Response], request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        # Who asks the same again gets the old answer, though the row is no more as expected.
        return self.once(
            request,
            lambda: self.keeping_to_conditions(request, lambda: handler(request, *args, **kwargs)),
        )

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

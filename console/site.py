"""The admin's site: the theme's, with what it does not do as we need it."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path
from typing_extensions import override
from unfold.settings import get_config
from unfold.sites import UnfoldAdminSite

from console import search_page, typed
from console.navigation import pages
from foundation.admin import Edge


class Site(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    """Where every model's admin is registered."""

    @override
    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # The theme would write its colours into each page; they are in a file, so that no page
        # needs style elements (foundation.csp).
        return {**super().each_context(request), "colors": {}, "typed_key": typed.key_of(request)}

    @override
    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if typed.is_lost(self, request):
                return typed.sign_in_again(self, request)
            answered: HttpResponseBase = inner(request, *args, **kwargs)
            return answered

        return answer

    @override
    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        # Not the theme's, which reads all rows of each model and remembers what was seen for the
        # next five minutes, whatever may be seen by then (decision 0070).
        return search_page.answer(self, request, pages)

    @override
    def get_urls(self) -> list[URLPattern | URLResolver]:
        from console import first_steps  # noqa: PLC0415 - as below
        from owners.admin.first import first_administrator  # noqa: PLC0415

        guide = self.admin_view(partial(first_steps.page, self))
        # Before the models' own, of which the last takes every address there is.
        own = [page for one in self._registry.values() for page in _own_pages(one)]
        return [
            *own,
            path("first-administrator/", first_administrator, name="first_administrator"),
            path("first-steps/", guide, name="first_steps"),
            *super().get_urls(),
        ]

    @override
    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        # What is registered on the site is loaded after it.
        from owners.admin.passwords import change_own  # noqa: PLC0415

        return change_own(self, request, extra_context)


def _own_pages(model_admin: Any) -> list[URLPattern]:
    pages: list[URLPattern] = model_admin.own_pages() if isinstance(model_admin, Edge) else []
    return pages


def theme() -> str:
    """Return the style sheet that certctl/static/certctl/theme.css holds: colours and radius."""
    config = get_config()
    lines = [f"  --border-radius: {config['BORDER_RADIUS']};"]
    for name, weights in config["COLORS"].items():
        lines += [f"  --color-{name}-{weight}: {value};" for weight, value in weights.items()]
    return "\n".join(
        ["/* Of UNFOLD in the settings: console.site.theme. */", ":root {", *lines, "}", ""]
    )

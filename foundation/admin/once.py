"""Secrets that are made here and shown once: their rows are never changed, and stay."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from typing_extensions import override

from foundation.admin.saves import Saves

_MADE = "certctl.made"  # of this request alone: what it made, for its one page


class ShownOnce(Saves):
    """Rows whose secret stands on the page that made it, and nowhere else.

    `shown` is what the page of one that there is has, `fields` what the form for a new one asks.
    """

    shown: ClassVar[Sequence[str]] = ()

    @override
    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        if obj is not None:
            kw["form"] = forms.ModelForm  # nothing is entered on the page of one that there is
        return super().get_form(request, obj, change, **kw)

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.shown if obj else self.fields  # never the digest

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.shown if obj else ()

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # ended and replaced instead

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # one that was ended stays, so that the trail's words have a row

    @staticmethod
    def keep(request: HttpRequest, made: Any) -> None:
        """Keep what was just made, with its secret, for the page that this request answers."""
        request.META[_MADE] = made

    @override
    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        return self.show_once(request, request.META.pop(_MADE))

    def show_once(self, request: HttpRequest, made: Any) -> HttpResponse:
        """Answer the one page that has the secret of what was made; nobody's cache keeps it."""
        template, context = self.page_of_made(made)
        response = self.render_page(request, template, opts=self.opts, **context)
        # The secret is shown in this page and nowhere else, not even in a message.
        response.headers["Cache-Control"] = "no-store"
        return response

    def page_of_made(self, made: Any) -> tuple[str, dict[str, Any]]:
        """Return the template of that page, and what it shows."""
        raise NotImplementedError

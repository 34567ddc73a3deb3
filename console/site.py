"""The admin's site: the theme's, with what it does not do as we need it."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from typing_extensions import override
from unfold.sites import UnfoldAdminSite


class Site(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    """Where every model's admin is registered."""

    @override
    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        # What is registered on the site is loaded after it.
        from owners.admin.passwords import change_own  # noqa: PLC0415

        return change_own(self, request, extra_context)

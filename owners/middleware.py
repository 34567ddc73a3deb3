"""What is refused to the admin outside of a form: said in a message, and recorded."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse

from foundation.errors import CertctlError, ChangedMeanwhile
from foundation.outcomes import is_a_race
from owners.models import Principal
from owners.refusals import record_at_admin

PREFIX = "/admin/"
# Django's words for what a page does, where they are not the trail's.
VERBS = {"add": "create", "change": "update", "delete_selected": "delete"}


class AdminRefusals:
    """Lead back to the page with the refusal's words, where a 500 would come otherwise.

    Forms show a service's errors at their fields; this is for what has no form, such as deleting.
    Django's own block around a page has ended by now, so what is written here stays.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Do nothing on the way."""
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseRedirect | None:
        """Turn a refusal into a message; None leaves everything else a 500, or Django's own 403."""
        refusal = CertctlError | PermissionDenied
        if not (isinstance(exception, refusal) or is_a_race(exception)):
            return None
        if not request.path.startswith(PREFIX):
            return None
        if not isinstance(getattr(request, "user", None), Principal):
            return None
        app, model, _ = _place(request)
        record_at_admin(request, act_of(request), exception, _subject(request, app, model))
        if isinstance(exception, PermissionDenied):
            return None
        shown = exception if isinstance(exception, CertctlError) else ChangedMeanwhile()
        messages.error(request, shown.detail)
        return HttpResponseRedirect(_list_of(app, model))


def act_of(request: HttpRequest) -> str:
    """Return the name in the trail of what a page of the admin was asked to do.

    By the model and the page's own name, unless the model's admin says otherwise in `use_cases`
    ({page or action: name}).
    """
    app, model, verb = _place(request)
    if verb == "changelist":
        verb = request.POST.get("action", "") or verb
    given = getattr(_admin_of(app, model), "use_cases", {}).get(verb)
    return str(given or f"{model}.{VERBS.get(verb, verb)}")


def _admin_of(app: str, model: str) -> Any:
    for kind, model_admin in admin.site._registry.items():  # noqa: SLF001 - Django has no other
        if (kind._meta.app_label, kind._meta.model_name) == (app, model):  # noqa: SLF001
            return model_admin
    return None


def _subject(request: HttpRequest, app: str, model: str) -> Any:
    key = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
    model_admin = _admin_of(app, model)
    return model_admin.get_object(request, key) if model_admin and key else None


def _place(request: HttpRequest) -> tuple[str, str, str]:
    """Return app, model and verb of the admin's URL, such as "owners", "owner", "delete"."""
    name = (request.resolver_match.url_name if request.resolver_match else None) or "admin"
    app, _, rest = name.partition("_")
    model, _, verb = rest.partition("_")
    return app, model or app, verb or "post"


def _list_of(app: str, model: str) -> str:
    try:
        return reverse(f"admin:{app}_{model}_changelist")
    except NoReverseMatch:  # such as the page where one changes one's password
        return reverse("admin:index")

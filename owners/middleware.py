"""What a service refuses to the admin outside of a form: said in a message, and recorded."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse

from foundation.errors import CertctlError, ChangedMeanwhile
from foundation.outcomes import is_a_race
from owners.actors import actor_of
from owners.models import Principal
from owners.refusals import record_refusal

PREFIX = "/admin/"


class AdminRefusals:
    """Lead back to the page with the refusal's words, where a 500 would come otherwise.

    Forms show a service's errors at their fields; this is for what has no form, such as deleting.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Do nothing on the way."""
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseRedirect | None:
        """Turn a refusal into a message; None leaves everything else a 500."""
        error = ChangedMeanwhile() if is_a_race(exception) else exception
        if not isinstance(error, CertctlError) or not request.path.startswith(PREFIX):
            return None
        if not isinstance(getattr(request, "user", None), Principal):
            return None
        app, model, verb = _place(request)
        record_refusal(actor=actor_of(request), action=f"{model}.{verb}", error=error)
        messages.error(request, error.detail)
        return HttpResponseRedirect(_list_of(app, model))


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

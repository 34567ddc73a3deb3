"""What a service refuses to the admin outside of a form: said in a message, and recorded."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from certctl.api import MEANWHILE, is_a_race
from certctl.errors import CertctlError, Conflict
from owners.actors import actor_of
from owners.models import Principal
from owners.refusals import record_refusal

PREFIX = "/admin/"


class ChangedMeanwhile(Conflict):
    """The database undid the change because of another one."""

    code = "changed_meanwhile"
    message = MEANWHILE


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
        signed_in = isinstance(getattr(request, "user", None), Principal)
        if not isinstance(error, CertctlError) or not request.path.startswith(PREFIX):
            return None
        if not signed_in:
            return None
        record_refusal(actor=actor_of(request), action=_action(request), error=error)
        messages.error(request, error.detail)
        return HttpResponseRedirect(_back(request))


def _action(request: HttpRequest) -> str:
    """Return what was tried, such as "target.delete", from the name of the admin's URL."""
    name = (request.resolver_match.url_name if request.resolver_match else None) or "admin"
    return ".".join(name.split("_")[1:]) or name


def _back(request: HttpRequest) -> str:
    name = (request.resolver_match.url_name if request.resolver_match else None) or ""
    app_and_model = name.rpartition("_")[0]
    if app_and_model:
        return reverse(f"admin:{app_and_model}_changelist")
    return reverse("admin:index")

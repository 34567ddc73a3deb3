"""What the admin refuses: which use case it was, the trail's word on it, and a way back."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from foundation.outcomes import Outcome, outcome_of
from foundation.texts import UnusableText, check_texts

PREFIX = "/admin/"
SAFE = ("GET", "HEAD", "OPTIONS")
# What was refused to this request, and is recorded: its form shows it at its fields.
REFUSED = "certctl.refused"


def refusal_of(error: BaseException) -> Outcome | None:
    """Return what is to be said of `error`; None for what has a page of its own.

    That is 403 and 404, 500 for what nobody foresaw, and 503 where the database is busy or away.
    """
    if isinstance(error, PermissionDenied | Http404):
        return None
    outcome = outcome_of(error)
    return None if outcome is None or outcome.status == HTTPStatus.SERVICE_UNAVAILABLE else outcome


def words_of(outcome: Outcome) -> str:
    """Return a refusal in one line, with what is wrong with which field."""
    return " ".join([outcome.detail, *(wrong["detail"] for wrong in outcome.errors)])


def record(
    request: HttpRequest,
    *,
    action: str,
    error: BaseException,
    subject: models.Model | None = None,
) -> None:
    """Write `<action>.refuse` (`settings.ADMIN_REFUSAL_RECORDER`), unless a use case has already.

    `action` is the use case that was asked for, "" for what is none. Call it with no transaction
    open, or the refusal goes the way of what it refused.
    """
    import_string(settings.ADMIN_REFUSAL_RECORDER)(request, action, error, subject)


def unsay(request: HttpRequest) -> None:
    """Take back the messages of this request: what they tell of was undone."""
    said: Any = messages.get_messages(request)
    said._queued_messages.clear()  # noqa: SLF001 - there is no public way


def chosen_action(request: HttpRequest) -> str:
    """Return the name of the action that was asked for on a list, if any."""
    names = request.POST.getlist("action") if request.method == "POST" else []
    button = request.POST.get("index", "0")  # there may be a choice above and below the list
    position = int(button) if button.isdecimal() else 0
    return names[position] if position < len(names) else ""


def act_of(action: str) -> str:
    """Return the act, a key of `use_cases`, that an action on a list is."""
    return "delete" if action == "delete_selected" else action


def chosen_rows(request: HttpRequest) -> list[str]:
    """Return the keys that were ticked on a list; none where all pages of it were meant."""
    if request.POST.get("select_across", "0") != "0":
        return []
    return request.POST.getlist(ACTION_CHECKBOX_NAME)


class AdminRefusals:
    """Lead back to the list with the refusal's words, where a 500 would come otherwise.

    Forms show a service's errors at their fields; this is for what has no form, such as deleting.
    A missing permission stays Django's own page. Either is recorded.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Do nothing on the way."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Refuse a NUL or half a character in an address or a form, before it is looked up."""
        if not request.path.startswith(PREFIX):
            return None
        try:
            for given in (request.GET, request.POST):
                check_texts(dict(given.lists()))
            check_texts({"address": request.path})
        except UnusableText as error:
            if request.user.is_authenticated:
                record(request, action=_use_case(request), error=error, subject=None)
            return HttpResponse(
                f"{error.detail}\n", status=400, content_type="text/plain; charset=utf-8"
            )
        return None

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseRedirect | None:
        """Record a refusal and turn it into a message; None leaves the error to Django."""
        if not request.path.startswith(PREFIX) or not request.user.is_authenticated:
            return None
        outcome = refusal_of(exception)
        if outcome is None and not isinstance(exception, PermissionDenied):
            return None
        is_reading = request.method in SAFE
        is_told = REFUSED in request.META  # and this is what came of showing it
        if not is_told and (not is_reading or isinstance(exception, PermissionDenied)):
            record(request, action=_use_case(request), error=exception, subject=_row(request))
        back = _list_of(*_place(request)[:2])
        if outcome is None or (is_reading and request.get_full_path() == back):
            return None  # a page of its own; or a list that cannot be led back to
        messages.error(request, words_of(outcome))
        return HttpResponseRedirect(back)


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


def _use_case(request: HttpRequest) -> str:
    """Return the use case behind the page or action; "" where there is none."""
    model_admin, page = _model_admin(request), _place(request)[2]
    name = act_of(chosen_action(request)) or page
    if name not in getattr(model_admin, "use_cases", {}):
        return ""
    return str(model_admin.use_case_of(request, name))


def _row(request: HttpRequest) -> models.Model | None:
    """Return the one row that the page or the action is about, if it is about one."""
    kwargs = request.resolver_match.kwargs if request.resolver_match else {}
    chosen = chosen_rows(request)
    pk = kwargs.get("object_id") or (chosen[0] if len(chosen) == 1 else None)
    model_admin = _model_admin(request)
    if pk is None or model_admin is None:
        return None
    rows: models.Manager[models.Model] = model_admin.model._default_manager  # noqa: SLF001
    try:
        return rows.filter(pk=pk).first()
    except (ValueError, TypeError, ValidationError):
        return None  # no key at all, such as "not-a-uuid"


def _model_admin(request: HttpRequest) -> Any:
    view = request.resolver_match.func if request.resolver_match else None
    return getattr(view, "model_admin", None)

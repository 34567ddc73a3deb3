"""The page that makes the first administrator, for whoever has the link that `serve` printed.

The token stands after the # of the link: first.js puts it into the form, and it comes by POST.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
)

from audit.actions import REFUSE
from audit.via import Door
from foundation.admin.forms import invalid, show
from foundation.admin.refusals import refusal_of
from foundation.errors import CertctlError, NotPermitted, TooMany
from foundation.middleware import is_from_this_machine
from foundation.outcomes import Outcome, outcome_of
from foundation.rates import Rate, take
from owners import accounts, strangers
from owners.actors import via_of
from owners.models import Principal

ACT = "administrator.first"
BACKEND = "django.contrib.auth.backends.ModelBackend"
# Of the whole machine: its loopback has sixteen million addresses, and anybody on it has them all.
TRIES = Rate(10, 60)


class NotHere(NotPermitted):
    """Somebody came from another machine, or through a proxy."""

    code = "not_here"
    message = (
        "The first administrator is made on the machine that certctl runs on, and not through a "
        "proxy."
    )


class FirstForm(forms.Form):
    """Who the first administrator is, and their password."""

    token = forms.CharField(max_length=100, widget=forms.HiddenInput)
    username = forms.CharField(
        max_length=150,
        label="Your name here",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "username"}),
        help_text="Letters, digits and @ . + - _; it stays in the audit trail.",
    )
    email = forms.EmailField(required=False, label="E-mail", widget=UnfoldAdminEmailInputWidget)
    password = forms.CharField(
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="12 characters or more, and nothing that others guess.",
    )
    again = forms.CharField(
        strip=False,
        label="Password again",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    def clean_username(self) -> str:
        """Hold the name against the column's own rules."""
        name: str = self.cleaned_data["username"]
        Principal._meta.get_field("username").run_validators(name)  # noqa: SLF001 - Django's public name
        return name

    def clean(self) -> dict[str, Any]:
        """Compare the two passwords."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("password") != data.get("again") and "password" in data and "again" in data:
            self.add_error("again", "The two passwords are not the same.")
        return data


@never_cache
@require_http_methods(["GET", "POST"])
def first_administrator(request: HttpRequest) -> HttpResponse:
    """Show the form, or make the administrator and sign them in."""
    if not is_from_this_machine(request):
        return _refuse(request, NotHere())
    if request.method == "POST":
        try:
            take("first-administrator", "loopback", TRIES)
        except TooMany as error:
            return _refuse(request, error)
        return _make(request)
    if Principal.objects.administrators().exists():
        return _page(request, None, accounts.HasAdministrator.message, status=403)
    return _page(request, FirstForm())


def _make(request: HttpRequest) -> HttpResponse:
    form = FirstForm(request.POST)
    if not form.is_valid():
        _tell(request, invalid(form))
        return _page(request, form)
    data = {name: value for name, value in form.cleaned_data.items() if name != "again"}
    actor = Principal.objects.system()  # nobody is known here yet
    actor.via = via_of(request, door=Door.ADMIN)
    try:
        principal = accounts.make_first_administrator(actor=actor, **data)
    except Exception as error:
        outcome = refusal_of(error)
        if outcome is None:
            raise
        if isinstance(error, accounts.WrongLink | accounts.HasAdministrator):
            return _page(request, None, outcome.detail, status=403)
        show(form, outcome)
        return _page(request, form)
    login(request, principal, backend=BACKEND)
    return HttpResponseRedirect(reverse("admin:first_steps"))


def _refuse(request: HttpRequest, error: NotHere | TooMany) -> HttpResponse:
    """Say why not; what was sent is told of under nobody, seldom, since anybody may send it."""
    outcome = _tell(request, error)
    return _page(request, None, outcome.detail, status=outcome.status)


def _tell(request: HttpRequest, error: CertctlError) -> Outcome:
    outcome = outcome_of(error)
    assert outcome is not None  # noqa: S101 - every error of ours has one
    if request.method == "POST":
        strangers.tell(
            action=f"{ACT}{REFUSE}",
            via=via_of(request, door=Door.ADMIN),
            code=outcome.code,
            status=outcome.status,
            detail=outcome.detail,
        )
    return outcome


def _page(
    request: HttpRequest, form: FirstForm | None, words: str = "", *, status: int = 200
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": "The first administrator",
        "form": form,
        "words": words,
        # Where somebody administers already the other way in is by them.
        "is_open": words != accounts.HasAdministrator.message,
    }
    return TemplateResponse(request, "admin/first_administrator.html", context, status=status)

"""The page on which one changes one's own password."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from typing_extensions import override
from unfold.forms import AdminOwnPasswordChangeForm

from foundation.admin.refusals import record
from foundation.errors import FieldError, Invalid
from owners import accounts
from owners.logins import actor_of, confirms

ACT = "principal.change_password"


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """The present password and twice the new one."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        """Compare the present password; a wrong one counts as a failed login."""
        given: str = self.cleaned_data["old_password"]
        if not confirms(self.request, given):
            raise ValidationError(self.error_messages["password_incorrect"], "password_incorrect")
        return given

    @override
    def save(self, commit: bool = True) -> Any:
        row = accounts.change_password(
            actor=actor_of(self.request),
            principal=self.user,
            password=self.cleaned_data["new_password1"],
        )
        self.user.password = row.password  # the session goes on under the new one
        return self.user


class OwnPassword(PasswordChangeView):
    """Django's page with our form, and the trail's word on what it refuses."""

    form_class = OwnPasswordForm

    @override
    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    @override
    def form_invalid(self, form: Any) -> HttpResponse:
        wrong = [
            FieldError(name, str(error.code or "invalid"), "")
            for name, errors in form.errors.as_data().items()
            for error in errors
        ]
        words = ", ".join(f"{one['field']}: {one['code']}" for one in wrong)
        record(self.request, action=ACT, error=Invalid(words, errors=wrong), subject=form.user)
        return super().form_invalid(form)


def change_own(
    site: AdminSite, request: HttpRequest, extra_context: dict[str, Any] | None
) -> HttpResponseBase:
    """Answer the admin's page for it."""
    request.current_app = site.name
    view = OwnPassword.as_view(
        template_name=site.password_change_template or "registration/password_change_form.html",
        success_url=reverse(f"{site.name}:password_change_done", current_app=site.name),
        extra_context={**site.each_context(request), **(extra_context or {})},
    )
    return view(request)

"""API keys in the admin: made and shown once, disabled, never changed."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from typing_extensions import override
from unfold.decorators import display

from foundation.admin import Names, ShownOnce
from foundation.forms import LinesField
from owners import services
from owners.admin.about import KEY_COLOURS, key_state
from owners.logins import actor_of
from owners.models import ApiKey


class ApiKeyForm(forms.ModelForm[ApiKey]):
    """A new key, its networks one a line."""

    allowed_networks = LinesField(
        help_text="Networks it may be used from, one a line, as 10.0.0.0/8; empty means anywhere."
    )

    class Meta:
        model = ApiKey
        fields = ("name", "principal", "role_cap", "expires_at", "allowed_networks")


@admin.register(ApiKey)
class ApiKeyAdmin(ShownOnce, Names):
    """API keys: made here and shown once, disabled here; never changed."""

    empty_words = "An API key lets a program act as a principal, with no more than the key's role."
    empty_button = ("Make an API key", "owners_apikey_add")

    form = ApiKeyForm
    list_display = (
        "name",
        "prefix",
        "principal",
        "role_cap",
        "state",
        "expires_at",
        "last_used_at",
    )
    list_filter = ("role_cap",)
    linked = ("principal",)  # from their page
    list_select_related = ("principal",)
    search_fields = ("name", "prefix", "principal__username")
    autocomplete_fields = ("principal",)
    fields = ("name", "principal", "role_cap", "expires_at", "allowed_networks")
    shown = (*fields, "prefix", "created_at", "created_by", "last_used_at", "disabled_at")
    actions = ("disable",)
    use_cases = {"add": "apikey.create", "disable": "apikey.disable"}

    @display(description="State", label=KEY_COLOURS)
    def state(self, key: ApiKey) -> str:
        """Say whether it can be used."""
        return key_state(key)

    def has_disable_permission(self, request: HttpRequest) -> bool:
        """Name the permission that the action asks for."""
        return request.user.has_perm("owners.change_apikey")

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        key, whole = services.issue_api_key(actor=actor_of(request), **data)
        self.keep(request, (key, whole))
        return key

    @override
    def page_of_made(self, made: tuple[ApiKey, str]) -> tuple[str, dict[str, Any]]:
        key, whole = made
        context = {"title": "API key created", "key": key, "whole_key": whole}
        return "admin/owners/apikey/created.html", context

    @admin.action(description="Disable selected keys", permissions=["disable"])
    def disable(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Disable them for good, once they are called by name."""
        words = "Whatever uses it is not let in any more, from the next request on. It is for good."
        rows = list(queryset)
        return self.switch_off(request, "disable", rows, words, lambda: self._off(request, rows))

    def _off(self, request: HttpRequest, rows: list[ApiKey]) -> None:
        actor = actor_of(request)
        disabled = self.each(
            request,
            "disable",
            rows,
            lambda key: services.disable_api_key(actor=actor, key_id=key.pk),
        )
        if disabled:
            self.message_user(request, f"Disabled {len(disabled)} key(s).", messages.SUCCESS)

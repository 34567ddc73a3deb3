"""Principals in the admin, written through the services."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from typing_extensions import override
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from foundation.admin import Switches
from owners import services
from owners.admin.about import PrincipalPage, role_of
from owners.logins import actor_of
from owners.models import Principal
from owners.roles import ROLE_CHOICES

admin.site.unregister(Group)  # The roles are fixed by owners.roles; finer rights come by REST.


class PrincipalForm(forms.ModelForm[Principal]):
    """A principal with its role, and a password to set."""

    role = forms.ChoiceField(
        choices=[("", "none"), *ROLE_CHOICES], required=False, widget=UnfoldAdminSelectWidget
    )
    email = forms.EmailField(required=False, widget=UnfoldAdminEmailInputWidget)
    password = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Leave empty to keep the present one; a new principal without one uses API keys.",
    )
    is_active = forms.BooleanField(required=False, initial=True, widget=UnfoldBooleanSwitchWidget)

    class Meta:
        model = Principal
        fields = ("username", "kind", "email", "first_name", "last_name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:  # noqa: SLF001
            self.initial["role"] = services.role_of(self.instance) or ""
            self.initial["is_active"] = self.instance.is_active


@admin.register(Principal)
class PrincipalAdmin(PrincipalPage, Switches):
    """Whoever can act."""

    empty_words = "Whoever can act: people who sign in, and programs with an API key."
    empty_button = ("Add a person", "owners_principal_add")
    switch = "is_active"
    off_words = "They are signed out and cannot come in again, and none of their API keys works."

    form = PrincipalForm
    list_display = ("username", "kind", "role", "email", "is_active", "last_login")
    list_filter = ("kind", "is_active", "groups")
    search_fields = ("username", "email", "first_name", "last_name")
    ordering = ("username",)
    use_cases = {"add": "principal.create", "change": "principal.update"}
    fields = (
        "username",
        "kind",
        ("first_name", "last_name"),
        "email",
        "role",
        "is_active",
        "password",
    )

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Principal]:
        return super().get_queryset(request).prefetch_related("groups")

    @display(
        description="Role", label={"admin": "warning", "operator": "info", "viewer": "success"}
    )
    def role(self, principal: Principal) -> str:
        """Name the highest role."""
        return role_of(principal) or "-"

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("username", "kind") if obj else ()  # they are for good

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # deactivated instead: the audit trail refers to them

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        role, password = data.pop("role") or None, data.pop("password") or None
        actor = actor_of(request)
        if row is None:
            data.pop("is_active")
            return services.create_principal(actor=actor, role=role, password=password, **data)
        changes = {name: value for name, value in data.items() if getattr(row, name) != value}
        return services.update_principal(
            actor=actor,
            principal_id=row.pk,
            changes=changes,
            role=role,
            change_role=str(services.role_of(row) or "") != str(role or ""),
            password=password,
        )

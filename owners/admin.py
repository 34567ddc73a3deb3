"""Principals, API keys, teams and owners in the admin; every change goes through the services."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from audit.use_cases import record_edge_refusal
from foundation.errors import CertctlError
from foundation.forms import LinesField
from owners import services
from owners.logins import actor_of
from owners.models import ApiKey, Owner, Principal, Team
from owners.roles import ROLE_CHOICES

admin.site.unregister(Group)  # The roles are fixed by owners.roles; finer rights come by REST.


class Saves(ModelAdmin):
    """A form whose rows are written by a service, and whose errors are the service's words."""

    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        """Call the service with the form's data; `row` is None for a new one."""
        raise NotImplementedError

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        """Give the form the service to call, so that its errors appear in the form."""
        form = super().get_form(request, obj, change, **kw)
        save_row = self.save_row

        class Form(form):  # type: ignore[misc,valid-type]
            def clean(self) -> Any:
                data = super().clean() or self.cleaned_data
                if not self.errors and request.method == "POST":
                    self._save_through_service(data)
                return data

            def _save_through_service(self, data: dict[str, Any]) -> None:
                instance: Any = cast("Any", self).instance
                row = None if instance._state.adding else instance  # noqa: SLF001
                fresh = type(row)._default_manager.get(pk=row.pk) if row else None  # noqa: SLF001
                try:
                    self.saved = save_row(request, dict(data), fresh)
                except CertctlError as error:
                    for field in error.errors:
                        name = field["field"] if field["field"] in self.fields else None
                        self.add_error(name, field["detail"])
                    if not error.errors:
                        self.add_error(None, error.detail)
                    verb = "update" if row else "create"
                    record_edge_refusal(
                        actor=actor_of(request), action=f"{_label(self)}.{verb}", error=error
                    )

            def _post_clean(self) -> None:
                # The service has validated and written; the model form must not do it again.
                if self.errors:
                    super()._post_clean()

            def save(self, commit: bool = True) -> Any:
                self.instance = self.saved
                self.save_m2m = self._save_m2m = lambda: None
                return self.saved

        return Form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing: the service has written the row."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: the service has written the members."""

    def log_addition(self, *args: Any) -> None:
        """Nothing: the audit trail is the log."""

    def log_change(self, *args: Any) -> None:
        """Nothing: the audit trail is the log."""


def _label(form: Any) -> str:
    return str(form._meta.model._meta.model_name)  # noqa: SLF001


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
class PrincipalAdmin(Saves):
    """Whoever can act."""

    form = PrincipalForm
    list_display = ("username", "kind", "role", "email", "is_active", "last_login")
    list_filter = ("kind", "is_active", "groups")
    search_fields = ("username", "email", "first_name", "last_name")
    ordering = ("username",)
    fields = (
        "username",
        "kind",
        ("first_name", "last_name"),
        "email",
        "role",
        "is_active",
        "password",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Principal]:
        """Fetch the groups with the rows."""
        return super().get_queryset(request).prefetch_related("groups")

    @display(
        description="Role", label={"admin": "warning", "operator": "info", "viewer": "success"}
    )
    def role(self, principal: Principal) -> str:
        """Name the highest role."""
        names = {group.name for group in principal.groups.all()}
        return next((name for name, _ in reversed(ROLE_CHOICES) if name in names), "-")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Names and kinds are for good."""
        return ("username", "kind") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Principals are deactivated: the audit trail refers to them."""
        return False

    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        """Make or change a principal."""
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


class ApiKeyForm(forms.ModelForm[ApiKey]):
    """A new key, its networks one a line."""

    allowed_networks = LinesField(
        help_text="Networks it may be used from, one a line, as 10.0.0.0/8; empty means anywhere."
    )

    class Meta:
        model = ApiKey
        fields = ("name", "principal", "role_cap", "expires_at", "allowed_networks")


@admin.register(ApiKey)
class ApiKeyAdmin(Saves):
    """API keys: made here and shown once, disabled here; never changed."""

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
    list_select_related = ("principal",)
    search_fields = ("name", "prefix", "principal__username")
    autocomplete_fields = ("principal",)
    fields = ("name", "principal", "role_cap", "expires_at", "allowed_networks")
    readonly_fields = ("prefix", "created_at", "created_by", "last_used_at", "disabled_at")
    actions = ("disable",)

    @display(
        description="State", label={"live": "success", "expired": "warning", "disabled": "danger"}
    )
    def state(self, key: ApiKey) -> str:
        """Say whether it can be used."""
        if key.disabled_at is not None:
            return "disabled"
        return "live" if key.is_live(timezone.now()) else "expired"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show everything but the digest of a key that exists."""
        return (*self.fields, *self.readonly_fields) if obj else self.fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A key is disabled and replaced, never changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A disabled key stays, so that its name in the audit trail has a row."""
        return False

    def has_disable_permission(self, request: HttpRequest) -> bool:
        """Name the permission that the action asks for."""
        return request.user.has_perm("owners.change_apikey")

    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        """Make a key, and keep the whole of it for the one page that shows it."""
        key, whole = services.issue_api_key(actor=actor_of(request), **data)
        request.META["certctl.new_key"] = whole
        return key

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        """Show the key itself, once: in this page and nowhere else, not even in a message."""
        response = TemplateResponse(
            request,
            "admin/owners/apikey/created.html",
            {
                **self.admin_site.each_context(request),
                "title": "API key created",
                "key": obj,
                "whole_key": request.META.pop("certctl.new_key"),
                "opts": self.opts,
            },
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    @admin.action(description="Disable selected keys", permissions=["disable"])
    def disable(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Disable them for good."""
        for key in queryset:
            services.disable_api_key(actor=actor_of(request), key_id=key.pk)
        self.message_user(request, f"Disabled {len(queryset)} key(s).", messages.SUCCESS)


class _Named(Saves):
    """Teams and owners: a name and members."""

    filter_horizontal = ("members",)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete through the service."""
        services.delete_named(actor=actor_of(request), row=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete each through the service."""
        for row in queryset:
            services.delete_named(actor=actor_of(request), row=row)


@admin.register(Team)
class TeamAdmin(_Named):
    """Teams."""

    list_display = ("name", "created_at")
    search_fields = ("name",)
    fields = ("name", "members")

    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        """Make or change a team."""
        return services.save_team(
            actor=actor_of(request),
            name=data["name"],
            members=data["members"],
            team_id=row.pk if row else None,
        )


@admin.register(Owner)
class OwnerAdmin(_Named):
    """Owners."""

    list_display = ("name", "email", "team")
    list_select_related = ("team",)
    search_fields = ("name", "email")
    autocomplete_fields = ("team",)
    fields = ("name", "email", "team", "members")

    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        """Make or change an owner."""
        return services.save_owner(
            actor=actor_of(request),
            members=data.pop("members"),
            changes=data,
            owner_id=row.pk if row else None,
        )

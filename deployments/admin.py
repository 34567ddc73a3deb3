"""Targets, deployments and agents in the admin; targets are written through the services."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from audit.use_cases import record_edge_refusal
from deployments import services
from deployments.models import Agent, Deployment, Target
from foundation.errors import CertctlError, FieldError, Invalid
from owners.admin import Saves
from owners.logins import actor_of


class _ReadOnly(ModelAdmin):
    """Rows that machines write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody makes one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor changes one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor deletes one."""
        return False


@admin.register(Target)
class TargetAdmin(Saves):
    """Where certificates are served."""

    list_display = ("name", "kind", "state", "endpoint", "agent")
    list_filter = ("kind", "enabled")
    list_select_related = ("agent",)
    search_fields = ("name", "endpoint_host", "server_name")
    ordering = ("name",)
    actions = ("test",)
    fieldsets = (
        (None, {"fields": ("name", "kind", "enabled", "agent")}),
        ("Where and how", {"fields": ("config",)}),
        (
            "What a handshake looks at",
            {"fields": (("endpoint_host", "endpoint_port"), "server_name")},
        ),
    )

    @display(description="State", label={"enabled": "success", "disabled": "warning"})
    def state(self, target: Target) -> str:
        """Say whether certificates go there."""
        return "enabled" if target.enabled else "disabled"

    @display(description="Endpoint")
    def endpoint(self, target: Target) -> str:
        """Name the endpoint as people write it."""
        if not target.has_endpoint:
            return "-"
        host = target.endpoint_host
        return f"{f'[{host}]' if ':' in host else host}:{target.endpoint_port}"

    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        """Make or change a target; mistakes in the configuration show at its field."""
        data["config"] = data.get("config") or {}
        try:
            if row is None:
                return services.create_target(actor=actor_of(request), **data)
            return services.update_target(actor=actor_of(request), target_id=row.pk, changes=data)
        except Invalid as error:
            error.errors = [_at_form_field(wrong) for wrong in error.errors]
            raise

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete through the service."""
        services.delete_target(actor=actor_of(request), target_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete each through the service."""
        for row in queryset:
            services.delete_target(actor=actor_of(request), target_id=row.pk)

    def has_test_permission(self, request: HttpRequest) -> bool:
        """Name the permission that the action asks for."""
        return request.user.has_perm("deployments.change_target")

    @admin.action(description="Test selected targets", permissions=["test"])
    def test(self, request: HttpRequest, queryset: QuerySet[Target]) -> None:
        """Look at paths, programs and endpoints; nothing is changed."""
        for target in queryset:
            try:
                checks = services.check_target(actor=actor_of(request), target=target)
            except CertctlError as error:
                record_edge_refusal(
                    actor=actor_of(request), action="target.test", error=error, subject=target
                )
                self.message_user(request, f"{target}: {error.detail}", messages.ERROR)
                continue
            wrong = [f"{check.name}: {check.detail}" for check in checks if not check.ok]
            if wrong:
                self.message_user(request, f"{target}: {' '.join(wrong)}", messages.WARNING)
            else:
                self.message_user(
                    request, f"{target}: nothing stands in the way.", messages.SUCCESS
                )


@admin.register(Deployment)
class DeploymentAdmin(_ReadOnly):
    """What is served where, and what a handshake saw there."""

    list_display = (
        "certificate",
        "target",
        "version_number",
        "show_health",
        "deployed_at",
        "checked_at",
    )
    list_filter = ("health", "target")
    list_select_related = ("certificate", "target", "version__certificate")
    search_fields = ("certificate__name", "target__name", "served_fingerprint")
    fields = (
        "certificate",
        "target",
        "version",
        "deployed_at",
        "show_health",
        "expected_fingerprint",
        "served_fingerprint",
        "checked_at",
        "created_at",
    )
    readonly_fields = ("show_health", "expected_fingerprint")

    @display(
        description="Health",
        ordering="health",
        label={
            Deployment.Health.UNKNOWN: "info",
            Deployment.Health.HEALTHY: "success",
            Deployment.Health.DEGRADED: "warning",
            Deployment.Health.DOWN: "danger",
            Deployment.Health.MISMATCH: "danger",
        },
    )
    def show_health(self, deployment: Deployment) -> str:
        """Show health as a badge."""
        return deployment.health

    @display(description="Version")
    def version_number(self, deployment: Deployment) -> str:
        """Name the version by its number."""
        return f"v{deployment.version.number}" if deployment.version else "-"

    @display(description="Expected fingerprint")
    def expected_fingerprint(self, deployment: Deployment) -> str:
        """Show what should be served, to be compared with what is."""
        return deployment.version.fingerprint if deployment.version else "-"


@admin.register(Agent)
class AgentAdmin(_ReadOnly):
    """Hosts that will fetch their own work."""

    list_display = ("name", "principal", "enabled", "last_seen_at")
    list_select_related = ("principal",)
    search_fields = ("name",)


def _at_form_field(wrong: FieldError) -> FieldError:
    """Turn an error of `config.mode` into one of the form's field `config`."""
    field, _, key = wrong["field"].partition(".")
    detail = f"{key}: {wrong['detail']}" if key else wrong["detail"]
    return FieldError(field, wrong["code"], detail)

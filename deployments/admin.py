"""Targets, deployments and agents in the admin; targets are written through the services."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from typing_extensions import override
from unfold.decorators import display

from deployments import services
from deployments.models import Agent, Deployment, Target
from foundation.admin import Deletes, ReadOnly, Saves
from foundation.errors import FieldError, Invalid
from owners.logins import actor_of


@admin.register(Target)
class TargetAdmin(Saves, Deletes):
    """Where certificates are served."""

    empty_words = (
        "A target is a place where certificates are put: files, or an NGINX. A handshake "
        "then shows what is served."
    )
    empty_button = ("Make a target", "deployments_target_add")

    list_display = ("name", "kind", "state", "endpoint", "agent")
    list_filter = ("kind", "enabled")
    list_select_related = ("agent",)
    search_fields = ("name", "endpoint_host", "server_name")
    ordering = ("name",)
    actions = ("test",)
    use_cases = {
        "add": "target.create",
        "change": "target.update",
        "delete": "target.delete",
        "test": "target.test",
    }
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

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        actor, data["config"] = actor_of(request), data.get("config") or {}
        try:
            if row is None:
                saved = services.create_target(actor=actor, **data)
            else:
                saved = services.update_target(actor=actor, target_id=row.pk, changes=data)
        except Invalid as error:
            error.errors = [_at_form_field(wrong) for wrong in error.errors]
            raise
        for warning in services.warnings_of(saved):
            self.message_user(request, warning, messages.WARNING)
        return saved

    @override
    def delete_row(self, request: HttpRequest, row: Any) -> None:
        services.delete_target(actor=actor_of(request), target_id=row.pk)

    def has_test_permission(self, request: HttpRequest) -> bool:
        """Name the permission that the action asks for."""
        return request.user.has_perm("deployments.change_target")

    @admin.action(description="Test selected targets", permissions=["test"])
    def test(self, request: HttpRequest, queryset: QuerySet[Target]) -> None:
        """Look at paths, programs and endpoints; nothing is changed."""
        actor = actor_of(request)
        for target, checks in self.each(
            request, "test", queryset, lambda row: services.check_target(actor=actor, target=row)
        ):
            wrong = [f"{check.name}: {check.detail}" for check in checks if not check.ok]
            if wrong:
                self.message_user(request, f"{target}: {' '.join(wrong)}", messages.WARNING)
            else:
                self.message_user(
                    request, f"{target}: nothing stands in the way.", messages.SUCCESS
                )


@admin.register(Deployment)
class DeploymentAdmin(ReadOnly):
    """What is served where, and what a handshake saw there."""

    empty_words = (
        "Which certificate is served at which target, and what the last handshake saw. A "
        "deployment comes from a certificate's page."
    )

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
class AgentAdmin(ReadOnly):
    """Hosts that will fetch their own work."""

    empty_words = (
        "Agents carry certificates to hosts that this server cannot reach. They come in a "
        "later release."
    )

    list_display = ("name", "principal", "enabled", "last_seen_at")
    list_select_related = ("principal",)
    search_fields = ("name",)


def _at_form_field(wrong: FieldError) -> FieldError:
    """Turn an error of `config.mode` into one of the form's field `config`."""
    field, _, key = wrong["field"].partition(".")
    detail = f"{key}: {wrong['detail']}" if key else wrong["detail"]
    return FieldError(field, wrong["code"], detail)

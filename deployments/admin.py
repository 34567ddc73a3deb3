"""Targets and deployments in the admin; targets are written through the services."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from typing_extensions import override
from unfold.decorators import action, display

from deployments import services
from deployments.forms import config_fields, secret_fields, target_form
from deployments.models import Deployment, Target
from deployments.shown import TargetPage, endpoint_of, last_test_of
from foundation.admin import Deletes, Question, ReadOnly, Switches
from owners.logins import actor_of


@admin.register(Target)
class TargetAdmin(TargetPage, Switches, Deletes):
    """Where certificates are served."""

    empty_words = (
        "A target is a place where certificates are put: files, or an NGINX. A handshake "
        "then shows what is served."
    )
    empty_button = ("Make a target", "deployments_target_add")
    off_words = "No newer version of any certificate is brought there; what is served there stays."

    list_display = ("name", "kind", "state", "endpoint", "agent")
    list_filter = ("kind", "enabled")
    list_select_related = ("agent",)
    search_fields = ("name", "endpoint_host", "server_name")
    ordering = ("name",)
    actions = ("test",)
    actions_detail = ("test_one",)
    use_cases = {
        "add": "target.create",
        "change": "target.update",
        "delete": "target.delete",
        "test": "target.test",
        "test_one": "target.test",
    }
    readonly_fields = ("last_test",)

    class Media:
        js = ("certctl/target.js",)

    @override
    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        return super().get_form(request, obj, change, **{**kw, "form": target_form()})

    @override
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        settings = (*config_fields(), *secret_fields())
        tested = (("Connection", {"fields": ("last_test",)}),) if obj else ()
        return (
            (None, {"fields": ("name", "kind", "enabled", "agent")}),
            ("Where and how", {"fields": settings}),
            (
                "What a handshake looks at",
                {"fields": (("endpoint_host", "endpoint_port"), "server_name")},
            ),
            *tested,
        )

    @display(description="State", label={"enabled": "success", "disabled": "warning"})
    def state(self, target: Target) -> str:
        """Say whether certificates go there."""
        return "enabled" if target.enabled else "disabled"

    @display(description="Endpoint")
    def endpoint(self, target: Target) -> str:
        """Name the endpoint as people write it."""
        return endpoint_of(target) or "-"

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        actor, secrets = actor_of(request), data.pop("secrets")
        if row is None:
            saved = services.create_target(actor=actor, **data, secrets=secrets)
        else:
            saved = services.update_target(
                actor=actor, target_id=row.pk, changes=data, secrets=secrets
            )
        for warning in services.warnings_of(saved):
            self.message_user(request, warning, messages.WARNING)
        return saved

    @override
    def delete_row(self, request: HttpRequest, row: Any) -> None:
        services.delete_target(actor=actor_of(request), target_id=row.pk)

    @display(description="Last test")
    def last_test(self, target: Target) -> str:
        """Say what the last test found, when, and who asked for it."""
        return last_test_of(target)

    @action(description="Test connection…", url_path="test", permissions=["test"])
    def test_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Look at paths, programs and the endpoint of this one; its result stays on its page."""
        target = self.row(request, object_id)
        question = Question(
            name="test_one",
            title=f"Test the connection to {target}",
            explanation="Paths and programs are looked at, and a handshake is made: nothing is "
            "changed there. It takes ten seconds at most.",
            button="Test connection",
            subject=target,
            back=self.row_page(target),
            is_calm=True,
        )

        def test(_: dict[str, Any]) -> list[str]:
            checks = services.check_target(actor=actor_of(request), target=target)
            wrong = [f"{check.name}: {check.detail}" for check in checks if not check.ok]
            if wrong:
                self.message_user(request, " ".join(wrong), messages.WARNING)
                return []
            return ["Nothing stands in the way."]

        return self.confirm(request, question, test)

    def has_test_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
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
    linked = ("version__isnull", "health__in", "target__endpoint_port__isnull")
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

"""Devices in the admin: announced, blocked, and what they hold."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from typing_extensions import override
from unfold.decorators import action, display

from enrollment import services
from enrollment.admin.held import Holds
from enrollment.admin.labels import ReasonForm
from enrollment.admin.outcomes import BADGES, last_line, with_last
from enrollment.models import Device
from foundation.admin import Question, Saves
from owners.logins import actor_of


class DeviceForm(forms.ModelForm[Device]):
    """A device to be announced."""

    class Meta:
        model = Device
        fields = ("label", "name")
        help_texts = {
            "name": "As it calls itself: the user name of EST, the common name in SCEP.",
        }


@admin.register(Device)
class DeviceAdmin(Saves, Holds):
    """What enrolls at labels: announced here, blocked here, never changed."""

    empty_words = (
        "Devices that enroll by EST or SCEP: announced here, or with their first credential."
    )
    empty_button = ("Announce a device", "enrollment_device_add")

    form = DeviceForm
    list_display = ("name", "label", "state", "last_outcome", "last_at", "created_at")
    list_filter = ("label", "announced", ("blocked_at", admin.EmptyFieldListFilter))
    list_select_related = ("label",)
    search_fields = ("name",)
    autocomplete_fields = ("label",)
    ordering = ("-created_at", "pk")
    fields = ("label", "name")
    readonly_fields = (
        "state",
        "announced",
        "blocked_at",
        "blocked_because",
        "created_by",
        "created_at",
    )
    actions_detail = ("block", "unblock", "revoke_held")
    use_cases = {
        "add": "device.create",
        "block": "device.block",
        "unblock": "device.unblock",
        **Holds.holding,
    }

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Device]:
        return with_last(super().get_queryset(request), "device")

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.fields, *self.readonly_fields) if obj else self.fields

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # it is known by its name

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # blocked instead

    def has_block_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this is somebody who blocks."""
        return request.user.has_perm("enrollment.block_device")

    def has_unblock_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this is somebody who lets ask again what was blocked."""
        return request.user.has_perm("enrollment.change_device")

    @display(description="State", label={"free": "success", "blocked": "danger"})
    def state(self, device: Device) -> str:
        """Say whether it may ask."""
        return "blocked" if device.blocked_at else "free"

    @display(description="Last outcome", label=BADGES)
    def last_outcome(self, device: Device) -> str:
        """Say what became of its last enrollment."""
        line = last_line(device)
        return line.stand if line else ""

    @display(description="Last enrollment", empty_value="never")
    def last_at(self, device: Device) -> Any:
        """Say when it last asked."""
        line = last_line(device)
        return line.enrollment.created_at if line else None

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        return services.create_device(
            actor=actor_of(request), label_id=data["label"].pk, name=data["name"]
        )

    @override
    def is_blocked(self, row: Any) -> bool:
        return bool(row.blocked_at is not None)

    @action(description="Block…", url_path="block", icon="block", permissions=["block"])
    def block(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Block the device, once it is confirmed, and then offer to revoke what it holds."""
        device = self.row(request, object_id)
        question = Question(
            name="block",
            title=f"Block the device {device}",
            explanation="It enrolls, renews and collects nothing from now on, and what it asked "
            "for ends. What it holds stays valid until it is revoked, which is asked next.",
            button="Block",
            form=ReasonForm,
            subject=device,
            back=self.row_page(device),
        )

        def block(given: dict[str, Any]) -> list[str]:
            services.block_device(actor=actor_of(request), device_id=device.pk, **given)
            return [f"Blocked {device}."]

        asked = self.confirm_named(request, question, [device], block)
        return self.after_block(request, device, asked)

    @action(description="Unblock…", url_path="unblock", permissions=["unblock"])
    def unblock(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the device ask again, once it is confirmed."""
        device = self.row(request, object_id)
        question = Question(
            name="unblock",
            title=f"Let the device {device} ask again",
            button="Unblock",
            subject=device,
            back=self.row_page(device),
            is_calm=True,
        )

        def unblock(_: dict[str, Any]) -> list[str]:
            services.unblock_device(actor=actor_of(request), device_id=device.pk)
            return [f"{device} may ask again."]

        return self.confirm(request, question, unblock)

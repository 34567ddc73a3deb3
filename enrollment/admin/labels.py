"""Labels in the admin; every change goes through the services."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from typing_extensions import override
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from enrollment import services
from enrollment.admin.held import Holds
from enrollment.admin.outcomes import BADGES, last_line, with_last
from enrollment.admin.recipes import address_of, recipes_of
from enrollment.models import Label
from enrollment.models.labels import default_accepts
from enrollment.policy import MAX_REASON
from enrollment.services.labels import EDITABLE
from enrollment.states import Accepts, Protocol
from foundation.admin import ConfirmForm, Question, Saves
from foundation.forms import LinesField
from owners.logins import actor_of


class ReasonForm(ConfirmForm):
    """Why something is blocked."""

    reason = forms.CharField(
        required=False,
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It is kept in the audit trail.",
    )


class LabelForm(forms.ModelForm[Label]):
    """A label, its tags one a line."""

    tags = LinesField(help_text="One a line.")
    accepts = forms.MultipleChoiceField(
        choices=Accepts.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What may be shown the first time. The certificate that a device enrolled here "
        "renews always.",
    )
    trust_anchors_pem = forms.CharField(
        label="Trust anchors",
        required=False,
        max_length=200_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="CA certificates of manufacturers, as PEM, whose device certificates may enroll.",
    )

    class Meta:
        model = Label
        fields = ("protocol", "path", *EDITABLE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:  # noqa: SLF001 - what Django calls a new row by
            self.fields["accepts"].initial = default_accepts()  # the model's own, as at every door


@admin.register(Label)
class LabelAdmin(Saves, Holds):
    """Addresses at which devices enroll."""

    empty_words = (
        "A label is an address at which devices enroll, with the issuer and the profile that "
        "answer there."
    )
    empty_button = ("Make a label", "enrollment_label_add")

    form = LabelForm
    list_display = (
        "path",
        "protocol",
        "state",
        "issuer",
        "profile",
        "owner",
        "last_outcome",
        "last_at",
    )
    list_filter = ("protocol", "enabled")
    list_select_related = ("issuer", "profile", "owner")
    search_fields = ("path", "owner__name", "environment")
    ordering = ("protocol", "path")
    autocomplete_fields = ("issuer", "profile", "owner", "team", "renewal_policy")
    actions_detail = ("block", "unblock", "revoke_held")
    use_cases = {
        "add": "label.create",
        "change": "label.update",
        "block": "label.block",
        "unblock": "label.unblock",
        **Holds.holding,
    }
    fieldsets = (
        (None, {"fields": (("protocol", "path"), "is_default")}),
        (
            "What is enrolled",
            {
                "fields": (
                    ("issuer", "profile"),
                    ("owner", "team"),
                    "renewal_policy",
                    ("environment", "tags"),
                )
            },
        ),
        ("Who may enroll", {"fields": ("accepts", "trust_anchors_pem", "hourly_limit")}),
        (
            "Approval",
            {
                "description": "Beyond what the profile says; it is never less.",
                "fields": ("approve_first", "approve_renewals", "trust_shared"),
            },
        ),
        ("Of one protocol only", {"fields": ("server_keys", "legacy_algorithms")}),
    )
    _SHOWN = ("state", "principal", "ra_certificate", "anchors_by", "created_by", "created_at")

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Label]:
        return with_last(super().get_queryset(request), "label")

    @override
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.fieldsets
        return (*self.fieldsets, ("Here", {"fields": self._SHOWN}))

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The address is what devices have been configured with.
        return ("protocol", "path", *self._SHOWN) if obj else ()

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # blocked instead: what was enrolled there refers to it

    def has_block_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this is somebody who blocks."""
        return request.user.has_perm("enrollment.block_label")

    def has_unblock_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this is somebody who opens what was blocked."""
        return request.user.has_perm("enrollment.change_label")

    @display(description="State", label={"open": "success", "blocked": "danger"})
    def state(self, label: Label) -> str:
        """Say whether anything is enrolled here."""
        return "open" if label.enabled else "blocked"

    @display(description="Last outcome", label=BADGES)
    def last_outcome(self, label: Label) -> str:
        """Say what became of the last enrollment."""
        line = last_line(label)
        return line.stand if line else ""

    @display(description="Last enrollment", empty_value="never")
    def last_at(self, label: Label) -> Any:
        """Say when something was last asked for."""
        line = last_line(label)
        return line.enrollment.created_at if line else None

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        actor = actor_of(request)
        if row is None:
            return services.create_label(actor=actor, **data)
        return services.update_label(actor=actor, label_id=row.pk, changes=data)

    @override
    def around(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        address = address_of(row, est=f"https://{request.get_host()}", scep=settings.PKI_BASE_URL)
        return {
            **super().around(request, row),
            "address": address,
            "also_default": row.is_default,
            "default_address": address.rpartition("/")[0],
            "recipes": recipes_of(row, address),
            "secret_word": "challenge" if row.protocol == Protocol.SCEP else "credential",
        }

    # --- Blocking ------------------------------------------------------------------------------

    @override
    def is_blocked(self, row: Any) -> bool:
        return bool(not row.enabled)

    @action(description="Block…", url_path="block", icon="block", permissions=["block"])
    def block(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Have nothing enrolled here, once it is confirmed."""
        label = self.row(request, object_id)
        question = Question(
            name="block",
            title=f"Block the label {label}",
            explanation="Nothing is enrolled, renewed or collected here from now on, and what was "
            "asked for ends. What was issued stays valid until it is revoked.",
            button="Block",
            form=ReasonForm,
            subject=label,
            back=self.row_page(label),
        )

        def block(given: dict[str, Any]) -> list[str]:
            services.block_label(actor=actor_of(request), label_id=label.pk, **given)
            return [f"Blocked {label}."]

        asked = self.confirm_named(request, question, [label], block)
        return self.after_block(request, label, asked)

    @action(description="Open again…", url_path="unblock", permissions=["unblock"])
    def unblock(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open the label again, once it is confirmed."""
        label = self.row(request, object_id)
        question = Question(
            name="unblock",
            title=f"Open the label {label} again",
            button="Open",
            subject=label,
            back=self.row_page(label),
            is_calm=True,
        )

        def unblock(_: dict[str, Any]) -> list[str]:
            services.unblock_label(actor=actor_of(request), label_id=label.pk)
            return [f"{label} is open."]

        return self.confirm(request, question, unblock)

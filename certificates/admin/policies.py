"""Renewal policies in the admin, written and deleted through the services."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from typing_extensions import override
from unfold.decorators import display

from certificates import services
from certificates.models import RenewalPolicy
from foundation import durations
from foundation.admin import Deletes, Saves
from foundation.forms import NumbersField
from owners.logins import actor_of


class PolicyForm(forms.ModelForm[RenewalPolicy]):
    """A policy, its lengths with their units, its alerts as numbers of days."""

    alert_days = NumbersField(
        label="Alerts",
        help_text="From how many days before its end on a certificate that nothing renews raises "
        "an alert: whole days, such as 30, 14, 7, 0. Empty: not before it has ended.",
    )

    class Meta:
        model = RenewalPolicy
        fields = (
            "name",
            "auto_renew",
            "reuse_key",
            "window",
            "max_attempts",
            "retry_delay",
            "alert_days",
        )
        help_texts = {"retry_delay": "How long a failed job waits before it is tried again."}


@admin.register(RenewalPolicy)
class RenewalPolicyAdmin(Saves, Deletes):
    """When and how certificates are renewed."""

    empty_words = (
        "A renewal policy says how long before its end a certificate is renewed, and when "
        "people are warned."
    )
    empty_button = ("Make a renewal policy", "certificates_renewalpolicy_add")

    form = PolicyForm
    list_display = ("name", "auto_renew", "before_the_end", "reuse_key", "max_attempts")
    list_filter = ("auto_renew",)
    search_fields = ("name",)
    fields = (
        "name",
        ("auto_renew", "reuse_key"),
        "window",
        ("max_attempts", "retry_delay"),
        "alert_days",
    )
    use_cases = {
        "add": "renewalpolicy.create",
        "change": "renewalpolicy.update",
        "delete": "renewalpolicy.delete",
    }

    @display(description="Window", ordering="window")
    def before_the_end(self, policy: RenewalPolicy) -> str:
        """Say how long before its end a certificate is renewed."""
        return durations.words(policy.window)

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        if row is None:
            return services.create_policy(actor=actor_of(request), **data)
        return services.update_policy(policy_id=row.pk, actor=actor_of(request), changes=data)

    @override
    def delete_row(self, request: HttpRequest, row: Any) -> None:
        services.delete_policy(policy_id=row.pk, actor=actor_of(request))

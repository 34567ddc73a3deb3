"""What is said of a plan wherever many are revoked in the admin."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from revocation import services
from revocation.models import Plan
from revocation.states import Status


def said_of(admin: ModelAdmin[Any], request: HttpRequest, plan: Plan) -> list[str]:
    """Return what to say of a plan that was just made; what failed in it is said as errors."""
    if plan.status == Status.COMPLETED:
        result = services.result_of(plan)
        for one in result.outcomes:
            if one.outcome == "failed":
                admin.message_user(request, f"{one.name}: {one.detail}", messages.ERROR)
        return [f"Revoked {result.revoked} version(s)."]
    if plan.status == Status.PREVIEWED:
        words = "Nothing is revoked yet: {} versions need a second administrator, who confirms {}."
    else:
        words = "{} versions are being revoked by the worker: follow {}."
    page = reverse(f"{admin.admin_site.name}:revocation_plan_change", args=[plan.pk])
    link = format_html('<a class="certctl-link" href="{}">the plan</a>', page)
    return [format_html(words, plan.count, link)]

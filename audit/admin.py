"""The audit trail in the admin: to read, never to change."""

import json
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateTimeFilter
from unfold.decorators import display

from audit.models import Event
from foundation import durations
from foundation.admin import ReadOnly
from foundation.forms import duration_columns

_BEFORE_AND_AFTER = ("before", "after")


@admin.register(Event)
class EventAdmin(ReadOnly):
    """Who did what, newest first."""

    empty_words = (
        "Who did what, and what was refused to whom. It fills by itself, and nothing in it "
        "can be changed."
    )

    list_display = (
        "sequence",
        "at",
        "show_action",
        "who",
        "subject_name",
        "door",
        "came_from",
    )
    list_filter = (
        ("at", RangeDateTimeFilter),
        "door",
        "action",
        ("certificate", FieldTextFilter),
        ("owner", FieldTextFilter),
    )
    list_filter_submit = True
    linked = ("certificate", "owner")  # from the pages of those
    search_fields = ("action", "actor_name", "subject_name", "subject_id", "request_id")
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-sequence",)
    exclude = ("data",)
    readonly_fields = ("shown_data",)

    @display(description="Actor", ordering="actor_name")
    def who(self, event: Event) -> str:
        """Name the principal, and the key where it used one."""
        return f"{event.actor_name} · {event.api_key}" if event.api_key else event.actor_name

    @display(description="From", ordering="remote_address", empty_value="-")
    def came_from(self, event: Event) -> str | None:
        """Show the address, under a word that leaves room for the others."""
        return event.remote_address

    @display(
        description="Action",
        ordering="action",
        label={"refused": "danger", "decided": "success", "plain": "info"},
    )
    def show_action(self, event: Event) -> tuple[str, str]:
        """Show refusals in red and decisions in green."""
        if event.action.endswith((".refuse", ".fail", ".login_failed")):
            return "refused", event.action
        if event.action in {"job.approve", "job.complete"}:
            return "decided", event.action
        return "plain", event.action

    @display(description="What changed")
    def shown_data(self, event: Event) -> SafeString:
        """Show the event's data as indented JSON, with durations in words."""
        shown = json.dumps(_for_people(event), indent=2, sort_keys=True)
        return format_html('<pre class="certctl-data">{}</pre>', shown)


def _for_people(event: Event) -> Any:
    """Return the event's data; what is a duration in its subject's table is one in words.

    The table says which: a name may well read "P1D".
    """
    spans = _durations_of(event.subject_type)

    def shown(value: Any, *, is_span: bool) -> Any:
        if isinstance(value, dict):
            return {
                name: shown(one, is_span=name in spans or (is_span and name in _BEFORE_AND_AFTER))
                for name, one in value.items()
            }
        return durations.in_words(value) if is_span and isinstance(value, str) else value

    return shown(event.data, is_span=False)


def _durations_of(label: str) -> set[str]:
    try:
        return duration_columns(apps.get_model(label))
    except (LookupError, ValueError):
        return set()  # no subject, or one of a table that is gone

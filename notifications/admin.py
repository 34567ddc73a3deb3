"""What people were told by e-mail, and what does not go out: to read."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from typing_extensions import override
from unfold.decorators import display

from foundation.admin import ReadOnly
from notifications import words
from notifications.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnly):
    """The outbox, the newest first."""

    list_display = ("subject", "recipient", "show_state", "attempts", "created_at", "sent_at")
    list_filter = ("kind", "given_up", "created_at")
    list_select_related = ("recipient",)
    search_fields = ("subject", "recipient__username")
    search_help_text = "By its subject or who it is for."
    empty_words = "What people are told by e-mail stands here, and what does not go out."
    fields: ClassVar = (
        ("subject", "show_state"),
        ("recipient", "sent_to"),
        ("kind", "job"),
        ("created_at", "sent_at"),
        ("attempts", "due_at"),
        "last_error",
        "show_body",
    )
    readonly_fields = ("show_state", "show_body")

    @override
    def has_view_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return request.user.has_perm("notifications.view_message")

    @display(description="State")
    def show_state(self, message: Message) -> SafeString:
        """Show as a badge whether it went out, and what keeps it."""
        tone, word = _state_of(message)
        why = format_html('<span class="standing-why">{}</span>', message.last_error)
        return format_html(
            '<span class="standing standing-{}">{}</span>{}',
            tone,
            word,
            why if message.last_error else "",
        )

    @display(description="Text")
    def show_body(self, message: Message) -> SafeString:
        """Show its text as it was sent."""
        return format_html('<pre class="certctl-commands" tabindex="0">{}</pre>', message.body)


def _state_of(message: Message) -> tuple[str, str]:
    if message.sent_at is not None:
        return "done", "Sent"
    if message.given_up:
        return "failed", "Given up"
    if message.last_error:
        return "waiting", "Failing"
    return ("working", "To be sent") if words.is_on() else ("over", "Mail is off")

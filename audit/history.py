"""What the trail says of one row, for the page about it: the last events as sentences."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.actions import REFUSE
from audit.models import Event
from audit.sentences import Told, door_words, told
from foundation.admin import words
from foundation.admin.pages import link_to, link_to_list
from foundation.admin.parts import Badge, Table
from foundation.admin.plainly import plainly

SHOWN = 50  # events; the whole list is one press away
VIEW = "audit.view_event"
_KINDS = {
    "job.approve": "decided",
    "revocation_plan.confirm": "decided",
    "job.complete": "done",
    "job.fail": "failed",
}
_COLOURS = {"refused": "danger", "failed": "danger", "decided": "success", "done": "success"}


def history_of(
    request: HttpRequest, events: QuerySet[Event], *, title: str = "History", **narrowed: Any
) -> list[Table]:
    """Return the last of `events`, newest first, for whoever may read the trail; else nothing.

    `narrowed` is how the whole list of events is narrowed to the same ones, by its own look-ups;
    without it there is no link.
    """
    if not request.user.has_perm(VIEW):
        return []
    rows = list(events.order_by("-sequence")[:SHOWN])
    more = link_to_list(request, "audit.event", "All events", **narrowed) if narrowed else None
    return [
        Table(
            title,
            ("What happened", "Through", "When"),
            [(_sentence(request, event), through(event), event.at) for event in rows],
            empty="The trail says nothing of it.",
            more=more,
        )
    ]


def about_subject(label: str, *keys: Any) -> QuerySet[Event]:
    """Return the events whose subject is a row of `label`, as "issuers.issuer", with such a key."""
    return Event.objects.filter(subject_type=label, subject_id__in=[str(key) for key in keys])


def history_about(request: HttpRequest, row: Model) -> list[Table]:
    """Return the history of a row that is itself the subject of its events, as `history_of`."""
    label, key = row._meta.label_lower, str(row.pk)  # noqa: SLF001 - Django's public name for it
    return history_of(request, about_subject(label, key), subject_type=label, subject_id=key)


def as_html(sentence: Told, page: str = "") -> SafeString:
    """Return a sentence as HTML; a subject with a `page` of its own is linked."""
    subject = format_html("<bdi>{}</bdi>", plainly(sentence.subject))
    if page:
        subject = format_html('<a class="certctl-link" href="{}">{}</a>', page, subject)
    why = format_html(": {}", plainly(words.reason(sentence.why))) if sentence.why else ""
    return format_html(
        "<b><bdi>{}</bdi></b> {} {}{}{}{}",
        plainly(sentence.who),
        sentence.verb,
        sentence.before,
        subject if sentence.subject else "",
        sentence.after,
        why,
    )


def kind_of(event: Event) -> str:
    """Return what is said before the sentence: refusals in red, decisions in green."""
    if event.action.endswith((REFUSE, ".login_failed", ".lock_out")):
        return "refused"
    return _KINDS.get(event.action, "")


def through(event: Event) -> str:
    """Name the door that somebody came by, and the key where one was used."""
    door = door_words(event.door)
    return f"{door}, key {event.api_key}" if event.api_key else door


def _sentence(request: HttpRequest, event: Event) -> Any:
    """Return the sentence as the link to its event, after a badge where it needs one."""
    link = link_to(request, event, as_html(told(event)))
    kind = kind_of(event)
    return format_html("{} {}", Badge(kind, _COLOURS[kind]), link) if kind else link

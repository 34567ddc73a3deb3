"""What the trail says of one row, for the page about it: the last events and a link to all."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from audit.models import Event
from foundation.admin.pages import link_to, link_to_list
from foundation.admin.parts import Table

SHOWN = 50  # events; the whole list is one press away
VIEW = "audit.view_event"


def history_of(request: HttpRequest, events: QuerySet[Event], **narrowed: Any) -> list[Table]:
    """Return the last of `events`, newest first, for whoever may read the trail; else nothing.

    `narrowed` is how the whole list of events is narrowed to the same ones, by its own look-ups;
    without it there is no link.
    """
    if not request.user.has_perm(VIEW):
        return []
    rows = list(events.order_by("-sequence")[: SHOWN + 1])
    more = link_to_list(request, "audit.event", "All events", **narrowed) if narrowed else None
    return [
        Table(
            "History",
            ("What", "Of what", "Who", "When"),
            [
                (link_to(request, event, event.action), event.subject_name, _who(event), event.at)
                for event in rows[:SHOWN]
            ],
            empty="The trail says nothing of it.",
            more=more if narrowed else None,
        )
    ]


def about_subject(label: str, *keys: Any) -> QuerySet[Event]:
    """Return the events whose subject is a row of `label`, as "issuers.issuer", with such a key."""
    return Event.objects.filter(subject_type=label, subject_id__in=[str(key) for key in keys])


def _who(event: Event) -> str:
    return f"{event.actor_name} · {event.api_key}" if event.api_key else event.actor_name

"""The audit trail in the admin: sentences to read, never to change."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from typing_extensions import override
from unfold.decorators import display

from audit import actions
from audit.history import as_html, kind_of, through
from audit.models import Event
from audit.sentences import door_words, person, told, words_of
from audit.shown import changes_of, particulars_of
from audit.via import Door
from foundation.admin import ReadOnly, words
from foundation.admin.links import pages_of
from foundation.admin.lists import chips
from foundation.admin.lists.dates import Between
from foundation.admin.lists.listing import Listing
from foundation.forms import duration_columns


class _Known(chips.Choice):
    """By names of a closed list, in words; asked when it is looked at, for apps add to it."""

    def __init__(
        self, name: str, title: str, known: Callable[[], Iterable[tuple[str, str]]]
    ) -> None:
        chips.Chip.__init__(self, name, title, aliases=(f"{name}__exact",))
        self.path, self.by, self._known = name, None, known

    @property
    def choices(self) -> dict[str, str]:  # type: ignore[override]  # which is made once elsewhere
        """The names, and their words."""
        return dict(self._known())


def _actions() -> Iterable[tuple[str, str]]:
    """Return what can be done, or refused, in the order of its words."""
    known = [
        name
        for one in actions.ACTIONS.values()
        for name in ((one.name, f"{one.name}{actions.REFUSE}") if one.function else (one.name,))
    ]
    return sorted(((name, words_of(name)) for name in known), key=_words)


def _doors() -> Iterable[tuple[str, str]]:
    return [(door.value, door_words(door.value)) for door in Door]


class Trail(Listing):
    """A page of the trail that knows which subjects its reader may look at."""

    @override
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        subjects = [(event.subject_type, event.subject_id) for event in self.result_list]
        pages = pages_of(self.model_admin.admin_site, request, subjects)
        for event, subject in zip(self.result_list, subjects, strict=True):
            vars(event)["page"] = pages.get(subject, "")


@admin.register(Event)
class EventAdmin(ReadOnly):
    """Who did what, newest first."""

    empty_words = (
        "Who did what, and what was refused to whom. It fills by itself, and nothing in it "
        "can be changed."
    )

    list_display = ("show_when", "show_sentence", "show_door", "came_from")
    own_chips = (
        Between("at", "When"),
        chips.Text(
            "actor_name",
            "By",
            lambda text: Q(actor_name__icontains=text),
            aliases=("actor_name__icontains",),
        ),
        _Known("action", "What", _actions),
        _Known("door", "How they came in", _doors),
    )
    linked = ("certificate", "owner", "subject_type", "subject_id", "actor")  # from pages of those
    search_fields = ("action", "actor_name", "subject_name", "subject_id", "request_id")
    search_help_text = "By person, subject or the action's name."
    ordering = ("-sequence",)
    change_form_before_template = "admin/audit/event.html"
    fieldsets = (
        (
            "In the chain",
            {
                "fields": (
                    ("sequence", "action"),
                    ("request_id", "format"),
                    ("subject_type", "subject_id"),
                    ("certificate", "owner"),
                    "hash",
                    "previous_hash",
                )
            },
        ),
    )

    class Media:
        css = {"all": ("certctl/audit.css",)}

    @override
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Listing]:
        return Trail

    @override
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        event: Event = context["original"]
        subject = (event.subject_type, event.subject_id)
        page = pages_of(self.admin_site, request, [subject]).get(subject, "")
        spans = _durations_of(event.subject_type)
        context |= {
            "title": f"Event {event.sequence}",
            "sentence": as_html(told(event), page),
            "event": event,
            "person": person(event),
            "door": door_words(event.door),
            "changes": changes_of(event.data, spans),
            "particulars": particulars_of(event.data, spans),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="When", ordering="sequence")
    def show_when(self, event: Event) -> SafeString | str:
        """Show the moment in UTC, and how long ago it is."""
        return words.when(event.at)

    @display(description="What happened", ordering="action")
    def show_sentence(self, event: Event) -> SafeString:
        """Tell the event as a sentence that links its subject."""
        kind = kind_of(event)
        badge = format_html('<span class="audit-badge">{}</span> ', kind) if kind else ""
        sentence = as_html(told(event), vars(event).get("page", ""))
        return format_html('<span class="audit-told audit-{}">{}{}</span>', kind, badge, sentence)

    @display(description="Through", ordering="door")
    def show_door(self, event: Event) -> str:
        """Name the door, and the key where one was used."""
        return through(event)

    @display(description="From", ordering="remote_address", empty_value="-")
    def came_from(self, event: Event) -> str | None:
        """Show the address, under a word that leaves room for the others."""
        return event.remote_address


def _words(choice: tuple[str, str]) -> str:
    return choice[1]


def _durations_of(label: str) -> Mapping[str, bool]:
    """Say which fields of the subject's table are durations: a name may well read "P1D"."""
    try:
        return dict.fromkeys(duration_columns(apps.get_model(label)), True)
    except (LookupError, ValueError):
        return {}  # no subject, or one of a table that is gone

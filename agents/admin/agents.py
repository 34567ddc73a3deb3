"""Agents in the admin: what is known of each, what depends on it, and how it is retired."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from typing_extensions import override
from unfold.decorators import action, display

from agents import services
from agents.services import Dependents
from audit.history import history_about
from deployments.models import Agent
from foundation import durations
from foundation.admin import Confirms, Page, Question, ReadOnly
from foundation.admin.lists.chips import Chip, Choice
from foundation.admin.named import named_form
from foundation.admin.pages import link_to, link_to_list
from foundation.admin.parts import Badge, Fact, Facts, Head, Notices, Section, Table
from jobs.approvals import word_of
from owners.logins import actor_of

COLOURS = {
    Agent.State.REGISTERED: "info",
    Agent.State.ONLINE: "success",
    Agent.State.OFFLINE: "danger",
    Agent.State.RETIRED: "default",
}


@admin.register(Agent)
class AgentAdmin(Page, Confirms, ReadOnly):
    """Hosts that fetch their own work."""

    empty_words = (
        "An agent is a process on a host that makes its private keys there and puts certificates "
        "in place. It registers with a token that is made here."
    )
    empty_button = ("Make a token", "agents_token_add")

    list_display = ("name", "show_state", "os", "architecture", "version", "address", "show_seen")
    own_chips: ClassVar[Sequence[Chip]] = [
        Choice("state", "State", Agent.State.choices, aliases=("state__exact",))
    ]
    search_fields = ("name",)
    ordering = ("name",)
    actions_list: ClassVar = ("make_token",)
    actions_detail: ClassVar = ("retire",)
    page_related = ("vouched_by", "principal")
    use_cases = {"make_token": "agent.create_token", "retire": "agent.retire"}

    @override
    def head(self, request: HttpRequest, row: Agent) -> Head:
        return Head(
            "Agent",
            row.name,
            _badge(row),
            [["Last heard of", row.last_seen_at]] if row.last_seen_at else [["Never heard of"]],
        )

    @override
    def sections(self, request: HttpRequest, row: Agent) -> Iterable[Section]:
        if row.clock_is_wrong:
            words = f"Its clock is {_clock(row)}: to it, certificates may seem over, or to come."
            yield Notices("To look at", [words])
        yield Facts(
            "Its host",
            [
                Fact("Operating system", row.os),
                Fact("Architecture", row.architecture),
                Fact("Agent's version", row.version),
                Fact("Address", row.address),
                Fact("Clock", _clock(row) if row.clock_offset is not None else None),
            ],
        )
        yield Facts(
            "How it came about",
            [
                Fact("Registered", row.created_at),
                Fact("With the token of", link_to(request, row.vouched_by)),
                Fact("Acts as", link_to(request, row.principal)),
                Fact("Retired", row.retired_at),
            ],
        )
        yield from _dependents(request, row, services.dependents_of(row))

    @override
    def last_sections(self, request: HttpRequest, row: Agent) -> Iterable[Section]:
        yield from history_about(request, row)

    def has_make_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this is somebody who has agents register."""
        return request.user.has_perm("agents.add_token")

    @action(description="Make a token", url_path="token", icon="vpn_key", permissions=["make"])
    def make_token(self, request: HttpRequest) -> HttpResponse:
        """Lead to the form of a registration token."""
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:agents_token_add"))

    def has_retire_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this is somebody who retires agents."""
        return request.user.has_perm("deployments.change_agent")

    @override
    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        row = self.get_object(request, unquote(str(object_id)))
        is_over = row is None or row.retired_at is not None
        return [] if is_over else super().get_actions_detail(request, object_id)

    @action(description="Retire…", url_path="retire", icon="block", permissions=["retire"])
    def retire(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Retire the agent, once its name was typed with what depends on it in sight."""
        row = self.row(request, object_id)
        question = Question(
            name="retire",
            title=f"Retire the agent {row}",
            explanation="Its keys let it in no more, for good, and its open work ends. What is "
            "served runs on, and nothing new is put in place until another agent, or the server, "
            "has its targets. Its name stays taken.",
            button="Retire",
            form=named_form([row]),
            subject=row,
            details="admin/agents/agent/dependents.html",
            context={"dependents": services.dependents_of(row)},
            back=self.row_page(row),
        )

        def retire(_: dict[str, Any]) -> list[str]:
            services.retire_agent(actor=actor_of(request), agent_id=row.pk)
            return [f"Retired {row}."]

        return self.confirm(request, question, retire)

    @display(
        description="State",
        ordering="state",
        label={state.value: colour for state, colour in COLOURS.items()},
    )
    def show_state(self, row: Agent) -> str:
        """Say what is known of it in a word."""
        return str(row.state)

    @display(description="Last heard of", ordering="last_seen_at")
    def show_seen(self, row: Agent) -> Any:
        """Say when it was heard of."""
        return row.last_seen_at


def _badge(row: Agent) -> Badge:
    return Badge(row.state, COLOURS[Agent.State(row.state)])


def _clock(row: Agent) -> str:
    offset = row.clock_offset or 0
    if not row.clock_is_wrong:
        return "right"
    way = "ahead of" if offset > 0 else "behind"
    return f"{durations.words(timedelta(seconds=abs(offset)))} {way} ours"


def _dependents(request: HttpRequest, row: Agent, depends: Dependents) -> Iterable[Section]:
    yield Table(
        "Targets that it carries to",
        ("Target", "Kind", "Endpoint"),
        [(link_to(request, one), one.kind, one.endpoint_host) for one in depends.targets],
        empty="No target is carried to by it.",
        more=link_to_list(request, "deployments.target", "All targets"),
    )
    yield Table(
        "Certificates that are served there",
        ("Certificate", "Status"),
        [(link_to(request, one), one.status) for one in depends.certificates],
        empty="Nothing is served there.",
    )
    yield Table(
        "Open work",
        ("Job", "Status", "Asked for"),
        [(link_to(request, one), word_of(one), one.created_at) for one in depends.jobs],
        empty="It has nothing to do.",
        more=link_to_list(request, "jobs.job", "All jobs of it", agent__id__exact=str(row.pk)),
    )

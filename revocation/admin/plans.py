"""Plans of bulk revocation in the admin: made, looked at, confirmed, followed."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from typing_extensions import override
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from audit.history import about_subject, history_of
from certificates.policy import SubscriberWithdraws
from foundation.admin import Confirms, Page, Question, ReadOnly, valid
from foundation.admin.forms import show
from foundation.admin.parts import Head, Section
from foundation.admin.words import reason_parts
from foundation.errors import FieldError, Invalid
from owners.logins import actor_of
from revocation import policy, services
from revocation.admin.forms import NoteForm, PlanForm, asked, count_form
from revocation.admin.shown import count_of, facts_of, head_of, name_of, shown
from revocation.models import Plan
from revocation.states import Move, Status

BADGES = {
    Status.PREVIEWED: "warning",
    Status.RUNNING: "info",
    Status.PAUSED: "warning",
    Status.STOPPED: "danger",
    Status.COMPLETED: "success",
    Status.EXPIRED: "default",
}
LINES = 50  # of a plan's versions on a page
_MOVES = {
    "confirm": Move.CONFIRM,
    "pause": Move.PAUSE,
    "resume": Move.RESUME,
    "stop": Move.STOP,
}


@admin.register(Plan)
class PlanAdmin(Page, ReadOnly, Confirms):
    """Plans: what was previewed and frozen, who confirmed it, and how far it is."""

    empty_words = (
        "A plan revokes many certificates at once, previewed and confirmed first. One begins "
        "with a choice in the list of certificates."
    )

    list_display = (
        "show_plan",
        "show_status",
        "progress",
        "why",
        "made_by",
        "confirmed_by",
        "made_at",
    )
    list_display_links = ("show_plan",)
    list_filter = ("status", "reason", "drill")
    list_select_related = ("made_by", "confirmed_by")
    ordering = ("-made_at", "pk")
    actions_list = ("make",)
    actions_detail = (
        "confirm_one",
        "look_one",
        "pause_one",
        "resume_one",
        "stop_one",
        "report",
    )
    reading = ("report",)  # it changes nothing, as over REST
    page_after = "admin/revocation/plan.html"
    page_related = ("made_by", "confirmed_by", "looked_by")
    use_cases = {
        "make": "revocation_plan.create",
        "confirm_one": "revocation_plan.confirm",
        "look_one": "revocation_plan.look",
        "pause_one": "revocation_plan.pause",
        "resume_one": "revocation_plan.resume",
        "stop_one": "revocation_plan.stop",
    }

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this is somebody who revokes many at once."""
        return request.user.has_perm(policy.BULK_REVOKE)

    @display(description="Plan")
    def show_plan(self, plan: Plan) -> str:
        """Say how many it is about, and whether it is a drill."""
        return name_of(plan)

    @display(description="Reason", ordering="reason")
    def why(self, plan: Plan) -> str:
        """Say why in words."""
        return reason_parts(plan.reason)[0]

    @display(description="Status", ordering="status", label=BADGES)
    def show_status(self, plan: Plan) -> str:
        """Show where it stands as a badge."""
        return plan.status

    @display(description="Done")
    def progress(self, plan: Plan) -> str:
        """Say how many versions have an outcome."""
        return f"{plan.done} of {plan.count}" if plan.confirmed_at else "-"

    @override
    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        offered: list[Any] = super().get_actions_detail(request, object_id)
        plan = self.get_object(request, str(object_id))
        if plan is None:
            return []
        allowed = {path for path, move in _MOVES.items() if plan.status in move.sources}
        allowed |= {"report"} | ({"look"} if plan.needs_look else set())
        return [button for button in offered if button.path in allowed]

    @override
    def head(self, request: HttpRequest, row: Plan) -> Head:
        return head_of(row, BADGES[Status(row.status)])

    @override
    def sections(self, request: HttpRequest, row: Plan) -> Iterable[Section]:
        return ()  # what it does, and its history, stand in `page_after`: progress comes first

    @override
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        plan = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if plan is not None:
            pages = Paginator(services.items_of(plan), LINES)
            pages.count = plan.count
            page = pages.get_page(request.GET.get("lines"))
            lines = list(services.lines(plan, page.object_list))
            extra |= {**shown(plan), "part": page, "lines": lines, "address": request.path}
            events = about_subject("revocation.plan", plan.pk)
            extra["last"] = [*facts_of(request, plan), *history_of(request, events)]
        return super().change_view(request, object_id, form_url, extra)

    # --- Make ----------------------------------------------------------------------------------

    @action(
        description="Make a plan…", url_path="make", icon="playlist_add", permissions=["decide"]
    )
    def make(self, request: HttpRequest) -> HttpResponse:
        """Ask which certificates are meant, and show what revoking them would do."""
        question = Question(
            name="make",
            title="Make a plan of bulk revocation",
            explanation="Nothing is revoked by this: the next page shows what would be, in "
            "numbers. Every criterion that is given must be met.",
            button="Show what would be revoked",
            form=PlanForm,
            back=self.list_page(),
            is_calm=True,
        )
        if not self.is_confirmed(request):
            return self.ask(request, question)
        form = PlanForm(request.POST, request.FILES)
        try:
            plan = services.create_plan(actor=actor_of(request), **asked(valid(form)))
        except (Invalid, SubscriberWithdraws) as error:
            outcome = self.refuse(request, "make", error)
            if form.is_valid():
                outcome.errors[:] = [_at_its_field(wrong) for wrong in outcome.errors]
                show(form, outcome)
            return self.ask(request, question, form)
        return HttpResponseRedirect(self.row_page(plan))

    # --- Confirm, look --------------------------------------------------------------------------

    @action(
        description="Confirm…",
        url_path="confirm",
        icon="check",
        variant=ActionVariant.PRIMARY,
        permissions=["decide"],
    )
    def confirm_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the numbers once more, and have the count typed."""
        plan = self.row(request, object_id)
        what = "Rehearse" if plan.drill else "Revoke"
        name = count_of(plan)
        question = Question(
            name="confirm_one",
            title=f"{what} {name}",
            explanation="Nothing is revoked: it is a drill."
            if plan.drill
            else "Relying parties will refuse them. Except for holds, this cannot be taken back.",
            button=f"{what} {name}",
            form=count_form(plan),
            subject=plan,
            details="admin/revocation/asked.html",
            context=shown(plan),
            back=self.row_page(plan),
        )

        def confirm(_: dict[str, Any]) -> list[str]:
            digest = request.POST.get("digest", "")
            services.confirm_plan(plan_id=plan.pk, actor=actor_of(request), digest=digest)
            return ["Confirmed: the worker carries it out."]

        return self.confirm(request, question, confirm)

    @action(description="I have looked…", url_path="look", permissions=["decide"])
    def look_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say that somebody else has looked at what was revoked at once."""
        return self._act(
            request,
            object_id,
            "look_one",
            ("I have looked at this revocation", "I have looked", "You have looked at it."),
            services.look_at_plan,
        )

    # --- Hold, go on, end -----------------------------------------------------------------------

    @action(description="Pause…", url_path="pause", icon="pause", permissions=["decide"])
    def pause_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Begin no further wave."""
        words = ("Pause the plan", "Pause", "Paused: no further wave begins.")
        return self._act(request, object_id, "pause_one", words, services.pause_plan)

    @action(description="Resume…", url_path="resume", icon="play_arrow", permissions=["decide"])
    def resume_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go on where it was paused."""
        words = ("Go on with the plan", "Go on", "It goes on.")
        return self._act(request, object_id, "resume_one", words, services.resume_plan)

    @action(description="Stop…", url_path="stop", icon="stop", permissions=["decide"])
    def stop_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it for good."""
        words = ("Stop the plan for good", "Stop", "Stopped: what is revoked stays so.")
        return self._act(request, object_id, "stop_one", words, services.stop_plan)

    @action(description="Report (CSV)", url_path="report", icon="download", permissions=["view"])
    def report(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Take the report away as a table, with owners' addresses."""
        plan = self.row(request, object_id)
        name = f"{'drill' if plan.drill else 'revocation'}-{plan.pk}.csv"
        return StreamingHttpResponse(
            (one.encode() for one in services.to_csv(plan)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _act(
        self,
        request: HttpRequest,
        object_id: str,
        name: str,
        words: tuple[str, str, str],
        act: Callable[..., Plan],
    ) -> HttpResponse:
        plan = self.row(request, object_id)
        title, button, done = words
        question = Question(
            name=name,
            title=title,
            button=button,
            form=NoteForm,
            subject=plan,
            details="admin/revocation/asked.html",
            context=shown(plan),
            back=self.row_page(plan),
            is_calm=name != "stop_one",
        )

        def acting(given: dict[str, Any]) -> list[str]:
            act(plan_id=plan.pk, actor=actor_of(request), **given)
            return [done]

        return self.confirm(request, question, acting)


def _at_its_field(wrong: FieldError) -> FieldError:
    """Return what is wrong with a criterion, at the field of the form that it stands in."""
    field = wrong["field"].removeprefix("criteria.")
    field = {"issued_between": "issued_to"}.get(field, field)
    return FieldError(field, wrong["code"], wrong["detail"])

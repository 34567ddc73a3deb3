"""Jobs in the admin: a queue to read, and the decisions to take on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from audit.use_cases import record_edge_refusal
from foundation.errors import CertctlError
from jobs import approvals, policy, services
from jobs.models import Job
from jobs.states import OPEN, Status
from owners.logins import actor_of
from owners.models import Principal

# As many as a page of the list shows: more cannot be looked at before deciding.
MOST_AT_ONCE = 100
RELATED = (
    "certificate__owner",
    "certificate__team",
    "certificate__issuer",
    "certificate__profile",
    "certificate__current__issuer",
    "target",
    "version",
    "requested_by",
    "csr_by",
    "decided_by",
)
BADGES = {
    Status.PENDING.label: "info",
    Status.AWAITING_CSR.label: "warning",
    Status.AWAITING_APPROVAL.label: "warning",
    Status.RUNNING.label: "primary",
    Status.COMPLETED.label: "success",
    Status.FAILED.label: "danger",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be decided, in the words of its page."""

    name: str
    title: str
    button: str
    done: str
    needs_reason: bool
    call: Callable[..., Job]
    check: Callable[[Principal, Job], None]


CHOICES = {
    choice.name: choice
    for choice in (
        Choice(
            name="approve",
            title="Approve",
            button="Approve",
            done="Approved",
            needs_reason=False,
            call=services.approve_job,
            check=policy.check_may_approve,
        ),
        Choice(
            name="reject",
            title="Reject",
            button="Reject",
            done="Rejected",
            needs_reason=True,
            call=services.reject_job,
            check=policy.check_may_reject,
        ),
        Choice(
            name="cancel",
            title="Cancel",
            button="Cancel the work",
            done="Cancelled",
            needs_reason=False,
            call=services.cancel_job,
            check=policy.check_may_cancel,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Item:
    """One job on the page of a decision: what it would do, and what stands against deciding."""

    review: approvals.Review
    objection: str


@admin.register(Job)
class JobAdmin(ModelAdmin):
    """A queue to read, and the decisions to take; machine-written rows cannot be edited."""

    list_display = (
        "show_certificate",
        "kind",
        "show_status",
        "show_wait",
        "target",
        "requested_by",
        "show_attempts",
        "created_at",
    )
    list_display_links = ("show_certificate",)
    list_select_related = RELATED
    list_filter = ("status", "kind", ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    date_hierarchy = "created_at"
    search_fields = ("certificate__name", "certificate__common_name", "id")
    search_help_text = "By the certificate's name or the job's id."
    list_per_page = 50
    show_full_result_count = False
    actions = ("approve", "reject", "cancel")
    actions_detail = ("approve_one", "reject_one", "cancel_one")
    change_form_before_template = "admin/jobs/job/review.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("show_certificate", "kind"),
                    ("show_status", "show_whole_wait"),
                    ("requested_by", "created_at"),
                    ("target", "agent"),
                    ("version", "lifetime"),
                )
            },
        ),
        (
            "Decision",
            {
                "fields": (
                    ("decided_by", "decided_at"),
                    "decision_reason",
                    "approved_digest",
                )
            },
        ),
        (
            "Work",
            {
                "fields": (
                    ("show_attempts", "last_error"),
                    ("scheduled_at", "started_at"),
                    ("completed_at", "lease_until"),
                    ("verification", "verification_detail"),
                )
            },
        ),
    )

    # --- Machine-written: nobody adds, edits or deletes --------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: jobs are asked for on their certificate."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        """Never: what happens to a job are its moves."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        """Never."""
        return False

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether this is somebody who decides, whichever the job."""
        return request.user.has_perm(policy.DECIDE)

    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> tuple[str, ...]:
        """All of them."""
        return tuple(_flat(self.fieldsets))

    # --- The list ----------------------------------------------------------------------------

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        """The newest first; of what waits for a decision, whoever has waited longest."""
        if request.GET.get("status__exact") == Status.AWAITING_APPROVAL:
            return ("created_at", "pk")
        return ("-created_at", "pk")

    @display(description="Certificate", ordering="certificate__name")
    def show_certificate(self, job: Job) -> str:
        """Name the certificate."""
        return job.certificate.name

    @display(description="Status", ordering="status", label=BADGES)
    def show_status(self, job: Job) -> str:
        """Show where it stands as a badge."""
        return str(Status(job.status).label)

    @display(description="Waits for")
    def show_wait(self, job: Job) -> str:
        """Say what has to happen next, briefly."""
        waits = approvals.waits_for(job)
        return waits.short if waits else ""

    @display(description="Waits for")
    def show_whole_wait(self, job: Job) -> str:
        """Say what has to happen next, and who can do it."""
        waits = approvals.waits_for(job)
        return waits.detail if waits else ""

    @display(description="Attempts", ordering="attempts")
    def show_attempts(self, job: Job) -> str:
        """Say how many tries were made of how many."""
        return f"{job.attempts} of {job.max_attempts}"

    @admin.action(description="Approve…", permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        """Show what would be done, and then approve it."""
        return self._decide(request, queryset, CHOICES["approve"])

    @admin.action(description="Reject…", permissions=["decide"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        """Show what would be done, and then reject it with a reason."""
        return self._decide(request, queryset, CHOICES["reject"])

    @admin.action(description="Cancel…", permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        """Show what is under way, and then cancel it."""
        return self._decide(request, queryset, CHOICES["cancel"])

    # --- The page of one job -----------------------------------------------------------------

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer what the job's status allows."""
        offered: list[Any] = super().get_actions_detail(request, object_id)
        status = Job.objects.filter(pk=_uuid(object_id)).values_list("status", flat=True).first()
        allowed = set()
        if status == Status.AWAITING_APPROVAL:
            allowed |= {"approve", "reject"}
        if status in OPEN:
            allowed.add("cancel")
        return [button for button in offered if button.path in allowed]

    @action(
        description="Approve…",
        url_path="approve",
        icon="check",
        variant=ActionVariant.PRIMARY,
        permissions=["decide"],
    )
    def approve_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what the job would do, to approve it."""
        return self._ask_about(request, object_id, CHOICES["approve"])

    @action(description="Reject…", url_path="reject", icon="close", permissions=["decide"])
    def reject_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what the job would do, to reject it."""
        return self._ask_about(request, object_id, CHOICES["reject"])

    @action(description="Cancel…", url_path="cancel", icon="block", permissions=["view"])
    def cancel_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what the job does, to cancel it."""
        return self._ask_about(request, object_id, CHOICES["cancel"])

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the job with what it would do."""
        job = Job.objects.select_related(*RELATED).filter(pk=_uuid(object_id)).first()
        extra = {"review": approvals.review(job) if job else None, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra)

    # --- The page of a decision --------------------------------------------------------------

    def _ask_about(self, request: HttpRequest, object_id: str, choice: Choice) -> HttpResponse:
        job = self._jobs(Job.objects.filter(pk=_uuid(object_id)))
        if not job:
            raise Http404
        return self._page(request, job, choice, back=object_id)

    def _decide(
        self, request: HttpRequest, queryset: QuerySet[Job], choice: Choice
    ) -> HttpResponse | None:
        """Show the page until it says `confirmed`; then decide on each job that it showed."""
        jobs = self._jobs(queryset)
        if len(jobs) > MOST_AT_ONCE:
            self.message_user(
                request,
                f"Choose at most {MOST_AT_ONCE} jobs: each has to be looked at.",
                messages.ERROR,
            )
            return None
        if "confirmed" not in request.POST:
            return self._page(request, jobs, choice)
        if choice.needs_reason and not request.POST.get("reason", "").strip():
            return self._page(request, jobs, choice, error="Say why, for whoever asked.")
        for job in jobs:
            self._decide_one(request, job, choice)
        back = request.POST.get("back", "")
        if back and any(str(job.pk) == back for job in jobs):
            return HttpResponseRedirect(reverse("admin:jobs_job_change", args=[back]))
        return HttpResponseRedirect(reverse("admin:jobs_job_changelist"))

    def _decide_one(self, request: HttpRequest, job: Job, choice: Choice) -> None:
        actor = actor_of(request)
        given = {"reason": request.POST.get("reason", "")}
        if choice.name == "approve":
            # What was shown is what is approved; a page without it approves nothing.
            given["digest"] = request.POST.get(f"digest_{job.pk}", "") or "not shown"
        try:
            choice.call(job_id=job.pk, actor=actor, **given)
        except CertctlError as error:
            record_edge_refusal(actor=actor, action=f"job.{choice.name}", error=error, subject=job)
            detail = " ".join([error.detail, *(field["detail"] for field in error.errors)])
            self.message_user(request, f"{job}: {detail}", messages.ERROR)
        else:
            self.message_user(request, f"{choice.done}: {job}.", messages.SUCCESS)

    def _page(
        self,
        request: HttpRequest,
        jobs: Sequence[Job],
        choice: Choice,
        *,
        error: str = "",
        back: str = "",
    ) -> TemplateResponse:
        actor = actor_of(request)
        items = [Item(approvals.review(job), _objection(actor, job, choice)) for job in jobs]
        context = {
            **self.admin_site.each_context(request),
            "title": choice.title,
            "heading": _heading(choice, jobs),
            "opts": self.model._meta,  # noqa: SLF001 - as every admin template is given it
            "media": self.media,
            "choice": choice,
            "items": items,
            "may_go_on": any(not item.objection for item in items),
            "error": error,
            "reason": request.POST.get("reason", ""),
            "back": back or request.POST.get("back", ""),
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request, "admin/jobs/job/decide.html", context, status=400 if error else 200
        )

    @staticmethod
    def _jobs(queryset: QuerySet[Job]) -> list[Job]:
        return list(queryset.select_related(*RELATED)[: MOST_AT_ONCE + 1])


def _heading(choice: Choice, jobs: Sequence[Job]) -> str:
    what = str(jobs[0]) if len(jobs) == 1 else f"{len(jobs)} jobs"
    return f"{choice.title}: {what}?"


def _objection(actor: Principal, job: Job, choice: Choice) -> str:
    """Return what stands against the decision, in the words of the refusal to come."""
    try:
        choice.check(actor, job)
    except CertctlError as error:
        return error.detail
    return ""


def _flat(fieldsets: Any) -> list[str]:
    names: list[str] = []
    for _, options in fieldsets:
        for line in options["fields"]:
            names.extend([line] if isinstance(line, str) else line)
    return names


def _uuid(text: Any) -> Any:
    """Return the key as Django's own pages take it: unquoted, or None for what is none."""
    try:
        return Job._meta.pk.to_python(str(text))  # noqa: SLF001 - Django's own way to read a key
    except Exception:  # noqa: BLE001 - ValidationError of whatever kind
        return None

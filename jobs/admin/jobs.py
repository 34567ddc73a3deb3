"""Jobs in the admin: a queue to read, and the decisions to take on it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from typing_extensions import override
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from deployments.models import Target
from foundation.admin import Confirms, Question, ReadOnly
from foundation.admin.lists import chips
from foundation.admin.lists.dates import Between
from foundation.admin.lists.listing import NARROWED
from issuers.models import Issuer, Profile
from jobs import approvals, policy, search, services
from jobs.admin import verbs
from jobs.admin.badges import badge_of
from jobs.admin.deciding import DECIDED, Decides
from jobs.admin.decisions import CHOICES, DECISIONS, RELATED, Choice, question_of
from jobs.admin.inbox import ShowsInbox
from jobs.admin.mine import ShowsMine
from jobs.models import Job
from jobs.services.common import has_successor
from jobs.states import Move, Status
from owners.logins import actor_of
from owners.models import Owner, Principal

# As many as a page of the list shows: more cannot be looked at before deciding.
MOST_AT_ONCE = 100


@admin.register(Job)
class JobAdmin(ShowsInbox, ShowsMine, Decides, ReadOnly, Confirms):
    """A queue to read, and the decisions to take; machine-written rows cannot be edited."""

    empty_words = (
        "Work on certificates: issue, renew, deploy, verify. Each request for one is a job "
        "that somebody may have to decide on."
    )
    empty_button = ("Request a certificate", "certificates_certificate_add")

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
    own_chips = (
        chips.Choice("status", "Status", Status.choices, aliases=("status__exact",)),
        chips.Choice("kind", "Kind", Job.Kind.choices, aliases=("kind__exact",)),
        chips.Row(
            "owner", "Owner", Owner, path="certificate__owner", known_by="name", is_typed=True
        ),
        chips.Row("issuer", "Issuer", Issuer, path="certificate__issuer", known_by="slug"),
        chips.Row("profile", "Profile", Profile, path="certificate__profile", known_by="slug"),
        chips.Row("target", "Target", Target, known_by="name", may_be_empty=True, is_typed=True),
        chips.Row(
            "requester",
            "Requested by",
            Principal,
            path="requested_by",
            known_by="username",
            is_typed=True,
        ),
        Between("created", "Created", path="created_at"),
    )
    linked = (
        "certificate__id__exact",
        "decided_by",
        "kind__in",
        "completed_at__gte",
        "completed_at__lt",
        "scheduled_at__lte",
    )
    search_fields = ("id",)  # that there is a box; jobs.search says what it finds
    search_help_text = "By the certificate's names or serial, its owner, or the job's id."
    actions = ("approve", "reject", "cancel")
    actions_detail = ("approve_one", "reject_one", "submit_csr", "retry", "cancel_one")
    use_cases = {
        "approve": "job.approve",
        "approve_one": "job.approve",
        "reject": "job.reject",
        "reject_one": "job.reject",
        "cancel": "job.cancel",
        "cancel_one": "job.cancel",
        "submit_csr": "job.submit_csr",
        "retry": "job.retry",
    }
    change_form_before_template = "admin/jobs/job/review.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("show_certificate", "kind"),
                    ("show_status", "show_whole_wait"),
                    ("requested_by", "created_at"),
                    ("device", "wants_approval"),
                    ("target", "agent"),
                    ("version", "lifetime"),
                    "justification",
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
                    ("error_code", "order_key"),
                    ("order_ref", "ordered_at"),
                    ("scheduled_at", "started_at"),
                    ("completed_at", "lease_until"),
                    ("verification", "verification_detail"),
                )
            },
        ),
    )

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether this is somebody who decides, whichever the job."""
        return request.user.has_perm(policy.DECIDE)

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> tuple[str, ...]:
        return tuple(_flat(self.fieldsets))

    # --- The list ----------------------------------------------------------------------------

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return search.matching(queryset, search_term), False

    @override
    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        # The newest first; of what waits for a decision, whoever has waited longest.
        narrowed = {one.chip.name: one.texts for one in request.META.get(NARROWED, ())}
        if narrowed.get("status") == [Status.AWAITING_APPROVAL]:
            return ("created_at", "pk")
        return ("-created_at", "pk")

    @display(description="Certificate", ordering="certificate__name")
    def show_certificate(self, job: Job) -> str:
        """Name the certificate."""
        return job.certificate.name

    @display(description="Status", ordering="status")
    def show_status(self, job: Job) -> SafeString:
        """Show where it stands as a badge; a rejection with its reason."""
        return badge_of(job)

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
        words = f"{job.attempts} of {job.max_attempts}"
        return f"{words}; not tried again" if job.given_up else words

    @admin.action(description="Approve…", permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        """Show what would be done, and then approve it."""
        return self._decide_some(request, queryset, CHOICES["approve"])

    @admin.action(description="Reject…", permissions=["decide"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        """Show what would be done, and then reject it with a reason."""
        return self._decide_some(request, queryset, CHOICES["reject"])

    @admin.action(description="Cancel…", permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        """Show what is under way, and then cancel it."""
        return self._decide_some(request, queryset, CHOICES["cancel"])

    # --- The page of one job -----------------------------------------------------------------

    @override
    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        offered: list[Any] = super().get_actions_detail(request, object_id)
        job = Job.objects.select_related(*RELATED).filter(pk=_uuid(object_id)).first()
        actor = actor_of(request)
        allowed = {
            name
            for name, choice in CHOICES.items()
            if job is not None and not choice.objection(actor, job)
        }
        if job is not None and job.allows(Move.SUBMIT_CSR):
            allowed.add("submit-csr")
        if job is not None and job.allows(Move.RETRY) and not has_successor(job):
            allowed.add("retry")
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
        return self._decide_one(request, object_id, CHOICES["approve"])

    @action(description="Reject…", url_path="reject", icon="close", permissions=["decide"])
    def reject_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what the job would do, to reject it."""
        return self._decide_one(request, object_id, CHOICES["reject"])

    @action(description="Cancel…", url_path="cancel", icon="block", permissions=["view"])
    def cancel_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what the job does, to cancel it."""
        return self._decide_one(request, object_id, CHOICES["cancel"])

    @override
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        job = Job.objects.select_related(*RELATED).filter(pk=_uuid(object_id)).first()
        extra = {
            "review": approvals.review(job) if job else None,
            "standing": approvals.standing_of(job) if job and job.is_rejected else None,
            "objection": approvals.LACKS_DECIDER if job and policy.lacks_decider(job) else "",
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, extra)

    # --- What goes on with it ----------------------------------------------------------------

    def has_ask_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Name the permission that asking for work needs."""
        return request.user.has_perm("jobs.add_job")

    @action(
        description="Give the CSR…",
        url_path="submit-csr",
        icon="upload_file",
        variant=ActionVariant.PRIMARY,
        permissions=["ask"],
    )
    def submit_csr(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the CSR that the job waits for."""
        job = self.row(request, object_id)
        question = Question(
            name="submit_csr",
            title=f"CSR for {job}",
            explanation=f"For exactly these names: {', '.join(job.certificate.sans) or '-'}.",
            button="Give the CSR",
            is_calm=True,
            form=verbs.CsrForm,
            subject=job,
            back=self.row_page(job),
        )

        def submit(given: dict[str, Any]) -> list[str]:
            done = services.submit_csr(job_id=job.pk, actor=actor_of(request), csr_pem=given["csr"])
            return [
                f"{job} has its CSR. {verbs.next_words(done)}",
                *approvals.of_asking(done, has_brought=True),
            ]

        return self.confirm(request, question, submit)

    @action(description="Try again…", url_path="retry", icon="replay", permissions=["ask"])
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Have a failed job tried again now."""
        job = self.row(request, object_id)
        question = Question(
            name="retry",
            title=f"Try again: {job}",
            explanation=f"It failed: {job.last_error or 'nobody said why.'}",
            button="Try again",
            is_calm=True,
            subject=job,
            back=self.row_page(job),
        )

        def retry(_: dict[str, Any]) -> list[str]:
            done = services.retry_job(job_id=job.pk, actor=actor_of(request))
            return [f"{job} is tried again. {verbs.next_words(done)}"]

        return self.confirm(request, question, retry)

    # --- The page of a decision --------------------------------------------------------------

    def _decide_one(self, request: HttpRequest, object_id: str, choice: Choice) -> HttpResponse:
        jobs = _shown(Job.objects.filter(pk=_uuid(object_id)))
        if not jobs:
            raise Http404
        back = self.row_page(jobs[0])
        return self._decide(request, jobs, question_of(actor_of(request), jobs, choice, back=back))

    def _decide_some(
        self, request: HttpRequest, queryset: QuerySet[Job], choice: Choice
    ) -> HttpResponse | None:
        jobs = _shown(queryset)
        if len(jobs) > MOST_AT_ONCE:
            self.message_user(
                request,
                f"Choose at most {MOST_AT_ONCE} jobs: each has to be looked at.",
                messages.ERROR,
            )
            return None
        return self._decide(
            request,
            jobs,
            question_of(
                actor_of(request),
                jobs,
                choice,
                back=self.list_page(),
                action=choice.name,
                selected=jobs,
            ),
        )

    def _decide(
        self, request: HttpRequest, jobs: Sequence[Job], question: Question
    ) -> HttpResponse:
        """Show the page until it is confirmed; then decide on each job that it showed."""
        choice, actor = CHOICES[question.name], actor_of(request)

        def decide(given: dict[str, Any]) -> list[str]:
            def one(job: Job) -> Job:
                shown: dict[str, Any] = {}
                if choice.name in DECISIONS:
                    # As in the inbox: what is risky is decided on by itself.
                    shown["is_one_of_many"] = len(jobs) > 1
                if choice.name == "approve":
                    # What was shown is what is approved; a page without it approves nothing.
                    shown["digest"] = request.POST.get(f"digest_{job.pk}", "") or "not shown"
                return choice.call(job_id=job.pk, actor=actor, **given, **shown)

            done = self.each(request, choice.name, jobs, one)
            request.META[DECIDED] = bool(done)
            return [f"{choice.done}: {job}." for job, _ in done]

        return self.lead_on(request, self.confirm(request, question, decide), jobs[0])


def _shown(queryset: QuerySet[Job]) -> list[Job]:
    return list(queryset.select_related(*RELATED)[: MOST_AT_ONCE + 1])


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

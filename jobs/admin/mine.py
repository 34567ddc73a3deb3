"""My requests: what somebody asked for, and where each stands."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from typing_extensions import override

from certificates.admin.files import EXPORT
from foundation.admin import Edge
from jobs import approvals, policy
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.querysets import REJECTED
from jobs.states import OPEN, Move, Status

PAGE = 25
FURTHEST = 400  # pages: beyond that, a search finds more than turning them
RELATED = (
    "certificate__owner",
    "certificate__issuer",
    "certificate__profile",
    "target",
    "version",
    "requested_by",
    "csr_by",
    "decided_by",
)
# What is narrowed to, by the word in the address.
CHOICES: dict[str, tuple[str, Q]] = {
    "": ("All", Q()),
    "open": ("Open", Q(status__in=OPEN)),
    "done": ("Done", Q(status=Status.COMPLETED)),
    "rejected": ("Rejected", REJECTED),
    "failed": ("Failed", Q(status=Status.FAILED)),
}


@dataclass(frozen=True, slots=True)
class Link:
    """Something that can be done next: its words, and where."""

    words: str
    address: str


@dataclass(frozen=True, slots=True)
class Row:
    """One request as the page shows it; `download` is where the files of what was issued are."""

    job: Job
    standing: approvals.Standing
    page: str
    links: tuple[Link, ...]
    download: str


class ShowsMine(Edge):
    """The page of what whoever looks at it has asked for, beside the list of all jobs."""

    @override
    def own_pages(self) -> list[URLPattern]:
        def mine(request: HttpRequest) -> HttpResponse:
            return self.admin_site.admin_view(self.mine_view)(request)

        mine.model_admin = self  # type: ignore[attr-defined]  # as Django's own views have it
        return [path("jobs/mine/", mine, name="jobs_mine"), *super().own_pages()]

    def mine_view(self, request: HttpRequest) -> HttpResponse:
        """Show a page of them, the newest first; the number of queries is the same for any."""
        if not may_ask_or_see(request):
            raise PermissionDenied
        chosen = request.GET.get("stands", "")
        chosen = chosen if chosen in CHOICES else ""
        number = _page_number(request.GET.get("p", ""))
        jobs = list(
            Job.objects.filter(CHOICES[chosen][1], requested_by_id=request.user.pk)
            .select_related(*RELATED)
            .order_by("-created_at", "pk")[(number - 1) * PAGE : number * PAGE + 1]
        )
        return self.render_page(
            request,
            "admin/jobs/mine.html",
            title="My requests",
            rows=[self._row(request, job) for job in jobs[:PAGE]],
            choices=[
                {"name": name, "words": words, "is_chosen": name == chosen}
                for name, (words, _) in CHOICES.items()
            ],
            chosen=chosen,
            number=number,
            before=number - 1,
            after=number + 1 if len(jobs) > PAGE and number < FURTHEST else 0,
            inbox=(self.address("jobs_inbox") if request.user.has_perm(policy.DECIDE) else ""),
            ask=self.address("certificates_certificate_add") if may_ask(request) else "",
        )

    def _row(self, request: HttpRequest, job: Job) -> Row:
        is_issued = job.status == Status.COMPLETED and kind_of(job).signs and job.version
        may_take = request.user.has_perm(EXPORT) and request.user.has_perm(
            "certificates.view_version"
        )
        may_see = request.user.has_perm("jobs.view_job")
        return Row(
            job=job,
            standing=approvals.standing_of(job),
            page=self.address("jobs_job_change", job.pk) if may_see else "",
            links=tuple(self._links(request, job)),
            download=(
                self.address("certificates_version_download", job.version_id)
                if is_issued and may_take
                else ""
            ),
        )

    def _links(self, request: HttpRequest, job: Job) -> Iterable[Link]:
        """Yield what may be done next, each only where it would not be refused."""
        user = request.user
        if user.has_perm("certificates.view_certificate") and job.status == Status.COMPLETED:
            yield Link(
                "The certificate",
                self.address("certificates_certificate_change", job.certificate_id),
            )
        if user.has_perm("jobs.view_job") and user.has_perm("jobs.add_job"):
            if job.allows(Move.SUBMIT_CSR):
                yield Link("Give the CSR…", self.address("jobs_job_submit_csr", job.pk))
            if job.allows(Move.RETRY) and not job.will_be_retried:
                # Its page knows whether newer work took its place, which costs a query each.
                yield Link("What can be done", self.address("jobs_job_change", job.pk))
        if job.is_rejected and job.kind == Job.Kind.ISSUANCE and may_ask(request):
            yield Link("Ask again…", self.address("certificates_certificate_add"))
        if job.status == Status.AWAITING_APPROVAL and user.has_perm("jobs.view_job"):
            yield Link("Who may decide", self.address("jobs_job_deciders", job.pk))


def may_ask(request: HttpRequest) -> bool:
    """Whether whoever is signed in may ask for a certificate."""
    return request.user.has_perms(["certificates.add_certificate", "jobs.add_job"])


def may_ask_or_see(request: HttpRequest) -> bool:
    """Whether there could be requests of theirs: they may ask for work, or see it."""
    return request.user.has_perm("jobs.add_job") or request.user.has_perm("jobs.view_job")


def _page_number(text: str) -> int:
    return min(max(int(text), 1), FURTHEST) if text.isdecimal() and len(text) < 6 else 1  # noqa: PLR2004 - digits

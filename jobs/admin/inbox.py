"""The inbox: what waits for whoever looks at it, the most urgent first, and several at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.http import urlencode
from typing_extensions import override

from jobs import inbox, policy, risks
from jobs.admin.decisions import targets_of
from jobs.admin.several import Several
from jobs.approvals.reviews import in_words
from jobs.kinds import kind_of
from jobs.models import Job
from owners.logins import actor_of

FEW = 3  # names and targets of a row; the page of the decision has all
MOST_COUNTED = 10_000
PARTS: dict[str, tuple[inbox.Part, str]] = {
    "": ("to_decide", "Mine to decide"),
    "mine": ("mine", "Mine, waiting for others"),
}


@dataclass(frozen=True, slots=True)
class Few:
    """The first of some, and how many there are besides."""

    first: Sequence[str]
    more: int

    @classmethod
    def of(cls, names: Sequence[str]) -> "Few":
        """Return the first of `names`."""
        return cls(names[:FEW], max(len(names) - FEW, 0))


@dataclass(frozen=True, slots=True)
class Row:
    """One job as the page shows it; `page` is where it is decided on, or read."""

    job: Job
    names: Few
    lifetime: str
    targets: Few
    flags: Sequence[risks.Flag]
    page: str
    deciders: str
    may_tick: bool


class ShowsInbox(Several):
    """The page of what waits for a decision, beside the list of all jobs."""

    @override
    def own_pages(self) -> list[URLPattern]:
        def shown(request: HttpRequest) -> HttpResponse:
            return self.admin_site.admin_view(self.inbox_view)(request)

        shown.model_admin = self  # type: ignore[attr-defined]  # as Django's own views have it
        return [path("jobs/inbox/", shown, name="jobs_inbox"), *super().own_pages()]

    def inbox_view(self, request: HttpRequest) -> HttpResponse:
        """Show some of what waits; where rows were ticked, ask about them and decide."""
        if not request.user.has_perm(policy.DECIDE):
            raise PermissionDenied
        if request.method == "POST":
            return self.decide_several(request)
        chosen = request.GET.get("part", "")
        chosen = chosen if chosen in PARTS else ""
        after = inbox.Place.read(request.GET.get("after", ""))
        page = inbox.page(actor=actor_of(request), part=PARTS[chosen][0], after=after)
        rows = self._rows(page.jobs, may_decide=not chosen)
        further = {"part": chosen} if chosen else {}
        return self.render_page(
            request,
            "admin/jobs/inbox.html",
            title="Inbox",
            rows=rows,
            choices=[
                {"name": name, "words": words, "is_chosen": name == chosen}
                for name, (_, words) in PARTS.items()
            ],
            chosen=chosen,
            is_first=after is None,
            is_cut=page.is_cut,
            further=(urlencode({**further, "after": str(page.behind)}) if page.behind else ""),
            start=urlencode(further),
            waiting=_counted(),
            may_tick=any(row.may_tick for row in rows),
        )

    def _rows(self, jobs: Sequence[Job], *, may_decide: bool) -> list[Row]:
        flags = risks.flags_of(jobs)
        targets = targets_of(jobs)
        return [
            Row(
                job=job,
                names=Few.of(job.certificate.sans or [job.certificate.common_name]),
                lifetime=(
                    in_words(job.lifetime or job.certificate.profile.max_lifetime)
                    if kind_of(job).signs
                    else ""
                ),
                targets=Few.of(targets[job.pk]),
                flags=flags.get(job.pk, ()),
                page=self.address("jobs_job_decide" if may_decide else "jobs_job_change", job.pk),
                deciders="" if may_decide else self.address("jobs_job_deciders", job.pk),
                may_tick=may_decide and not flags.get(job.pk),
            )
            for job in jobs
        ]


def _counted() -> str:
    """Return how many jobs wait for a decision, whoever may take it: "12", "10,000+"."""
    count = inbox.waiting().order_by().values("pk")[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"

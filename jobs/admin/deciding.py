"""The page on which one job is decided on, the way to the next, and who may decide."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from typing_extensions import override

from foundation.admin import Edge
from issuers.models import Issuer
from jobs import approvals, inbox, policy, risks
from jobs.admin.decisions import CHOICES, DECISIONS, RELATED, MayGiveReason, targets_of
from jobs.models import Job
from jobs.states import Status
from owners.logins import actor_of
from owners.models import Principal

LOOKED_AT: Final = 50  # jobs, the most urgent, among which the next one is looked for
PEOPLE: Final = 100  # who decide at all, of whom a page tells
NAMES: Final = 6  # and targets are shown unfolded
DECIDED: Final = "certctl.decided"


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing as it is now, as is usual under the profile, and as it would become."""

    what: str
    now: str
    usual: str
    becomes: str

    @property
    def is_new(self) -> bool:
        """Whether it would be other than it is now; of a first version, than is usual."""
        known = self.now or self.usual
        return bool(known) and known != self.becomes


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who decides at all, and why not on this job; "" where they may."""

    name: str
    why_not: str


class Decides(Edge):
    """The pages about deciding on one job; what is confirmed there goes to approve or reject."""

    @override
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        pages = [
            ("decide", self.decide_view),
            ("deciders", self.deciders_view),
            ("next", self.next_view),
            ("previous", self.previous_view),
        ]
        return [
            *(
                path(f"<uuid:pk>/{name}/", wrap(view), name=f"jobs_job_{name}")
                for name, view in pages
            ),
            *super().get_urls(),
        ]

    def decide_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Show what is asked for, what is risky first, and the buttons of who may press them."""
        job, actor = self._job(request, pk), actor_of(request)
        review = approvals.review(job)
        flags = risks.flags_of([job]).get(job.pk, ())
        flagged = {flag.words for flag in flags}
        targets = targets_of([job])[job.pk]
        why_not = {name: CHOICES[name].objection(actor, job) for name in DECISIONS}
        return self._page(
            request,
            "admin/jobs/job/decide.html",
            {
                "title": f"{job.get_kind_display()} of {job.certificate}",
                "job": job,
                "review": review,
                "flags": flags,
                "warnings": [words for words in review.warnings if words not in flagged],
                "targets": targets[:NAMES],
                "more_targets": len(targets[NAMES:]),
                "names": review.names[:NAMES],
                "more": review.names[NAMES:],
                "compared": list(_compared(review)) if review.is_signing else [],
                "why_not": why_not,
                "may": [name for name, why in why_not.items() if not why],
                "waits": job.status == Status.AWAITING_APPROVAL,
                "form": MayGiveReason(),
                "next": self.address("jobs_job_next", job.pk),
                "previous": self.address("jobs_job_previous", job.pk),
                "inbox": self.address("jobs_inbox") if _has_inbox(request) else "",
                "media": Media(js=["certctl/decide.js"], css={"all": ["certctl/decide.css"]}),
            },
        )

    def deciders_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Show who may decide on the job, and why others who decide at all may not."""
        job = self._job(request, pk)
        people = list(policy.who_decide_at_all().order_by("username")[: PEOPLE + 1])
        return self._page(
            request,
            "admin/jobs/job/deciders.html",
            {
                "title": f"Who may decide: {job}",
                "job": job,
                "people": who_may(job, people[:PEOPLE]),
                "most": PEOPLE if len(people) > PEOPLE else 0,
                "waits": job.status == Status.AWAITING_APPROVAL,
                "media": Media(css={"all": ["certctl/decide.css"]}),
            },
        )

    def next_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Lead to the next job that waits for whoever asks."""
        job = self._job(request, pk)
        return self._lead_to(request, next_waiting(actor_of(request), job), job)

    def previous_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Lead to the one before it."""
        job = self._job(request, pk)
        before = next_waiting(actor_of(request), job, is_back=True)
        return self._lead_to(request, before, job)

    def lead_on(self, request: HttpRequest, answer: HttpResponse, job: Job) -> HttpResponse:
        """Return `answer`, or after a decision on a page that asks for it the way to the next."""
        if request.POST.get("then") != "next" or not request.META.get(DECIDED):
            return answer
        return self._lead_to(request, next_waiting(actor_of(request), job), job)

    def _lead_to(self, request: HttpRequest, to: Job | None, job: Job) -> HttpResponse:
        """Lead to the page of `to`; where there is none to the inbox, or to who has none, `job`."""
        if to is not None:
            return HttpResponseRedirect(self.address("jobs_job_decide", to.pk))
        if _has_inbox(request):
            return HttpResponseRedirect(self.address("jobs_inbox"))
        return HttpResponseRedirect(self.address("jobs_job_change", job.pk))

    def _job(self, request: HttpRequest, pk: Any) -> Job:
        if not request.user.has_perm("jobs.view_job"):
            raise PermissionDenied
        job = Job.objects.select_related(*RELATED).filter(pk=pk).first()
        if job is None:
            raise Http404
        return job

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return self.render_page(request, template, opts=self.opts, **context)


def next_waiting(actor: Principal, job: Job, *, is_back: bool = False) -> Job | None:
    """Return the next job behind `job` that `actor` may approve, or the one before it.

    By deadline, then by age. Behind the last comes the first; before the first comes the last of
    the LOOKED_AT most urgent.
    """
    if not policy.may_decide_at_all(actor):
        return None
    if not is_back:
        behind = inbox.page(actor=actor, after=inbox.Place.of(job), size=1).jobs
        if behind:
            return behind[0]
    rows = [one for one in inbox.page(actor=actor, size=LOOKED_AT).jobs if one.pk != job.pk]
    if not is_back:
        return rows[0] if rows else None
    here = inbox.Place.of(job).rank
    before = [one for one in rows if inbox.Place.of(one).rank < here]
    return next(reversed(before or rows), None)


def who_may(job: Job, people: list[Principal]) -> list[Person]:
    """Return each of `people` with why they may not approve `job`: who may come first.

    Who may is asked for all of them together; why not is looked up for the others alone.
    """
    may = {one.pk for one in policy.deciders(job, among=people)}
    rows = [Person(one.get_username(), "" if one.pk in may else _why(one, job)) for one in people]
    return sorted(rows, key=lambda one: (bool(one.why_not), one.name))


def _has_inbox(request: HttpRequest) -> bool:
    return request.user.has_perm(policy.DECIDE)


def _why(actor: Principal, job: Job) -> str:
    reasons = []
    if policy.asked_for(actor, job):
        reasons.append("asked for it, or gave its CSR")
    if policy.brought_key(actor, job):
        reasons.append("brought its key")
    if policy.answers_for(actor, job.certificate):
        reasons.append("answers for its certificate")
    return " and ".join(reasons) or "gains from it"


def _compared(review: approvals.Review) -> Iterator[Compared]:
    """Yield what a signature would change, beside what is usual under the profile."""
    old = review.predecessor
    profile = review.job.certificate.profile_id
    usual = risks.usual_of([profile]).get(profile)
    if old is not None:
        added = [name for name in review.names if name not in old.names]
        gone = [name for name in old.names if name not in review.names]
        if added:
            yield Compared("Names added", "-", "", _list(added))
        if gone:
            yield Compared("Names removed", _list(gone), "", "-")
    yield Compared(
        "Key",
        risks.key_words(old.key_algorithm, old.key_size) if old else "",
        risks.key_words(*usual.keys[0]) if usual else "",
        risks.key_words(review.key_algorithm, review.key_size) or "no CSR yet",
    )
    if old is not None and review.key_fingerprint:
        is_same = old.key_fingerprint == review.key_fingerprint
        yield Compared("Key pair", "this one", "", "this one" if is_same else "a new one")
    yield Compared(
        "Lifetime",
        approvals.in_words(old.lifetime) if old else "",
        approvals.in_words(usual.lifetime) if usual else "",
        review.lifetime_words,
    )
    issuer = usual.issuers[0] if usual else None
    common = Issuer.objects.filter(pk=issuer).first() if issuer else None
    yield Compared("Issuer", old.issuer if old else "", str(common or ""), review.issuer)


def _list(names: list[str]) -> str:
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more

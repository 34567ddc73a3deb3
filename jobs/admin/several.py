"""Several decisions at once: a page that shows what each would do, then what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from foundation.admin import ConfirmForm, Confirms
from foundation.admin.forms import valid
from foundation.admin.refusals import words_of
from foundation.errors import Invalid
from jobs import approvals, risks
from jobs.admin.decisions import CHOICES, DECISIONS, RELATED, Choice
from jobs.models import Job
from owners.logins import actor_of
from owners.models import Principal

MOST_AT_ONCE = 25  # as many as a page shows: each has to be looked at


@dataclass(frozen=True, slots=True)
class Item:
    """One row that was ticked: what it would do, and why it is not decided on with the others."""

    review: approvals.Review
    why_not: str
    page: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of them, in words."""

    job: Job
    is_done: bool
    words: str
    page: str


class Several(Confirms):
    """Decides on rows that were ticked: each by the use case of one, for itself."""

    def decide_several(self, request: HttpRequest) -> HttpResponse:
        """Ask about the ticked rows until it is confirmed; then decide, and show what became."""
        choice = CHOICES.get(request.POST.get("decision", ""))
        if choice is None or choice.name not in DECISIONS:
            return HttpResponseRedirect(self._inbox())
        jobs = _ticked(request)
        if not jobs:
            return self._say(request, "Tick the rows that are meant.")
        if len(jobs) > MOST_AT_ONCE:
            return self._say(request, f"At most {MOST_AT_ONCE} at once: each has to be looked at.")
        if not self.is_confirmed(request):
            return self._ask(request, choice, jobs, choice.form())
        form = choice.form(request.POST)
        try:
            given = valid(form)
        except Invalid as error:
            self.refuse(request, choice.name, error)
            return self._ask(request, choice, jobs, form)
        outcomes = [self._one(request, choice, job, given) for job in jobs]
        return self._tell(request, choice, outcomes)

    def _one(
        self, request: HttpRequest, choice: Choice, job: Job, given: dict[str, Any]
    ) -> Outcome:
        # What was shown is what is decided on; a row that was not shown has no digest.
        digest = request.POST.get(f"digest_{job.pk}", "") or "not shown"
        page = self.row_page(job)
        try:
            choice.call(
                job_id=job.pk,
                actor=actor_of(request),
                digest=digest,
                is_one_of_many=True,
                **given,
            )
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is raised again
            words = words_of(self.refuse(request, choice.name, error, job))
            return Outcome(job, is_done=False, words=words, page=page)
        return Outcome(job, is_done=True, words=f"{choice.done}.", page=page)

    def _ask(
        self, request: HttpRequest, choice: Choice, jobs: Sequence[Job], form: ConfirmForm
    ) -> HttpResponse:
        items = self._items(actor_of(request), choice, jobs)
        meant = [item for item in items if not item.why_not]
        return self.render_page(
            request,
            "admin/jobs/inbox_ask.html",
            status=400 if form.errors else 200,
            title=f"{choice.title} {len(meant)} request{'' if len(meant) == 1 else 's'}?",
            choice=choice,
            items=meant,
            left_out=[item for item in items if item.why_not],
            form=form,
            back=self._inbox(),
        )

    def _items(self, actor: Principal, choice: Choice, jobs: Sequence[Job]) -> list[Item]:
        flags = risks.flags_of(jobs)
        return [
            Item(
                review=reviewed,
                why_not=choice.objection(actor, reviewed.job)
                or " ".join(flag.words for flag in flags.get(reviewed.job.pk, ())),
                page=self.row_page(reviewed.job),
            )
            for reviewed in approvals.reviews(jobs)
        ]

    def _tell(
        self, request: HttpRequest, choice: Choice, outcomes: Sequence[Outcome]
    ) -> HttpResponse:
        done = sum(one.is_done for one in outcomes)
        return self.render_page(
            request,
            "admin/jobs/inbox_outcome.html",
            title=choice.done,
            done=done,
            refused=len(outcomes) - done,
            outcomes=sorted(outcomes, key=lambda one: one.is_done),
            back=self._inbox(),
        )

    def _say(self, request: HttpRequest, words: str) -> HttpResponse:
        self.message_user(request, words, "warning")
        return HttpResponseRedirect(self._inbox())

    def _inbox(self) -> str:
        return self.address("jobs_inbox")


def _ticked(request: HttpRequest) -> list[Job]:
    """Return the jobs that were ticked, one more than allowed at most; what is no key is none."""
    keys = set()
    for text in request.POST.getlist("job"):
        try:
            keys.add(Job._meta.pk.to_python(text))  # noqa: SLF001 - Django's own way to read a key
        except ValidationError:
            continue
    # In the order of the keys: what was decided meanwhile stands where it stood.
    rows = Job.objects.filter(pk__in=keys).select_related(*RELATED)
    return list(rows.order_by("created_at", "pk")[: MOST_AT_ONCE + 1])

"""What can be decided on a job, and the page that asks."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms

from deployments.models import Deployment
from foundation.admin import ConfirmForm, Question
from foundation.errors import CertctlError
from jobs import approvals, policy, services
from jobs.kinds import kind_of
from jobs.models import Job
from owners.models import Principal

RELATED = (
    "certificate__owner",
    "certificate__team",
    "certificate__issuer",
    "certificate__profile",
    "certificate__current__issuer",
    "certificate__current__revocation",
    "target",
    "version",
    "requested_by",
    "csr_by",
    "decided_by",
)


class MayGiveReason(ConfirmForm):
    """A word to whoever asked."""

    reason = forms.CharField(
        required=False,
        max_length=services.decisions.MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="It is kept with the job and in the audit trail, for whoever asked.",
        error_messages={"required": "Say why, for whoever asked."},
    )


class MustGiveReason(MayGiveReason):
    """The same where there must be one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True
        self.fields["reason"].widget.is_required = True


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be decided, in the words of its page."""

    name: str
    title: str
    button: str
    done: str
    call: Callable[..., Job]
    check: Callable[[Principal, Job], None]
    form: type[ConfirmForm] = MayGiveReason
    explanation: str = ""
    is_calm: bool = False

    def objection(self, actor: Principal, job: Job) -> str:
        """Return why `actor` would be refused, as things stand, in those words; "" if not."""
        try:
            self.check(actor, job)
        except CertctlError as error:
            return error.detail
        return ""


CHOICES = {
    choice.name: choice
    for choice in (
        Choice(
            name="approve",
            title="Approve",
            button="Approve",
            done="Approved",
            call=services.approve_job,
            check=policy.check_may_approve,
            explanation="This is exactly what would be done. If any of it changes before you "
            "confirm, nothing is approved.",
            is_calm=True,
        ),
        Choice(
            name="reject",
            title="Reject",
            button="Reject",
            done="Rejected",
            call=services.reject_job,
            check=policy.check_may_reject,
            form=MustGiveReason,
        ),
        Choice(
            name="cancel",
            title="Cancel",
            button="Cancel the work",
            done="Cancelled",
            call=services.cancel_job,
            check=policy.check_may_cancel,
        ),
    )
}
DECISIONS = ("approve", "reject")  # what somebody else than who asked takes


@dataclass(frozen=True, slots=True)
class Item:
    """One job on the page of a decision: what it would do, and what stands against deciding."""

    review: approvals.Review
    objection: str


def question_of(actor: Principal, jobs: Sequence[Job], choice: Choice, **where: Any) -> Question:
    """Return the page on which `actor` is asked about `jobs`; `where` says whence and whither."""
    items = [
        Item(reviewed, choice.objection(actor, reviewed.job))
        for reviewed in approvals.reviews(jobs)
    ]
    return Question(
        name=choice.name,
        title=_heading(choice, jobs),
        explanation=choice.explanation,
        button=choice.button + (f" {len(jobs)} jobs" if len(jobs) > 1 else ""),
        form=choice.form,
        subject=jobs[0] if len(jobs) == 1 else None,
        details="admin/jobs/job/items.html",
        context={"items": items},
        is_calm=choice.is_calm,
        **where,
    )


def _heading(choice: Choice, jobs: Sequence[Job]) -> str:
    what = str(jobs[0]) if len(jobs) == 1 else f"{len(jobs)} jobs"
    return f"{choice.title}: {what}?"


def targets_of(jobs: Sequence[Job]) -> dict[UUID, list[str]]:
    """Return by job where it acts: at its own target, or where what it has signed is carried."""
    at: defaultdict[UUID, list[str]] = defaultdict(list)
    signing = [job.certificate_id for job in jobs if kind_of(job).signs]
    carried = Deployment.objects.filter(certificate__in=signing).order_by("target__name")
    for certificate, name in carried.values_list("certificate", "target__name"):
        at[certificate].append(name)
    return {
        job.pk: [job.target.name] if job.target else at.get(job.certificate_id, []) for job in jobs
    }

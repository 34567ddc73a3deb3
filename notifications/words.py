"""What an e-mail says. Plain text; no secret, no key and no CSR is ever in one."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from jobs.approvals import standing_of
from jobs.models import Job
from jobs.states import Status

MAX_SUBJECT = 200
MAX_REASON = 2000
MOST_LISTED = 50  # jobs in one digest; the inbox has them all
_FOOT = "You are told because certctl has your address. Sign in to answer; nobody reads replies."


def is_on() -> bool:
    """Whether there is a mail server: without one nothing is written, and nothing sent."""
    return bool(settings.EMAIL_HOST)


def plain(text: str) -> str:
    """Return `text` on one line, with what nobody would see of it written out.

    Line ends are what starts another header (RFC 5322 §2.2), and marks of direction turn a name
    into another one.
    """
    return "".join(_shown(character) for character in " ".join(text.split()))


def quoted(text: str) -> str:
    """Return what somebody wrote, line by line, so that it is not taken for ours."""
    lines = [plain(line) for line in text[:MAX_REASON].splitlines()]
    return "\n".join(f"    > {line}" for line in lines)


def subject_of(text: str) -> str:
    """Return a subject line, short enough for a header and a column."""
    return plain(text)[:MAX_SUBJECT]


def address_of(name: str, *args: object) -> str:
    """Return the whole address of a page of the admin; who opens it signs in first."""
    return f"{settings.ADMIN_BASE_URL}{reverse(f'admin:{name}', args=args)}"


def outcome(job: Job) -> tuple[str, str]:
    """Return subject and text that say what became of `job`, for whoever asked."""
    standing = standing_of(job)
    name = plain(str(job.certificate))
    head = f"{standing.word}: {job.kind} of {name}"
    said = [f"Your request: {job.kind} of {name}{_at(job)}."]
    if job.is_rejected:
        who = job.decided_by.get_username() if job.decided_by else "somebody"
        said += [f"Rejected by {plain(who)}:", quoted(job.decision_reason)]
    else:
        said += [f"{standing.word}. {plain(standing.detail)}".strip()]
    said += [standing.todo] if standing.todo else []
    said += ["", address_of("jobs_job_change", job.pk)]
    if job.status == Status.COMPLETED:
        said += [
            f"The certificate: {address_of('certificates_certificate_change', job.certificate_id)}"
        ]
    return subject_of(head), "\n".join(said)


def digest(jobs: Sequence[Job]) -> tuple[str, str]:
    """Return subject and text of what waits for one person's decision, the most urgent first."""
    if len(jobs) == 1:
        head = f"Waits for your decision: {jobs[0].kind} of {plain(str(jobs[0].certificate))}"
    else:
        head = f"{len(jobs)} requests wait for your decision"
    said = [f"{head}." if len(jobs) > 1 else "A request waits for your decision.", ""]
    for job in jobs[:MOST_LISTED]:
        said += [
            f"{job.kind} of {plain(str(job.certificate))}{_at(job)}",
            f"    asked for by {plain(job.requested_by.get_username())}",
            f"    owner {plain(str(job.certificate.owner))}, profile {job.certificate.profile}",
            f"    to decide until {_moment(job.waits_until)}",
            f"    {decision_page(job)}",
            "",
        ]
    if len(jobs) > MOST_LISTED:
        said.append(f"And {len(jobs) - MOST_LISTED} more: {inbox()}")
    return subject_of(head), "\n".join(said).rstrip()


def decision_page(job: Job) -> str:
    """Return the address of the page on which `job` is decided."""
    return address_of("jobs_job_decide", job.pk)


def inbox() -> str:
    """Return the address of the list of what waits for a decision."""
    return address_of("jobs_inbox")


def letter(texts: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return subject and text of one e-mail that tells several things, or one."""
    if len(texts) == 1:
        head, body = texts[0]
    else:
        head = f"{len(texts)} messages: {texts[0][0]} …"
        body = "\n\n----------\n\n".join(f"{one}\n\n{text}" for one, text in texts)
    return f"[certctl] {subject_of(head)}", f"{body}\n\n-- \n{_FOOT}\n"


def _at(job: Job) -> str:
    return f" at {plain(str(job.target))}" if job.target else ""


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "any time"


def _shown(character: str) -> str:
    # Cc and Cf: control and format characters, such as zero-width ones and marks of direction.
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}:
        return f"<U+{ord(character):04X}>"
    return character

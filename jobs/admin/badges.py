"""Where a job stands as a badge: the theme has no colour for a rejection, which is no failure."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs import approvals
from jobs.models import Job

# The theme's colours, by which certificates stand, as tones.
TONE_OF = {
    "info": "working",
    "warning": "waiting",
    "success": "done",
    "danger": "failed",
    "default": "over",
}


def badge(word: str, tone: str) -> SafeString:
    """Return `word` as a badge; tones are those of certctl/static/certctl/standing.css."""
    return format_html('<span class="standing standing-{}">{}</span>', tone, word)


def badge_of(job: Job) -> SafeString:
    """Return where `job` stands as a badge, and why where somebody said no."""
    shown = badge(approvals.word_of(job), approvals.tone_of(job))
    return with_why(shown, job.decision_reason) if job.is_rejected else shown


def with_why(shown: SafeString, why: str) -> SafeString:
    """Return a badge with why below it; the sheet cuts a long one off, the title has it whole."""
    return format_html('{}<span class="standing-why" title="{}">{}</span>', shown, why, why)

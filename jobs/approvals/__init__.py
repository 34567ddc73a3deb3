"""What an approval is about: its digest, the review of it for people, and what a job waits for."""

from jobs.approvals.digest import check_unchanged, digest_of
from jobs.approvals.reviews import Difference, Predecessor, Review, in_words, review, reviews
from jobs.approvals.standings import (
    REJECTION,
    Standing,
    last_rejection,
    reads_rejected,
    standing_of,
    tone_of,
    why_rejected,
    word_of,
)
from jobs.approvals.waits import Wait, waits_for
from jobs.approvals.warnings import LACKS_DECIDER, coded, of_asking, of_job, of_jobs

__all__ = [
    "LACKS_DECIDER",
    "REJECTION",
    "Difference",
    "Predecessor",
    "Review",
    "Standing",
    "Wait",
    "check_unchanged",
    "coded",
    "digest_of",
    "in_words",
    "last_rejection",
    "of_asking",
    "of_job",
    "of_jobs",
    "reads_rejected",
    "review",
    "reviews",
    "standing_of",
    "tone_of",
    "waits_for",
    "why_rejected",
    "word_of",
]

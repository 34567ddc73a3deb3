"""What an approval is about: its digest, the review of it for people, and what a job waits for."""

from jobs.approvals.digest import check_unchanged, digest_of
from jobs.approvals.reviews import Difference, Predecessor, Review, review, reviews
from jobs.approvals.waits import Wait, waits_for
from jobs.approvals.warnings import LACKS_DECIDER, of_asking, of_job, of_jobs

__all__ = [
    "LACKS_DECIDER",
    "Difference",
    "Predecessor",
    "Review",
    "Wait",
    "check_unchanged",
    "digest_of",
    "of_asking",
    "of_job",
    "of_jobs",
    "review",
    "reviews",
    "waits_for",
]

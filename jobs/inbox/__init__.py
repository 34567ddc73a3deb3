"""What waits for a decision, parted by whether one person may take it."""

from jobs.inbox.numbers import forget, number_for
from jobs.inbox.parting import Page, Part, Parted, Place, page, parted, waiting

__all__ = [
    "Page",
    "Part",
    "Parted",
    "Place",
    "forget",
    "number_for",
    "page",
    "parted",
    "waiting",
]

"""What waits for a decision, parted by whether one person may take it."""

from jobs.inbox.parting import Parted, Place, count_for, page, parted, waiting

__all__ = ["Parted", "Place", "count_for", "page", "parted", "waiting"]

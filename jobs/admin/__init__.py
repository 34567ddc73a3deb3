"""Jobs in the admin: a queue to read, and the decisions to take on it."""

from jobs.admin.jobs import JobAdmin

__all__ = ["JobAdmin"]

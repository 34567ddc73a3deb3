"""Jobs in the admin: a queue to read, the decisions to take on it, and what asks for them."""

from jobs.admin import stakes
from jobs.admin.certificates import CertificateJobsAdmin
from jobs.admin.jobs import JobAdmin

__all__ = ["CertificateJobsAdmin", "JobAdmin", "stakes"]

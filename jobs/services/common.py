"""What the use cases share: locking in the house's order."""

import uuid

from certificates.models import Certificate
from jobs.models import Job


def lock_certificate(job: Job) -> Certificate:
    """Lock the certificate of `job`, whose row the caller has locked, and put it in its place.

    What is read through `job.certificate` afterwards is what was true after the wait.
    """
    certificate = Certificate.objects.lock(job.certificate_id)
    job.certificate = certificate
    return certificate


def lock_both(job_id: uuid.UUID) -> Job:
    """Lock a job, then its certificate; raises Job.DoesNotExist."""
    job = Job.objects.lock(job_id)
    lock_certificate(job)
    return job

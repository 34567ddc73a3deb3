"""What the use cases share: locking in the house's order, and the certificate's status."""

import uuid

import certificates.services
from certificates.models import Certificate, CertificateStatus
from jobs.models import Job
from owners.models import Principal

SIGNING = (Job.Kind.ISSUANCE, Job.Kind.RENEWAL)


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


def restore(job: Job, actor: Principal) -> None:
    """Give the certificate back its status after `job` ended without a new version.

    One that never had a version has failed. The caller holds the lock of the certificate.
    """
    if job.kind not in SIGNING:
        return
    certificate = job.certificate
    if certificate.current_id is not None:
        # Only what shows the renewal is taken back: the expiry sweep keeps the rest true.
        if certificate.status == CertificateStatus.RENEWAL_IN_PROGRESS:
            certificates.services.settle(certificate=certificate)
    elif certificate.status == CertificateStatus.PENDING:
        why = job.last_error or job.decision_reason
        certificates.services.mark_failed(certificate=certificate, actor=actor, why=why)

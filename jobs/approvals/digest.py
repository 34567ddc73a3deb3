"""The hash that an approval is bound to.

It is made from what is in memory, at approval and again right before the work with the very
objects that the work then uses; a difference means that something changed in between.
"""

from certificates.models import Certificate
from foundation.errors import ConnectorError
from jobs.kinds import kind_of
from jobs.models import Job


def digest_of(job: Job, certificate: Certificate) -> str:
    """Return the SHA-256, in hexadecimal, of what `job` will do; "" while its CSR is missing.

    `certificate` carries the issuer and the profile that the work will use.
    """
    return kind_of(job).digest(job, certificate)


def check_unchanged(job: Job, certificate: Certificate) -> None:
    """Raise where what would be done now is not what was approved, or nobody approved it.

    Trying again cannot help, so the error is permanent.
    """
    if job.approved_digest:
        if digest_of(job, certificate) != job.approved_digest:
            raise ConnectorError(
                "What was approved has changed since: ask for it again, so that somebody can "
                "approve what is to be done now.",
                permanent=True,
            )
        return
    kind = kind_of(job)
    kind.check_still_meant(job, certificate)
    if kind.needs_approval(job, certificate):
        raise ConnectorError(
            f"The profile {certificate.profile} wants an approval, which this job does not have.",
            permanent=True,
        )

"""A job that is done in the transaction that asks for it, for a door whose caller waits."""

import logging

from django.conf import settings

from audit.services import record_many
from certificates.models import Version
from foundation.clock import database_clock
from foundation.errors import CertctlError
from issuers.services import Waiting
from jobs import approvals
from jobs.kinds import kind_of
from jobs.kinds.signing import Signing
from jobs.services import settle
from jobs.services.requests import Asked
from jobs.states import Status
from owners.models import Principal

logger = logging.getLogger(__name__)


def sign_at_once(*, asked: Asked, actor: Principal) -> Version | None:
    """Claim, sign and complete a job that the caller's transaction has made; return its version.

    Nobody else has seen the job, so nobody can have it, and there is no crash in between: all of it
    is there, or nothing. Its row and its events say what they would had a worker done it. A key of
    ours signs in microseconds; no issuer that is called over a network is asked this way.

    None where something is in the way, and then nothing was written: the job stays as it was asked
    for, and `runner.run_at_once` or a worker does it, and says what is wrong. `asked` is what the
    request brought for a device that waits (`ForDevice.at_once`), so that nobody revokes the CA
    before the commit; the caller holds the certificate's lock.
    """
    job, kind = asked.job, kind_of(asked.job)
    certificate, now = job.certificate, database_clock.now()
    if job.status != Status.PENDING or asked.checked is None or not isinstance(kind, Signing):
        return None
    if not asked.is_new and kind.has_to_overtake(job):
        return None  # what is replaced is locked before the certificate
    try:
        approvals.check_unchanged(job, certificate)
        signed = kind.sign(job, certificate, asked.checked)
    except CertctlError as error:
        logger.info("job %s was not done at once: %s", job.pk, error)
        return None
    if isinstance(signed, Waiting):
        return None
    record_many([job.take(actor, now=now, lease=settings.JOB_LEASE)])
    settle.finish(job, kind.store(job, signed, actor, is_new=asked.is_new), actor)
    return job.version

"""Look by TLS handshake whether what was deployed is what is served."""

from datetime import timedelta
from typing import ClassVar

from typing_extensions import override

import deployments.models
import deployments.services
from certificates.models import Certificate
from deployments.services import Seen
from foundation.errors import ConnectorError
from jobs.kinds.at_target import AtTarget, target_of
from jobs.kinds.base import Kept, Skipped
from jobs.models import Job
from owners.models import Principal

# A server that was just told to reload shows the new certificate within seconds.
RETRY = timedelta(seconds=5)


class Validation(AtTarget[Seen]):
    """Compares; another certificate fails the job, which looks again as often as it has tries."""

    name: ClassVar[Job.Kind] = Job.Kind.VALIDATION

    @override
    def set_up(self, job: Job) -> None:
        job.retry_delay = RETRY
        job.verification = Job.Verification.PENDING

    @override
    def prepare(self, job: Job) -> Certificate | Skipped:
        if job.target is None:
            raise ConnectorError("There is no target to look at.", permanent=True)
        deployment = (
            deployments.models.Deployment.objects.select_related(
                "target", "version", "certificate__profile"
            )
            .filter(certificate_id=job.certificate_id, target=job.target)
            .first()
        )
        if deployment is None or deployment.version is None or not deployment.target.has_endpoint:
            return Skipped("Nothing is deployed there, or no endpoint is known.")
        job.version, job.target = deployment.version, deployment.target
        return deployment.certificate

    @override
    def longest(self, job: Job) -> timedelta:
        return deployments.services.LONGEST_VALIDATION

    @override
    def run(self, job: Job, certificate: Certificate, actor: Principal) -> Seen:
        assert job.version is not None  # noqa: S101 - `prepare` has set it
        return deployments.services.validate(target=target_of(job), version=job.version)

    @override
    def keep(self, held: Job, result: Seen | Skipped, actor: Principal) -> Kept:
        if isinstance(result, Skipped):
            held.verification = Job.Verification.SKIPPED
            held.verification_detail = result.why
            return Kept({"verification": held.verification})
        held.verification_detail = result.detail
        deployments.services.record_seen(
            certificate=held.certificate, target=target_of(held), seen=result, actor=actor
        )
        if result.matches:
            held.verification = Job.Verification.SUCCESS
            return Kept({"verification": held.verification})
        held.verification = Job.Verification.FAILED
        why = result.detail or "Something else is served."
        return Kept(failure=ConnectorError(why, permanent=False))

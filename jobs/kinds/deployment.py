"""Put the certificate's current version where a target serves it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from typing_extensions import override

import deployments.services
from certificates.models import Certificate
from deployments.services import Outcome
from foundation.errors import ConnectorError
from jobs.kinds.at_target import AtTarget, target_of
from jobs.kinds.base import Follow, Kept, Skipped
from jobs.models import Job
from owners.models import Principal


class Deployment(AtTarget[Outcome]):
    """Carries whatever version is current when it runs."""

    name: ClassVar[Job.Kind] = Job.Kind.DEPLOYMENT

    @override
    def prepare(self, job: Job) -> Certificate:
        certificate = Certificate.objects.select_related("current", "profile").get(
            pk=job.certificate_id
        )
        if certificate.current is None or job.target is None:
            raise ConnectorError("There is no version or no target to deploy to.", permanent=True)
        # A retry may find that a newer version has come since: never put an old one over it.
        job.version = certificate.current
        return certificate

    @override
    def longest(self, job: Job) -> timedelta:
        return deployments.services.longest(target_of(job))

    @override
    def run(self, job: Job, certificate: Certificate, actor: Principal) -> Outcome:
        assert job.version is not None  # noqa: S101 - `prepare` has set it
        return deployments.services.deploy(version=job.version, target=target_of(job))

    @override
    def keep(self, held: Job, result: Outcome | Skipped, actor: Principal) -> Kept:
        assert not isinstance(result, Skipped)  # noqa: S101 - `prepare` never does
        certificate, target, version = held.certificate, target_of(held), held.version
        assert version is not None  # noqa: S101 - `prepare` has set it
        # It locks what else is deployed there, which must come before the audit's lock.
        deployments.services.record_deployed(
            certificate=certificate, target=target, version=version, outcome=result, actor=actor
        )
        follows = []
        if certificate.current_id != version.pk:
            # A newer version came while this one was carried there.
            follows = [Follow(Job.Kind.DEPLOYMENT, target, certificate.current)]
        elif target.has_endpoint:
            follows = [Follow(Job.Kind.VALIDATION, target, version)]
        return Kept({"version": version.number, "changed": result.changed}, follows)

    @override
    def instead(self, held: Job) -> Sequence[Follow]:
        """Have a version deployed that came while this job was failing with an older one."""
        current = held.certificate.current
        if current is None or held.version_id in {None, current.pk}:
            return ()
        return (Follow(Job.Kind.DEPLOYMENT, target_of(held), current),)

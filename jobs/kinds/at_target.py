"""What all work at a target has in common."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from typing_extensions import override

from certificates.models import Certificate
from deployments.models import Target
from foundation.errors import Invalid
from jobs.kinds.base import Kind, Result
from jobs.models import Job


class AtTarget(Kind[Result]):
    """Work with one version at one target."""

    @override
    def inputs(self, job: Job, certificate: Certificate) -> Mapping[str, Any]:
        target = job.target
        return {
            "kind": str(job.kind),
            "certificate": str(certificate.pk),
            "version": job.version.fingerprint if job.version else None,
            "target": target
            and {
                "id": str(target.pk),
                "kind": target.kind,
                "config": target.config,
                "endpoint": [target.endpoint_host, target.endpoint_port, target.server_name],
            },
        }

    @override
    def same_work(self, job: Job) -> Q:
        return Q(kind=job.kind, target=job.target)


def target_of(job: Job) -> Target:
    """Return the job's target; raises Invalid."""
    if job.target is None:
        raise Invalid(f"A {job.kind} job without a target.")
    return job.target

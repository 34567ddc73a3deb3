"""The table of the kinds of job; one module each, and `base` says what each must tell."""

from collections.abc import Mapping
from typing import Any

from jobs.kinds.base import Kind
from jobs.kinds.deployment import Deployment
from jobs.kinds.revocation import Revocation
from jobs.kinds.signing import Issuance, Renewal
from jobs.kinds.validation import Validation
from jobs.models import Job

KINDS: Mapping[Job.Kind, Kind[Any]] = {
    kind.name: kind for kind in (Issuance(), Renewal(), Deployment(), Validation(), Revocation())
}


def kind_of(job: Job) -> Kind[Any]:
    """Return what says how a job of its kind goes."""
    return KINDS[Job.Kind(job.kind)]

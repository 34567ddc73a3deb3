"""Tell an external issuer of a revocation: asked for by nobody yet, and done by nobody."""

from typing import ClassVar, NoReturn

from django.db.models import Q
from typing_extensions import override

from certificates.models import Certificate
from foundation.errors import ConnectorError
from jobs.kinds.at_target import AtTarget
from jobs.kinds.base import Kept, Skipped
from jobs.models import Job
from owners.models import Principal


class Revocation(AtTarget[None]):
    """Kept in the table of jobs for issuers that do not answer for revocation with us."""

    name: ClassVar[Job.Kind] = Job.Kind.REVOCATION

    @override
    def same_work(self, job: Job) -> Q:
        return Q(kind=job.kind, version=job.version)

    @override
    def prepare(self, job: Job) -> NoReturn:
        raise ConnectorError(f"This server does no {job.kind} jobs.", permanent=True)

    @override
    def run(self, job: Job, certificate: Certificate, actor: Principal) -> None:
        self.prepare(job)

    @override
    def keep(self, held: Job, result: Skipped | None, actor: Principal) -> Kept:
        return Kept()

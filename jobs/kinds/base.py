"""What a kind of job says of itself; the services ask it, and know none by name.

A kind knows what its work is about and how it is done. When it is done, who may have it done and
what is written of that is the services' part: nothing here moves a job or opens a transaction.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Q

from certificates.models import Certificate, Version
from deployments.models import Target
from foundation.errors import ConnectorError
from issuers.services import Waiting
from jobs.models import Job
from owners.models import Principal

Result = TypeVar("Result")


class ClaimLost(Exception):
    """The job is another worker's, or nobody's: what is under way must not go on."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """There was nothing to do, and why; the job is done with that."""

    why: str


@dataclass(frozen=True, slots=True)
class Follow:
    """Work that follows from a job, on the same certificate."""

    kind: Job.Kind
    target: Target
    version: Version | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept of a result: facts for the event, what follows, and why it is a failure."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    follows: Sequence[Follow] = ()
    failure: ConnectorError | None = None


@dataclass(frozen=True, slots=True)
class KeyOf:
    """The key that a job is about, for those who decide; empty while nobody knows it."""

    algorithm: str = ""
    size: int | None = None
    fingerprint: str = ""


class Kind(ABC, Generic[Result]):
    """One kind of job. Adding one is a module like those beside this, and a line in the table."""

    name: ClassVar[Job.Kind]
    # Whether a certificate is signed by it.
    signs: ClassVar[bool] = False

    # --- What is approved, and what is the same -------------------------------------------------

    @abstractmethod
    def inputs(self, job: Job, certificate: Certificate) -> Mapping[str, Any] | None:
        """Return all that decides what will be done, as JSON has it; None while that is unknown.

        An approval is bound to the hash of the whole. `certificate` is the very object that the
        work uses, with its issuer and profile.
        """

    @abstractmethod
    def same_work(self, job: Job) -> Q:
        """Return which jobs of the same certificate would do the work of `job` again."""

    def needs_approval(self, job: Job, certificate: Certificate) -> bool:
        """Whether somebody must approve `job`, as things stand now."""
        return certificate.profile.needs_approval(job.kind)

    def digest(self, job: Job, certificate: Certificate) -> str:
        """Return the SHA-256 of the inputs, in hexadecimal; "" while they are unknown."""
        inputs = self.inputs(job, certificate)
        if inputs is None:
            return ""
        if job.justification:
            # It does nothing, but it is what somebody agreed on. Only where there is one, so that
            # what was approved before jobs had any keeps its digest.
            inputs = {**inputs, "justification": job.justification}
        text = json.dumps(inputs, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def key(self, job: Job) -> KeyOf:
        """Return the key that `job` is about: that of its version, or of the current one."""
        version = job.version or job.certificate.current
        if version is None:
            return KeyOf()
        return KeyOf(version.key_algorithm, version.key_size, version.key_fingerprint)

    def predecessor(self, job: Job) -> Version | None:
        """Return the version whose place would be taken, if any."""
        return None

    # --- How it begins --------------------------------------------------------------------------

    def waits_for_csr(self, job: Job) -> bool:
        """Whether a new job waits for a CSR before anything else."""
        return False

    def set_up(self, job: Job) -> None:
        """Set on a new job what this kind has of its own, in memory."""

    # --- The work -------------------------------------------------------------------------------

    @abstractmethod
    def prepare(self, job: Job) -> Certificate | Skipped:
        """Read what the work is about; raises ConnectorError where there is nothing to work on.

        What is approved is compared with what this returns, right before `run` gets it.
        """

    def longest(self, job: Job) -> timedelta:
        """Return what the work's own time limits add up to, on top of the lease."""
        return timedelta(0)

    def check_still_meant(self, job: Job, certificate: Certificate) -> None:
        """Raise ConnectorError where what nobody had to approve is not what was asked for any more.

        What was approved needs no such look: the approval is bound to the inputs.
        """

    @abstractmethod
    def run(self, job: Job, certificate: Certificate, actor: Principal) -> Result | Waiting:
        """Do the work, with no transaction open; it writes nothing of its result."""

    def overtakes(self, held: Job) -> Sequence[Job]:
        """Lock and return open jobs that the result of `held` makes void."""
        return ()

    @abstractmethod
    def keep(self, held: Job, result: Result | Skipped, actor: Principal) -> Kept:
        """Write the result in the caller's transaction, which has locked job and certificate."""

    # --- When it does not succeed ---------------------------------------------------------------

    def failed(self, held: Job, error: Exception) -> None:
        """Set on the job what an error of its work tells, in memory."""

    def instead(self, held: Job) -> Sequence[Follow]:
        """Return what is to be done instead of a job that failed for good."""
        return ()

    def restore(self, job: Job, actor: Principal) -> None:
        """Take back what showed the work on the certificate: it ended without a result."""

    def resume(self, certificate: Certificate) -> None:
        """Show on the certificate that the work is under way again."""

"""What somebody is asked to approve, in words, and what differs from what is there."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from certificates.policy import revoked_for
from jobs.approvals.digest import digest_of
from jobs.approvals.warnings import of_jobs
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.states import Status


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that will not be as in the predecessor."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The version that would be replaced."""

    number: int
    serial: str
    not_after: datetime
    names: Sequence[str]
    key_algorithm: str
    key_size: int | None
    key_fingerprint: str
    issuer: str
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody is asked to approve, and what differs from what is there."""

    job: Job
    kind: str
    certificate: str
    common_name: str
    names: Sequence[str]
    key_algorithm: str
    key_size: int | None
    key_fingerprint: str
    lifetime: timedelta
    issuer: str
    profile: str
    owner: str
    requested_by: str
    justification: str = field(
        metadata={"help_text": "Why it is asked for, in the requester's words; empty: none given."}
    )
    csr_by: str = field(
        metadata={
            "help_text": "Who brought the CSR, later or for the version before; empty: who asked."
        }
    )
    device: str = field(
        metadata={"help_text": "The device that enrolls, with its label; empty: none does."}
    )
    vouched_by: str = field(
        metadata={
            "help_text": "Who made the credential that the device enrolls by, and so counts among "
            "those who asked; empty where no device does."
        }
    )
    target: str
    target_config: dict[str, Any] = field(
        metadata={"help_text": "The target's configuration that the digest covers; else empty."}
    )
    digest: str
    after_revocation: str = field(
        metadata={"help_text": "Why the certificate was revoked that would come back; else empty."}
    )
    warnings: Sequence[str] = field(
        metadata={
            "help_text": "What is to be known before it is signed; nothing is refused for it."
        }
    )
    predecessor: Predecessor | None
    differences: Sequence[Difference] = field(default_factory=tuple)

    @property
    def is_signing(self) -> bool:
        """Whether a certificate would be signed."""
        return kind_of(self.job).signs

    @property
    def lifetime_words(self) -> str:
        """The lifetime for people."""
        return in_words(self.lifetime)

    def as_data(self) -> dict[str, Any]:
        """Return it as plain values, with the job as its key."""
        plain = {
            name: getattr(self, name)
            for name in self.__slots__
            if name not in {"job", "predecessor", "differences"}
        }
        return {
            "job": self.job.pk,
            **plain,
            "predecessor": asdict(self.predecessor) if self.predecessor else None,
            "differences": [asdict(difference) for difference in self.differences],
        }


def review(job: Job) -> Review:
    """Return what `job` is about, for whoever has to decide on it."""
    (one,) = reviews([job])
    return one


def reviews(jobs: Sequence[Job]) -> list[Review]:
    """Return what each of `jobs` is about; their warnings are asked for together."""
    warnings = of_jobs(jobs)
    return [_review(job, warnings.get(job.pk, ())) for job in jobs]


def _review(job: Job, warnings: Sequence[str]) -> Review:
    certificate = job.certificate
    key = kind_of(job).key(job)
    predecessor = _predecessor(job)
    reviewed = Review(
        job=job,
        kind=str(job.kind),
        certificate=certificate.name,
        common_name=certificate.common_name,
        names=tuple(certificate.sans),
        key_algorithm=key.algorithm,
        key_size=key.size,
        key_fingerprint=key.fingerprint,
        lifetime=job.lifetime or certificate.profile.max_lifetime,
        issuer=str(certificate.issuer),
        profile=str(certificate.profile),
        owner=str(certificate.owner),
        requested_by=job.requested_by.get_username(),
        justification=job.justification,
        csr_by=job.csr_by.get_username() if job.csr_by else "",
        device=job.device,
        vouched_by=job.csr_by.get_username() if job.device and job.csr_by else "",
        target=str(job.target) if job.target else "",
        target_config=_target_config(job),
        digest=digest_of(job, certificate),
        after_revocation=_after_revocation(job),
        warnings=warnings,
        predecessor=predecessor,
        differences=(),
    )
    if predecessor is None:
        return reviewed
    return _with_differences(reviewed, predecessor)


def _target_config(job: Job) -> dict[str, Any]:
    inputs = None if kind_of(job).signs else kind_of(job).inputs(job, job.certificate)
    return dict((inputs or {}).get("target") or {})


def _after_revocation(job: Job) -> str:
    if not kind_of(job).signs or job.status == Status.COMPLETED:
        return ""
    return str(revoked_for(job.certificate) or "")


def _predecessor(job: Job) -> Predecessor | None:
    version = kind_of(job).predecessor(job)
    if version is None:
        return None
    return Predecessor(
        number=version.number,
        serial=version.serial,
        not_after=version.not_after,
        names=tuple(version.sans),
        key_algorithm=version.key_algorithm,
        key_size=version.key_size,
        key_fingerprint=version.key_fingerprint,
        issuer=str(version.issuer) if version.issuer else "another CA",
        lifetime=version.not_after - version.not_before,
    )


def _with_differences(new: Review, old: Predecessor) -> Review:
    differences = []
    added = [name for name in new.names if name not in old.names]
    dropped = [name for name in old.names if name not in new.names]
    if added or dropped:
        differences.append(Difference("names", ", ".join(old.names), ", ".join(new.names)))
    if (new.key_algorithm, new.key_size) != (old.key_algorithm, old.key_size):
        differences.append(
            Difference(
                "key algorithm",
                _key_words(old.key_algorithm, old.key_size),
                _key_words(new.key_algorithm, new.key_size),
            )
        )
    if new.key_fingerprint != old.key_fingerprint:
        differences.append(Difference("key", old.key_fingerprint, new.key_fingerprint))
    if new.issuer != old.issuer:
        differences.append(Difference("issuer", old.issuer, new.issuer))
    # Whoever signs may round to seconds, or set the clock back a little for those who run late.
    if abs(new.lifetime - old.lifetime) > timedelta(minutes=10):
        differences.append(Difference("lifetime", in_words(old.lifetime), in_words(new.lifetime)))
    kept = {name: getattr(new, name) for name in new.__slots__ if name != "differences"}
    return Review(**kept, differences=tuple(differences))


def in_words(lifetime: timedelta) -> str:
    """Return a span of time as people say it: "47 days", "30 minutes"."""
    seconds = round(lifetime.total_seconds())
    parts = []
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}{'s' if count != 1 else ''}")
    return ", ".join(parts[:2]) or "nothing"


def _key_words(algorithm: str, size: int | None) -> str:
    return f"{algorithm} {size}" if size else algorithm

"""What an approval is about: exactly what will be done, as a digest and in words for people.

The digest is made from what is in memory, at approval and again right before the work with the
very objects that the work then uses; a difference means that something changed in between.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

import issuers.services
from certificates.models import Certificate, Reason, Version
from foundation.errors import ConnectorError, FieldError, Invalid
from issuers.x509 import certs, csr
from jobs.models import Job
from jobs.states import Status

SIGNING = (Job.Kind.ISSUANCE, Job.Kind.RENEWAL)


class CompromisedKey(Invalid):
    """A key that leaked is never certified again (CA/B BR 6.1.1.3)."""

    code = "compromised_key"
    message = "A certificate with this key was revoked for key compromise."


def digest_of(job: Job, certificate: Certificate) -> str:
    """Return the SHA-256, in hexadecimal, of what `job` will do; "" while its CSR is missing.

    `certificate` carries the issuer and the profile that the work will use.
    """
    if job.kind in SIGNING:
        if not job.csr_pem:
            return ""
        return issuers.services.signing_digest(
            issuer=certificate.issuer,
            profile=certificate.profile,
            csr_pem=job.csr_pem,
            common_name=certificate.common_name,
            sans=certificate.sans,
            lifetime=job.lifetime,
        )
    target = job.target
    what = {
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
    return hashlib.sha256(
        json.dumps(what, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


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
    elif certificate.profile.needs_approval(job.kind):
        raise ConnectorError(
            f"The profile {certificate.profile} wants an approval, which this job does not have.",
            permanent=True,
        )


def check_key(csr_pem: str) -> None:
    """Raise CompromisedKey where the CSR's key is known to have leaked."""
    fingerprint = certs.key_fingerprint(csr.parse(csr_pem).public_key())
    if Version.objects.filter(
        key_fingerprint=fingerprint, revocation__reason=Reason.KEY_COMPROMISE
    ).exists():
        raise CompromisedKey(
            errors=[FieldError("csr", CompromisedKey.code, CompromisedKey.message)]
        )


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
    csr_by: str = field(
        metadata={
            "help_text": "Who gave the CSR later, where the job had to wait for one; else empty."
        }
    )
    target: str
    digest: str
    predecessor: Predecessor | None
    differences: Sequence[Difference] = field(default_factory=tuple)

    @property
    def is_signing(self) -> bool:
        """Whether a certificate would be signed."""
        return self.kind in SIGNING

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
    certificate = job.certificate
    algorithm, size, fingerprint = _key(job)
    predecessor = _predecessor(job)
    reviewed = Review(
        job=job,
        kind=str(job.kind),
        certificate=certificate.name,
        common_name=certificate.common_name,
        names=tuple(certificate.sans),
        key_algorithm=algorithm,
        key_size=size,
        key_fingerprint=fingerprint,
        lifetime=job.lifetime or certificate.profile.max_lifetime,
        issuer=str(certificate.issuer),
        profile=str(certificate.profile),
        owner=str(certificate.owner),
        requested_by=job.requested_by.get_username(),
        csr_by=job.csr_by.get_username() if job.csr_by else "",
        target=str(job.target) if job.target else "",
        digest=digest_of(job, certificate),
        predecessor=predecessor,
        differences=(),
    )
    if predecessor is None:
        return reviewed
    return _with_differences(reviewed, predecessor)


def _key(job: Job) -> tuple[str, int | None, str]:
    if job.kind in SIGNING:
        if not job.csr_pem:
            return "", None, ""
        public = csr.parse(job.csr_pem).public_key()
        algorithm, size = certs.key_algorithm_of(public)
        return algorithm, size, certs.key_fingerprint(public)
    version = job.version or job.certificate.current
    if version is None:
        return "", None, ""
    return version.key_algorithm, version.key_size, version.key_fingerprint


def _predecessor(job: Job) -> Predecessor | None:
    if job.kind not in SIGNING:
        return None
    version = job.certificate.current
    if job.version is not None:
        # It is done: what it took the place of.
        version = job.certificate.versions.filter(number=job.version.number - 1).first()
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
    found = []
    added = [name for name in new.names if name not in old.names]
    dropped = [name for name in old.names if name not in new.names]
    if added or dropped:
        found.append(Difference("names", ", ".join(old.names), ", ".join(new.names)))
    if (new.key_algorithm, new.key_size) != (old.key_algorithm, old.key_size):
        found.append(
            Difference(
                "key algorithm",
                _key_words(old.key_algorithm, old.key_size),
                _key_words(new.key_algorithm, new.key_size),
            )
        )
    if new.key_fingerprint != old.key_fingerprint:
        found.append(Difference("key", old.key_fingerprint, new.key_fingerprint))
    if new.issuer != old.issuer:
        found.append(Difference("issuer", old.issuer, new.issuer))
    # Whoever signs may round to seconds, or set the clock back a little for those who run late.
    if abs(new.lifetime - old.lifetime) > timedelta(minutes=10):
        found.append(Difference("lifetime", in_words(old.lifetime), in_words(new.lifetime)))
    kept = {name: getattr(new, name) for name in new.__slots__ if name != "differences"}
    return Review(**kept, differences=tuple(found))


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


@dataclass(frozen=True, slots=True)
class Wait:
    """What has to happen before a job goes on, until when, and in words who cannot do it."""

    what: str
    until: datetime | None
    detail: str

    @property
    def short(self) -> str:
        """What it is, in a few words for lists."""
        words = _WAITS[self.what]
        return f"{words} {self.until:%d %b %H:%M}" if self.until else words

    def as_data(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


_WAITS = {
    "csr": "a CSR until",
    "approval": "a decision until",
    "agent": "its agent",
    "time": "its time,",
    "retry": "its next try,",
}


def _who_decides(job: Job) -> str:
    asked = f"neither {job.requested_by.get_username()}, who asked for it,"
    if job.csr_by is not None and job.csr_by != job.requested_by:
        asked += f" nor {job.csr_by.get_username()}, who gave its CSR,"
    return f"An operator must decide who is {asked} nor of the owner {job.certificate.owner}."


def waits_for(job: Job) -> Wait | None:
    """Return what `job` waits for; None where a worker has it or it is over."""
    match job.status:
        case Status.AWAITING_CSR:
            return Wait("csr", job.waits_until, "A CSR for its names must be submitted.")
        case Status.AWAITING_APPROVAL:
            return Wait("approval", job.waits_until, _who_decides(job))
        case Status.PENDING if job.agent_id is not None:
            return Wait("agent", None, "The agent of its target must fetch it.")
        case Status.PENDING if job.scheduled_at > timezone.now():
            return Wait("time", job.scheduled_at, "It is scheduled for later.")
        case Status.FAILED if job.attempts < job.max_attempts:
            return Wait("retry", job.scheduled_at, "It failed and will be tried again.")
    return None

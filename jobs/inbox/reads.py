"""What the rules rest on, read for many jobs together: to show who may decide, never to decide."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from uuid import UUID

from typing_extensions import override

import certificates.policy
import owners.policy
from certificates.models import Certificate, Version
from foundation.errors import CertctlError
from jobs import policy
from jobs.kinds import kind_of
from jobs.models import Job
from owners.models import Owner, Principal, Team


class Together(policy.Reads):
    """What `policy.Reads` gives, read before it is asked: five queries at most, however many jobs.

    The jobs come with what `parting.RELATED` names. It is of one moment and asked about one actor;
    what it said of an owner, a team or a person is kept for the next job.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        rows = {job.certificate_id: job.certificate for job in jobs}
        self._pairs = policy.others_answering_for(rows)
        for pk, row in rows.items():
            self._pairs.setdefault(pk, []).append((row.owner, row.team))
        self._owners: dict[UUID, Owner] = {}
        self._teams: dict[UUID, Team] = {}
        self._read_people()
        self._versions = _by_key(jobs)
        self._answers: dict[tuple[UUID, UUID | None], bool] = {}

    @override
    def answer(self, actor: Principal, certificate: Certificate) -> bool:
        return any(self._answer(actor, *pair) for pair in self._pairs[certificate.pk])

    @override
    def with_key(self, fingerprint: str) -> Iterable[Version]:
        return self._versions.get(fingerprint, ())

    @override
    def there_at(self, moment: datetime) -> Iterable[Principal]:
        return (one for one in self._everybody if one.date_joined <= moment)

    @cached_property
    def _everybody(self) -> list[Principal]:
        # Asked for only where nobody knows who brought a key.
        return list(Principal.objects.only("pk", "email", "date_joined"))

    def _answer(self, actor: Principal, owner: Owner, team: Team | None) -> bool:
        key = (owner.pk, team.pk if team else None)
        if key not in self._answers:
            seated = self._teams[team.pk] if team else None
            self._answers[key] = certificates.policy.answers_for(
                actor, self._owners[owner.pk], seated
            )
        return self._answers[key]

    def _read_people(self) -> None:
        """Have each owner and each team once, with its people."""
        for owner, team in (pair for pairs in self._pairs.values() for pair in pairs):
            self._owners.setdefault(owner.pk, owner)
            if team is not None:
                self._teams.setdefault(team.pk, team)
        for owner in [*self._owners.values()]:
            if owner.team is not None:
                self._teams.setdefault(owner.team.pk, owner.team)
        owners.policy.know_people(owners=[*self._owners.values()], teams=[*self._teams.values()])


def _by_key(jobs: Sequence[Job]) -> dict[str, list[Version]]:
    fingerprints = {_fingerprint(job) for job in jobs} - {""}
    if not fingerprints:
        return {}
    rows = defaultdict(list)
    brought = Version.objects.filter(key_fingerprint__in=fingerprints)
    for version in (
        brought.select_related("requested_by", "csr_by")
        .only("key_fingerprint", "created_at", "requested_by", "csr_by")
        .order_by()
    ):
        rows[version.key_fingerprint].append(version)
    return dict(rows)


def _fingerprint(job: Job) -> str:
    try:
        return kind_of(job).key(job).fingerprint
    except CertctlError:
        return ""  # whoever judges the job meets the same

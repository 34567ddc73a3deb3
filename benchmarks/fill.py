"""An inventory of a million: certificates, versions, names, jobs, deployments and a trail.

The same for the same number: how often an owner, a tag or a status comes is what a large company
has, with a few that are rare and long ago, since those are what a list in order of time finds last.
"""

import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from audit.models import ChainHead, Event
from benchmarks.revocation import leaf
from benchmarks.rows import insert, unchecked, without_indexes
from certificates.models import Certificate, CertificateName, Revocation, Version
from certificates.models.revocations import entry_of
from deployments.models import Deployment, Target
from issuers.models import Issuer, Profile
from jobs.models import Job
from owners.models import Owner, Principal, Team

BATCH = 20_000
AGE = timedelta(days=730)  # of the oldest
OWNERS, TEAMS, TARGETS, ISSUERS = 60, 8, 40, 4
RARE = 30  # of the rare owner, tag and environment there are so many, the oldest of all
RARE_OWNER, RARE_TAG, RARE_ENVIRONMENT = "Rare owner", "rare", "lab"
WORDS = (
    "shop",
    "bank",
    "mail",
    "login",
    "search",
    "stock",
    "orders",
    "print",
    "chat",
    "wiki",
    "build",
    "cache",
    "proxy",
    "vault",
    "ledger",
    "report",
    "invoice",
    "payroll",
    "metrics",
    "grafana",
    "kafka",
    "redis",
    "billing",
    "catalog",
    "media",
    "images",
    "video",
    "maps",
    "weather",
    "tickets",
    "events",
    "booking",
    "travel",
    "hotel",
    "fleet",
    "sensor",
    "camera",
    "badge",
    "door",
    "elevator",
)
ZONES = [f"{name}.example" for name in ("north", "south", "east", "west", "core", "edge", "lab")]
TAGS = ("web", "api", "internal", "pci", "eu", "us", "blue", "green")
ENVIRONMENTS = ("production", "production", "production", "staging", "test", "")
TABLES = (Certificate, Version, CertificateName, Revocation, Deployment, Job, Event)

Row = dict[str, Any]


@dataclass(slots=True)
class Batch:
    """Rows that go into the database together."""

    certificates: list[Row]
    versions: list[Row]
    names: list[Row]
    revocations: list[Row]
    deployments: list[Row]
    jobs: list[Row]
    events: list[Row]


def fill(count: int) -> None:
    """Add `count` certificates with all that belongs to them."""
    filling = Filling(count)
    with without_indexes(*TABLES):
        for begin in range(0, count, BATCH):
            batch = filling.batch(begin, min(begin + BATCH, count))
            with transaction.atomic():
                unchecked()
                insert(filling.certificate, batch.certificates)
                insert(filling.version, batch.versions)
                insert(CertificateName(), batch.names)
                insert(filling.revocation, batch.revocations)
                insert(filling.deployment, batch.deployments)
                insert(filling.job, batch.jobs)
                insert(filling.event, batch.events)
    last = Event.objects.order_by("-sequence")[0]
    ChainHead.objects.update(sequence=last.sequence, hash=last.hash)


class Filling:
    """What all rows have in common, and how each differs."""

    def __init__(self, count: int) -> None:
        self.count, self.random, self.now = count, random.Random(9), timezone.now()  # noqa: S311
        self.first_event = ChainHead.objects.get().sequence + 1
        self.actor = Principal.objects.get(username="alice")
        self.owners, self.issuers, self.targets = _owners(), _issuers(), _targets()
        self.rare_owner = Owner.objects.get(name=RARE_OWNER).pk
        self.profiles = list(Profile.objects.order_by("slug"))
        self.weights = [1 / (at + 1) for at in range(len(self.owners))]
        self.certificate = Certificate(
            owner=self.owners[0], issuer=self.issuers[0], profile=self.profiles[0]
        )
        self.version = Version(
            certificate=self.certificate,
            issuer=self.issuers[0],
            key_algorithm="ecdsa-p256",
            pem=leaf(),
        )
        self.revocation = Revocation(reason="superseded", revoked_by=self.actor)
        self.deployment = Deployment(certificate=self.certificate, target=self.targets[0])
        self.job = Job(
            certificate=self.certificate,
            requested_by=self.actor,
            kind=Job.Kind.ISSUANCE,
            status="Completed",
        )
        self.event = Event(
            actor=self.actor,
            actor_name=self.actor.username,
            door="rest",
            action="certificate.request",
            subject_type="certificates.certificate",
            at=self.now,
            previous_hash="0" * 64,
            format=2,
        )

    def batch(self, begin: int, end: int) -> Batch:
        """Return the rows of the certificates with these numbers."""
        batch = Batch([], [], [], [], [], [], [])
        for number in range(begin, end):
            self._add(batch, number)
        return batch

    def _key(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def _add(self, batch: Batch, number: int) -> None:
        chance, at = self.random.random, self.now - AGE * (1 - number / self.count)
        key, is_rare = self._key(), number < RARE
        first, second = self.random.choices(WORDS, k=2)
        name = f"{first}-{second}-{number:07d}.{self.random.choice(ZONES)}"
        sans = [f"dns:{name}", *([f"dns:www.{name}"] if chance() < 0.3 else [])]  # noqa: PLR2004
        status, ends = self._standing()
        issuer = self.random.choices(self.issuers, (70, 20, 9, 1))[0]
        version = None if status == "Pending" else self._key()
        owner = self.random.choices(self.owners, self.weights)[0]
        tags = [tag for tag in TAGS if chance() < 0.15]  # noqa: PLR2004
        batch.certificates.append(
            {
                "id": key,
                "name": name,
                "common_name": name,
                "sans": json.dumps(sans),
                "owner": self.rare_owner if is_rare else owner.pk,
                "issuer": issuer.pk,
                "profile": self.random.choice(self.profiles).pk,
                "environment": RARE_ENVIRONMENT if is_rare else self.random.choice(ENVIRONMENTS),
                "tags": json.dumps([*tags, RARE_TAG] if is_rare else tags),
                "status": status,
                "current": version,
                "ends_at": ends if version else None,
                "created_at": at,
                "updated_at": at,
            }
        )
        batch.names += [{"certificate": key, "value": san} for san in sans]
        if version is not None:
            self._sign(batch, number, batch.certificates[-1], ends)
        self._work(batch, number, batch.certificates[-1])

    def _standing(self) -> tuple[str, datetime]:
        """Return the status and the end of a certificate's version."""
        chance = self.random.random()
        ends = self.now + timedelta(days=90 * self.random.random())
        for share, status in ((0.03, "Revoked"), (0.04, "Pending"), (0.05, "Failed")):
            if chance < share:
                return status, ends
        if chance < 0.1:  # noqa: PLR2004
            return "Expired", self.now - timedelta(days=60 * self.random.random())
        return ("Expiring" if ends < self.now + timedelta(days=14) else "Active"), ends

    def _sign(self, batch: Batch, number: int, certificate: Row, ends: datetime) -> None:
        key, issuer, at = (certificate[name] for name in ("current", "issuer", "created_at"))
        common: Row = {
            "certificate": certificate["id"],
            "issuer": issuer,
            "subject": f"CN={certificate['name']}",
            "sans": certificate["sans"],
        }
        life = timedelta(days=90)
        is_second = number % 8 == 0
        if is_second:
            batch.versions.append(
                common | self._numbers() | {
                    "id": self._key(), "number": 1, "not_before": ends - 2 * life,
                    "not_after": ends - life, "superseded_at": ends - life,
                    "created_at": at - timedelta(days=60),
                }
            )  # fmt: skip
        numbers = self._numbers()
        batch.versions.append(
            common | numbers | {
                "id": key, "number": 2 if is_second else 1, "not_before": ends - life,
                "not_after": ends, "created_at": at,
            }
        )  # fmt: skip
        if certificate["status"] == "Revoked":
            moment = self.now.replace(microsecond=0) - timedelta(minutes=number % 100_000)
            serial = numbers["serial"]
            batch.revocations.append(
                {
                    "version": key, "issuer": issuer, "serial": serial, "not_after": ends,
                    "revoked_at": moment, "recorded_at": moment,
                    "entry": entry_of(serial, "superseded", moment, None),
                }
            )  # fmt: skip
        if number % 2:
            health = "Healthy" if self.random.random() < 0.98 else "Mismatch"  # noqa: PLR2004
            batch.deployments.append(
                {
                    "id": self._key(), "certificate": certificate["id"], "version": key,
                    "target": self.random.choice(self.targets).pk, "deployed_at": at,
                    "health": health, "created_at": at,
                }
            )  # fmt: skip

    def _numbers(self) -> Row:
        bits = self.random.getrandbits
        return {
            "serial": f"{bits(158) | 1 << 157:x}",
            "fingerprint": f"{bits(256):064x}",
            "key_fingerprint": f"{bits(256):064x}",
        }

    def _work(self, batch: Batch, number: int, certificate: Row) -> None:
        at, version = certificate["created_at"], certificate["current"]
        chance, key = self.random.random(), self._key()
        status, kind, target = "Completed", "Issuance", None
        for share, other in ((0.002, "AwaitingApproval"), (0.02, "Failed"), (0.04, "Cancelled")):
            if chance < share:
                status = other
                break
        if status == "Completed" and chance > 0.6:  # noqa: PLR2004
            kind, target = "Deployment", self.random.choice(self.targets).pk
        is_open = status == "AwaitingApproval"
        batch.jobs.append(
            {
                "id": key, "kind": kind, "status": status, "certificate": certificate["id"],
                "target": target, "version": version if status == "Completed" else None,
                "completed_at": None if is_open else at, "created_at": at, "scheduled_at": at,
                "waits_until": self.now + timedelta(days=30) if is_open else None,
                "given_up": status == "Failed", "last_error": "It failed." * (status == "Failed"),
            }
        )  # fmt: skip
        sequence = self.first_event + number
        batch.events.append(
            {
                "sequence": sequence, "at": at, "certificate": certificate["id"],
                "subject_id": str(certificate["id"]), "subject_name": f"certificate {number}",
                "action": "job.complete" if number % 3 else "certificate.request",
                "hash": f"{self.random.getrandbits(256):064x}",
            }
        )  # fmt: skip


def _owners() -> list[Owner]:
    teams = [Team.objects.create(name=f"Team {number}") for number in range(TEAMS)]
    Owner.objects.create(name=RARE_OWNER, team=Team.objects.create(name="Rare team"))
    return [
        Owner.objects.create(name=f"Owner {number}", team=teams[number % TEAMS])
        for number in range(OWNERS)
    ]


def _issuers() -> list[Issuer]:
    """Return the demo's issuer and others beside it, which have its certificate."""
    demo = Issuer.objects.get(slug="demo-issuing")
    others = []
    for number in range(ISSUERS - 1):
        one = Issuer.objects.get(pk=demo.pk)
        one.pk, one.slug, one.name = uuid4(), f"bench-{number}", f"Bench {number}"
        one._state.adding = True  # noqa: SLF001 - Django documents it for copies
        one.save(force_insert=True)
        others.append(one)
    return [demo, *others]


def _targets() -> list[Target]:
    return [Target.objects.create(name=f"front-{number}", kind="file") for number in range(TARGETS)]

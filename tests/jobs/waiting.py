"""Many jobs that wait for a decision, made the short way: each way in which somebody is barred."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from django.utils import timezone

from certificates.models import Certificate
from enrollment.models import Device, Enrollment, Label
from jobs.models import Job
from jobs.states import Status
from owners.models import Principal
from tests.factories import (
    CertificateFactory,
    JobFactory,
    OwnerFactory,
    PrincipalFactory,
    TeamFactory,
    VersionFactory,
)
from tests.fixtures import make_csr

SEED = 20260917


def key(number):
    return hashlib.sha256(f"key {number}".encode()).hexdigest()


@dataclass
class Corpus:
    """Jobs for `people`, some of whom have aliases; what each is about is drawn by lot."""

    people: list[Principal]
    lot: Random = field(default_factory=lambda: Random(SEED))  # noqa: S311 - no secret

    def __post_init__(self):
        people = [*self.people, *PrincipalFactory.create_batch(4)]
        tagged = [one.email.replace("@", "+tag@") for one in self.people]
        self.aliases = [PrincipalFactory(email=address.upper()) for address in tagged]
        self.aliases.append(PrincipalFactory(email=""))
        self.everybody = people + self.aliases
        self.teams = [
            TeamFactory(),
            *(self._seated(one) for one in self.people),
            *(self._seated(one) for one in self.aliases),
        ]
        self.owners = [
            *OwnerFactory.create_batch(6),
            *(self._owned(one) for one in self.people + self.aliases),
            *(OwnerFactory(email=f" {one.email}".title()) for one in self.people),
            *(OwnerFactory(name=one.username.title()) for one in self.people),
            *(OwnerFactory(team=team) for team in self.teams),
        ]
        self.plain = self.owners[:6]
        self.csrs = [make_csr(f"k{number}.demo.internal") for number in range(4)]
        self._keys()

    def make(self, count):
        """Make `count` jobs that wait."""
        return [self.job() for _ in range(count)]

    def job(self):
        """Make one that waits, drawn by lot; half of what could bar somebody does not."""
        lot = self.lot
        certificate = CertificateFactory(
            owner=lot.choice(self.owners if lot.random() < 0.4 else self.plain),
            team=lot.choice(self.teams) if lot.random() < 0.25 else None,
        )
        job = JobFactory.build(
            certificate=certificate,
            requested_by=lot.choice(self.everybody),
            csr_by=lot.choice(self.everybody) if lot.random() < 0.3 else None,
            created_at=timezone.now() - timedelta(minutes=lot.randrange(3)),
        )
        self._give_key(job, certificate)
        until = timezone.now().replace(microsecond=0) + timedelta(hours=lot.randrange(5))
        job.begin(Status.AWAITING_APPROVAL, waits_until=until if lot.random() < 0.9 else None)
        job.save()
        if lot.random() < 0.25:
            self._enroll(job, certificate)
        return job

    def _give_key(self, job, certificate):
        kind = self.lot.random()
        if kind < 0.3:
            job.csr_pem = self.lot.choice(self.csrs)
        elif kind < 0.8:
            job.key_fingerprint = key(self.lot.randrange(20))
        else:
            job.kind = Job.Kind.DEPLOYMENT
            VersionFactory(certificate=certificate, key_fingerprint=key(self.lot.randrange(20)))
            job.version = certificate.current if self.lot.random() < 0.5 else None

    def _keys(self):
        """Have some keys been brought, by one or two, and some by nobody knows whom."""
        before = min(one.date_joined for one in self.people) + timedelta(seconds=30)
        for number in range(14):
            brought = VersionFactory(
                certificate=CertificateFactory(owner=self.plain[0]), key_fingerprint=key(number)
            )
            brought.requested_by = self.lot.choice(self.everybody) if number < 12 else None
            brought.csr_by = self.lot.choice(self.everybody) if number % 3 == 0 else None
            brought.created_at = before
            brought.save()

    def _seated(self, principal):
        team = TeamFactory()
        team.members.add(principal)
        return team

    def _owned(self, principal):
        owner = OwnerFactory()
        owner.members.add(principal)
        return owner

    def _enroll(self, job, certificate):
        number = Label.objects.count()
        if number < 6:
            Label.objects.create(
                protocol="est",
                path=f"label-{number}",
                principal=PrincipalFactory(kind=Principal.Kind.MACHINE, for_devices=True),
                issuer=certificate.issuer,
                profile=certificate.profile,
                owner=self.lot.choice(self.owners if number % 2 else self.plain),
                team=self.lot.choice(self.teams) if number % 3 == 0 else None,
            )
        label = self.lot.choice(list(Label.objects.order_by("path")))
        device = Device.objects.create(label=label, name=certificate.name)
        Enrollment.objects.create(
            label=label,
            device=device,
            certificate=certificate,
            job=job,
            key_fingerprint=key(0),
            names_digest=key(0),
        )


def many(count, *, requested_by, minutes=1, **certificate):
    """Make `count` jobs that `requested_by` asked for and that wait, in a few statements."""
    first = CertificateFactory(**certificate)
    rows = Certificate.objects.bulk_create(
        Certificate(
            name=f"many-{number}.demo.internal",
            common_name=f"many-{number}.demo.internal",
            sans=[f"dns:many-{number}.demo.internal"],
            owner=first.owner,
            issuer=first.issuer,
            profile=first.profile,
        )
        for number in range(count)
    )
    now = timezone.now()
    jobs = []
    for number, row in enumerate(rows):
        job = Job(
            kind=Job.Kind.ISSUANCE,
            certificate=row,
            requested_by=requested_by,
            key_fingerprint=key(f"many {number}"),
        )
        job.begin(
            Status.AWAITING_APPROVAL, waits_until=now + timedelta(hours=1, minutes=minutes * number)
        )
        jobs.append(job)
    return Job.objects.bulk_create(jobs)

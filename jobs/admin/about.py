"""What jobs add to the pages about certificates, versions, issuers, profiles and targets."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from typing_extensions import override

from certificates.admin.about import CertificatePage, Notes
from certificates.models import Certificate, Version
from deployments.models import Deployment, Target
from deployments.shown import RELATED, places_of
from foundation.admin.pages import adds_to, link_to, link_to_list
from foundation.admin.parts import Fact, Section, Table
from issuers.models import Issuer, Profile
from jobs.admin.badges import badge, badge_of
from jobs.approvals import waits_for
from jobs.models import Job
from jobs.states import OPEN, Status
from owners.models import Owner, Principal

SHOWN = 50  # jobs on a page; the whole list is one press away
DECIDED = 10  # decisions of one person
VIEW = "jobs.view_job"
_COLUMNS: tuple[str, ...] = (
    "Job",
    "Certificate",
    "Status",
    "Asked for by",
    "Decided by",
    "Asked",
    "Ended",
)


class CertificateWorkPage(CertificatePage):
    """The page about a certificate with where it is deployed and what was done for it."""

    @override
    def next_steps(self, request: HttpRequest, certificate: Certificate) -> list[Any]:
        if not request.user.has_perm(VIEW):
            return []
        jobs = certificate.jobs.filter(status__in=OPEN).select_related(
            "requested_by", "csr_by", "certificate__owner"
        )
        return [_under_way(request, job) for job in jobs.order_by("created_at")[:3]]

    @override
    def places(self, request: HttpRequest, certificate: Certificate) -> Iterable[Section]:
        if request.user.has_perm("deployments.view_deployment"):
            rows = certificate.deployments.select_related(*RELATED).order_by("target__name")
            yield places_of(request, rows)

    @override
    def notes_on(self, request: HttpRequest, versions: Sequence[Version]) -> Notes:
        if not request.user.has_perm(VIEW):
            return {}
        keys = [version.pk for version in versions]
        made_by = {version.job_id: version.pk for version in versions if version.job_id}
        notes: defaultdict[Any, list[Fact]] = defaultdict(list)
        jobs = (
            Job.objects.filter(Q(pk__in=list(made_by)) | _deployed(keys))
            .select_related("decided_by", "target")
            .defer("csr_pem", "sealed_csr", "encrypted_key")
            .order_by("completed_at")
        )
        for job in jobs:
            if job.pk in made_by:
                notes[made_by[job.pk]][:0] = _decision(request, job)
            else:
                target = link_to(request, job.target)
                notes[job.version_id].append(Fact("Deployed", [target, job.completed_at]))
        return notes

    @override
    def sections(self, request: HttpRequest, row: Certificate) -> Iterable[Section]:
        yield from super().sections(request, row)
        yield from jobs_of(
            request, row.jobs.all(), of_certificate=True, certificate__id__exact=row.pk
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What stands over a table of jobs, in place of its rows, and on the link to their list."""

    title: str = "Jobs"
    empty: str = "Nothing was asked for."
    everything: str = "All its jobs"


_JOBS = Said()


def jobs_of(
    request: HttpRequest,
    jobs: QuerySet[Job],
    *,
    said: Said = _JOBS,
    of_certificate: bool = False,
    **narrowed: Any,
) -> Iterable[Section]:
    """Yield the last of `jobs` as a table, for whoever may read them.

    `of_certificate` leaves out whose they are; `narrowed` is how their list shows the same ones.
    """
    if not request.user.has_perm(VIEW):
        return
    rows = list(
        jobs.select_related("certificate", "requested_by", "decided_by", "target")
        .defer("csr_pem", "sealed_csr", "encrypted_key")
        .order_by("-created_at", "pk")[:SHOWN]
    )
    cells = [_cells(request, job) for job in rows]
    columns = _COLUMNS
    if of_certificate:
        columns = columns[:1] + columns[2:]
        cells = [one[:1] + one[2:] for one in cells]
    more = link_to_list(request, "jobs.job", said.everything, **narrowed) if narrowed else None
    yield Table(said.title, columns, cells, empty=said.empty, more=more)


def _cells(request: HttpRequest, job: Job) -> tuple[Any, ...]:
    status: Any = badge_of(job)
    if job.last_error and job.status == Status.FAILED:
        status = [status, job.last_error]
    return (
        link_to(request, job, kind_words(job)),
        link_to(request, job.certificate),
        status,
        str(job.requested_by),
        str(job.decided_by) if job.decided_by else None,
        job.created_at,
        job.completed_at,
    )


_OPEN_OF_ONE = Said("Open requests", "Nothing that they asked for is open.", "All they asked for")


def _decided_by(request: HttpRequest, row: Principal) -> Iterable[Section]:
    if not request.user.has_perm(VIEW):
        return
    jobs = (
        Job.objects.filter(decided_by=row)
        .select_related("certificate", "requested_by")
        .defer("csr_pem", "sealed_csr", "encrypted_key")
        .order_by("-decided_at", "pk")[:DECIDED]
    )
    yield Table(
        "Last decisions",
        ("Job", "Certificate", "Decision", "Because", "Asked for by", "Decided"),
        [
            (
                link_to(request, job, str(job.kind)),
                link_to(request, job.certificate),
                badge("rejected", "rejected") if job.is_rejected else badge("approved", "done"),
                job.decision_reason,
                str(job.requested_by),
                job.decided_at,
            )
            for job in jobs
        ],
        empty="They have decided nothing yet.",
        more=link_to_list(request, "jobs.job", "All they decided", decided_by=row.pk),
    )


def _under_way(request: HttpRequest, job: Job) -> list[Any]:
    return [link_to(request, job, f"{job.kind}: {Status(job.status).label}"), what_comes(job)]


def what_comes(job: Job) -> str:
    """Say what an open job waits for, or that nobody has to do anything."""
    waits = waits_for(job)
    return waits.detail if waits else "A worker has it, or takes it in a moment."


def kind_words(job: Job) -> str:
    """Name a job's kind, and the target where it is for one."""
    return f"{job.kind} at {job.target}" if job.target else str(job.kind)


def _deployed(versions: Sequence[Any]) -> Q:
    return Q(
        version__in=versions,
        kind=Job.Kind.DEPLOYMENT,
        status=Status.COMPLETED,
        target__isnull=False,
    )


def _decision(request: HttpRequest, job: Job) -> list[Fact]:
    facts = []
    if job.justification:
        facts.append(Fact("Why", job.justification))
    if job.decided_by is not None:
        facts.append(Fact("Decided by", [str(job.decided_by), job.decided_at], job.decision_reason))
    else:
        facts.append(Fact("Decided by", "nobody had to"))
    return [*facts, Fact("Job", link_to(request, job, str(job.kind)))]


@adds_to("certificates.version")
def _of_version(request: HttpRequest, row: Version) -> Iterable[Section]:
    if request.user.has_perm("deployments.view_deployment"):
        rows = Deployment.objects.filter(version=row).select_related(*RELATED)
        yield places_of(request, rows.order_by("target__name"))
    yield from jobs_of(
        request, Job.objects.filter(Q(version=row) | Q(pk=row.job_id)), of_certificate=True
    )


@adds_to("owners.owner")
def _of_owner(request: HttpRequest, row: Owner) -> Iterable[Section]:
    yield from jobs_of(request, Job.objects.filter(certificate__owner=row), owner=row.pk)


@adds_to("owners.principal")
def _of_principal(request: HttpRequest, row: Principal) -> Iterable[Section]:
    asked = Job.objects.filter(requested_by=row)
    yield from jobs_of(
        request,
        asked.under_way(),
        said=_OPEN_OF_ONE,
        requester=row.pk,
    )
    yield from _decided_by(request, row)


@adds_to("issuers.issuer")
def _of_issuer(request: HttpRequest, row: Issuer) -> Iterable[Section]:
    yield from jobs_of(request, Job.objects.filter(certificate__issuer=row), issuer=row.pk)


@adds_to("issuers.profile")
def _of_profile(request: HttpRequest, row: Profile) -> Iterable[Section]:
    jobs = Job.objects.filter(certificate__profile=row)
    yield from jobs_of(request, jobs, said=Said("Recent requests"), profile=row.pk)


@adds_to("deployments.target")
def _of_target(request: HttpRequest, row: Target) -> Iterable[Section]:
    yield from jobs_of(request, row.jobs.all(), target=row.pk)

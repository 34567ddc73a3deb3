"""What who asks for a signature, and who decides on it, should know before it is made.

Nothing is refused for it. However many jobs are asked about, it is two queries.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, Min, OuterRef, QuerySet

from certificates.models import Certificate, CertificateName, CertificateStatus, Version
from certificates.policy import revoked_for
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.states import Status

OVER = (Status.COMPLETED, Status.CANCELLED)
LACKS_DECIDER = (
    "Nobody could approve this as things stand: whoever decides on jobs asked for it, brought its "
    "key or answers for the certificate. Have somebody else made an operator, or it times out."
)


def of_asking(job: Job, *, has_brought: bool) -> tuple[str, ...]:
    """Return the warnings of having asked for `job`, which is saved.

    That a CSR was signed before is nothing to tell of one that a renewal takes over by itself: say
    whether somebody has brought it.
    """
    return (*_of([job], has_brought=has_brought).get(job.pk, ()), *of_job(job))


def of_jobs(jobs: Sequence[Job]) -> dict[UUID, tuple[str, ...]]:
    """Return the warnings of those of `jobs` that would sign something and are not over, by key.

    Of a CSR that was signed for the same certificate before nothing is told where its policy has
    keys used again.
    """
    return _of(jobs, has_brought=False)


def coded(jobs: Sequence[Job]) -> dict[UUID, tuple[tuple[str, str], ...]]:
    """Return the same, each warning as its stable code and its words."""
    return _coded(jobs, has_brought=False)


def _of(jobs: Sequence[Job], *, has_brought: bool) -> dict[UUID, tuple[str, ...]]:
    rows = _coded(jobs, has_brought=has_brought)
    return {key: tuple(words for _, words in some) for key, some in rows.items()}


def _coded(jobs: Sequence[Job], *, has_brought: bool) -> dict[UUID, tuple[tuple[str, str], ...]]:
    signing = [job for job in jobs if kind_of(job).signs and job.status not in OVER]
    if not signing:
        return {}
    alike = _alike([job.pk for job in signing])
    names = _shared_names([job.certificate_id for job in signing])
    return {
        job.pk: tuple(_words(job, alike[job.pk], names.get(job.certificate_id), has_brought))
        for job in signing
        if job.pk in alike
    }


def _words(
    job: Job, alike: dict[str, Any], shared: tuple[str, int] | None, has_brought: bool
) -> Iterator[tuple[str, str]]:
    revoked = revoked_for(job.certificate)
    if revoked is not None:
        yield "after_revocation", f"The certificate is revoked ({revoked}): this brings it back."
    if alike["has_namesake"]:
        yield "namesake", f"There is another certificate of the name {job.certificate.name}."
    if shared is not None:
        yield "shared_name", f"Another certificate is for {named(*shared)} too."
    reuses_key = alike["reuses_key"] is not False and not has_brought
    if alike["is_signed_elsewhere" if reuses_key else "is_signed"]:
        # One that is sealed, or was not kept, is known by its key alone.
        known = "The same CSR" if job.csr_pem else "Its key"
        again = "its key" if job.csr_pem else "it"
        yield "key_signed", f"{known} was signed before: {again} is used again."
    if alike["is_asked"]:
        yield "csr_asked", "Another job asks for the same CSR to be signed."
    elif alike["key_is_asked"]:
        yield "key_asked", "Another job asks for a certificate with the same key."


def _alike(ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return by job what it has in common with others. Each look ends at the first in an index."""
    namesakes = (
        Certificate.objects.filter(name=OuterRef("certificate__name"))
        .exclude(pk=OuterRef("certificate"))
        .exclude(status=CertificateStatus.ARCHIVED)
    )
    # By the key, which is indexed; a CSR is long.
    key = {"key_fingerprint": OuterRef("key_fingerprint")}
    signed = Version.objects.filter(**key, csr_pem=OuterRef("csr_pem"))
    asked = Job.objects.open().exclude(key_fingerprint="").filter(**key).exclude(pk=OuterRef("pk"))
    rows = Job.objects.filter(pk__in=ids).values(
        "pk",
        reuses_key=F("certificate__renewal_policy__reuse_key"),
        has_namesake=Exists(namesakes),
        is_signed=Exists(signed),
        is_signed_elsewhere=Exists(signed.exclude(certificate=OuterRef("certificate"))),
        is_asked=Exists(asked.filter(csr_pem=OuterRef("csr_pem")).exclude(csr_pem="")),
        key_is_asked=Exists(asked),
    )
    return {row["pk"]: {**row} for row in rows}


def _shared_names(ids: Sequence[UUID]) -> dict[UUID, tuple[str, int]]:
    """Return by certificate the first name that another has too, and how many there are.

    Of namesakes that is told already.
    """
    others = (
        CertificateName.objects.filter(value=OuterRef("value"))
        .exclude(certificate=OuterRef("certificate"))
        .exclude(certificate__name=OuterRef("certificate__name"))
        .exclude(certificate__status=CertificateStatus.ARCHIVED)
    )
    return names_of(ids, others)


def names_of(ids: Sequence[UUID], others: QuerySet[CertificateName]) -> dict[UUID, tuple[str, int]]:
    """Return by certificate the first of its names for which `others` has one, and how many."""
    rows = (
        CertificateName.objects.filter(Exists(others), certificate__in=ids)
        .values("certificate")
        .annotate(first=Min("value"), count=Count("value"))
        .order_by()
    )
    return {row["certificate"]: (row["first"], row["count"]) for row in rows}


def named(first: str, count: int) -> str:
    """Return "dns:a.example and 2 more of its names"."""
    return f"{first} and {count - 1} more of its names" if count > 1 else first


def of_job(job: Job) -> Iterator[str]:
    """Yield the warnings of the job itself, as it was just asked for."""
    if job.lacks_decider:
        yield LACKS_DECIDER

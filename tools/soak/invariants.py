"""What must hold after all of it; run in the installation's environment once it is quiet."""

import json
import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import django


def main() -> int:
    """Print every broken invariant and the counts; return how many are broken."""
    django.setup()
    accepted = json.loads(sys.stdin.read())["accepted"]
    broken = [*_jobs(accepted), *_versions(), *_revocations(), *_trail(), *_files()]
    for line in broken:
        print(f"BROKEN: {line}")
    print(json.dumps(_counts()))
    return len(broken)


def open_jobs() -> int:
    """Return how many jobs somebody or something still has to do."""
    django.setup()
    from jobs.models import Job
    from jobs.states import Status

    return Job.objects.filter(status__in=(Status.PENDING, Status.RUNNING)).count()


def _jobs(accepted: list[str]) -> Iterator[str]:
    from django.utils import timezone

    from jobs.models import Job
    from jobs.states import Status

    known = {str(key) for key in Job.objects.filter(pk__in=accepted).values_list("pk", flat=True)}
    for missing in set(accepted) - known:
        yield f"job {missing} was accepted and is lost"
    over = Job.objects.filter(status=Status.RUNNING, lease_until__lt=timezone.now())
    for job in over:
        yield f"job {job.pk} is Running past its lease"
    for job in Job.objects.filter(status__in=(Status.PENDING, Status.RUNNING)):
        yield f"job {job.pk} ({job.kind}) is still {job.status}: {job.last_error}"
    signing = Job.objects.filter(kind__in=("Issuance", "Renewal"), status=Status.COMPLETED)
    for job in signing.filter(version__isnull=True):
        yield f"job {job.pk} is Completed without a version"


def _versions() -> Iterator[str]:
    from certificates.models import Certificate, Version

    for certificate in Certificate.objects.prefetch_related("versions"):
        numbers = sorted(version.number for version in certificate.versions.all())
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{certificate} has the versions {numbers}"
        if numbers and certificate.current and certificate.current.number != numbers[-1]:
            yield f"{certificate} serves version {certificate.current.number} of {numbers}"
    made = Version.objects.exclude(job_id=None)
    if made.count() != made.values("job_id").distinct().count():
        yield "a job made two versions"


def _revocations() -> Iterator[str]:
    from cryptography import x509
    from django.utils import timezone

    from certificates.models import CRL, OCSPResponse, Revocation
    from issuers.models import Issuer

    stale = OCSPResponse.objects.filter(status="good", version__revocation__isnull=False)
    for answer in stale:
        yield f"a stored answer says good of {answer.serial}, which is revoked"
    for issuer in Issuer.objects.all():
        crls = list(CRL.objects.filter(issuer=issuer).order_by("number"))
        if not crls:
            continue
        if any(two.number <= one.number for one, two in pairwise(crls)):
            yield f"CRL numbers of {issuer} do not rise"
        newest = x509.load_der_x509_crl(bytes(crls[-1].der))
        if newest.last_update_utc > timezone.now():
            yield f"the newest CRL of {issuer} is from the future"
        listed = {entry.serial_number for entry in newest}
        for row in Revocation.objects.filter(version__issuer=issuer).select_related("version"):
            if int(row.version.serial, 16) not in listed:
                yield f"{row.version.serial} is revoked and not on {crls[-1]}"


def _trail() -> Iterator[str]:
    from audit.models import Event
    from audit.services import verify
    from certificates.models import Revocation, Version
    from jobs.models import Job

    count, link = verify()
    if link is not None:
        yield f"the trail breaks after {count}: {link.why}"
    for rows, action, what in (
        (Version.objects.exclude(job_id=None).count(), "certificate.issue", "versions"),
        (Revocation.objects.count(), "certificate.revoke", "revocations"),
        (Job.objects.filter(status="Completed").count(), "job.complete", "completed jobs"),
        (Job.objects.filter(status="Cancelled").count(), "cancelled", "cancelled jobs"),
    ):
        events = Event.objects.filter(action=action)
        if action == "cancelled":
            events = Event.objects.filter(
                action__in=("job.cancel", "job.reject", "job.time_out", "job.withdraw")
            )
        if rows != events.count():
            yield f"{rows} {what} and {events.count()} events of {action}"


def _files() -> Iterator[str]:
    from deployments.models import Deployment

    newest: dict[str, Deployment] = {}
    for row in Deployment.objects.select_related("target", "version").order_by("deployed_at"):
        if row.version is not None and row.target.name.startswith("host-"):
            newest[row.target.name] = row
    for name, row in newest.items():
        path = Path(os.environ["CERTCTL_VAR_DIR"], "files", name, "cert.pem")
        if (
            row.version is None
            or not path.exists()
            or row.version.pem.strip() not in path.read_text()
        ):
            yield f"{path} is not {row.version}"


def _counts() -> dict[str, int]:
    from audit.models import Event
    from certificates.models import CRL, Revocation, Version
    from jobs.models import Job

    counts = {f"jobs {status}": n for status, n in _by_status(Job)}
    return counts | {
        "versions": Version.objects.count(),
        "revocations": Revocation.objects.count(),
        "CRLs kept": CRL.objects.count(),
        "events": Event.objects.count(),
    }


def _by_status(model: type) -> list[tuple[str, int]]:
    from django.db.models import Count

    rows = model.objects.order_by().values_list("status").annotate(n=Count("pk"))  # type: ignore[attr-defined]
    return list(rows)


if __name__ == "__main__":
    if sys.argv[1:] == ["open"]:
        print(open_jobs())
        sys.exit(0)
    sys.exit(main())

"""Take a certificate away from a target: the binding goes, and the open work for it with it."""

import uuid
from collections.abc import Sequence

import deployments.services
from audit.use_cases import use_case
from certificates.models import Certificate
from deployments.models import Target
from foundation.errors import ChangedMeanwhile
from foundation.preconditions import as_expected
from jobs.models import Job
from jobs.states import Move
from owners.models import Principal

AT_TARGETS = (Job.Kind.DEPLOYMENT, Job.Kind.VALIDATION)


@use_case("deployment.unbind", on=Certificate)
def detach_target(*, actor: Principal, certificate_id: uuid.UUID, target: Target) -> Sequence[Job]:
    """Bring no more versions of a certificate to a target; return the jobs that this ended.

    What lies at the target stays there: a server may still read it. Raises NotBound,
    ChangedMeanwhile (work was asked for at the same moment), Certificate.DoesNotExist.
    """
    work = Job.objects.under_way().filter(
        certificate_id=certificate_id, target=target, kind__in=AT_TARGETS
    )
    # Job before Certificate, as everywhere; what a worker has begun is fenced off.
    ended = list(work.select_for_update(no_key=True).order_by("pk"))
    certificate = as_expected(actor, Certificate.objects.lock(certificate_id))
    if work.exclude(pk__in=[job.pk for job in ended]).exists():
        raise ChangedMeanwhile
    deployments.services.unbind(actor=actor, certificate=certificate, target=target)
    for job in ended:
        job.certificate = certificate
        job.last_error = f"The certificate was detached from {target}."
        job.waits_until = None
        job.move(Move.CANCEL, actor=actor, reason=job.last_error)
    return ended

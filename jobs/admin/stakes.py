"""What revoking a version breaks: where it is served, and what is under way for its certificate."""

from collections.abc import Iterable

from django.http import HttpRequest

from certificates.admin.revoking import at_stake
from certificates.models import Version
from deployments.models import Deployment
from deployments.shown import RELATED, places_of
from foundation.admin.pages import link_to, link_to_list
from foundation.admin.parts import Notices, Section, Table
from jobs.admin.about import SHOWN, VIEW, kind_words, what_comes
from jobs.admin.badges import badge_of
from jobs.states import OPEN


@at_stake
def _served(request: HttpRequest, version: Version) -> Iterable[Section]:
    if not request.user.has_perm("deployments.view_deployment"):
        return
    rows = Deployment.objects.filter(version=version).select_related(*RELATED)
    places = list(rows.order_by("target__name")[:SHOWN])
    if places:
        count = f"{SHOWN} targets or more" if len(places) == SHOWN else _targets(len(places))
        yield Notices(
            "What breaks",
            [f"{count} would go on to present it, and whoever checks refuses it there."],
        )
    yield places_of(request, places)


@at_stake
def _under_way(request: HttpRequest, version: Version) -> Iterable[Section]:
    if not request.user.has_perm(VIEW):
        return
    certificate = version.certificate
    jobs = list(
        certificate.jobs.filter(status__in=OPEN)
        .select_related("requested_by", "csr_by", "target", "certificate__owner")
        .order_by("created_at")[:SHOWN]
    )
    rows = []
    for job in jobs:
        job.certificate = certificate
        rows.append(
            (
                link_to(request, job, kind_words(job)),
                badge_of(job),
                str(job.requested_by),
                what_comes(job),
            )
        )
    yield Table(
        "Under way for this certificate",
        ("Job", "Status", "Asked for by", "What comes next"),
        rows,
        empty="Nothing: no job is open.",
        more=link_to_list(
            request, "jobs.job", "All its jobs", certificate__id__exact=certificate.pk
        ),
    )


def _targets(count: int) -> str:
    return "One target" if count == 1 else f"{count} targets"

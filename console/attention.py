"""What needs somebody: lists that are short where all is well, each with the list behind it.

Every list here is asked of an index, and counted no further than console.lists.capped goes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import QuerySet
from django.utils.dateformat import format as in_form

from certificates import policy
from certificates.models import Certificate, CertificateName, CertificateStatus, Responder
from certificates.models.names import compared
from certificates.services.alerts import CA_ENDS_SOON
from console.lists import list_of, row_of
from deployments.models import Deployment
from enrollment.models import Label
from issuers.models import Issuer
from jobs.models import Job
from jobs.states import Status

SHOWN = 5
LATELY = timedelta(days=7)  # what failed before that is in the list of jobs
SOON = timedelta(days=7)
OWN_ENDS_SOON = timedelta(days=14)
OWN = 100  # of certctl's own certificates, the first to end
_UNPROVEN = tuple(one for one in Deployment.Health.values if one != Deployment.Health.HEALTHY)
_UNRENEWED = (CertificateStatus.ACTIVE, CertificateStatus.EXPIRING, CertificateStatus.FAILED)
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]", "testserver"}


@dataclass(frozen=True)
class Line:
    """One row among what needs somebody."""

    name: str
    url: str
    words: str
    detail: str = ""


@dataclass(frozen=True)
class Duty:
    """A kind of thing that needs somebody: how many, the first few, and where all are."""

    ident: str
    title: str
    url: str
    lines: tuple[Line, ...]
    rows: QuerySet[Any]
    is_more: bool  # there are more than these lines


def failed(now: datetime) -> Duty | None:
    """Return the jobs that failed lately and have not been tried again, the last first."""
    since = now - LATELY
    rows = Job.objects.filter(status=Status.FAILED, completed_at__gte=since)
    return _duty(
        "failed",
        f"Failed in the last {LATELY.days} days",
        rows.select_related("certificate").order_by("-completed_at"),
        list_of(Job, status__exact=Status.FAILED, completed_at__gte=since),
        lambda job: Line(
            str(job),
            row_of(job),
            f"attempt {job.attempts} of {job.max_attempts}"
            + ("" if job.will_be_retried else ", not tried again"),
            job.last_error,
        ),
    )


def ending(now: datetime) -> Duty | None:
    """Return what ends soon while no renewal of it is under way, the first to end first.

    Not what lives for less than an hour: that always ends soon.
    """
    until = now + SOON
    rows = Certificate.objects.filter(
        status__in=_UNRENEWED,
        current__superseded_at__isnull=True,
        current__not_after__gte=now,
        current__not_after__lt=until,
        current__short_lived=False,
    )
    return _duty(
        "ending",
        f"Ends within {SOON.days} days, no renewal under way",
        rows.select_related("current", "renewal_policy").order_by("current__not_after"),
        list_of(
            Certificate,
            status__in=",".join(_UNRENEWED),
            current__not_after__gte=now,
            current__not_after__lt=until,
            current__short_lived__exact=False,
        ),
        lambda one: Line(
            one.name, row_of(one), f"ends {naturaltime(_end(one))}", _renewal_words(one)
        ),
    )


def unproven() -> Duty | None:
    """Return what was brought to a target without a handshake that showed it there.

    Only where a handshake can be made: a target without an endpoint proves nothing, ever.
    """
    rows = Deployment.objects.filter(
        version__isnull=False, target__endpoint_port__isnull=False
    ).exclude(health=Deployment.Health.HEALTHY)
    return _duty(
        "unproven",
        "Deployed, but not proven by a handshake",
        rows.select_related("certificate", "target").order_by("-deployed_at"),
        list_of(
            Deployment,
            version__isnull=False,
            health__in=",".join(_UNPROVEN),
            target__endpoint_port__isnull=False,
        ),
        lambda one: Line(
            str(one),
            row_of(one),
            one.get_health_display(),
            f"deployed {naturaltime(one.deployed_at)}" if one.deployed_at else "",
        ),
    )


@dataclass(frozen=True)
class End:
    """When something of certctl's own ends."""

    what: str
    name: str
    url: str
    at: datetime
    state: str  # "over", "soon" or "fine"


def ends(now: datetime, issuers: Iterable[Issuer], *, may: Callable[[str], bool]) -> list[End]:
    """Return when what certctl itself stands on ends, the first to end first: one query.

    CAs, the RA certificates of SCEP labels, delegated OCSP responders, and the certificates under
    management for the names by which this installation is reached (ALLOWED_HOSTS).
    """
    rows = [*_of_cas(now, issuers)] if may("issuers.view_issuer") else []
    if may("certificates.view_certificate"):
        rows += [_end_of(now, certificate) for certificate in _own()]
    return sorted(rows, key=lambda row: row.at)


def _of_cas(now: datetime, issuers: Iterable[Issuer]) -> Iterable[End]:
    for issuer in issuers:
        try:
            ca = issuer.certificate
        except ValueError:
            continue  # no certificate that can be read; the issuer's own page says so
        if ca is None or not issuer.enabled:
            continue
        begins, at = ca.not_valid_before_utc, ca.not_valid_after_utc
        soon = policy.renewal_window(CA_ENDS_SOON, begins, at)
        yield End("CA", str(issuer), row_of(issuer), at, _state(now, at, soon))


def _end_of(now: datetime, certificate: Certificate) -> End:
    profile, version = certificate.profile, certificate.current
    assert version is not None  # noqa: S101 - filtered by it
    what = "RA" if profile.is_ra else "OCSP responder" if profile.is_responder else "Our own TLS"
    # What is renewed in time never gets so far: RAs and responders are at a third of their life.
    soon = min(OWN_ENDS_SOON, (version.not_after - version.not_before) / 6)
    state = _state(now, version.not_after, soon)
    return End(what, certificate.name, row_of(certificate), version.not_after, state)


def _own() -> QuerySet[Certificate]:
    """Return the certificates that certctl itself works with; of the few, and not of the many."""
    hosts = [host for host in settings.ALLOWED_HOSTS if host not in _LOOPBACK and host != "*"]
    texts = [f"dns:*{host}" if host.startswith(".") else f"dns:{host}" for host in hosts]
    ras = Label.objects.filter(ra_certificate__isnull=False, enabled=True)
    responders = Responder.objects.filter(certificate__isnull=False, issuer__ocsp_delegated=True)
    named = CertificateName.objects.filter(value__in=compared("", texts))
    few = (
        ras.order_by()
        .values_list("ra_certificate", flat=True)
        .union(
            responders.order_by().values_list("certificate", flat=True),
            named.order_by().values_list("certificate", flat=True),
        )
    )
    gone = (CertificateStatus.REVOKED, CertificateStatus.ARCHIVED)
    rows = Certificate.objects.filter(pk__in=few, current__isnull=False).exclude(status__in=gone)
    return rows.select_related("current", "profile").order_by("current__not_after")[:OWN]


def _state(now: datetime, at: datetime, soon: timedelta) -> str:
    if at <= now:
        return "over"
    return "soon" if at <= now + soon else "fine"


def _duty(
    ident: str, title: str, rows: QuerySet[Any], url: str, line: Callable[[Any], Line]
) -> Duty | None:
    """Return the duty, or None where there is none: one query."""
    first = list(rows[: SHOWN + 1])
    if not first:
        return None
    lines = tuple(line(row) for row in first[:SHOWN])
    return Duty(ident, title, url, lines, rows, is_more=len(first) > SHOWN)


def _end(certificate: Certificate) -> datetime:
    assert certificate.current is not None  # noqa: S101 - filtered by when it ends
    return certificate.current.not_after


def _renewal_words(certificate: Certificate) -> str:
    version, renewal = certificate.current, certificate.renewal_policy
    if version is not None and version.device:
        return "Its device renews it."
    if renewal is None or not renewal.auto_renew:
        return "Nothing renews it by itself."
    if version is None or certificate.status == CertificateStatus.FAILED:
        return "The last try failed."
    window = policy.renewal_window(renewal.window, version.not_before, version.not_after)
    return f"Renews itself from {in_form(version.not_after - window, 'j M Y, H:i')} UTC."

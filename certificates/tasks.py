"""The worker's entries: each may run any number of times, at once or again."""

from uuid import UUID

from celery import shared_task
from django.conf import settings

from certificates import crl, ocsp, queue, services
from foundation.clock import database_clock
from foundation.coalesced import Coalesced
from owners.models import Principal

# A sweep answers for the messages of this long after it: they piled up behind it.
REST_SECONDS = settings.SWEEP_REST_SECONDS

_refresh_crls = Coalesced(
    lambda: len(crl.refresh_due(database_clock.now())), rest_seconds=REST_SECONDS
)
_update_expiry_statuses = Coalesced(
    lambda: services.update_expiry_statuses(
        now=database_clock.now(), actor=Principal.objects.system()
    ),
    rest_seconds=REST_SECONDS,
)


_watch_issuers = Coalesced(
    lambda: services.watch_issuers(actor=Principal.objects.system()), rest_seconds=REST_SECONDS
)


@shared_task(name=queue.PUBLISH_CRL)
def publish_crl(issuer_id: str) -> int:
    """Publish the issuer's CRL if it does not yet say what is so; return its number, or 0."""
    published = crl.publish_if_due(UUID(issuer_id), actor=Principal.objects.system())
    return published.number if published else 0


@shared_task(name="certificates.refresh_crls")
def refresh_crls() -> int:
    """Publish every CRL that is due."""
    return _refresh_crls()


@shared_task(name="certificates.watch_issuers")
def watch_issuers() -> int:
    """Raise and clear alerts about issuers; return how many were raised."""
    return _watch_issuers()


@shared_task(name="certificates.update_expiry_statuses")
def update_expiry_statuses() -> int:
    """Bring the statuses of certificates up to the clock."""
    return _update_expiry_statuses()


@shared_task(name="certificates.drop_stale_ocsp_responses")
def drop_stale_ocsp_responses() -> int:
    """Forget OCSP answers that are no longer in force."""
    return ocsp.drop_stale(database_clock.now())

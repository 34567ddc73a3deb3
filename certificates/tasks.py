"""The worker's entries: each may run any number of times, at once or again."""

from uuid import UUID

from celery import shared_task

from certificates import answer_log, crl, mirror, ocsp, ocsp_ahead, queue, services
from foundation.clock import database_clock
from foundation.sweeps import sweep
from owners.models import Principal


@shared_task(name=queue.PUBLISH_CRL)
def publish_crl(issuer_id: str) -> int:
    """Publish the issuer's CRL if it does not yet say what is so; return its number, or 0."""
    published = crl.publish_if_due(UUID(issuer_id), actor=Principal.objects.system())
    if published:
        mirror.refresh()  # not the sweep, which may be resting
    return published.number if published else 0


@sweep("certificates.refresh_crls")
def refresh_crls() -> int:
    """Publish every CRL that is due."""
    published = crl.refresh_due(database_clock.now())
    if published:
        mirror.refresh()
    return len(published)


@sweep("certificates.export_pki")
def export_pki() -> int:
    """Bring the files for another web server up to date; return how many changed."""
    written = mirror.refresh()
    return len(written.changed) + len(written.removed) if written else 0


@sweep("certificates.watch_issuers")
def watch_issuers() -> int:
    """Raise and clear alerts about issuers; return how many were raised."""
    return services.watch_issuers(actor=Principal.objects.system())


@sweep(queue.ADOPT, rest_seconds=0.0)
def adopt() -> int:
    """Adopt what CAs that were taken over have signed; return how many versions."""
    return services.adopt_waiting(actor=Principal.objects.system())


@sweep("certificates.update_expiry_statuses")
def update_expiry_statuses() -> int:
    """Bring the statuses of certificates up to the clock."""
    return services.update_expiry_statuses(
        now=database_clock.now(), actor=Principal.objects.system()
    )


@sweep(queue.SIGN_AHEAD, rest_seconds=0.0)
def sign_ahead() -> int:
    """Sign the OCSP answers that are due, those that a revocation made wrong first."""
    return ocsp_ahead.sign_due()


@shared_task(name="certificates.drop_stale_ocsp_responses")
def drop_stale_ocsp_responses() -> int:
    """Forget OCSP answers that are no longer in force, and changes that everybody has seen."""
    now = database_clock.now()
    return ocsp.drop_stale(now) + answer_log.prune(now)

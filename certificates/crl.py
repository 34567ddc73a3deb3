"""CRLs: which one is current, when a new one is due, and the making of it (RFC 5280 §5)."""

import hashlib
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any
from uuid import UUID

from cryptography.x509 import ReasonFlags
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet

from audit.services import record
from audit.use_cases import use_case
from certificates.models import CRL, Revocation, SerialRevocation
from foundation.clock import database_clock
from foundation.errors import Conflict
from issuers.connectors import revocation_signer
from issuers.connectors.base import BACKDATE
from issuers.models import Issuer
from issuers.x509 import crl as x509_crl
from owners.models import Principal

logger = logging.getLogger(__name__)

# Old CRLs are of no use to relying parties; the audit trail keeps number and digest of each.
KEEP = 20
_REASONS = {reason.value: reason for reason in ReasonFlags}
ONE_SECOND = timedelta(seconds=1)


class AwaitsCRL(Conflict):
    """A CRL of ours would leave out what the CA had revoked before it was taken over."""

    code = "awaits_crl"
    message = (
        "This CA was taken over without its old CRL: import that first, or say that there is none."
    )


class NoRevocationService(Conflict):
    """The issuer's CA publishes its own CRLs: we cannot sign one in its name."""

    code = "no_revocation_service"
    message = "This issuer's CRLs are not signed by certctl."


def current(issuer_slug: str) -> CRL | None:
    """Return the newest CRL of the issuer, or None; one query, and it never signs.

    It may be past its `next_update`: the caller decides what that means.
    """
    return CRL.objects.filter(issuer__slug=issuer_slug).order_by("-number").first()


@use_case("crl.publish", on=Issuer)
def publish(*, issuer_id: UUID, actor: Principal) -> CRL:
    """Sign and store the issuer's next CRL; raises NoRevocationService, AwaitsCRL, ConnectorError.

    Also for a disabled issuer: BR 4.9.7 wants CRLs for as long as its certificates live.
    """
    # The lock makes the number strictly increasing among parallel publishers.
    issuer = Issuer.objects.select_for_update(no_key=True).get(pk=issuer_id)
    return _publish(issuer, actor)


@transaction.atomic
def publish_if_due(issuer_id: UUID, *, actor: Principal, now: datetime | None = None) -> CRL | None:
    """Publish where the newest CRL does not say what is so, or is old; else return None.

    A thousand hints make one CRL: whoever waited for the lock finds nothing left to do.
    """
    issuer = Issuer.objects.select_for_update(no_key=True).get(pk=issuer_id)
    if issuer.awaits_crl or not issuer.answers_for_revocation:
        return None
    return _publish(issuer, actor) if _is_due(issuer, now or database_clock.now()) else None


def refresh_due(now: datetime) -> list[CRL]:
    """Publish every CRL that is due at `now`, and forget the oldest ones."""
    actor = Principal.objects.system()
    published = []
    for issuer in Issuer.objects.order_by("slug"):
        # One issuer whose key cannot be used must not keep the others from publishing.
        try:
            # Asked without the lock first: most of the time nothing is due.
            if not issuer.awaits_crl and issuer.answers_for_revocation and _is_due(issuer, now):
                crl = publish_if_due(issuer.pk, actor=actor, now=now)
                published += [crl] if crl else []
            prune(issuer)
        except Exception:
            logger.exception("the CRL of %s could not be refreshed", issuer.slug)
    return published


def prune(issuer: Issuer) -> int:
    """Drop all but the newest CRLs of the issuer; return how many."""
    numbers = CRL.objects.filter(issuer=issuer).order_by("-number").values_list("number", flat=True)
    kept = list(numbers[:KEEP])
    if len(kept) < KEEP:
        return 0
    return CRL.objects.filter(issuer=issuer, number__lt=kept[-1]).delete()[0]


def _is_due(issuer: Issuer, now: datetime) -> bool:
    newest = CRL.objects.filter(issuer=issuer).defer("der").order_by("-number").first()
    if newest is None or newest.this_update <= now - settings.CRL_REFRESH:
        return True
    if newest.this_update > now:
        return True  # the clock was ahead: to relying parties it is not valid yet
    if newest.next_update <= now:
        return True
    # Not by comparing times: a revocation may commit after a CRL that is dated later.
    on_crl = Q(final_crl__isnull=True) | Q(final_crl=newest.number)
    counted = Revocation.objects.filter(
        version__issuer=issuer, version__short_lived=False
    ).aggregate(
        missing=Count("pk", filter=Q(listed_in__isnull=True)),
        listed=Count("pk", filter=Q(listed_in__isnull=False) & on_crl),
    )
    bare = SerialRevocation.objects.filter(issuer=issuer).aggregate(
        missing=Count("pk", filter=Q(listed_in__isnull=True)),
        listed=Count("pk", filter=Q(listed_in__isnull=False)),
    )
    if counted["missing"] or bare["missing"]:
        return True
    # Fewer than were listed: a hold was released, and its entry has to go.
    return bool(counted["listed"] + bare["listed"] != newest.entries)


def _publish(issuer: Issuer, actor: Principal) -> CRL:
    signer = revocation_signer(issuer)
    if signer is None:
        raise NoRevocationService
    if issuer.awaits_crl:
        raise AwaitsCRL
    this_update = _begins(issuer, database_clock.now().replace(microsecond=0))
    next_update = this_update + settings.CRL_LIFETIME
    number = _next_number(issuer)
    # First mark, then read: what is recorded from now on may come onto this CRL unmarked, which
    # costs another CRL; what is marked is on it for certain.
    listed = Revocation.objects.for_crl(issuer)
    listed.filter(listed_in__isnull=True).order_by().update(listed_in=number)
    bare = SerialRevocation.objects.filter(issuer=issuer)
    bare.filter(listed_in__isnull=True).order_by().update(listed_in=number)
    entries = 0

    def each() -> Iterator[x509_crl.Entry]:
        # One by one: a million of them at once would take several times what the CRL does.
        nonlocal entries
        without_certificate = set()
        for row in without:
            entries += 1
            without_certificate.add(row[0])
            yield from _entry(issuer, *row)
        for row in rows:
            # Its certificate came between the two queries.
            if row[0] not in without_certificate:
                entries += 1
                yield from _entry(issuer, *row)

    # In this order: a row goes from the first to the second when its certificate comes.
    without = _opened(bare.order_by("pk"), "serial")
    rows = _opened(listed, "version__serial")
    der = signer.sign_crl(
        number=number, this_update=this_update, next_update=next_update, entries=each()
    )
    crl = CRL.objects.create(
        issuer=issuer,
        number=number,
        this_update=this_update,
        next_update=next_update,
        entries=entries,
        der=der,
        etag=hashlib.sha256(der).hexdigest(),
    )
    # RFC 5280 §3.3: an entry leaves only after it was on a CRL issued past the certificate's end.
    listed.filter(listed_in__isnull=False, version__not_after__lt=this_update).order_by().update(
        final_crl=number
    )
    Issuer.objects.filter(pk=issuer.pk).update(crl_number=number)
    record(
        actor=actor,
        action="crl.publish",
        subject=issuer,
        number=number,
        entries=entries,
        sha256=crl.etag,
        next_update=next_update.isoformat(),
    )
    return crl


def _opened(revocations: QuerySet[Any], serial: str) -> Iterator[tuple[Any, ...]]:
    """Go through rows of (serial, revoked_at, reason, invalid_since).

    The cursor is opened at once: what commits while the CRL is signed is on the next.
    """
    columns = revocations.values_list(serial, "revoked_at", "reason", "invalid_since")
    rows = columns.iterator(chunk_size=5000)
    return chain(list(islice(rows, 1)), rows)


def _entry(
    issuer: Issuer, serial: str, revoked_at: datetime, reason: str, invalid_since: datetime | None
) -> Iterator[x509_crl.Entry]:
    """Give the entry of a row. One that is no number at all must not stop all others."""
    try:
        number = int(serial, 16)
    except ValueError:
        logger.exception("%s revoked %r, which is no serial: it is left out", issuer.slug, serial)
        return
    why = _REASONS.get(reason, ReasonFlags.unspecified)
    yield x509_crl.Entry(number, revoked_at, why, invalid_since)


def _begins(issuer: Issuer, now: datetime) -> datetime:
    """Return thisUpdate: a minute back, but later than that of every CRL before.

    It is what Last-Modified says, in whole seconds: two CRLs of one second would be the same to a
    client that asks with If-Modified-Since. One of the future (the clock was ahead) does not count.
    """
    before = CRL.objects.filter(issuer=issuer, this_update__lt=now)
    newest: datetime | None = before.aggregate(at=Max("this_update"))["at"]
    return max(now - BACKDATE, newest + ONE_SECOND) if newest else now - BACKDATE


def _next_number(issuer: Issuer) -> int:
    # Of both, so that neither a restored issuer nor pruned CRLs ever bring a number back.
    newest: int | None = CRL.objects.filter(issuer=issuer).aggregate(n=Max("number"))["n"]
    last: int = issuer.crl_number
    return max(last, newest or 0) + 1


def entry_size(serial: str, *, has_reason: bool) -> int:
    """Return how many bytes of DER one revocation adds to a CRL (RFC 5280 §5.1.2.6).

    For a date from 1950 to 2049; it makes the lengths around the list no longer.
    """
    reason = ReasonFlags.superseded if has_reason else ReasonFlags.unspecified
    return x509_crl.entry_size(x509_crl.Entry(int(serial, 16), database_clock.now(), reason))

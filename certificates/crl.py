"""CRLs: which one is current, when a new one is due, and the making of it (RFC 5280 §5)."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.x509 import ReasonFlags
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from audit.services import record
from audit.use_cases import use_case
from certificates import bodies
from certificates.listing import Entries, Listing, read
from certificates.models import CRL, CRLPart, Removal, Revocation, SerialRevocation
from foundation.clock import database_clock
from foundation.errors import Conflict
from issuers.connectors import revocation_signer
from issuers.connectors.base import BACKDATE, SignsRevocation
from issuers.models import Issuer, ShardAddress
from issuers.pointers import pointers_of
from issuers.x509 import crl as x509_crl
from owners.models import Principal

logger = logging.getLogger(__name__)

# Old CRLs are of no use to relying parties; the audit trail keeps number and digest of each.
KEEP = 20
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


def current_part(issuer_slug: str, scope: str) -> CRLPart | None:
    """Return a part of the newest CRL of the issuer, a shard's number or "delta", or None.

    Its dates are those of its `crl`, which comes with it.
    """
    newest = CRL.objects.filter(issuer__slug=issuer_slug).order_by("-number").values("pk")[:1]
    return CRLPart.objects.filter(crl=newest, scope=scope).select_related("crl").first()


def has_part(issuer_slug: str, scope: str) -> bool:
    """Whether certificates or CRLs of the issuer name such a part, so that there will be one."""
    if scope == CRLPart.DELTA:
        return Issuer.objects.filter(slug=issuer_slug, crl_deltas=True).exists()
    return ShardAddress.objects.filter(issuer__slug=issuer_slug, shard=int(scope)).exists()


@use_case("crl.publish", on=Issuer, atomic=False)
def publish(*, issuer_id: UUID, actor: Principal) -> CRL:
    """Sign and store the issuer's next CRL; raises NoRevocationService, AwaitsCRL, ConnectorError.

    Also for a disabled issuer: BR 4.9.7 wants CRLs for as long as its certificates live.
    """
    while True:
        published = _publish(Issuer.objects.get(pk=issuer_id), actor)
        if published is not None:
            return published


def publish_if_due(issuer_id: UUID, *, actor: Principal, now: datetime | None = None) -> CRL | None:
    """Publish where the newest CRL does not say what is so, or is old; else return None.

    A thousand hints make one CRL: whoever was overtaken finds nothing left to do.
    """
    issuer = Issuer.objects.get(pk=issuer_id)
    if issuer.awaits_crl or not issuer.answers_for_revocation:
        return None
    while _is_due(issuer, now or database_clock.now()):
        published = _publish(issuer, actor)
        if published is not None:
            return published
    return None


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
    bodies.drop_orphans(database_clock.now())
    return published


def prune(issuer: Issuer) -> int:
    """Drop all but the newest CRLs of the issuer, with their parts; return how many."""
    numbers = CRL.objects.filter(issuer=issuer).order_by("-number").values_list("number", flat=True)
    kept = list(numbers[:KEEP])
    if len(kept) < KEEP:
        return 0
    old = CRL.objects.filter(issuer=issuer, number__lt=kept[-1])
    parts = CRLPart.objects.filter(crl__in=old)
    unused = [*old.values_list("body", flat=True), *parts.values_list("body", flat=True)]
    with transaction.atomic():
        parts.delete()
        count = old.delete()[0]
        bodies.drop(unused)
    # No delta adds to a CRL that is gone.
    Removal.objects.filter(issuer=issuer, left_out_of__lt=kept[-1]).delete()
    return count


def _is_due(issuer: Issuer, now: datetime) -> bool:
    newest = CRL.objects.filter(issuer=issuer).order_by("-number").first()
    if newest is None or newest.this_update <= now - settings.CRL_REFRESH:
        return True
    # One of the future (the clock was ahead) is not valid yet to relying parties.
    if newest.this_update > now or newest.next_update <= now:
        return True
    return _lacks_part(issuer, newest) or _says_otherwise(issuer, newest)


def _lacks_part(issuer: Issuer, newest: CRL) -> bool:
    if newest.addresses != ShardAddress.objects.filter(issuer=issuer).count():
        return True  # certificates name a part that is not there, or not under that address
    # The first CRL has no delta: there is none that it could add to.
    return issuer.crl_deltas and not newest.parts.filter(scope=CRLPart.DELTA).exists()


def _says_otherwise(issuer: Issuer, newest: CRL) -> bool:
    # Not by comparing times: a revocation may commit after a CRL that is dated later.
    rows = Revocation.objects.filter(issuer=issuer)
    bare = SerialRevocation.objects.filter(issuer=issuer)
    if rows.filter(listed_in__isnull=True).exists() or bare.filter(listed_in__isnull=True).exists():
        return True
    # Fewer than were listed: a hold was released, and its entry has to go.
    listed = rows.filter(final_crl__isnull=True).count() + bare.count()
    return bool(listed + rows.filter(final_crl=newest.number).count() != newest.entries)


def _publish(issuer: Issuer, actor: Principal) -> CRL | None:
    """Build, sign and store; None where somebody else has published since the build began.

    The number is given out with the signature, under the issuer's lock, and only if the newest CRL
    is still the one that the build began after. So a CRL of a higher number was read later than
    each of a lower one, and has all that those have, but for what left rightly.
    """
    signer = revocation_signer(issuer)
    if signer is None:
        raise NoRevocationService
    if issuer.awaits_crl:
        raise AwaitsCRL
    listing = read(issuer, database_clock.now())
    for serial in listing.without_number:
        logger.error("%s revoked %r, which is no serial: it is left out", issuer.slug, serial)
    lists = _lists(issuer, listing)
    drafts = [_Draft(one, bodies.begin(one.entries.pieces)) for one in lists]
    crl = None
    try:
        crl = _signed(issuer, listing, drafts, signer, actor)
    finally:
        if crl is None and not transaction.get_connection().needs_rollback:
            bodies.drop(draft.body_id for draft in drafts)
    if crl is not None:
        listing.mark(issuer, crl.number, crl.this_update)
    return crl


@dataclass(frozen=True, slots=True)
class _List:
    """What becomes one CRL: the complete one (no name), a shard, or the delta."""

    name: str
    entries: Entries
    scope: x509_crl.Scope


@dataclass(frozen=True, slots=True)
class _Draft:
    """A list, and where its entries lie already."""

    list: _List
    body_id: UUID


def _lists(issuer: Issuer, listing: Listing) -> list[_List]:
    # The complete one names its delta, wherever there is one (RFC 5280 §5.2.6).
    freshest = "" if listing.base is None else pointers_of(issuer).delta
    lists = [_List("", listing.complete, x509_crl.Scope(freshest=freshest))]
    for shard, entries in listing.shards.items():
        scope = x509_crl.Scope(addresses=listing.addresses[shard])
        lists.append(_List(str(shard), entries, scope))
    if listing.base is not None:
        lists.append(_List(CRLPart.DELTA, listing.delta, x509_crl.Scope(base=listing.base)))
    return lists


@transaction.atomic
def _signed(
    issuer: Issuer,
    listing: Listing,
    drafts: Sequence[_Draft],
    signer: SignsRevocation,
    actor: Principal,
) -> CRL | None:
    # The lock makes the number strictly increasing among parallel publishers.
    issuer = Issuer.objects.select_for_update(no_key=True).get(pk=issuer.pk)
    if issuer.awaits_crl:
        raise AwaitsCRL
    newest = CRL.objects.filter(issuer=issuer).aggregate(n=Max("number"))["n"]
    if newest != listing.newest:
        return None
    this_update = _begins(issuer, database_clock.now().replace(microsecond=0))
    next_update = this_update + settings.CRL_LIFETIME
    number = _next_number(issuer)
    made = []
    for draft in drafts:
        pieces = signer.sign_crl(
            number=number,
            this_update=this_update,
            next_update=next_update,
            entries=draft.list.entries.pieces,
            scope=draft.list.scope,
        )
        bodies.complete(draft.body_id, pieces)
        made.append(
            {
                "entries": draft.list.entries.count,
                "body_id": draft.body_id,
                "size": sum(map(len, pieces)),
                "etag": _sha256(pieces),
            }
        )
    crl = CRL.objects.create(
        issuer=issuer,
        number=number,
        this_update=this_update,
        next_update=next_update,
        addresses=listing.address_count,
        **made[0],
    )
    CRLPart.objects.bulk_create(
        CRLPart(crl=crl, scope=draft.list.name, base_number=draft.list.scope.base, **columns)
        for draft, columns in zip(drafts[1:], made[1:], strict=True)
    )
    Issuer.objects.filter(pk=issuer.pk).update(crl_number=number)
    parts = {draft.list.name: columns["etag"] for draft, columns in zip(drafts, made, strict=True)}
    record(
        actor=actor,
        action="crl.publish",
        subject=issuer,
        number=number,
        entries=crl.entries,
        sha256=parts.pop(""),
        next_update=next_update.isoformat(),
        **({"parts": parts} if parts else {}),
    )
    return crl


def _sha256(pieces: Iterable[bytes]) -> str:
    state = hashlib.sha256()
    for piece in pieces:
        state.update(piece)
    return state.hexdigest()


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

"""What the next CRL of an issuer lists, read at one moment; and the notes that it was listed.

Each revocation has its entry in DER since it was recorded, so that reading is a join of bytes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from cryptography.x509 import ReasonFlags
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Cast

from certificates.models import CRL, Removal, Revocation, SerialRevocation
from foundation.joined import Run, joined
from foundation.snapshots import snapshot
from issuers.models import Issuer, ShardAddress
from issuers.x509 import crl as x509_crl

ROWS = 20_000  # read at a time: about a piece
BATCH = 1_000  # rows marked in one transaction
_STAMP = 8  # octets of the hash of an entry


@dataclass(slots=True)
class Entries:
    """Encoded entries, joined to pieces, and how many."""

    pieces: list[bytes] = field(default_factory=list)
    count: int = 0
    _begun: bytearray = field(default_factory=bytearray)

    def add(self, joined: bytes, count: int) -> None:
        """Append some, joined; what is a piece already is not copied."""
        self.count += count
        if len(joined) >= x509_crl.PIECE // 2:
            self.end()
            self.pieces.append(joined)
            return
        self._begun += joined
        if len(self._begun) >= x509_crl.PIECE:
            self.end()

    def end(self) -> None:
        """Make a piece of what was added last."""
        if self._begun:
            self.pieces.append(bytes(self._begun))
            self._begun.clear()


class Stamps:
    """Rows as they were read: key and hash of the entry, packed, as there may be a million."""

    def __init__(self, key_octets: int) -> None:
        self._key_octets = key_octets
        self._packed = bytearray()

    def add(self, key: bytes, entry: bytes) -> None:
        """Note a row."""
        self._packed += key
        self._packed += _stamp(entry)

    def batches(self) -> Iterator[dict[bytes, bytes]]:
        """Go through the stamps by key, BATCH at a time."""
        width = self._key_octets + _STAMP
        for begin in range(0, len(self._packed), BATCH * width):
            rows = self._packed[begin : begin + BATCH * width]
            yield {
                bytes(rows[at : at + self._key_octets]): bytes(
                    rows[at + self._key_octets : at + width]
                )
                for at in range(0, len(rows), width)
            }


@dataclass(slots=True)
class Listing:
    """What the CRL lists, as of one moment, and what it was read after."""

    newest: int | None  # the number of the newest CRL at that moment
    complete: Entries = field(default_factory=Entries)
    shards: dict[int, Entries] = field(default_factory=dict)
    addresses: dict[int, list[str]] = field(default_factory=dict)
    base: int | None = None
    delta: Entries = field(default_factory=Entries)
    without_number: list[str] = field(default_factory=list)
    revocations: Stamps = field(default_factory=lambda: Stamps(16))
    serials: Stamps = field(default_factory=lambda: Stamps(8))
    removals: list[int] = field(default_factory=list)

    @property
    def address_count(self) -> int:
        """How many addresses the shards have."""
        return sum(map(len, self.addresses.values()))

    def mark(self, issuer: Issuer, number: int, this_update: datetime) -> None:
        """Note on each row that CRL `number` states it, unless it says something else by now.

        In many short transactions: nobody waits for a million rows. Who dies midway leaves rows
        that look unlisted, which costs another CRL; the other way round one would be missing.
        """
        _mark(Revocation.objects.all(), self.revocations, number, lambda key: UUID(bytes=key))
        _mark(SerialRevocation.objects.all(), self.serials, number, _number)
        Removal.objects.filter(pk__in=self.removals).update(left_out_of=number)
        # RFC 5280 §3.3: an entry leaves only after it was on a CRL issued past its certificate's
        # end.
        over = Revocation.objects.for_crl(issuer).filter(
            listed_in__lte=number, not_after__lt=this_update
        )
        keys = over.order_by("not_after").values_list("pk", flat=True)
        while some := list(keys[:BATCH]):
            Revocation.objects.filter(pk__in=some).update(final_crl=number)


def read(issuer: Issuer, now: datetime) -> Listing:
    """Read what the next CRL of `issuer` lists. What commits later is on the one after it."""
    with snapshot():
        newest = CRL.objects.filter(issuer=issuer).order_by("-number").first()
        made = Listing(newest.number if newest else None)
        for address in ShardAddress.objects.filter(issuer=issuer).order_by("shard", "pk"):
            made.addresses.setdefault(address.shard, []).append(address.url)
        made.shards = {shard: Entries() for shard in made.addresses}
        # Before the entries: inside of somebody's transaction these are two moments, and what is
        # marked must be on the list.
        _read_unlisted(made, issuer)
        _read_entries(made, issuer)
        if issuer.crl_deltas and newest is not None:
            made.base = _base(issuer, newest, now)
            _read_delta(made, issuer, made.base)
    return made


def _opened(made: Listing, issuer: Issuer) -> Iterator[Run]:
    """Go through the entries by serial, joined, also by shard where there are any.

    Every statement asks both tables: a row that moves from one to the other keeps its serial, so
    it is there exactly once. Rows move in one direction, so where the other table is empty it need
    not be asked.
    """
    listed: QuerySet[Any, Any] = Revocation.objects.for_crl(issuer)
    sources = [listed.values_list("entry", "shard", "serial")]
    bare: QuerySet[Any, Any] = SerialRevocation.objects.filter(issuer=issuer)
    if bare.exists():
        no_shard = Cast(Value(None), models.PositiveSmallIntegerField())
        sources.append(bare.annotate(part=no_shard).values_list("entry", "part", "serial"))
    return joined(sources, size=ROWS, by_part=bool(made.shards))


def _read_entries(made: Listing, issuer: Issuer) -> None:
    is_complete = True
    for run in _opened(made, issuer):
        is_complete = is_complete and not run.has_empty
        made.complete.add(run.value, run.count)
        for shard, part in run.parts.items():
            # One that is newer than what was read of the shards is on the next.
            made.shards.get(shard, Entries()).add(*part)
    for lists in (made.complete, *made.shards.values()):
        lists.end()
    if not is_complete:
        made.without_number = [
            *Revocation.objects.for_crl(issuer).filter(entry=b"").values_list("serial", flat=True),
            *SerialRevocation.objects.filter(issuer=issuer, entry=b"").values_list(
                "serial", flat=True
            ),
        ]


def _read_unlisted(made: Listing, issuer: Issuer) -> None:
    unlisted = Q(listed_in__isnull=True)
    rows = Revocation.objects.filter(unlisted, issuer=issuer).order_by()
    for version_id, entry in rows.values_list("pk", "entry").iterator(chunk_size=ROWS):
        made.revocations.add(version_id.bytes, bytes(entry))
    bare = SerialRevocation.objects.filter(unlisted, issuer=issuer).order_by()
    for key, entry in bare.values_list("id", "entry").iterator(chunk_size=ROWS):
        made.serials.add(key.to_bytes(8, "big"), bytes(entry))
    removals = Removal.objects.filter(issuer=issuer, left_out_of__isnull=True)
    made.removals = list(removals.values_list("id", flat=True))


def _base(issuer: Issuer, newest: CRL, now: datetime) -> int:
    """Return the number of the CRL that a delta adds to: whoever reads one a day can use it."""
    recent = CRL.objects.filter(issuer=issuer, this_update__gt=now - settings.CRL_REFRESH)
    oldest: int | None = recent.order_by("number").values_list("number", flat=True).first()
    last: int = newest.number
    return last if oldest is None else min(oldest, last)


def _read_delta(made: Listing, issuer: Issuer, base: int) -> None:
    changed = Q(listed_in__isnull=True) | Q(listed_in__gt=base)
    rows: QuerySet[Any, Any] = Revocation.objects.for_crl(issuer).filter(changed)
    bare = SerialRevocation.objects.filter(changed, issuer=issuer).order_by("serial")
    for some in (rows, bare):
        entries = some.values_list("entry", flat=True).iterator(chunk_size=ROWS)
        while piece := list(islice(entries, ROWS)):
            made.delta.add(b"".join(piece), len(piece))
    removals = Removal.objects.filter(Q(left_out_of__isnull=True) | Q(left_out_of__gt=base))
    again = Revocation.objects.filter(issuer=issuer).values("serial")
    gone = removals.filter(issuer=issuer).exclude(serial__in=again).order_by("serial")
    released = dict(gone.values_list("serial", "removed_at"))
    leaving = [
        x509_crl.encode(x509_crl.Entry(int(serial, 16), at, ReasonFlags.remove_from_crl))
        for serial, at in released.items()
    ]
    made.delta.add(b"".join(leaving), len(leaving))
    made.delta.end()


def _mark(rows: QuerySet[Any], stamps: Stamps, number: int, key_of: Callable[[bytes], Any]) -> None:
    for batch in stamps.batches():
        stamped = {key_of(key): stamp for key, stamp in batch.items()}
        with transaction.atomic():
            locked = rows.select_for_update(no_key=True).filter(
                pk__in=stamped, listed_in__isnull=True
            )
            pairs = locked.order_by("pk").values_list("pk", "entry")
            same = [key for key, entry in pairs if _stamp(entry) == stamped[key]]
            rows.filter(pk__in=same).update(listed_in=number)


def _stamp(entry: bytes) -> bytes:
    # Of this process alone: rows are marked by who read them.
    return hash(bytes(entry)).to_bytes(_STAMP, "big", signed=True)


def _number(key: bytes) -> int:
    return int.from_bytes(key, "big")

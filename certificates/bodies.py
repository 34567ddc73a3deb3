"""The bytes of CRLs: written piece by piece, and held in memory by each process that serves them.

The database is the truth. What a process holds is found by its SHA-256, so it is never old: who
serves asks the database for the newest CRL's row, which is small, and for its bytes only where
they are not held yet.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from certificates.models import CRL, Body, CRLPart, Piece
from certificates.models.revocations import der_of
from foundation.statements import insert

# Who builds has written what refers to a body long before this.
ORPHANED_AFTER = timedelta(hours=1)


def begin(pieces: Iterable[bytes]) -> UUID:
    """Store all pieces but the first and the last, each by itself, and return their body's id.

    What is large goes into the database here, while nobody waits for whoever builds.
    """
    body = Body.objects.create()
    for position, data in enumerate(pieces, start=1):
        insert(Piece(body=body, position=position, data=data))
    return body.pk


def complete(body_id: UUID, pieces: Sequence[bytes]) -> None:
    """Add the first and the last of all `pieces` to a body that has those between them."""
    insert(Piece(body_id=body_id, position=0, data=pieces[0]))
    insert(Piece(body_id=body_id, position=len(pieces) - 1, data=pieces[-1]))


def drop(body_ids: Iterable[UUID]) -> None:
    """Forget bodies that nothing refers to."""
    Body.objects.filter(pk__in=list(body_ids)).delete()


def drop_orphans(now: datetime) -> int:
    """Forget bodies that nothing refers to, of builds that ended midway; return how many."""
    old = Body.objects.filter(created_at__lt=now - ORPHANED_AFTER)
    unused = old.exclude(pk__in=CRL.objects.values("body")).exclude(
        pk__in=CRLPart.objects.values("body")
    )
    ids = list(unused.values_list("pk", flat=True))
    drop(ids)
    return len(ids)


class Memory:
    """The bytes that were served last, by their SHA-256, up to `limit` octets of them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._reading: dict[str, threading.Lock] = {}

    def get(self, etag: str, body_id: UUID) -> bytes:
        """Return the bytes, read from the database where they are not held.

        Many who ask at once for what is not held read it once. Larger than all there is room for
        is read each time.
        """
        data = self._hit(etag)
        if data is not None:
            return data
        with self._lock:
            reading = self._reading.setdefault(etag, threading.Lock())
        with reading:
            data = self._hit(etag)
            if data is None:
                data = der_of(body_id)
                self._keep(etag, data)
        with self._lock:
            self._reading.pop(etag, None)
        return data

    def _hit(self, etag: str) -> bytes | None:
        with self._lock:
            data = self._held.get(etag)
            if data is not None:
                self._held.move_to_end(etag)
            return data

    def _keep(self, etag: str, data: bytes) -> None:
        with self._lock:
            if len(data) > self.limit or etag in self._held:
                return
            self._held[etag] = data
            self._size += len(data)
            while self._size > self.limit:
                _, gone = self._held.popitem(last=False)
                self._size -= len(gone)

    @property
    def size(self) -> int:
        """How many octets are held."""
        return self._size


memory = Memory(settings.CRL_MEMORY)

"""Revoked certificates by the hundred thousand, put into the database directly."""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from benchmarks.rows import insert
from certificates.models import Certificate, Reason, Revocation, Version
from certificates.models.revocations import entry_of
from issuers.models import Issuer
from owners.models import Owner, Principal

BATCH = 20_000


def certificate_of(issuer: Issuer) -> Certificate:
    """Return a certificate for the versions to belong to."""
    profile = issuer.profiles.first() or Certificate.objects.order_by("pk")[0].profile
    return Certificate.objects.create(
        name=f"bench-{secrets.token_hex(4)}",
        owner=Owner.objects.order_by("pk")[0],
        issuer=issuer,
        profile=profile,
    )


def seed(issuer: Issuer, count: int, *, listed_in: int | None) -> None:
    """Add `count` revoked versions of `issuer`, as CRL `listed_in` has listed them already."""
    certificate, actor = certificate_of(issuer), Principal.objects.system()
    now = timezone.now().replace(microsecond=0)
    version = Version(
        certificate=certificate,
        issuer=issuer,
        not_before=now - timedelta(days=1),
        not_after=now + timedelta(days=400),
        superseded_at=now,
    )
    revocation = Revocation(
        reason=Reason.SUPERSEDED, revoked_at=now, revoked_by=actor, listed_in=listed_in
    )
    revocation.issuer_id, revocation.not_after = issuer.pk, version.not_after
    for begin in range(0, count, BATCH):
        keys = [
            (uuid4(), f"{secrets.randbits(158) | 1 << 157:x}", begin + at + 1)
            for at in range(min(BATCH, count - begin))
        ]
        with transaction.atomic():
            insert(version, _versions(keys))
            insert(revocation, _revocations(keys, revocation))


def _versions(keys: list[tuple[Any, str, int]]) -> Iterator[dict[str, Any]]:
    for key, serial, number in keys:
        yield {"id": key, "serial": serial, "number": number, "fingerprint": f"{key.hex:0>64}"}


def _revocations(keys: list[tuple[Any, str, int]], like: Revocation) -> Iterator[dict[str, Any]]:
    for key, serial, _ in keys:
        entry = entry_of(serial, like.reason, like.revoked_at, None)
        yield {"version": key, "serial": serial, "entry": entry}

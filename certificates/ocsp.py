"""OCSP answers: signed once on the first question, stored, served until half their life is over.

RFC 6960 and its lightweight profile RFC 9919. Answers hold no nonce: they are signed before they
are asked for, and RFC 9654 §2.1 lets a responder leave a nonce out.
"""

import hashlib
import zlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from certificates import responders
from certificates.models import OCSPResponse, Revocation, SerialRevocation, Version
from foundation.clock import database_clock
from foundation.errors import ConnectorError
from foundation.statements import put_all
from foundation.waits import brief_transaction
from issuers.connectors.base import BACKDATE
from issuers.models import Issuer
from issuers.x509 import ocsp as x509_ocsp
from issuers.x509.ocsp import Answer, CertID

# What a question by serial alone is answered with: it names no hash, and SHA-1 is what clients
# that know no other compare with (`openssl ocsp` by default). It is an identifier, no signature.
SERIAL_HASH = "sha1"
ANSWERED_WITHIN_SECONDS = 2
ONE_SECOND = timedelta(seconds=1)
DROPPED_AT_ONCE = 1000
_KEY = ("issuer_id", "serial", "hash_algorithm")
# From when to when of its life an answer is signed ahead: all before half of it is over, the
# worker's pauses included.
AHEAD = 0.25, 0.45


def response_for(issuer_slug: str, asked: CertID) -> OCSPResponse | None:
    """Return the answer to a question, signed now only if no fresh one is stored.

    None where we have nothing to say: never issued, short-lived, or another issuer's name or key
    (RFC 9919: "unauthorized"). Raises ConnectorError where signing fails and nothing is in force.
    """
    stored = _stored(issuer_slug, asked).first()
    now = database_clock.now()
    if stored is not None and is_fresh(stored, now):
        return stored
    if not _is_ours(issuer_slug, asked):
        return None
    try:
        return _sign(issuer_slug, asked)
    except ConnectorError:
        if stored is not None and _is_unchanged(stored, now):
            return stored
        raise


def response_for_serial(issuer_slug: str, serial: str) -> OCSPResponse | None:
    """Return the answer about a hexadecimal serial, as `response_for`."""
    serial = f"{int(serial, 16):x}"
    stored = OCSPResponse.objects.filter(
        issuer__slug=issuer_slug, serial=serial, hash_algorithm=SERIAL_HASH
    ).first()
    if stored is not None and is_fresh(stored, database_clock.now()):
        return stored
    issuer = Issuer.objects.filter(slug=issuer_slug).first()
    if issuer is None or issuer.certificate is None:
        return None
    return response_for(
        issuer_slug, x509_ocsp.cert_id(issuer.certificate, int(serial, 16), SERIAL_HASH)
    )


def is_fresh(response: OCSPResponse, now: datetime) -> bool:
    """Whether less than half of the answer's life is over.

    BR 4.9.10: an answer valid for under 16 hours is renewed before half of that is over. We do
    so for longer ones too, which is earlier than the 8 hours before the end that they ask for.
    """
    return response.this_update <= now < refresh_at(response)


def refresh_at(response: OCSPResponse) -> datetime:
    """Return when the answer will be signed anew."""
    return response.this_update + (response.next_update - response.this_update) / 2


def drop_stale(now: datetime) -> int:
    """Forget answers that are no longer in force; return how many."""
    with transaction.atomic():
        # Whoever revokes or signs has some of them locked, in an order that is not ours.
        rows = OCSPResponse.objects.filter(next_update__lte=now).order_by("pk")
        locked = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True))
        return sum(
            OCSPResponse.objects.filter(pk__in=locked[at : at + DROPPED_AT_ONCE]).delete()[0]
            for at in range(0, len(locked), DROPPED_AT_ONCE)
        )


def _stored(issuer_slug: str, asked: CertID) -> QuerySet[OCSPResponse]:
    return OCSPResponse.objects.filter(
        issuer__slug=issuer_slug,
        serial=f"{asked.serial:x}",
        hash_algorithm=asked.form,
        name_hash=asked.name_hash.hex(),
        key_hash=asked.key_hash.hex(),
    )


def _is_unchanged(stored: OCSPResponse, now: datetime) -> bool:
    # A revocation deletes the stored answers, and a delegate's ends those that it signed: what we
    # read a moment ago must still be there, and in force.
    return OCSPResponse.objects.filter(pk=stored.pk, etag=stored.etag, next_update__gt=now).exists()


def _is_ours(issuer_slug: str, asked: CertID) -> bool:
    # Asked without a lock first, so that questions about made-up serials never take one.
    serial = f"{asked.serial:x}"
    issued = Version.objects.filter(issuer=OuterRef("pk"), serial=serial, short_lived=False)
    listed = SerialRevocation.objects.filter(issuer=OuterRef("pk"), serial=serial)
    issuer = (
        # Of a CA whose old CRL is not known nobody can say what is good.
        Issuer.objects.filter(Exists(issued) | Exists(listed), slug=issuer_slug, awaits_crl=False)
        .only("certificate_pem")
        .first()
    )
    if issuer is None or issuer.certificate is None:
        return False
    return asked.is_of(issuer.certificate)


def _sign(issuer_slug: str, asked: CertID) -> OCSPResponse | None:
    # Whoever asks waits at a TLS handshake: better tryLater than an answer that comes too late.
    with brief_transaction(ANSWERED_WITHIN_SECONDS):
        return _sign_locked(issuer_slug, asked)


def _sign_locked(issuer_slug: str, asked: CertID) -> OCSPResponse | None:
    # revoke() takes the same lock, so no "good" signed here can outlive a revocation. The bare
    # row is locked; what decides is read after the wait.
    row = _locked(issuer_slug, f"{asked.serial:x}")
    if row is None or row.issuer_id is None:
        return None
    now = database_clock.now()
    stored = _stored(issuer_slug, asked).first()
    if stored is not None and is_fresh(stored, now):
        return stored  # whoever held the lock before us has signed it
    issuer = Issuer.objects.get(pk=row.issuer_id)
    signer = responders.signer_until_commit(issuer, now)
    if signer is None:
        return None
    # A query of its own: a join to the locked row would show what was true before the wait.
    revocation: Revocation | SerialRevocation | None = (
        Revocation.objects.filter(version=row).first() if isinstance(row, Version) else row
    )
    version = row if isinstance(row, Version) else None
    answer = answer_about(
        revocation,
        after=version.answers_after if version else None,
        last=stored.this_update if stored else None,
        now=now.replace(microsecond=0),
    )
    columns = signed(row.serial, version.pk if version else None, signer, asked, answer)
    response = OCSPResponse(**columns, asked_at=now)
    OCSPResponse.objects.bulk_create(
        [response],
        update_conflicts=True,
        unique_fields=_KEY,
        update_fields=[one for one in (*columns, "asked_at") if one not in _KEY],
    )
    return response


def _locked(issuer_slug: str, serial: str) -> Version | SerialRevocation | None:
    """Lock what there is of a serial: its version, or its revocation by issuer and serial."""
    managers: tuple[Any, ...] = (Version.objects, SerialRevocation.objects, Version.objects)
    # While we waited for the second, the first may have taken its place.
    for manager in managers:
        rows = manager.filter(issuer__slug=issuer_slug, serial=serial)
        row: Version | SerialRevocation | None = rows.select_for_update(
            no_key=True, of=("self",)
        ).first()
        if row is not None:
            return row
    return None


def _begins(after: datetime | None, last: datetime | None, now: datetime) -> datetime:
    """Return thisUpdate: a minute back, but later than that of every answer before.

    It is what Last-Modified says, in whole seconds: two answers of one second would be the same
    to a client that asks with If-Modified-Since.
    """
    # thisUpdate <= producedAt <= now (RFC 6960 §2.4), and a client that is 10 s behind reads it.
    before = [now - BACKDATE - ONE_SECOND]
    if after is not None:
        before.append(after)
    if last is not None:
        before.append(last)
    # One of the future (the clock was ahead) does not count.
    return max(one for one in before if one < now) + ONE_SECOND


def answer_about(
    revocation: Revocation | SerialRevocation | None,
    *,
    after: datetime | None,
    last: datetime | None,
    now: datetime,
) -> Answer:
    """Return what is to be said of a locked row at `now`, whole seconds.

    `revocation` was read after the lock was held; `after` is the row's `answers_after` where it has
    one, and `last` is thisUpdate of the answer before.
    """
    begins = _begins(after, last, now)
    ends = begins + settings.OCSP_LIFETIME
    if revocation is None:
        return Answer(
            status="good",
            this_update=begins,
            next_update=ends,
            revoked_at=None,
            reason=None,
            produced_at=now,
        )
    return Answer(
        status="revoked",
        this_update=begins,
        next_update=ends,
        produced_at=now,
        revoked_at=revocation.revoked_at,
        reason=x509.ReasonFlags(revocation.reason),
    )


def signed(
    serial: str, version_id: Any, signer: responders.Signer, asked: CertID, answer: Answer
) -> dict[str, Any]:
    """Sign an answer about a serial, and its version's key where there is one; return its columns.

    Never one that outlives the certificate of who signed it.
    """
    ends = signer.ends(answer.next_update)
    if ends != answer.next_update:
        answer = replace(answer, next_update=ends)
    der = signer.by.sign_ocsp(cert_id=asked, answer=answer)
    return {
        "issuer_id": signer.issuer.pk,
        "serial": serial,
        "hash_algorithm": asked.form,
        "version_id": version_id,
        "name_hash": asked.name_hash.hex(),
        "key_hash": asked.key_hash.hex(),
        "status": answer.status,
        "is_final": answer.reason not in {None, x509.ReasonFlags.certificate_hold},
        "signer_id": None if signer.version is None else signer.version.pk,
        "this_update": answer.this_update,
        "next_update": answer.next_update,
        "renew_at": answer.this_update + (ends - answer.this_update) * _share(serial),
        "der": der,
        "etag": hashlib.sha256(der).hexdigest(),
    }


def store(answers: list[dict[str, Any]]) -> None:
    """Insert answers or put them in the place of those before; their rows are locked.

    All have the same columns.
    """
    if answers:
        put_all(
            OCSPResponse, tuple(answers[0]), [list(one.values()) for one in answers], unique=_KEY
        )


def _share(serial: str) -> float:
    # When of its life an answer is signed ahead: not all that were signed at once are due at once.
    low, high = AHEAD
    return low + (high - low) * zlib.crc32(serial.encode()) / 2**32

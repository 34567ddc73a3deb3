"""OCSP answers signed ahead: by the worker, in batches, before half the life of those is over.

By issuer: for what was asked for lately (`asked`), for all (`all`), or not (`off`: each is signed
when it is asked for). What a revocation made wrong is signed anew first, in the forms that it was
answered in, so that whoever asks next need not wait for a signature.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from certificates import ocsp, responders
from certificates.models import AnswerChange, OCSPResponse, Revocation, SerialRevocation, Version
from foundation.clock import database_clock
from issuers.models import Issuer
from issuers.x509 import ocsp as x509_ocsp

logger = logging.getLogger(__name__)

BATCH = 500  # answers of one transaction
# Of one issuer in one sweep: the others come to their turn, and the next sweep goes on.
MOST = 50_000
# What `all` has ready: SHA-1, which most clients ask by, and SHA-256, which RFC 9919 has them use.
FORMS = ("sha1", "sha256")


@dataclass(frozen=True, slots=True)
class _Row:
    """What is locked for a serial: its version by key, or what was revoked by serial alone."""

    version_id: UUID | None = None
    answers_after: datetime | None = None


# A serial and the form of the CertID: hash algorithm, with "/0" where parameters are absent.
Wanted = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Responder:
    """An issuer that answers for itself, with its CertIDs without a serial."""

    issuer: Issuer
    names: dict[str, x509_ocsp.CertID]

    def cert_id(self, serial: str, form: str) -> x509_ocsp.CertID:
        one = self.names[form]
        return x509_ocsp.CertID(
            one.hash_algorithm, one.name_hash, one.key_hash, int(serial, 16), one.has_null
        )


def sign_due() -> int:
    """Sign whatever is due of every issuer; return how many answers.

    One whose key cannot be used does not keep the others from theirs.
    """
    signed = 0
    for issuer in Issuer.objects.filter(awaits_crl=False).exclude(ocsp_ahead=Issuer.Ahead.OFF):
        try:
            responder = _responder(issuer)
            if responder is not None:
                signed += _sign_changed(responder)
                signed += _sign_aging(responder)
                if issuer.ocsp_ahead == Issuer.Ahead.ALL:
                    signed += _sign_first(responder)
        except Exception:
            logger.exception("OCSP answers of %s could not be signed ahead", issuer.slug)
    return signed


def sign_batch(responder: _Responder, wanted: Collection[Wanted]) -> int:
    """Sign these in one transaction, those whose row nobody else has locked; return how many.

    The same rule as on the first question: rows are locked in the order of keys, and revocations
    are read after that, so no `good` signed here can outlive one. Who has a row locked meanwhile
    changes what is to be said of it, and appends to the log; it is not waited for.
    """
    forms: defaultdict[str, list[str]] = defaultdict(list)
    for serial, form in wanted:
        forms[serial].append(form)
    with transaction.atomic():
        rows, revoked = _locked(responder.issuer, forms)
        # Read after the locks too: thisUpdate must be later than that of any answer before.
        last: dict[Wanted, datetime] = {
            (serial, form): at
            for serial, form, at in OCSPResponse.objects.filter(
                issuer=responder.issuer, serial__in=list(rows)
            ).values_list("serial", "hash_algorithm", "this_update")
        }
        now = database_clock.now().replace(microsecond=0)
        signer = responders.signer_until_commit(responder.issuer, now)
        if signer is None:
            return 0
        made = []
        for serial, row in rows.items():
            for form in forms[serial]:
                answer = ocsp.answer_about(
                    revoked.get(serial),
                    after=row.answers_after,
                    last=last.get((serial, form)),
                    now=now,
                )
                asked = responder.cert_id(serial, form)
                made.append(ocsp.signed(serial, row.version_id, signer, asked, answer))
        # Upserts lock rows of answers, in this order everywhere.
        made.sort(key=lambda one: (one["serial"], one["hash_algorithm"]))
        ocsp.store(made)
    return len(made)


def _responder(issuer: Issuer) -> _Responder | None:
    if not issuer.answers_for_revocation or issuer.certificate is None:
        return None
    names: dict[str, x509_ocsp.CertID] = {}
    for algorithm in x509_ocsp.HASHES:
        one = x509_ocsp.cert_id(issuer.certificate, 0, algorithm)
        bare = x509_ocsp.CertID(algorithm, one.name_hash, one.key_hash, 0, has_null=False)
        names |= {one.form: one, bare.form: bare}
    return _Responder(issuer, names)


def _locked(
    issuer: Issuer, serials: Iterable[str]
) -> tuple[dict[str, _Row], dict[str, Revocation | SerialRevocation]]:
    """Lock what there is of these serials; return it, and then what was revoked of it."""
    wanted = list(serials)
    versions = (
        Version.objects.filter(issuer=issuer, serial__in=wanted, short_lived=False)
        .order_by("pk")
        .select_for_update(no_key=True, skip_locked=True)
        .values_list("serial", "pk", "answers_after")
    )
    rows = {serial: _Row(key, after) for serial, key, after in versions}
    revoked: dict[str, Revocation | SerialRevocation] = {}
    with_version = {row.version_id: serial for serial, row in rows.items()}
    for revocation in Revocation.objects.filter(version__in=with_version):
        revoked[with_version[revocation.version_id]] = revocation
    bare = [serial for serial in wanted if serial not in rows]
    for listed in (
        SerialRevocation.objects.filter(issuer=issuer, serial__in=bare)
        # A version that is locked by somebody, or came meanwhile, is what speaks for the serial.
        .exclude(
            Exists(Version.objects.filter(issuer=OuterRef("issuer"), serial=OuterRef("serial")))
        )
        .order_by("pk")
        .select_for_update(no_key=True, skip_locked=True, of=("self",))
    ):
        rows[listed.serial], revoked[listed.serial] = _Row(), listed
    return rows, revoked


def _sign_changed(responder: _Responder) -> int:
    """Sign anew what changes made wrong, in the order of the log."""
    signed, after = 0, 0
    while signed < MOST:
        changes = list(
            AnswerChange.objects.filter(issuer=responder.issuer, pk__gt=after)
            .exclude(forms="")
            .order_by("pk")[:BATCH]
        )
        if not changes:
            break
        after = changes[-1].pk
        wanted = {(one.serial, form) for one in changes for form in one.forms.split()}
        signed += sign_batch(responder, _unsigned(responder.issuer, wanted))
        # What was locked meanwhile is signed when it is asked for.
        AnswerChange.objects.filter(pk__in=[one.pk for one in changes]).update(forms="")
    return signed


def _unsigned(issuer: Issuer, wanted: set[Wanted]) -> set[Wanted]:
    # Somebody has asked since: it is signed, after the change, for that deleted what was before.
    there = OCSPResponse.objects.filter(issuer=issuer, serial__in={one for one, _ in wanted})
    return wanted - set(there.values_list("serial", "hash_algorithm"))


def _sign_aging(responder: _Responder) -> int:
    """Sign what is due before half its life is over."""
    now = database_clock.now()
    due = OCSPResponse.objects.filter(issuer=responder.issuer, renew_at__lte=now)
    if responder.issuer.ocsp_ahead == Issuer.Ahead.ASKED:
        due = due.filter(asked_at__gt=now - settings.OCSP_LIFETIME)
    rows = due.order_by("renew_at").values_list("serial", "hash_algorithm")[:MOST]
    return _in_batches(responder, list(rows))


def _sign_first(responder: _Responder) -> int:
    """Sign what nobody has asked about yet, of certificates that are valid."""
    now, signed = database_clock.now(), 0
    for form in FORMS:
        there = OCSPResponse.objects.filter(version=OuterRef("pk"), hash_algorithm=form)
        without = Version.objects.filter(
            ~Exists(there), issuer=responder.issuer, short_lived=False, not_after__gt=now
        )
        serials = without.order_by("pk").values_list("serial", flat=True)[:MOST]
        signed += _in_batches(responder, [(serial, form) for serial in serials])
    return signed


def _in_batches(responder: _Responder, wanted: list[Wanted]) -> int:
    return sum(
        sign_batch(responder, wanted[begin : begin + BATCH])
        for begin in range(0, len(wanted), BATCH)
    )

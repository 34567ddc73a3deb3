"""OCSP answers that are signed for who asks alone: with a nonce, or about several certificates.

Nothing of them is stored, and nothing that is stored is touched. They obey the rule of the stored
ones, never `good` after a revocation has committed, without the lock that those need: a stored
answer would outlive the revocation that it waited for, this one is given away at once. What is
read here is read after the question came, in one statement for each certificate and its
revocation, and the time that the answer states is read before that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509
from django.conf import settings

from certificates import responders
from certificates.models import SerialRevocation, Version
from foundation.clock import database_clock
from foundation.rates import Rate, block_of, take
from issuers.connectors.base import BACKDATE
from issuers.models import Issuer
from issuers.x509 import ocsp as x509_ocsp
from issuers.x509.ocsp import Answer, CertID, Question


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question with what is so of each of its certificates, as of `at`, and who signs that."""

    signer: responders.Signer
    question: Question
    answers: tuple[tuple[CertID, Answer], ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class _Revoked:
    at: datetime
    reason: str


def look_up(issuer_slug: str, question: Question) -> Inquiry | None:
    """Return what is to be said; None where there is nothing to say of any of the certificates.

    Those are never issued, short-lived, or another CA's (RFC 9919 §3.2.3: "unauthorized"); beside
    one that can be spoken for they are "unknown" (RFC 6960 §2.2). Takes no lock and signs nothing.
    """
    at = database_clock.now().replace(microsecond=0)
    # Of a CA whose old CRL is not known nobody can say what is good.
    issuer = Issuer.objects.filter(slug=issuer_slug, awaits_crl=False).first()
    if issuer is None or issuer.certificate is None:
        return None
    ours = [one for one in question.cert_ids if one.is_of(issuer.certificate)]
    if not ours:
        return None
    standing = _standing(issuer, {f"{one.serial:x}" for one in ours})
    if not standing:
        return None
    signer = responders.signer_of(issuer, at)
    if signer is None:
        return None
    begins = at - BACKDATE
    times = begins, signer.ends(begins + settings.OCSP_LIFETIME)
    answers = tuple(
        (one, _answer(standing, one, times) if one in ours else _unknown(times))
        for one in question.cert_ids
    )
    return Inquiry(signer, question, answers, at)


def sign(inquiry: Inquiry, *, address: str | None) -> bytes | None:
    """Return the answer as DER; None where a stored one does, for the issuer echoes no nonces.

    Counts one signature for `address` and one in all. Raises TooMany over either limit, and
    ConnectorError where signing fails.
    """
    echo = inquiry.signer.issuer.ocsp_nonces
    if not echo and not inquiry.question.others:
        return None
    _take_turn(address)
    return inquiry.signer.by.sign_live(
        question=inquiry.question, answers=inquiry.answers, produced_at=inquiry.at, echo=echo
    )


def _take_turn(address: str | None) -> None:
    # Whoever is over the own limit must not use up what is there for all.
    take("ocsp-live", block_of(address), Rate.parse(settings.OCSP_LIVE_RATE))
    take("ocsp-live", "all", Rate.parse(settings.OCSP_LIVE_TOTAL_RATE))


def _standing(issuer: Issuer, serials: set[str]) -> dict[str, _Revoked | None]:
    """Return the revocation of each serial that we can speak for; None for what is good."""
    # In this order: what an old CRL lists by serial alone becomes a revocation of a certificate
    # when that comes in, and never the reverse. So it is seen in one of the two places.
    listed = SerialRevocation.objects.filter(issuer=issuer, serial__in=serials)
    standing: dict[str, _Revoked | None] = {
        serial: _Revoked(at, reason)
        for serial, at, reason in listed.order_by().values_list("serial", "revoked_at", "reason")
    }
    issued = Version.objects.filter(issuer=issuer, serial__in=serials, short_lived=False)
    # The types of values through a reverse relation do not say that it may be missing.
    rows: Iterable[tuple[str, datetime | None, str]] = issued.order_by().values_list(
        "serial", "revocation__revoked_at", "revocation__reason"
    )
    return standing | {
        serial: _Revoked(revoked_at, reason) if revoked_at is not None else None
        for serial, revoked_at, reason in rows
    }


def _answer(
    standing: Mapping[str, _Revoked | None], asked: CertID, times: tuple[datetime, datetime]
) -> Answer:
    serial = f"{asked.serial:x}"
    if serial not in standing:
        return _unknown(times)
    revoked = standing[serial]
    if revoked is None:
        return replace(_unknown(times), status=x509_ocsp.GOOD)
    return Answer(x509_ocsp.REVOKED, *times, revoked.at, x509.ReasonFlags(revoked.reason))


def _unknown(times: tuple[datetime, datetime]) -> Answer:
    return Answer(x509_ocsp.UNKNOWN, *times)

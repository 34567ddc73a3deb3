"""Rules of what a signed OCSP answer says, and of who signed it (RFC 6960 §4.2, RFC 9919 §3.2)."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from issuers.x509 import der
from issuers.x509.der import Element
from pki_wellknown.conformance import structures
from pki_wellknown.conformance.bounds import (
    AHEAD,
    REASON,
    REASONS,
    check_algorithm,
    check_no_sha1,
)
from pki_wellknown.conformance.evidence import Evidence, Fails, NotApplicable, same
from pki_wellknown.conformance.rules import rule

SHORTEST, LONGEST = timedelta(hours=8), timedelta(days=10)  # BR 4.9.10
LONG = timedelta(hours=16)
BEFORE_END, AT_MOST = timedelta(hours=8), timedelta(days=4)
_KEY_TAG = 0xA2  # the other is byName
_TIME_LENGTH = 15


@rule("ocsp.responder-id", "RFC 9919 §3.2.1", "the responder is named by its key")
def _responder_id(seen: Evidence) -> None:
    responder = seen.response.responder
    if responder is None or responder.tag != _KEY_TAG:
        raise Fails("it is named by its name")


@rule("ocsp.responder", "RFC 6960 §4.2.2.2", "the responder is the CA, or its certificate is there")
def _responder(seen: Evidence) -> None:
    if seen.responder_key is None:
        raise Fails("its certificate is neither")


@rule("ocsp.signature", "RFC 6960 §4.2.1", "the responder's key has signed it")
def _signature(seen: Evidence) -> None:
    if seen.responder_key is None:
        raise NotApplicable("whose key that is cannot be told")
    response = seen.response
    check_algorithm(response.algorithm)
    key = seen.responder_key.public_key()
    if not structures.verifies(key, response.algorithm, response.signature, response.tbs):
        raise Fails("the signature does not verify")


@rule("ocsp.sha1", "BR 7.1.3.2", "it is not signed with SHA-1")
def _sha1(seen: Evidence) -> None:
    check_no_sha1(seen.response.algorithm)


@rule("ocsp.signer.issued", "RFC 6960 §4.2.2.2", "a delegated signer's certificate is the CA's own")
def _issued(seen: Evidence) -> None:
    try:
        _delegate(seen).verify_directly_issued_by(seen.ca)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise Fails(f"it is not: {str(error) or type(error).__name__}") from None


@rule("ocsp.signer.purpose", "RFC 6960 §4.2.2.2", "a delegated signer may sign OCSP answers")
def _purpose(seen: Evidence) -> None:
    extensions = _delegate(seen).extensions
    try:
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise Fails(str(error)) from None
    if ExtendedKeyUsageOID.OCSP_SIGNING not in purposes:
        raise Fails("its certificate lacks id-kp-OCSPSigning")
    if not usage.digital_signature:
        raise Fails("its certificate lacks digitalSignature")


@rule(
    "ocsp.signer.no-check", "BR 4.9.9, RFC 6960 §4.2.2.2.1", "nobody need check a delegated signer"
)
def _no_check(seen: Evidence) -> None:
    try:
        _delegate(seen).extensions.get_extension_for_class(x509.OCSPNoCheck)
    except x509.ExtensionNotFound:
        raise Fails("its certificate lacks id-pkix-ocsp-nocheck") from None


@rule("ocsp.signer.valid", "RFC 6960 §4.2.2.2", "a delegated signer's certificate is valid now")
def _valid(seen: Evidence) -> None:
    one = _delegate(seen)
    if not one.not_valid_before_utc <= seen.began <= one.not_valid_after_utc:
        raise Fails(f"it is valid until {one.not_valid_after_utc:%Y-%m-%d %H:%M:%S}Z")


@rule("ocsp.cert-id", "RFC 6960 §4.2.1", "the CertID is that of the question, byte for byte")
def _cert_id(seen: Evidence) -> None:
    if seen.single.cert_id != seen.asked.encode():
        raise Fails("it is another")


@rule("ocsp.one", "RFC 9919 §3.2.1", "one question has one SingleResponse")
def _one(seen: Evidence) -> None:
    if len(seen.response.singles) != 1:
        raise Fails(f"it has {len(seen.response.singles)}")


@rule("ocsp.extensions", "RFC 9919 §3.2.1", "no responseExtensions but a nonce")
def _extensions(seen: Evidence) -> None:
    for one in seen.response.extensions:
        if one.oid != structures.NONCE:
            raise Fails(f"{one.oid}")


@rule("ocsp.times", "RFC 6960 §4.2.2.1", "times are GeneralizedTime in Zulu without fractions")
def _times(seen: Evidence) -> None:
    single = seen.single
    times = (
        seen.response.produced_at, single.this_update, single.next_update, single.revoked_at,
    )  # fmt: skip
    for one in times:
        if one is not None and not _is_proper(one):
            raise Fails(bytes(one.contents).decode("ascii", "replace"))


@rule("ocsp.order", "RFC 6960 §4.2.2.1", "thisUpdate is not after producedAt, and that not ahead")
def _order(seen: Evidence) -> None:
    produced_at = seen.response.produced_at
    assert produced_at is not None  # noqa: S101 - a signed answer has one
    produced, this = der.time_of(produced_at), der.time_of(seen.single.this_update)
    if this > produced:
        raise Fails(f"thisUpdate {this}, producedAt {produced}")
    if produced > seen.began + AHEAD:
        raise Fails(f"producedAt is {produced}")


@rule("ocsp.next-update", "RFC 9919 §3.2.4", "nextUpdate is there and lies ahead")
def _next_update(seen: Evidence) -> None:
    if _ends(seen) <= seen.began:
        raise Fails(f"it was {_ends(seen)}")


@rule("ocsp.lifetime", "BR 4.9.10", "it is valid for 8 hours to 10 days")
def _lifetime(seen: Evidence) -> None:
    lifetime = _ends(seen, missing=NotApplicable) - der.time_of(seen.single.this_update)
    if not SHORTEST <= lifetime <= LONGEST:
        raise Fails(f"it is valid for {lifetime}")


@rule("ocsp.refreshed", "BR 4.9.10", "it is renewed in time: at half its life, or 8 hours before")
def _refreshed(seen: Evidence) -> None:
    this, ends = der.time_of(seen.single.this_update), _ends(seen, missing=NotApplicable)
    lifetime = ends - this
    if ends <= seen.began:
        raise NotApplicable("it is over: see ocsp.next-update")
    due = this + lifetime / 2 if lifetime < LONG else min(ends - BEFORE_END, this + AT_MOST)
    if seen.began > due + AHEAD:
        raise Fails(f"of {lifetime} only {ends - seen.began} are left")


@rule(
    "ocsp.reason", "RFC 6960 §4.2.1, BR 7.3", "a reason is an allowed one; unspecified is left out"
)
def _reason(seen: Evidence) -> None:
    reason = seen.single.reason
    if seen.single.status != "revoked" or reason is None:
        raise NotApplicable("it states none")
    if reason not in REASONS:
        raise Fails(f"{reason}")


@rule("ocsp.reason.place", "BR 7.3", "no reasonCode stands in singleExtensions")
def _place(seen: Evidence) -> None:
    if any(one.oid == REASON for one in seen.single.extensions):
        raise Fails("one does")


def _delegate(seen: Evidence) -> x509.Certificate:
    signer = seen.responder_key
    if signer is None:
        raise NotApplicable("who signed cannot be told")
    if same(signer, seen.ca):
        raise NotApplicable("the CA signs itself")
    return signer


def _ends(seen: Evidence, *, missing: type[Exception] = Fails) -> datetime:
    if seen.single.next_update is None:
        raise missing("there is none")
    return der.time_of(seen.single.next_update)


def _is_proper(one: Element) -> bool:
    text = bytes(one.contents)
    return (
        one.tag == der.GENERALIZED_TIME
        and len(text) == _TIME_LENGTH
        and text[:-1].isdigit()
        and text.endswith(b"Z")
    )

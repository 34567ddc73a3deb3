"""Rules that hold CRL and OCSP against each other, and against what the asker knows."""

from issuers.x509 import der
from pki_wellknown.conformance import questions
from pki_wellknown.conformance.bounds import REASON
from pki_wellknown.conformance.evidence import Evidence, Fails, NotApplicable
from pki_wellknown.conformance.rules import rule
from pki_wellknown.conformance.structures import Entry, Single

MOST = 20  # entries of the CRL that are asked about


@rule("known.good", "RFC 6960 §2.2", "OCSP says good of certificates that are known to be")
def _good(seen: Evidence) -> None:
    if not seen.target.good:
        raise NotApplicable("none was given with --good")
    seen.response  # noqa: B018 - NotApplicable where nothing is signed
    for one in seen.target.good:
        said = _asked(seen, one.serial_number)
        if said is None or said.status != "good":
            raise Fails(f"{one.serial_number:x} is {said.status if said else 'not spoken for'}")


@rule("known.good.crl", "RFC 5280 §5.1.2.6", "the CRL does not list certificates known to be good")
def _good_crl(seen: Evidence) -> None:
    if not seen.target.good:
        raise NotApplicable("none was given with --good")
    for one in seen.target.good:
        if one.serial_number in seen.listed:
            raise Fails(f"{one.serial_number:x} is on it")


@rule("known.revoked", "RFC 6960 §2.2", "OCSP says revoked of certificates that are known to be")
def _revoked(seen: Evidence) -> None:
    if not seen.target.revoked:
        raise NotApplicable("none was given with --revoked")
    seen.response  # noqa: B018 - NotApplicable where nothing is signed
    for one in seen.target.revoked:
        said = _asked(seen, one.serial_number)
        if said is None or said.status != "revoked":
            raise Fails(f"{one.serial_number:x} is {said.status if said else 'not spoken for'}")


@rule("known.revoked.crl", "RFC 5280 §5.1.2.6", "the CRL lists certificates known to be revoked")
def _revoked_crl(seen: Evidence) -> None:
    if not seen.target.revoked:
        raise NotApplicable("none was given with --revoked")
    for one in seen.target.revoked:
        if one.serial_number not in seen.listed:
            raise Fails(f"{one.serial_number:x} is not on it")


@rule("agree.status", "BR 4.9.10, RFC 6960 §2.2", "OCSP says revoked of what the CRL lists")
def _status(seen: Evidence) -> None:
    for entry, said in _both(seen):
        if said is None or said.status != "revoked":
            raise Fails(f"{entry.serial:x} is {said.status if said else 'not spoken for'}")


@rule("agree.date", "RFC 6960 §4.2.1", "both state the same date of revocation")
def _date(seen: Evidence) -> None:
    for entry, said in _both(seen):
        if said is not None and said.revoked_at is not None:
            one, two = der.time_of(entry.date), der.time_of(said.revoked_at)
            if one != two:
                raise Fails(f"{entry.serial:x}: {one} on the CRL, {two} by OCSP")


@rule("agree.reason", "RFC 6960 §4.2.1", "both state the same reason of revocation")
def _reason(seen: Evidence) -> None:
    for entry, said in _both(seen):
        if said is not None and said.status == "revoked":
            reason = next((one.value for one in entry.extensions if one.oid == REASON), None)
            code = der.integer_of(der.read(reason)) if reason else 0
            if code != (said.reason or 0):
                raise Fails(f"{entry.serial:x}: {code} on the CRL, {said.reason or 0} by OCSP")


def _both(seen: Evidence) -> list[tuple[Entry, Single | None]]:
    if not seen.crl.entries:
        raise NotApplicable("nothing is revoked")
    seen.response  # noqa: B018 - NotApplicable where nothing is signed
    return [(entry, _asked(seen, entry.serial)) for entry in seen.crl.entries[:MOST]]


def _asked(seen: Evidence, serial: int) -> Single | None:
    response = seen.read(seen.post(questions.request(seen.cert_id(serial))))
    return response.singles[0] if response is not None and response.singles else None

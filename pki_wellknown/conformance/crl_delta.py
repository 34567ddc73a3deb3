"""Rules of delta CRLs, where the complete CRL points to one (RFC 5280 §5.2.4, §5.2.6)."""

from issuers.x509 import der, raw
from issuers.x509.der import NotDER
from pki_wellknown.conformance import structures
from pki_wellknown.conformance.bounds import (
    DELTA,
    FRESHEST,
    IDP,
    NUMBER,
    check_algorithm,
)
from pki_wellknown.conformance.evidence import Evidence, Fails, NotApplicable
from pki_wellknown.conformance.rules import rule
from pki_wellknown.conformance.structures import Crl


@rule("delta.served", "RFC 5280 §5.2.6", "a delta CRL is where the complete one points")
def _served(seen: Evidence) -> None:
    answer = seen.get(_address(seen))
    if answer.status != 200 or answer.content_type != "application/pkix-crl":  # noqa: PLR2004
        raise Fails(f"HTTP {answer.status}, {answer.content_type or 'no type'}")
    try:
        structures.crl_of(answer.body)
    except NotDER as error:
        raise Fails(f"it is none: {error}") from None


@rule("delta.indicator", "RFC 5280 §5.2.4", "it says, critically, which CRL it is a delta to")
def _indicator(seen: Evidence) -> None:
    extension = _delta(seen).extension(DELTA)
    if extension is None or not extension.critical:
        raise Fails("it does not" if extension is None else "it is not critical")


@rule("delta.base", "RFC 5280 §5.2.4", "who has the complete CRL can use it, and it is no older")
def _base(seen: Evidence) -> None:
    base, number, complete = (
        _number(_delta(seen), DELTA), _number(_delta(seen), NUMBER), _number(seen.crl, NUMBER),
    )  # fmt: skip
    if not base <= complete <= number:
        raise Fails(f"it is {number}, to {base}; the complete one is {complete}")


@rule("delta.issuer", "RFC 5280 §5.2.4", "the same CA has signed it with the same key")
def _issuer(seen: Evidence) -> None:
    delta = _delta(seen)
    check_algorithm(delta.outer_algorithm)
    key = seen.ca.public_key()
    if delta.issuer != raw.subject(seen.ca):
        raise Fails("its issuer is another")
    if not structures.verifies(key, delta.outer_algorithm, delta.signature, delta.tbs):
        raise Fails("its signature does not verify")


@rule("delta.scope", "RFC 5280 §5.2.4", "its issuing distribution point is the complete CRL's")
def _scope(seen: Evidence) -> None:
    if _delta(seen).extension(IDP) != seen.crl.extension(IDP):
        raise Fails("it is another")


@rule("delta.freshest", "RFC 5280 §5.2.6", "it points to no delta itself")
def _freshest(seen: Evidence) -> None:
    if _delta(seen).extension(FRESHEST):
        raise Fails("it does")


@rule("delta.in-force", "RFC 5280 §5.1.2.5", "its nextUpdate lies ahead")
def _in_force(seen: Evidence) -> None:
    ends = _delta(seen).next_update
    if ends is None or der.time_of(ends) <= seen.began:
        raise Fails(f"it was {der.time_of(ends)}" if ends else "there is none")


def _address(seen: Evidence) -> str:
    extension = seen.crl.extension(FRESHEST)
    if extension is None:
        raise NotApplicable("there are no deltas")
    for address in _points(extension.value):
        return address
    raise NotApplicable("no http address is named: see crl.freshest")


def _points(value: bytes) -> list[str]:
    """Return the http addresses in a CRLDistributionPoints' DER (RFC 5280 §4.2.1.13)."""
    return [
        bytes(name.contents).decode("ascii", "replace")
        for point in der.read(value)
        for name_of_point in point
        if name_of_point.tag == 0xA0  # noqa: PLR2004 - distributionPoint
        for full_name in name_of_point
        if full_name.tag == 0xA0  # noqa: PLR2004 - fullName
        for name in full_name
        if name.tag == 0x86 and bytes(name.contents).startswith(b"http://")  # noqa: PLR2004 - URI
    ]


def _delta(seen: Evidence) -> Crl:
    try:
        return structures.crl_of(seen.get(_address(seen)).body)
    except NotDER:
        raise NotApplicable("it cannot be read: see delta.served") from None


def _number(crl: Crl, oid: str) -> int:
    extension = crl.extension(oid)
    if extension is None:
        raise NotApplicable("a number is missing: see crl.number and delta.indicator")
    return der.integer_of(der.read(extension.value))

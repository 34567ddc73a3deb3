"""Rules of what a CRL says (RFC 5280 §5)."""

from collections.abc import Iterator
from datetime import timedelta

from cryptography import x509

from issuers.x509 import der, raw
from issuers.x509.der import Element, NotDER
from pki_wellknown.conformance import structures
from pki_wellknown.conformance.bounds import (
    AHEAD,
    DELTA,
    FRESHEST,
    HOLD,
    IDP,
    NUMBER,
    REASON,
    REASONS,
    check_algorithm,
    check_no_sha1,
)
from pki_wellknown.conformance.evidence import Evidence, Fails, NotApplicable
from pki_wellknown.conformance.rules import rule

AKI = "2.5.29.35"
INVALIDITY = "2.5.29.24"
LEAF_LIFETIME, CA_LIFETIME = timedelta(days=10), timedelta(days=366)  # BR 7.2: nextUpdate
MAX_OCTETS = 20
_KEY_IDENTIFIER, _URI = 0x80, 0x86  # of AuthorityKeyIdentifier; of GeneralName
_NEVER = {0x84, 0x85}  # of IDP: indirectCRL, onlyContainsAttributeCerts
_FOR_NOBODY = {0x81, 0x82}  # onlyContainsUserCerts with onlyContainsCACerts
_UTC_LENGTH, _GENERALIZED_LENGTH = 13, 15


@rule("crl.der", "RFC 5280 §5.1", "the body is one DER CertificateList and nothing besides")
def _der(seen: Evidence) -> None:
    if seen.crl_answer.status != 200:  # noqa: PLR2004
        raise NotApplicable("no CRL is served")
    try:
        structures.crl_of(seen.crl_answer.body)
    except NotDER as error:
        raise Fails(str(error)) from None


@rule("crl.version", "RFC 5280 §5.1.2.1", "it is version 2")
def _version(seen: Evidence) -> None:
    if seen.crl.version != 1:
        raise Fails("it is version 1" if seen.crl.version is None else f"{seen.crl.version + 1}")


@rule("crl.issuer", "RFC 5280 §5.1.2.3, BR 7.2", "its issuer is the CA's subject byte for byte")
def _issuer(seen: Evidence) -> None:
    if seen.crl.issuer != raw.subject(seen.ca):
        raise Fails("it differs")


@rule("crl.algorithms", "RFC 5280 §5.1.1.2", "both AlgorithmIdentifiers are identical")
def _algorithms(seen: Evidence) -> None:
    if seen.crl.inner_algorithm != seen.crl.outer_algorithm:
        raise Fails("what is signed names another algorithm than what signs")


@rule("crl.sha1", "BR 7.1.3.2", "it is not signed with SHA-1")
def _sha1(seen: Evidence) -> None:
    check_no_sha1(seen.crl.outer_algorithm)


@rule("crl.signature", "RFC 5280 §5.1.1.3", "the CA's key has signed it")
def _signature(seen: Evidence) -> None:
    crl = seen.crl
    check_algorithm(crl.outer_algorithm)
    key = seen.ca.public_key()
    if not structures.verifies(key, crl.outer_algorithm, crl.signature, crl.tbs):
        raise Fails("the signature does not verify")


@rule("crl.this-update", "RFC 5280 §5.1.2.4", "thisUpdate is not in the future")
def _this_update(seen: Evidence) -> None:
    if der.time_of(seen.crl.this_update) > seen.began + AHEAD:
        raise Fails(f"it is {der.time_of(seen.crl.this_update):%Y-%m-%d %H:%M:%S}Z")


@rule("crl.next-update", "RFC 5280 §5.1.2.5", "nextUpdate is there and lies ahead")
def _next_update(seen: Evidence) -> None:
    if seen.crl.next_update is None:
        raise Fails("there is none")
    if der.time_of(seen.crl.next_update) <= seen.began:
        raise Fails(f"it was {der.time_of(seen.crl.next_update):%Y-%m-%d %H:%M:%S}Z")


@rule("crl.lifetime", "BR 7.2", "it is valid for 10 days at most, one of CAs alone for 12 months")
def _lifetime(seen: Evidence) -> None:
    if seen.crl.next_update is None:
        raise NotApplicable("there is no nextUpdate")
    lifetime = der.time_of(seen.crl.next_update) - der.time_of(seen.crl.this_update)
    most = LEAF_LIFETIME if _signs_leaves(seen) else CA_LIFETIME
    if lifetime > most:
        raise Fails(f"it is valid for {lifetime}")


@rule("crl.times", "RFC 5280 §5.1.2.4", "dates are UTCTime until 2049, in Zulu, without fractions")
def _times(seen: Evidence) -> None:
    crl = seen.crl
    dates = [crl.this_update, crl.next_update, *(entry.date for entry in crl.entries)]
    for date in dates:
        if date is not None and not _is_proper(date):
            raise Fails(f"{bytes(date.contents).decode('ascii', 'replace')}")


@rule("crl.no-empty-list", "RFC 5280 §5.1.2.6", "no list stands there where nothing is revoked")
def _no_empty_list(seen: Evidence) -> None:
    if seen.crl.has_list and not seen.crl.entries:
        raise Fails("there is an empty one")


@rule("crl.aki", "RFC 5280 §5.2.1", "the authority key identifier is there: the CA's SKI")
def _aki(seen: Evidence) -> None:
    extension = seen.crl.extension(AKI)
    if extension is None or extension.critical:
        raise Fails("it is missing" if extension is None else "it is critical")
    identifier = next(
        (one for one in der.read(extension.value) if one.tag == _KEY_IDENTIFIER), None
    )
    try:
        own = seen.ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        own = raw.key_identifier(raw.key(seen.ca))
    if identifier is None or bytes(identifier.contents) != own:
        raise Fails("it is another's")


@rule("crl.number", "RFC 5280 §5.2.3, BR 7.2.2", "CRLNumber is there, 0 to 2^159 - 1")
def _number(seen: Evidence) -> None:
    extension = seen.crl.extension(NUMBER)
    if extension is None or extension.critical:
        raise Fails("it is missing" if extension is None else "it is critical")
    if not 0 <= der.integer_of(der.read(extension.value)) < 1 << 159:
        raise Fails("it is out of bounds")


@rule(
    "crl.number-grows", "RFC 5280 §5.2.3", "a later CRL has a greater number, the same one its own"
)
def _number_grows(seen: Evidence) -> None:
    first = seen.target.previous_crl or seen.crl_answer.body
    second = seen.get(seen.crl_url).body
    if first == second:
        if not seen.target.previous_crl:
            raise NotApplicable("no newer one came while this ran: give one with --previous-crl")
        return
    numbers = [_number_of(one) for one in (first, second)]
    if numbers[1] <= numbers[0]:
        raise Fails(f"{numbers[0]}, then {numbers[1]}")


@rule("crl.complete", "RFC 5280 §5.2.4", "it is no delta CRL")
def _complete(seen: Evidence) -> None:
    if seen.crl.extension(DELTA):
        raise Fails("it has a deltaCRLIndicator")


@rule(
    "crl.idp",
    "RFC 5280 §5.2.5, BR 7.2.2.1",
    "an issuing distribution point is critical, URIs alone",
)
def _idp(seen: Evidence) -> None:
    extension = seen.crl.extension(IDP)
    if extension is None:
        raise NotApplicable("there is none: the CRL is complete")
    if not extension.critical:
        raise Fails("it is not critical")
    parts = {one.tag: one for one in der.read(extension.value)}
    if not parts:
        raise Fails("it is empty")
    if _NEVER.intersection(parts) or parts.keys() >= _FOR_NOBODY:
        raise Fails("it is indirect, for attribute certificates, or for nobody")
    point = parts.get(0xA0)
    if point is not None and any(name.tag != _URI for one in point for name in one):
        raise Fails("its distribution point has names that are no URIs")
    urls = [bytes(name.contents) for one in point or () for name in one]
    if urls and seen.crl_url.encode() not in urls:
        raise Fails("the address where it is, which certificates carry, is not named")


@rule("crl.freshest", "RFC 5280 §5.2.6", "a pointer to deltas is not critical, and http")
def _freshest(seen: Evidence) -> None:
    extension = seen.crl.extension(FRESHEST)
    if extension is None:
        raise NotApplicable("there is none")
    if extension.critical:
        raise Fails("it is critical")
    if b"http://" not in extension.value:
        raise Fails("it names no http address")


@rule("crl.critical", "RFC 5280 §5.2", "nothing is critical that relying parties need not know")
def _critical(seen: Evidence) -> None:
    known = {IDP, DELTA, AKI, NUMBER, FRESHEST}  # each has a rule of its own
    for one in seen.crl.extensions:
        if one.critical and one.oid not in known:
            raise Fails(f"{one.oid} is")


@rule(
    "crl.entries.serials", "RFC 5280 §4.1.2.2", "serials are positive, 20 octets at most, and once"
)
def _serials(seen: Evidence) -> None:
    entries = _entries(seen)
    for entry in entries:
        if entry.serial <= 0 or entry.serial_octets > MAX_OCTETS:
            raise Fails(f"{entry.serial:x}")
    if len(seen.listed) != len(entries):
        raise Fails("one stands there twice")


@rule("crl.entries.dates", "RFC 5280 §5.1.2.6", "nothing is revoked in the future")
def _dates(seen: Evidence) -> None:
    for entry in _entries(seen):
        if der.time_of(entry.date) > seen.began + AHEAD:
            raise Fails(f"{entry.serial:x}: {der.time_of(entry.date):%Y-%m-%d %H:%M:%S}Z")


@rule("crl.entries.reasons", "RFC 5280 §5.3.1", "reasons are allowed ones; unspecified is left out")
def _reasons(seen: Evidence) -> None:
    for serial, critical, reason in _stated_reasons(seen):
        if critical or reason not in REASONS:
            raise Fails(f"{serial:x}: reason {reason}{', critical' if critical else ''}")


@rule("crl.entries.hold", "BR 7.2.2", "nothing is on hold")
def _hold(seen: Evidence) -> None:
    if not seen.target.is_public:
        raise NotApplicable("RFC 5280 allows it; --public holds against the BR")
    for serial, _, reason in _stated_reasons(seen):
        if reason == HOLD:
            raise Fails(f"{serial:x} is")


@rule("crl.entries.critical", "RFC 5280 §5.3", "no entry has a critical extension")
def _entries_critical(seen: Evidence) -> None:
    for entry in _entries(seen):
        for one in entry.extensions:
            if one.critical and one.oid != REASON:
                raise Fails(f"{entry.serial:x}: {one.oid}")


@rule("crl.entries.invalidity", "RFC 5280 §5.3.2", "an invalidity date is a GeneralizedTime")
def _invalidity(seen: Evidence) -> None:
    there = False
    for entry in _entries(seen):
        for one in entry.extensions:
            if one.oid == INVALIDITY:
                there = True
                date = der.read(one.value)
                if date.tag != der.GENERALIZED_TIME or len(date.contents) != _GENERALIZED_LENGTH:
                    raise Fails(f"{entry.serial:x}: {bytes(date.contents)!r}")
    if not there:
        raise NotApplicable("there is none")


def _entries(seen: Evidence) -> tuple[structures.Entry, ...]:
    if not seen.crl.entries:
        raise NotApplicable("nothing is revoked")
    return seen.crl.entries


def _stated_reasons(seen: Evidence) -> Iterator[tuple[int, bool, int]]:
    """Go through serial, whether its reason is critical, and the reason."""
    for entry in _entries(seen):
        for one in entry.extensions:
            if one.oid == REASON:
                yield entry.serial, one.critical, der.integer_of(der.read(one.value))


def _signs_leaves(seen: Evidence) -> bool:
    basic = seen.ca.extensions.get_extension_for_class(x509.BasicConstraints).value
    return basic.path_length == 0 or bool(seen.target.good or seen.target.revoked)


def _is_proper(date: Element) -> bool:
    text = bytes(date.contents)
    if not text.endswith(b"Z") or not text[:-1].isdigit():
        return False
    early = der.time_of(date).year < 2050  # noqa: PLR2004 - RFC 5280 §4.1.2.5
    right = (der.UTC_TIME, _UTC_LENGTH) if early else (der.GENERALIZED_TIME, _GENERALIZED_LENGTH)
    return (date.tag, len(text)) == right


def _number_of(data: bytes) -> int:
    try:
        extension = structures.crl_of(data).extension(NUMBER)
        if extension is not None:
            return der.integer_of(der.read(extension.value))
    except NotDER:
        pass
    raise NotApplicable("one of the two has no readable number")

"""Certificate revocation lists (RFC 5280 §5), written by DER of our own.

An entry that somebody else's CA made may have a serial that is negative or longer than 20 octets,
or a date before 1950. The library's builder refuses each, and with it the whole list; a list
without an entry that was on it would call a revoked certificate good. So every entry is written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from issuers.x509 import der, raw
from issuers.x509.signing import authority_key_identifier, sign_pieces, signature_algorithm

MAX_NUMBER = (
    1 << 159
)  # exclusive: at most 20 octets (RFC 5280 §5.2.3), the first without its top bit

PIECE = 1 << 20  # octets, about: what is held, stored and sent at a time

# The contents of OIDs: 2.5.29.20, .21, .24, .27, .28, .35, .46.
_CRL_NUMBER = bytes.fromhex("551d14")
_REASON = bytes.fromhex("551d15")
_INVALIDITY_DATE = bytes.fromhex("551d18")
_DELTA = bytes.fromhex("551d1b")
_ISSUING_DISTRIBUTION_POINT = bytes.fromhex("551d1c")
_AUTHORITY_KEY_IDENTIFIER = bytes.fromhex("551d23")
_FRESHEST_CRL = bytes.fromhex("551d2e")
_CODES: dict[x509.ReasonFlags, int] = {  # RFC 5280 §5.3.1; 7 is not used
    x509.ReasonFlags.unspecified: 0,
    x509.ReasonFlags.key_compromise: 1,
    x509.ReasonFlags.ca_compromise: 2,
    x509.ReasonFlags.affiliation_changed: 3,
    x509.ReasonFlags.superseded: 4,
    x509.ReasonFlags.cessation_of_operation: 5,
    x509.ReasonFlags.certificate_hold: 6,
    x509.ReasonFlags.remove_from_crl: 8,
    x509.ReasonFlags.privilege_withdrawn: 9,
    x509.ReasonFlags.aa_compromise: 10,
}
REASONS = {code: reason for reason, code in _CODES.items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """One revoked certificate; fractions of seconds are dropped where it is written."""

    serial: int
    revoked_at: datetime
    reason: x509.ReasonFlags
    invalid_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a CRL is about besides all: a part of the certificates, or the changes since another."""

    addresses: Sequence[str] = ()  # every address of a part that certificates name, as they do
    base: int | None = None  # a delta: the number of the complete CRL that it adds to
    freshest: str = ""  # of a complete CRL: where its delta is

    def __post_init__(self) -> None:
        if self.base is not None and self.freshest:
            raise ValueError("no delta names another (RFC 5280 §5.2.6)")


COMPLETE = Scope()


def build(  # noqa: PLR0913 - one argument a field of the TBSCertList
    *,
    issuer: x509.Certificate,
    key: CertificateIssuerPrivateKeyTypes,
    number: int,
    this_update: datetime,
    next_update: datetime,
    entries: Iterable[Entry],
) -> x509.CertificateRevocationList:
    """Sign a complete CRL for `issuer` and read it, as `assemble`.

    For those who want to look at it; what is published is `assemble`'s.
    """
    made = assemble(
        issuer=issuer,
        key=key,
        number=number,
        this_update=this_update,
        next_update=next_update,
        entries=map(encode, entries),
    )
    return x509.load_der_x509_crl(made)


def assemble(  # noqa: PLR0913 - one argument a field of the TBSCertList
    *,
    issuer: x509.Certificate,
    key: CertificateIssuerPrivateKeyTypes,
    number: int,
    this_update: datetime,
    next_update: datetime,
    entries: Iterable[bytes],
) -> bytes:
    """Sign a complete CRL for `issuer` over entries as `encode` gives them; return its DER.

    The entries are taken one by one, so that memory holds the list about twice and nothing
    besides. All else as `pieces`.
    """
    return b"".join(
        pieces(
            issuer=issuer,
            key=key,
            number=number,
            this_update=this_update,
            next_update=next_update,
            entries=gathered(entries),
        )
    )


def gathered(entries: Iterable[bytes]) -> list[bytes]:
    """Join entries, taken one by one, into pieces of about PIECE octets."""
    joined: list[bytes] = []
    piece = bytearray()
    for entry in entries:
        piece += entry
        if len(piece) >= PIECE:
            joined.append(bytes(piece))
            piece.clear()
    return [*joined, bytes(piece)] if piece else joined


def pieces(  # noqa: PLR0913 - one argument a field of the TBSCertList
    *,
    issuer: x509.Certificate,
    key: CertificateIssuerPrivateKeyTypes,
    number: int,
    this_update: datetime,
    next_update: datetime,
    entries: Sequence[bytes],
    scope: Scope = COMPLETE,
) -> list[bytes]:
    """Sign a CRL for `issuer`; return its DER in pieces: the first, those of `entries`, the last.

    `entries` is the list of encoded entries, cut anywhere; they are hashed where they lie. Without
    a `scope` the CRL is complete and has no issuingDistributionPoint (BR 7.2.2.1). Fractions of
    seconds are dropped (RFC 5280 §5.1.2.4). Raises ValueError for a number over 20 octets (RFC
    5280 §5.2.3) or a nextUpdate before thisUpdate, TypeError for a key that does not sign.
    """
    if not 0 <= number < MAX_NUMBER:
        raise ValueError("a CRL number lies between 0 and 2^159 - 1")
    if next_update < this_update:
        raise ValueError("the next update of a CRL is not before this update")
    algorithm = signature_algorithm(key)
    length = sum(map(len, entries))
    fields = b"".join(
        (
            der.integer(1),  # v2
            algorithm,
            raw.subject(issuer),
            der.time(this_update),
            der.time(next_update),
            # RFC 5280 §5.1.2.6: where nothing is revoked there is no list, not even an empty one.
            der.header(der.SEQUENCE, length) if length else b"",
        )
    )
    last = der.encode(0xA0, _extensions(issuer, number, scope))
    signed = len(fields) + length + len(last)
    first = der.header(der.SEQUENCE, signed) + fields
    end = algorithm + sign_pieces(key, [first, *entries, last])
    whole = len(first) + length + len(last) + len(end)
    return [der.header(der.SEQUENCE, whole) + first, *entries, last + end]


def encode(entry: Entry) -> bytes:
    """Return one entry's DER, whatever its serial and date (RFC 5280 §5.3)."""
    extensions = _REASONS[entry.reason]
    if entry.invalid_since is not None:
        # RFC 5280 §5.3.2: GeneralizedTime, whatever the year.
        extensions += _extension(_INVALIDITY_DATE, der.generalized_time(entry.invalid_since))
    return der.encode(
        der.SEQUENCE,
        der.integer(entry.serial),
        der.time(entry.revoked_at),
        der.encode(der.SEQUENCE, extensions) if extensions else b"",
    )


def entry_size(entry: Entry) -> int:
    """Return by how many bytes an entry makes a CRL longer, less the lengths around the list."""
    return len(encode(entry))


def code(reason: x509.ReasonFlags) -> int:
    """Return a reason's number (RFC 5280 §5.3.1)."""
    return _CODES[reason]


def _extensions(issuer: x509.Certificate, number: int, scope: Scope) -> bytes:
    authority = authority_key_identifier(issuer).public_bytes()
    more = []
    if scope.base is not None:  # RFC 5280 §5.2.4: critical, so that none takes it for complete
        more.append(_extension(_DELTA, der.integer(scope.base), critical=True))
    if scope.addresses:  # RFC 5280 §5.2.5: critical; distributionPoint [0], fullName [0], URI [6]
        name = der.encode(0xA0, *_uris(scope.addresses))
        point = der.encode(der.SEQUENCE, der.encode(0xA0, name))
        more.append(_extension(_ISSUING_DISTRIBUTION_POINT, point, critical=True))
    if scope.freshest:  # RFC 5280 §5.2.6: as CRLDistributionPoints; never inside a delta
        name = der.encode(0xA0, *_uris([scope.freshest]))
        points = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, der.encode(0xA0, name)))
        more.append(_extension(_FRESHEST_CRL, points))
    return der.encode(
        der.SEQUENCE,
        _extension(_AUTHORITY_KEY_IDENTIFIER, authority),
        _extension(_CRL_NUMBER, der.integer(number)),
        *more,
    )


def _uris(addresses: Iterable[str]) -> list[bytes]:
    return [der.encode(0x86, address.encode("ascii")) for address in addresses]


def _extension(oid: bytes, value: bytes, *, critical: bool = False) -> bytes:
    # Not critical is the default and so not written (X.690 §11.5).
    return der.encode(
        der.SEQUENCE,
        der.encode(der.OID, oid),
        der.encode(der.BOOLEAN, b"\xff") if critical else b"",
        der.encode(der.OCTET_STRING, value),
    )


# RFC 5280 §5.3.1: leave the extension out rather than say "unspecified".
_REASONS = {
    reason: _extension(_REASON, der.integer(code, der.ENUMERATED)) if code else b""
    for reason, code in _CODES.items()
}

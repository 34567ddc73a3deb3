"""What importing files would do: which certificates are new, which known, and what is broken."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cryptography import x509

from certificates.models import Version
from certificates.services.importing import MAX_CERTIFICATES, MalformedCertificate, check_serial
from foundation.errors import FieldError, Invalid
from issuers.services import describe
from issuers.x509 import bundle, certs, chains
from issuers.x509.reading import is_signed_by

MAX_AT_ONCE = 5_000  # certificates in all files together
_LOOKED_UP = 500  # fingerprints a query
_TRIED = 20  # CAs of one name that are tried as who signed one certificate
HOLDS_KEY = (
    "It holds a private key, so nothing of it was read: send certificates only, and consider the "
    "key as exposed."
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A certificate that is not in the inventory yet, with its chain out of the same files."""

    where: str
    name: str
    fingerprint: str
    not_after: str
    issuer: str
    pem: str


@dataclass(frozen=True, slots=True)
class Known:
    """A certificate that is in the inventory already."""

    where: str
    version: Version


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen in files; `plan` is the hash of what importing them would add."""

    new: Sequence[Candidate] = ()
    known: Sequence[Known] = ()
    broken: Sequence[bundle.Piece] = ()
    authorities: int = field(default=0)

    @property
    def plan(self) -> str:
        """The SHA-256 of what is new, in hexadecimal: a page sends back what it showed."""
        listed = "".join(sorted(one.fingerprint for one in self.new))
        return hashlib.sha256(listed.encode()).hexdigest()


def look(files: Iterable[tuple[str, bytes]]) -> Look:
    """Read files, as (name, content), and compare with the inventory; it writes nothing.

    CA certificates go with what they signed, and are not imported for themselves: a CA is taken
    over elsewhere. What is in the files twice counts once. Raises Invalid where there are more than
    MAX_AT_ONCE.
    """
    broken: list[bundle.Piece] = []
    places: dict[x509.Certificate, str] = {}
    for name, data in files:
        try:
            for piece in bundle.pieces(data, name):
                if piece.certificate is None:
                    broken.append(piece)
                else:
                    places.setdefault(piece.certificate, piece.where)
                _check_count(len(places) + len(broken))
        except bundle.HoldsPrivateKey:
            broken.append(bundle.Piece(name, fault=HOLDS_KEY))
    above: dict[bytes, list[x509.Certificate]] = defaultdict(list)
    leaves = []
    for certificate in places:
        if chains.is_ca(certificate):
            above[certificate.subject.public_bytes()].append(certificate)
        else:
            leaves.append(certificate)
    known = _known(leaves)
    new = []
    for leaf in leaves:
        if certs.fingerprint(leaf) in known:
            continue
        pem = "".join(certs.pem(one) for one in (leaf, *_chain(leaf, above)))
        try:
            check_serial(leaf)
            new.append(_candidate(leaf, pem, places[leaf]))
        except MalformedCertificate as error:
            broken.append(bundle.Piece(places[leaf], fault=error.detail))
    where = {certs.fingerprint(leaf): places[leaf] for leaf in leaves}
    return Look(
        new=new,
        known=[Known(where[key], version) for key, version in known.items()],
        broken=broken,
        authorities=len(places) - len(leaves),
    )


def _check_count(count: int) -> None:
    if count > MAX_AT_ONCE:
        detail = (
            f"There are more than {MAX_AT_ONCE:,} certificates in it: take fewer files at once."
        )
        raise Invalid(detail, errors=[FieldError("file", "too_many", detail)])


def _candidate(leaf: x509.Certificate, pem: str, where: str) -> Candidate:
    signed = describe(leaf, "")
    first = signed.sans[0].partition(":")[2] if signed.sans else ""
    return Candidate(
        where=where,
        name=signed.common_name or first or signed.serial_hex,
        fingerprint=signed.fingerprint,
        not_after=f"{signed.not_after:%Y-%m-%d}",
        issuer=chains.name_of(leaf.issuer),
        pem=pem,
    )


def _known(leaves: Sequence[x509.Certificate]) -> dict[str, Version]:
    prints = [certs.fingerprint(leaf) for leaf in leaves]
    known: dict[str, Version] = {}
    for start in range(0, len(prints), _LOOKED_UP):
        rows = Version.objects.filter(fingerprint__in=prints[start : start + _LOOKED_UP])
        known |= {row.fingerprint: row for row in rows.select_related("certificate")}
    return known


def _chain(
    leaf: x509.Certificate, above: dict[bytes, list[x509.Certificate]]
) -> list[x509.Certificate]:
    """Return the way up from `leaf` that the files have, to a root where there is one."""
    chain: list[x509.Certificate] = []
    lower = leaf
    while len(chain) < MAX_CERTIFICATES - 1:
        of_that_name = above.get(lower.issuer.public_bytes(), [])[:_TRIED]
        upper = next((ca for ca in of_that_name if is_signed_by(lower, ca)), None)
        if upper is None or upper in chain:
            break
        chain.append(upper)
        lower = upper
    return chain

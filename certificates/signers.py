"""Which CAs may sign certificates still: none that is revoked, nor one that stands below such a CA.

No relying party accepts what is signed below a revoked certificate (RFC 5280 §6.1.3 (a) (3)). CRLs
and OCSP answers such a CA signs all the same: they are how it is learnt what else is revoked.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from cryptography import x509

from certificates import policy
from certificates.models import Revocation, Version
from foundation.errors import Conflict, FieldError
from foundation.locks import share
from foundation.statements import Given, Rows
from issuers.models import Issuer
from issuers.x509 import certs, chains


class IssuerRevoked(Conflict):
    """The CA signs no more certificates: its own is revoked, or that of a CA above it."""

    code = "issuer_revoked"
    message = "The CA is revoked and signs no more certificates."


@dataclass(frozen=True, slots=True)
class Bar:
    """Why a CA signs no more certificates: this revocation, of its own certificate or above."""

    revocation: Revocation
    is_own: bool
    detail: str


def barred(issuers: Iterable[Issuer]) -> dict[UUID, Bar]:
    """Return those of `issuers` that may sign no certificate, in two queries however many.

    A certificate on hold is revoked until that is released.
    """
    return _barred(_ways(issuers))


def check_may_sign(issuer: Issuer) -> None:
    """Raise IssuerRevoked where `issuer` signs no more certificates."""
    _check(issuer, _ways([issuer]))


def check_may_sign_until_commit(issuer: Issuer) -> None:
    """Do the same, and let nobody revoke the CA, nor one above it, before the transaction ends.

    Whoever revokes locks the version, so one of the two is first and the other sees it. The caller
    holds nothing that comes after a Version in the order of locks.
    """
    ways = _ways([issuer])
    _hold(ways)
    _check(issuer, ways)


def errors(
    issuer: Issuer, field: str = "issuer", *, until_commit: bool = False
) -> Iterator[FieldError]:
    """Go through what stands against asking `issuer` for a signature; `field` named it.

    With `until_commit` nothing new comes to stand against it before the transaction ends, as
    `check_may_sign_until_commit` has it.
    """
    ways = _ways([issuer])
    if until_commit:
        _hold(ways)
    bar = _barred(ways).get(issuer.pk)
    if bar is not None:
        yield FieldError(field, IssuerRevoked.code, bar.detail)


_ISSUERS: Rows[Issuer] = Rows(lambda: Issuer.objects.defer("secrets").order_by())


@lru_cache(maxsize=64)
def _revocations_of(count: int) -> Rows[Revocation]:
    """Return the question for the revocations of the versions of so many keys."""
    column = Version._meta.get_field("key_fingerprint")  # noqa: SLF001 - Django's public name for it
    keys = [Given(f"key{n}", column) for n in range(count)]
    return Rows(
        lambda: (
            Revocation.objects.filter(version__key_fingerprint__in=keys)
            .select_related("version")
            .order_by()
        )
    )


# Each CA that is asked about, with its own certificate and all that are known above it.
_Ways = Mapping[UUID, tuple[Issuer, list[x509.Certificate]]]


def _ways(issuers: Iterable[Issuer]) -> _Ways:
    asked = {issuer.pk: issuer for issuer in issuers}
    known = asked
    if any(issuer.parent_id is not None for issuer in asked.values()):
        known = {**{row.pk: row for row in _ISSUERS.all()}, **asked}
    return {key: (issuer, list(dict.fromkeys(_up(issuer, known)))) for key, issuer in asked.items()}


def _hold(ways: _Ways) -> None:
    share(Version, _keys(ways), by="key_fingerprint")


def _keys(ways: _Ways) -> set[str]:
    return {_key(one) for _, way in ways.values() for one in way}


def _barred(ways: _Ways) -> dict[UUID, Bar]:
    keys = _keys(ways)
    if not keys:
        return {}  # certificates of theirs are not known here
    rows = _revocations_of(len(keys)).all(**{f"key{n}": key for n, key in enumerate(keys)})
    if not rows:
        return {}
    bars = {key: _bar(issuer, way, rows) for key, (issuer, way) in ways.items()}
    return {key: bar for key, bar in bars.items() if bar is not None}


def _check(issuer: Issuer, ways: _Ways) -> None:
    bar = _barred(ways).get(issuer.pk)
    if bar is not None:
        raise IssuerRevoked(bar.detail)


def _up(issuer: Issuer, known: Mapping[UUID, Issuer]) -> Iterator[x509.Certificate]:
    """Go through the CA's own certificate and all that is known above it."""
    row: Issuer | None = issuer
    seen: set[UUID] = set()
    # The chain that a CA was imported with may lack those above that are ours.
    while row is not None and row.pk not in seen:
        seen.add(row.pk)
        if row.certificate_pem:
            yield from certs.load_cas(row.own_chain_pem)
        row = known.get(row.parent_id) if row.parent_id else None


def _bar(issuer: Issuer, way: list[x509.Certificate], rows: list[Revocation]) -> Bar | None:
    by_print = {row.version.fingerprint: row for row in rows}
    for number, one in enumerate(way):
        is_own = number == 0
        row = by_print.get(certs.fingerprint(one))
        # Of a CA above that has several certificates, as cross-signed ones, another way may hold.
        twins = () if is_own else (other for other in way if _key(other) == _key(one))
        if any(certs.fingerprint(twin) not in by_print for twin in twins):
            row = None
        # A key that leaked is bad whichever of its certificates said so.
        row = row or _compromise(_key(one), rows)
        if row is not None:
            return Bar(row, is_own, _words(issuer, one, row, is_own=is_own))
    return None


def _compromise(key: str, rows: list[Revocation]) -> Revocation | None:
    leaked = (
        row
        for row in rows
        if row.version.key_fingerprint == key and row.reason in policy.COMPROMISES
    )
    return next(leaked, None)


def _words(issuer: Issuer, one: x509.Certificate, row: Revocation, *, is_own: bool) -> str:
    if is_own:
        return f"{issuer} is revoked ({row.reason}) and signs no more certificates."
    return (
        f"{issuer} stands below {chains.name_of(one.subject)}, which is revoked ({row.reason}): it "
        "signs no more certificates."
    )


def _key(certificate: x509.Certificate) -> str:
    return certs.key_fingerprint(certificate.public_key())

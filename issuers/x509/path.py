"""Path rules of our own (RFC 5280 §6.1): what no verifier would accept is neither signed nor kept.

Where verifiers differ the strictest counts. All that is wrong is said at once, as sentences.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from issuers.x509 import certs, chains, constraints
from issuers.x509.chains import name_of
from issuers.x509.reading import UNREADABLE

Kind = Literal["chain", "names", "purposes", "usages"]
Way = Sequence[x509.Certificate]  # the issuing CA first, the root last

# Which key usages go with a key: RFC 3279 §2.3.1 for RSA, RFC 8813 §3 for EC, RFC 9295 §3 for
# Ed25519 and Ed448. keyCertSign and cRLSign go with all of them.
_SIGNING = {"digitalSignature", "contentCommitment", "keyCertSign", "cRLSign"}
_FITTING: tuple[tuple[type | tuple[type, ...], str, set[str]], ...] = (
    (rsa.RSAPublicKey, "RSA", _SIGNING | {"keyEncipherment", "dataEncipherment"}),
    (
        ec.EllipticCurvePublicKey,
        "EC",
        _SIGNING | {"keyAgreement", "encipherOnly", "decipherOnly"},
    ),
    ((ed25519.Ed25519PublicKey, ed448.Ed448PublicKey), "Ed25519 or Ed448", _SIGNING),
)
# Which key usages a purpose can be served with (RFC 5280 §4.2.1.12): one of them at least.
_CONSISTENT: dict[x509.ObjectIdentifier, set[str]] = {
    ExtendedKeyUsageOID.SERVER_AUTH: {"digitalSignature", "keyEncipherment", "keyAgreement"},
    ExtendedKeyUsageOID.CLIENT_AUTH: {"digitalSignature", "keyAgreement"},
    ExtendedKeyUsageOID.CODE_SIGNING: {"digitalSignature"},
    ExtendedKeyUsageOID.EMAIL_PROTECTION: {
        "digitalSignature", "contentCommitment", "keyEncipherment", "keyAgreement",
    },
    ExtendedKeyUsageOID.TIME_STAMPING: {"digitalSignature", "contentCommitment"},
    ExtendedKeyUsageOID.OCSP_SIGNING: {"digitalSignature", "contentCommitment"},
}  # fmt: skip
# The critical extensions that verifiers process.
_PROCESSED = {
    x509.BasicConstraints.oid,
    x509.KeyUsage.oid,
    x509.ExtendedKeyUsage.oid,
    x509.NameConstraints.oid,
    x509.SubjectAlternativeName.oid,
    x509.CertificatePolicies.oid,
    x509.PolicyConstraints.oid,
    x509.InhibitAnyPolicy.oid,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a certificate would not verify: what it is about, and a sentence."""

    about: Kind
    detail: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a subscriber's certificate says, or is to say."""

    public_key: CertificatePublicKeyTypes
    subject: x509.Name
    names: Sequence[x509.GeneralName]
    usages: Sequence[str] = ()  # none: the extension is left out
    purposes: Sequence[x509.ObjectIdentifier] = ()  # none: left out


def problems(leaf: x509.Certificate, chain: Sequence[x509.Certificate]) -> list[str]:
    """Return why `leaf` would not verify with `chain` as long as it is valid; [] where it would.

    The chain may have several ways up; one without problems is enough. Without any of them, those
    of the best are returned. Whether a root is trusted is not asked.
    """
    if unreadable := _unreadable((leaf, *chain)):
        return unreadable
    if broken := _broken(leaf, chain):
        return broken

    def on(way: Way) -> Iterator[Problem]:
        yield from _of_cas(way, leaf=leaf)
        yield from _of_leaf(_read(leaf), way, is_ca=chains.is_ca(leaf))
        yield from _critical(leaf)
        yield from _nesting(leaf, way)
        yield from _identifiers((leaf, *way))

    return [problem.detail for problem in _best(chains.paths(leaf, chain), on)]


def ca_problems(ca: x509.Certificate, chain: Sequence[x509.Certificate]) -> list[str]:
    """Return why nothing that `ca` signs could verify with `chain` above it; [] where it could."""
    if unreadable := _unreadable((ca, *chain)):
        return unreadable

    def on(way: Way) -> Iterator[Problem]:
        yield from _of_cas((ca, *way))
        yield from _identifiers((ca, *way))
        begins, ends = _span((ca, *way))
        if begins > ends:
            yield Problem("chain", "The CAs of the chain are at no time valid together.")

    return [problem.detail for problem in _best(chains.paths(ca, chain), on)]


def foreseen(
    wanted: Wanted, ca: x509.Certificate, chain: Iterable[x509.Certificate]
) -> list[Problem]:
    """Return why a certificate would not verify if `ca` with `chain` above it signed it."""
    chain = list(chain)
    if unreadable := _unreadable((ca, *chain)):
        return [Problem("chain", detail) for detail in unreadable]

    def on(way: Way) -> Iterator[Problem]:
        yield from _of_cas((ca, *way))
        yield from _of_leaf(wanted, (ca, *way), is_ca=False)

    return _best(chains.paths(ca, chain), on)


def window(ca: x509.Certificate, chain: Iterable[x509.Certificate]) -> tuple[datetime, datetime]:
    """Return from when to when `ca` and all above it are valid, on the way that lasts longest."""
    spans = [_span((ca, *way)) for way in chains.paths(ca, chain)]
    return max(spans, key=lambda span: span[1])


def room(ca: x509.Certificate, chain: Iterable[x509.Certificate]) -> int | None:
    """Return how many CAs may stand one below the other under `ca`; None: as many as you like.

    What counts is the least of all above it (RFC 5280 §4.2.1.9), on the way that leaves most.
    """
    most = 0
    for way in chains.paths(ca, chain):
        limits, below = [], 0
        for one in (ca, *way):
            basic = _value(one, x509.BasicConstraints)
            if basic is not None and basic.path_length is not None:
                limits.append(basic.path_length - below)
            below += not _is_self_issued(one)
        if not limits:
            return None
        most = max(most, min(limits))
    return most


def usage_problems(wanted: Wanted) -> Iterator[Problem]:
    """Go through the key usages that do not go with the key, or with no purpose."""
    for kind, algorithm, fitting in _FITTING:
        misfits = [usage for usage in wanted.usages if usage not in fitting]
        if misfits and isinstance(wanted.public_key, kind):
            detail = f"The key usage {', '.join(misfits)} does not go with keys of {algorithm}."
            yield Problem("usages", detail)
    for purpose in wanted.purposes:
        consistent = _CONSISTENT.get(purpose)
        if wanted.usages and consistent and not consistent & set(wanted.usages):
            detail = f"The purpose {_text(purpose)} needs the key usage {_or(consistent)}."
            yield Problem("usages", detail)
    if ExtendedKeyUsageOID.TIME_STAMPING in wanted.purposes and len(wanted.purposes) > 1:
        yield Problem("usages", "The purpose timeStamping stands alone (RFC 3161 §2.3).")


def _best(ways: Iterable[Way], on: Callable[[Way], Iterator[Problem]]) -> list[Problem]:
    best: list[Problem] | None = None
    for way in ways:
        here = list(dict.fromkeys(on(way)))
        if best is None or len(here) < len(best):
            best = here
        if not best:
            break
    return best or []


# --- The rules ------------------------------------------------------------------------------


def _of_cas(cas: Way, leaf: x509.Certificate | None = None) -> Iterator[Problem]:
    """Go through what is wrong with CAs one above the other, whatever they sign."""
    below = 0  # CAs so far, without those that merely changed their key (RFC 5280 §6.1.4 (l))
    for number, ca in enumerate(cas):
        shown = name_of(ca.subject)
        basic, usage = _value(ca, x509.BasicConstraints), _value(ca, x509.KeyUsage)
        if basic is None or not basic.ca:
            yield Problem("chain", f"{shown} is no CA (basicConstraints).")
        elif basic.path_length is not None and below > basic.path_length:
            detail = f"{shown} allows {basic.path_length} CAs below it, and there are {below}."
            yield Problem("chain", detail)
        if usage is not None and not usage.key_cert_sign:
            yield Problem("chain", f"{shown} may not sign certificates (keyCertSign).")
        yield from _critical(ca)
        for lower in cas[:number]:
            if not _is_self_issued(lower):
                names = constraints.names_of(lower.subject, _alternative(lower), is_ca=True)
                for words in constraints.outside(ca, names):
                    yield Problem("chain", f"{shown} may not certify {words}.")
        below += not _is_self_issued(ca)
    yield from _policies(cas, leaf)


def _of_leaf(wanted: Wanted, cas: Way, *, is_ca: bool) -> Iterator[Problem]:
    """Go through what a subscriber's certificate may not say below these CAs."""
    names = constraints.names_of(wanted.subject, wanted.names, is_ca=is_ca)
    for ca in cas:
        for words in constraints.outside(ca, names):
            yield Problem("names", f"{name_of(ca.subject)} may not certify {words}.")
        allowed = _value(ca, x509.ExtendedKeyUsage)
        if allowed is None or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in allowed:
            continue
        # Not in RFC 5280, but in what verifiers do (BR 7.1.2.4): purposes are nested.
        if beyond := [_text(purpose) for purpose in wanted.purposes if purpose not in allowed]:
            detail = f"{name_of(ca.subject)} does not serve the purpose {', '.join(beyond)}."
            yield Problem("purposes", detail)
    yield from usage_problems(wanted)


def _policies(cas: Way, leaf: x509.Certificate | None) -> Iterator[Problem]:
    """RFC 5280 §6.1.5 (g): where a CA asks for policies, a certificate without any is not valid.

    We sign none with policies: which tree of them would be valid is not worked out.
    """
    if leaf is not None and _value(leaf, x509.CertificatePolicies) is not None:
        return
    for number, ca in enumerate(cas):
        asked = _value(ca, x509.PolicyConstraints)
        skip = asked.require_explicit_policy if asked else None
        follow = sum(not _is_self_issued(lower) for lower in cas[:number]) + 1
        if skip is not None and skip <= follow:
            detail = f"{name_of(ca.subject)} asks for certificate policies; none are issued here."
            yield Problem("chain", detail)


def _critical(certificate: x509.Certificate) -> Iterator[Problem]:
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _PROCESSED:
            oid, shown = extension.oid.dotted_string, name_of(certificate.subject)
            detail = f"{shown} has a critical extension that is not known (OID {oid})."
            yield Problem("chain", detail)


def _nesting(leaf: x509.Certificate, way: Way) -> Iterator[Problem]:
    for ca in way:
        if leaf.not_valid_after_utc > ca.not_valid_after_utc:
            yield Problem("chain", f"It outlives {name_of(ca.subject)}.")
        if leaf.not_valid_before_utc < ca.not_valid_before_utc:
            yield Problem("chain", f"It begins before {name_of(ca.subject)}.")


def _identifiers(certificates: Way) -> Iterator[Problem]:
    """RFC 5280 §4.2.1.1: verifiers find the issuer by its key identifier, or by its serial."""
    for lower, upper in pairwise(certificates):
        named = _value(lower, x509.AuthorityKeyIdentifier)
        own = _value(upper, x509.SubjectKeyIdentifier)
        if named is None:
            continue
        differs = own and named.key_identifier not in {None, own.digest}
        serial = named.authority_cert_serial_number
        if differs or serial not in {None, upper.serial_number}:
            detail = f"{name_of(lower.subject)} names another key than that of its issuer."
            yield Problem("chain", detail)


def _broken(leaf: x509.Certificate, chain: Sequence[x509.Certificate]) -> list[str]:
    """Return where no way leads on, though there is a certificate of the issuer's name."""
    if chains.is_self_signed(leaf):
        return []
    tops = [(leaf, *way)[-1] for way in chains.paths(leaf, chain)]
    if tops == [leaf] and not any(one.subject == leaf.issuer for one in chain):
        return [f"The certificate of its issuer, {name_of(leaf.issuer)}, is missing."]
    broken = [
        f"The signature of {name_of(top.subject)} does not verify with the key of its issuer."
        for top in tops
        if not chains.is_self_signed(top) and any(one.subject == top.issuer for one in chain)
    ]
    return broken if len(broken) == len(tops) else []


def _unreadable(certificates: Iterable[x509.Certificate]) -> list[str]:
    for one in certificates:
        try:
            _ = list(one.extensions), one.public_key(), one.subject.rdns, one.issuer.rdns
        except UNREADABLE as error:
            return [f"A certificate cannot be read: {str(error)[:120]}."]
    return []


# --- Parts ----------------------------------------------------------------------------------


def _read(leaf: x509.Certificate) -> Wanted:
    usage = _value(leaf, x509.KeyUsage)
    return Wanted(
        public_key=leaf.public_key(),
        subject=leaf.subject,
        names=_alternative(leaf),
        usages=certs.usages_of(usage) if usage else (),
        purposes=list(_value(leaf, x509.ExtendedKeyUsage) or ()),
    )


def _alternative(certificate: x509.Certificate) -> list[x509.GeneralName]:
    return list(_value(certificate, x509.SubjectAlternativeName) or ())


def _is_self_issued(certificate: x509.Certificate) -> bool:
    return certificate.subject == certificate.issuer


def _span(certificates: Way) -> tuple[datetime, datetime]:
    return (
        max(one.not_valid_before_utc for one in certificates),
        min(one.not_valid_after_utc for one in certificates),
    )


def _text(purpose: x509.ObjectIdentifier) -> str:
    named = {oid: name for name, oid in certs.EXTENDED_KEY_USAGES.items()}
    return named.get(purpose, purpose.dotted_string)


def _or(usages: Iterable[str]) -> str:
    return " or ".join(sorted(usages))


T = TypeVar("T", bound=x509.ExtensionType)


def _value(certificate: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None

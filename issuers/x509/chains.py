"""Certificates put in order: a leaf, and what stands above it on all ways up (RFC 4158)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from cryptography import x509

from issuers.x509 import raw
from issuers.x509.reading import is_signed_by

MAX_PATHS = 50  # CAs that all sign each other have as many ways up as there are orders


class NotOneChain(ValueError):
    """There is not one certificate that all others stand above; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Arranged:
    """A leaf and its chain, without doubles.

    The chain begins with one whole way up, to a self-signed root where there is one. What is on
    other ways follows: the other half of a cross-signed pair, and the self-issued certificates of a
    CA that changed its key. `extra` has signed nothing of all this. `doubles` were dropped.
    """

    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    extra: tuple[x509.Certificate, ...] = ()
    doubles: int = 0


def arrange(
    certificates: Sequence[x509.Certificate], *, leaf: x509.Certificate | None = None
) -> Arranged:
    """Put certificates in order, in whatever order they come.

    The leaf is what has signed none of the others, unless it is given. Raises NotOneChain where
    there is no such certificate, or several.
    """
    single = list(dict.fromkeys(certificates))
    if leaf is None:
        leaf = _leaf_of(single)
    pool = [one for one in single if one != leaf]
    chain: list[x509.Certificate] = list(_first_way(leaf, pool))
    # Level by level, all that stands above what is there already.
    for lower in (reached := [leaf, *chain]):
        reached += [one for one in pool if one not in reached and is_signed_by(lower, one)]
    for other in pool:
        # OldWithNew and NewWithOld (RFC 4210 §4.4) are of use to those who trust the other key.
        if other not in reached and other.subject == other.issuer and _stands_below(other, reached):
            reached.append(other)
    return Arranged(
        leaf=leaf,
        chain=tuple(reached[1:]),
        extra=tuple(one for one in pool if one not in reached),
        doubles=len(certificates) - len(single),
    )


def paths(
    leaf: x509.Certificate, pool: Iterable[x509.Certificate]
) -> Iterator[tuple[x509.Certificate, ...]]:
    """Go through the ways up from `leaf`, each as long as `pool` allows, without `leaf` itself.

    No CA, that is no name with its key, is on one way twice (RFC 4158 §2.4.2).
    """
    yield from islice(_ways(leaf, list(dict.fromkeys(pool)), ()), MAX_PATHS)


def missing(leaf: x509.Certificate, chain: Iterable[x509.Certificate]) -> str:
    """Return whose certificate is missing between the chain and a root; "" for a whole chain."""
    tops = [(leaf, *path)[-1] for path in paths(leaf, chain)]
    if any(is_self_signed(top) for top in tops):
        return ""
    return name_of(tops[0].issuer)


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether it is a root; one that is merely self-issued was signed by another key."""
    return is_signed_by(certificate, certificate)


def name_of(name: x509.Name) -> str:
    """Return a name to show to people."""
    return name.rfc4514_string()[:200] or "an empty name"


def _leaf_of(certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    lowest = [
        one
        for one in certificates
        if not any(is_signed_by(other, one) for other in certificates if not _same_ca(one, other))
    ]
    # A self-issued certificate of a CA's other key may have signed nothing that is here.
    subscribers = [one for one in lowest if not is_ca(one)] or lowest
    if len(subscribers) != 1:
        raise NotOneChain("Send one certificate with its chain: these do not form one chain.")
    return subscribers[0]


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether basicConstraints say that it is a CA's (RFC 5280 §4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _first_way(
    leaf: x509.Certificate, pool: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    ways = list(paths(leaf, pool))
    return min(ways, key=lambda way: not (way and is_self_signed(way[-1])))


def _ways(
    lower: x509.Certificate, pool: list[x509.Certificate], way: tuple[x509.Certificate, ...]
) -> Iterator[tuple[x509.Certificate, ...]]:
    is_new = partial(_is_new, (*way, lower))
    above = [one for one in pool if is_new(one) and is_signed_by(lower, one)]
    for upper in above:
        yield from _ways(upper, pool, (*way, upper))
    if not above:
        yield way


def _is_new(way: Sequence[x509.Certificate], one: x509.Certificate) -> bool:
    return not any(_same_ca(one, other) for other in way)


def _same_ca(one: x509.Certificate, other: x509.Certificate) -> bool:
    return one.subject == other.subject and raw.key(one) == raw.key(other)


def _stands_below(one: x509.Certificate, others: Iterable[x509.Certificate]) -> bool:
    return any(is_signed_by(one, other) for other in others)

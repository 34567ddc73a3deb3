"""The page about an issuer: what it is, what stands above and below it, where it is published."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cryptography import x509
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from typing_extensions import override

from audit.history import history_about
from foundation import durations
from foundation.admin import Page
from foundation.admin.pages import link_to, link_to_list
from foundation.admin.parts import (
    Badge,
    Code,
    Fact,
    Facts,
    Head,
    Link,
    Pem,
    Section,
    Table,
    ending,
)
from foundation.admin.words import moment
from issuers.admin.standing import ISSUER_COLUMNS, issuer_cells, profile_badge
from issuers.models import Issuer, Profile
from issuers.pointers import pointers_of
from issuers.x509 import certs

SHOWN = 50  # rows of a table; the whole list is one press away
_AWAITS = (
    "It was taken over without its old CRL: it publishes none and its responder says nothing until"
    " that is imported (in the list of issuers, “Import its old CRL…”)."
)


class IssuerPage(Page):
    """What is shown of an issuer to whoever may read it; apps above add what it signed."""

    page_related = ("parent", "successor", "ocsp_delegated_by")

    @override
    def head(self, request: HttpRequest, row: Issuer) -> Head:
        now = timezone.now()
        badge, words = self.standing(row, now)
        described = row.described
        return Head(
            "Issuer",
            row.name if row.name == row.slug else f"{row.name} ({row.slug})",
            badge,
            [words, *_succession(request, row)],
            [ending(described.not_after, now)] if described else [],
        )

    def standing(self, issuer: Issuer, now: datetime) -> tuple[Badge, str]:
        """Return how an issuer stands, and what that means or asks for."""
        described = issuer.described
        if described is not None and described.not_after <= now:
            return Badge("ended", "danger"), (
                "Nobody accepts what it signed any more. Make the CA that takes its place."
            )
        if issuer.awaits_crl:
            return Badge("awaits its old CRL", "warning"), _AWAITS
        if not issuer.enabled:
            return Badge("disabled", "warning"), (
                "It signs no certificates; its CRLs and OCSP answers go on. Enable it to have it"
                " sign again."
            )
        return Badge("enabled", "success"), "It signs certificates."

    @override
    def sections(self, request: HttpRequest, row: Issuer) -> Iterable[Section]:
        yield _what_it_is(request, row)
        yield self.revocation(request, row)
        yield _chain(row)
        yield from _below(request, row)
        yield from _profiles(request, row)

    def revocation(self, request: HttpRequest, issuer: Issuer) -> Facts:
        """Return how it is learnt what it revoked: apps above know its CRLs and who signs."""
        return Facts("Revocation", revocation_facts(issuer))

    @override
    def last_sections(self, request: HttpRequest, row: Issuer) -> Iterable[Section]:
        yield from history_about(request, row)


def revocation_facts(issuer: Issuer) -> list[Fact]:
    """Return where relying parties ask what it revoked, and how they are answered."""
    if not issuer.answers_for_revocation:
        return [Fact("Answered by", "its own CA, and not here", is_wide=True)]
    places = pointers_of(issuer)
    nonces = "repeats nonces" if issuer.ocsp_nonces else "takes no nonces"
    return [
        Fact("CRL", Link(places.crl, places.crl), is_wide=True),
        Fact("OCSP", Code(places.ocsp), nonces, is_wide=True),
        Fact("OCSP answers signed ahead", Issuer.Ahead(issuer.ocsp_ahead).label),
        Fact("CRL shards", str(issuer.crl_shards)),
        Fact("Delta CRLs", issuer.crl_deltas),
    ]


def _succession(request: HttpRequest, row: Issuer) -> list[Any]:
    before = [link_to(request, one) for one in row.predecessors.order_by("slug")[:SHOWN]]
    return [
        *([["It takes the place of", *before]] if before else []),
        *([["Its place is taken by", link_to(request, row.successor)]] if row.successor else []),
    ]


def _what_it_is(request: HttpRequest, row: Issuer) -> Facts:
    described = row.described
    facts = [
        Fact("Kind", Issuer.Kind(row.kind).label),
        Fact("Stands below", link_to(request, row.parent) or "nothing: it is a root"),
    ]
    if described is None:
        facts.append(Fact("Certificate", "not known yet"))
    else:
        facts += [
            Fact("Subject", Code(described.subject), is_wide=True),
            Fact("Key", described.key_algorithm_text),
            Fact("Serial", Code(described.serial_hex)),
            Fact(
                "Valid",
                f"{moment(described.not_before)} to {moment(described.not_after)}",
                is_wide=True,
            ),
            Fact("SHA-256 of the certificate", Code(described.fingerprint), is_wide=True),
            Fact("SHA-256 of the public key", Code(described.key_fingerprint), is_wide=True),
        ]
        place = pointers_of(row).ca_issuers
        facts.append(Fact("Fetched at", Link(place, place), is_wide=True))
    return Facts("What it is", [*facts, Fact("Here since", row.created_at)])


def _chain(row: Issuer) -> Table:
    """Return its certificate and those above it, up to the root."""
    known = certs.load_cas(row.own_chain_pem) if row.certificate_pem else ()
    return Table(
        "Chain",
        ("Certificate", "Ends", "SHA-256", "PEM"),
        [_link_of_chain(one) for one in known],
        empty="Its certificate is not known here yet.",
    )


def _link_of_chain(one: x509.Certificate) -> tuple[Any, ...]:
    return (
        Code(one.subject.rfc4514_string()),
        one.not_valid_after_utc,
        Code(certs.fingerprint(one)),
        Pem(certs.pem(one)),
    )


def _below(request: HttpRequest, row: Issuer) -> Iterable[Table]:
    rows = list(row.subordinates.defer("secrets").order_by("slug")[:SHOWN])
    if rows:
        yield Table(
            "CAs below it",
            ISSUER_COLUMNS,
            [issuer_cells(request, one) for one in rows],
            empty="",
        )


def _profiles(request: HttpRequest, row: Issuer) -> Iterable[Table]:
    if not request.user.has_perm("issuers.view_profile"):
        return
    named = set(row.profiles.values_list("pk", flat=True))
    rows = Profile.objects.filter(Q(pk__in=named) | Q(issuers__isnull=True))
    yield Table(
        "Profiles that use it",
        ("Profile", "State", "Longest life", "Why"),
        [
            (
                link_to(request, one),
                profile_badge(one),
                durations.words(one.max_lifetime),
                _why(one, is_named=one.pk in named),
            )
            for one in rows.distinct().order_by("slug")[:SHOWN]
        ],
        empty="None: nothing can be asked for from it. Name it in a profile.",
        more=link_to_list(request, "issuers.profile", "All profiles"),
    )


def _why(profile: Profile, *, is_named: bool) -> str:
    if profile.is_reserved:
        return "certctl asks for these itself"
    return "names it" if is_named else "lets any issuer sign"

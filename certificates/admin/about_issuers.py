"""The page about an issuer with what it signed: its CRL, who answers, versions and revocations."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from typing_extensions import override

from certificates import policy, responders, signers
from certificates.admin.about import notices_of
from certificates.admin.holdings import certificates_of
from certificates.admin.standing import state_of
from certificates.models import CRL, Alert, Certificate, Revocation
from certificates.services.alerts import CA_ENDS_SOON
from foundation.admin.pages import link_to, link_to_list
from foundation.admin.parts import Badge, Fact, Facts, Section, Table
from foundation.admin.words import reason
from foundation.clock import database_clock
from issuers.admin.about import IssuerPage, revocation_facts
from issuers.models import Issuer

SHOWN = 10  # versions, and revocations; all are one press away


class CaPage(IssuerPage):
    """What is shown of an issuer, with what it signed and how that is answered for."""

    @override
    def standing(self, issuer: Issuer, now: datetime) -> tuple[Badge, str]:
        bar = bar_of(issuer)
        if bar is not None:
            return Badge("revoked", "danger"), (
                f"{bar.detail} CRLs and OCSP answers it still signs. Make the CA that takes its"
                " place, and ask for new certificates from that."
            )
        badge, words = super().standing(issuer, now)
        described = issuer.described
        if badge.colour != "success" or described is None:
            return badge, words
        soon = policy.renewal_window(CA_ENDS_SOON, described.not_before, described.not_after)
        if described.not_after > now + soon:
            return badge, words
        return Badge("ends soon", "warning"), (
            "It signs certificates, and nothing that it signs lasts longer than it does. Make the"
            " CA that takes its place."
        )

    @override
    def sections(self, request: HttpRequest, row: Issuer) -> Iterable[Section]:
        if request.user.has_perm("certificates.view_alert"):
            alerts = Alert.objects.filter(issuer=row).open()
            yield from notices_of(request, list(alerts))
        yield from super().sections(request, row)
        yield from certificates_of(request, Certificate.objects.filter(issuer=row), issuer=row.pk)
        yield from _signed(request, row)
        yield from _revoked(request, row)

    @override
    def revocation(self, request: HttpRequest, issuer: Issuer) -> Facts:
        newest = (
            CRL.objects.filter(issuer=issuer).order_by("-number").select_related("issuer").first()
        )
        said = [] if newest is None else _crl_facts(request, newest)
        if newest is None and issuer.answers_for_revocation:
            said = [Fact("CRL published last", Badge("none yet", "warning"))]
        answers = Fact("OCSP answers signed by", _who_answers(request, issuer))
        facts = revocation_facts(issuer)
        return Facts("Revocation", [*said, answers, *facts])


def bar_of(issuer: Issuer) -> signers.Bar | None:
    """Return why an issuer signs no more certificates; None where it may.

    It is asked once a row: the list looks for all of a page at once, and leaves `bar` on each.
    """
    if not hasattr(issuer, "bar"):
        issuer.__dict__["bar"] = signers.barred([issuer]).get(issuer.pk)
    bar: signers.Bar | None = issuer.__dict__["bar"]
    return bar


def _crl_facts(request: HttpRequest, newest: CRL) -> list[Fact]:
    now = timezone.now()
    if newest.next_update <= now:
        badge = Badge("over: relying parties refuse it", "danger")
    elif policy.crl_is_late(newest.this_update, newest.next_update, now):
        badge = Badge("late: look whether the worker runs", "warning")
    else:
        badge = Badge("in time", "success")
    number = link_to(request, newest, f"number {newest.number}")
    return [
        Fact("CRL published last", [number, badge], f"{newest.entries:,} entries", is_wide=True),
        Fact("Signed", newest.this_update),
        Fact("Good until", newest.next_update),
    ]


def _who_answers(request: HttpRequest, issuer: Issuer) -> Any:
    version = responders.delegate_of(issuer, database_clock.now())
    if version is None:
        return "the CA's own key" if issuer.answers_for_revocation else "its CA"
    return link_to(request, version)


def _signed(request: HttpRequest, row: Issuer) -> Iterable[Table]:
    if not request.user.has_perm("certificates.view_version"):
        return
    rows = (
        row.versions.select_related("certificate", "requested_by", "revocation")
        .defer("pem", "chain_pem", "csr_pem", "encrypted_key")
        .order_by("-created_at", "pk")[:SHOWN]
    )
    yield Table(
        "What it signed last",
        ("Version", "State", "Asked for by", "Signed", "Ends"),
        [
            (
                link_to(request, one),
                state_of(one),
                one.device or (str(one.requested_by) if one.requested_by else None),
                one.created_at,
                one.not_after,
            )
            for one in rows
        ],
        empty="It has signed nothing yet.",
        more=link_to_list(request, "certificates.version", "All it signed", issuer=row.pk),
    )


def _revoked(request: HttpRequest, row: Issuer) -> Iterable[Table]:
    if not request.user.has_perm("certificates.view_revocation"):
        return
    rows = (
        Revocation.objects.filter(issuer=row)
        .select_related("version__certificate", "revoked_by")
        .defer("version__pem", "version__chain_pem", "version__csr_pem", "version__encrypted_key")
        .order_by("-recorded_at")[:SHOWN]
    )
    yield Table(
        "What was revoked last",
        ("Revocation", "Why", "By", "Revoked"),
        [
            (
                link_to(request, one, str(one.version)),
                reason(one.reason),
                str(one.revoked_by),
                one.revoked_at,
            )
            for one in rows
        ],
        empty="Nothing that it signed is revoked.",
        more=link_to_list(
            request,
            "certificates.version",
            "All its revoked versions",
            issuer=row.pk,
            revoked="yes",
        ),
    )

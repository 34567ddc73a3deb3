"""What enrollment adds to the pages about issuers, profiles, owners, teams and principals."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.http import HttpRequest

from enrollment.models import Label
from foundation.admin.pages import adds_to, link_to, link_to_list
from foundation.admin.parts import Badge, Section, Table
from issuers.models import Issuer, Profile
from owners.models import Owner, Principal, Team

SHOWN = 50  # labels on a page; the others are in their list


def _labels(request: HttpRequest, which: Q) -> Iterable[Section]:
    """Yield the labels that depend on a row, where there are any, for whoever may read labels."""
    if not request.user.has_perm("enrollment.view_label"):
        return
    rows = Label.objects.filter(which).select_related("issuer", "profile", "owner")
    labels = list(rows.order_by("protocol", "path")[: SHOWN + 1])
    if labels:
        yield Table(
            "Labels that depend on it",
            ("Label", "State", "Issuer", "Profile", "Owner"),
            [_cells(request, one) for one in labels[:SHOWN]],
            empty="",
            more=link_to_list(request, "enrollment.label", "All labels"),
        )


def _cells(request: HttpRequest, label: Label) -> tuple[Any, ...]:
    return (
        link_to(request, label),
        Badge("open", "success") if label.enabled else Badge("blocked", "danger"),
        link_to(request, label.issuer),
        link_to(request, label.profile),
        link_to(request, label.owner),
    )


@adds_to("issuers.issuer")
def _of_issuer(request: HttpRequest, row: Issuer) -> Iterable[Section]:
    yield from _labels(request, Q(issuer=row))


@adds_to("issuers.profile")
def _of_profile(request: HttpRequest, row: Profile) -> Iterable[Section]:
    yield from _labels(request, Q(profile=row))


@adds_to("owners.owner")
def _of_owner(request: HttpRequest, row: Owner) -> Iterable[Section]:
    yield from _labels(request, Q(owner=row))


@adds_to("owners.team")
def _of_team(request: HttpRequest, row: Team) -> Iterable[Section]:
    yield from _labels(request, Q(team=row) | Q(owner__team=row))


@adds_to("owners.principal")
def _of_principal(request: HttpRequest, row: Principal) -> Iterable[Section]:
    if row.for_devices:
        yield from _labels(request, Q(principal=row))

"""The page about a certificate: how it stands, its versions, names and key, alerts and history.

Apps above say more of a version (`notes_on`) and of what comes next (`next_steps`), and add
sections of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from typing_extensions import override

from audit.history import history_of
from audit.models import Event
from certificates.admin.standing import badge_of, ending, next_words, state_of
from certificates.models import Alert, Certificate, CertificateStatus, Version
from foundation.admin import Page
from foundation.admin.pages import link_to
from foundation.admin.parts import (
    Code,
    Fact,
    Facts,
    Head,
    Link,
    Names,
    Notices,
    Section,
    Step,
    Timeline,
)
from foundation.admin.words import moment, reason

VERSIONS = 50  # on the page; the whole list is one press away
Notes = Mapping[UUID, Sequence[Fact]]  # by the version's key


class CertificatePage(Page):
    """What is shown of a certificate to whoever may read it."""

    page_related = ("owner", "team", "issuer", "profile", "renewal_policy", "current__revocation")

    @override
    def head(self, request: HttpRequest, row: Certificate) -> Head:
        is_over = row.status == CertificateStatus.ARCHIVED
        return Head(
            "Certificate",
            row.name,
            badge_of(row),
            [next_words(row), *self.next_steps(request, row)],
            [] if is_over else ending(row.current, timezone.now()),
        )

    def next_steps(self, request: HttpRequest, certificate: Certificate) -> list[Any]:
        """Return what else comes next: apps above know what is under way."""
        return []

    def notes_on(self, request: HttpRequest, versions: Sequence[Version]) -> Notes:
        """Return what apps above know of each version, by its key."""
        return {}

    @override
    def sections(self, request: HttpRequest, row: Certificate) -> Iterable[Section]:
        yield from self._alerts(request, row)
        yield from self.places(request, row)
        yield _responsible(request, row)
        yield _names_and_key(request, row)
        yield self._versions(request, row)

    def places(self, request: HttpRequest, certificate: Certificate) -> Iterable[Section]:
        """Return where it is put in place: apps above know."""
        return ()

    @override
    def last_sections(self, request: HttpRequest, row: Certificate) -> Iterable[Section]:
        key = row.pk
        yield from history_of(request, Event.objects.filter(certificate=key), certificate=key)

    def _alerts(self, request: HttpRequest, row: Certificate) -> Iterable[Section]:
        if request.user.has_perm("certificates.view_alert"):
            alerts = list(row.alerts.open())
            yield from notices_of(request, alerts)

    def _versions(self, request: HttpRequest, row: Certificate) -> Timeline:
        versions = list(
            row.versions.select_related(
                "issuer", "requested_by", "csr_by", "revocation__revoked_by"
            ).order_by("-number")[:VERSIONS]
        )
        notes = self.notes_on(request, versions)
        return Timeline(
            "Versions",
            [_step(request, row, one, notes.get(one.pk, ())) for one in versions],
            empty="Nothing has been signed for it yet.",
        )


def notices_of(request: HttpRequest, alerts: Sequence[Alert]) -> Iterable[Section]:
    """Yield the open alerts as notices, each leading to its page."""
    if alerts:
        yield Notices("Alerts", [link_to(request, alert, alert.detail) for alert in alerts])


def _responsible(request: HttpRequest, row: Certificate) -> Facts:
    rule = row.renewal_policy
    return Facts(
        "Who answers for it",
        [
            Fact("Owner", link_to(request, row.owner)),
            Fact("Team", link_to(request, row.team)),
            Fact("Issuer", link_to(request, row.issuer), row.issuer.name),
            Fact("Profile", link_to(request, row.profile), row.profile.name),
            Fact("Renewal policy", link_to(request, rule)),
            Fact("Environment", row.environment),
            Fact("Tags", list(row.tags)),
            Fact("Here since", row.created_at),
        ],
    )


def _names_and_key(request: HttpRequest, row: Certificate) -> Facts:
    version = row.current
    count = f"{len(row.sans)} names" if len(row.sans) > 1 else ""
    return Facts(
        "Names and key",
        [
            Fact("Names", Names(row.sans) if row.sans else None, count, is_wide=True),
            Fact("Common name", Code(row.common_name) if row.common_name else None),
            *(key_facts(version) if version else ()),
        ],
    )


def key_facts(version: Version) -> list[Fact]:
    """Return what identifies a version and its key."""
    size = f", {version.key_size} bits" if version.key_size else ""
    return [
        Fact("Key", f"{version.key_algorithm}{size}"),
        Fact("Serial", Code(version.serial)),
        Fact("SHA-256 of the certificate", Code(version.fingerprint), is_wide=True),
        Fact("SHA-256 of the public key", Code(version.key_fingerprint), is_wide=True),
    ]


def _step(request: HttpRequest, row: Certificate, version: Version, notes: Sequence[Fact]) -> Step:
    title = link_to(request, version, f"Version {version.number}")
    return Step(
        title,
        version.created_at,
        state_of(version),
        [*signing_facts(request, version), *notes, *revocation_facts(request, version)],
    )


def signing_facts(request: HttpRequest, version: Version) -> list[Fact]:
    """Return who asked for a version, who signed it, and how long it is valid."""
    facts = [Fact("Asked for by", _asker(version))]
    if version.csr_by_id and version.csr_by_id != version.requested_by_id:
        facts.append(Fact("CSR brought by", str(version.csr_by)))
    signer = link_to(request, version.issuer) if version.issuer else "a CA that is not run here"
    ends = f"{moment(version.not_before)} to {moment(version.not_after)}"
    facts += [Fact("Signed by", signer), Fact("Valid", ends)]
    if version.superseded_at:
        facts.append(Fact("Superseded", version.superseded_at))
    return facts


def revocation_facts(request: HttpRequest, version: Version) -> list[Fact]:
    """Return when, by whom and why a version was revoked; nothing for one that is not."""
    revocation = getattr(version, "revocation", None)
    if revocation is None:
        return []
    words = link_to(request, revocation, reason(revocation.reason))
    by = f"by {revocation.revoked_by}"
    note = f"{by}: {revocation.note}" if revocation.note else by
    return [Fact("Revoked", revocation.revoked_at, note), Fact("Why", words)]


def _asker(version: Version) -> str | Link:
    if version.device:
        return f"the device {version.device}"
    return str(version.requested_by) if version.requested_by else "nobody knows"

"""Revoking one version: what breaks is shown first, then why is asked, then it is done.

What apps above know of it (where it is served, what is under way) they add by `at_stake`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from certificates import policy, services
from certificates.admin.questions import CA_IS_REVOKED, IS_REVOKED, revoke_form
from certificates.admin.standing import ending, state_of
from certificates.models import Version
from foundation.admin import Confirms, Question
from foundation.admin.pages import link_to
from foundation.admin.parts import Code, Fact, Facts, Section, Table
from owners.logins import actor_of

STAKES = "admin/certificates/certificate/stakes.html"
OTHERS = 50  # versions that are shown beside the one that is revoked

Stakes = Callable[[HttpRequest, Version], Iterable[Section]]
_ADDED: list[Stakes] = []


def at_stake(adds: Stakes) -> Stakes:
    """Have `adds` say more of what breaks, on each page that asks to revoke one version."""
    _ADDED.append(adds)
    return adds


class Revokes(Confirms):
    """Rows of which one version is revoked."""

    def ask_to_revoke(
        self, request: HttpRequest, version: Version, *, name: str, back: str, **chosen: Any
    ) -> HttpResponse:
        """Show what revoking `version`, called `name`, breaks; do it once that is confirmed."""
        actor = actor_of(request)
        is_ca = policy.is_ca(version)
        if is_ca and not policy.may_revoke_ca(actor):
            raise PermissionDenied(f"This needs the permission {policy.REVOKE_CA}.")
        question = Question(
            name="revoke_one",
            title=f"Revoke {'the CA ' if is_ca else ''}{name}",
            explanation=CA_IS_REVOKED if is_ca else IS_REVOKED,
            button="Revoke",
            form=revoke_form(policy.reasons_for(actor, version, is_ca=is_ca), is_ca=is_ca),
            subject=version.certificate,
            details=STAKES,
            context={
                "sections": list(stakes(request, version)),
                "sections_media": Media(css={"all": ["certctl/page.css"]}),
                "plan": str(version.pk),
            },
            back=back,
            **chosen,
        )

        def revoke(given: dict[str, Any]) -> list[str]:
            if request.POST.get("plan", str(version.pk)) != str(version.pk):
                # Renewed since the page was shown: this is not what was looked at.
                raise policy.PlanChanged
            services.revoke(version_id=version.pk, actor=actor, **given)
            return [f"Revoked {name}."]

        return self.confirm(request, question, revoke)


def stakes(request: HttpRequest, version: Version) -> Iterable[Section]:
    """Yield what is to be known before `version` is revoked: what it is, and what breaks."""
    yield _about(request, version)
    for adds in _ADDED:
        yield from adds(request, version)
    yield _others(request, version)


def _about(request: HttpRequest, version: Version) -> Facts:
    certificate = version.certificate
    answering = [link_to(request, row) for row in (certificate.owner, certificate.team) if row]
    return Facts(
        "What will be revoked",
        [
            Fact("Version", link_to(request, version), _in_use(version)),
            Fact("Standing", state_of(version)),
            *ending(version, timezone.now()),
            Fact("Who answers for it", answering),
            Fact("Signed by", link_to(request, version.issuer)),
            Fact("Relying parties learn of it", _told(version)),
            Fact("Serial", Code(version.serial), is_wide=True),
        ],
        is_wide=True,
    )


def _in_use(version: Version) -> str:
    current = version.certificate.current
    if current is None or current.pk == version.pk:
        return "It is the one in use: the certificate has none that is good until it is renewed."
    return f"Version {current.number} is in use, and stays as it is."


def _told(version: Version) -> str:
    if version.short_lived:
        return "by nothing: it is in no CRL and no OCSP (RFC 9608), and ends by itself"
    return "by OCSP at once, by the CRL as soon as it is published"


def _others(request: HttpRequest, version: Version) -> Table:
    rows: Sequence[Version] = list(
        version.certificate.versions.exclude(pk=version.pk)
        .select_related("certificate", "issuer", "revocation")
        .defer("pem", "chain_pem", "csr_pem", "encrypted_key")
        .order_by("-number")[:OTHERS]
    )
    return Table(
        "Other versions: not touched by this",
        ("Version", "Standing", "Ends", "Signed by"),
        [
            (
                link_to(request, row, f"Version {row.number}"),
                state_of(row),
                row.not_after,
                link_to(request, row.issuer),
            )
            for row in rows
        ],
        empty="There are none.",
    )

"""What pages show of deployments: what is where, since when, and whether a handshake proved it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from typing_extensions import override

from audit.history import history_about
from deployments.connectors import connector_class
from deployments.models import Deployment, Target
from foundation.admin import Page, words
from foundation.admin.pages import link_to, link_to_list
from foundation.admin.parts import COUNTED, Badge, Code, Fact, Facts, Head, Section, Table

SHOWN = 50  # deployments on a target's page; the whole list is one press away
VIEW = "deployments.view_deployment"

RELATED = ("target", "certificate", "version__certificate")
_PROOFS = {
    Deployment.Health.DEGRADED: Badge("degraded", "warning"),
    Deployment.Health.DOWN: Badge("no answer", "danger"),
    Deployment.Health.MISMATCH: Badge("another one is served", "danger"),
}
_PROVED = Badge("proved by a handshake", "success")


def proof_of(row: Deployment) -> Badge:
    """Return whether a handshake proved that what was deployed last is what is served."""
    if not row.target.has_endpoint:
        return Badge("no endpoint to look at", "default")
    if row.checked_at is None or row.health == Deployment.Health.UNKNOWN:
        return Badge("not looked at yet", "info")
    if row.health != Deployment.Health.HEALTHY:
        return _PROOFS[Deployment.Health(row.health)]
    if row.deployed_at is not None and row.checked_at < row.deployed_at:
        return Badge("not looked at since", "info")
    return _PROVED


def places_of(request: HttpRequest, rows: Iterable[Deployment]) -> Table:
    """Return where one certificate is put in place, in whose order they come."""
    return Table(
        "Where it is deployed",
        ("Target", "Version", "Deployed", "Proof", "Looked at"),
        [
            (
                [link_to(request, row.target), *_disabled(row)],
                version_cell(request, row),
                row.deployed_at,
                link_to_proof(request, row),
                row.checked_at,
            )
            for row in rows
        ],
        empty="Nowhere: nothing that is known here serves it.",
    )


def link_to_proof(request: HttpRequest, row: Deployment) -> Any:
    """Return the proof, and a link to the deployment for whoever may read that."""
    proof, link = proof_of(row), link_to(request, row, "details")
    return [proof, link] if link and link.url else proof


def version_cell(request: HttpRequest, row: Deployment) -> Any:
    """Return which version is in place, and that it is not the one in use where it is not."""
    if row.version is None:
        return None
    link = link_to(request, row.version, f"v{row.version.number}")
    is_current = row.version_id == row.certificate.current_id
    return link if is_current else [link, Badge("not the one in use", "warning")]


def _disabled(row: Deployment) -> list[Badge]:
    return [] if row.target.enabled else [Badge("disabled", "warning")]


class TargetPage(Page):
    """What is shown of a target to whoever may read it; apps above add what is done there."""

    page_related = ("agent", "tested_by")

    @override
    def head(self, request: HttpRequest, row: Target) -> Head:
        badge, said = _standing(row, _proofs(row))
        return Head("Target", row.name, badge, [said])

    @override
    def sections(self, request: HttpRequest, row: Target) -> Iterable[Section]:
        yield _where(request, row)
        yield _looked_at(row)
        if request.user.has_perm(VIEW):
            yield _deployed_at(request, row)

    @override
    def last_sections(self, request: HttpRequest, row: Target) -> Iterable[Section]:
        yield from history_about(request, row)


def endpoint_of(target: Target) -> str:
    """Return an endpoint as people write it; "" where there is none."""
    if not target.has_endpoint:
        return ""
    host = target.endpoint_host
    return f"{f'[{host}]' if ':' in host else host}:{target.endpoint_port}"


def last_test_of(target: Target) -> SafeString | str:
    """Say what the last test of the connection found, when, and who asked for it."""
    if target.tested_at is None:
        return "Nobody has tested it yet."
    verdict = "Nothing stands in the way." if target.test_passed else "Something is wrong."
    lines = [f"{verdict} Asked for by {target.tested_by}.", *target.test_words.splitlines()]
    return format_html(
        "{}{}",
        words.when(target.tested_at),
        format_html_join("", '<bdi class="form-line">{}</bdi>', ((one,) for one in lines)),
    )


def settings_of(target: Target) -> list[tuple[str, str]]:
    """Return the settings of a target as its kind describes them: (name, value); no secret."""
    known = target.config if isinstance(target.config, dict) else {}
    return [
        (words.label(one.name), _setting(known.get(one.name, one.default)))
        for one in connector_class(target.kind).FIELDS
        if known.get(one.name, one.default) is not None
    ]


def _setting(known: Any) -> str:
    """Return one setting's value: a program with its arguments as it is started."""
    return " ".join(map(str, known)) if isinstance(known, list) else words.value(known)


def _proofs(target: Target) -> Counter[str]:
    """Return how many deployments a handshake proved, or not, by the words of the badge."""
    rows = (
        Deployment.objects.filter(target=target, version__isnull=False)
        .order_by()
        .only("health", "deployed_at", "checked_at")[: COUNTED + 1]
    )
    counted: Counter[str] = Counter()
    for row in rows:
        row.target = target
        counted[proof_of(row).words] += 1
    return counted


def _standing(target: Target, proofs: Counter[str]) -> tuple[Badge, str]:
    """Return how a target stands, and what that means or asks for."""
    if not target.enabled:
        return Badge("disabled", "warning"), (
            "No newer version is brought there; what is there stays. Enable it to go on."
        )
    if not proofs:
        return Badge("nothing there yet", "info"), (
            "Nothing was brought there. Deploy a certificate from its page."
        )
    if not target.has_endpoint:
        return Badge("no endpoint to look at", "info"), (
            "What was brought there is not looked at: give it an endpoint, and a handshake shows"
            " what is served."
        )
    total = f"{COUNTED:,}+" if proofs.total() > COUNTED else f"{proofs.total():,}"
    wrong = [badge for badge in _PROOFS.values() if proofs[badge.words]]
    if wrong:
        said = ", ".join(f"{one.words} ({proofs[one.words]:,})" for one in wrong)
        return max(wrong, key=lambda one: one.colour == "danger"), (
            f"Look at what is served there. Of {total} deployed: {said}."
        )
    proved = proofs[_PROVED.words]
    if proved == proofs.total():
        return _PROVED, "A handshake showed that what was brought there last is what is served."
    return Badge("not looked at yet", "info"), (
        f"A handshake proved {proved:,} of {total}; the others are looked at soon."
    )


def _where(request: HttpRequest, row: Target) -> Facts:
    return Facts(
        "Where and how",
        [
            Fact("Kind", Target.Kind(row.kind).label),
            Fact("Brought there by", link_to(request, row.agent) or "this server"),
            *(Fact(name, Code(value), is_wide=True) for name, value in settings_of(row)),
            Fact("Secrets", "none" if row.secrets is None else "kept; never shown"),
            Fact("Here since", row.created_at),
        ],
    )


def _looked_at(row: Target) -> Facts:
    name = row.server_name or "the certificate's first name"
    return Facts(
        "What a handshake looks at",
        [
            Fact("Endpoint", Code(endpoint_of(row)) if row.has_endpoint else "none"),
            Fact("Name that it asks for", name if row.has_endpoint else None),
            Fact("Last test of the connection", last_test_of(row), is_wide=True),
        ],
    )


def _deployed_at(request: HttpRequest, row: Target) -> Table:
    rows = (
        row.deployments.select_related(*RELATED)
        .defer("version__pem", "version__chain_pem", "version__csr_pem", "version__encrypted_key")
        .order_by(F("deployed_at").desc(nulls_last=True), "pk")[:SHOWN]
    )
    return Table(
        "What is deployed there",
        ("Certificate", "Version", "Deployed", "Proof", "Looked at"),
        [
            (
                link_to(request, one.certificate),
                version_cell(request, one),
                one.deployed_at,
                link_to_proof(request, one),
                one.checked_at,
            )
            for one in rows
        ],
        empty="Nothing: deploy a certificate from its page.",
        more=link_to_list(request, "deployments.deployment", "All deployments", target=row.pk),
    )

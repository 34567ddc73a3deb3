"""Bulk revocation: a plan that is looked at first, then carried out one version at a time."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from audit.services import record
from audit.use_cases import use_case
from certificates import policy, queue
from certificates.crl import entry_size
from certificates.models import Certificate, Reason, Version
from certificates.services.revocation import revoke
from foundation.errors import CertctlError, Conflict, FieldError, Invalid
from issuers.models import Issuer, Profile
from owners.models import Owner, Principal, Team

logger = logging.getLogger(__name__)

Versions = QuerySet[Version]
MAX_IDS = 10_000
_FINGERPRINT_LENGTH = 64


class PlanChanged(Conflict):
    """Since the preview versions were issued, revoked or expired, so look again."""

    code = "plan_changed"
    message = "What would be revoked is no longer what the preview showed."


class InvalidCriteria(Invalid):
    """The criteria do not say what is to be revoked."""

    code = "invalid_criteria"


@dataclass(frozen=True, slots=True)
class Affected:
    """One version that would be revoked."""

    version: UUID
    certificate: UUID
    name: str
    serial: str
    owner: str
    issuer: str
    deployments: int
    not_after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bulk revocation would do; `plan` names exactly this set of versions."""

    plan: str
    affected: list[Affected]
    owners: list[str]
    crl_growth_bytes: int
    dry_run: bool = field(default=True, init=False)

    @property
    def count(self) -> int:
        """How many versions would be revoked."""
        return len(self.affected)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one version: "revoked", "already_revoked" or "failed"."""

    version: UUID
    certificate: UUID
    name: str
    serial: str
    outcome: Literal["revoked", "already_revoked", "failed"]
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of each version of the plan."""

    plan: str
    outcomes: list[Outcome] = field(default_factory=list)
    dry_run: bool = field(default=False, init=False)

    def count(self, outcome: str) -> int:
        """How many versions ended so."""
        return sum(one.outcome == outcome for one in self.outcomes)

    @property
    def total(self) -> int:
        """How many versions the plan had."""
        return len(self.outcomes)

    @property
    def revoked(self) -> int:
        """How many are revoked now."""
        return self.count("revoked")

    @property
    def already_revoked(self) -> int:
        """How many were revoked meanwhile."""
        return self.count("already_revoked")

    @property
    def failed(self) -> int:
        """How many could not be revoked."""
        return self.count("failed")


def preview_revocation(*, criteria: Mapping[str, Any], reason: str = Reason.UNSPECIFIED) -> Preview:
    """Show which valid versions meet every criterion; raises InvalidCriteria, InvalidRevocation.

    Valid is unexpired and unrevoked, superseded or not.
    """
    return _preview(_selected(criteria), reason)


@use_case("certificate.bulk_revoke", atomic=False)
def bulk_revoke(
    *,
    criteria: Mapping[str, Any],
    actor: Principal,
    reason: str = Reason.UNSPECIFIED,
    note: str = "",
    plan: str | None = None,
) -> BulkResult:
    """Revoke every valid version that meets all criteria: what `preview_revocation` shows.

    No transaction spans the whole: each version has its own outcome, and one that fails stops no
    other. With the `plan` of a preview nothing happens unless the set is still the same
    (PlanChanged). Raises InvalidCriteria, InvalidRevocation.
    """
    versions = _selected(criteria)
    preview = _preview(versions, reason)
    if plan is not None and plan != preview.plan:
        raise PlanChanged
    record(
        actor=actor,
        action="certificate.bulk_revoke",
        criteria=dict(criteria),
        reason=str(reason),
        note=note,
        count=preview.count,
        plan=preview.plan,
    )
    result = BulkResult(preview.plan)
    issuers = {version.pk: version.issuer_id for version in versions}
    touched = set()
    try:
        for one in preview.affected:
            result.outcomes.append(_revoke_one(one, actor, reason, note))
            if result.outcomes[-1].outcome == "revoked":
                touched.add(issuers[one.version])
    finally:
        # One hint an issuer, also for what was done before something unforeseen.
        for issuer_id in touched:
            if issuer_id is not None:
                queue.publish_crl(issuer_id)
    return result


def _revoke_one(one: Affected, actor: Principal, reason: str, note: str) -> Outcome:
    what = partial(Outcome, one.version, one.certificate, one.name, one.serial)
    try:
        revoke(version_id=one.version, actor=actor, reason=reason, note=note, publish=False)
    except policy.NotByName:
        return what("failed", "revoked_alone", policy.NotByName.message)
    except policy.AlreadyRevoked as error:
        return what("already_revoked", error.code, error.detail)
    except CertctlError as error:
        return what("failed", error.code, error.detail)
    except Exception:
        # Whatever is wrong with this one, the others must still be revoked.
        logger.exception("version %s could not be revoked", one.version)
        return what("failed", "internal_error", "Something went wrong on our side.")
    return what("revoked")


def _preview(versions: list[Version], reason: str) -> Preview:
    policy.check_reason(reason)
    affected = [
        Affected(
            version=version.pk,
            certificate=version.certificate_id,
            name=version.certificate.name,
            serial=version.serial,
            owner=version.certificate.owner.name,
            issuer=version.issuer.slug if version.issuer else "",
            deployments=getattr(version, "served", 0),
            not_after=version.not_after.isoformat(),
        )
        for version in versions
    ]
    growth = sum(
        entry_size(version.serial, has_reason=reason != Reason.UNSPECIFIED)
        for version in versions
        if version.issuer and version.issuer.answers_for_revocation and not version.short_lived
    )
    ids = sorted(str(version.pk) for version in versions)
    return Preview(
        plan=hashlib.sha256(json.dumps(ids).encode()).hexdigest(),
        affected=affected,
        owners=sorted({one.owner for one in affected}),
        crl_growth_bytes=growth,
    )


def _selected(criteria: Mapping[str, Any]) -> list[Version]:
    unknown = sorted(set(criteria) - set(_CRITERIA))
    if unknown:
        raise _wrong(unknown[0], "unknown_criterion", f"There is no criterion {unknown[0]!r}.")
    if not criteria:
        raise _wrong("criteria", "required", "Give at least one criterion.")
    found: Versions = Version.objects.filter(not_after__gt=timezone.now(), revocation__isnull=True)
    for name, value in criteria.items():
        if value in (None, "", []):
            raise _wrong(name, "required", "An empty criterion would mean everything.")
        found = _CRITERIA[name](found, value)
    return list(
        found.select_related("certificate__owner", "issuer")
        .defer("pem", "chain_pem", "csr_pem", "encrypted_key")
        # Deployments live above us: the relation is named by string.
        .annotate(served=Count("deployments", distinct=True))
        .order_by("certificate__name", "number", "pk")
    )


def _by_ids(found: Versions, value: Any) -> Versions:
    if not isinstance(value, list) or len(value) > MAX_IDS:
        raise _wrong("ids", "invalid", f"Give a list of at most {MAX_IDS} ids.")
    ids = [_uuid("ids", one) for one in value]
    known = set(Version.objects.filter(pk__in=ids).values_list("pk", flat=True))
    known |= set(Certificate.objects.filter(pk__in=ids).values_list("pk", flat=True))
    missing = [one for one in ids if one not in known]
    if missing:
        raise _wrong("ids", "unknown", f"There is no certificate or version {missing[0]}.")
    return found.filter(Q(pk__in=ids) | Q(certificate__in=ids))


def _by_profile(found: Versions, value: Any) -> Versions:
    return found.filter(certificate__profile=_one("profile", Profile.objects, "slug", value))


def _by_owner(found: Versions, value: Any) -> Versions:
    return found.filter(certificate__owner=_one("owner", Owner.objects, "name", value))


def _by_team(found: Versions, value: Any) -> Versions:
    team = _one("team", Team.objects, "name", value)
    return found.filter(Q(certificate__team=team) | Q(certificate__owner__team=team))


def _by_issuer(found: Versions, value: Any) -> Versions:
    return found.filter(issuer=_one("issuer", Issuer.objects, "slug", value))


def _by_agent(found: Versions, value: Any) -> Versions:
    agents = Certificate._meta.apps.get_model("deployments", "Agent")._default_manager  # noqa: SLF001 - deployments live above us
    agent = _one("agent", agents, "name", value)
    # By subquery rather than join, so that the counts beside it stay right.
    served = Certificate.objects.filter(deployments__target__agent=agent.pk)
    return found.filter(certificate__in=served)


def _by_key(found: Versions, value: Any) -> Versions:
    text = str(value).replace(":", "").lower()
    if len(text) != _FINGERPRINT_LENGTH or set(text) - set("0123456789abcdef"):
        raise _wrong("key_fingerprint", "invalid", "Give the SHA-256 of the key in hexadecimal.")
    return found.filter(key_fingerprint=text)


_CRITERIA: dict[str, Callable[[Versions, Any], Versions]] = {
    "ids": _by_ids,
    "profile": _by_profile,
    "owner": _by_owner,
    "team": _by_team,
    "issuer": _by_issuer,
    "agent": _by_agent,
    "key_fingerprint": _by_key,
}
CRITERIA = tuple(_CRITERIA)


def _one(criterion: str, manager: Any, natural: str, value: Any) -> Any:
    # By id, or by the name that people know it under.
    if not isinstance(value, str | UUID):
        raise _wrong(criterion, "invalid", "Give one id or name.")
    try:
        found = manager.filter(pk=UUID(str(value))).first()
    except ValueError:
        found = manager.filter(**{natural: value}).first()
    if found is None:
        raise _wrong(criterion, "unknown", f"There is no {criterion} {str(value)[:80]!r}.")
    return found


def _uuid(name: str, value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise _wrong(name, "invalid", f"{str(value)[:80]!r} is no id.") from None


def _wrong(name: str, code: str, detail: str) -> InvalidCriteria:
    where = name if name == "criteria" else f"criteria.{name}"
    return InvalidCriteria(detail, errors=[FieldError(where, code, detail)])

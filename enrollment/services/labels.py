"""Use cases on labels: made, changed, blocked; each writes its event."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

import certificates.policy
import owners.policy
import owners.services
from audit.changes import changed, made
from audit.services import record
from audit.use_cases import use_case
from certificates.details import checked as checked_details
from certificates.models import RenewalPolicy
from enrollment import policy
from enrollment.models import Enrollment, Label
from enrollment.services.ra import ask_for_ra
from enrollment.states import Accepts, Protocol
from foundation.errors import Conflict, FieldError, Invalid
from foundation.preconditions import as_expected
from issuers.models import Issuer, Profile
from issuers.x509 import certs
from jobs.models import Job
from jobs.services import cancel_held, hold_to_cancel
from owners.models import Owner, Principal, Team
from owners.services import OwnWayOut

# What can be said of a label; protocol and path are its address and stay.
EDITABLE = (
    "is_default",
    "issuer",
    "profile",
    "owner",
    "team",
    "renewal_policy",
    "environment",
    "tags",
    "accepts",
    "trust_anchors_pem",
    "approve_first",
    "approve_renewals",
    "trust_shared",
    "hourly_limit",
    "server_keys",
    "legacy_algorithms",
)
FIELDS = ("protocol", "path", *EDITABLE)


class LabelTaken(Conflict):
    """There is such a label, or another default one."""

    code = "label_taken"
    message = "There is a label of this path already, or another default one of this protocol."


@use_case("label.create")
def create_label(  # noqa: PLR0913 - one argument a column
    *,
    actor: Principal,
    protocol: str,
    path: str,
    issuer: Issuer,
    profile: Profile,
    owner: Owner,
    team: Team | None = None,
    renewal_policy: RenewalPolicy | None = None,
    environment: str = "",
    tags: Sequence[str] = (),
    accepts: Sequence[str] = (Accepts.SECRET.value,),
    trust_anchors_pem: str = "",
    approve_first: bool = False,
    approve_renewals: bool = False,
    trust_shared: bool = False,
    hourly_limit: int = 10,
    server_keys: bool = False,
    legacy_algorithms: bool = False,
    is_default: bool = False,
) -> Label:
    """Make a label, and the machine principal that asks for what is enrolled there.

    Of a SCEP label the RA certificate is asked for with it. Raises Invalid with a FieldError for
    each mistake, LabelTaken, NameTaken (of the principal).
    """
    said = checked_details({"environment": environment, "tags": list(tags)})
    label = Label(
        protocol=protocol,
        path=path,
        is_default=is_default,
        issuer=issuer,
        profile=profile,
        owner=owner,
        team=team,
        renewal_policy=renewal_policy,
        accepts=list(accepts),
        trust_anchors_pem=_plain(trust_anchors_pem),
        anchors_by=actor if trust_anchors_pem.strip() else None,
        approve_first=approve_first,
        approve_renewals=approve_renewals,
        trust_shared=trust_shared,
        hourly_limit=hourly_limit,
        server_keys=server_keys,
        legacy_algorithms=legacy_algorithms,
        created_by=actor,
        **said,
    )
    policy.check_label(label)
    label.anchor_makers = _makers(label, actor)
    label.principal = owners.services.create_principal(
        actor=actor,
        username=f"{protocol}-{path}",
        role=None,
        kind=Principal.Kind.MACHINE,
        for_devices=True,
    )
    if label.protocol == Protocol.SCEP:
        ask_for_ra(actor=actor, label=label)
    _save(label)
    record(actor=actor, action="label.create", subject=label, changes=made(label, FIELDS))
    return label


@use_case("label.update", on=Label)
def update_label(*, actor: Principal, label_id: UUID, changes: Mapping[str, Any]) -> Label:
    """Change what a label says of what is enrolled from now on: any of EDITABLE.

    Nobody leaves by their own hand: who answers for what is enrolled here may not approve it. What
    a trust anchor let in and is still open ends with it; whoever takes one away must be one who
    may cancel. Raises Invalid, LabelTaken, OwnWayOut, NotYours, Label.DoesNotExist.
    """
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise Invalid(
            errors=[FieldError(name, "not_editable", "This cannot be changed.") for name in unknown]
        )
    label = as_expected(actor, Label.objects.select_for_update(no_key=True).get(pk=label_id))
    said = dict(changes) | checked_details(
        {name: changes[name] for name in ("environment", "tags") if name in changes}
    )
    if "trust_anchors_pem" in said:
        said["trust_anchors_pem"] = _plain(said["trust_anchors_pem"])
    gone = _anchors_gone(label, said)
    open_jobs: Sequence[Job] = ()
    if gone:  # before whoever answers, in the order of locks
        let_in = Enrollment.objects.filter(label=label).let_in_by(gone)
        waiting = Job.objects.under_way().filter(pk__in=let_in.values("job"))
        open_jobs, actor = hold_to_cancel(jobs=waiting, actor=actor)
    owners.policy.hold_handover(label, said, actor)
    answered = certificates.policy.answers_for(actor, label.owner, label.team)
    anchors = label.trust_anchors_pem
    done = changed(label, said, EDITABLE)
    if not done:
        return label
    policy.check_label(label)
    if answered and not certificates.policy.answers_for(actor, label.owner, label.team):
        raise OwnWayOut
    if label.trust_anchors_pem != anchors:
        label.anchors_by = actor
        label.anchor_makers = _makers(label, actor)
    if label.protocol == Protocol.SCEP and "issuer" in done:
        ask_for_ra(actor=actor, label=label)
    _save(label)
    record(actor=actor, action="label.update", subject=label, changes=done)
    cancel_held(jobs=open_jobs, actor=actor, reason="The trust anchor that let it in is gone.")
    return label


@use_case("label.block", on=Label)
def block_label(*, actor: Principal, label_id: UUID, reason: str = "") -> Label:
    """Have nothing enrolled, renewed or collected at a label from now on; what is open ends.

    Else it would still be signed once somebody agreed. Whoever blocks must be one who may cancel.
    Raises Invalid (too long a reason).
    """
    policy.check_reason(reason)
    return _enable(actor, label_id, enabled=False, action="label.block", reason=reason)


@use_case("label.unblock", on=Label)
def unblock_label(*, actor: Principal, label_id: UUID) -> Label:
    """Open a label again."""
    return _enable(actor, label_id, enabled=True, action="label.unblock")


def _enable(actor: Principal, label_id: UUID, *, enabled: bool, action: str, **why: str) -> Label:
    label = as_expected(actor, Label.objects.select_for_update(no_key=True).get(pk=label_id))
    open_jobs: Sequence[Job] = ()
    if not enabled:
        waiting = Job.objects.under_way().filter(enrollment__label=label)
        open_jobs, actor = hold_to_cancel(jobs=waiting, actor=actor)
    done = changed(label, {"enabled": enabled}, ("enabled",))
    if done:
        label.save(update_fields=["enabled"])
        record(actor=actor, action=action, subject=label, changes=done, **why)
    cancel_held(jobs=open_jobs, actor=actor, reason=f"The label {label} was blocked.")
    return label


def _plain(pem: str) -> str:
    """Return PEM with one kind of line ends: a browser's are no change, and no new giver."""
    return "".join(f"{line.strip()}\n" for line in pem.strip().splitlines())


def _anchors_gone(label: Label, said: Mapping[str, Any]) -> set[str]:
    """Return the fingerprints of the trust anchors that `said` would take away."""
    try:
        left = policy.certificates_in(said.get("trust_anchors_pem", label.trust_anchors_pem))
    except ValueError:
        return set()  # it is refused in words, and nothing is taken away
    return set(label.anchor_makers) - set(map(certs.fingerprint, left))


def _makers(label: Label, actor: Principal) -> dict[str, str]:
    """Return who brought each trust anchor: whoever did first, as long as it stays."""
    return {
        fingerprint: label.anchor_makers.get(fingerprint, str(actor.pk))
        for fingerprint in map(certs.fingerprint, policy.anchors_of(label))
    }


def _save(label: Label) -> None:
    try:
        with transaction.atomic():
            label.save()
    except IntegrityError:
        raise LabelTaken(errors=[FieldError("path", LabelTaken.code, LabelTaken.message)]) from None

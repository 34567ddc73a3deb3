"""Revoking one version, and releasing a hold."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

import owners.policy
from audit.changes import Changes, changed, gone, made
from audit.services import record
from audit.use_cases import use_case
from certificates import policy, queue
from certificates.models import Certificate, Reason, Removal, Revocation, Version
from certificates.services.lifecycle import drop_answers, revoke_answers, settle
from foundation.clock import database_clock
from foundation.preconditions import as_expected
from owners.models import Principal

STATED = ("reason", "revoked_at")  # by CRL and OCSP


@use_case("certificate.revoke", on=Version)
def revoke(  # noqa: PLR0913 - keyword-only, one argument a fact
    *,
    version_id: UUID,
    actor: Principal,
    reason: str = Reason.UNSPECIFIED,
    note: str = "",
    revoked_at: datetime | None = None,
    confirm_name: str = "",
    publish: bool = True,
) -> Revocation:
    """Make a version bad, from now or (keyCompromise only) from `revoked_at`.

    Raises AlreadyRevoked, IssuedElsewhere, InvalidRevocation, SubscriberWithdraws,
    Version.DoesNotExist. OCSP says so as soon as this commits, the CRL when the hint is followed;
    `publish=False` leaves that to the caller. Never asks for approval: a bad certificate must not
    wait.

    That of a CA takes all that it signed with it: this raises MissingPermission without
    `policy.REVOKE_CA`, and NotByName unless `confirm_name` is the certificate's name.
    """
    version, is_ca = _lock(version_id, actor, who_answers=policy.says_who_answers(reason))
    now = database_clock.now()
    checked = policy.check_revocation(
        version=version,
        is_ca=is_ca,
        reason=reason,
        revoked_at=revoked_at,
        now=now,
        typed=confirm_name,
    )
    if policy.says_who_answers(checked):
        policy.check_may_say(owners.policy.afresh(actor), version, checked)
    if version.issuer is None or not version.issuer.answers_for_revocation:
        raise policy.IssuedElsewhere
    revocation = Revocation.objects.filter(version=version).first()
    if revocation is None:
        revocation = unsaved(
            version=version, reason=checked, at=revoked_at or now, now=now, actor=actor, note=note
        )
        revocation.save(force_insert=True)
        done = made(revocation, STATED)
    else:
        policy.check_may_replace(revocation, checked)
        done = _correct(revocation, checked, note, revoked_at)
    revoke_answers([version])
    _settle_if_current(version)
    record(
        actor=actor,
        action="certificate.revoke",
        subject=version.certificate,
        **facts_of(revocation, version),
        note=note,
        changes=done,
    )
    if publish:
        transaction.on_commit(partial(queue.publish_crl, version.issuer.pk))
    return revocation


def unsaved(  # noqa: PLR0913 - keyword-only, one argument a column
    *, version: Version, reason: Reason, at: datetime, now: datetime, actor: Principal, note: str
) -> Revocation:
    """Return the row that revokes a version, with its entry on the CRL, not saved yet."""
    revocation = Revocation(
        version=version,
        reason=reason,
        # CRL and OCSP state whole seconds, so that is what is kept.
        revoked_at=at.replace(microsecond=0),
        recorded_at=now,
        revoked_by=actor,
        note=note,
    )
    revocation.fill()
    return revocation


def facts_of(revocation: Revocation, version: Version) -> dict[str, Any]:
    """Return what an event says of which version was revoked, and why."""
    return {
        "version": version.number,
        "version_id": str(version.pk),
        "serial": version.serial,
        "reason": str(revocation.reason),
    }


@use_case("certificate.release_hold", on=Version)
def release_hold(*, version_id: UUID, actor: Principal, note: str = "") -> Version:
    """Take a certificateHold back: the version is good again; raises NotOnHold, MissingPermission.

    Only an old CRL puts a CA on hold; releasing it takes whoever may revoke it.
    """
    version, _ = _lock(version_id, actor)
    revocation = Revocation.objects.filter(version=version).first()
    if revocation is None or revocation.reason != Reason.CERTIFICATE_HOLD:
        raise policy.NotOnHold
    done = gone(revocation, STATED)
    if revocation.issuer_id is not None:
        # Whether a CRL listed it nobody knows: it is marked after that is out, and anew when a
        # reason is corrected. One that takes away what was never there does no harm.
        Removal.objects.create(
            issuer_id=revocation.issuer_id, serial=revocation.serial,
            removed_at=database_clock.now(),
        )  # fmt: skip
    revocation.delete()
    drop_answers([version])
    _settle_if_current(version)
    record(
        actor=actor,
        action="certificate.release_hold",
        subject=version.certificate,
        version=version.number,
        version_id=str(version.pk),
        serial=version.serial,
        note=note,
        changes=done,
    )
    if version.issuer_id is not None:
        transaction.on_commit(partial(queue.publish_crl, version.issuer_id))
    return version


def _lock(version_id: UUID, actor: Principal, *, who_answers: bool = False) -> tuple[Version, bool]:
    """Return the version, locked, and whether it is a CA's; raises MissingPermission, KeyGone.

    With `who_answers` nobody becomes, or ceases to be, who answers for it until the commit.
    """
    # Certificate before version, as everywhere; which certificate it is never changes.
    certificate_id = Version.objects.values_list("certificate_id", flat=True).get(pk=version_id)
    certificate = as_expected(actor, Certificate.objects.lock(certificate_id))
    is_ca = policy.is_ca(Version.objects.select_related("certificate__profile").get(pk=version_id))
    if is_ca or who_answers:
        # Between the two in the order of locks; what the actor may is read after the wait.
        owners.policy.hold(
            owners=[certificate.owner_id] if who_answers else [],
            teams=[certificate.team_id] if who_answers else [],
            people=[actor.pk],
        )
    if is_ca:
        policy.check_may_revoke_ca(owners.policy.afresh(actor))
    version = as_expected(actor, Version.objects.select_for_update(no_key=True).get(pk=version_id))
    version.certificate = certificate
    return version, is_ca


def _correct(
    revocation: Revocation, reason: Reason, note: str, revoked_at: datetime | None
) -> Changes:
    wanted: dict[str, Any] = {"reason": reason}
    # The earlier date stands unless an even earlier one is now known: it was bad from then on.
    if revoked_at is not None:
        wanted["revoked_at"] = min(revocation.revoked_at, revoked_at.replace(microsecond=0))
    done = changed(revocation, wanted, STATED)
    revocation.note = "\n".join(part for part in (revocation.note, note) if part)
    revocation.listed_in = revocation.final_crl = None
    revocation.save()
    return done


def _settle_if_current(version: Version) -> None:
    certificate = version.certificate
    if certificate.current_id == version.pk:
        settle(certificate=certificate)

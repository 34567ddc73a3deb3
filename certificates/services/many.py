"""Revoke many versions in one go: a handful of statements however many there are.

What is out of the ordinary (a CA's own certificate, one that another CA signed, one that is
revoked already, one whose subscriber may not give the reason) is left to `revoke`, which says why
it may not be, or does it.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

import owners.policy
from audit.changes import made
from audit.services import Entry, record_many
from certificates import policy
from certificates.models import Certificate, Revocation, Version
from certificates.services.lifecycle import revoke_answers
from certificates.services.revocation import STATED, facts_of, unsaved
from foundation.clock import database_clock
from issuers.models import Issuer, Profile
from owners.models import Principal


@transaction.atomic
def revoke_many(
    *, version_ids: Collection[UUID], actor: Principal, reason: str, note: str = ""
) -> set[UUID]:
    """Make these versions bad from now, all or none; return which, the others being extraordinary.

    By the same rules as `revoke`, with one event for each certificate and one step of the chain.
    The caller has CRLs published. Raises InvalidRevocation.
    """
    checked = policy.check_reason(reason)
    who_answers = policy.says_who_answers(checked)
    versions = _lock(version_ids, actor, who_answers=who_answers)
    withheld = _subscribed(versions, owners.policy.afresh(actor)) if who_answers else set()
    now = database_clock.now()
    plain = [one for one in _ordinary(versions) if one.pk not in withheld]
    revocations = [
        unsaved(version=version, reason=checked, at=now, now=now, actor=actor, note=note)
        for version in plain
    ]
    Revocation.objects.bulk_create(revocations)
    revoke_answers(plain)
    _settle(plain)
    record_many(
        Entry(
            actor,
            "certificate.revoke",
            version.certificate,
            {
                **facts_of(revocation, version),
                "note": note,
                "changes": made(revocation, STATED),
            },
        )
        for version, revocation in zip(plain, revocations, strict=True)
    )
    return {version.pk for version in plain}


def _lock(version_ids: Collection[UUID], actor: Principal, *, who_answers: bool) -> list[Version]:
    """Lock the certificates and then the versions, each by id, as whoever locks one of them does.

    Which certificate a version is of never changes. With `who_answers` nobody becomes, or ceases
    to be, who answers for one of them until the commit.
    """
    of_versions = Version.objects.filter(pk__in=version_ids).values_list("certificate", flat=True)
    locked = Certificate.objects.select_for_update(no_key=True).filter(pk__in=set(of_versions))
    certificates = {one.pk: one for one in locked.order_by("pk")}
    if who_answers:
        owners.policy.hold(
            owners=[one.owner_id for one in certificates.values()],
            teams=[one.team_id for one in certificates.values()],
            people=[actor.pk],
        )
    rows = Version.objects.select_for_update(no_key=True).filter(pk__in=version_ids)
    versions = list(
        # What may be long and is not asked for; `pem` says whether it is a CA's.
        rows.defer("chain_pem", "csr_pem", "encrypted_key").order_by("pk")
    )
    for version in versions:
        version.certificate = certificates[version.certificate_id]
    return versions


def _ordinary(versions: Collection[Version]) -> list[Version]:
    """Return those that nothing speaks against, and that no earlier revocation is about."""
    revoked = set(
        Revocation.objects.filter(version__in=[version.pk for version in versions]).values_list(
            "version", flat=True
        )
    )
    issuers = Issuer.objects.in_bulk({one.issuer_id for one in versions} - {None})
    profiles = Profile.objects.in_bulk({one.certificate.profile_id for one in versions})
    for version in versions:
        version.certificate.profile = profiles[version.certificate.profile_id]
    return [
        version
        for version in versions
        if version.pk not in revoked
        and version.issuer_id is not None
        and issuers[version.issuer_id].answers_for_revocation
        and not policy.is_ca(version)
    ]


def _subscribed(versions: Collection[Version], actor: Principal) -> set[UUID]:
    """Return those that `actor` is a subscriber of; of hardly any batch there is one."""
    rows = Version.objects.filter(pk__in=[version.pk for version in versions])
    if not policy.subscribes_to_any(actor, rows):
        return set()
    return {version.pk for version in versions if policy.is_subscriber(actor, version)}


def _settle(versions: Collection[Version]) -> None:
    """Have each certificate whose current version is among these show that it is revoked."""
    current = [one.certificate_id for one in versions if one.certificate.current_id == one.pk]
    Certificate.objects.filter(pk__in=current).show_revoked()

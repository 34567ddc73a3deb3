"""Replace first: ask for successors with new keys, and see which are proven to be in place.

Proven is what a handshake has seen at every place of the certificate. Where a place has no
endpoint, that it was deployed there is enough; where a certificate has no place, that its
successor was issued.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from certificates.models import Certificate, Version
from deployments.models import Deployment
from foundation.clock import database_clock
from foundation.errors import CertctlError
from jobs import services as job_services
from jobs.models import Job
from jobs.states import OPEN
from revocation.models import Item, ItemQuerySet, Plan
from revocation.states import Outcome, Replacement, Unproven

BATCH = 200  # certificates that are asked for, or looked at, at a time
_UNDER_WAY = (Replacement.ASKED, Replacement.ISSUED, Replacement.FAILED)


def tend(plan: Plan) -> bool:
    """Ask for some of what is still to be asked for; when all is, see what has come into place.

    Returns whether there is more to ask for. A drill renews nothing, and waits for nothing.
    """
    if not plan.replace_first or plan.drill:
        return False
    # What will be left as it is in a moment needs no successor any more.
    if not leaves_unproven(plan, database_clock.now()) and _ask(plan):
        return True
    _look(plan)
    return False


def ripe(held: Plan, now: datetime) -> ItemQuerySet:
    """Return what may be revoked now, of what nothing has become of yet."""
    pending = Item.objects.filter(plan=held).pending()
    return pending.filter(replacement=Replacement.PROVEN) if _waits(held, now) else pending


def still_ripe(held: Plan, items: Sequence[Item], now: datetime) -> list[Item]:
    """Return those of `items`, which were `ripe`, that are proven replaced to this day.

    A wave may come hours after the look that proved it: a successor that was revoked, put on hold
    or taken away meanwhile replaces nothing, and what it replaced is waited for again.
    """
    if not items or not _waits(held, now):
        return list(items)
    known = [item.pk for item in items]
    rows = Item.objects.filter(pk__in=known).select_related("version__certificate__current")
    _look_at(held, list(rows.order_by("position")))
    return list(ripe(held, now).filter(pk__in=known))


def _waits(held: Plan, now: datetime) -> bool:
    """Whether only what is proven replaced is revoked now."""
    is_forced = held.unproven == Unproven.REVOKE and _is_over(held, now)
    return held.replace_first and not held.drill and not is_forced


def leaves_unproven(held: Plan, now: datetime) -> bool:
    """Whether what has no replacement in place by now is left as it is."""
    return (
        held.replace_first
        and not held.drill
        and held.unproven == Unproven.LEAVE
        and _is_over(held, now)
    )


def leave_unproven(held: Plan, now: datetime) -> None:
    """Leave what is not proven replaced, in memory and in its rows; the caller saves the plan."""
    rows = Item.objects.filter(plan=held, outcome="").exclude(replacement=Replacement.PROVEN)
    held.left += rows.update(
        outcome=Outcome.LEFT,
        code="not_replaced",
        detail="No replacement was in place by the plan's deadline.",
        at=now,
    )


def _is_over(held: Plan, now: datetime) -> bool:
    return held.replace_by is not None and held.replace_by <= now


def _ask(plan: Plan) -> int:
    """Ask for a batch of successors; return how many, 0 also where the claim is lost."""
    wanted = Item.objects.filter(plan=plan, outcome="", replacement=Replacement.WANTED)
    asked = 0
    for item in wanted.select_related("version").order_by("position")[:BATCH]:
        with transaction.atomic():
            held = Plan.objects.held(plan)
            if held is None:
                return 0
            held.draw_out(database_clock.now())
            item.replacement, item.replacement_detail = Replacement.ASKED, ""
            if _successor(item.version, plan) is None:
                _ask_for(item, plan)
            item.save(update_fields=["replacement", "replacement_detail", "replacement_job"])
        asked += 1
    return asked


def _ask_for(item: Item, plan: Plan) -> None:
    """Ask for a successor with a new key, in the name of whoever made the plan."""
    certificate_id = item.version.certificate_id
    try:
        with transaction.atomic():
            asked = job_services.request_renewal(
                actor=plan.made_by,
                certificate_id=certificate_id,
                generate_key=settings.ALLOW_SERVER_KEYS and item.version.encrypted_key is not None,
                new_key=True,
                justification=_words(plan),
            )
        item.replacement_job = asked.job
    except job_services.DuplicateJob:
        # Somebody asked already; whether it brings a new key shows when it is done.
        open_jobs = Job.objects.filter(certificate=certificate_id, status__in=OPEN)
        item.replacement_job = open_jobs.order_by("-created_at").first()
    except CertctlError as error:
        item.replacement, item.replacement_detail = Replacement.FAILED, error.detail


def _words(plan: Plan) -> str:
    """Return why a successor is asked for: whoever made the plan said so with it."""
    words = f"It replaces what bulk revocation {plan.pk} revokes ({plan.reason}). {plan.note}"
    return words.strip()[: job_services.MAX_JUSTIFICATION]


def _look(plan: Plan) -> None:
    """Bring the state of every replacement that is under way up to what is so."""
    rows = Item.objects.filter(plan=plan, outcome="", replacement__in=_UNDER_WAY)
    last = -1
    while True:
        items = list(
            rows.filter(position__gt=last)
            .select_related("version__certificate__current")
            .order_by("position")[:BATCH]
        )
        if not items:
            return
        last = items[-1].position
        _look_at(plan, items)


def _look_at(plan: Plan, items: Sequence[Item]) -> None:
    places: dict[UUID, list[Deployment]] = {}
    certificates = {item.version.certificate_id for item in items}
    for place in Deployment.objects.filter(certificate__in=certificates).select_related("target"):
        places.setdefault(place.certificate_id, []).append(place)
    current = (item.version.certificate.current_id for item in items)
    bad = _bad({pk for pk in current if pk is not None}, plan)
    now = database_clock.now()
    for item in items:
        state = _state(item, places.get(item.version.certificate_id, ()), bad, now)
        if state != item.replacement:
            Item.objects.filter(pk=item.pk, outcome="").update(replacement=state)


def _state(item: Item, places: Iterable[Deployment], bad: set[UUID], now: datetime) -> Replacement:
    current = item.version.certificate.current
    if current is None or current.pk in bad or not _replaces(current, item.version, now):
        # What was issued and is good no more is as if it were still to come.
        was_issued = item.replacement in (Replacement.ISSUED, Replacement.PROVEN)
        return Replacement.ASKED if was_issued else Replacement(item.replacement)
    is_proven = all(_serves(place, current) for place in places)
    return Replacement.PROVEN if is_proven else Replacement.ISSUED


def _serves(place: Deployment, version: Version) -> bool:
    if place.version_id != version.pk or place.deployed_at is None:
        return False
    if not place.target.has_endpoint:
        return True
    return (
        place.health == Deployment.Health.HEALTHY
        and place.served_fingerprint == version.fingerprint
    )


def _replaces(current: Version, version: Version, now: datetime) -> bool:
    return (
        current.number > version.number
        and current.key_fingerprint != version.key_fingerprint
        and current.not_after > now
    )


def _bad(version_ids: set[UUID], plan: Plan) -> set[UUID]:
    """Return which of these replace nothing: they are revoked, or to be revoked themselves."""
    versions = Version.objects.filter(pk__in=version_ids)
    revoked = versions.filter(revocation__isnull=False).values_list("pk", flat=True)
    planned = Item.objects.filter(plan=plan, version__in=version_ids)
    return {*revoked, *planned.values_list("version", flat=True)}


def _successor(version: Version, plan: Plan) -> Version | None:
    """Return the version that replaces `version` already, if one does."""
    certificate = Certificate.objects.select_related("current").get(pk=version.certificate_id)
    current = certificate.current
    if current is None or current.pk in _bad({current.pk}, plan):
        return None
    return current if _replaces(current, version, database_clock.now()) else None

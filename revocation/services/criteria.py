"""Which versions are meant: every criterion that is given must be met."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, StrIndex
from django.utils.dateparse import parse_datetime

from certificates.models import Certificate, Reason, Version
from deployments.models import Agent
from foundation.errors import FieldError, Invalid
from foundation.texts import is_unusable
from foundation.unknown import nearest
from issuers.models import Issuer, Profile
from owners.models import Owner, Team
from revocation.services import spreadsheets

Versions = QuerySet[Version]
MAX_IDS = 10_000
MAX_TAGS = 50
_FINGERPRINT_LENGTH = 64


class InvalidCriteria(Invalid):
    """The criteria do not say what is to be revoked."""

    code = "invalid_criteria"


def matching(criteria: Mapping[str, Any]) -> Versions:
    """Return every version that meets the criteria, valid or not; raises InvalidCriteria."""
    unknown = sorted(set(criteria) - set(_CRITERIA))
    if unknown:
        name = unknown[0][:100]
        raise _wrong(
            name, "unknown_criterion", f"There is no criterion {name!r}.{nearest(name, _CRITERIA)}"
        )
    if not criteria:
        raise _wrong("criteria", "required", "Give at least one criterion.")
    rows: Versions = Version.objects.all()
    for name, value in criteria.items():
        if value in (None, "", [], {}):
            raise _wrong(name, "required", "An empty criterion would mean everything.")
        rows = _CRITERIA[name](rows, value)
    if "issuer" not in criteria:
        _check_unambiguous(criteria)
    return rows


def valid(rows: Versions, now: datetime) -> Versions:
    """Narrow to what a revocation would change: unexpired and not revoked for good.

    Superseded or not, and what is on hold too: it could be released after the plan, and be good
    again whatever the plan said of it.
    """
    return rows.filter(not_revoked(), not_after__gt=now)


def not_revoked() -> Q:
    """Return which versions are not revoked for good: never, or on hold."""
    return Q(revocation__isnull=True) | on_hold()


def on_hold() -> Q:
    """Return which versions are on hold."""
    return Q(revocation__reason=Reason.CERTIFICATE_HOLD)


def in_order(rows: Versions) -> Versions:
    """Sort as plans are: the same set always has the same digest."""
    return rows.order_by("certificate__name", "number", "pk")


def _by_ids(rows: Versions, value: Any) -> Versions:
    ids = [_uuid("ids", one) for one in _list("ids", value)]
    known = set(Version.objects.filter(pk__in=ids).values_list("pk", flat=True))
    known |= set(Certificate.objects.filter(pk__in=ids).values_list("pk", flat=True))
    missing = [one for one in ids if one not in known]
    if missing:
        raise _wrong("ids", "unknown", f"There is no certificate or version {missing[0]}.")
    return rows.filter(Q(pk__in=ids) | Q(certificate__in=ids))


def _by_serials(rows: Versions, value: Any) -> Versions:
    serials = [_serial("serials", one) for one in _list("serials", value)]
    _check_known("serials", "serial", serials)
    return rows.filter(serial__in=serials)


def _by_csv(rows: Versions, value: Any) -> Versions:
    if not isinstance(value, str):
        raise _wrong("csv", "invalid", "Give the text of a CSV.")
    try:
        listed = spreadsheets.read_listed(value)
    except Invalid as error:
        wrong = error.errors[0]
        raise _wrong("csv", wrong["code"], wrong["detail"]) from None
    if len(listed) > MAX_IDS:
        raise _wrong("csv", "invalid", f"A CSV has at most {MAX_IDS} rows.")
    prints = [one.fingerprint for one in listed if one.fingerprint]
    alone = [one.serial for one in listed if one.serial and not one.issuer]
    _check_known("csv", "fingerprint", prints)
    _check_known("csv", "serial", alone)
    of_issuers: dict[str, list[str]] = {}
    for one in listed:
        if one.serial and one.issuer:
            of_issuers.setdefault(one.issuer, []).append(one.serial)
    meant = Q(fingerprint__in=prints) | Q(serial__in=alone)
    for slug, serials in of_issuers.items():
        issuer = _one("csv", Issuer.objects, "slug", slug)
        _check_known("csv", "serial", serials, issuer)
        meant |= Q(issuer=issuer, serial__in=serials)
    return rows.filter(meant)


def _by_profile(rows: Versions, value: Any) -> Versions:
    return rows.filter(certificate__profile=_one("profile", Profile.objects, "slug", value))


def _by_owner(rows: Versions, value: Any) -> Versions:
    return rows.filter(certificate__owner=_one("owner", Owner.objects, "name", value))


def _by_team(rows: Versions, value: Any) -> Versions:
    team = _one("team", Team.objects, "name", value)
    return rows.filter(Q(certificate__team=team) | Q(certificate__owner__team=team))


def _by_issuer(rows: Versions, value: Any) -> Versions:
    return rows.filter(issuer=_one("issuer", Issuer.objects, "slug", value))


def _by_agent(rows: Versions, value: Any) -> Versions:
    agent = _one("agent", Agent.objects, "name", value)
    # By subquery rather than join, so that the counts beside it stay right.
    served = Certificate.objects.filter(deployments__target__agent=agent)
    return rows.filter(certificate__in=served)


def _by_key(rows: Versions, value: Any) -> Versions:
    text = str(value).replace(":", "").lower()
    if len(text) != _FINGERPRINT_LENGTH or set(text) - set("0123456789abcdef"):
        raise _wrong("key_fingerprint", "invalid", "Give the SHA-256 of the key in hexadecimal.")
    return rows.filter(key_fingerprint=text)


def _by_issued_between(rows: Versions, value: Any) -> Versions:
    """From the first instant on, up to and without the second.

    When we had it signed, where we did: certificates are backdated a little. What was imported
    was issued when it says it begins.
    """
    if not isinstance(value, Mapping) or set(value) != {"from", "to"}:
        raise _wrong("issued_between", "invalid", "Give two instants: from and to.")
    begins, ends = (_moment("issued_between", value[name]) for name in ("from", "to"))
    if begins >= ends:
        raise _wrong("issued_between", "invalid", "It must begin before it ends.")
    signed_here = Q(job_id__isnull=False, created_at__gte=begins, created_at__lt=ends)
    brought = Q(job_id__isnull=True, not_before__gte=begins, not_before__lt=ends)
    return rows.filter(signed_here | brought)


def _by_tags(rows: Versions, value: Any) -> Versions:
    tags = _list("tags", value, MAX_TAGS)
    if not all(isinstance(tag, str) and tag and not is_unusable(tag) for tag in tags):
        raise _wrong("tags", "invalid", "Give a list of tags; a certificate must have them all.")
    text = Cast("certificate__tags", TextField())
    for tag in tags:
        # SQLite has no JSON containment, and its LIKE knows no case: another tag must not match.
        place = StrIndex(text, Value(json.dumps(tag)))
        rows = rows.alias(place=place).filter(place__gt=0)
    return rows


def _by_environment(rows: Versions, value: Any) -> Versions:
    if not isinstance(value, str) or is_unusable(value):
        raise _wrong("environment", "invalid", "Give the name of one environment.")
    return rows.filter(certificate__environment=value)


_CRITERIA: dict[str, Callable[[Versions, Any], Versions]] = {
    "ids": _by_ids,
    "serials": _by_serials,
    "csv": _by_csv,
    "profile": _by_profile,
    "owner": _by_owner,
    "team": _by_team,
    "issuer": _by_issuer,
    "agent": _by_agent,
    "key_fingerprint": _by_key,
    "issued_between": _by_issued_between,
    "tags": _by_tags,
    "environment": _by_environment,
}
CRITERIA = tuple(_CRITERIA)


def brief(criteria: Mapping[str, Any]) -> dict[str, Any]:
    """Return the criteria for people and the trail: long lists and texts are only counted."""
    return {name: _brief(value) for name, value in criteria.items()}


_SHOWN = 20


def _brief(value: Any) -> Any:
    if isinstance(value, list) and len(value) > _SHOWN:
        return f"{len(value)} of them, the first {value[0]}"
    if isinstance(value, str) and "\n" in value:
        return f"{len(value.strip().splitlines()) - 1} rows"
    return value


def _check_unambiguous(criteria: Mapping[str, Any]) -> None:
    """Raise InvalidCriteria where a serial alone means certificates of several issuers."""
    for name in ("serials", "csv"):
        if name not in criteria:
            continue
        value = criteria[name]
        listed = (
            [_serial(name, one) for one in value]
            if name == "serials"
            else [one.serial for one in spreadsheets.read_listed(value) if not one.issuer]
        )
        serials = [one for one in listed if one]
        seen: set[str] = set()
        for serial in Version.objects.filter(serial__in=serials).values_list("serial", flat=True):
            if serial in seen:
                words = f"Several issuers have a serial {serial}: say which is meant."
                raise _wrong(name, "ambiguous", words)
            seen.add(serial)


def _check_known(name: str, column: str, values: list[str], issuer: Issuer | None = None) -> None:
    rows = Version.objects.filter(**{f"{column}__in": values})
    if issuer is not None:
        rows = rows.filter(issuer=issuer)
    known = set(rows.values_list(column, flat=True))
    missing = [one for one in values if one not in known]
    if missing:
        raise _wrong(name, "unknown", f"There is no certificate with the {column} {missing[0]}.")


def _list(name: str, value: Any, most: int = MAX_IDS) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise _wrong(name, "invalid", f"Give a list of at most {most}.")
    return value


def _one(criterion: str, manager: Any, natural: str, value: Any) -> Any:
    # By id, or by the name that people know it under.
    if not isinstance(value, str | UUID) or is_unusable(str(value)):
        raise _wrong(criterion, "invalid", "Give one id or name.")
    try:
        row = manager.filter(pk=UUID(str(value))).first()
    except ValueError:
        row = manager.filter(**{natural: value}).first()
    if row is None:
        raise _wrong(criterion, "unknown", f"There is no {criterion} {str(value)[:80]!r}.")
    return row


def _uuid(name: str, value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise _wrong(name, "invalid", f"{str(value)[:80]!r} is no id.") from None


def _serial(name: str, value: Any) -> str:
    serial = spreadsheets.plain_serial(value) if isinstance(value, str) else ""
    if not serial:
        raise _wrong(name, "invalid", f"{str(value)[:80]!r} is no serial in hexadecimal.")
    return serial


def _moment(name: str, value: Any) -> datetime:
    try:
        moment = parse_datetime(value) if isinstance(value, str) else value
    except (ValueError, OverflowError):
        moment = None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise _wrong(name, "invalid", "Give instants as 2026-11-20T08:00:00Z, with their offset.")
    return moment


def _wrong(name: str, code: str, detail: str) -> InvalidCriteria:
    where = name if name == "criteria" else f"criteria.{name}"
    return InvalidCriteria(detail, errors=[FieldError(where, code, detail)])

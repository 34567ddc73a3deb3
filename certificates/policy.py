"""The rules about certificates: where one stands, and what a revocation may say."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db.models import CharField, QuerySet

from certificates.models import Certificate, CertificateStatus, Reason, Revocation, Version
from foundation.errors import Conflict, FieldError, Invalid, MissingPermission, NotPermitted
from foundation.statements import Given, Rows
from foundation.unknown import not_among
from issuers.x509 import certs, chains
from owners.models import Owner, Principal, Team

# How long before its end a certificate without a renewal policy counts as expiring.
DEFAULT_WINDOW = timedelta(days=30)

# Reasons that a revocation may leave again: a hold can become any other reason, and
# BR 4.9.1.1 asks that any reason can be corrected to keyCompromise once that is known.
_HOLD = Reason.CERTIFICATE_HOLD
# Without a CA all that it signed is worth nothing: more than an operator's job.
REVOKE_CA = "certificates.revoke_ca"
# After these a key is not certified again (CA/B BR 6.1.1.3).
COMPROMISES = (Reason.KEY_COMPROMISE, Reason.CA_COMPROMISE)


class AlreadyRevoked(Conflict):
    """The version is revoked, and nothing that was asked would change that."""

    code = "already_revoked"
    message = "This version is already revoked."


class NotOnHold(Conflict):
    """Only certificateHold can be taken back (RFC 5280 §5.3.1)."""

    code = "not_on_hold"
    message = "This version is not on hold, and no other revocation can be taken back."


class IssuedElsewhere(Conflict):
    """A revocation of ours would reach no relying party."""

    code = "issued_elsewhere"
    message = "A CA that certctl does not run signed this version; it must be revoked there."


class Archived(Conflict):
    """An archived certificate is only there to be read."""

    code = "archived"
    message = "The certificate is archived."


class PlanChanged(Conflict):
    """Since the preview versions were issued, revoked or expired, so look again."""

    code = "plan_changed"
    message = "What would be revoked is no longer what the preview showed."


class InvalidRevocation(Invalid):
    """The revocation says something that it may not say."""

    message: ClassVar[str] = "The revocation is not valid."


class SubscriberWithdraws(NotPermitted):
    """BR 7.2.2: whether a privilege is withdrawn is the CA's word, never that of whoever holds it.

    A subscriber's tools must not offer the reason, so that nobody reads one's own step as one.
    """

    code = "subscriber_withdraws"
    message = (
        "privilegeWithdrawn is not for whoever answers for the certificate or asked for it: give "
        "another reason, or have somebody else revoke it."
    )


class NotByName(InvalidRevocation):
    """A CA's own certificate is revoked alone, by who typed its name."""

    message: ClassVar[str] = "A CA's own certificate is revoked alone, with its name typed."


def renewal_window(window: timedelta, begins: datetime, ends: datetime) -> timedelta:
    """Return how long before its end a version is renewed where a policy asks for `window`.

    Two thirds of its life at most: a window longer than that would renew at every sweep.
    """
    return min(window, (ends - begins) * 2 / 3)


def crl_is_late(made: datetime, ends: datetime, now: datetime) -> bool:
    """Whether an issuer's newest CRL, made and ending then, should have a follower by now.

    From half of what is between two CRLs' making and the end of the older one.
    """
    spare = (ends - made - settings.CRL_REFRESH) / 2
    return ends <= now + max(spare, timedelta(0))


def standing(
    *, version: Version | None, is_revoked: bool, window: timedelta | None, now: datetime
) -> CertificateStatus:
    """Return the status that a certificate has by its current version and the clock alone.

    `window` is its renewal policy's, or None for the default.
    """
    if version is None:
        return CertificateStatus.PENDING
    if is_revoked:
        return CertificateStatus.REVOKED
    if version.not_after <= now:
        return CertificateStatus.EXPIRED
    if version.not_after <= now + (DEFAULT_WINDOW if window is None else window):
        return CertificateStatus.EXPIRING
    return CertificateStatus.ACTIVE


def revoked_for(certificate: Certificate) -> Reason | None:
    """Return why the current version is revoked; None where it is not, or there is none."""
    version = certificate.current
    revocation = getattr(version, "revocation", None) if version is not None else None
    return None if revocation is None else Reason(revocation.reason)


def has_leaked(key_fingerprint: str) -> bool:
    """Whether a version of this key was revoked for a compromise: whoever has it may be anybody."""
    return _LEAKED.exist(key=key_fingerprint)


_LEAKED: Rows[Version] = Rows(
    lambda: (
        Version.objects.filter(
            key_fingerprint=Given("key", CharField()), revocation__reason__in=COMPROMISES
        )
        .only("pk")
        .order_by()[:1]
    )
)


def answers_for(principal: Principal, owner: Owner, team: Team | None) -> bool:
    """Whether `principal` answers for what belongs to `owner` and `team`, under any alias.

    Asked afresh, and only to refuse something.
    """
    return owner.includes(principal) or (team is not None and team.seats(principal))


def is_subscriber(actor: Principal, version: Version) -> bool:
    """Whether `actor` answers for the certificate, asked for this version, or brought its CSR.

    Under any alias; asked afresh, and only to refuse something.
    """
    certificate = version.certificate
    askers = (version.requested_by, version.csr_by)
    return answers_for(actor, certificate.owner, certificate.team) or any(
        one is not None and actor.is_same_person(one) for one in askers
    )


def subscribes_to_any(actor: Principal, versions: QuerySet[Version]) -> bool:
    """Whether `actor` is a subscriber of one of `versions` at least: `is_subscriber`, of many.

    Each owner and team is asked once, however many versions are theirs.
    """
    plain = versions.order_by()
    pairs = set(plain.values_list("certificate__owner", "certificate__team").distinct())
    held = Owner.objects.in_bulk({owner for owner, _ in pairs}).values()
    teams = Team.objects.in_bulk({team for _, team in pairs} - {None}).values()
    askers = plain.values_list("requested_by", "csr_by").distinct()
    people = Principal.objects.in_bulk({one for pair in askers for one in pair} - {None}).values()
    return (
        any(actor.is_same_person(one) for one in people)
        or any(owner.includes(actor) for owner in held)
        or any(team.seats(actor) for team in teams)
    )


def reasons_for(actor: Principal, version: Version, *, is_ca: bool) -> list[Reason]:
    """Return the reasons that `actor` may give for `version` as things stand, for a page to offer.

    BR 7.2.2: `unspecified` first, `privilegeWithdrawn` not to a subscriber; of a CA's certificate
    neither `unspecified` nor a hold.
    """
    revocation = getattr(version, "revocation", None)
    if revocation is not None and revocation.reason != _HOLD:
        return [Reason.KEY_COMPROMISE]  # what else a revocation can be corrected to
    left_out = {_HOLD} if revocation is not None else set()
    if is_ca:
        left_out |= {Reason.UNSPECIFIED, _HOLD}
    if is_subscriber(actor, version):
        left_out.add(Reason.PRIVILEGE_WITHDRAWN)
    return [reason for reason in Reason if reason not in left_out]


def reasons_for_all(actor: Principal, versions: QuerySet[Version]) -> list[Reason]:
    """Return the reasons that `actor` may give for all of `versions` at once, for a page to offer.

    None of them is revoked, or a CA's.
    """
    is_any = subscribes_to_any(actor, versions)
    return [one for one in Reason if not (is_any and says_who_answers(one))]


def check_may_say(actor: Principal, version: Version, reason: Reason) -> None:
    """Raise SubscriberWithdraws where `reason` is not for `actor` to say of `version`.

    The caller holds who answers for it (`says_who_answers`).
    """
    if says_who_answers(reason) and is_subscriber(actor, version):
        raise _withdraws()


def check_may_say_of_all(actor: Principal, versions: QuerySet[Version], reason: Reason) -> None:
    """Raise SubscriberWithdraws where `reason` is not for `actor` to say of one of `versions`."""
    if says_who_answers(reason) and subscribes_to_any(actor, versions):
        raise _withdraws()


def says_who_answers(reason: str) -> bool:
    """Whether it depends on who answers for a certificate who may give `reason`."""
    return reason == Reason.PRIVILEGE_WITHDRAWN


def check_may_change(certificate: Certificate) -> None:
    """Raise Archived where the certificate is only there to be read."""
    if certificate.status == CertificateStatus.ARCHIVED:
        raise Archived


def is_ca(version: Version) -> bool:
    """Whether it is a CA's certificate by its basicConstraints, whatever profile it stands under.

    An imported one may stand under any; under the one of our own CAs there is nothing else.
    """
    if version.certificate.profile.is_ca:
        return True
    try:
        return chains.is_ca(certs.load(version.pem))
    except ValueError:
        return False  # nothing that can be read: it must stay possible to revoke it


def check_revocation(  # noqa: PLR0913 - keyword-only, one argument a fact
    *,
    version: Version,
    is_ca: bool,
    reason: str,
    revoked_at: datetime | None,
    now: datetime,
    typed: str = "",
) -> Reason:
    """Return the reason, or raise InvalidRevocation naming the fields that are wrong.

    Of a CA's certificate the name must have been `typed` (NotByName); whoever types one means it.
    """
    known = check_reason(reason)
    errors = []
    if is_ca and known in (Reason.UNSPECIFIED, _HOLD):
        # BR 7.2.2: the revocation of a CA certificate must state a reason, and never a hold.
        detail = "Revoking a CA certificate needs a reason."
        errors.append(FieldError("reason", "reason_required", detail))
    name = version.certificate.name.strip()
    if (is_ca or typed) and typed.strip() != name:
        code = "wrong_name" if typed else "required"
        detail = f"Type the certificate's name to revoke it: {name}"
        errors.append(FieldError("confirm_name", code, detail))
        if is_ca:
            raise NotByName(errors=errors)
    if errors:
        raise InvalidRevocation(errors[0]["detail"], errors=errors)
    if revoked_at is not None:
        _check_date(version, known, revoked_at, now)
    return known


def may_revoke_ca(actor: Principal) -> bool:
    """Whether `actor` may revoke the certificate of a CA."""
    return actor.is_active and actor.has_perm(REVOKE_CA)


def check_may_revoke_ca(actor: Principal) -> None:
    """Raise MissingPermission where `actor` may not revoke the certificate of a CA."""
    if not may_revoke_ca(actor):
        raise MissingPermission(f"This needs the permission {REVOKE_CA}: it is a CA's certificate.")


def check_reason(reason: str) -> Reason:
    """Return the reason of that name; raises InvalidRevocation where there is none."""
    if reason not in Reason.values:
        raise _wrong("reason", "unknown_reason", not_among(reason, Reason.values))
    return Reason(reason)


def _check_date(version: Version, reason: Reason, revoked_at: datetime, now: datetime) -> None:
    if reason != Reason.KEY_COMPROMISE:
        # BR 4.9.1.1: backdating says since when signatures are worth nothing.
        raise _wrong("revoked_at", "not_backdatable", "Only keyCompromise can be backdated.")
    if revoked_at > now:
        raise _wrong("revoked_at", "in_future", "A revocation cannot lie in the future.")
    if revoked_at < version.not_before:
        raise _wrong("revoked_at", "before_validity", "The certificate was not valid yet then.")


def _wrong(field: str, code: str, detail: str) -> InvalidRevocation:
    return InvalidRevocation(detail, errors=[FieldError(field, code, detail)])


def _withdraws() -> SubscriberWithdraws:
    words, code = SubscriberWithdraws.message, SubscriberWithdraws.code
    return SubscriberWithdraws(errors=[FieldError("reason", code, words)])


def check_may_replace(revocation: Revocation, reason: Reason) -> None:
    """Raise AlreadyRevoked unless `reason` may take the place of what is recorded.

    A hold may become final for any reason; everything may be corrected to keyCompromise.
    """
    if revocation.reason == reason:
        raise AlreadyRevoked
    if revocation.reason != _HOLD and reason != Reason.KEY_COMPROMISE:
        raise AlreadyRevoked

"""Profiles: every rule checked before it is saved, every change in the audit trail."""

import ipaddress
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from cryptography.x509.oid import ExtendedKeyUsageOID
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from audit.changes import Changes, change, changed, gone, made
from audit.services import lock_to_delete, record
from audit.use_cases import use_case
from foundation.errors import Conflict, FieldError, Invalid
from foundation.preconditions import as_expected
from issuers.models import Issuer, Profile
from issuers.words import MAY_NEED_APPROVAL
from issuers.x509 import certs, names
from owners.models import Principal

KEY_ALGORITHMS = ("ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519")
MAX_LIFETIME = timedelta(days=3660)
MAX_ENTRIES, MAX_ENTRY = 500, 500  # of a list of rules, and characters of one
CA_PROFILE = "ca"  # what certificates.services lists our own CAs under
RA_PROFILE = "scep-ra"  # what the RA certificates of SCEP labels are issued under
RA_KEY, RA_LIFETIME = "rsa-2048", timedelta(days=365)
RA_NAME = "SCEP RA "  # how the common name of every one begins
RESPONDER_PROFILE = "ocsp-responder"  # what the delegated responders of issuers are issued under
# Nobody can be told that one is revoked (nocheck), so it is valid for no longer than this. It is
# renewed once a third of that is over: nobody minds where the CA cannot sign for a week.
RESPONDER_LIFETIME = timedelta(days=14)
RESPONDER_NAME = "OCSP responder of "  # how the common name of every one begins
_RESERVED = {CA_PROFILE, RA_PROFILE, RESPONDER_PROFILE}
# BR 7.1.2.7.10 has neither: the one is a responder's, the other would be all of them at once.
_NOT_FOR_SUBSCRIBERS = {
    certs.EXTENDED_KEY_USAGES["OCSPSigning"],
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}
FIELDS = (
    "slug",
    "name",
    "description",
    "enabled",
    "key_algorithms",
    "max_lifetime",
    "key_usage",
    "extended_key_usage",
    "allowed_sans",
    "required_sans",
    "allow_wildcards",
    "max_sans",
    "subject_attributes",
    "fixed_subject",
    "approval_required_for",
    "justification_required",
    "issues_nothing",
)


class ProfileTaken(Conflict):
    """There is a profile of that slug."""

    code = "name_taken"
    message = "There is already a profile of that slug."


class ProfileInUse(Conflict):
    """Certificates are or were issued under the profile."""

    code = "in_use"
    message = "Certificates are or were issued under it; disable it instead."


class ProfileReserved(Conflict):
    """A profile that certctl keeps for itself."""

    code = "reserved"
    message = "This profile is kept for the certificates of our own CAs and SCEP labels."


def validate_profile(values: Mapping[str, Any]) -> None:
    """Raise Invalid, naming every field that makes no sense; fields left out are not looked at."""
    errors: list[FieldError] = []
    for field, check in _CHECKS.items():
        if field in values:
            problem = check(values[field])
            if problem:
                errors.append(FieldError(field, "invalid", problem))
    if errors:
        raise Invalid(" ".join(error["detail"] for error in errors), errors=errors)


@use_case("profile.create")
def create_profile(
    *, actor: Principal, rules: Mapping[str, Any], issuers: Iterable[Issuer] | None = None
) -> Profile:
    """Make a profile; raises Invalid, ProfileTaken, ProfileReserved."""
    profile, done = _save(Profile(), rules, issuers)
    record(
        actor=actor,
        action="profile.create",
        subject=profile,
        changes=done | made(profile, FIELDS),
    )
    return profile


@use_case("profile.update", on=Profile)
def update_profile(
    *,
    actor: Principal,
    profile_id: uuid.UUID,
    changes: Mapping[str, Any],
    issuers: Iterable[Issuer] | None = None,
) -> Profile:
    """Change a profile; raises Invalid, ProfileTaken, ProfileReserved."""
    profile = as_expected(actor, Profile.objects.select_for_update(no_key=True).get(pk=profile_id))
    profile, done = _save(profile, changes, issuers)
    if done:
        record(actor=actor, action="profile.update", subject=profile, changes=done)
    return profile


def save_profile(
    *,
    actor: Principal,
    changes: Mapping[str, Any],
    issuers: Iterable[Issuer] | None = None,
    profile_id: uuid.UUID | None = None,
) -> Profile:
    """Make a profile, or change the one that is named: for doors with one form for both."""
    if profile_id is None:
        return create_profile(actor=actor, rules=changes, issuers=issuers)
    return update_profile(actor=actor, profile_id=profile_id, changes=changes, issuers=issuers)


@use_case("profile.delete", on=Profile)
def delete_profile(*, actor: Principal, profile: Profile) -> None:
    """Delete a profile that nothing was ever issued under.

    Raises ProfileInUse, ProfileReserved, Busy.
    """
    profile = as_expected(actor, lock_to_delete(Profile.objects.all(), profile.pk))
    if profile.is_reserved:
        raise ProfileReserved
    record(
        actor=actor,
        action="profile.delete",
        subject=profile,
        slug=profile.slug,
        changes=gone(profile, FIELDS),
    )
    try:
        profile.delete()
    except ProtectedError:
        raise ProfileInUse from None


def ra_profile() -> Profile:
    """Return the built-in profile of RA certificates, made where there is none; ProfileTaken.

    RSA, since requests are encrypted to it; of 2048 bits, which all gear can do; and without
    approval, since it says nothing of anybody but the label that it answers for.
    """
    return _built_in(
        {"is_ra": True},
        slug=RA_PROFILE,
        name="SCEP RA certificates",
        description="What requests to SCEP labels are encrypted to, and their answers "
        "signed with; nobody can request it.",
        key_algorithms=[RA_KEY],
        max_lifetime=RA_LIFETIME,
        key_usage=["digitalSignature", "keyEncipherment"],
        allowed_sans=[f"cn:{RA_NAME}*"],
    )


def responder_profile() -> Profile:
    """Return the built-in profile of delegated OCSP responders, made where there is none.

    Without approval: what it certifies says nothing but what the CA's own key would. Raises
    ProfileTaken.
    """
    return _built_in(
        {"is_responder": True},
        slug=RESPONDER_PROFILE,
        name="OCSP responders",
        description="What signs the OCSP answers of issuers that delegate it; nobody can "
        "request it.",
        key_algorithms=["ecdsa-p256", "rsa-2048", "ed25519"],
        max_lifetime=RESPONDER_LIFETIME,
        key_usage=["digitalSignature"],
        extended_key_usage=["OCSPSigning"],
        allowed_sans=[f"cn:{RESPONDER_NAME}*"],
    )


def _built_in(which: Mapping[str, bool], *, slug: str, **rules: Any) -> Profile:
    known = Profile.objects.filter(**which).first()
    if known is not None:
        return known
    rules = {
        "extended_key_usage": [],
        "subject_attributes": ["CN"],
        "approval_required_for": [],
        **rules,
    }
    try:
        with transaction.atomic():
            return Profile.objects.create(slug=slug, **which, **rules)
    except IntegrityError:
        made_meanwhile = Profile.objects.filter(**which).first()
        if made_meanwhile is None:
            raise ProfileTaken(
                f"There is a profile {slug} already, which certctl needs for itself: give it "
                "another slug."
            ) from None
        return made_meanwhile


def _save(
    profile: Profile, rules: Mapping[str, Any], issuers: Iterable[Issuer] | None
) -> tuple[Profile, Changes]:
    if profile.is_reserved or rules.get("slug") in _RESERVED:
        raise ProfileReserved
    validate_profile(rules)
    done = changed(profile, rules, FIELDS)
    try:
        # The lists are checked above; an empty one is no mistake.
        profile.full_clean(exclude=_CHECKS, validate_unique=False, validate_constraints=False)
        _check_of_use(profile)
        with transaction.atomic():
            profile.save()
    except ValidationError as error:
        raise Invalid(
            errors=[
                FieldError(field, "invalid", text)
                for field, texts in error.message_dict.items()
                for text in texts
            ]
        ) from None
    except IntegrityError:
        raise ProfileTaken(
            errors=[FieldError("slug", "name_taken", ProfileTaken.message)]
        ) from None
    if issuers is not None:
        before = _slugs(profile)
        profile.issuers.set(issuers)
        done |= change("issuers", before, _slugs(profile))
    return profile, done


def _check_of_use(profile: Profile) -> None:
    """Raise Invalid for a profile that can issue nothing and does not say so, or the reverse.

    A name is allowed by a pattern, and required patterns need a name: without a pattern there is no
    certificate, for a client's identity in its subject is a name too (BR 7.1.4.3).
    """
    if profile.allowed_sans or profile.issues_nothing:
        return
    words = "No name is allowed, so nothing can be issued: allow some, or say issues_nothing."
    raise Invalid(words, errors=[FieldError("allowed_sans", "issues_nothing", words)])


def _slugs(profile: Profile) -> list[str]:
    return sorted(profile.issuers.values_list("slug", flat=True))


def _strings(value: Any, check: Callable[[str], bool], what: str) -> str:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return "It must be a list of strings."
    if len(value) > MAX_ENTRIES or any(len(item) > MAX_ENTRY for item in value):
        return f"It may have {MAX_ENTRIES} entries of {MAX_ENTRY} characters."
    if len(set(value)) != len(value):
        return "It has doubles."
    wrong = [item for item in value if not check(item)]
    return f"{', '.join(map(repr, wrong[:5]))} {what}." if wrong else ""


def is_pattern(text: str) -> bool:
    """Whether it is a pattern of names, as profiles and credentials have them."""
    kind, _, rule = text.partition(":")
    if kind == "ip":
        try:
            ipaddress.ip_network(rule)
        except ValueError:
            return False
        return True
    if kind == "dns":
        return rule == "*" or names.is_dns_name(rule.lower().removeprefix("*."), wildcard=False)
    return kind in {"email", "uri"} and bool(rule) and rule.isprintable()


def _is_allowed(text: str) -> bool:
    kind, _, rule = text.partition(":")
    return is_pattern(text) or (kind == "cn" and bool(rule) and rule.isprintable())


def _is_purpose(text: str) -> bool:
    try:
        (oid,) = certs.extended([text])
    except ValueError:
        return False
    return oid not in _NOT_FOR_SUBSCRIBERS


def _fixed_subject(value: Any) -> str:
    if not isinstance(value, dict):
        return "It must be an object of attribute and value."
    try:
        names.subject_of([(str(name), str(text)) for name, text in value.items()])
    except names.BadName as error:
        return str(error)
    return "" if all(isinstance(text, str) for text in value.values()) else "Values are strings."


def _key_algorithms(value: Any) -> str:
    if value == []:
        return "At least one key algorithm is needed."
    return _strings(value, KEY_ALGORITHMS.__contains__, "is no key algorithm of ours")


def _lifetime(value: Any) -> str:
    if not isinstance(value, timedelta) or not timedelta(minutes=5) <= value <= MAX_LIFETIME:
        return "It must be 5 minutes to 10 years."
    return ""


def _key_usage(value: Any) -> str:
    problem = _strings(
        value,
        lambda text: text in certs.KEY_USAGES and text not in _SIGNING_USAGES,
        "is no key usage of a subscriber",
    )
    # RFC 5280 §4.2.1.3: without keyAgreement these two mean nothing, and cannot be encoded.
    if not problem and _ONLY & set(value) and "keyAgreement" not in value:
        return "encipherOnly and decipherOnly need keyAgreement."
    return problem


_ONLY = {"encipherOnly", "decipherOnly"}
_SIGNING_USAGES = {"keyCertSign", "cRLSign"}
_CHECKS: dict[str, Callable[[Any], str]] = {
    "key_algorithms": _key_algorithms,
    "max_lifetime": _lifetime,
    "key_usage": _key_usage,
    "extended_key_usage": lambda value: _strings(
        value, _is_purpose, "is no extended key usage of a subscriber"
    ),
    "allowed_sans": lambda value: _strings(value, _is_allowed, "is no pattern"),
    "required_sans": lambda value: _strings(value, is_pattern, "is no pattern"),
    "subject_attributes": lambda value: _strings(
        value, names.ATTRIBUTES.__contains__, "is no subject attribute"
    ),
    "fixed_subject": _fixed_subject,
    "approval_required_for": lambda value: _strings(
        value, MAY_NEED_APPROVAL.__contains__, "is no kind of job that can wait for approval"
    ),
}

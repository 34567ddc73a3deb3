"""The one check of a request against a profile, for every door."""

import contextlib
import fnmatch
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from foundation.errors import FieldError, Invalid
from issuers.models import Issuer, Profile
from issuers.services import foreseen
from issuers.x509 import certs, names
from issuers.x509 import csr as requests

MAX_COMMON_NAME = 64  # RFC 5280 appendix A.1, ub-common-name
# How a subject begins with what the profile sets, whatever order the database kept it in.
_ORDER = ("C", "ST", "L", "STREET", "DC", "O", "OU", "serialNumber", "UID", "CN")
_AUTHORITY_ENDS = re.compile(r"[/?#\\]")  # browsers read a backslash as a slash
MIN_RSA_EXPONENT, MAX_RSA_EXPONENT = 65537, 1 << 256  # BR 6.1.6


class CSRRejected(Invalid):
    """The request is readable, but the profile does not allow it."""

    code = "csr_rejected"
    message = "The profile does not allow this request."


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request that the profile allows, and what will be signed for it."""

    csr: x509.CertificateSigningRequest
    subject: x509.Name
    sans: list[str]
    key_algorithm: str
    key_size: int | None


def check_csr(
    *,
    csr_pem: str | bytes,
    profile: Profile,
    common_name: str = "",
    sans: Sequence[str] = (),
    issuer: Issuer | None = None,
) -> CheckedRequest:
    """Check a CSR against `profile`, and against the names that it is for where they are given.

    Names given must be those of the CSR, no more and no less; a CSR without names takes those
    given. The common name must be one of the DNS or IP names (BR 7.1.4.3). Extensions that we do
    not know are ignored unless critical. What would not verify is refused as well: usages that do
    not go with the key or the purposes, and, where `issuer` is one of our own CAs, names that it
    may not certify and purposes that it does not serve. Raises MalformedCSR or CSRRejected, whose
    `errors` name everything that is wrong at once.
    """
    csr = requests.parse(csr_pem)
    asked = requests.requested(csr)
    errors: list[FieldError] = []
    if profile.is_ca or not profile.enabled:
        errors.append(FieldError("profile", "profile_disabled", "Nothing is issued under it."))
    if asked.wants_ca:
        errors.append(FieldError("csr", "ca_requested", "The request asks for a CA certificate."))
    errors.extend(
        FieldError("csr", "critical_extension", f"The critical extension {oid} is not issued.")
        for oid in asked.critical_unknown
    )
    errors.extend(_key_errors(csr, asked, profile))
    wanted, found = _names(asked.sans, sans, errors)
    subject_pairs = _subject(asked.subject, common_name, wanted, profile, errors)
    if found:
        identities = [value for name, value in subject_pairs if name == "CN"]
        needs_one = not any(_is_identity(value, profile) for value in identities)
        errors.extend(_san_errors(wanted, profile, needs_one=needs_one))
    try:
        subject = names.subject_of(subject_pairs)
    except names.BadName as error:
        errors.append(FieldError("subject", "bad_name", str(error)))
    if not errors:
        errors.extend(foreseen.errors(csr, subject, wanted, profile, issuer))
    if errors:
        raise CSRRejected(_sentence(errors), errors=errors)
    return CheckedRequest(csr, subject, wanted, asked.key_algorithm, asked.key_size)


def _sentence(errors: list[FieldError]) -> str:
    return " ".join([CSRRejected.message, *(error["detail"] for error in errors)])


def allows_key(profile: Profile, algorithm: str, size: int | None) -> bool:
    """Whether the profile allows such a key; "rsa-2048" allows larger RSA keys too."""
    for allowed in profile.key_algorithms:
        if allowed == algorithm and algorithm != "rsa":
            return True
        if algorithm == "rsa" and allowed.startswith("rsa-"):
            return size is not None and any(
                size >= int(text.removeprefix("rsa-"))
                for text in profile.key_algorithms
                if text.startswith("rsa-")
            )
    return False


def matches(pattern: str, name: str) -> bool:
    """Whether a name ("dns:…") meets a profile's pattern.

    `dns:*.example.com` means any depth below example.com, never example.com itself; an IP pattern
    is a network; e-mail and URI patterns are globs, and those of a URI's authority never reach
    into its path.
    """
    kind, _, rule = pattern.partition(":")
    name_kind, _, value = name.partition(":")
    if kind != name_kind:
        return False
    if kind == "ip":
        return ipaddress.ip_address(value) in ipaddress.ip_network(rule)
    if kind == "dns":
        return _dns_matches(rule.lower(), value)
    if kind == "uri":
        return _uri_matches(rule, value)
    return fnmatch.fnmatchcase(value, rule)


def _dns_matches(rule: str, value: str) -> bool:
    if not rule.startswith("*."):
        return rule in {"*", value}
    bare = value.removeprefix("*.")
    # *.example.com as a *name* is a name below example.com.
    return bare.endswith(rule[1:]) or (value.startswith("*.") and bare == rule[2:])


def _uri_matches(rule: str, value: str) -> bool:
    """Compare scheme, authority and the rest each with its own part of the pattern.

    Else `https://*.example.com/*` would allow `https://evil.test/.example.com/`.
    """
    rule_scheme, slashes, rule_rest = rule.partition("://")
    scheme, value_slashes, rest = value.partition("://")
    if not slashes or not value_slashes:
        # Without an authority (urn:…), or "*" for all there is.
        return fnmatch.fnmatchcase(value, rule) and (not value_slashes or rule == "*")
    if not fnmatch.fnmatchcase(scheme, rule_scheme):
        return False
    if rule_rest == "*":
        return True
    # In a pattern "?" is a glob, so only a slash ends its authority.
    rule_authority, slash, rule_path = rule_rest.partition("/")
    found = _AUTHORITY_ENDS.search(rest)
    end = found.start() if found else len(rest)
    authority, path = rest[:end], rest[end:]
    if "@" in authority and "@" not in rule_authority:
        return False  # https://example.com@evil.test: before the "@" is a user, not a host
    same_host = fnmatch.fnmatchcase(authority, rule_authority)
    return same_host and fnmatch.fnmatchcase(path, slash + rule_path)


def _key_errors(
    csr: x509.CertificateSigningRequest, asked: requests.Requested, profile: Profile
) -> list[FieldError]:
    key = csr.public_key()
    if not allows_key(profile, asked.key_algorithm, asked.key_size):
        size = f" of {asked.key_size} bits" if asked.key_algorithm == "rsa" else ""
        return [
            FieldError(
                "csr",
                "key_not_allowed",
                f"The key ({asked.key_algorithm}{size}) is not among those allowed:"
                f" {', '.join(profile.key_algorithms)}.",
            )
        ]
    if isinstance(key, rsa.RSAPublicKey):
        exponent = key.public_numbers().e
        if exponent % 2 == 0 or not MIN_RSA_EXPONENT <= exponent < MAX_RSA_EXPONENT:
            return [FieldError("csr", "weak_key", "The RSA exponent must be odd and ≥ 65537.")]
        if key.key_size % 8:  # BR 6.1.5
            return [FieldError("csr", "weak_key", "An RSA key has a multiple of 8 bits.")]
    return []


def _names(
    in_csr: list[str], given: Sequence[str], errors: list[FieldError]
) -> tuple[list[str], bool]:
    """Return the names to sign, and whether they are well-formed."""
    try:
        wanted = list(dict.fromkeys(names.normal(text) for text in given))
    except (names.BadName, AttributeError, TypeError) as error:
        errors.append(FieldError("sans", "bad_name", str(error)))
        return [], False
    if not given:
        return in_csr, True
    if in_csr and set(in_csr) != set(wanted):
        extra, missing = sorted(set(in_csr) - set(wanted)), sorted(set(wanted) - set(in_csr))
        parts = [f"it has {', '.join(extra)} besides"] if extra else []
        parts += [f"it lacks {', '.join(missing)}"] if missing else []
        errors.append(
            FieldError("csr", "names_differ", f"The CSR's names differ: {'; '.join(parts)}.")
        )
    return wanted, True


def _subject(
    in_csr: list[tuple[str, str]],
    common_name: str,
    sans: list[str],
    profile: Profile,
    errors: list[FieldError],
) -> list[tuple[str, str]]:
    """Return the subject to sign: what the request carries and the profile sets."""
    allowed = set(profile.subject_attributes)
    pairs: list[tuple[str, str]] = []
    for name, value in in_csr:
        if name in profile.fixed_subject:
            continue  # The profile's own value stands, whatever the request says.
        if name not in allowed:
            errors.append(
                FieldError("csr", "subject_not_allowed", f"The subject may not carry {name}.")
            )
        elif not names.is_printable(value):
            errors.append(FieldError("csr", "bad_name", f"The subject's {name} is malformed."))
        else:
            pairs.append((name, value))
    _take_common_name(pairs, common_name, sans, profile, errors)
    fixed = {name: str(value) for name, value in profile.fixed_subject.items()}
    if "CN" in fixed:
        _check_common_name(fixed["CN"], sans, profile, errors)
    return [*sorted(fixed.items(), key=lambda pair: _ORDER.index(pair[0])), *pairs]


def _take_common_name(
    pairs: list[tuple[str, str]],
    asked: str,
    sans: list[str],
    profile: Profile,
    errors: list[FieldError],
) -> None:
    """Put the common name that was asked for first, where the CSR has none; check what there is."""
    common = [value for name, value in pairs if name == "CN"]
    if len(common) > 1:
        errors.append(FieldError("csr", "bad_name", "The subject has several common names."))
    if asked and common and common[0].lower() != asked.lower():
        errors.append(FieldError("csr", "names_differ", f"The CSR's common name is {common[0]!r}."))
    if asked and not common and "CN" not in profile.fixed_subject:
        if "CN" not in profile.subject_attributes:
            errors.append(
                FieldError("common_name", "subject_not_allowed", "No common name is allowed.")
            )
        pairs.insert(0, ("CN", asked))
        common = [asked]
    if common:
        _check_common_name(common[0], sans, profile, errors)


def _check_common_name(
    common: str, sans: list[str], profile: Profile, errors: list[FieldError]
) -> None:
    if len(common) > MAX_COMMON_NAME or not names.is_printable(common):
        errors.append(
            FieldError("common_name", "bad_name", "A common name has 64 printable characters.")
        )
    elif not _as_names(common) & set(sans) and not _is_identity(common, profile):
        errors.append(
            FieldError(
                "common_name",
                "common_name_not_in_sans",
                f"The common name {common!r} is not among the names, and the profile allows no such"
                " identity (cn:…).",
            )
        )


def _as_names(common: str) -> set[str]:
    """Return the alternative names that a common name may be the same as."""
    same = {f"dns:{common.lower()}", f"ip:{common.lower()}", f"email:{common}"}
    for kind in ("email", "uri"):
        with contextlib.suppress(names.BadName):
            same.add(names.normal(f"{kind}:{common}"))
    return same


def _is_identity(common: str, profile: Profile) -> bool:
    """Whether the profile allows a common name that is no host but who somebody is.

    Its patterns begin with "cn:". What clients would take for a host is none where the certificate
    may be a server's: it must be among the names.
    """
    purposes = certs.extended(profile.extended_key_usage)
    is_servers = not purposes or certs.EXTENDED_KEY_USAGES["serverAuth"] in purposes
    if is_servers and _looks_like_a_host(common):
        return False
    return any(matches(pattern, f"cn:{common}") for pattern in profile.allowed_sans)


def _looks_like_a_host(common: str) -> bool:
    try:
        ipaddress.ip_address(common)
    except ValueError:
        return "." in common and names.is_dns_name(common.lower())
    return True


def _san_errors(sans: list[str], profile: Profile, *, needs_one: bool) -> list[FieldError]:
    errors = []
    if not sans and needs_one:
        errors.append(FieldError("sans", "no_names", "At least one name is needed."))
    if len(sans) > profile.max_sans:
        errors.append(
            FieldError("sans", "too_many_names", f"At most {profile.max_sans} names are allowed.")
        )
        return errors
    for name in sans:
        if name.startswith("dns:*") and not profile.allow_wildcards:
            errors.append(FieldError("sans", "wildcard_not_allowed", f"{name} is a wildcard."))
        elif not any(matches(pattern, name) for pattern in profile.allowed_sans):
            errors.append(FieldError("sans", "name_not_allowed", f"{name} is not allowed."))
    errors.extend(
        FieldError("sans", "name_required", f"A name like {pattern} is required.")
        for pattern in profile.required_sans
        if not any(matches(pattern, name) for name in sans)
    )
    return errors

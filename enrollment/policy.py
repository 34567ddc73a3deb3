"""The rules of enrollment: what a label may say, and which names a device may have.

Plain functions without locks: the services call them under theirs.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography import x509
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet

from certificates.models import Certificate, CertificateName, CertificateStatus, Version
from certificates.models.names import compared
from certificates.policy import DEFAULT_WINDOW, renewal_window, revoked_for
from enrollment.models import Credential, Device, Enrollment, Label
from enrollment.states import Accepts, Protocol
from foundation.errors import Conflict, FieldError, Invalid, NotPermitted
from foundation.locks import share
from foundation.statements import Given, Rows
from issuers.models import Issuer
from issuers.services import CheckedRequest, is_pattern
from issuers.services.checking import matches
from issuers.x509 import certs, chains
from jobs.models import Job
from owners.models import Owner, Team

# RFC 7030 §3.2.2: what follows /.well-known/est/ is an operation, or a label and an operation.
RESERVED_PATHS = frozenset(
    {"cacerts", "csrattrs", "fullcmc", "serverkeygen", "simpleenroll", "simplereenroll"}
)
# One spelling each: neither case nor a dot tells two labels, or pkiclient.exe, apart.
_PATH = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_NAMES = 100
_FEW_NAMES = 16  # of what devices ask for
MAX_REASON = 500  # characters of why something is blocked
MAX_PATTERN = 255
# Parts of a subject that say which device it is, as names do.
_IDENTIFYING = (x509.NameOID.SERIAL_NUMBER, x509.NameOID.USER_ID)


class NameNotYours(NotPermitted):
    """The request has a name that its credential does not allow, or that another one holds."""

    code = "name_not_yours"
    message = "This device may not enroll that name."


class NamesChanged(NotPermitted):
    """RFC 7030 §4.2.2: subject and names of a renewal are those of what it renews."""

    code = "names_changed"
    message = "Subject and names of a renewal must be those of the certificate that is shown."


class Blocked(NotPermitted):
    """The device, its credential or its label was blocked."""

    code = "blocked"
    message = "This device is blocked."


class NotAccepted(NotPermitted):
    """The label does not take what was shown."""

    code = "not_accepted"
    message = "This label does not accept what was shown."


class OtherRequestOpen(Conflict):
    """The device asked for something else for the same names, and that is not over."""

    code = "other_request_open"
    message = "Another request for these names is open: wait until it is decided."


class TransactionTaken(Conflict):
    """RFC 8894 §3.2.1.1: one transaction is one request, from its start to its finish."""

    code = "transaction_taken"
    message = "Another request of this device has this transactionID: the key or the names differ."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, as two requests are compared."""

    checked: CheckedRequest
    key_fingerprint: str
    names_digest: str
    common_name: str

    @classmethod
    def of(cls, checked: CheckedRequest) -> "Asked":
        """Read what the check of a CSR left."""
        names = checked.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        said = [checked.subject.public_bytes(), *(name.encode() for name in sorted(checked.sans))]
        return cls(
            checked=checked,
            key_fingerprint=certs.key_fingerprint(checked.csr.public_key()),
            names_digest=hashlib.sha256(b"\0".join(said)).hexdigest(),
            common_name=str(names[-1].value) if names else "",
        )


def check_names(asked: Asked, credential: Credential | None, device: Device) -> None:
    """Raise NameNotYours where the request has a name that its credential does not allow.

    A common name must be one of the names, allowed as one, or the device's own; what else says
    which device it is (serialNumber, UID) must be the device's name. A shared credential, and a
    manufacturer's certificate (`credential` None), may ask for any name that nobody has.
    """
    patterns = credential.names if credential is not None else []
    wrong = [name for name in asked.checked.sans if patterns and not _allowed(name, patterns)]
    plain = {name.partition(":")[2] for name in asked.checked.sans} | {device.name}
    common = asked.common_name
    if common and common not in plain and not _allowed_common(common, patterns):
        wrong.append(f"CN={common}")
    wrong.extend(
        f"{attribute.rfc4514_attribute_name}={attribute.value!s}"
        for oid in _IDENTIFYING
        for attribute in asked.checked.subject.get_attributes_for_oid(oid)
        if attribute.value not in {device.name, common}
    )
    if wrong:
        allowed = f" It may enroll {', '.join(patterns)}." if patterns else ""
        raise NameNotYours(f"This device may not enroll {', '.join(wrong)}.{allowed}")


def _allowed(name: str, patterns: Sequence[str]) -> bool:
    return any(matches(pattern, name) for pattern in patterns)


def _allowed_common(common: str, patterns: Sequence[str]) -> bool:
    return any(_allowed(f"{kind}:{common}", patterns) for kind in ("dns", "email", "uri"))


def check_only_own_names(asked: Asked, credential: Credential | None, device: Device) -> None:
    """Raise NameNotYours for what may be shown by anybody, and would take over somebody's names.

    A device that is known by what it calls itself is any device that calls itself so: only what
    nobody holds is given to it. A wildcard is for names that others hold.
    """
    if credential is not None and credential.device_id is not None:
        return
    wild = [name for name in asked.checked.sans if name.startswith("dns:*")]
    if wild:
        raise NameNotYours(f"{', '.join(wild)} needs a credential of the device's own.")
    live = live_with(asked.checked.sans, asked.common_name).filter(enrollments__device=device)
    taken = live.first()
    if taken is not None:
        raise NameNotYours(
            f"{taken.name} has these names already: renew with its certificate, or ask for a "
            "credential of the device's own."
        )


def check_not_taken(asked: Asked, credential: Credential | None, enrollment: Enrollment) -> None:
    """Raise NameNotYours where a live certificate of somebody else has one of the names.

    Of another device: always. Of anybody: for a name that nobody gave this device by itself.
    To be called once the trail's head is held, so that whoever asks at the same moment is seen.
    """
    exact = set(credential.names) if credential is not None else set()
    for certificate in _others_with(asked, enrollment):
        theirs = set(certificate.sans) & set(asked.checked.sans)
        if asked.common_name and certificate.common_name == asked.common_name:
            theirs.add(f"dns:{asked.common_name}")
        if theirs and theirs <= exact and not certificate.enrollments.exists():
            continue  # whoever made the credential named it, and nobody else's device has it
        raise NameNotYours(
            f"{certificate.name} has these names already: a device may not take them over."
        )


def _others_with(asked: Asked, enrollment: Enrollment) -> Sequence[Certificate]:
    names = compared(asked.common_name, asked.checked.sans)
    if len(names) > _FEW_NAMES:
        others = _others(names, enrollment.certificate_id, enrollment.device_id)
        return list(others)
    values = {f"name{number}": name for number, name in enumerate(names)}
    return _others_of(len(names)).all(
        own=enrollment.certificate_id, device=enrollment.device_id, **values
    )


@lru_cache
def _others_of(count: int) -> Rows[Certificate]:
    """Return the question for the certificates of others that have one of so many names."""
    names = [Given(f"name{number}", CharField()) for number in range(count)]
    return Rows(lambda: _others(names, Given("own", Certificate), Given("device", Device)))


def _others(names: Sequence[Any], own: Any, device: Any) -> QuerySet[Certificate]:
    others = _live(names).exclude(pk=own)
    return others.exclude(
        Exists(Enrollment.objects.filter(certificate=OuterRef("pk"), device=device))
    )


def live_with(sans: Sequence[str], common_name: str) -> QuerySet[Certificate]:
    """Return the certificates that are not over and have one of these names.

    What waits for its first version counts, what never got one does not.
    """
    return _live(compared(common_name, sans))


def _live(compared_names: Sequence[Any]) -> QuerySet[Certificate]:
    names = CertificateName.objects.filter(value__in=compared_names)
    over = Q(status__in=(CertificateStatus.ARCHIVED, CertificateStatus.REVOKED)) | Q(
        status=CertificateStatus.FAILED, current__isnull=True
    )
    return Certificate.objects.filter(pk__in=names.values("certificate")).exclude(over)


def check_unchanged(asked: Asked, version: Version) -> None:
    """Raise NamesChanged where what would be signed has other names than `version`.

    What the profile adds counts for both, so a device may send what it sent the first time.
    """
    same_subject = certs.load(version.pem).subject == asked.checked.subject
    if not same_subject or set(version.sans) != set(asked.checked.sans):
        raise NamesChanged


def wants_approval(label: Label, *, first: bool, shared: bool) -> bool:
    """Whether the label has a request wait for approval, beyond what the profile says of its kind.

    A first enrollment is to the profile an Issuance, also where the device has a certificate.
    """
    if not first:
        return label.approve_renewals
    return (
        label.approve_first
        or label.profile.needs_approval(Job.Kind.ISSUANCE)
        or (shared and not label.trust_shared)
    )


def signs_at_once(issuer: Issuer) -> bool:
    """Whether `issuer` signs here, so that a device may wait for it on the line."""
    return issuer.kind == Issuer.Kind.LOCAL


def wants_approval_at_a_label(certificate: Certificate) -> bool:
    """Whether a label that the certificate was enrolled at has its next version wait, whoever asks.

    What comes back after a revocation is a first enrollment.
    """
    stricter = Q(approve_renewals=True)
    if revoked_for(certificate) is not None:
        stricter |= Q(approve_first=True)
    return Label.objects.filter(stricter, enrollments__certificate=certificate).exists()


def who_answers_at_labels(
    certificates: Collection[UUID],
) -> dict[UUID, list[tuple[Owner, Team | None]]]:
    """Return who answers now for the labels that certificates were enrolled at, by certificate.

    Only to refuse something; one query.

    What a label enrolled keeps the owner that it had then; whoever the label was given to since
    answers for it as well.
    """
    labels = Label.objects.filter(enrollments__certificate__in=certificates).order_by("pk")
    rows = labels.annotate(enrolled=F("enrollments__certificate")).distinct()
    answering: dict[UUID, list[tuple[Owner, Team | None]]] = {}
    for label in rows.select_related("owner__team", "team"):
        answering.setdefault(label.enrolled, []).append((label.owner, label.team))
    return answering


def hold_labels(certificate_id: UUID) -> None:
    """Have nobody give away the labels that a certificate was enrolled at until the commit."""
    share(Label, _labels_of(certificate_id).values_list("pk", flat=True))


def _labels_of(certificate_id: UUID) -> QuerySet[Label]:
    enrolled = Enrollment.objects.filter(certificate=certificate_id)
    return Label.objects.filter(pk__in=enrolled.values("label"))


def renewal_opens(version: Version, label: Label) -> datetime:
    """Return when the renewal window of `version` opens: from then on the same is asked anew."""
    window = label.renewal_policy.window if label.renewal_policy else DEFAULT_WINDOW
    return version.not_after - renewal_window(window, version.not_before, version.not_after)


def check_label(label: Label) -> None:
    """Raise Invalid, naming each field that is wrong."""
    errors = [*_path_errors(label), *_rule_errors(label), *_accept_errors(label)]
    if errors:
        raise Invalid(" ".join(error["detail"] for error in errors), errors=errors)


def _path_errors(label: Label) -> Iterator[FieldError]:
    if not _PATH.fullmatch(label.path):
        yield FieldError("path", "invalid", "Use a-z, 0-9 and single hyphens between them.")
    if label.path in RESERVED_PATHS:
        yield FieldError("path", "reserved", f"{label.path} is an operation of EST, and no label.")


def _rule_errors(label: Label) -> Iterator[FieldError]:
    profile = label.profile
    if profile.is_reserved or not profile.enabled:
        yield FieldError("profile", "profile_disabled", f"Nothing is issued under {profile}.")
    if not profile.allows(label.issuer):
        yield FieldError(
            "issuer", "issuer_not_allowed", f"{profile} does not allow {label.issuer}."
        )
    if label.renewal_policy is not None and label.renewal_policy.auto_renew:
        yield FieldError(
            "renewal_policy",
            "auto_renew",
            f"{label.renewal_policy} renews by itself, and would take a device's certificate out "
            "of its hands: choose one without auto-renew.",
        )
    if label.hourly_limit < 1:
        yield FieldError("hourly_limit", "min_value", "A device must be able to ask once an hour.")
    if label.server_keys and label.protocol != Protocol.EST:
        yield FieldError("server_keys", "est_only", "Only EST has server-made keys.")
    if label.server_keys and wants_approval(label, first=True, shared=False):
        yield FieldError(
            "server_keys", "never_with_approval", "Keys are made here only where nothing waits."
        )
    if label.protocol == Protocol.SCEP and not any(
        one.startswith("rsa-") for one in profile.key_algorithms
    ):
        yield FieldError(
            "profile",
            "no_rsa",
            f"SCEP answers are encrypted to RSA keys, and {profile} allows none: choose a profile "
            "that does, or EST for keys of other kinds.",
        )
    if label.legacy_algorithms and label.protocol != Protocol.SCEP:
        yield FieldError("legacy_algorithms", "scep_only", "Only SCEP has old algorithms.")


def _accept_errors(label: Label) -> Iterator[FieldError]:
    unknown = sorted(set(label.accepts) - set(Accepts.values))
    if unknown:
        yield FieldError(
            "accepts", "invalid", f"{unknown[0]!r} is none of {', '.join(Accepts.values)}."
        )
    wants_anchors = Accepts.MANUFACTURER in label.accepts
    if wants_anchors and not label.trust_anchors_pem.strip():
        yield FieldError(
            "trust_anchors_pem", "required", "Manufacturers' certificates need their CAs."
        )
    try:
        anchors = anchors_of(label)
    except ValueError:
        yield FieldError("trust_anchors_pem", "invalid", "These are no certificates in PEM.")
        return
    if not all(chains.is_ca(anchor) for anchor in anchors):
        yield FieldError("trust_anchors_pem", "no_ca", "One of these is no CA's certificate.")


def anchors_of(label: Label) -> list[x509.Certificate]:
    """Return the manufacturers' CAs of a label; raises ValueError for what is no PEM."""
    return certificates_in(label.trust_anchors_pem)


def certificates_in(pem: str) -> list[x509.Certificate]:
    """Return the certificates of a text, none of an empty one; raises ValueError for no PEM."""
    text = pem.strip()
    return x509.load_pem_x509_certificates(text.encode()) if text else []


def check_reason(reason: str) -> None:
    """Raise Invalid where the reason of a block is too long."""
    if len(reason) > MAX_REASON:
        raise Invalid(
            errors=[FieldError("reason", "too_long", f"At most {MAX_REASON} characters.")]
        )


def pattern_errors(names: Iterable[str]) -> Iterator[FieldError]:
    """Yield what is wrong with the names that a credential is to allow."""
    names = list(names)
    if len(names) > MAX_NAMES:
        yield FieldError("names", "too_many", f"At most {MAX_NAMES} names.")
    for name in names:
        if len(name) > MAX_PATTERN:
            yield FieldError("names", "max_length", f"Use up to {MAX_PATTERN} characters a name.")
        elif not is_pattern(name):
            yield FieldError(
                "names",
                "invalid",
                f"{name[:80]!r} is no name such as dns:cam-17.example.com, ip:10.0.0.7, "
                "email:cam@example.com or uri:urn:cam:17; a * may stand for a part.",
            )

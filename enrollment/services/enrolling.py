"""A device's request: made once, however often it is asked, under the locks that decide it.

Locks in the order Label (shared) → Device → Credential, then the house's (docs/architecture.md).
"""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from uuid import UUID

from django.utils import timezone

import issuers.services
import jobs.services
from audit.services import gathered, record
from audit.use_cases import DEVICES, use_case, whole
from certificates.models import Certificate, Version
from certificates.policy import has_leaked
from certificates.services import move_under
from enrollment import policy
from enrollment.models import Credential, Device, Enrollment, Label, device_name
from enrollment.policy import Asked
from enrollment.services.answers import tell_collected
from enrollment.services.before import (
    check_limit,
    check_transaction,
    has_asked,
    own,
    same,
    spent_on,
)
from enrollment.services.callers import Caller, CertificateRefused, InvalidCredential
from enrollment.states import Accepts
from foundation.locks import share
from foundation.statements import Given, Rows, insert, update, written_once
from jobs.models import Job
from jobs.services import (
    DuplicateJob,
    ForDevice,
    request_issuance,
    request_renewal,
    sign_at_once,
)
from owners.models import Principal

SIGNING = (Job.Kind.ISSUANCE, Job.Kind.RENEWAL)


@use_case("enrollment.request", on=Label, by="label_id", doors=DEVICES)
def enroll(  # noqa: PLR0913 - what a request is made of
    *,
    actor: Principal,
    label_id: UUID,
    caller: Caller,
    csr_pem: str,
    transaction: str = "",
    at_once: bool = False,
) -> Enrollment:
    """Ask for what a device wants, or return what it asked for before: the same is one request.

    The same is what the same device asks for the same key and names, until the renewal window of
    what it got opens. With `at_once` what need not wait is signed in the same transaction, where a
    key of ours does it, and noted as collected (`Enrollment.issued`). Raises Blocked, NotAccepted,
    NameNotYours, NamesChanged, InvalidCredential (a one-time one that stands for another request),
    CertificateRefused, OtherRequestOpen, TooMany and what the request of a certificate raises
    (CSRRejected, Invalid).
    """
    label = open_label(label_id)
    checked = issuers.services.check_csr(
        csr_pem=csr_pem, profile=label.profile, issuer=label.issuer
    )
    asked = Asked.of(checked)
    wish = _Wish(csr_pem, transaction, caller.signing_key, at_once)
    if caller.version is not None:
        with gathered(), whole():
            enrollment = _renew(actor, label, caller.version, asked, wish)
    else:
        enrollment = _enroll_first(actor, label, caller, asked, wish)
    _call(enrollment, transaction, caller.signing_key)
    return enrollment


@dataclass(frozen=True, slots=True)
class _Wish:
    """A request as it came: what SCEP calls it and by which key, and whether to sign it now."""

    csr_pem: str
    transaction: str
    key: str
    at_once: bool


def _enroll_first(
    actor: Principal, label: Label, caller: Caller, asked: Asked, wish: _Wish
) -> Enrollment:
    credential = None
    if caller.credential is not None:
        credential = caller.known or _CREDENTIAL.get(pk=caller.credential)
    with gathered(), whole():
        enrollment, is_new = _enroll(actor, label, credential, asked, wish, caller)
    # The head is held now, and until the commit.
    if is_new:
        policy.check_not_taken(asked, credential, enrollment)
    return enrollment


def _call(enrollment: Enrollment, transaction: str, key: str) -> None:
    """Keep what the device calls its request, the last time that it made it, and by which key.

    The caller holds the device's lock.
    """
    if transaction and (enrollment.transaction, enrollment.transaction_key) != (transaction, key):
        enrollment.transaction, enrollment.transaction_key = transaction, key
        enrollment.save(update_fields=["transaction", "transaction_key"])


def open_label(label_id: UUID) -> Label:
    """Return the label as it stands, held so that nobody blocks it meanwhile; raises Blocked."""
    share(Label, [label_id])
    label = _LABEL.get(pk=label_id)
    if not label.enabled:
        raise policy.Blocked(f"The label {label} is blocked.")
    return label


def _enroll(  # noqa: PLR0913, PLR0917 - what a request is made of
    actor: Principal,
    label: Label,
    credential: Credential | None,
    asked: Asked,
    wish: _Wish,
    caller: Caller,
) -> tuple[Enrollment, bool]:
    """Return the request, and whether it is made now."""
    _check_accepted(label, credential)
    device = _device(actor, label, credential, caller.manufactured or asked.common_name, asked)
    vouched_by = _who_brought(label, caller.anchor) if credential is None else credential.created_by
    if credential is not None:
        credential = Credential.objects.lock(credential.pk)
        credential.label = label
        is_spent = credential.one_time and credential.spent_on_id is not None
        # What it brought may wait for longer than it was to be used.
        may = credential.disabled_at is None if is_spent else credential.is_usable(timezone.now())
        if not may:
            raise policy.Blocked("This credential is blocked or has expired.")
        if is_spent:
            return spent_on(credential, asked), False
    is_first = not has_asked(device)
    before = None if is_first else same(device, asked, label)
    if before is not None:
        return before, False
    policy.check_names(asked, credential, device)
    policy.check_only_own_names(asked, credential, device)
    is_shared = credential is None or credential.device_id is None
    enrollment = Enrollment(
        label=label,
        device=device,
        credential=credential,
        anchor=caller.anchor if credential is None else "",
    )
    # Its certificate and job are new then, and are written when they are what they come to.
    with written_once() if is_first else nullcontext():
        request = _ask(
            actor,
            enrollment,
            asked,
            wish,
            ForDevice(
                f"{label}/{device.name}",
                vouched_by,
                policy.wants_approval(label, first=True, shared=is_shared),
            ),
            is_first=is_first,
        )
        if credential is not None and credential.one_time:
            credential.spent_on = enrollment
            if credential.device_id is not None:
                credential.device = device
            update(credential, ["spent_on"])
            record(
                actor=actor, action="credential.spend", subject=credential, on=str(enrollment.pk)
            )
        _conclude(actor, enrollment, asked, request, wish)
    return enrollment, True


def _renew(
    actor: Principal, label: Label, version_id: UUID, asked: Asked, wish: _Wish
) -> Enrollment:
    enrolled = (
        Enrollment.objects.filter(label=label, certificate__versions=version_id)
        .order_by("-created_at")
        .first()
    )
    if enrolled is None:
        raise CertificateRefused
    device = Device.objects.lock(enrolled.device_id)
    _check_not_blocked(device)
    certificate = Certificate.objects.lock(enrolled.certificate_id)
    version = Version.objects.select_related("csr_by", "revocation").get(pk=version_id)
    now = timezone.now()
    if hasattr(version, "revocation") or not version.not_before <= now < version.not_after:
        raise CertificateRefused("The certificate that was shown is revoked or not valid now.")
    if has_leaked(version.key_fingerprint):
        raise CertificateRefused("The key of the certificate that was shown has leaked.")
    policy.check_unchanged(asked, version)
    if version.superseded_at is not None:
        return _answer_that_replaced(certificate, version, asked, label, device)
    before = same(device, asked, label)
    if before is not None:
        return before
    enrollment = Enrollment(label=label, device=device, presented=version)
    request = _ask(
        actor,
        enrollment,
        asked,
        wish,
        ForDevice(
            f"{label}/{device.name}",
            version.csr_by or label.anchors_by or label.created_by or actor,
            policy.wants_approval(label, first=False, shared=False),
        ),
        certificate=certificate,
    )
    _conclude(actor, enrollment, asked, request, wish)
    return enrollment


def _answer_that_replaced(
    certificate: Certificate, version: Version, asked: Asked, label: Label, device: Device
) -> Enrollment:
    """Return the request that replaced `version`: all that a superseded certificate may fetch."""
    current = certificate.current
    if current is None or current.key_fingerprint != asked.key_fingerprint:
        raise CertificateRefused(
            "The certificate that was shown was replaced: show the one that replaced it."
        )
    before = same(device, asked, label)
    if before is not None and before.job.version_id == current.pk:
        return before
    # Somebody here had the same key renewed: the device fetches it as if it had asked itself.
    job = Job.objects.get(version=current, kind__in=SIGNING)
    if (known := Enrollment.objects.filter(job=job).first()) is not None:
        return known
    return Enrollment.objects.create(
        label=label,
        device=device,
        presented=version,
        certificate=certificate,
        job=job,
        key_fingerprint=asked.key_fingerprint,
        names_digest=asked.names_digest,
    )


def _ask(  # noqa: PLR0913 - what a request is made of
    actor: Principal,
    enrollment: Enrollment,
    asked: Asked,
    wish: _Wish,
    device: ForDevice,
    *,
    certificate: Certificate | None = None,
    is_first: bool = False,
) -> jobs.services.Asked:
    """Ask for the job of a request, which is not saved yet; `is_first` is a device's very first."""
    label = enrollment.label
    enrollment.transaction = wish.transaction
    enrollment.transaction_key = wish.key if wish.transaction else ""
    check_transaction(enrollment, label)
    known = certificate
    if not is_first:
        check_limit(enrollment.device, label)
        known = known or own(enrollment.device, asked)
    device = replace(device, at_once=policy.signs_at_once(label.issuer), checked=asked.checked)
    try:
        if known is not None:
            # The label says who signs, and under which rules, also where it said otherwise once.
            move_under(
                certificate=Certificate.objects.lock(known.pk),
                issuer=label.issuer,
                profile=label.profile,
                actor=actor,
            )
            request = request_renewal(
                actor=actor, certificate_id=known.pk, csr_pem=wish.csr_pem, device=device
            )
        else:
            request = request_issuance(
                actor=actor,
                owner=label.owner,
                team=label.team,
                issuer=label.issuer,
                profile=label.profile,
                renewal_policy=label.renewal_policy,
                environment=label.environment,
                tags=label.tags,
                csr_pem=wish.csr_pem,
                device=device,
            )
    except DuplicateJob:
        raise policy.OtherRequestOpen from None
    enrollment.certificate, enrollment.job = request.job.certificate, request.job
    enrollment.key_fingerprint = asked.key_fingerprint
    enrollment.names_digest = asked.names_digest
    enrollment.remote_address = actor.via.remote_address
    return request


def _conclude(
    actor: Principal,
    enrollment: Enrollment,
    asked: Asked,
    request: jobs.services.Asked,
    wish: _Wish,
) -> None:
    """Sign what need not wait, where that is wished for, and save the request.

    What is signed here goes out with this answer: it is noted as collected.
    """
    if wish.at_once and policy.signs_at_once(enrollment.label.issuer):
        if enrollment.presented_id is None:
            # Asked again once the head is held; until then nothing is signed that shows already.
            policy.check_not_taken(asked, enrollment.credential, enrollment)
        enrollment.issued = sign_at_once(asked=request, actor=Principal.objects.system())
    if enrollment.issued is not None:
        enrollment.collected_at = timezone.now()
    insert(enrollment)
    if enrollment.issued is not None:
        tell_collected(actor, enrollment, enrollment.issued)


def _who_brought(label: Label, anchor: str) -> Principal:
    """Return who brought the trust anchor that let a device in; raises where it was taken away."""
    maker = label.anchor_makers.get(anchor)
    if maker is None:
        raise CertificateRefused("The trust anchor of the certificate that was shown is gone.")
    return Principal.objects.get(pk=maker)


def _check_accepted(label: Label, credential: Credential | None) -> None:
    if credential is None:
        wanted = Accepts.MANUFACTURER
    else:
        if credential.label_id != label.pk:
            raise InvalidCredential
        wanted = Accepts.LABEL_SECRET if credential.device_id is None else Accepts.SECRET
    if wanted not in label.accepts:
        raise policy.NotAccepted(f"The label {label} does not accept {wanted.label}.")


def _device(
    actor: Principal, label: Label, credential: Credential | None, name: str, asked: Asked
) -> Device:
    """Return the device that asks, locked; raises Blocked, NameNotYours.

    What comes by a credential of its own is that device. Who shows only what all share is known by
    what the request calls it, and is never taken for a device that somebody here announced.
    """
    if credential is not None and credential.device_id is not None:
        device = Device.objects.lock(credential.device_id)
    else:
        first = asked.checked.sans[0].partition(":")[2] if asked.checked.sans else ""
        row, made = Device.objects.get_or_create(
            label=label, name=device_name(name or first), defaults={"announced": False}
        )
        if made:
            record(actor=actor, action="device.create", subject=row, announced=False)
        device = Device.objects.lock(row.pk)
        if device.announced:
            raise policy.NameNotYours(
                f"{device.name} is a device with credentials of its own: use those."
            )
    _check_not_blocked(device)
    return device


def _check_not_blocked(device: Device) -> None:
    if device.blocked_at is not None:
        raise policy.Blocked


_LABEL: Rows[Label] = Rows(
    lambda: (
        Label.objects.select_related("issuer", "profile", "renewal_policy", "owner", "team")
        .filter(pk=Given("pk", Label))
        .order_by()
    )
)
_CREDENTIAL: Rows[Credential] = Rows(
    lambda: (
        Credential.objects.select_related("created_by")
        .filter(pk=Given("pk", Credential))
        .order_by()
    )
)

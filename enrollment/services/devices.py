"""Use cases on devices and their credentials: announced, given a secret, blocked at once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.changes import change
from audit.services import Entry, record, record_many
from audit.use_cases import use_case
from certificates.models import Version
from enrollment import policy, secret_texts
from enrollment.models import MAX_DEVICE_NAME, Credential, Device, Enrollment, Label
from foundation.errors import Conflict, FieldError, Invalid
from foundation.preconditions import as_expected
from jobs.models import Job
from jobs.services import cancel_held, hold_to_cancel
from owners.models import Principal

MAX_AT_ONCE = 5000
BATCH = 500


class DeviceTaken(Conflict):
    """The label has a device of that name."""

    code = "device_taken"
    message = "This label has a device of that name already."


@dataclass(frozen=True, slots=True)
class NewCredential:
    """One credential to be made: for a device, which is announced where it is new, or for all."""

    device: str = ""
    names: Sequence[str] = ()
    one_time: bool = True
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A credential, and its text, which is never to be seen again."""

    credential: Credential
    text: str


@use_case("device.create", on=Label)
def create_device(*, actor: Principal, label_id: UUID, name: str) -> Device:
    """Announce a device at a label; raises DeviceTaken, Invalid, Label.DoesNotExist."""
    if not name:
        raise Invalid(errors=[FieldError("name", "required", "A device has a name.")])
    if errors := list(_name_errors("name", name)):
        raise Invalid(errors=errors)
    label = Label.objects.get(pk=label_id)
    device = _announced(actor, label, name)
    if device is None:
        raise DeviceTaken(errors=[FieldError("name", DeviceTaken.code, DeviceTaken.message)])
    return device


@use_case("credential.create", on=Label)
def create_credentials(
    *, actor: Principal, label_id: UUID, wanted: Sequence[NewCredential], numbered: bool = False
) -> list[Made]:
    """Make credentials, all or none of them; whoever makes one counts among those who ask by it.

    Raises Invalid: its fields are "device" and so on, with the row's number before them where
    several are made, or they come from a table (`numbered`).
    """
    label = Label.objects.get(pk=label_id)
    _check(wanted, numbered=numbered or len(wanted) > 1)
    devices, announced = _announce_all(actor, label, {one.device for one in wanted if one.device})
    made = []
    for one in wanted:
        text, prefix, digest = secret_texts.make()
        credential = Credential(
            label=label,
            device=devices[one.device] if one.device else None,
            names=list(one.names),
            prefix=prefix,
            digest=digest,
            one_time=one.one_time,
            expires_at=one.expires_at,
            created_by=actor,
        )
        made.append(Made(credential, text))
    Credential.objects.bulk_create((one.credential for one in made), batch_size=BATCH)
    # One step of the trail: nobody waits for its head while thousands are made.
    record_many(
        [
            *(Entry(actor, "device.create", device, {"announced": True}) for device in announced),
            *(_created(actor, one.credential) for one in made),
        ]
    )
    return made


@use_case("credential.block", on=Credential)
def block_credential(*, actor: Principal, credential_id: UUID) -> Credential:
    """Have a credential enroll nothing any more; what it brought and is still open ends."""
    credential = as_expected(actor, Credential.objects.lock(credential_id))
    open_jobs, actor = _hold_open(actor, Enrollment.objects.filter(credential=credential))
    if credential.disabled_at is None:
        credential.disabled_at = timezone.now()
        credential.save(update_fields=["disabled_at"])
        record(
            actor=actor,
            action="credential.block",
            subject=credential,
            changes=change("disabled_at", None, credential.disabled_at),
        )
    cancel_held(jobs=open_jobs, actor=actor, reason="Its credential was blocked.")
    return credential


@use_case("device.block", on=Device)
def block_device(*, actor: Principal, device_id: UUID, reason: str = "") -> Device:
    """Have a device enroll, renew and collect nothing from now on; its open requests end.

    What it holds stays valid until it is revoked: `holds` lists it.
    """
    policy.check_reason(reason)
    device = as_expected(actor, Device.objects.lock(device_id))
    open_jobs, actor = _hold_open(actor, Enrollment.objects.filter(device=device))
    if device.blocked_at is None:
        device.blocked_at, device.blocked_because = timezone.now(), reason
        device.save(update_fields=["blocked_at", "blocked_because"])
        record(
            actor=actor,
            action="device.block",
            subject=device,
            changes=change("blocked_at", None, device.blocked_at),
            reason=reason,
        )
    cancel_held(jobs=open_jobs, actor=actor, reason=f"The device {device} was blocked.")
    return device


@use_case("device.unblock", on=Device)
def unblock_device(*, actor: Principal, device_id: UUID) -> Device:
    """Let a blocked device ask again."""
    device = as_expected(actor, Device.objects.lock(device_id))
    if device.blocked_at is not None:
        before, device.blocked_at, device.blocked_because = device.blocked_at, None, ""
        device.save(update_fields=["blocked_at", "blocked_because"])
        record(
            actor=actor,
            action="device.unblock",
            subject=device,
            changes=change("blocked_at", before, None),
        )
    return device


def holds(enrolled: QuerySet[Enrollment]) -> QuerySet[Version]:
    """Return the versions that these enrollments brought and that relying parties still accept."""
    return (
        Version.objects.filter(
            certificate__in=enrolled.values("certificate"),
            not_after__gt=timezone.now(),
            revocation__isnull=True,
        )
        .select_related("certificate", "issuer")
        .order_by("not_after", "pk")
    )


def _hold_open(actor: Principal, enrolled: QuerySet[Enrollment]) -> tuple[Sequence[Job], Principal]:
    """Return what is open, held before the trail is: whoever blocks must be one who may cancel."""
    jobs = Job.objects.under_way().filter(pk__in=enrolled.values("job"))
    return hold_to_cancel(jobs=jobs, actor=actor)


def _created(actor: Principal, credential: Credential) -> Entry:
    return Entry(
        actor,
        "credential.create",
        credential,
        {
            "device": credential.device.name if credential.device else "",
            "names": credential.names,
            "one_time": credential.one_time,
            "expires_at": credential.expires_at.isoformat() if credential.expires_at else None,
        },
    )


def _announce_all(
    actor: Principal, label: Label, names: Collection[str]
) -> tuple[dict[str, Device], list[Device]]:
    """Return the devices of these names, all of them announced, and which of them are new."""
    there = Device.objects.filter(label=label, name__in=names)
    there.filter(announced=False).update(announced=True)
    known = set(there.values_list("name", flat=True))
    fresh = [
        Device(label=label, name=name, created_by=actor) for name in sorted(set(names) - known)
    ]
    # Somebody else may announce one at this moment: theirs is as good.
    Device.objects.bulk_create(fresh, batch_size=BATCH, ignore_conflicts=True)
    devices = {device.name: device for device in there.all()}
    for device in devices.values():
        device.label = label  # so that nothing asks for it again, device by device
    return devices, [device for device in fresh if devices[device.name].pk == device.pk]


def _announced(actor: Principal, label: Label, name: str) -> Device | None:
    """Return a new device; None where the label has one of that name, which is announced now."""
    try:
        with transaction.atomic():
            device = Device.objects.create(label=label, name=name, created_by=actor)
    except IntegrityError:
        Device.objects.filter(label=label, name=name, announced=False).update(announced=True)
        return None
    record(actor=actor, action="device.create", subject=device, announced=True)
    return device


def _check(wanted: Sequence[NewCredential], *, numbered: bool) -> None:
    if len(wanted) > MAX_AT_ONCE:
        raise Invalid(f"At most {MAX_AT_ONCE} credentials are made at once.")
    errors = [
        FieldError(
            f"{number}.{error['field']}" if numbered else error["field"],
            error["code"],
            error["detail"],
        )
        for number, one in enumerate(wanted, 1)
        for error in _errors(one)
    ]
    if errors:
        raise Invalid(" ".join(error["detail"] for error in errors[:5]), errors=errors[:100])


def _name_errors(field: str, name: str) -> Iterable[FieldError]:
    if len(name) > MAX_DEVICE_NAME:
        yield FieldError(field, "max_length", f"Use up to {MAX_DEVICE_NAME} characters.")
    if not name.isprintable():
        yield FieldError(field, "invalid", "A device's name is printable text.")


def _errors(one: NewCredential) -> Iterable[FieldError]:
    yield from _name_errors("device", one.device)
    if one.device and not one.names:
        yield FieldError("names", "required", "Say which names the device may enroll.")
    if not one.device and one.one_time:
        yield FieldError("one_time", "shared", "What all devices share is spent by none of them.")
    if one.expires_at is not None and one.expires_at <= timezone.now():
        yield FieldError("expires_at", "past", "It must lie in the future.")
    yield from policy.pattern_errors(one.names)

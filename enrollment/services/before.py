"""What a device asked for before, and what it has: read under the device's lock."""

from datetime import timedelta

from django.conf import settings
from django.db.models import CharField, DateTimeField
from django.utils import timezone

from certificates.models import Certificate, CertificateStatus
from enrollment import policy
from enrollment.models import Credential, Device, Enrollment, Label
from enrollment.policy import Asked
from enrollment.services.answers import is_over
from enrollment.services.callers import InvalidCredential
from foundation.errors import TooMany
from foundation.statements import Given, Rows

HOUR = timedelta(hours=1)


def has_asked(device: Device) -> bool:
    """Whether the device ever asked: one that did not has nothing, and is under every limit."""
    return _EVER.exist(device=device.pk)


def check_limit(device: Device, label: Label) -> None:
    """Raise TooMany where the device has asked as often as it may in an hour."""
    now = timezone.now()
    times = [one.created_at for one in _RECENT.all(device=device.pk, since=now - HOUR)]
    if len(times) >= label.hourly_limit:
        wait = (times[-label.hourly_limit] + HOUR - now).total_seconds()
        raise TooMany(
            f"This device may ask {label.hourly_limit} times an hour.", wait=max(wait, 1.0)
        )


def check_transaction(enrollment: Enrollment, label: Label) -> None:
    """Raise TransactionTaken where the device calls another request of its own the same.

    Until that is over: gear that counts its transactions begins again some day. Another device's
    is nothing to this one, for whoever asks after a request shows its key as well.
    """
    if not enrollment.transaction:
        return
    before = (
        Enrollment.objects.filter(
            label=label, device=enrollment.device, transaction=enrollment.transaction
        )
        .select_related("job__version__revocation")
        .order_by("-created_at", "-pk")
        .first()
    )
    if before is not None and not is_over(before, label):
        raise policy.TransactionTaken


def spent_on(credential: Credential, asked: Asked) -> Enrollment:
    """Return the one request that a one-time credential stands for, if it is that again."""
    assert credential.spent_on_id is not None  # noqa: S101 - the caller has looked
    enrollment = Enrollment.objects.select_related("job").get(pk=credential.spent_on_id)
    is_same = (enrollment.key_fingerprint, enrollment.names_digest) == (
        asked.key_fingerprint,
        asked.names_digest,
    )
    collected = enrollment.collected_at
    is_open = collected is None or timezone.now() < collected + settings.ENROLLMENT_COLLECT_AGAIN
    if not is_same or not is_open or was_shown(enrollment):
        raise InvalidCredential("This credential is spent.")
    return enrollment


def was_shown(enrollment: Enrollment) -> bool:
    """Whether the device has used what it got: then it has it."""
    version = enrollment.job.version_id
    return version is not None and Enrollment.objects.filter(presented=version).exists()


def same(device: Device, asked: Asked, label: Label) -> Enrollment | None:
    """Return the same request as it was made before, unless it is over and may be made anew."""
    before = _SAME.first(device=device.pk, key=asked.key_fingerprint, names=asked.names_digest)
    if before is None or is_over(before, label):
        return None
    return before


def own(device: Device, asked: Asked) -> Certificate | None:
    """Return the certificate of the device that has the very names that are asked for."""
    theirs = _OWN.all(device=device.pk, common_name=asked.common_name)
    wanted = set(asked.checked.sans)
    return next((one for one in theirs if set(one.sans) == wanted), None)


_EVER: Rows[Enrollment] = Rows(
    lambda: Enrollment.objects.filter(device=Given("device", Device)).only("pk").order_by()[:1]
)
_SAME: Rows[Enrollment] = Rows(
    lambda: Enrollment.objects.same(
        Given("device", Device), Given("key", CharField()), Given("names", CharField())
    ).select_related("job__version__revocation", "certificate")[:1]
)
_RECENT: Rows[Enrollment] = Rows(
    lambda: (
        Enrollment.objects.filter(
            device=Given("device", Device), created_at__gt=Given("since", DateTimeField())
        )
        .order_by("created_at")
        .only("created_at")
    )
)
_OWN: Rows[Certificate] = Rows(
    lambda: (
        Certificate.objects.filter(
            enrollments__device=Given("device", Device),
            common_name=Given("common_name", CharField()),
        )
        .exclude(status=CertificateStatus.ARCHIVED)
        .distinct()
    )
)

"""A device's key made here (RFC 7030 §4.4): it exists in memory, goes out once, and is not kept."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.utils import timezone

import certificates.services
import issuers.services
from audit.services import record
from audit.use_cases import use_case
from audit.via import Door
from certificates.models import Reason
from enrollment import policy
from enrollment.models import Credential, Device, Enrollment, Label
from enrollment.policy import Asked
from enrollment.services.answers import Answer
from enrollment.services.asking import answer_now
from enrollment.services.before import was_shown
from enrollment.services.callers import Caller
from enrollment.services.enrolling import enroll, open_label
from enrollment.states import Stand
from foundation.errors import NotFound, NotPermitted, Unavailable
from jobs.states import OPEN, Status
from owners.models import Principal


class NoServerKeys(NotFound):
    """The label does not have keys made here."""

    code = "server_keys_disabled"
    message = "No keys are made at this label: send a request with a key of your own."


class NeverWithApproval(NotPermitted):
    """The request would wait, and nobody keeps a key for so long."""

    code = "never_with_approval"
    message = (
        "A key is made here only where nothing has to wait: this request would. Send one with a "
        "key of your own."
    )


@dataclass(frozen=True, slots=True)
class Keyed:
    """An answer, and the key in PKCS #8 DER of what was issued; b"" where nothing was."""

    answer: Answer
    key: bytes = b""


def ask_with_new_key(*, actor: Principal, label_id: UUID, caller: Caller, csr_pem: str) -> Keyed:
    """Return a certificate for the names of a request, with a key that was made here for it.

    Whoever asks by a one-time credential whose answer was lost gets another key. Raises what
    `generate_key` does; Unavailable where it could not be signed at once, and then the same asked
    later is answered with another key.
    """
    enrollment, key = generate_key(actor=actor, label_id=label_id, caller=caller, csr_pem=csr_pem)
    answer = answer_now(actor, enrollment)
    if answer.stand is Stand.WAITING:
        raise Unavailable
    return Keyed(answer, key if answer.stand is Stand.ISSUED else b"")


@use_case("enrollment.generate_key", on=Label, by="label_id", doors=frozenset({Door.EST}))
def generate_key(
    *, actor: Principal, label_id: UUID, caller: Caller, csr_pem: str
) -> tuple[Enrollment, bytes]:
    """Make a key for a device and ask for its certificate; nothing is asked where that would wait.

    Returns the request and the key. Raises NoServerKeys, NeverWithApproval and what `enroll` does.
    """
    label = open_label(label_id)
    if not label.server_keys:
        raise NoServerKeys
    if not policy.signs_at_once(label.issuer):
        raise NeverWithApproval  # no issuer is called over a network while a device holds the line
    key, request = issuers.services.new_key_for(csr_pem=csr_pem, profile=label.profile)
    asked = Asked.of(
        issuers.services.check_csr(csr_pem=request, profile=label.profile, issuer=label.issuer)
    )
    lost = _give_up_lost(caller, asked)
    enrollment = enroll(actor=actor, label_id=label_id, caller=caller, csr_pem=request)
    if enrollment.job.status != Status.PENDING:
        raise NeverWithApproval  # what was asked for until here is undone with this transaction
    enrollment.server_key = True
    enrollment.save(update_fields=["server_key"])
    record(
        actor=actor,
        action="enrollment.generate_key",
        subject=enrollment,
        device=str(enrollment.device),
        instead_of=lost,
    )
    return enrollment, key


def _give_up_lost(caller: Caller, asked: Asked) -> str | None:
    """Revoke the version whose key was lost, so that its credential brings another; its serial.

    It is lost where the credential that brought it is shown again, for the same names, within the
    time in which an answer may be fetched again: the key went out, and nobody has it here. None
    where there is none. Raises Unavailable while what it brought is not signed.
    """
    if caller.credential is None:
        return None
    credential = Credential.objects.get(pk=caller.credential)
    if not credential.one_time or credential.device_id is None:
        return None
    Device.objects.lock(credential.device_id)  # the order of locks: see services.enrolling
    credential = Credential.objects.lock(credential.pk)
    if credential.spent_on_id is None or not credential.is_usable(timezone.now()):
        return None
    before = Enrollment.objects.select_related("job__version").get(pk=credential.spent_on_id)
    if not before.server_key or before.names_digest != asked.names_digest:
        return None
    if before.job.status in OPEN or before.job.will_be_retried:
        raise Unavailable
    version, collected = before.job.version, before.collected_at
    ends = collected and collected + settings.ENROLLMENT_COLLECT_AGAIN
    # Where it is revoked somebody took it from the device: what was lost is revoked here alone.
    is_taken = version is None or hasattr(version, "revocation")
    if version is None or is_taken or was_shown(before) or (ends and ends <= timezone.now()):
        return None
    # Before the next is asked for: what is asked for comes back after a revocation, and a
    # renewal that is overtaken by one is off.
    certificates.services.revoke(
        version_id=version.pk,
        actor=Principal.objects.system(),
        reason=Reason.SUPERSEDED,
        note="Its key was made here and lost on its way to the device.",
    )
    credential.spent_on = None
    credential.save(update_fields=["spent_on"])
    return version.serial

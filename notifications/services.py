"""Who is told what, and the sending: what is told is written with what it tells of.

Each message is sent by one worker at a time and marked when the mail server has taken it. Where
the worker dies between the two it is sent once more, under the same Message-ID.
"""

import logging
import smtplib
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Exists, OuterRef

from foundation.clock import database_clock
from jobs import policy
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.states import Move, Status
from notifications import words
from notifications.models import MOST_TRIES, Announced, Message, Round
from owners.models import Principal

logger = logging.getLogger(__name__)

MOST_ANNOUNCED = 500  # jobs in one round; the next takes the rest
RUN_SECONDS = 45.0  # of sending, less than a worker's patience with a task
FIRST_DELAY, MAX_DELAY = timedelta(minutes=1), timedelta(hours=6)
KEPT = timedelta(days=90)
_AWAY = (OSError, smtplib.SMTPException)
# What the mail server says of one message or its recipient, and of no other.
_OF_ONE = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)
# What the mail server says of an address for good (RFC 5321 §4.2.1: 5yz).
_FOR_GOOD = range(500, 600)
_RELATED = ("certificate__owner", "certificate__team", "certificate__profile", "target")


def note_outcome(job: Job, move: Move, actor: Principal) -> None:
    """Write what whoever asked for `job` is told of `move`, in the transaction of the move.

    Nothing where they did it themselves, or are told by the page that they look at: what needed
    nobody's decision and went well.
    """
    if not words.is_on() or not _is_an_end(job, move) or actor.pk == job.requested_by_id:
        return
    if not _can_be_told(job.requested_by):
        return
    subject, body = words.outcome(job)
    Message.objects.create(
        kind=Message.Kind.OUTCOME,
        recipient=job.requested_by,
        job=job,
        subject=subject,
        body=body,
        due_at=database_clock.now(),
    )


def announce_waiting() -> int:
    """Tell whoever may decide what waits for them, at most once in NOTIFY_EVERY; return how many.

    The policy itself says who may. Each request is told of once, to those who may decide then.
    """
    if not words.is_on():
        return 0
    now = database_clock.now()
    Round.objects.get_or_create(pk=Round.ONLY)
    with transaction.atomic():
        turn = Round.objects.select_for_update(skip_locked=True, no_key=True).first()
        if turn is None or (turn.at is not None and now - turn.at < settings.NOTIFY_EVERY):
            return 0
        jobs = list(_unannounced()[:MOST_ANNOUNCED])
        if not jobs:
            return 0
        turn.at = now
        turn.save()
        Announced.objects.bulk_create([Announced(job=job, at=now) for job in jobs])
        digests = [_digest_for(person, waiting) for person, waiting in _by_decider(jobs).values()]
        Message.objects.bulk_create(digests)
    return len(digests)


def send_due(*, seconds: float = RUN_SECONDS) -> int:
    """Send what is due, person by person, for `seconds` at most; return how many went out.

    Where the mail server cannot be reached the rest waits: it would fare no better.
    """
    if not words.is_on():
        return 0
    until, sent = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        messages = Message.objects.claim()
        if not messages:
            break
        try:
            sent += _send(messages)
        except Exception as error:  # noqa: BLE001 - a message that cannot be sent stops no other
            _put_off(messages, error)
            if isinstance(error, _AWAY) and not isinstance(error, _OF_ONE):
                break
    return sent


def drop_old() -> int:
    """Forget what was sent, or given up, KEPT ago; return how many."""
    over = Message.objects.filter(created_at__lt=database_clock.now() - KEPT)
    dropped, _ = over.exclude(sent_at=None, given_up=False).delete()
    return dropped


def _is_an_end(job: Job, move: Move) -> bool:
    if move is Move.COMPLETE:
        return kind_of(job).signs and job.decided_by_id is not None
    if move is Move.FAIL:
        return not job.will_be_retried
    return move in {Move.REJECT, Move.CANCEL, Move.TIME_OUT}


def _can_be_told(principal: Principal) -> bool:
    return (
        principal.kind == Principal.Kind.HUMAN
        and principal.is_active
        and not principal.for_devices
        and bool(principal.email)
    )


def _unannounced() -> Any:
    return (
        Job.objects.filter(
            ~Exists(Announced.objects.filter(job=OuterRef("pk"))),
            status=Status.AWAITING_APPROVAL,
        )
        .select_related(*_RELATED, "requested_by", "csr_by", "version")
        .order_by("waits_until", "created_at", "pk")
    )


def _by_decider(jobs: Sequence[Job]) -> dict[Any, tuple[Principal, list[Job]]]:
    people = [one for one in policy.who_decide_at_all() if _can_be_told(one)]
    waiting: dict[Any, tuple[Principal, list[Job]]] = {}
    for job in jobs:
        for person in policy.deciders(job, among=people):
            waiting.setdefault(person.pk, (person, []))[1].append(job)
    return waiting


def _digest_for(person: Principal, jobs: Sequence[Job]) -> Message:
    subject, body = words.digest(jobs)
    return Message(
        kind=Message.Kind.WAITING,
        recipient=person,
        job=jobs[0] if len(jobs) == 1 else None,
        subject=subject,
        body=body,
        due_at=database_clock.now(),
    )


def _send(messages: Sequence[Message]) -> int:
    """Send messages to one person as one e-mail; raises what the mail server's client raises."""
    recipient = Principal.objects.get(pk=messages[0].recipient_id)
    held = Message.objects.claimed(list(messages))
    try:
        validate_email(recipient.email)
    except ValidationError:
        held.update(given_up=True, last_error="There is no e-mail address to send it to.")
        return 0
    if not _can_be_told(recipient):
        held.update(given_up=True, last_error="Whoever it was for is not active any more.")
        return 0
    subject, body = words.letter([(one.subject, one.body) for one in messages])
    EmailMessage(
        subject=subject,
        body=body,
        to=[recipient.email],
        headers={"Message-ID": _message_id(messages), "Auto-Submitted": "auto-generated"},
    ).send()
    return held.update(sent_at=database_clock.now(), sent_to=recipient.email, last_error="")


def _message_id(messages: Sequence[Message]) -> str:
    # The same for the same messages: mailboxes that look at it show one of two.
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "certctl.invalid"
    return f"<{messages[0].pk}.{len(messages)}@{domain}>"


def _put_off(messages: Sequence[Message], error: Exception) -> None:
    for message in messages:
        delay = min(FIRST_DELAY * 2 ** (message.attempts - 1), MAX_DELAY)
        is_over = message.attempts >= MOST_TRIES or _is_for_good(error)
        Message.objects.claimed([message]).update(
            due_at=database_clock.now() + delay, given_up=is_over, last_error=_said(error)
        )
    logger.warning("mail to %s is not sent: %s", messages[0].recipient_id, _said(error))


def _is_for_good(error: Exception) -> bool:
    return isinstance(error, smtplib.SMTPRecipientsRefused) and all(
        code in _FOR_GOOD for code, _ in error.recipients.values()
    )


def _said(error: Exception) -> str:
    """Return an error in words that hold no password: what the server said, or what went wrong."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"The mail server does not know us ({error.smtp_code})."
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return words.plain(f"The mail server refused the address ({code} {_text(said)})")[:300]
    if isinstance(error, smtplib.SMTPResponseException):
        return words.plain(f"The mail server said {error.smtp_code} {_text(error.smtp_error)}")[
            :300
        ]
    if isinstance(error, OSError):
        return f"The mail server was not reached ({type(error).__name__})."
    return f"It could not be sent ({type(error).__name__})."


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said

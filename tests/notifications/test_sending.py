"""The sending: once each, again where it fails, by one worker at a time."""

import smtplib
import socket
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from notifications import services
from notifications.models import MOST_TRIES, Message
from owners.models import Principal
from tests.notifications.smtp_sink import sink
from tests.races import together


@pytest.fixture
def message(mail_on, alice):
    def make(recipient=alice, **options):
        return Message.objects.create(
            **{
                "kind": Message.Kind.OUTCOME,
                "recipient": recipient,
                "subject": "Issued: x",
                "body": "It is there.",
                **options,
            }
        )

    return make


@pytest.fixture
def failing(monkeypatch):
    """Have the mail server's client raise: `failing(error)`."""

    def go(error):
        def send_messages(self, messages):
            raise error

        monkeypatch.setattr(EmailBackend, "send_messages", send_messages)

    return go


def due_now():
    Message.objects.update(due_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_a_message_is_sent_once(message, alice):
    row = message()

    assert services.send_due() == 1
    due_now()
    assert services.send_due() == 0

    row.refresh_from_db()
    assert row.sent_at is not None
    assert (row.sent_to, row.attempts) == (alice.email, 1)
    assert len(mail.outbox) == 1
    assert mail.outbox[0].extra_headers["Auto-Submitted"] == "auto-generated"


@pytest.mark.django_db
def test_what_waits_for_one_person_goes_out_as_one_mail(message, alice, bob):
    for recipient in (alice, alice, bob):
        message(recipient)

    assert services.send_due() == 3

    assert sorted(one.to for one in mail.outbox) == [[alice.email], [bob.email]]


@pytest.mark.django_db
def test_a_server_that_is_away_is_tried_again_later_and_the_rest_waits(
    message, alice, bob, failing, monkeypatch
):
    message(), message(bob)
    failing(ConnectionRefusedError("no secrets here"))

    assert services.send_due() == 0

    tried = Message.objects.get(attempts=1)
    assert tried.last_error == "The mail server was not reached (ConnectionRefusedError)."
    assert timedelta(seconds=50) < tried.due_at - timezone.now() < timedelta(seconds=70)
    assert Message.objects.get(attempts=0).last_error == ""
    monkeypatch.undo()


@pytest.mark.django_db
def test_delays_double_and_tries_end(message, failing):
    row = message()
    failing(smtplib.SMTPServerDisconnected("gone"))
    delays = []
    for _ in range(MOST_TRIES):
        due_now()
        services.send_due()
        row.refresh_from_db()
        delays.append(round((row.due_at - timezone.now()) / timedelta(minutes=1)))

    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360]
    assert row.given_up
    due_now()
    assert Message.objects.claim() == []


@pytest.mark.django_db
def test_an_address_that_the_server_refuses_for_good_is_given_up_and_stops_nobody(
    message, alice, bob, failing
):
    row, other = message(), message(bob)
    failing(smtplib.SMTPRecipientsRefused({alice.email: (550, b"no such\r\nBcc: x")}))

    services.send_due()

    row.refresh_from_db()
    other.refresh_from_db()
    assert row.given_up
    assert row.last_error == "The mail server refused the address (550 no such Bcc: x)"
    assert other.attempts == 1


@pytest.mark.django_db
def test_one_that_it_refuses_for_now_is_tried_again(message, alice, failing):
    row = message()
    failing(smtplib.SMTPRecipientsRefused({alice.email: (451, b"later")}))

    services.send_due()

    row.refresh_from_db()
    assert not row.given_up


@pytest.mark.django_db
def test_a_wrong_password_is_told_without_it(message, failing):
    row = message()
    failing(smtplib.SMTPAuthenticationError(535, b"hunter2 is wrong"))

    services.send_due()

    row.refresh_from_db()
    assert row.last_error == "The mail server does not know us (535)."


@pytest.mark.django_db
def test_a_poisoned_message_stops_no_other(message, alice, bob):
    Principal.objects.filter(pk=alice.pk).update(email="no address\nBcc: mallory@example.com")
    poisoned, other = message(), message(bob)

    services.send_due()

    poisoned.refresh_from_db()
    other.refresh_from_db()
    assert (poisoned.given_up, poisoned.sent_at) == (True, None)
    assert other.sent_at is not None
    assert [one.to for one in mail.outbox] == [[bob.email]]


@pytest.mark.django_db
def test_who_was_deactivated_meanwhile_gets_nothing(message, alice):
    row = message()
    Principal.objects.filter(pk=alice.pk).update(is_active=False)

    assert services.send_due() == 0
    row.refresh_from_db()
    assert row.given_up


@pytest.mark.django_db
def test_a_sender_that_died_before_the_mark_has_it_sent_again_under_the_same_id(message):
    message()
    claimed = Message.objects.claim()  # and then it dies
    assert services.send_due() == 0  # as long as the lease holds

    due_now()
    assert services.send_due() == 1
    assert str(claimed[0].pk) in mail.outbox[0].extra_headers["Message-ID"]


@pytest.mark.django_db
def test_who_lost_the_claim_marks_nothing(message):
    message()
    late = Message.objects.claim()
    due_now()
    assert Message.objects.claim()[0].attempts == 2

    assert Message.objects.claimed(late).update(given_up=True) == 0


@pytest.mark.django_db(transaction=True)
def test_two_senders_send_each_once(message, alice, bob, carol):
    for recipient in (alice, bob, carol):
        message(recipient)

    together(services.send_due, services.send_due)

    assert sorted(one.to[0] for one in mail.outbox) == sorted([alice.email, bob.email, carol.email])


@pytest.mark.django_db(transaction=True)
def test_two_rounds_at_once_tell_each_once(mail_on, alice, bob, owner, ask, profile):
    ask(profile)

    together(services.announce_waiting, services.announce_waiting)

    assert Message.objects.filter(kind="waiting").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_message_whose_mail_server_takes_it_leaves_by_smtp(mail_on, message, alice, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with sink() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.EMAIL_USE_TLS = False
        message(subject="Rejected: Issuance of ж.example", body="    > ж <b>\n.\nend")

        assert services.send_due() == 1
        server.refuse = {"RCPT": "550 nobody"}
        refused = message()
        services.send_due()

    (recipients, text), *more = server.letters
    assert (recipients, more) == ([alice.email], [])
    assert "From: certctl <certctl@certctl.example>" in text
    refused.refresh_from_db()
    assert refused.given_up


@pytest.mark.django_db
def test_a_mail_server_that_says_nothing_costs_no_more_than_the_timeout(mail_on, message, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_TIMEOUT = 0.2
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        settings.EMAIL_USE_TLS = False
        row = message()

        assert services.send_due() == 0

    row.refresh_from_db()
    assert "was not reached" in row.last_error


@pytest.mark.django_db
def test_what_was_told_long_ago_is_forgotten_and_what_is_to_be_sent_is_not(message):
    old = timezone.now() - timedelta(days=91)
    message(created_at=old, sent_at=old)
    message(created_at=old, given_up=True)
    waits, fresh = message(created_at=old), message(sent_at=timezone.now())

    assert services.drop_old() == 2
    assert set(Message.objects.all()) == {waits, fresh}

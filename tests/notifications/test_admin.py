"""The outbox in the admin: carol reads it, bob and victor do not."""

import pytest

from notifications.models import Message

pytestmark = pytest.mark.django_db
LIST = "/admin/notifications/message/"


@pytest.fixture
def failing(mail_on, alice):
    return Message.objects.create(
        kind="outcome",
        recipient=alice,
        subject="Issued: <b>x</b>",
        body="<script>alert(1)</script>",
        attempts=3,
        last_error="The mail server was not reached (TimeoutError).",
    )


def test_carol_reads_what_does_not_go_out_and_why(browse, carol, failing):
    client = browse(carol)

    listed = client.get(LIST).content.decode()
    page = client.get(f"{LIST}{failing.pk}/change/").content.decode()

    for text in (listed, page):
        assert "Failing" in text
        assert "was not reached" in text
        assert "<b>x</b>" not in text
    assert "<script>alert" not in page


def test_carol_changes_nothing(browse, carol, failing):
    client = browse(carol)

    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{failing.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{LIST}{failing.pk}/change/", {"subject": "y"}).status_code == 403


def test_bob_and_victor_do_not_read_others_mail(browse, bob, victor, failing):
    for person in (bob, victor):
        client = browse(person)
        assert client.get(LIST).status_code == 403
        assert LIST not in client.get("/admin/").content.decode()


def test_the_list_takes_as_many_queries_for_one_as_for_many(
    browse, carol, alice, failing, django_assert_max_num_queries
):
    client = browse(carol)
    client.get(LIST)
    with django_assert_max_num_queries(20) as one:
        client.get(LIST)
    for number in range(40):
        Message.objects.create(kind="outcome", recipient=alice, subject=str(number), body="x")

    with django_assert_max_num_queries(len(one.captured_queries)):
        client.get(LIST)

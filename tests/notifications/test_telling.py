"""Who is told what: alice asks, bob and carol may decide, victor only reads."""

import pytest
from django.core import mail
from django.db import transaction

from jobs import runner, services
from jobs.models import Job
from notifications import services as notifications
from notifications.models import Announced, Message
from owners.models import Principal
from tests.notifications.conftest import BASE

pytestmark = pytest.mark.django_db


def told():
    return sorted((m.recipient.username, m.kind) for m in Message.objects.all())


def sent():
    notifications.send_due()
    return mail.outbox


def test_without_a_mail_server_nothing_is_written_nor_sent(ask, profile, bob):
    job = ask(profile)
    services.reject_job(job_id=job.pk, actor=bob, reason="No.")

    assert notifications.announce_waiting() == 0
    assert notifications.send_due() == 0
    assert not Message.objects.exists()
    assert not Announced.objects.exists()


def test_whoever_may_decide_is_told_and_nobody_else(awaiting, bob, carol, victor, alice):
    assert notifications.announce_waiting() == 2

    assert told() == [("bob", "waiting"), ("carol", "waiting")]
    assert {address for one in sent() for address in one.to} == {bob.email, carol.email}


def test_the_owner_and_a_second_principal_of_the_asker_are_not_told(
    mail_on, ask, profile, owner, alice, bob, carol
):
    owner.members.add(bob)
    Principal.objects.filter(pk=carol.pk).update(email=alice.email)
    ask(profile)

    assert notifications.announce_waiting() == 0
    assert not Message.objects.exists()


def test_who_has_no_address_or_is_not_active_is_not_told(awaiting, bob, carol):
    Principal.objects.filter(pk=bob.pk).update(email="")
    Principal.objects.filter(pk=carol.pk).update(is_active=False)

    assert notifications.announce_waiting() == 0


def test_what_waits_comes_in_one_digest_with_links_to_the_decisions(
    mail_on, ask, profile, bob, alice
):
    jobs = [ask(profile, f"{name}.demo.internal") for name in ("a", "b", "c")]

    notifications.announce_waiting()

    (one,) = [one for one in sent() if one.to == [bob.email]]
    assert one.subject == "[certctl] 3 requests wait for your decision"
    for job in jobs:
        assert f"{BASE}/admin/jobs/job/{job.pk}/decide/" in one.body
        assert str(job.certificate) in one.body
    assert "asked for by alice" in one.body
    assert f"{jobs[0].waits_until:%Y-%m-%d %H:%M} UTC" in one.body


def test_the_link_leads_behind_the_sign_in(awaiting, bob, client):
    notifications.announce_waiting()
    page = f"/admin/jobs/job/{awaiting.pk}/decide/"
    assert BASE + page in sent()[0].body

    answer = client.get(page)

    assert answer.status_code == 302
    assert answer.url == f"/admin/login/?next={page}"


def test_there_is_one_digest_in_the_set_time_and_each_request_is_told_of_once(
    mail_on, ask, profile, bob, later
):
    ask(profile, "a.demo.internal")
    assert notifications.announce_waiting() == 1
    ask(profile, "b.demo.internal")

    assert notifications.announce_waiting() == 0
    later(minutes=14)
    assert notifications.announce_waiting() == 0
    later(minutes=2)
    assert notifications.announce_waiting() == 1
    later(minutes=20)
    assert notifications.announce_waiting() == 0

    bodies = list(Message.objects.order_by("created_at").values_list("body", flat=True))
    assert ["a.demo" in bodies[0], "b.demo" in bodies[0]] == [True, False]
    assert ["a.demo" in bodies[1], "b.demo" in bodies[1]] == [False, True]


def test_what_was_decided_before_the_digest_is_not_in_it(awaiting, bob, carol):
    services.approve_job(job_id=awaiting.pk, actor=bob)

    assert notifications.announce_waiting() == 0


def test_the_digest_of_one_request_takes_few_queries(
    awaiting, bob, carol, django_assert_max_num_queries
):
    with django_assert_max_num_queries(30):
        assert notifications.announce_waiting() == 2


def test_alice_is_told_of_a_rejection_and_its_reason(awaiting, alice, bob):
    services.reject_job(job_id=awaiting.pk, actor=bob, reason="Wrong name.\nAsk the shop team.")

    (one,) = sent()
    assert one.to == [alice.email]
    assert one.subject == "[certctl] Rejected: Issuance of web.demo.internal"
    assert "Rejected by bob:\n    > Wrong name.\n    > Ask the shop team." in one.body
    assert f"{BASE}/admin/jobs/job/{awaiting.pk}/change/" in one.body


def test_alice_is_told_that_what_was_approved_is_issued(awaiting, alice, bob):
    services.approve_job(job_id=awaiting.pk, actor=bob)
    assert not Message.objects.exists()
    assert runner.run_pending() == 1

    (one,) = sent()
    assert one.subject == "[certctl] Issued: Issuance of web.demo.internal"
    assert f"/admin/certificates/certificate/{awaiting.certificate_id}/change/" in one.body
    for secret in ("BEGIN", "PRIVATE", awaiting.csr_pem.splitlines()[1]):
        assert secret not in one.body


def test_alice_is_told_of_a_failure_when_there_is_no_try_to_come(awaiting, alice, bob, monkeypatch):
    services.approve_job(job_id=awaiting.pk, actor=bob)
    Job.objects.filter(pk=awaiting.pk).update(approved_digest="0" * 64)  # runs into a refusal
    assert runner.run_pending() == 1

    (one,) = sent()
    assert one.subject == "[certctl] Failed: Issuance of web.demo.internal"


def test_alice_is_not_told_of_what_she_did_herself_nor_of_what_went_through_at_once(
    mail_on, ask, profile, free_profile, alice
):
    waits = ask(profile, "a.demo.internal")
    ask(free_profile, "b.demo.internal")
    runner.run_pending()
    services.cancel_job(job_id=waits.pk, actor=alice)

    assert not Message.objects.filter(kind="outcome").exists()


def test_alice_is_told_that_nobody_decided_in_time(awaiting, alice, system):
    Job.objects.filter(pk=awaiting.pk).update(waits_until="2020-01-01T00:00:00Z")
    assert services.time_out_waiting(actor=system) == 1

    assert "Nobody gave it a decision in time." in sent()[0].body


@pytest.mark.parametrize("change", [{"email": ""}, {"kind": "machine"}, {"is_active": False}])
def test_machines_and_who_is_away_or_has_no_address_get_no_outcome(
    mail_on, ask, profile, bob, alice, change
):
    Principal.objects.filter(pk=alice.pk).update(**change)
    alice.refresh_from_db()
    services.reject_job(job_id=ask(profile).pk, actor=bob, reason="No.")

    assert not Message.objects.exists()


def test_a_move_that_is_undone_tells_nobody(awaiting, bob):
    with transaction.atomic():
        services.reject_job(job_id=awaiting.pk, actor=bob, reason="No.")
        transaction.set_rollback(True)

    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "evil",
    ["x\r\nBcc: mallory@example.com", "x\nSubject: y", "a\u202egro.elpmaxe", "a\u200bb", "\x1b[2J"],
)
def test_what_people_typed_makes_no_header_and_hides_nothing(awaiting, bob, alice, evil):
    awaiting.certificate.name = evil
    awaiting.certificate.save()
    services.reject_job(job_id=awaiting.pk, actor=bob, reason=f"{evil}\n-- \nsigned, certctl")

    (one,) = sent()
    head, _, _ = one.message().as_string().partition("\n\n")
    assert one.recipients() == [alice.email]
    assert "mallory" not in [line.partition(":")[0] for line in head.splitlines()]
    assert "\nBcc" not in head
    for hidden in ("\u202e", "\u200b", "\x1b", "\r"):
        assert hidden not in one.subject + one.body
    assert "    > signed, certctl" in one.body

"""The log of OCSP answers that hold no longer: nothing of it is missed, whatever commits first."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from certificates import answer_log, services
from certificates.models import AnswerChange, OCSPResponse, Version
from certificates.services.lifecycle import drop_answers


def serials(page):
    return [one.serial for one in page.changes]


def append(issuer, serial):
    answer_log.append([(issuer.pk, serial, [])])


def test_a_revocation_and_a_release_are_in_the_log(version, bob):
    since = answer_log.read(connection, None).since
    services.revoke(version_id=version.pk, actor=bob, reason="certificateHold")
    page = answer_log.read(connection, since)
    services.release_hold(version_id=version.pk, actor=bob)

    assert serials(page) == [version.serial]
    assert page.changes[0].issuer_id == version.issuer_id
    assert 0 <= page.changes[0].age_seconds < 60
    assert serials(answer_log.read(connection, since)) == [version.serial] * 2


def test_a_revocation_that_is_undone_is_not_in_the_log(version, bob):
    since = answer_log.read(connection, None).since
    with transaction.atomic():
        services.revoke(version_id=version.pk, actor=bob)
        transaction.set_rollback(True)

    assert serials(answer_log.read(connection, since)) == []


def test_what_was_before_the_first_reading_is_nothing_to_forget(local_ca):
    append(local_ca, "1")

    assert serials(answer_log.read(connection, None)) == []


def test_too_many_changes_are_told_by_issuer(local_ca, root_ca, monkeypatch):
    since = answer_log.read(connection, None).since
    monkeypatch.setattr(answer_log, "MOST", 2)
    for name in ("_POSTGRESQL", "_SQLITE"):
        sql = getattr(answer_log, name).replace("LIMIT 5001", "LIMIT 3")
        monkeypatch.setattr(answer_log, name, sql)
    append(local_ca, "1")
    append(local_ca, "2")
    assert answer_log.read(connection, since).issuers == ()

    append(root_ca, "3")
    append(root_ca, "4")
    append(local_ca, "5")

    page = answer_log.read(connection, since)
    assert set(page.issuers) == {local_ca.pk, root_ca.pk}
    assert page.since >= since


def test_a_log_of_another_database_is_noticed(local_ca):
    assert answer_log.read(connection, 2**62).missed or connection.vendor == "sqlite"
    append(local_ca, "1")
    assert answer_log.read(connection, 2**62).missed


def test_old_changes_go(local_ca):
    append(local_ca, "1")
    now = timezone.now()
    assert answer_log.prune(now) == 0
    assert answer_log.prune(now + answer_log.KEEP + timedelta(minutes=1)) == 1


def test_answers_of_many_versions_go_at_once(issue, local_ca, django_assert_max_num_queries):
    versions = [issue(f"w{n}.demo.internal") for n in range(3)]
    at = timezone.now().replace(microsecond=0)
    for number, version in enumerate(versions[:2]):
        for form in ("sha1", "sha256")[: number + 1]:
            OCSPResponse.objects.create(
                version=version,
                issuer=local_ca,
                serial=version.serial,
                hash_algorithm=form,
                name_hash="",
                key_hash="",
                status="good",
                this_update=at + timedelta(seconds=number),
                next_update=at + timedelta(hours=12),
                der=b"",
                etag="",
            )
    with django_assert_max_num_queries(8), transaction.atomic():
        drop_answers(versions)

    assert not OCSPResponse.objects.exists()
    after = [Version.objects.get(pk=one.pk).answers_after for one in versions]
    assert after == [at, at + timedelta(seconds=1), None]
    assert [one.answers_after for one in versions] == after
    forms = dict(AnswerChange.objects.values_list("serial", "forms"))
    assert forms == dict(
        zip([one.serial for one in versions], ["sha1", "sha1 sha256", ""], strict=True)
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_who_begins_first_and_commits_last_is_not_missed(local_ca):
    begun, go_on = threading.Event(), threading.Event()

    def slow():
        try:
            with transaction.atomic():
                append(local_ca, "1")
                begun.set()
                go_on.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    since = answer_log.read(connection, None).since
    thread.start()
    begun.wait(20)
    append(local_ca, "2")
    first = answer_log.read(connection, since)
    go_on.set()
    thread.join()
    second = answer_log.read(connection, first.since)
    append(local_ca, "3")
    third = answer_log.read(connection, second.since)

    assert serials(first) == ["2"]
    assert "1" in serials(second)
    assert serials(third) == ["3"]

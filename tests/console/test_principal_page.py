"""The page about a principal: who they are, what they may, what they asked for, decided and did.

Carol administers and is the only one who may look at people; alice asks, bob decides, victor reads.
"""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from jobs.models import Job
from jobs.states import Status
from owners import services
from owners.models import ApiKey, Principal, Team
from tests.console.rows_pages import (
    HIDING,
    MOST_QUERIES,
    address,
    read,
    section,
    shows_what_hides,
    titles,
    without,
    words_of,
)
from tests.factories import CertificateFactory, JobFactory, PrincipalFactory

pytestmark = pytest.mark.django_db


def head(text):
    return text[text.index("page-head") : text.index("page-sections")]


def test_carol_reads_who_alice_is_and_no_form(browse, carol, alice, owner):
    alice.set_password("correct horse battery")
    alice.save()
    team = Team.objects.create(name="shop people")
    team.members.add(alice)
    owner.members.add(alice)

    text = read(browse(carol), alice)

    assert '<h1 id="page-name">alice</h1>' in text
    assert ">active</span>" in head(text)
    assert "Signs in here with a password." in head(text)
    assert "operator" in head(text)
    about = words_of(section(text, "Who they are and what they may"))
    assert "Role operator" in about
    assert "Has a password yes" in about
    part = section(text, "Teams and owners")
    assert f'href="{address(team)}"' in part
    assert f'href="{address(owner)}"' in part
    assert 'id="principal_form"' not in text
    assert alice.password not in text


@pytest.mark.parametrize(
    ("fields", "badge", "words"),
    [
        ({"is_active": False}, "disabled", "No password and no key is taken any more."),
        ({"is_staff": False}, "active", "acts by API keys alone"),
        ({"for_devices": True}, "for devices", "may do nothing else"),
        ({"kind": "system"}, "at work", "Nobody signs in as it"),
    ],
)
def test_the_status_says_what_they_can_do(browse, carol, alice, fields, badge, words):
    Principal.objects.filter(pk=alice.pk).update(**fields)

    text = head(read(browse(carol), alice))

    assert f">{badge}</span>" in text
    assert words in text


def test_without_a_role_it_says_what_to_do(browse, carol):
    text = head(read(browse(carol), PrincipalFactory()))

    assert ">may do nothing</span>" in text
    assert "There is no role: give one, or disable the account." in text


def test_rights_besides_the_role_are_named(browse, carol, alice):
    alice.user_permissions.add(Permission.objects.get(codename="bulk_revoke"))

    about = section(read(browse(carol), alice), "Who they are and what they may")

    assert "Can revoke many certificates at once" in about


def test_keys_stand_by_name_and_never_by_what_lets_in(browse, carol, alice, key_of):
    whole = key_of(alice, name="laptop")
    gone = ApiKey.objects.create(
        name="old", prefix="oldprefix1", digest="d" * 64, principal=alice,
        disabled_at=timezone.now(), allowed_networks=["10.0.0.0/8"],
    )  # fmt: skip
    key = ApiKey.objects.get(name="laptop")
    client = browse(carol)

    text = read(client, alice)

    part = section(text, "API keys")
    words = words_of(part)
    assert "laptop live operator anywhere never never" in words
    assert "old disabled viewer 10.0.0.0/8" in words
    assert f'href="{address(gone)}"' in part
    for secret in (whole, key.digest, key.prefix, gone.digest, gone.prefix):
        assert secret not in text
    link = f"/admin/owners/apikey/?principal={alice.pk}"
    assert f'href="{link}"' in part
    assert client.get(link).status_code == 200


def test_open_requests_and_last_decisions_stand_there(browse, carol, alice, bob):
    certificate = CertificateFactory(name="web.demo.internal")
    now = timezone.now()
    waits = JobFactory(certificate=certificate, requested_by=alice, status=Status.AWAITING_APPROVAL)
    done = JobFactory(
        certificate=CertificateFactory(name="done.demo.internal"), requested_by=alice,
        status=Status.COMPLETED, decided_by=bob, decided_at=now, decision_reason="As agreed",
        approved_digest="d" * 64,
    )  # fmt: skip
    refused = JobFactory(
        certificate=CertificateFactory(name="no.demo.internal"), requested_by=alice,
        status=Status.CANCELLED, decided_by=bob, decided_at=now - timedelta(hours=1),
        decision_reason="Not ours",
    )  # fmt: skip
    client = browse(carol)

    hers, his = read(client, alice), read(client, bob)

    mine = section(hers, "Open requests")
    assert f'href="{address(waits)}"' in mine
    assert address(done) not in mine
    assert address(refused) not in mine
    assert f"/admin/jobs/job/?requester={alice.pk}" in mine
    assert "They have decided nothing yet." in section(hers, "Last decisions")
    part = section(his, "Last decisions")
    decided = words_of(part)
    assert "done.demo.internal approved As agreed alice" in decided
    assert "no.demo.internal rejected Not ours alice" in decided
    assert decided.index("done.demo") < decided.index("no.demo")
    link = f"/admin/jobs/job/?decided_by={bob.pk}"
    assert f'href="{link}"' in part
    listed = client.get(link).content.decode()
    assert "done.demo.internal" in listed
    assert "web.demo.internal" not in listed


def test_what_they_did_and_what_was_done_to_them_are_two_histories(browse, carol, alice):
    services.update_principal(
        actor=carol, principal_id=alice.pk, changes={"email": "new@people.example"}
    )
    client = browse(carol)

    hers, carols = read(client, alice), read(client, carol)

    done_to = section(hers, "History")
    assert "carol changed the account alice" in words_of(done_to)
    assert f"?subject_type=owners.principal&amp;subject_id={alice.pk}" in done_to
    assert "carol changed" not in section(hers, "What they did")
    did = section(carols, "What they did")
    assert "carol changed the account alice" in words_of(did)
    link = f"/admin/audit/event/?actor={carol.pk}"
    assert f'href="{link}"' in did
    events = client.get(link).context["cl"].result_list
    assert {event.actor_id for event in events} == {carol.pk}


@pytest.mark.parametrize("who", ["alice", "victor"])
def test_only_administrators_look_at_people(browse, carol, who, request):
    reader = request.getfixturevalue(who)

    assert browse(reader).get(address(carol)).status_code == 403
    assert browse(reader).get(address(reader)).status_code == 403


def test_the_form_is_behind_a_button(browse, carol, alice, monkeypatch):
    client = browse(carol)

    assert 'href="?edit=1"' in read(client, alice)
    form = client.get(f"{address(alice)}?edit=1")
    assert "role" in form.context["adminform"].form.fields
    without(monkeypatch, "owners.change_principal")
    assert 'href="?edit=1"' not in read(client, alice)
    assert "page-name" in client.get(f"{address(alice)}?edit=1").content.decode()


def test_nobody_is_shown_what_they_may_not_read(browse, carol, alice, key_of, monkeypatch):
    key_of(alice, name="laptop")
    JobFactory(requested_by=alice)
    without(monkeypatch, "audit.view_event", "jobs.view_job", "owners.view_apikey")

    text = read(browse(carol), alice)

    assert titles(text) == ["Who they are and what they may", "Teams and owners"]
    assert "laptop" not in text


def test_names_are_shown_as_what_they_are(browse, carol, alice):
    Principal.objects.filter(pk=alice.pk).update(first_name=HIDING)

    assert shows_what_hides(read(browse(carol), alice))


def test_two_thousand_jobs_take_no_more_queries_than_few(
    browse, carol, alice, owner, key_of, django_assert_max_num_queries
):
    job = JobFactory(requested_by=alice, decided_by=alice, decided_at=timezone.now())
    client = browse(carol)
    key_of(alice)
    read(client, alice)
    with django_assert_max_num_queries(MOST_QUERIES) as few:
        read(client, alice)
    Job.objects.bulk_create(
        Job(
            kind="Validation", certificate=job.certificate, requested_by=alice, decided_by=alice,
            decided_at=timezone.now(), status="Pending",
        )
        for _ in range(2_000)
    )  # fmt: skip
    for number in range(20):
        Team.objects.create(name=f"team-{number}").members.add(alice)
        key_of(alice)

    with django_assert_max_num_queries(len(few)):
        text = read(client, alice)

    assert "40 more" in section(text, "Open requests")

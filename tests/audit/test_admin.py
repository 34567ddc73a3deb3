"""The trail in the admin: sentences that link what the reader may look at, changes side by side."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from audit.models import Event
from audit.services import Entry, record, record_many
from audit.shown import changes_of, particulars_of
from audit.via import Door, Via
from owners.models import Owner, Team
from tests.factories import PrincipalFactory

LIST = "/admin/audit/event/"


@pytest.fixture
def dora(db):
    """Somebody who reads the trail and nothing else."""
    dora = PrincipalFactory(username="dora", is_staff=True)
    dora.user_permissions.add(Permission.objects.get(codename="view_event"))
    return dora


def test_victor_reads_sentences_that_link_what_they_are_about(victor, browse, awaiting, alice):
    page = browse(victor).get(LIST, {"q": "job.request"}).content.decode()

    assert "asked for the " in page
    assert f'href="{reverse("admin:jobs_job_change", args=[awaiting.pk])}"' in page
    assert "issuance of web.demo.internal" in page
    assert "ago</time>" in page or "just now</time>" in page


def test_dora_who_may_not_look_at_owners_reads_the_sentence_without_a_link(
    dora, carol, browse, owner
):
    record(actor=carol, action="owner.update", subject=owner)
    address = reverse("admin:owners_owner_change", args=[owner.pk])

    page = browse(dora).get(LIST, {"q": "owner.update"}).content.decode()

    assert f"changed the owner <bdi>{owner.name}</bdi>" in page
    assert address not in page
    assert address in browse(carol).get(LIST, {"q": "owner.update"}).content.decode()


def test_what_is_gone_is_named_and_not_linked(carol, browse, owner):
    team = Team.objects.create(name="gone")
    record(actor=carol, action="team.delete", subject=team)
    address = reverse("admin:owners_team_change", args=[team.pk])
    team.delete()

    page = browse(carol).get(LIST, {"q": "team.delete"}).content.decode()

    assert "deleted the team <bdi>gone</bdi>" in page
    assert address not in page


def test_a_page_of_events_asks_once_for_each_kind_of_subject(
    carol, browse, django_assert_max_num_queries
):
    owners = [Owner.objects.create(name=f"o{n}", email="o@example.com") for n in range(30)]
    record_many([Entry(carol, "owner.update", one) for one in owners])
    client = browse(carol)
    client.get(LIST, {"q": "owner.update"})

    with django_assert_max_num_queries(12) as few:
        client.get(LIST, {"q": "owner.update"})

    assert sum('"owners_owner"."id" IN' in query["sql"] for query in few.captured_queries) == 1


def test_carol_chooses_actions_and_doors_in_words_and_persons_by_name(carol, alice, browse, owner):
    record(actor=alice, action="owner.update", subject=owner)
    record(actor=carol, action="owner.update", subject=owner)
    client = browse(carol)

    page = client.get(LIST).content.decode()
    assert 'value="job.approve"> approve a job</label>' in page
    assert 'value="job.approve.refuse"> refused: approve a job</label>' in page
    assert 'value="rest"> the REST API</label>' in page

    by_both = {"action__exact": "owner.update", "actor_name__icontains": "ali"}
    shown = client.get(LIST, by_both).context["cl"].result_list
    assert [event.actor_name for event in shown] == ["alice"]


def test_bob_s_refusal_is_red_and_says_why(bob, carol, browse, owner):
    event = record_many(
        [Entry(bob, "owner.update.refuse", owner, {"detail": "Not yours.", "code": "no"})]
    )[0]

    page = browse(carol).get(LIST, {"q": "owner.update.refuse"}).content.decode()

    assert "audit-refused" in page
    assert "was refused to change the owner" in page
    assert ": Not yours." in page
    assert browse(carol).get(f"{LIST}{event.pk}/change/").status_code == 200


def test_an_event_s_page_shows_before_and_after_side_by_side(carol, browse, profile):
    event = record(
        actor=carol,
        action="profile.update",
        subject=profile,
        changes={
            "max_lifetime": {"before": "P47D", "after": "P30D"},
            "allowed_sans": {"before": ["dns:a", "dns:b"], "after": ["dns:b", "dns:<script>"]},
            "allow_wildcards": {"before": False, "after": True},
        },
    )

    page = browse(carol).get(f"{LIST}{event.pk}/change/").content.decode()

    assert "<del><bdi>47 days</bdi></del>" in page
    assert "<ins><bdi>30 days</bdi></ins>" in page
    assert "<del><bdi>dns:a</bdi></del>" in page
    assert "<div><bdi>dns:b</bdi></div>" in page
    assert "<ins><bdi>dns:&lt;script&gt;</bdi></ins>" in page
    assert "<del><bdi>no</bdi></del>" in page
    assert "{&quot;" not in page
    assert "P47D" not in page


def test_names_that_people_typed_stand_apart_from_the_sentence(carol, browse):
    team = Team.objects.create(name="\u202egnp.exe <b>")
    record(actor=carol, action="team.create", subject=team)

    page = browse(carol).get(LIST, {"q": "team.create"}).content.decode()

    assert "<b>" not in page.partition("made the team")[2].partition("</span>")[0]
    assert "&lt;b&gt;" in page


def test_a_stranger_s_event_names_the_door_and_the_address(carol, browse):
    via = Via(door=Door.EST, remote_address="192.0.2.7")
    event = record_many(
        [Entry(None, "credential.refuse", None, {"detail": "No."}, actor_name="x", via=via)]
    )[0]

    page = browse(carol).get(f"{LIST}{event.pk}/change/").content.decode()

    assert "EST, from 192.0.2.7" in page


@pytest.mark.parametrize(
    ("data", "name", "before", "after"),
    [
        ({"before": "Pending", "after": "Running"}, "State", ["Pending"], ["Running"]),
        ({"before": {"a": 1}, "after": {"a": 2}}, "A", ["1"], ["2"]),
        ({"changes": {"fixed_subject": {"before": {}, "after": {"O": "X"}}}}, "Fixed subject",
         [], ["O: X"]),
        ({"changes": {"reason": {"before": None, "after": "superseded"}}}, "Reason",
         [], ["Superseded: another certificate has taken its place"]),
        ({"changes": {"name": "x"}}, "Name", [], ["x"]),
    ],
)  # fmt: skip
def test_every_shape_of_a_change_is_read(data, name, before, after):
    (change,) = changes_of(data)

    assert change.name == name
    assert [part.text for part in change.before] == before
    assert [part.text for part in change.after] == after
    assert not particulars_of(data)


def test_particulars_are_words_and_say_nothing_that_the_sentence_said():
    data = {"note": "told", "was": "keyCompromise", "of": 3, "status": 403, "reason": ""}

    assert particulars_of(data) == [
        ("Was", "Key compromise: the private key may be known to others"),
        ("Of", "3"),
        ("Status", "403"),
    ]


def test_nobody_changes_an_event(carol, browse, owner):
    event = record(actor=carol, action="owner.update", subject=owner)
    client = browse(carol)

    assert client.post(f"{LIST}{event.pk}/change/", {"action": "x"}).status_code == 403
    assert Event.objects.get(pk=event.pk).action == "owner.update"

"""The pages about an owner and a team: who answers, what they have, what was done.

Carol administers, alice asks and sits in the team, bob decides, victor only reads, and mallory may
not read them at all.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from certificates.models import Certificate
from enrollment.models import Label
from owners import services
from owners.models import Owner, Team
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
from tests.factories import CertificateFactory, JobFactory, PrincipalFactory, VersionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(alice):
    team = Team.objects.create(name="shop people")
    team.members.add(alice)
    return team


@pytest.fixture
def held(owner):
    """A certificate of the owner, in use for five days."""
    certificate = CertificateFactory(name="web.demo.internal", owner=owner)
    VersionFactory(certificate=certificate, not_after=timezone.now() + timedelta(days=5, minutes=5))
    return certificate


@pytest.fixture
def label(owner, team, held):
    return Label.objects.create(
        protocol="est",
        path="cams",
        principal=PrincipalFactory(username="est-cams", kind="machine", for_devices=True),
        issuer=held.issuer,
        profile=held.profile,
        owner=owner,
        team=team,
    )


def head(text):
    return text[text.index("page-head") : text.index("page-sections")]


# --- An owner ------------------------------------------------------------------------------------


def test_victor_reads_who_answers_and_no_form(browse, victor, owner, team, bob):
    owner.members.add(bob)
    owner.team = team
    owner.save()

    text = read(browse(victor), owner)

    assert '<h1 id="page-name">web-shop</h1>' in text
    assert ">answered for</span>" in head(text)
    people = words_of(section(text, "Who answers for it"))
    assert "bob a member yes" in people
    assert "alice a seat in · shop people yes" in people
    assert f'href="{address(team)}"' in section(text, "Who it is")
    assert 'id="owner_form"' not in text
    assert address(bob) not in text  # victor may not look at people


def test_carol_comes_from_there_to_the_people(browse, carol, owner, bob):
    owner.members.add(bob)

    assert f'href="{address(bob)}"' in section(read(browse(carol), owner), "Who answers for it")


def test_whoever_sits_there_twice_stands_there_once(browse, victor, owner, team, alice):
    owner.members.add(alice)
    owner.team = team
    owner.save()

    people = words_of(section(read(browse(victor), owner), "Who answers for it"))

    assert people.count("alice") == 1
    assert "alice a member · a seat in · shop people" in people


@pytest.mark.parametrize(
    ("email", "badge", "words"),
    [
        ("shop@example.com", "an address alone", "there is an address and no account"),
        ("", "nobody answers", "add members, or a team"),
    ],
)
def test_where_nobody_answers_it_says_what_to_do(browse, victor, owner, email, badge, words):
    owner.email = email
    owner.save()

    text = head(read(browse(victor), owner))

    assert f">{badge}</span>" in text
    assert words in text


def test_somebody_who_cannot_act_does_not_answer(browse, victor, owner):
    owner.members.add(PrincipalFactory(username="gone", is_active=False))

    text = read(browse(victor), owner)

    assert ">an address alone</span>" in head(text)
    assert "gone a member disabled" in words_of(section(text, "Who answers for it"))


def test_what_it_has_stands_with_what_ends_first(browse, victor, owner, held, label):
    other = CertificateFactory(name="other.demo.internal")
    VersionFactory(certificate=other)
    client = browse(victor)

    text = read(client, owner)

    link = f"/admin/certificates/certificate/?owner={owner.pk}&amp;status__in="
    assert link in section(text, "Certificates")
    first = words_of(section(text, "What ends first"))
    assert "web.demo.internal Active in 5 days" in first
    assert "keyless" in first  # whose it is is known: the issuer says more
    assert "other.demo.internal" not in text
    listed = client.get(f"/admin/certificates/certificate/?owner={owner.pk}&ends=30")
    assert "web.demo.internal" in listed.content.decode()
    assert "est/cams open" in words_of(section(text, "Labels that depend on it"))


def test_what_it_did_are_jobs_and_sentences(browse, victor, carol, alice, owner, held):
    job = JobFactory(certificate=held, requested_by=alice)
    services.update_owner(actor=carol, owner_id=owner.pk, changes={"email": "new@example.com"})
    client = browse(victor)

    text = read(client, owner)

    assert f'href="{address(job)}"' in section(text, "Jobs")
    assert f"/admin/jobs/job/?owner={owner.pk}" in section(text, "Jobs")
    history = section(text, "History")
    assert "carol changed the owner web-shop" in words_of(history)
    assert f'href="/admin/audit/event/?owner={owner.pk}"' in history


def test_the_form_is_behind_a_button_that_only_carol_sees(browse, alice, carol, owner):
    hers, his = read(browse(carol), owner), read(browse(alice), owner)

    assert 'href="?edit=1"' in hers
    assert f"/{owner.pk}/delete/" in hers
    assert 'href="?edit=1"' not in his
    assert f"/{owner.pk}/delete/" not in his
    form = browse(carol).get(f"{address(owner)}?edit=1")
    assert set(form.context["adminform"].form.fields) == {"name", "email", "team", "members"}


def test_after_saving_one_looks_at_what_was_saved(browse, carol, owner):
    answer = browse(carol).post(f"{address(owner)}?edit=1", {"name": "renamed", "members": []})

    assert (answer.status_code, answer["Location"]) == (302, address(owner))


def test_a_refusal_shows_the_form_again(browse, carol, owner):
    answer = browse(carol).post(f"{address(owner)}?edit=1", {"name": ""})

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["name"]


@pytest.mark.parametrize("model", ["owner", "team"])
def test_mallory_is_shown_nothing(browse, victor, owner, team, monkeypatch, model):
    without(monkeypatch, f"owners.view_{model}", f"owners.change_{model}")

    assert browse(victor).get(address({"owner": owner, "team": team}[model])).status_code == 403


@pytest.mark.parametrize("model", ["owner", "team"])
def test_nobody_is_shown_what_they_may_not_read(
    browse, victor, owner, team, held, label, monkeypatch, model
):
    JobFactory(certificate=held)
    without(
        monkeypatch,
        "audit.view_event",
        "certificates.view_certificate",
        "enrollment.view_label",
        "jobs.view_job",
    )

    text = read(browse(victor), {"owner": owner, "team": team}[model])

    assert (
        titles(text)
        == {
            "owner": ["Who it is", "Who answers for it"],
            "team": ["Members", "Owners that it stands behind"],
        }[model]
    )
    assert "web.demo.internal" not in text


def test_names_are_shown_as_what_they_are(browse, victor, owner, team):
    Owner.objects.update(name=HIDING)
    Team.objects.update(name=HIDING)

    assert shows_what_hides(read(browse(victor), owner))
    assert shows_what_hides(read(browse(victor), team))


def test_two_thousand_certificates_take_no_more_queries_than_few(
    browse, carol, alice, inventory, django_assert_max_num_queries
):
    owner = inventory(6)[0].owner
    owner.members.add(alice)
    client = browse(carol)
    read(client, owner)
    with django_assert_max_num_queries(MOST_QUERIES) as few:
        read(client, owner)
    Certificate.objects.exclude(owner=owner).update(owner=owner)
    for one in inventory_more(owner, 2_000):
        JobFactory(certificate=one)
    owner.members.add(*(PrincipalFactory() for _ in range(60)))

    with django_assert_max_num_queries(len(few)):
        text = read(client, owner)

    assert ">2,007</a>" in section(text, "Certificates")
    assert "All people" in section(text, "Who answers for it")


def inventory_more(owner, count):
    """Make `count` more of an owner's certificates; return a few."""
    like = owner.certificates.select_related("issuer", "profile").first()
    rows = Certificate.objects.bulk_create(
        Certificate(
            name=f"more-{n}", owner=owner, issuer=like.issuer, profile=like.profile, status="Active"
        )
        for n in range(count)
    )
    return rows[:60]


# --- A team --------------------------------------------------------------------------------------


def test_victor_reads_who_sits_in_the_team_and_what_it_holds(
    browse, victor, owner, team, held, label
):
    owner.team = team
    owner.save()
    mine = CertificateFactory(name="team.demo.internal", team=team)
    VersionFactory(certificate=mine)
    client = browse(victor)

    text = read(client, team)

    assert '<h1 id="page-name">shop people</h1>' in text
    assert "Members who can act" in head(text)
    assert "alice a seat yes" in words_of(section(text, "Members"))
    assert f'href="{address(owner)}"' in section(text, "Owners that it stands behind")
    first = words_of(section(text, "What ends first"))
    assert first.index("web.demo.internal") < first.index("team.demo.internal")
    assert ">2</a>" in section(text, "Certificates")
    listed = client.get(f"/admin/certificates/certificate/?team={team.pk}").content.decode()
    assert "web.demo.internal" in listed
    assert "team.demo.internal" in listed
    assert "est/cams" in section(text, "Labels that depend on it")


def test_an_empty_team_says_what_to_do(browse, victor, team, alice):
    team.members.clear()

    assert "add members, so that somebody answers" in head(read(browse(victor), team))


def test_a_team_of_those_who_cannot_act_is_empty_too(browse, victor, team, alice):
    alice.is_active = False
    alice.save()

    assert ">nobody in it</span>" in head(read(browse(victor), team))


def test_its_history_is_sentences(browse, victor, carol, team):
    services.update_team(actor=carol, team_id=team.pk, changes={"name": "shoppers"})

    history = section(read(browse(victor), team), "History")

    assert "carol changed the team shoppers" in words_of(history)
    assert f"?subject_type=owners.team&amp;subject_id={team.pk}" in history

"""What waits for a decision, parted by who looks at it: alice asks, bob decides, victor reads.

The inbox shows what the rule that decides would allow, for everybody and in every way in which
somebody is barred.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from foundation.errors import CertctlError
from jobs import inbox, policy
from jobs.inbox import parting
from jobs.models import Job
from owners.models import Principal
from owners.roles import Role
from tests.factories import OwnerFactory
from tests.fixtures import person
from tests.jobs.waiting import Corpus, many

pytestmark = pytest.mark.django_db


def may_approve(actor, job):
    """Ask the rule that decides, of a job and a person read afresh."""
    try:
        policy.check_may_approve(Principal.objects.get(pk=actor.pk), Job.objects.get(pk=job.pk))
    except CertctlError:
        return False
    return True


def keys(jobs):
    return [job.pk for job in jobs]


# --- The rule is one ---------------------------------------------------------------------------


def test_it_shows_to_each_exactly_what_the_rule_that_decides_would_let_them_approve(alice, bob):
    dana = person("dana", Role.ADMIN)
    people = [alice, bob, dana]
    corpus = Corpus(people)
    jobs = corpus.make(220)
    # One who came after all keys whose origin nobody knows, and one whom no address joins.
    late = person("late", Role.OPERATOR, email="")
    Principal.objects.filter(pk=late.pk).update(date_joined=timezone.now() + timedelta(days=1))

    for one in (*people, late):
        parted = inbox.parted(actor=one, limit=1000)

        allowed = {job.pk for job in jobs if may_approve(one, job)}
        assert set(keys(parted.to_decide)) == allowed, one
        assert set(keys(parted.mine)) == {job.pk for job in jobs} - allowed, one
        assert one == late or 20 < len(allowed) < 200, (one, len(allowed))


@pytest.mark.parametrize(
    "way",
    ["asked_for", "brought_key", "answers_for"],
)
def test_the_corpus_has_jobs_that_only_one_part_of_the_rule_bars(alice, bob, way):
    dana = person("dana", Role.ADMIN)
    jobs = Corpus([alice, bob, dana]).make(220)
    parts = {
        "asked_for": lambda job: policy.asked_for(bob, job),
        "brought_key": lambda job: policy.brought_key(bob, job),
        "answers_for": lambda job: policy.answers_for(bob, job.certificate),
    }
    sole = [
        job
        for job in jobs
        if parts[way](job) and not any(ask(job) for name, ask in parts.items() if name != way)
    ]
    assert len(sole) >= 3


@pytest.mark.parametrize("who", ["victor", "inactive", "system", "capped"])
def test_whoever_decides_on_nothing_has_nothing_to_decide(victor, bob, alice, system, who):
    jobs = many(3, requested_by=alice)
    people = {"victor": victor, "inactive": bob, "system": system, "capped": alice}
    actor = people[who]
    if who == "inactive":
        actor.is_active = False
    if who == "capped":
        actor.cap = Role.VIEWER

    parted = inbox.parted(actor=actor)

    assert parted.to_decide == []
    assert keys(parted.mine) == (keys(jobs) if who == "capped" else [])


def test_what_does_not_wait_for_a_decision_is_nowhere(ask, free_profile, bob, alice):
    ask(free_profile)

    assert inbox.parted(actor=bob) == inbox.Parted([], [], None)
    assert inbox.parted(actor=alice) == inbox.Parted([], [], None)


def test_a_job_whose_key_cannot_be_read_hides_no_other(alice, bob):
    broken, good = many(2, requested_by=alice)
    Job.objects.filter(pk=broken.pk).update(csr_pem="-----BEGIN nothing")

    assert keys(inbox.parted(actor=bob).to_decide) == [good.pk]


# --- The most urgent first ---------------------------------------------------------------------


def test_the_most_urgent_stands_first_by_deadline_and_then_by_age(alice, bob):
    now = timezone.now()
    places = {
        "soon and old": (now, now - timedelta(days=2)),
        "soon": (now, now - timedelta(days=1)),
        "later": (now + timedelta(hours=1), now - timedelta(days=9)),
        "whenever": (None, now - timedelta(days=99)),
    }
    jobs = many(4, requested_by=alice)
    for job, (until, asked) in zip(reversed(jobs), places.values(), strict=True):
        Job.objects.filter(pk=job.pk).update(waits_until=until, created_at=asked)

    assert keys(inbox.parted(actor=bob).to_decide) == keys(reversed(jobs))


def test_pages_follow_on_one_another_and_none_is_left_out(alice, bob):
    corpus = Corpus([alice, bob])
    corpus.make(90)
    whole = inbox.parted(actor=bob, limit=1000)

    for part, jobs in (("to_decide", whole.to_decide), ("mine", whole.mine)):
        pages, place = [], None
        while True:
            page = inbox.page(actor=bob, part=part, after=place, size=7)
            pages += keys(page.jobs)
            if page.behind is None:
                break
            place = inbox.Place.read(str(page.behind))
        assert pages == keys(jobs)


def test_a_page_goes_on_behind_what_was_decided_meanwhile(alice, bob):
    jobs = many(4, requested_by=alice)
    first = inbox.page(actor=bob, size=2)
    Job.objects.filter(pk=jobs[1].pk).update(status="Pending", waits_until=None)

    assert keys(inbox.page(actor=bob, size=2, after=first.behind).jobs) == keys(jobs[2:])


def test_the_search_for_more_ends_and_goes_on_from_there(alice, bob, monkeypatch):
    monkeypatch.setattr(parting, "SLICE", 10)
    jobs = many(45, requested_by=alice)

    page = inbox.page(actor=alice, looked_at=20)

    assert (page.jobs, page.is_cut) == ([], True)
    assert page.behind == inbox.Place.of(Job.objects.get(pk=jobs[19].pk))
    assert not inbox.page(actor=alice, after=page.behind, looked_at=50).is_cut


@pytest.mark.parametrize("text", ["", "x", "1.2", "1.2.3", "9" * 40 + ".1." + "0" * 32])
def test_a_place_that_is_none_is_none(text):
    assert inbox.Place.read(text) is None


# --- Whatever waits ----------------------------------------------------------------------------


def queries_of(ask):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        ask()
    return len(queries)


def test_the_queries_are_the_same_few_for_ten_and_for_thousands(alice, bob):
    many(10, requested_by=alice, owner=OwnerFactory())
    few = queries_of(lambda: inbox.parted(actor=bob))
    many(5000, requested_by=alice, owner=OwnerFactory())

    assert queries_of(lambda: inbox.parted(actor=bob, limit=5000)) <= few + 1 <= 7
    assert queries_of(lambda: inbox.page(actor=bob)) <= few + 1
    # Nothing of all that is hers to decide: she looks through LOOKED_AT, and no further.
    slices = parting.LOOKED_AT // parting.SLICE
    assert queries_of(lambda: inbox.page(actor=alice)) <= slices * (few + 1)

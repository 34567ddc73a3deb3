"""Adopting what a CA signed is a sweep: stopped anywhere, it goes on, and does nothing twice.

carol administers and takes CAs over; alice, an operator, imports certificates; the worker is the
system, which acts on carol's behalf.
"""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from audit.models import Event
from certificates import queue, services, tasks
from certificates.details import Details
from certificates.models import Adoption, Certificate, Revocation, Version
from certificates.services import adoption
from issuers.models import Issuer
from issuers.services import ExistingCA
from tests.ca import OLD, make_ca, named, pem_of, pem_of_key
from tests.certificates.test_making_cas import old_crl
from tests.certificates.test_taking_over import entry
from tests.races import aside, meanwhile

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ca():
    return make_ca(subject=named("Old"), begins=timezone.now() - OLD)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(adoption, "BATCH", 2)


@pytest.fixture
def hints(monkeypatch):
    sent = []
    monkeypatch.setattr("foundation.hints.send", lambda name, *args: sent.append(name))
    return sent


@pytest.fixture
def take(carol, ca, hints):
    def over(*crls):
        existing = ExistingCA(
            slug="taken",
            certificate_pem=pem_of(ca.certificate),
            key_pem=pem_of_key(ca.key),
            crls=crls,
            has_no_crl=not crls,
        )
        return services.take_over_ca(actor=carol, ca=existing)

    return over


@pytest.fixture
def importing(alice, owner, local_ca, profile):
    def run(certified):
        details = Details(owner=owner, issuer=local_ca, profile=profile)
        pem = pem_of(certified.certificate)
        return services.import_pem(actor=alice, pem=pem, details=details).current

    return run


def leaf(ca, name):
    begins = timezone.now() - timedelta(days=9)
    return ca.certify(name, begins=begins, lifetime=timedelta(days=90))


@pytest.fixture
def seven(ca, importing):
    """Seven that the CA signed; a stranger's among them."""
    versions = [importing(leaf(ca, f"{number}.test")) for number in range(7)]
    importing(leaf(make_ca(subject=named("Old"), begins=timezone.now() - OLD), "x.test"))
    return versions


def adopted():
    return Version.objects.filter(issuer__slug="taken").count()


def events():
    return Event.objects.filter(action="certificate.adopt").count()


def test_the_take_over_adopts_a_batch_and_the_sweep_the_rest(seven, take, hints, carol, system):
    take()
    assert adopted() <= 2
    assert queue.ADOPT in hints

    done = tasks.adopt()

    assert (adopted(), events()) == (7, 7)
    assert not Adoption.objects.exists()
    theirs = Event.objects.filter(action="certificate.adopt", actor=system)
    assert theirs.count() == done > 0
    assert {event.data["on_behalf_of"] for event in theirs} == {carol.username}
    assert (tasks.adopt(), events()) == (0, 7)


def test_killed_between_two_batches_it_goes_on_where_it_was(seven, take, monkeypatch, system):
    class Killed(BaseException):
        pass

    stranger = Version.objects.issued_elsewhere()[0].pem  # first in every batch that begins anew
    ask, looked_at = adoption._is_signed, []

    def look(pem, issuer):
        looked_at.append(pem)
        return pem != stranger and ask(pem, issuer)

    monkeypatch.setattr(adoption, "_is_signed", look)
    take()
    really, batches = adoption.adopt, []

    def once(**given):
        if batches:
            raise Killed
        batches.append(really(**given))
        return batches[0]

    with monkeypatch.context() as patched:
        patched.setattr(adoption, "adopt", once)
        with pytest.raises(Killed):
            services.adopt_waiting(actor=system)
    half = len(looked_at)

    services.adopt_waiting(actor=system)

    assert half == 4
    assert len(looked_at) == len(set(looked_at)) == 8
    assert events() == adopted() == sum(version.pem != stranger for version in seven)


def test_killed_inside_a_batch_nothing_of_that_batch_is_left(seven, take, monkeypatch, system):
    take()
    before, passed = (adopted(), events()), Adoption.objects.get().passed

    def fails(entries):
        raise LookupError

    with monkeypatch.context() as patched:
        patched.setattr(adoption, "record_many", fails)
        services.adopt_waiting(actor=system)
        assert (adopted(), events()) == before
        assert Adoption.objects.get().passed >= passed
    services.adopt_waiting(actor=system)

    assert (adopted(), events()) == (7, 7)


def test_a_take_over_that_cannot_adopt_at_once_is_a_take_over(seven, take, monkeypatch):
    def away(**given):
        raise OperationalError("canceling statement due to lock timeout")

    with monkeypatch.context() as patched:
        patched.setattr("certificates.services.authorities.adopt", away)
        take()
    assert adopted() == 0

    tasks.adopt()

    assert adopted() == 7


def test_one_ca_that_fails_keeps_no_other_from_adopting(seven, take, monkeypatch, root_ca, carol):
    really = adoption.adopt
    Adoption.objects.create(issuer=root_ca, since=timezone.now() - OLD)
    take()

    def first_fails(*, issuer_id, actor):
        if issuer_id == root_ca.pk:
            raise LookupError
        return really(issuer_id=issuer_id, actor=actor)

    monkeypatch.setattr(adoption, "adopt", first_fails)
    tasks.adopt()

    assert adopted() == 7
    assert Adoption.objects.get().issuer == root_ca


def test_what_the_old_crl_lists_is_revoked_by_the_sweep_too(seven, take, ca, importing):
    gone = leaf(ca, "gone.test")
    version = importing(gone)

    take(old_crl(ca, entry(gone)))
    tasks.adopt()

    assert Revocation.objects.get(version=version).reason == "superseded"
    version.certificate.refresh_from_db()
    assert version.certificate.status == "Revoked"


def test_the_sweep_reads_one_empty_table_when_nothing_is_awaited(
    seven, system, django_assert_num_queries
):
    with django_assert_num_queries(1):
        services.adopt_waiting(actor=system)


@pytest.mark.parametrize("after", [None, "00000000-0000-0000-0000-000000000000"])
def test_the_next_batch_is_found_by_an_index(seven, after):
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # so few rows are read as they lie
            cursor.execute("SET LOCAL enable_sort = off")
        plan = Version.objects.issued_elsewhere(after=after)[:2].explain()

    assert "versions_elsewhere" in plan


def test_what_another_holds_is_left_and_looked_at_again(seven, take, system):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: nobody holds a row")
    held = seven[3]
    with transaction.atomic():
        Certificate.objects.lock(held.certificate_id)
        aside(take)
        aside(lambda: services.adopt_waiting(actor=system))
        assert (adopted(), Adoption.objects.count()) == (6, 1)

    services.adopt_waiting(actor=system)

    assert (adopted(), events(), Adoption.objects.count()) == (7, 7, 0)


def test_two_sweeps_at_once_do_nothing_twice(seven, take, system):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: nobody holds a row")
    issuer = take()
    with transaction.atomic():
        assert Adoption.objects.take(issuer)
        assert aside(lambda: services.adopt_waiting(actor=system)) == 0

    services.adopt_waiting(actor=system)

    assert (adopted(), events()) == (7, 7)


def test_an_import_that_commits_before_the_take_over_is_seen_by_it(ca, importing, take):
    meanwhile(lambda: importing(leaf(ca, "first.test")), take)
    tasks.adopt()

    assert (adopted(), events()) == (1, 1)


def test_an_import_that_waits_for_the_take_over_sees_it(ca, importing, take, alice):
    version = leaf(ca, "second.test")
    # The import has looked for a signer and found none when it comes to the trail.
    meanwhile(take, lambda: importing(version))
    tasks.adopt()

    assert (adopted(), Adoption.objects.count()) == (1, 0)
    assert Issuer.objects.get(slug="taken") == Version.objects.get(sans=["dns:second.test"]).issuer

"""What bob is flagged before he decides on what alice asks for; carol's team is another owner."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certificates.models import Certificate, CertificateName, Version
from jobs import risks, runner, services
from jobs.models import Job
from tests.factories import CertificateFactory, OwnerFactory, VersionFactory
from tests.fixtures import make_csr, new_key


def flags(job):
    job.refresh_from_db()
    return {flag.code: flag.words for flag in risks.flags_of([job]).get(job.pk, ())}


@pytest.fixture
def wide(profile):
    """The profile, with room for wildcards and many names."""
    profile.allow_wildcards, profile.max_sans = True, 300
    profile.save()
    return profile


@pytest.fixture
def served(local_ca):
    """Make a certificate of another owner that is live: `served(name)`."""

    def make(*names, **options):
        certificate = CertificateFactory(
            name=names[0],
            common_name="",
            sans=[f"dns:{name}" for name in names],
            issuer=local_ca,
            owner=options.pop("owner", None) or OwnerFactory(name="the other team"),
        )
        CertificateName.objects.bulk_create(CertificateName.of(certificate), ignore_conflicts=True)
        now = timezone.now()
        ends = options.pop("not_after", now + timedelta(days=40))
        version = VersionFactory(certificate=certificate, not_after=ends, **options)
        Certificate.objects.filter(pk=certificate.pk).update(current=version, status="Active")
        return version

    return make


@pytest.fixture
def known(alice, issued):
    """alice, for whom something was issued: nothing about her is new."""
    return alice


def test_a_plain_request_of_somebody_known_has_no_flag(ask, profile, known):
    assert flags(ask(profile, "new.demo.internal")) == {}


def test_bob_is_flagged_a_wildcard(ask, wide, known):
    words = flags(ask(wide, "*.apps.demo.internal", "www.demo.internal"))["wildcard"]

    assert words == "A wildcard: *.apps.demo.internal stands for every name in its place."


@pytest.mark.parametrize(("count", "is_flagged"), [(10, False), (11, True)])
def test_more_than_ten_names_are_many(ask, wide, known, count, is_flagged):
    job = ask(wide, *(f"{number}.demo.internal" for number in range(count)), name="many")

    assert ("many_names" in flags(job)) is is_flagged
    if is_flagged:
        assert flags(job)["many_names"].startswith("It is for 11 names")


def test_bob_is_flagged_a_domain_where_another_owner_is(ask, profile, known, served):
    served("shop.team.demo.internal")

    words = flags(ask(profile, "www.team.demo.internal"))["foreign_domain"]

    assert "under team.demo.internal, where the other team has a live certificate" in words


def test_a_name_deeper_under_it_is_flagged_too(ask, profile, known, served):
    served("shop.team.demo.internal")

    job = ask(profile, "a.b.team.demo.internal")

    assert "under team.demo.internal" in flags(job)["foreign_domain"]


def test_the_domain_itself_counts(ask, profile, known, served):
    served("team.demo.internal")

    job = ask(profile, "a.team.demo.internal")

    assert "under team.demo.internal" in flags(job)["foreign_domain"]


def test_a_domain_of_one_label_is_everybodys(ask, wide, known, served):
    wide.allowed_sans = ["dns:*"]
    wide.save()
    served("other.internal")

    assert "foreign_domain" not in flags(ask(wide, "mine.internal"))


def test_the_same_owner_is_no_other(ask, profile, known, served, owner):
    served("shop.team.demo.internal", owner=owner)

    assert "foreign_domain" not in flags(ask(profile, "www.team.demo.internal"))


def test_what_has_ended_is_not_live(ask, profile, known, served):
    served("shop.team.demo.internal", not_after=timezone.now() - timedelta(days=1))

    assert "foreign_domain" not in flags(ask(profile, "www.team.demo.internal"))


def test_what_is_archived_is_not_live(ask, profile, known, served):
    version = served("shop.team.demo.internal")
    Certificate.objects.filter(pk=version.certificate_id).update(status="Archived")

    assert "foreign_domain" not in flags(ask(profile, "www.team.demo.internal"))


def test_bob_is_flagged_a_key_that_a_live_certificate_has(ask, profile, known, served):
    key = new_key()
    job = ask(profile, csr_pem=make_csr("www.demo.internal", key=key))
    served("shop.demo.internal", key_fingerprint=job.key_fingerprint)

    assert flags(job)["same_key"] == "Its key is that of shop.demo.internal, which is live."


def test_an_ended_one_with_the_key_is_not_flagged(ask, profile, known, served):
    job = ask(profile, "www.demo.internal")
    ended = timezone.now() - timedelta(days=1)
    served("shop.demo.internal", key_fingerprint=job.key_fingerprint, not_after=ended)

    assert "same_key" not in flags(job)


def test_bob_is_flagged_another_kind_of_key_than_until_now(ask, profile, known, issued, alice):
    Version.objects.filter(certificate=issued).update(key_algorithm="rsa", key_size=2048)
    Certificate.objects.filter(pk=issued.pk).update(profile=profile)
    job = services.request_renewal(actor=alice, certificate_id=issued.pk).job
    job = Job.objects.get(pk=job.pk)

    assert "until now it is rsa 2048" in flags(job)["new_key_algorithm"]


def _three(served, profile, owner, **options):
    for number in range(3):
        version = served(f"{number}.demo.internal", owner=owner, **options)
        Certificate.objects.filter(pk=version.certificate_id).update(profile=profile)


def test_bob_is_flagged_a_key_that_is_unusual_under_the_profile(ask, profile, known, served, owner):
    _three(served, profile, owner, key_algorithm="rsa", key_size=3072)

    words = flags(ask(profile, "www.demo.internal"))["new_key_algorithm"]

    assert words.endswith("usual under its profile is rsa 3072.")


def test_bob_is_flagged_a_lifetime_longer_than_usual(ask, profile, known, served, owner):
    now = timezone.now()
    _three(served, profile, owner, not_before=now, not_after=now + timedelta(days=10))

    words = flags(ask(profile, "www.demo.internal"))["longer_lifetime"]

    assert words == "It would live for 47 days; usual under its profile is 10 days."


def test_a_shorter_lifetime_is_not_flagged(ask, profile, known, served, owner):
    now = timezone.now()
    _three(served, profile, owner, not_before=now, not_after=now + timedelta(days=10))

    job = ask(profile, "www.demo.internal", lifetime=timedelta(days=9))

    assert "longer_lifetime" not in flags(job)


def test_bob_is_flagged_another_open_request_for_the_name(ask, profile, known, bob):
    first = ask(profile, "www.demo.internal", name="first")
    second = ask(profile, "www.demo.internal", "b.demo.internal", name="second")

    assert flags(second)["name_asked"] == "Another open request is for dns:www.demo.internal too."
    services.reject_job(job_id=first.pk, actor=bob, reason="no")
    assert "name_asked" not in flags(second)


def test_bob_is_flagged_another_open_request_for_the_key(ask, profile, known):
    key = new_key()
    ask(profile, csr_pem=make_csr("a.demo.internal", key=key))

    second = ask(profile, csr_pem=make_csr("b.demo.internal", key=key))

    assert flags(second)["key_asked"] == "Another job asks for a certificate with the same key."


def test_bob_is_flagged_the_first_certificate_of_alice(ask, profile, free_profile, alice):
    assert "alice" in flags(ask(profile, "www.demo.internal"))["first_of_requester"]

    ask(free_profile, "b.demo.internal")
    runner.run_pending()

    assert "first_of_requester" not in flags(ask(profile, "c.demo.internal"))


def test_a_labels_first_device_is_no_newcomer(ask, profile):
    job = ask(profile, "www.demo.internal")
    Job.objects.filter(pk=job.pk).update(device="cams/cam-1")
    job.refresh_from_db()

    assert "first_of_requester" not in flags(job)


def test_however_many_jobs_it_is_as_many_queries(ask, profile, known):
    def asked(jobs):
        rows = list(
            Job.objects.filter(pk__in=[job.pk for job in jobs]).select_related(
                "certificate__owner",
                "certificate__profile",
                "certificate__current__revocation",
                "requested_by",
            )
        )
        with CaptureQueriesContext(
            connection,
        ) as queries:
            risks.flags_of(rows)
        return len(queries)

    jobs = [ask(profile, f"{number}.demo.internal") for number in range(12)]

    assert asked(jobs) == asked(jobs[:1]) <= 9

"""What alice is told when she asks, and bob when he decides, before anything is signed.

Nothing is refused for it. carol administers.
"""

import pytest

from certificates import services as certificate_services
from certificates.details import Details
from certificates.models import Certificate, CertificateName, CertificateStatus, Reason
from jobs import approvals, runner, services
from jobs.models import Job
from tests.factories import CertificateFactory, RenewalPolicyFactory
from tests.fixtures import make_csr, new_key


def renewed(actor, certificate, **options):
    return services.request_renewal(actor=actor, certificate_id=certificate.pk, **options).warnings


def test_alice_is_warned_that_a_renewal_brings_back_what_bob_revoked(alice, bob, issued):
    certificate_services.revoke(
        version_id=issued.current_id, actor=bob, reason=Reason.SUPERSEDED, note=""
    )
    issued.refresh_from_db()

    (warning,) = renewed(alice, issued)

    assert "revoked (superseded)" in warning


def test_alice_is_warned_of_another_certificate_of_the_name(alice, issued, owner):
    CertificateFactory(name=issued.name, owner=owner)

    (warning,) = renewed(alice, issued)

    assert warning == f"There is another certificate of the name {issued.name}."


def test_alice_is_warned_that_her_csr_was_signed_before(alice, issued):
    (warning,) = renewed(alice, issued, csr_pem=issued.current.csr_pem)

    assert "same CSR" in warning


def test_alice_is_told_nothing_where_there_is_nothing_to_tell(alice, issued, csr_for):
    assert renewed(alice, issued, csr_pem=csr_for(issued.common_name)) == ()
    assert runner.run_pending() == 1


# --- Names ----------------------------------------------------------------------------------


def warned(job):
    return approvals.review(job).warnings


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (("other.demo.internal", "shared.demo.internal"), "dns:shared.demo.internal"),
        (("shared.demo.internal",), "dns:shared.demo.internal"),
    ],
)
def test_bob_is_warned_of_another_certificate_for_one_of_the_names(ask, profile, theirs, words):
    ask(profile, *theirs, name="theirs")

    mine = ask(profile, "mine.demo.internal", "shared.demo.internal", name="mine")

    assert warned(mine) == (f"Another certificate is for {words} too.",)


def test_a_common_name_counts_as_the_host_name_that_it_is(ask, profile, alice, owner, local_ca):
    certificate_services.register(
        actor=alice,
        details=Details(name="theirs", owner=owner, issuer=local_ca, profile=profile),
        common_name="SHARED.demo.internal.",
    )

    job = ask(profile, "shared.demo.internal", name="mine")

    assert warned(job) == ("Another certificate is for dns:shared.demo.internal too.",)


def test_several_shared_names_are_counted_and_not_listed(ask, profile):
    names = [f"{number}.demo.internal" for number in range(5)]
    ask(profile, *names, name="theirs")

    job = ask(profile, *names, name="mine")

    assert warned(job) == (
        "Another certificate is for dns:0.demo.internal and 4 more of its names too.",
    )


def test_an_archived_certificate_has_its_names_no_more(ask, profile):
    theirs = ask(profile, "shared.demo.internal", name="theirs").certificate
    Certificate.objects.filter(pk=theirs.pk).update(status=CertificateStatus.ARCHIVED)

    assert warned(ask(profile, "shared.demo.internal", name="mine")) == ()


def test_a_namesake_is_told_once(ask, profile):
    ask(profile, "shared.demo.internal")

    assert warned(ask(profile, "shared.demo.internal")) == (
        "There is another certificate of the name shared.demo.internal.",
    )


def test_every_certificate_is_found_by_its_names(ask, profile):
    job = ask(profile, "a.demo.internal", "b.demo.internal", common_name="a.demo.internal")

    rows = CertificateName.objects.filter(certificate=job.certificate_id)
    assert {row.value for row in rows} == {"dns:a.demo.internal", "dns:b.demo.internal"}


# --- CSRs -----------------------------------------------------------------------------------


def test_bob_is_warned_of_a_csr_that_another_open_job_asks_for(ask, profile, csr_for):
    csr_pem = csr_for("web.demo.internal")
    first = ask(profile, csr_pem=csr_pem, name="first")

    second = ask(profile, csr_pem=csr_pem, name="second")

    assert "Another job asks for the same CSR to be signed." in warned(second)
    assert "Another job asks for the same CSR to be signed." in warned(first)


def test_bob_is_warned_of_another_csr_with_the_same_key(ask, profile, bob):
    key = new_key()
    first = ask(profile, csr_pem=make_csr("a.demo.internal", key=key))

    second = ask(profile, csr_pem=make_csr("b.demo.internal", key=key))

    assert warned(second) == ("Another job asks for a certificate with the same key.",)
    services.reject_job(job_id=first.pk, actor=bob, reason="no")
    assert warned(second) == ()


def test_alice_is_warned_of_the_key_when_she_brings_the_csr_later(
    ask, profile, alice, bob, client_of
):
    key = new_key()
    ask(profile, csr_pem=make_csr("a.demo.internal", key=key))
    job = ask(profile, csr_pem="", sans=["dns:b.demo.internal"])

    answer = client_of(alice).post(
        f"/api/v1/jobs/{job.pk}/csr/", {"csr": make_csr("b.demo.internal", key=key)}
    )

    assert answer.json()["warnings"] == ["Another job asks for a certificate with the same key."]


def test_jobs_without_a_csr_have_no_key_in_common(ask, profile):
    jobs = [ask(profile, csr_pem="", sans=[f"dns:{name}.test"]) for name in "ab"]

    assert [warned(job) for job in jobs] == [(), ()]


@pytest.mark.parametrize("reuses", [True, False])
def test_bob_is_warned_of_a_csr_signed_before_where_the_policy_wants_a_new_key(
    alice, issued, reuses
):
    issued.renewal_policy = RenewalPolicyFactory(reuse_key=reuses)
    issued.save()

    job = services.request_renewal(
        actor=alice, certificate_id=issued.pk, csr_pem=issued.current.csr_pem
    ).job

    words = "The same CSR was signed before: its key is used again."
    assert warned(job) == (() if reuses else (words,))


def test_bob_is_warned_of_a_csr_that_was_signed_for_another_certificate(ask, profile, issued):
    job = ask(profile, csr_pem=issued.current.csr_pem, name="mine")

    assert "The same CSR was signed before: its key is used again." in warned(job)


# --- Doors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["change/", "approve/"])
def test_the_admin_tells_bob_on_the_page_of_the_job_and_of_the_decision(
    ask, profile, bob, browse, csr_for, page
):
    csr_pem = csr_for("web.demo.internal")
    ask(profile, csr_pem=csr_pem)

    job = ask(profile, csr_pem=csr_pem)
    shown = browse(bob).get(f"/admin/jobs/job/{job.pk}/{page}").content.decode()

    assert "There is another certificate of the name web.demo.internal." in shown
    assert "Another job asks for the same CSR to be signed." in shown


def test_the_admin_tells_bob_what_a_renewal_brings_back(alice, bob, carol, browse, issued):
    certificate_services.revoke(version_id=issued.current_id, actor=carol, reason="superseded")
    job = services.request_renewal(actor=alice, certificate_id=issued.pk).job

    shown = browse(bob).get(f"/admin/jobs/job/{job.pk}/change/").content.decode()

    assert shown.count("The certificate is revoked (superseded): this brings it back.") == 1


def test_the_review_over_rest_tells_bob_too(ask, profile, bob, client_of):
    ask(profile)

    review = client_of(bob).get(f"/api/v1/jobs/{ask(profile).pk}/review/").json()

    assert review["warnings"] == ["There is another certificate of the name web.demo.internal."]


def test_what_is_over_is_warned_of_no_more(ask, profile, bob):
    ask(profile)
    job = ask(profile)
    assert warned(job)

    job = services.reject_job(job_id=job.pk, actor=bob, reason="no")

    assert warned(job) == ()


def test_any_number_of_jobs_is_two_queries(ask, profile, django_assert_num_queries, csr_for):
    csr_pem = csr_for("web.demo.internal")
    keys = [ask(profile, csr_pem=csr_pem).pk for _ in range(5)]
    related = ("certificate__current__revocation",)
    jobs = list(Job.objects.filter(pk__in=keys).select_related(*related))

    for some in (jobs[:1], jobs):
        with django_assert_num_queries(2):
            assert len(approvals.of_jobs(some)) == len(some)
    with django_assert_num_queries(0):
        assert approvals.of_jobs([]) == {}


def test_the_page_of_a_decision_on_many_asks_no_more_for_their_warnings(
    ask, profile, bob, browse, django_assert_max_num_queries
):
    jobs = [ask(profile, f"{name}.demo.internal") for name in "abcdef"]
    client = browse(bob)

    def page(some):
        keys = [str(job.pk) for job in some]
        return client.post("/admin/jobs/job/", {"action": "reject", "_selected_action": keys})

    with django_assert_max_num_queries(200) as one:
        page(jobs[:1])
    with django_assert_max_num_queries(200) as six:
        page(jobs)
    looks = [
        sum("certificates_certificatename" in query["sql"] for query in given.captured_queries)
        for given in (one, six)
    ]
    assert looks == [1, 1]

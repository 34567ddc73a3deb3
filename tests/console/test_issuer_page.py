"""The page about an issuer: what it is, how it is answered for, who uses it, what it did.

Carol administers, alice asks, bob decides, victor only reads, and mallory may not read it at all.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certificates import crl
from certificates import services as certificate_services
from certificates.models import CRL, Alert, Certificate, Version
from foundation.admin import parts
from issuers import services as issuer_services
from issuers.models import Issuer, Profile
from jobs.models import Job
from tests.console.rows_pages import (
    HIDING,
    MOST_QUERIES,
    address,
    limited,
    read,
    section,
    shows_what_hides,
    titles,
    without,
    words_of,
)
from tests.factories import CertificateFactory, JobFactory, VersionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(local_ca, carol):
    crl.publish(issuer_id=local_ca.pk, actor=carol)
    return local_ca


@pytest.fixture
def held(local_ca, profile):
    """A certificate of the CA, in use."""
    certificate = CertificateFactory(name="web.demo.internal", issuer=local_ca, profile=profile)
    VersionFactory(certificate=certificate)
    return certificate


def test_victor_reads_what_it_is_and_no_form(browse, victor, local_ca, root_ca):
    text = read(browse(victor), local_ca)

    assert '<h1 id="page-name">Test Issuing (issuing)</h1>' in text
    assert "It signs certificates." in text
    described = local_ca.described
    assert f"in {(described.not_after - timezone.now()).days} days" in text
    assert f"{described.not_after:%Y-%m-%d %H:%M} UTC" in text
    about = section(text, "What it is")
    assert f'href="{address(root_ca)}"' in about
    for words in ("Local CA", "ecdsa-p256", described.fingerprint, "CN=Test Issuing CA"):
        assert words in about, words
    assert 'id="issuer_form"' not in text


def test_its_chain_goes_up_to_the_root(browse, victor, local_ca, root_ca):
    chain = words_of(section(read(browse(victor), local_ca), "Chain"))

    assert chain.index("CN=Test Issuing CA") < chain.index("CN=Test Root CA")
    below = section(read(browse(victor), root_ca), "CAs below it")
    assert f'href="{address(local_ca)}"' in below


def test_its_crl_stands_with_its_number_and_dates(browse, victor, published):
    newest = CRL.objects.get(issuer=published)

    part = section(read(browse(victor), published), "Revocation")

    assert f'href="{address(newest)}">number {newest.number}</a>' in part
    assert "in time" in part
    assert f"{newest.next_update:%Y-%m-%d %H:%M} UTC" in part
    assert "http://pki.test/.well-known/pki/crl/issuing" in part
    assert "the CA&#x27;s own key" in part


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(minutes=1), "late: look whether the worker runs"),
        (timedelta(minutes=-1), "over: relying parties refuse it"),
    ],
)
def test_a_crl_that_is_late_says_so(browse, victor, published, left, words):
    now = timezone.now()
    CRL.objects.update(this_update=now - timedelta(days=7), next_update=now + left)

    assert words in section(read(browse(victor), published), "Revocation")


def test_before_the_first_crl_it_says_none(browse, victor, local_ca):
    assert "none yet" in section(read(browse(victor), local_ca), "Revocation")


@pytest.mark.parametrize(
    ("fields", "badge", "words"),
    [
        ({"enabled": False}, "disabled", "Enable it to have it sign again."),
        ({"awaits_crl": True}, "awaits its old CRL", "Import its old CRL"),
    ],
)
def test_its_status_says_what_to_do_next(browse, victor, local_ca, fields, badge, words):
    Issuer.objects.filter(pk=local_ca.pk).update(**fields)

    text = read(browse(victor), local_ca)

    head = text[: text.index(">What it is</h2>")]
    assert f">{badge}</span>" in head
    assert words in head


@pytest.mark.parametrize(
    ("lifetime", "badge", "words"),
    [
        (timedelta(days=80), "ends soon", "Make the CA that takes its place"),
        (timedelta(0), "ended", "Nobody accepts what it signed any more."),
    ],
)
def test_it_says_in_time_that_the_ca_ends(
    browse, victor, local_ca, time_machine, lifetime, badge, words
):
    ends = local_ca.described.not_after
    time_machine.move_to(ends - lifetime, tick=False)
    client = browse(victor)

    text = read(client, local_ca)

    head = text[: text.index(">What it is</h2>")]
    assert f">{badge}</span>" in head
    assert words in head


def test_a_revoked_ca_says_that_it_signs_no_more(browse, victor, carol, local_ca, root_ca):
    version = VersionFactory(
        certificate=CertificateFactory(issuer=root_ca),
        fingerprint=local_ca.described.fingerprint,
        key_fingerprint=local_ca.described.key_fingerprint,
    )
    certificate_services.revoke(version_id=version.pk, actor=carol, reason="unspecified")

    text = read(browse(victor), local_ca)

    head = text[: text.index(">What it is</h2>")]
    assert ">revoked</span>" in head
    assert "CRLs and OCSP answers it still signs." in head


def test_the_profiles_that_use_it_stand_with_why(browse, victor, local_ca, root_ca, profile):
    profile.issuers.add(local_ca, root_ca)
    Profile.objects.create(slug="open", name="Open")
    Profile.objects.create(slug="other", name="Other").issuers.add(root_ca)

    part = words_of(section(read(browse(victor), local_ca), "Profiles that use it"))

    assert "tls-server enabled 47 days names it" in part
    assert "open enabled 47 days lets any issuer sign" in part
    assert "other" not in part
    assert part.count("tls-server") == 1


def test_its_certificates_are_counted_with_the_list_behind(browse, victor, local_ca, held):
    revoked = CertificateFactory(issuer=local_ca)
    VersionFactory(certificate=revoked)
    Certificate.objects.filter(pk=revoked.pk).update(status="Revoked")
    client = browse(victor)

    part = section(read(client, local_ca), "Certificates")

    link = (
        "/admin/certificates/certificate/"
        f"?issuer={local_ca.pk}&amp;status__in=Active%2CExpiring%2CRenewalInProgress"
    )
    assert f'href="{link}">1</a>' in part
    assert ">2</a>" in part
    listed = client.get(link.replace("&amp;", "&")).content.decode()
    assert "web.demo.internal" in listed
    assert revoked.name not in listed


def test_what_ends_first_stands_first_and_what_is_over_nowhere(browse, victor, local_ca):
    ends = {"later": 30, "sooner": 3, "over": -1}
    for name, days in ends.items():
        VersionFactory(
            certificate=CertificateFactory(name=name, issuer=local_ca),
            not_after=timezone.now() + timedelta(days=days, minutes=5),
        )

    part = words_of(section(read(browse(victor), local_ca), "What ends first"))

    assert part.index("sooner Active in 3 days") < part.index("later Active in 30 days")
    assert "over" not in part


def test_what_it_did_last(browse, victor, alice, carol, local_ca, held):
    certificate_services.revoke(
        version_id=held.current_id, actor=carol, reason="keyCompromise", note="Lost"
    )
    job = JobFactory(certificate=held, requested_by=alice)

    text = read(browse(victor), local_ca)

    assert "web.demo.internal v1 revoked" in words_of(section(text, "What it signed last"))
    gone = words_of(section(text, "What was revoked last"))
    assert "Key compromise: the private key may be known to others carol" in gone
    jobs = section(text, "Jobs")
    assert f'href="{address(job)}"' in jobs
    assert f"/admin/jobs/job/?issuer={local_ca.pk}" in jobs


def test_its_history_is_sentences_and_all_of_it_is_one_press_away(
    browse, victor, carol, local_ca, root_ca
):
    issuer_services.update_issuer(actor=carol, issuer_id=local_ca.pk, changes={"enabled": False})
    client = browse(victor)

    history = section(read(client, local_ca), "History")

    assert "carol disabled the issuer issuing" in words_of(history)
    link = f"/admin/audit/event/?subject_type=issuers.issuer&amp;subject_id={local_ca.pk}"
    assert f'href="{link}"' in history
    listed = client.get(link.replace("&amp;", "&"))
    assert listed.status_code == 200
    assert {event.subject_id for event in listed.context["cl"].result_list} == {str(local_ca.pk)}


def test_an_open_alert_is_at_the_top(browse, victor, local_ca, root_ca):
    Alert.objects.create(kind=Alert.Kind.CRL_LATE, issuer=local_ca, detail="The CRL is late.")
    Alert.objects.create(kind=Alert.Kind.CRL_LATE, issuer=root_ca, detail="Another one.")

    text = read(browse(victor), local_ca)

    assert text.index("The CRL is late.") < text.index(">What it is</h2>")
    assert "Another one." not in text


def test_the_form_is_behind_a_button_that_only_carol_sees(browse, alice, carol, local_ca):
    hers, his = browse(carol), browse(alice)

    assert 'href="?edit=1"' in read(hers, local_ca)
    assert 'href="?edit=1"' not in read(his, local_ca)
    form = hers.get(f"{address(local_ca)}?edit=1")
    assert "crl_shards" in form.context["adminform"].form.fields
    assert "page-name" in his.get(f"{address(local_ca)}?edit=1").content.decode()


def test_after_saving_one_looks_at_what_was_saved(browse, carol, local_ca):
    answer = browse(carol).post(f"{address(local_ca)}?edit=1", {"name": "Renamed", "enabled": "on"})

    assert (answer.status_code, answer["Location"]) == (302, address(local_ca))


def test_mallory_is_shown_nothing(browse, victor, local_ca, monkeypatch):
    without(monkeypatch, "issuers.view_issuer", "issuers.change_issuer")

    assert browse(victor).get(address(local_ca)).status_code == 403


def test_nobody_is_shown_what_they_may_not_read(browse, victor, local_ca, held, monkeypatch):
    JobFactory(certificate=held)
    without(
        monkeypatch,
        "audit.view_event",
        "certificates.view_certificate",
        "certificates.view_version",
        "certificates.view_revocation",
        "issuers.view_profile",
        "jobs.view_job",
    )

    text = read(browse(victor), local_ca)

    assert titles(text) == ["What it is", "Revocation", "Chain"]
    assert "web.demo.internal" not in text


def test_names_are_shown_as_what_they_are(browse, victor, local_ca):
    Issuer.objects.filter(pk=local_ca.pk).update(name=HIDING)

    assert shows_what_hides(read(browse(victor), local_ca))


def test_two_thousand_certificates_take_no_more_queries_than_few(
    browse, victor, inventory, django_assert_max_num_queries
):
    first = inventory(20)[0]
    client = browse(victor)
    read(client, first.issuer)
    with django_assert_max_num_queries(MOST_QUERIES) as few:
        read(client, first.issuer)
    grow(2_000, first)

    with django_assert_max_num_queries(len(few)):
        text = read(client, first.issuer)

    assert ">2,021</a>" in section(text, "Certificates")


def grow(count, like):
    """Make `count` more certificates like one, each with a version and a job."""
    rows = Certificate.objects.bulk_create(
        Certificate(
            name=f"more-{n}",
            owner=like.owner,
            issuer=like.issuer,
            profile=like.profile,
            status="Active",
        )
        for n in range(count)
    )
    now = timezone.now()
    versions = Version.objects.bulk_create(
        Version(
            certificate=one, issuer=like.issuer, number=1, serial=f"{n + 9_000_000:x}", subject="",
            not_before=now, not_after=now + timedelta(days=n % 90 + 1),
            fingerprint=f"{n + 9_000_000:064x}", key_fingerprint=f"{n:064x}",
            key_algorithm="ecdsa-p256", pem="made up",
        )
        for n, one in enumerate(rows)
    )  # fmt: skip
    for one, version in zip(rows, versions, strict=True):
        one.current = version
    Certificate.objects.bulk_update(rows, ["current"], batch_size=300)
    asker = JobFactory(certificate=like).requested_by
    Job.objects.bulk_create(
        Job(kind="Issuance", certificate=one, requested_by=asker, status="Completed")
        for one in rows
    )


def test_counts_end_at_ten_thousand(browse, victor, held, local_ca, monkeypatch):
    CertificateFactory.create_batch(4, issuer=local_ca, status="Active")
    monkeypatch.setattr("certificates.admin.holdings.COUNTED", 3)

    client = browse(victor)
    with CaptureQueriesContext(connection) as queries:
        part = section(read(client, local_ca), "Certificates")

    assert parts.COUNTED == 10_000
    assert ">3+</a>" in part
    assert ">5</a>" not in part
    assert limited(queries, "certificates_certificate", 4)

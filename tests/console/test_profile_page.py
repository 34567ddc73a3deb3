"""The page about a profile: its rules in words, what stands under it, what was asked for lately.

Carol administers, alice asks, victor only reads, and mallory may not read it at all.
"""

from datetime import timedelta

import pytest

from certificates.models import Certificate
from enrollment.models import Label
from issuers import services
from issuers.models import Profile
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
from tests.factories import (
    CertificateFactory,
    JobFactory,
    PrincipalFactory,
    RenewalPolicyFactory,
    VersionFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(profile):
    certificate = CertificateFactory(
        name="web.demo.internal",
        profile=profile,
        renewal_policy=RenewalPolicyFactory(name="standard", window=timedelta(days=14)),
    )
    VersionFactory(certificate=certificate)
    return certificate


def head(text):
    return text[text.index("page-head") : text.index("page-sections")]


def change(profile, **fields):
    Profile.objects.filter(pk=profile.pk).update(**fields)


def test_victor_reads_its_rules_in_words_and_no_form(browse, victor, profile):
    change(profile, fixed_subject={"O": "Example"}, max_sans=5, justification_required=True)

    text = read(browse(victor), profile)

    assert '<h1 id="page-name">TLS server (tls-server)</h1>' in text
    assert "Certificates may be asked for under it." in head(text)
    assert "47 days" in head(text)
    names = words_of(section(text, "Names"))
    assert "dns:*.demo.internal dns:demo.internal at most 5 in one certificate" in names
    assert "Wildcards are refused" in names
    assert "CN : common name" in names
    assert "O=Example" in names
    key = words_of(section(text, "Key, purpose and life"))
    assert "ecdsa-p256 : small and fast, for nearly everything" in key
    assert "serverAuth : TLS server" in key
    assert "by CRL and OCSP" in key
    asking = words_of(section(text, "Asking"))
    assert "Issuance : the first certificate of a name" in asking
    assert "must say why" in asking
    assert 'id="profile_form"' not in text


@pytest.mark.parametrize(
    ("fields", "badge", "words"),
    [
        ({"enabled": False}, "disabled", "Enable it to have certificates asked for again."),
        (
            {"allowed_sans": [], "issues_nothing": True},
            "issues nothing",
            "It allows no name, so nothing is issued under it.",
        ),
        ({"is_ca": True}, "CA certificates", "nobody else can, and nobody edits it"),
        ({"is_ra": True}, "RA certificates", "nobody else can, and nobody edits it"),
    ],
)
def test_its_status_says_what_to_do_next(browse, carol, profile, fields, badge, words):
    change(profile, **fields)

    text = read(browse(carol), profile)

    assert f">{badge}</span>" in head(text)
    assert words in head(text)
    assert ('href="?edit=1"' in text) == ("is_ca" not in fields and "is_ra" not in fields)


def test_what_lives_too_short_for_revocation_says_so(browse, victor, short_profile):
    part = section(read(browse(victor), short_profile), "Key, purpose and life")

    assert "is in no CRL and no OCSP" in part


def test_whoever_may_sign_is_named_or_all_are(browse, victor, profile, local_ca):
    client = browse(victor)
    assert "Any issuer that is enabled." in section(read(client, profile), "Who may sign")

    profile.issuers.add(local_ca)

    part = section(read(client, profile), "Who may sign")
    assert f'href="{address(local_ca)}"' in part
    assert "Any issuer" not in part


def test_victor_who_may_not_read_issuers_is_not_told_that_any_may_sign(
    browse, victor, profile, local_ca, monkeypatch
):
    profile.issuers.add(local_ca)
    without(monkeypatch, "issuers.view_issuer")

    text = read(browse(victor), profile)

    assert "Who may sign" not in titles(text)
    assert "Any issuer" not in text
    assert "issuing" not in text


def test_what_depends_on_it_stands_there(browse, victor, profile, held, owner):
    Label.objects.create(
        protocol="est",
        path="cams",
        principal=PrincipalFactory(username="est-cams", kind="machine", for_devices=True),
        issuer=held.issuer,
        profile=profile,
        owner=owner,
    )
    RenewalPolicyFactory(name="of others")

    text = read(browse(victor), profile)

    assert f"?profile={profile.pk}&amp;status__in=" in section(text, "Certificates")
    assert "web.demo.internal" in section(text, "What ends first")
    policies = words_of(section(text, "Renewal policies of its certificates"))
    assert "standard yes 14 days" in policies
    assert "of others" not in policies
    assert "est/cams open" in words_of(section(text, "Labels that depend on it"))


def test_what_was_asked_for_and_done_stands_there(browse, victor, carol, alice, profile, held):
    job = JobFactory(certificate=held, requested_by=alice)
    services.save_profile(
        actor=carol, profile_id=profile.pk, changes={"description": "For the web."}
    )

    text = read(browse(victor), profile)

    assert "For the web." in head(text)
    requests = section(text, "Recent requests")
    assert f'href="{address(job)}"' in requests
    assert f"/admin/jobs/job/?profile={profile.pk}" in requests
    history = section(text, "History")
    assert "carol changed the profile tls-server" in words_of(history)
    assert f"?subject_type=issuers.profile&amp;subject_id={profile.pk}" in history


def test_the_form_is_behind_a_button_that_only_carol_sees(browse, alice, carol, profile):
    assert 'href="?edit=1"' in read(browse(carol), profile)
    assert 'href="?edit=1"' not in read(browse(alice), profile)
    form = browse(carol).get(f"{address(profile)}?edit=1")
    assert "allowed_sans" in form.context["adminform"].form.fields
    assert "page-name" in browse(alice).get(f"{address(profile)}?edit=1").content.decode()


def test_mallory_is_shown_nothing(browse, victor, profile, monkeypatch):
    without(monkeypatch, "issuers.view_profile", "issuers.change_profile")

    assert browse(victor).get(address(profile)).status_code == 403


def test_nobody_is_shown_what_they_may_not_read(browse, victor, profile, held, monkeypatch):
    JobFactory(certificate=held)
    without(
        monkeypatch,
        "audit.view_event",
        "certificates.view_certificate",
        "certificates.view_renewalpolicy",
        "jobs.view_job",
    )

    text = read(browse(victor), profile)

    assert titles(text) == ["Names", "Key, purpose and life", "Asking", "Who may sign"]
    assert "web.demo.internal" not in text


def test_what_people_typed_is_shown_as_what_it_is(browse, victor, profile):
    change(profile, name=HIDING, description=HIDING, allowed_sans=[f"dns:{HIDING}"])

    assert shows_what_hides(read(browse(victor), profile))


def test_two_thousand_certificates_take_no_more_queries_than_few(
    browse, carol, inventory, django_assert_max_num_queries
):
    profile = inventory(5)[0].profile
    Certificate.objects.update(renewal_policy=RenewalPolicyFactory())
    client = browse(carol)
    read(client, profile)
    with django_assert_max_num_queries(MOST_QUERIES) as few:
        read(client, profile)
    like = Certificate.objects.first()
    rows = Certificate.objects.bulk_create(
        Certificate(
            name=f"more-{n}",
            owner=like.owner,
            issuer=like.issuer,
            profile=profile,
            renewal_policy=like.renewal_policy,
            status="Active",
        )
        for n in range(2_000)
    )
    for one in rows[:60]:
        JobFactory(certificate=one)

    with django_assert_max_num_queries(len(few)):
        text = read(client, profile)

    assert ">2,006</a>" in section(text, "Certificates")

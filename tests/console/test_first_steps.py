"""The guide of an empty installation: each step ticked by its rows, each button for whoever may.

Carol administers; alice asks and bob decides; victor only reads.
"""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from certificates.services.authorities import ANSWERS_FOR_CAS
from console import first_steps
from deployments.models import Target
from issuers.models import Issuer, Profile
from issuers.services import save_profile
from issuers.services.profiles import FIELDS, validate_profile
from issuers.templates import BY_SLUG, TEMPLATES
from jobs.states import Status
from owners.models import Owner, Principal
from owners.roles import Role
from tests.factories import CertificateFactory, JobFactory, OwnerFactory, VersionFactory

PAGE = "/admin/first-steps/"


def done():
    return {row.key for row in first_steps.steps() if row.is_done}


def following():
    return [row.key for row in first_steps.steps() if row.is_next]


@pytest.fixture
def elsewhere(settings):
    settings.PKI_BASE_URL = "http://pki.example.com"
    settings.PKI_PREFIX = ""


def test_nothing_is_done_at_first_and_a_ca_is_next(db, settings):
    settings.PKI_BASE_URL, settings.PKI_PREFIX = "http://127.0.0.1:8000", ""

    assert done() == set()
    assert following() == ["ca"]
    assert "leads every relying party to itself" in first_steps.steps()[0].notes[0]


def test_each_step_is_ticked_by_its_rows_and_the_next_one_stands_out(
    elsewhere, carol, local_ca, profile
):
    Issuer.objects.update(enabled=False)  # the root above it, too
    profile.enabled = False
    profile.save()
    assert done() == {"address"}
    assert following() == ["ca"]

    Issuer.objects.update(enabled=True)
    assert following() == ["profile"]

    profile.enabled = True
    profile.save()
    assert following() == ["people"]

    OwnerFactory()
    carol.groups.add(Group.objects.get(name=Role.OPERATOR))
    assert following() == ["people"], "one person of two roles is one"


def test_two_who_decide_and_an_owner_make_the_people(db, alice, victor, owner):
    assert not first_steps.has_deciders()
    Principal.objects.filter(pk=victor.pk).update(is_superuser=True, is_active=False)
    assert not first_steps.has_deciders()

    Principal.objects.filter(pk=victor.pk).update(is_active=True)
    assert first_steps.has_people()


def test_a_machine_decides_nothing_here(db, alice, bob):
    Principal.objects.filter(pk=bob.pk).update(kind=Principal.Kind.MACHINE)

    assert not first_steps.has_deciders()


def test_what_certctl_keeps_for_itself_ticks_nothing(db):
    Owner.objects.create(name=ANSWERS_FOR_CAS)
    profile = Profile.objects.create(slug="of-cas", is_ca=True)
    VersionFactory(certificate=CertificateFactory(profile=profile, owner=Owner.objects.get()))

    assert not first_steps.has_owner()
    assert not first_steps.has_certificate()
    assert not first_steps.has_profile()


def test_a_certificate_that_waits_is_shown_and_one_that_was_issued_ticks(db, carol, browse):
    job = JobFactory(status=Status.AWAITING_APPROVAL)
    assert f"/admin/jobs/job/{job.pk}/change/" in browse(carol).get(PAGE).content.decode()

    VersionFactory(certificate=job.certificate)
    assert "certificate" in done()


def test_the_whole_costs_the_same_whatever_there_is(
    elsewhere, carol, browse, django_assert_max_num_queries
):
    client = browse(carol)
    client.get(PAGE)
    with django_assert_max_num_queries(25):
        client.get(PAGE)

    for number in range(20):
        VersionFactory(certificate=CertificateFactory())
        Target.objects.create(name=f"web-{number}", kind="file", config={})
    with django_assert_max_num_queries(25):
        client.get(PAGE)


def test_carol_has_the_buttons_and_victor_none_of_them(db, browse, carol, victor):
    hers = browse(carol).get(PAGE).content.decode()
    his = browse(victor).get(PAGE).content.decode()

    for one in (
        "issuers_issuer_add",
        "issuers_profile_add",
        "owners_owner_add",
        "owners_principal_add",
        "certificates_certificate_add",
        "deployments_target_add",
    ):
        assert f'href="{reverse(f"admin:{one}")}' in hers
        assert f'href="{reverse(f"admin:{one}")}' not in his
    assert "An administrator does this." in his


def test_alice_has_the_button_of_what_she_may(db, browse, alice):
    page = browse(alice).get(PAGE).content.decode()

    assert f'href="{reverse("admin:certificates_certificate_add")}"' in page
    assert reverse("admin:issuers_issuer_add") not in page


def test_nobody_looks_without_signing_in(client, db):
    assert client.get(PAGE).status_code == 302


def test_side_bar_and_front_page_lead_there_while_there_is_something_for_carol(
    elsewhere, browse, carol, bob, victor, local_ca, profile, owner
):
    assert 'aria-label="First steps"' in browse(carol).get("/admin/").content.decode()
    for person in (bob, victor):
        page = browse(person).get("/admin/").content.decode()
        assert PAGE not in page, person

    VersionFactory(certificate=CertificateFactory(profile=profile, issuer=local_ca))
    Target.objects.create(name="web", kind="file", config={})

    assert PAGE not in browse(carol).get("/admin/").content.decode()


# --- Templates of profiles ------------------------------------------------------------------


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.slug)
def test_each_template_makes_a_profile_once_its_names_are_said(db, carol, template):
    assert set(template.initial) <= set(FIELDS)
    validate_profile(template.initial)

    profile = save_profile(
        actor=carol, changes={**template.initial, "allowed_sans": [template.example]}
    )

    assert profile.needs_approval("Issuance")
    assert profile.is_short_lived == (template.slug == "short-lived")


def test_tls_lives_no_longer_than_47_days():
    tls = [one for one in TEMPLATES if "serverAuth" in one.rules["extended_key_usage"]]

    assert {one.slug for one in tls} == {"tls-server", "short-lived"}
    assert all(one.rules["max_lifetime"].days <= 47 for one in TEMPLATES if "tls" in one.slug)


def test_the_page_of_a_new_profile_begins_with_the_template(browse, carol):
    page = browse(carol).get("/admin/issuers/profile/add/?template=code-signing")
    form = page.context["adminform"].form

    assert form["slug"].value() == "code-signing"
    assert "rsa-3072" in str(form["key_algorithms"])
    assert 'name="allowed_sans"' in str(form["allowed_sans"])
    assert not form["allowed_sans"].value()
    assert BY_SLUG["code-signing"].example in page.content.decode()
    for template in TEMPLATES:
        assert f'href="?template={template.slug}"' in page.content.decode()


def test_an_unknown_template_is_the_page_as_it_is_otherwise(browse, carol):
    page = browse(carol).get("/admin/issuers/profile/add/?template=nothing")

    assert page.status_code == 200
    assert not page.context["adminform"].form["slug"].value()

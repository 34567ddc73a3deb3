"""The page that asks for a certificate: who may, what is checked, and where it leads.

Alice asks, bob decides, carol administers, victor only reads.
"""

import uuid

import pytest
from django.urls import reverse

from audit.models import Event
from foundation import rates
from jobs.admin import certificates as page_of
from jobs.models import Job
from jobs.states import Status
from tests.jobs.conftest import NAME

pytestmark = pytest.mark.django_db
PAGE = "/admin/certificates/certificate/add/"
CHECK = f"{PAGE}check/"


@pytest.fixture
def given(profile, local_ca, owner, csr_for):
    """Return what a form says that asks for a certificate, less or more what is named."""

    def make(**more):
        said = {
            "once": str(uuid.uuid4()),
            "profile": str(profile.pk),
            "issuer": str(local_ca.pk),
            "owner": str(owner.pk),
            "source": "csr",
            "csr": csr_for(NAME),
            "justification": "New machines.",
        } | more
        return {name: value for name, value in said.items() if value is not None}

    return make


def test_alice_asks_and_is_told_what_happens_next(browse, alice, given, target):
    answer = browse(alice).post(PAGE, given(targets=[str(target.pk)]), follow=True)

    job = Job.objects.get()
    assert answer.redirect_chain == [(reverse("admin:jobs_job_change", args=[job.pk]), 302)]
    assert (job.status, job.requested_by, job.justification) == (
        Status.AWAITING_APPROVAL,
        alice,
        "New machines.",
    )
    assert [one.target for one in job.certificate.deployments.all()] == [target]
    assert "An operator must decide who is neither alice" in answer.content.decode()


def test_the_same_page_sent_twice_asks_once(browse, alice, given):
    client, said = browse(alice), given()

    first, second = client.post(PAGE, said), client.post(PAGE, said)

    assert Job.objects.count() == 1
    assert first["Location"] == second["Location"]


def test_everything_that_is_wrong_is_said_at_once_and_nothing_typed_is_lost(
    browse, alice, given, profile, csr_for
):
    profile.justification_required = True
    profile.save()
    said = given(owner=None, csr=csr_for("www.elsewhere.example"), justification=None, tags="No!")

    answer = browse(alice).post(PAGE, said)

    errors = answer.context["form"].errors
    assert answer.status_code == 400
    assert {"owner", "justification", "sans"} <= set(errors)
    assert "BEGIN CERTIFICATE REQUEST" in answer.content.decode()
    refused = Event.objects.get(action="certificate.request.refuse")
    assert refused.actor == alice
    assert not Job.objects.exists()


def test_what_only_the_service_refuses_is_shown_on_the_page(browse, alice, given):
    answer = browse(alice).post(PAGE, given(tags="No Tag!"))

    assert "tags" in answer.context["form"].errors
    assert Event.objects.filter(action="certificate.request.refuse").count() == 1
    assert not Job.objects.exists()


def test_the_check_says_what_the_service_would_and_writes_nothing(
    browse, alice, given, csr_for, django_assert_max_num_queries
):
    client, said = browse(alice), given(csr=csr_for("www.elsewhere.example"))
    events = Event.objects.count()

    with django_assert_max_num_queries(25):
        seen = client.post(CHECK, said).json()

    assert [(error["field"], error["code"]) for error in seen["errors"]] == [
        ("sans", "name_not_allowed")
    ]
    assert "www.elsewhere.example is not allowed" in seen["errors"][0]["detail"]
    assert ["Names", "dns:*.demo.internal, dns:demo.internal"] in seen["rules"]["profile"]
    assert Event.objects.count() == events
    assert not Job.objects.exists()


def test_the_check_sums_up_what_is_well(browse, alice, given):
    seen = browse(alice).post(CHECK, given()).json()

    assert seen["errors"] == []
    assert seen["summary"].startswith("dns:web.demo.internal; ecdsa-p256; for 47 days. Somebody")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Shop.Demo.Internal", "dns:shop.demo.internal"),
        ("192.0.2.7", "ip:192.0.2.7"),
        ("2001:DB8::7", "ip:2001:db8::7"),
        ("me@example.com", "email:me@example.com"),
        ("spiffe://example.com/shop", "uri:spiffe://example.com/shop"),
        ("DNS: shop.demo.internal", "dns:shop.demo.internal"),
    ],
)
def test_names_need_no_kind_before_them(browse, alice, given, line, name):
    seen = browse(alice).post(CHECK, given(source="browser", csr="", sans=line)).json()

    assert seen["names"] == [name]


def test_each_name_that_is_none_is_named(browse, alice, given):
    said = given(source="browser", csr="", sans="good.demo.internal\nbad_name\n-worse")

    seen = browse(alice).post(CHECK, said).json()

    assert [error["field"] for error in seen["errors"]] == ["sans", "sans"]


def test_checking_has_a_rate(browse, alice, given, monkeypatch):
    monkeypatch.setattr(page_of, "CHECKS", rates.Rate(1, 60))
    client, said = browse(alice), given()

    assert client.post(CHECK, said).status_code == 200
    refused = client.post(CHECK, said)

    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0


def test_victor_has_neither_page_nor_button_nor_check(browse, victor, given):
    client = browse(victor)

    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, given()).status_code == 403
    assert client.post(CHECK, given()).status_code == 403
    assert PAGE not in client.get("/admin/certificates/certificate/").content.decode()
    assert PAGE not in client.get("/admin/").content.decode()
    assert not Job.objects.exists()


def test_alice_finds_the_page_in_the_side_bar_and_on_the_list(browse, alice):
    client = browse(alice)

    assert PAGE in client.get("/admin/").content.decode()
    assert PAGE in client.get("/admin/certificates/certificate/").content.decode()


def test_nobody_who_is_not_signed_in_is_answered(client, given):
    assert client.post(CHECK, given()).status_code == 302
    assert client.get(PAGE).status_code == 302

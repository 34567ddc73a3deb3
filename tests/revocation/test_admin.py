"""Plans in the admin: made, looked at, confirmed, followed, taken away.

Carol and dave administer, bob operates, victor only reads.
"""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from certificates.models import Revocation
from revocation.models import Plan
from revocation.states import Status
from tests.factories import RenewalPolicyFactory
from tests.revocation.conftest import confirm

pytestmark = pytest.mark.django_db
LIST = "/admin/revocation/plan/"
MAKE = f"{LIST}make/"
YES = {"confirmed": "yes"}
FORM = {**YES, "reason": "superseded", "wave_size": "1000", "pause_seconds": "0"}


def page_of(plan, act="change"):
    return f"{LIST}{plan.pk}/{act}/"


def test_a_plan_is_made_looked_at_confirmed_and_followed(make, carol, browse, run):
    make(3, renewal_policy=RenewalPolicyFactory())
    client = browse(carol)

    made = client.post(MAKE, {**FORM, "owner": "web-shop", "note": "drained"}, follow=True)
    plan = Plan.objects.get()
    assert made.redirect_chain[-1][0] == page_of(plan)
    shown = made.content.decode()
    assert "3 versions of 3 certificates" in shown
    assert "Nothing is revoked yet" in shown
    assert "with a key from outside" in shown
    asked = client.get(page_of(plan, "confirm"))
    assert f"Type {plan.count} to confirm" in asked.content.decode()
    digest = {"digest": plan.digest}
    wrong = client.post(page_of(plan, "confirm"), {**YES, **digest, "count": "2"})
    assert wrong.status_code == 400
    assert Plan.objects.get().status == Status.PREVIEWED
    client.post(page_of(plan, "confirm"), {**YES, **digest, "count": "3"})
    live = client.get(page_of(plan)).content.decode()
    assert 'hx-trigger="every 2s"' in live
    run()
    done = client.get(page_of(plan)).content.decode()

    assert "every 2s" not in done
    assert "3 of 3 done, 1 wave" in done
    assert done.count("<td>revoked") == 3
    assert "3 of 3" in client.get(LIST).content.decode()
    taken = client.get(page_of(plan, "report"))
    rows = list(csv.DictReader(StringIO(b"".join(taken.streaming_content).decode())))
    assert [row["outcome"] for row in rows] == ["revoked"] * 3


def test_every_criterion_and_option_of_the_form_reaches_the_plan(make, carol, browse, local_ca):
    (one, *_) = make(2, environment="prod", tags=["eu"])
    begins = timezone.now() - timedelta(days=2)
    table = SimpleUploadedFile("list.csv", f"serial\n{one.serial}\n".encode())
    body = {
        **FORM,
        "owner": "web-shop",
        "issuer": local_ca.slug,
        "profile": one.certificate.profile.slug,
        "environment": "prod",
        "tags": "eu",
        "issued_from": begins.strftime("%Y-%m-%dT%H:%M"),
        "issued_to": timezone.now().strftime("%Y-%m-%dT%H:%M"),
        "key_fingerprint": one.key_fingerprint,
        "serials": one.serial,
        "csv": table,
        "wave_size": "7",
        "pause_seconds": "30",
        "replace_first": "on",
        "replace_by": (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"),
        "unproven": "leave",
        "drill": "on",
    }

    browse(carol).post(MAKE, body)

    plan = Plan.objects.get()
    assert set(plan.criteria) == {
        "owner", "issuer", "profile", "environment", "tags", "issued_between", "key_fingerprint",
        "serials", "csv",
    }  # fmt: skip
    assert (plan.count, plan.wave_size, plan.pause_seconds) == (1, 7, 30)
    assert (plan.drill, plan.replace_first, plan.unproven) == (True, True, "leave")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, None),
        ({"owner": "nobody"}, "owner"),
        ({"serials": "zz"}, "serials"),
        ({"issued_from": "2026-01-01T00:00"}, "issued_to"),
        ({"owner": "web-shop", "replace_first": "on"}, "replace_by"),
    ],
)
def test_what_is_wrong_with_a_plan_stands_at_its_field(make, carol, browse, body, field):
    make(1)

    answer = browse(carol).post(MAKE, {**FORM, **body})

    assert answer.status_code == 400
    assert (field or "__all__") in answer.context["form"].errors
    assert not Plan.objects.exists()
    assert Event.objects.filter(action="revocation_plan.create.refuse").exists()


def test_the_maker_is_told_that_a_second_must_confirm_and_the_second_does(
    make, carol, dave, browse, plan_of, settings, run
):
    settings.BULK_REVOKE_LIMIT = 2
    make(3)
    plan = plan_of()
    body = {**YES, "digest": plan.digest, "count": "3"}
    assert "another administrator than carol" in browse(carol).get(page_of(plan)).content.decode()

    refused = browse(carol).post(page_of(plan, "confirm"), body, follow=True)
    assert "a second administrator must confirm" in refused.content.decode()
    assert Event.objects.get(action="revocation_plan.confirm.refuse").door == "admin"
    browse(dave).post(page_of(plan, "confirm"), body)

    assert Plan.objects.get().status == Status.RUNNING


def test_a_page_of_another_plan_confirms_nothing(make, carol, browse, plan_of):
    make(1)
    plan = plan_of()

    browse(carol).post(page_of(plan, "confirm"), {**YES, "digest": "", "count": "1"})

    assert Plan.objects.get().status == Status.PREVIEWED


def test_it_is_paused_resumed_stopped_and_looked_at(make, carol, dave, browse, plan_of):
    make(2)
    plan = plan_of(reason="keyCompromise")
    confirm(plan, carol)
    client = browse(dave)
    statuses = []

    for act in ("pause", "resume", "stop", "look"):
        assert client.get(page_of(plan, act)).status_code == 200
        client.post(page_of(plan, act), {**YES, "note": act})
        statuses.append(Plan.objects.get().status)

    assert statuses == ["Paused", "Running", "Stopped", "Stopped"]
    assert Plan.objects.get().looked_by == dave
    assert not Revocation.objects.exists()


def test_only_what_can_be_done_is_offered(make, carol, browse, plan_of):
    make(1)
    plan = plan_of()
    client = browse(carol)

    def offered():
        page = client.get(page_of(plan)).content.decode()
        acts = ("confirm", "look", "pause", "resume", "stop", "report")
        return {act for act in acts if f'href="{page_of(plan, act)}"' in page}

    assert offered() == {"confirm", "stop", "report"}
    confirm(plan, carol)
    assert offered() == {"pause", "stop", "report"}


@pytest.mark.parametrize("name", ["bob", "victor"])
def test_who_does_not_administer_sees_and_does_nothing(request, make, browse, plan_of, name):
    make(1)
    plan = plan_of()
    client = browse(request.getfixturevalue(name))

    assert client.get(LIST).status_code == 403
    assert client.get(MAKE).status_code == 403
    for act in ("confirm", "look", "pause", "resume", "stop"):
        assert client.post(page_of(plan, act), YES).status_code == 403
    assert LIST not in client.get("/admin/").content.decode()
    assert Plan.objects.get().status == Status.PREVIEWED


def test_versions_are_shown_in_pages(make, carol, browse, plan_of):
    make(60)
    plan = plan_of()
    client = browse(carol)

    first = client.get(page_of(plan)).context["lines"]
    second = client.get(page_of(plan) + "?lines=2").context["lines"]

    assert (len(first), len(second)) == (50, 10)


def test_the_side_bar_leads_to_the_plans(carol, browse):
    assert (
        reverse("admin:revocation_plan_changelist") in browse(carol).get("/admin/").content.decode()
    )

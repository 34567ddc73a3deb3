"""BR 7.2.2 for plans: nobody makes, confirms or carries out a withdrawal from themselves.

Carol and dave administer; whoever of them a test makes an owner is the subscriber.
"""

import pytest

from audit.models import Event
from certificates.models import Revocation
from certificates.policy import SubscriberWithdraws
from revocation import services
from revocation.models import Item, Plan
from revocation.states import Status
from tests.factories import OwnerFactory
from tests.revocation.conftest import confirm

pytestmark = pytest.mark.django_db
WITHDRAWN = "privilegeWithdrawn"
MAKE = "/admin/revocation/plan/make/"


def test_who_owns_one_of_them_makes_no_such_plan(make, plan_of, owner, carol, dave):
    make(2)
    owner.members.add(carol)

    with pytest.raises(SubscriberWithdraws):
        plan_of(reason=WITHDRAWN)

    assert not Plan.objects.exists()
    assert Event.objects.get(action="revocation_plan.create.refuse").actor == carol
    assert plan_of(actor=dave, reason=WITHDRAWN).count == 2


def test_who_owns_one_of_them_confirms_no_such_plan(make, plan_of, owner, carol, dave):
    make(2)
    owner.members.add(dave)
    plan = plan_of(reason=WITHDRAWN)

    with pytest.raises(SubscriberWithdraws):
        confirm(plan, dave)

    plan.refresh_from_db()
    assert plan.status == Status.PREVIEWED
    confirm(plan, carol)


def test_what_became_their_own_meanwhile_fails_alone(make, plan_of, carol, run):
    kept, own = make(2)
    plan = plan_of(reason=WITHDRAWN)
    confirm(plan, carol)
    own.certificate.owner = OwnerFactory(name="carol's")
    own.certificate.save()
    own.certificate.owner.members.add(carol)

    run()

    outcomes = dict(Item.objects.values_list("version", "code"))
    assert outcomes == {kept.pk: "", own.pk: "subscriber_withdraws"}
    assert [one.version_id for one in Revocation.objects.all()] == [kept.pk]


def test_the_bulk_form_and_rest_refuse_it_too(make, browse, client_of, owner, carol):
    two = make(2)
    owner.members.add(carol)
    chosen = {"action": "revoke_selected", "_selected_action": [row.certificate_id for row in two]}
    shown = browse(carol).post("/admin/certificates/certificate/", chosen)
    assert f'value="{WITHDRAWN}"' not in shown.content.decode()

    body = {"criteria": {"owner": owner.name}, "reason": WITHDRAWN}
    refused = client_of(carol).post("/api/v1/certificates/bulk-revoke/", body, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "subscriber_withdraws")

    form = {"confirmed": "yes", "owner": owner.name, "reason": WITHDRAWN}
    form |= {"wave_size": "10", "pause_seconds": "0"}
    page = browse(carol).post(MAKE, form)
    assert (
        "privilegeWithdrawn is not for whoever answers" in page.context["form"].errors["reason"][0]
    )
    assert not Revocation.objects.exists()


def test_who_owns_none_of_them_is_asked_and_taken_at_their_word(make, carol, run):
    make(2)

    services.bulk_revoke(criteria={"owner": "web-shop"}, actor=carol, reason=WITHDRAWN)

    assert Revocation.objects.filter(reason=WITHDRAWN).count() == 2

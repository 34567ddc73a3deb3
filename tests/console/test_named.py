"""Whatever the admin deletes or switches off is called by its name first: every page of that kind.

Carol administers; victor only reads. The pages are found in the registry of the admin, so that
one which is added without the question fails here.
"""

import pytest
from django.contrib import admin
from django.db.models import BooleanField
from django.forms.models import model_to_dict
from django.urls import reverse

from audit.models import Event
from deployments.models import Target
from foundation.admin import Deletes, Names, Saves, Switches
from foundation.admin.named import depends_on
from owners.models import ApiKey, Principal, Team
from tests.certctl.conftest import rows  # noqa: F401 - pytest finds it here
from tests.console.admin_pages import populate
from tests.factories import OwnerFactory, TeamFactory

pytestmark = pytest.mark.django_db
OFF = {"disable", "block", "delete"}  # acts that end something
YES = {"confirmed": "yes", "post": "yes"}
# A switch of a form that is no switch of the row: what it says is no more than an option.
OPTIONS = {"enabled", "is_active"}


@pytest.fixture
def full(request, carol, local_ca, system):
    """An installation with something on each page."""
    populate(carol, local_ca, request.getfixturevalue("rows"), system)


def ending():
    """Yield each admin with each act of it that ends something."""
    for model_admin in admin.site._registry.values():
        for name in sorted(OFF & set(getattr(model_admin, "use_cases", ()))):
            yield model_admin, name


def snapshot():
    """Return every row that there is but the trail's, as text."""
    return {
        model._meta.label: sorted(
            str(sorted((key, str(value)) for key, value in model_to_dict(row).items()))
            for row in model._default_manager.all()
        )
        for model in admin.site._registry
        if model is not Event and model._meta.app_label != "sessions"
    }


def address_of(model_admin, name, row):
    meta = model_admin.opts
    place = f"admin:{meta.app_label}_{meta.model_name}"
    if name == "delete":
        return [(reverse(f"{place}_delete", args=[row.pk]), {}), _listed(place, name, row)]
    if name in model_admin._extract_action_names(model_admin.actions_detail):
        return [(reverse(f"{place}_{name}", args=[row.pk]), {})]
    return [_listed(place, name, row)]


def _listed(place, name, row):
    action = "delete_selected" if name == "delete" else name
    return reverse(f"{place}_changelist"), {"action": action, "_selected_action": [str(row.pk)]}


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("typed", [{}, {"confirm_name": "another one"}])
def test_nothing_is_ended_without_its_name(browse, carol, typed):
    client = browse(carol)
    looked_at = 0
    for model_admin, name in ending():
        row = model_admin.model._default_manager.first()
        assert row is not None, f"no row of {model_admin.model.__name__}: {name} was not tried"
        for address, body in address_of(model_admin, name, row):
            before = snapshot()
            asked = client.post(address, {**body, **YES, **typed})

            assert asked.status_code == 400, (address, name)
            assert b'name="confirm_name"' in asked.content, (address, name)
            assert asked.context["form"].errors["confirm_name"], (address, name)
            assert snapshot() == before, (address, name)
            looked_at += 1
    assert looked_at >= 12


def test_each_act_that_ends_something_is_of_the_kind_that_asks():
    for model_admin, name in ending():
        assert isinstance(model_admin, Deletes if name == "delete" else Names), (model_admin, name)


def test_each_form_with_a_switch_is_of_the_kind_that_asks(rf, carol):
    request = rf.get("/admin/")
    request.user = carol
    switched = []
    for model, model_admin in admin.site._registry.items():
        fields = {one.name for one in model._meta.get_fields() if isinstance(one, BooleanField)}
        if not isinstance(model_admin, Saves) or not model_admin.has_change_permission(request):
            continue
        row = model._default_manager.first() or model()
        form = model_admin.get_form(request, row, change=True)
        for name in sorted(OPTIONS & fields & set(form.base_fields)):
            switched.append(model.__name__)
            assert isinstance(model_admin, Switches), model
            assert model_admin.switch == name, model
    assert sorted(switched) == ["Issuer", "Principal", "Profile", "Target"]


# --- Forms with a switch ---------------------------------------------------------------------


@pytest.fixture
def target(db):
    return Target.objects.create(name="edge-1", kind="file")


def form_of(row):
    """What the row's form would send as it stands, without the switch."""
    meta = row._meta
    page = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return page, {"name": row.name, "kind": row.kind}


def test_a_target_is_switched_off_once_its_name_is_typed(browse, carol, target):
    client = browse(carol)
    page, body = form_of(target)

    asked = client.post(page, {**body, "server_name": "edge.example"})
    assert asked.status_code == 200
    assert "Disable edge-1" in asked.content.decode()
    assert 'name="server_name" value="edge.example"' in asked.content.decode()
    wrong = client.post(page, {**body, "confirmed": "yes", "confirm_name": "edge-2"})
    assert wrong.status_code == 400
    target.refresh_from_db()
    assert (target.enabled, target.server_name) == (True, "")
    refusal = Event.objects.get(action="target.update.refuse")
    assert (refusal.actor, refusal.subject_id) == (carol, str(target.pk))


def test_what_depends_on_it_is_listed_for_who_may_look_at_that(browse, carol, alice):
    team = TeamFactory(name="web")
    OwnerFactory(team=team)
    OwnerFactory(team=team)

    page = browse(carol).get(reverse("admin:owners_team_delete", args=[team.pk]))

    facts = {fact.label: fact.value for fact in page.context["depends"]}
    assert facts["Owners"] == "2"
    assert "It is not deleted while these refer to it" in page.content.decode()
    assert 'type="submit" class="decide-button decide-no"' not in page.content.decode()


def test_a_password_that_was_typed_is_not_put_into_the_page(browse, carol, alice):
    page = reverse("admin:owners_principal_change", args=[alice.pk])

    asked = browse(carol).post(
        page, {"email": alice.email, "role": "viewer", "password": "correct horse battery"}
    )

    assert "correct horse" not in asked.content.decode()
    assert "it is not kept over this page" in asked.content.decode()
    assert Principal.objects.get(pk=alice.pk).is_active


def test_several_are_ended_once_their_number_is_typed(browse, carol):
    teams = [TeamFactory() for _ in range(3)]
    body = {
        "action": "delete_selected",
        "_selected_action": [str(team.pk) for team in teams],
        "post": "yes",
    }
    client, address = browse(carol), reverse("admin:owners_team_changelist")

    wrong = client.post(address, {**body, "confirm_name": teams[0].name})
    assert wrong.status_code == 400
    assert Team.objects.count() == 3
    client.post(address, {**body, "confirm_name": "3"})

    assert not Team.objects.exists()


def test_who_may_not_is_refused_before_any_question(browse, victor, key_of, alice):
    key_of(alice)
    team, key = TeamFactory(), ApiKey.objects.get()

    client = browse(victor)
    assert client.get(reverse("admin:owners_team_delete", args=[team.pk])).status_code == 403
    body = {"action": "disable", "_selected_action": [str(key.pk)]}
    assert client.post(reverse("admin:owners_apikey_changelist"), body).status_code == 403


def test_who_may_not_look_at_what_depends_on_it_is_not_told_of_it(rf, carol, django_user_model):
    team = TeamFactory()
    OwnerFactory(team=team)
    request = rf.get("/admin/")
    request.user = carol
    assert [fact.label for fact in depends_on(request, [team])] == ["Owners"]

    request.user = django_user_model.objects.create(username="mallory")

    assert depends_on(request, [team]) == []

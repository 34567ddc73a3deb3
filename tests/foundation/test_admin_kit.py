"""The admin's kit: what a refusal undoes, what it shows, and that it is recorded once."""

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import RequestFactory
from django.urls import reverse

from audit import actions, use_cases
from audit.models import Event
from audit.use_cases import use_case
from certificates.models import Certificate, Version
from foundation.admin import Edge
from foundation.admin.refusals import chosen_action
from foundation.errors import Conflict, FieldError, Invalid
from owners import services
from owners.admin import ApiKeyAdmin, TeamAdmin
from owners.models import ApiKey, Team
from tests.factories import CertificateFactory, TeamFactory
from tests.trail import the_refusal

TEAMS = "/admin/owners/team/"


class Quarrel(Conflict):
    code = "quarrel"
    message = "They do not get on."


@pytest.fixture
def team(db):
    return TeamFactory(name="red")


@pytest.fixture
def acts(monkeypatch):
    """Let a test define use cases beside those of the product."""
    monkeypatch.setattr(use_cases, "USE_CASES", {})
    monkeypatch.setattr(actions, "ACTIONS", dict(actions.ACTIONS))


def page(team):
    return f"{TEAMS}{team.pk}/change/"


def words(response):
    return [str(message) for message in response.context["messages"]]


def errors_of(response):
    return response.context["adminform"].form.errors


def writes_and_refuses(error):
    @transaction.atomic
    def save_team(*, actor, name, members, team_id):
        Team.objects.filter(pk=team_id).update(name=name)
        raise error

    return save_team


# --- A form that shows an error has changed nothing -----------------------------------------


def test_what_a_service_wrote_before_it_refused_is_undone(browse, carol, team, monkeypatch):
    def save_team(*, actor, name, members, team_id):
        Team.objects.filter(pk=team_id).update(name=name)  # with no transaction of its own
        raise Quarrel

    monkeypatch.setattr(services, "save_team", save_team)

    answer = browse(carol).post(page(team), {"name": "blue", "members": []})

    assert answer.status_code == 200
    assert errors_of(answer) == {"__all__": ["They do not get on."]}
    assert answer.context["adminform"].form.data["name"] == "blue"
    assert Team.objects.get().name == "red"


def test_a_refusal_shows_at_its_fields(browse, carol, team, monkeypatch):
    wrong = [FieldError("name", "odd", "An odd name."), FieldError("colour", "odd", "An odd hue.")]
    monkeypatch.setattr(services, "save_team", writes_and_refuses(Invalid(errors=wrong)))

    answer = browse(carol).post(page(team), {"name": "blue", "members": []})

    assert errors_of(answer) == {"name": ["An odd name."], "__all__": ["An odd hue."]}
    assert Team.objects.get().name == "red"


def test_a_mistake_in_one_field_changes_no_other(browse, carol, team):
    answer = browse(carol).post(page(team), {"name": "blue", "members": ["hunter2"]})

    assert list(errors_of(answer)) == ["members"]
    assert Team.objects.get().name == "red"
    assert not Event.objects.filter(action="team.update").exists()


class Rows(admin.TabularInline[Version, Certificate]):
    model = Version
    fields = readonly_fields = ("number",)


def test_a_mistake_beside_the_form_changes_nothing_either(
    browse, alice, local_ca, profile, monkeypatch
):
    """The rows below a form are looked at after the form: it must not have been written by then."""
    monkeypatch.setattr(admin.site.get_model_admin(Certificate), "inlines", (Rows,))
    certificate = CertificateFactory(issuer=local_ca, profile=profile, name="old")
    body = {
        "name": "new",
        "owner": str(certificate.owner_id),
        "team": "",
        "renewal_policy": "",
        "environment": "",
        "tags": "",
        "versions-TOTAL_FORMS": "nonsense",
        "versions-INITIAL_FORMS": "0",
    }

    answer = browse(alice).post(
        reverse("admin:certificates_certificate_change", args=[certificate.pk]), body
    )

    assert answer.status_code == 200
    assert answer.context["errors"]
    certificate.refresh_from_db()
    assert certificate.name == "old"
    the_refusal("certificate.update", alice)


def test_a_success_that_was_undone_is_not_reported(browse, carol, team, monkeypatch):
    """A foreign key is checked at the commit, when the page has said already that all is well."""
    really = TeamAdmin.response_change

    def late(self, request, obj):
        really(self, request, obj)
        raise Quarrel

    monkeypatch.setattr(TeamAdmin, "response_change", late)

    answer = browse(carol).post(page(team), {"name": "blue", "members": []})

    assert "They do not get on." in str(errors_of(answer))
    assert words(answer) == []
    assert Team.objects.get().name == "red"


def test_a_deletion_that_was_undone_is_not_reported(browse, carol, team, monkeypatch):
    really = TeamAdmin.response_delete

    def late(self, request, obj_display, obj_id):
        really(self, request, obj_display, obj_id)
        raise Quarrel

    monkeypatch.setattr(TeamAdmin, "response_delete", late)

    answer = browse(carol).post(
        f"{TEAMS}{team.pk}/delete/", {"post": "yes", "confirm_name": team.name}, follow=True
    )

    assert words(answer) == ["They do not get on."]
    assert Team.objects.exists()
    assert the_refusal("team.delete", carol).subject_id == str(team.pk)


def test_what_was_saved_is_named_as_it_is_now(browse, carol, team):
    client = browse(carol)

    changed = client.post(page(team), {"name": "blue", "members": []}, follow=True)
    added = client.post(
        f"{TEAMS}add/", {"name": "green", "members": [], "_continue": "yes"}, follow=True
    )

    assert "blue" in words(changed)[0]
    assert added.redirect_chain[-1][0] == page(Team.objects.get(name="green"))


def test_what_nobody_foresaw_stays_a_500(browse, carol, team, monkeypatch):
    client = browse(carol)
    client.raise_request_exception = False

    def broken(**given):
        raise RuntimeError("the inside")

    monkeypatch.setattr(services, "save_team", broken)
    monkeypatch.setattr(services, "delete_named", broken)

    answers = [
        client.post(page(team), {"name": "blue", "members": []}),
        client.post(
            TEAMS,
            {
                "action": "delete_selected",
                "_selected_action": team.pk,
                "post": "1",
                "confirm_name": team.name,
            },
        ),
    ]

    assert [answer.status_code for answer in answers] == [500, 500]
    assert not Event.objects.filter(action__endswith=".refuse").exists()


def test_a_list_that_cannot_be_read_does_not_lead_back_to_itself(browse, carol, monkeypatch):
    client = browse(carol)

    def refuse(*args):
        raise Quarrel

    monkeypatch.setattr(TeamAdmin, "get_queryset", refuse)

    with pytest.raises(Quarrel):
        client.get(TEAMS)


# --- What a use case refuses is recorded once -----------------------------------------------


def test_a_use_case_in_djangos_own_transaction_is_recorded_after_it(
    browse, carol, team, monkeypatch, acts
):
    refuse = use_case("quarrel.start")(writes_and_refuses(Quarrel()))
    monkeypatch.setattr(services, "save_team", refuse)

    browse(carol).post(page(team), {"name": "blue", "members": []})

    assert the_refusal("quarrel.start", carol).data["code"] == "quarrel"
    assert Team.objects.get().name == "red"


def test_so_is_one_that_deletes(browse, carol, team, monkeypatch, acts):
    @use_case("quarrel.end", on=Team, by="row")
    def delete_named(*, actor, row):
        raise Quarrel

    monkeypatch.setattr(services, "delete_named", delete_named)

    browse(carol).post(f"{TEAMS}{team.pk}/delete/", {"post": "yes", "confirm_name": team.name})

    assert the_refusal("quarrel.end", carol).subject_id == str(team.pk)


def test_one_that_an_action_calls_has_recorded_itself(
    browse, carol, alice, key_of, monkeypatch, acts
):
    key_of(alice)

    @use_case("quarrel.end")
    def disable_api_key(*, actor, key_id):
        raise Quarrel

    monkeypatch.setattr(services, "disable_api_key", disable_api_key)
    key = ApiKey.objects.get()

    answer = browse(carol).post(
        "/admin/owners/apikey/",
        {
            "action": "disable",
            "_selected_action": [str(key.pk)],
            "confirmed": "yes",
            "confirm_name": key.name,
        },
        follow=True,
    )

    assert words(answer) == [f"{key}: They do not get on."]
    the_refusal("quarrel.end", carol)


# --- Names ----------------------------------------------------------------------------------


@pytest.fixture
def anybody(db, rf, django_user_model):
    """A request of somebody who may do whatever anybody may."""
    request = rf.get("/admin/")
    request.user = django_user_model.objects.create(username="root", is_superuser=True)
    return request


def acts_of(model_admin, request):
    pages = {
        "add": model_admin.has_add_permission(request),
        "change": model_admin.has_change_permission(request),
        "delete": model_admin.has_delete_permission(request),
        "delete_selected": False,
    }
    names = {name for name, is_open in pages.items() if is_open}
    names |= set(model_admin._extract_action_names(model_admin.actions_detail))
    names |= set(model_admin._extract_action_names(model_admin.actions_list))
    names |= set(model_admin.get_actions(request)) - set(pages)
    names |= set(getattr(model_admin, "downloading", ()))
    names -= set(getattr(model_admin, "reading", ()))
    return names


def test_each_page_and_action_of_the_admin_names_its_use_case(anybody):
    for model, model_admin in admin.site._registry.items():
        if model.__module__.startswith("axes."):
            continue
        assert isinstance(model_admin, Edge), model
        assert acts_of(model_admin, anybody) == set(model_admin.use_cases), model


def test_whoever_chooses_below_the_list_is_refused_too():
    request = RequestFactory().post("/admin/", {"action": ["", "disable"], "index": "1"})

    assert chosen_action(request) == "disable"
    assert ApiKeyAdmin.use_cases["disable"] == "apikey.disable"

"""Views of lists under a name, chosen columns, and acts on many rows.

Alice and bob operate, carol administers, victor only reads.
"""

import csv
import io

import pytest
from django.urls import reverse

from audit.models import Event
from certificates.models import Certificate
from certificates.services import tables
from console import services
from console.models import ChosenColumns, SavedView
from foundation.admin.lists import bulk
from foundation.tables import disarmed
from jobs.models import Job
from owners.models import Owner
from tests.factories import CertificateFactory, OwnerFactory

LIST = reverse("admin:certificates_certificate_changelist")
NAME = "certificates.certificate"


def keep(client, name="Mine", query="status=Active", **fields):
    return client.post("/admin/views/save/", {"list": NAME, "name": name, "query": query, **fields})


def act(client, action, rows, **fields):
    form = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(LIST, {**form, **({"confirmed": "yes", **fields} if fields else fields)})


def rows_of(page):
    return {str(one.row): (one.is_done, one.words) for one in page.context["outcomes"]}


# --- Views ----------------------------------------------------------------------------------


def test_alice_keeps_a_view_in_its_plain_form_and_bob_sees_it_once_it_is_shared(
    browse, alice, bob, owner
):
    mine = browse(alice)
    keep(mine, query=f"owner={owner.name}&status__exact=Active&o=-expires")
    view = SavedView.objects.get()

    assert view.query == f"status=Active&owner={owner.pk}&o=-expires"
    assert "Mine" not in browse(bob).get(LIST).content.decode()
    keep(mine, query=view.query, shared="on")
    assert SavedView.objects.get().pk == view.pk
    assert view.query.replace("&", "&amp;") in browse(bob).get(LIST).content.decode()
    assert browse(bob).get(f"{LIST}?{view.query}").status_code == 200
    assert Event.objects.filter(action="view.save", actor=alice).count() == 2


def test_victor_keeps_views_of_his_own_and_shares_none(browse, victor):
    client = browse(victor)

    keep(client)
    keep(client, name="All", shared="on")

    assert SavedView.objects.get().name == "Mine"
    assert Event.objects.filter(action="view.save.refuse", actor=victor).count() == 1
    assert "Show it to everybody" not in client.get(LIST).content.decode()


@pytest.mark.parametrize("query", ["password=x", "status=Wrong", "ends=1"])
def test_a_view_is_of_what_the_list_can_be_narrowed_by(browse, alice, query):
    keep(browse(alice), query=query)

    assert not SavedView.objects.exists()
    assert Event.objects.filter(action="view.save.refuse", actor=alice).count() == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_view_has_a_name(browse, alice, name):
    keep(browse(alice), name=name)

    assert not SavedView.objects.exists()


def test_nobody_keeps_more_views_of_a_list_than_can_be_read(browse, alice, monkeypatch):
    monkeypatch.setattr(services, "MOST_VIEWS", 2)
    client = browse(alice)

    for name in ("a", "b", "c"):
        keep(client, name=name)
    keep(client, name="a", query="status=Failed")

    assert set(SavedView.objects.values_list("name", flat=True)) == {"a", "b"}
    assert SavedView.objects.get(name="a").query == "status=Failed"


def test_a_view_is_deleted_by_its_maker_or_an_administrator_alone(browse, alice, bob, carol):
    keep(browse(alice), name="one", shared="on")
    keep(browse(alice), name="two", shared="on")
    one, two = SavedView.objects.order_by("name")
    form = {"list": NAME, "view": str(one.pk)}

    browse(bob).post("/admin/views/delete/", form)
    assert SavedView.objects.filter(pk=one.pk).exists()
    assert Event.objects.get(action="view.delete.refuse").actor == bob
    browse(alice).post("/admin/views/delete/", form)
    browse(carol).post("/admin/views/delete/", {"list": NAME, "view": str(two.pk)})

    assert not SavedView.objects.exists()
    assert Event.objects.filter(action="view.delete").count() == 2


def test_views_of_a_list_that_one_may_not_see_are_kept_by_nobody(browse, victor, client):
    at = "/admin/views/save/"

    assert browse(victor).post(at, {"list": "owners.principal", "name": "x"}).status_code == 403
    assert browse(victor).post(at, {"list": "no.such", "name": "x"}).status_code == 404
    assert browse(victor).get(at).status_code == 405
    assert client.post(at, {"list": NAME, "name": "x"}).status_code == 302
    assert not SavedView.objects.exists()


# --- Columns --------------------------------------------------------------------------------


def test_victor_chooses_columns_for_himself_and_from_those_that_there_are(browse, victor, alice):
    CertificateFactory(name="a")
    client, at = browse(victor), "/admin/columns/choose/"

    client.post(at, {"list": NAME, "column": ["name", "show_tags", "team"]})
    shown = [one.name for one in client.get(LIST).context["cl"].columns]
    assert shown == ["name", "team", "show_tags"]
    client.post(at, {"list": NAME, "column": ["name", "encrypted_key"]})
    assert ChosenColumns.objects.get().columns == ["name", "team", "show_tags"]
    assert len(browse(alice).get(LIST).context["cl"].columns) == 7
    client.post(at, {"list": NAME, "own": "1"})
    assert len(client.get(LIST).context["cl"].columns) == 7


# --- Many -----------------------------------------------------------------------------------


@pytest.fixture
def some(db, owner):
    return [CertificateFactory(name=f"c{n}", owner=owner, tags=["old", "web"]) for n in range(3)]


def test_bob_changes_the_owner_of_many_after_a_page_that_shows_them(browse, bob, some):
    other, client = OwnerFactory(name="bank"), browse(bob)

    page = act(client, "change_owner", some).content.decode()
    assert all(row.name in page for row in some)
    assert "web-shop" in page
    assert set(Certificate.objects.values_list("owner__name", flat=True)) == {"web-shop"}

    done = act(client, "change_owner", some, owner=str(other.pk))
    assert all(is_done for is_done, _ in rows_of(done).values())
    assert set(Certificate.objects.values_list("owner__name", flat=True)) == {"bank"}
    assert Event.objects.filter(action="certificate.update", actor=bob).count() == 3


def test_nobody_gives_away_in_many_what_the_form_keeps_with_them(browse, bob, some):
    mine = Owner.objects.create(name="bobs")
    mine.members.add(bob)
    Certificate.objects.filter(pk=some[0].pk).update(owner=mine)

    done = rows_of(act(browse(bob), "change_owner", some, owner=str(OwnerFactory(name="bank").pk)))

    assert [is_done for is_done, _ in (done[name] for name in ("c0", "c1", "c2"))] == [
        False, True, True,
    ]  # fmt: skip
    assert Certificate.objects.get(name="c0").owner == mine
    assert Event.objects.filter(action="certificate.update.refuse", actor=bob).count() == 1


def test_tags_are_added_and_taken_away_and_wrong_ones_change_nothing(browse, bob, some):
    client = browse(bob)

    wrong = act(client, "change_tags", some, add="NO", remove="old")
    assert wrong.status_code == 400
    assert Certificate.objects.filter(tags=["old", "web"]).count() == 3
    act(client, "change_tags", some, add="new", remove="old")

    assert {tuple(one.tags) for one in Certificate.objects.all()} == {("web", "new")}


def test_bob_asks_to_renew_many_and_sees_what_came_of_each(browse, bob, some):
    Certificate.objects.filter(pk=some[1].pk).update(status="Archived")

    done = rows_of(act(browse(bob), "renew_selected", some, justification=""))

    assert not done["c1"][0]
    assert Job.objects.filter(certificate=some[1]).count() == 0
    assert Job.objects.filter(requested_by=bob).count() == sum(ok for ok, _ in done.values())


@pytest.mark.parametrize(
    "action", ["change_owner", "change_team", "change_policy", "change_tags", "renew_selected"]
)
def test_victor_is_offered_no_act_on_many_and_may_do_none(browse, victor, some, action):
    client = browse(victor)

    assert f'value="{action}"' not in client.get(LIST).content.decode()
    assert act(client, action, some, add="x").status_code == 403


def test_all_that_match_never_means_more_than_the_bound(browse, bob, some, monkeypatch):
    monkeypatch.setattr(bulk, "MOST_ROWS", 2)
    client = browse(bob)
    form = {"action": "change_tags", "index": "0", "select_across": "1",
            "_selected_action": str(some[0].pk), "confirmed": "yes", "add": "new"}  # fmt: skip

    client.post(LIST, form)

    assert Certificate.objects.filter(tags=["old", "web"]).count() == 3
    assert "more than 2: narrow the list" in client.get(LIST).content.decode()
    client.post(f"{LIST}?q=c1", form)
    assert Certificate.objects.get(name="c1").tags == ["old", "web", "new"]


def test_what_takes_too_long_is_said_to_be_left(browse, bob, some, monkeypatch):
    monkeypatch.setattr(bulk, "BUDGET", -1.0)

    done = rows_of(act(browse(bob), "change_tags", some, add="new"))

    assert not any(is_done for is_done, _ in done.values())
    assert "too long" in done["c0"][1]


def test_victor_takes_the_list_as_a_table_that_no_spreadsheet_runs(browse, victor, some):
    Certificate.objects.filter(pk=some[0].pk).update(name=" =cmd()")

    answer = act(browse(victor), "export_csv", some)

    table = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert {row["name"] for row in table} == {"' =cmd()", "c1", "c2"}
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert Event.objects.get(action="certificate.export_list").data["count"] == 3


def test_a_table_has_an_end(browse, victor, some, monkeypatch):
    monkeypatch.setattr(tables, "MOST_EXPORTED", 2)

    answer = act(browse(victor), "export_csv", some)

    assert answer.status_code == 302
    assert Event.objects.filter(action="certificate.export_list.refuse").count() == 1


@pytest.mark.parametrize(
    "text", ["=1", " =1", "\t-1", "\u200b+1", "@x", "\ufeff=1", "\n=1", "\uff1d1"]
)
def test_whatever_stands_before_a_formula_it_is_disarmed(text):
    assert disarmed(text) == f"'{text}"
    assert disarmed("a=1") == "a=1"

"""403, 404 and 500 of the admin: with the menu, in its look, and what to do now.

Victor reads, bob operates, carol administers; mallory has an account and no role.
"""

import logging

import pytest
from django.contrib import admin
from django.db import OperationalError
from django.test import Client

from console import refused, typed
from owners.models import Team
from tests.factories import PrincipalFactory

TEAMS = "/admin/owners/team/"
ISSUERS = "/admin/issuers/issuer/add/"


@pytest.fixture
def broken(monkeypatch):
    """Have the search page break in a way that nobody foresaw, and hand errors to the handler."""

    def breaks(error):
        def fails(*args, **kwargs):
            raise error

        monkeypatch.setattr("console.search_page.answer", fails)

    return breaks


def outside(client):
    client.raise_request_exception = False
    return client


def has_menu(answer):
    return 'id="nav-sidebar' in answer.text and 'class="cc-skip"' in answer.text


def test_victor_reads_for_whom_a_page_is_that_he_may_not_open(browse, victor):
    answer = browse(victor).get(ISSUERS)

    assert answer.status_code == 403
    assert has_menu(answer)
    assert "This is for administrators." in answer.text
    assert "Sign out, to sign in as another" in answer.text
    assert victor.username in answer.text


def test_it_names_every_role_that_may(browse, victor, bob):
    assert (
        "for operators and administrators."
        in browse(victor).get("/admin/enrollment/device/add/").text
    )
    assert "for administrators." in browse(bob).get(f"{TEAMS}add/").text


def test_what_nobody_may_is_said_to_be_for_nobody(browse, carol):
    answer = browse(carol).get("/admin/jobs/job/add/")

    assert answer.status_code == 403
    assert "Nobody does this here" in answer.text


def test_carol_finds_a_box_to_search_in_where_nothing_is(browse, carol):
    answer = browse(carol).get("/admin/nothing/at/all/")

    assert answer.status_code == 404
    assert has_menu(answer)
    assert 'id="refused-q"' in answer.text
    assert 'href="/admin/certificates/certificate/"' in answer.text


def test_nothing_of_the_address_is_in_the_page(browse, carol):
    answer = browse(carol).get("/admin/owners/<script>alert(1)</script>/")

    assert answer.status_code == 404
    assert "alert(1)" not in answer.text


def test_lists_that_somebody_may_not_see_are_not_offered(browse, db):
    mallory = PrincipalFactory(username="mallory", is_staff=True)
    answer = browse(mallory).get("/admin/nothing/")

    assert answer.status_code == 404
    assert 'href="/admin/certificates/certificate/"' not in answer.text


def test_who_is_not_signed_in_is_led_to_the_door(client, db):
    answer = client.get("/admin/nothing/")

    assert (answer.status_code, answer.headers["Location"][:13]) == (302, "/admin/login/")


def test_a_500_shows_a_reference_that_the_log_has_and_no_word_of_the_inside(
    browse, carol, broken, caplog
):
    broken(ValueError("the inside: password=hunter2"))
    with caplog.at_level(logging.ERROR, logger="django.request"):
        answer = outside(browse(carol)).get("/admin/search/?q=x")

    assert answer.status_code == 500
    assert has_menu(answer)
    assert answer.headers["X-Request-ID"] in answer.text
    assert "hunter2" not in answer.text
    assert any("/admin/search/" in record.getMessage() for record in caplog.records)


def test_a_500_needs_no_menu_where_the_menu_fails(browse, carol, broken, monkeypatch):
    def fails(request):
        raise RuntimeError("a context of the page")

    broken(ValueError())
    monkeypatch.setattr(admin.site, "each_context", fails)
    answer = outside(browse(carol)).get("/admin/search/?q=x")

    assert answer.status_code == 500
    assert not has_menu(answer)
    assert answer.headers["X-Request-ID"] in answer.text
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_500_needs_no_template_either(browse, carol, broken, monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError("no template")

    broken(ValueError())
    monkeypatch.setattr(refused, "render_to_string", fails)
    answer = outside(browse(carol)).get("/admin/search/?q=x")

    assert answer.status_code == 500
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Request-ID"] in answer.text


def test_a_database_that_is_away_is_asked_nothing_more(
    browse, carol, broken, django_assert_num_queries, monkeypatch
):
    broken(OperationalError("database is locked"))
    monkeypatch.setattr(admin.site, "each_context", lambda request: pytest.fail("it was asked"))
    client = outside(browse(carol))
    with django_assert_num_queries(2):  # the session and the person, before it went away
        answer = client.get("/admin/search/?q=x")

    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "does not answer" in answer.text


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("/api/v1/nothing/", "application/problem+json"),
        ("/nothing", "text/plain"),
        ("/.well-known/pki/nothing", "text/plain"),
        ("/.well-known/est/nothing", "text/plain"),
    ],
)
def test_the_other_doors_keep_their_own_form(client, db, address, kind):
    answer = client.get(address)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith(kind)


# --- A form that came too late --------------------------------------------------------------


def sent(client, address, of_page, **fields):
    return client.post(address, fields, headers={"referer": f"http://testserver{of_page}"})


def test_a_form_of_nobody_leads_to_the_door_and_from_there_to_its_page(client, db, team_of):
    page = f"{TEAMS}add/?from=list"
    answer = sent(client, f"{TEAMS}add/", page, name="red")

    assert answer.status_code == 302
    assert answer.headers["Location"] == (
        "/admin/login/?next=%2Fadmin%2Fowners%2Fteam%2Fadd%2F%3Ffrom%3Dlist&ended=1"
    )
    assert not team_of("red")
    assert "nothing was done" in client.get(answer.headers["Location"]).text


@pytest.fixture
def team_of():
    return lambda name: Team.objects.filter(name=name).first()


def test_it_is_not_done_by_signing_in(client, carol, team_of):
    carol.set_password("a long password of carol")
    carol.save()
    door = sent(client, f"{TEAMS}add/", f"{TEAMS}add/", name="red").headers["Location"]
    answer = client.post(
        door, {"username": carol.username, "password": "a long password of carol"}, follow=True
    )

    assert answer.redirect_chain == [(f"{TEAMS}add/", 302)]
    assert not team_of("red")
    assert not answer.context["adminform"].form["name"].value()


@pytest.mark.parametrize(
    "referer",
    ["https://evil.example/admin/owners/", "http://testserver/api/v1/", "javascript:alert(1)", ""],
)
def test_no_other_site_says_where_to_go_on(client, db, referer):
    answer = client.post(f"{TEAMS}add/", {"name": "x"}, headers={"referer": referer})

    assert answer.headers["Location"].startswith(
        "/admin/login/?next=%2Fadmin%2Fowners%2Fteam%2Fadd%2F&"
    )


def test_a_token_from_before_the_last_sign_in_is_a_page_that_leads_back(carol, team_of):
    client = Client(enforce_csrf_checks=True)
    client.force_login(carol)
    answer = sent(client, f"{TEAMS}add/", f"{TEAMS}add/", name="red")

    assert answer.status_code == 403
    assert has_menu(answer)
    assert f'href="{TEAMS}add/"' in answer.text
    assert 'data-typed="kept"' in answer.text
    assert not team_of("red")


def test_outside_the_admin_a_wrong_token_is_no_page_of_it(db):
    answer = Client(enforce_csrf_checks=True).post("/nothing", {})

    assert answer.headers["Content-Type"].startswith("text/plain")


def key_on(client):
    page = client.get("/admin/").text
    return page.partition('id="cc-typed" data-key="')[2].partition('"')[0]


def test_the_key_is_the_same_persons_alone_and_changes_with_the_password(browse, carol, bob):
    first, again, other = key_on(browse(carol)), key_on(browse(carol)), key_on(browse(bob))
    carol.set_password("another password of carol")
    carol.save()

    assert first
    assert first == again
    assert len({first, other, key_on(browse(carol))}) == 3


def test_nobody_gets_a_key(client, db, rf):
    assert "cc-typed" not in client.get("/admin/login/").text
    assert typed.key_of(rf.get("/")) == ""

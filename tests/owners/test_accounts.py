"""Every password that changes, and every lock-out, leaves its event.

Carol administers, alice asks, victor only reads; whoever types commands acts as the system.
"""

import io
import sys

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command

from audit.models import Event
from audit.use_cases import WrongDoor
from audit.via import Door, Via
from owners import accounts, services
from owners.models import Principal
from owners.roles import Role

PAGE = "/admin/password_change/"
OLD, NEW = "correct horse battery", "staple of nine letters"


def with_password(principal):
    principal.set_password(OLD)
    principal.save()
    return principal


def forms(old, new=NEW):
    return {"old_password": old, "new_password1": new, "new_password2": new}


def said(prefix):
    rows = Event.objects.filter(action__startswith=prefix).order_by("sequence")
    return [(row.action, row.actor_name, row.door) for row in rows]


# --- One's own ------------------------------------------------------------------------------


def test_victor_changes_his_own_password_stays_signed_in_and_it_is_told(browse, victor):
    client = browse(with_password(victor))

    assert client.post(PAGE, forms(OLD)).status_code == 302

    victor.refresh_from_db()
    assert victor.check_password(NEW)
    assert client.get("/admin/").status_code == 200
    assert said("principal.change") == [("principal.change_password", "victor", "admin")]
    event = Event.objects.get(action="principal.change_password")
    assert event.subject_id == str(victor.pk)
    assert OLD not in str(event.data)
    assert NEW not in str(event.data)


@pytest.mark.parametrize(
    ("old", "new", "field"), [("wrong", NEW, "old_password"), (OLD, "short", "new_password2")]
)
def test_a_change_that_is_refused_is_told_without_what_was_typed(browse, victor, old, new, field):
    answer = browse(with_password(victor)).post(PAGE, forms(old, new))

    assert field in answer.context["form"].errors
    assert said("principal.")[-1] == ("principal.change_password.refuse", "victor", "admin")
    event = Event.objects.get(action="principal.change_password.refuse")
    assert field in event.data["detail"]
    assert not {old, new} & set(event.data["detail"].split())
    assert Principal.objects.get(pk=victor.pk).check_password(OLD)
    assert not Event.objects.filter(action="principal.login_failed").exists()


def test_wrong_old_passwords_lock_out_as_wrong_logins_do(browse, victor, client):
    browser = browse(with_password(victor))

    answers = [browser.post(PAGE, forms("wrong")).status_code for _ in range(5)]

    assert answers == [200] * 4 + [429]
    # The right one is not even looked at now, here or at the login.
    assert browser.post(PAGE, forms(OLD)).status_code == 429
    login = {"username": "victor", "password": OLD}
    assert client.post("/admin/login/", login).status_code == 429
    assert Principal.objects.get(pk=victor.pk).check_password(OLD)
    assert said("principal.lock_out")[0] == ("principal.lock_out", "victor", "admin")


def test_wrong_logins_and_wrong_old_passwords_are_one_count(browse, victor, client):
    for _ in range(3):
        client.post("/admin/login/", {"username": "victor", "password": "wrong"})
    browser = browse(with_password(victor))
    AccessAttempt.objects.get(username="victor")  # signing in by force has reset nothing

    answers = [browser.post(PAGE, forms("wrong")).status_code for _ in range(2)]

    assert answers == [200, 429]


def test_a_lock_out_at_the_login_is_told_under_nobody_with_the_name_as_typed(client, victor):
    with_password(victor)
    for _ in range(5):
        client.post("/admin/login/", {"username": "victor", "password": "wrong"})

    event = Event.objects.filter(action="principal.lock_out").earliest("sequence")
    assert (event.actor, event.actor_name, event.door) == (None, "anonymous", "admin")
    assert event.data["username"] == "victor"
    assert event.remote_address == "127.0.0.1"


# --- Somebody else's ------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["rest", "admin"])
def test_carol_sets_a_password_for_victor_and_it_is_told(door, browse, client_of, carol, victor):
    if door == "rest":
        answer = client_of(carol).patch(f"/api/v1/principals/{victor.pk}/", {"password": NEW})
    else:
        body = {"email": victor.email, "role": "viewer", "is_active": "on", "password": NEW}
        answer = browse(carol).post(f"/admin/owners/principal/{victor.pk}/change/", body)

    assert answer.status_code in {200, 302}
    event = Event.objects.get(action="principal.update")
    assert (event.actor, event.door, event.subject_id) == (carol, door, str(victor.pk))
    assert event.data["changes"]["password"] == {"before": "", "after": "changed"}
    assert Principal.objects.get(pk=victor.pk).check_password(NEW)


# --- Commands -------------------------------------------------------------------------------


@pytest.fixture
def typed(monkeypatch):
    """Answer what a command asks at the terminal: names and passwords in their order."""

    def answers(*passwords, names=()):
        queue, lines = list(passwords), list(names)
        monkeypatch.setattr("getpass.getpass", lambda prompt="": queue.pop(0))
        monkeypatch.setattr("builtins.input", lambda prompt="": lines.pop(0))
        stdin = io.StringIO()
        stdin.isatty = lambda: True
        monkeypatch.setattr(sys, "stdin", stdin)

    return answers


def run(*words, **options):
    out = io.StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def test_createsuperuser_makes_a_human_with_the_role_admin_and_is_told(db, typed):
    typed(NEW, NEW, names=["dora", "dora@people.example"])

    assert run("createsuperuser") == "dora is an administrator.\n"

    dora = Principal.objects.get(username="dora")
    assert (dora.kind, services.role_of(dora)) == (Principal.Kind.HUMAN, Role.ADMIN)
    assert (dora.is_staff, dora.is_superuser, dora.email) == (True, True, "dora@people.example")
    assert dora.check_password(NEW)
    assert said("principal.") == [
        ("principal.create", "system", "cli"),
        ("principal.create_superuser", "system", "cli"),
    ]


def test_createsuperuser_without_a_terminal_takes_the_environment(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW)

    run("createsuperuser", "--noinput", "--username", "dora", "--email", "d@people.example")

    assert Principal.objects.get(username="dora").check_password(NEW)


@pytest.mark.parametrize(
    ("name", "email", "password", "words"),
    [
        ("victor", "", NEW, "taken"),
        ("VICTOR", "", NEW, "taken"),
        ("two words", "", NEW, "valid username"),
        ("dora", "no address", NEW, "valid email"),
        ("dora", "", "short", "too short"),
    ],
)
def test_createsuperuser_says_what_is_wrong_and_makes_nobody(
    victor, monkeypatch, name, email, password, words
):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)

    with pytest.raises(CommandError, match=words):
        run("createsuperuser", "--noinput", "--username", name, "--email", email)

    assert set(Principal.objects.values_list("username", flat=True)) <= {"victor", "system"}


def test_createsuperuser_that_cannot_ask_fails_and_says_how(db, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    with pytest.raises(CommandError, match="--noinput"):
        run("createsuperuser")


@pytest.mark.parametrize("door", [door for door in Door if door is not Door.CLI])
def test_a_superuser_is_made_from_the_command_line_alone(carol, door):
    carol.via = Via(door=door)

    with pytest.raises(WrongDoor):
        accounts.create_superuser(actor=carol, username="dora", password=NEW)

    assert not Principal.objects.filter(username="dora").exists()


def test_changepassword_is_told(victor, typed):
    typed(NEW, "another", NEW, NEW)  # mistyped, and once more

    run("changepassword", "victor")

    assert Principal.objects.get(pk=victor.pk).check_password(NEW)
    assert said("principal.") == [("principal.update", "system", "cli")]
    assert Event.objects.get(action="principal.update").subject_id == str(victor.pk)


@pytest.mark.parametrize("name", ["nobody", "system"])
def test_changepassword_of_nobody_and_of_the_system_is_refused(system, typed, name):
    typed(NEW, NEW)

    with pytest.raises(CommandError):
        run("changepassword", name)


def test_changepassword_gives_up_after_three_weak_ones(victor, typed):
    typed(*["short"] * 6)

    with pytest.raises(CommandError, match="nothing was changed"):
        run("changepassword", "victor")

    assert not Event.objects.exists()


# --- What a superuser may not ---------------------------------------------------------------


@pytest.fixture
def dora(system):
    system.via = Via(door=Door.CLI)
    return accounts.create_superuser(actor=system, username="dora", password=NEW)


def test_a_superuser_with_a_capped_key_may_what_the_cap_says(dora, client_of):
    assert (
        client_of(dora, role_cap="admin").post("/api/v1/teams/", {"name": "a"}).status_code == 201
    )
    assert (
        client_of(dora, role_cap="viewer").post("/api/v1/teams/", {"name": "b"}).status_code == 403
    )
    dora.cap = Role.VIEWER
    assert not dora.has_perm("jobs.decide_job")
    assert not dora.has_perm("owners.delete_group_of_no_role")


def test_the_system_principal_may_nothing_though_it_were_a_superuser(system):
    system.is_superuser = True

    assert not system.has_perm("jobs.decide_job")
    assert not AnonymousUser().has_perm("jobs.decide_job")

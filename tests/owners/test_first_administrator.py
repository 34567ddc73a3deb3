"""The link that lets the first administrator in: once, here, soon, and only while there is none.

Dora has the link; carol administers already where there is somebody; victor only reads.
"""

import hashlib
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Event
from audit.use_cases import WrongDoor
from audit.via import Door, Via
from owners import accounts, services
from owners.models import FirstLink, Principal
from owners.roles import Role
from tests.races import meanwhile, together

PAGE = "/admin/first-administrator/"
PASSWORD = "correct horse battery"
ACT = "administrator.first"


@pytest.fixture
def terminal(system):
    system.via = Via(door=Door.CLI)
    return system


@pytest.fixture
def token(terminal):
    return accounts.invite_first_administrator(actor=terminal)


def filled(token, **more):
    return {
        "token": token,
        "username": "dora",
        "email": "dora@people.example",
        "password": PASSWORD,
        "again": PASSWORD,
        **more,
    }


def at_the_page():
    actor = Principal.objects.system()
    actor.via = Via(door=Door.ADMIN, remote_address="127.0.0.1")
    return actor


def refusals():
    return list(Event.objects.filter(action=f"{ACT}.refuse").order_by("sequence"))


# --- In -------------------------------------------------------------------------------------


def test_dora_comes_in_by_the_link_sets_a_password_and_administers(client, token):
    answer = client.post(PAGE, filled(token))

    dora = Principal.objects.get(username="dora")
    assert answer.status_code == 302
    assert client.get("/admin/owners/principal/").status_code == 200
    assert dora.check_password(PASSWORD)
    assert (services.role_of(dora), dora.is_staff, dora.kind) == (Role.ADMIN, True, "human")
    # What no role gives stays with whoever types commands.
    assert not dora.is_superuser
    event = Event.objects.get(action=ACT)
    assert (event.actor_name, event.door, event.subject_id) == ("system", "admin", str(dora.pk))
    assert event.remote_address == "127.0.0.1"


def test_of_the_token_only_its_hash_is_kept_and_it_is_256_bits(token):
    link = FirstLink.objects.get()

    assert link.digest == hashlib.sha256(token.encode()).hexdigest()
    assert len(token) == 43
    assert not any(token in str(event.data) for event in Event.objects.all())
    minutes = (link.expires_at - timezone.now()) / timedelta(minutes=1)
    assert 14 < minutes <= 15


def test_the_page_is_kept_nowhere_and_gives_its_address_to_nobody(client, token):
    for answer in (client.get(PAGE), client.post(PAGE, filled(token, password="short"))):
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_weak_password_is_said_at_its_field_and_the_link_is_still_good(client, token):
    refused = client.post(PAGE, filled(token, password="password1234", again="password1234"))

    assert "too common" in refused.content.decode()
    assert not Principal.objects.filter(username="dora").exists()
    assert [event.data["code"] for event in refusals()] == ["invalid"]
    assert client.post(PAGE, filled(token)).status_code == 302


def test_two_passwords_that_differ_and_a_name_that_is_none_are_said(client, token):
    differ = client.post(PAGE, filled(token, again="something else at all"))
    no_name = client.post(PAGE, filled(token, username="do ra"))

    assert "are not the same" in differ.content.decode()
    assert "Enter a valid username" in no_name.content.decode()
    assert not Principal.objects.administrators().exists()


# --- Not in ---------------------------------------------------------------------------------


def test_the_link_is_good_once(client, token):
    client.post(PAGE, filled(token))
    Principal.objects.filter(username="dora").update(is_active=False)  # so that nobody administers

    answer = Client().post(PAGE, filled(token, username="eve"))

    assert answer.status_code == 403
    assert "lets nobody in" in answer.content.decode()
    assert not Principal.objects.filter(username="eve").exists()
    assert [event.data["code"] for event in refusals()] == ["wrong_link"]


def test_after_15_minutes_the_link_is_over(client, token, later):
    later(timedelta(minutes=15, seconds=1))

    assert client.post(PAGE, filled(token)).status_code == 403
    assert not Principal.objects.administrators().exists()


@pytest.fixture
def later():
    """Let time pass for the link: what was to end later ended earlier."""

    def pass_by(span):
        link = FirstLink.objects.get()
        link.expires_at -= span
        link.save()

    return pass_by


def test_only_the_last_link_is_good(client, terminal, token):
    accounts.invite_first_administrator(actor=terminal)

    assert client.post(PAGE, filled(token)).status_code == 403


def test_a_wrong_token_lets_nobody_in_and_is_told_with_its_address(client, token):
    answer = client.post(PAGE, filled("x" * 43))

    assert answer.status_code == 403
    (event,) = refusals()
    assert (event.data["code"], event.remote_address) == ("wrong_link", "127.0.0.1")


def test_trying_is_limited_whatever_address_of_the_loopback_one_takes(client, token):
    answers = [
        client.post(PAGE, filled("x" * 43), REMOTE_ADDR=f"127.0.0.{number}").status_code
        for number in range(1, 13)
    ]

    assert answers == [403] * 10 + [429] * 2


@pytest.mark.parametrize(
    ("how", "headers"),
    [
        ({"REMOTE_ADDR": "192.0.2.7"}, {}),
        ({"REMOTE_ADDR": ""}, {}),
        ({"REMOTE_ADDR": "::ffff:192.0.2.7"}, {}),
        ({}, {"X-Forwarded-For": "127.0.0.1"}),
        ({}, {"Forwarded": "for=127.0.0.1"}),
        ({}, {"X-Real-IP": "127.0.0.1"}),
        ({}, {"Via": "1.1 proxy"}),
        ({}, {"X-Forwarded-Proto": "https"}),
        ({}, {"X-Forwarded-Host": "localhost"}),
    ],
)
@pytest.mark.parametrize("trusted", [0, 1])
def test_who_comes_from_elsewhere_or_through_a_proxy_is_not_let_in(
    client, token, settings, how, headers, trusted
):
    settings.TRUSTED_PROXIES = trusted

    looked = client.get(PAGE, headers=headers, **how)
    answer = client.post(PAGE, filled(token), headers=headers, **how)

    assert (looked.status_code, answer.status_code) == (403, 403)
    assert "on the machine that certctl runs on" in answer.content.decode()
    assert not Principal.objects.administrators().exists()
    assert FirstLink.objects.get().used_at is None
    (event,) = refusals()
    assert (event.actor_name, event.data["code"]) == ("anonymous", "not_here")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_every_address_of_the_loopback_is_this_machine(client, token, address):
    assert client.post(PAGE, filled(token), REMOTE_ADDR=address).status_code == 302


def test_without_the_token_of_its_form_it_is_refused(token):
    client = Client(enforce_csrf_checks=True)

    assert client.post(PAGE, filled(token)).status_code == 403
    assert not Principal.objects.administrators().exists()

    client.get(PAGE)
    with_csrf = filled(token, csrfmiddlewaretoken=client.cookies["csrftoken"].value)
    assert client.post(PAGE, with_csrf).status_code == 302


def test_where_carol_administers_the_link_makes_nobody(client, token, carol):
    looked = client.get(PAGE)
    answer = client.post(PAGE, filled(token))

    assert (looked.status_code, answer.status_code) == (403, 403)
    assert "There is an administrator already" in answer.content.decode()
    assert list(Principal.objects.administrators()) == [carol]
    assert FirstLink.objects.get().used_at is None
    assert [event.data["code"] for event in refusals()] == ["has_administrator"]


def test_where_carol_administers_no_link_is_made(terminal, carol):
    with pytest.raises(accounts.HasAdministrator):
        accounts.invite_first_administrator(actor=terminal)

    assert not FirstLink.objects.exists()


def test_a_link_is_made_at_the_terminal_alone(terminal):
    for door in set(Door) - {Door.CLI}:
        terminal.via = Via(door=door)
        with pytest.raises(WrongDoor):
            accounts.invite_first_administrator(actor=terminal)


def test_who_counts_as_an_administrator(victor, carol):
    assert list(Principal.objects.administrators()) == [carol]

    Principal.objects.filter(pk=victor.pk).update(is_superuser=True)
    assert set(Principal.objects.administrators()) == {carol, victor}

    Principal.objects.filter(pk=carol.pk).update(is_active=False)
    Principal.objects.filter(pk=victor.pk).update(kind=Principal.Kind.MACHINE)
    assert not Principal.objects.administrators().exists()


# --- At once --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_with_the_link_one_is_made(token):
    def come(name):
        return accounts.make_first_administrator(
            actor=at_the_page(), token=token, username=name, password=PASSWORD
        )

    outcomes = together(lambda: come("dora"), lambda: come("eve"))

    assert sum(isinstance(one, Principal) for one in outcomes) == 1
    assert sum(isinstance(one, accounts.WrongLink) for one in outcomes) == 1
    assert Principal.objects.administrators().count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_comes_second_with_the_link_waits_and_reads_that_it_was_used(token):
    with pytest.raises(accounts.WrongLink):
        meanwhile(
            lambda: FirstLink.objects.update(used_at=timezone.now()),
            lambda: accounts.make_first_administrator(
                actor=at_the_page(), token=token, username="dora", password=PASSWORD
            ),
        )


@pytest.mark.django_db(transaction=True)
def test_whoever_is_made_an_administrator_meanwhile_is_the_only_one(token, terminal):
    with pytest.raises(accounts.HasAdministrator):
        meanwhile(
            lambda: accounts.create_superuser(actor=terminal, username="carol", password=PASSWORD),
            lambda: accounts.make_first_administrator(
                actor=at_the_page(), token=token, username="dora", password=PASSWORD
            ),
        )

    assert [one.username for one in Principal.objects.administrators()] == ["carol"]

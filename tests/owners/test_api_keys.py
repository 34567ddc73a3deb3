"""An API key: made once, shown once, and no more than its cap and its principal."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import Event
from foundation.errors import Invalid
from owners import keys, services
from owners.models import ApiKey
from owners.roles import Role

ME = "/api/v1/me/"


def with_key(whole):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {whole}")
    return client


def test_a_key_speaks_for_its_principal(alice, key_of):
    answer = with_key(key_of(alice, name="ci")).get(ME)

    assert answer.status_code == 200
    assert answer.json()["username"] == "alice"
    assert answer.json()["api_key"] == "ci"


def test_the_secret_is_stored_nowhere(alice, key_of):
    whole = key_of(alice)

    key = ApiKey.objects.get()

    secret = whole.split("_", 2)[2]
    for value in vars(key).values():
        assert secret not in str(value)
    assert keys.digest(whole.split("_", 2)[2]) == key.digest


def test_a_key_made_over_rest_is_shown_once(carol, alice, client_of):
    client = client_of(carol)

    made = client.post(
        "/api/v1/api-keys/", {"name": "ci", "principal": str(alice.pk), "role_cap": "viewer"}
    )
    later = client.get(f"/api/v1/api-keys/{made.json()['id']}/")

    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert with_key(made.json()["key"]).get(ME).status_code == 200
    assert "key" not in later.json()
    assert "digest" not in later.json()
    event = Event.objects.get(action="apikey.create", subject_name__startswith="ci")
    assert made.json()["key"].split("_", 2)[2] not in str(event.data)


@pytest.mark.parametrize("who", ["alice", "victor"])
def test_only_administrators_make_keys(who, alice, client_of, request):
    client = client_of(request.getfixturevalue(who))

    answer = client.post(
        "/api/v1/api-keys/", {"name": "mine", "principal": str(alice.pk), "role_cap": "admin"}
    )

    assert answer.status_code == 403
    assert answer.json()["code"] == "missing_permission"
    assert not ApiKey.objects.filter(name="mine").exists()


def test_a_key_can_do_no_more_than_its_cap(carol, client_of):
    answer = client_of(carol, role_cap="viewer").post("/api/v1/teams/", {"name": "red"})

    assert answer.status_code == 403
    assert answer.json()["code"] == "missing_permission"


def test_a_key_can_do_no_more_than_its_principal(victor, client_of):
    answer = client_of(victor, role_cap="admin").post("/api/v1/teams/", {"name": "red"})

    assert answer.status_code == 403


def test_a_key_loses_what_its_principal_loses(carol, client_of):
    client = client_of(carol)
    carol.groups.clear()

    answer = client.post("/api/v1/teams/", {"name": "red"})

    assert answer.status_code == 403


@pytest.mark.parametrize("scheme", ["Basic", "Token"])
def test_another_scheme_is_no_key(alice, key_of, scheme):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"{scheme} {key_of(alice)}")

    answer = client.get(ME)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_nobody_is_turned_away(anonymous, db):
    answer = anonymous.get(ME)

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_authenticated"


def _refused_as(name):
    event = Event.objects.get(action="apikey.refuse")
    assert event.actor is None
    assert event.actor_name == name
    return event.data["why"]


def test_a_disabled_key_is_refused_and_audited_under_its_name(alice, carol, key_of):
    whole = key_of(alice, name="old-ci")
    services.disable_api_key(actor=carol, key_id=ApiKey.objects.get(name="old-ci").pk)

    answer = with_key(whole).get(ME)

    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid_key"
    assert _refused_as("old-ci") == "it is disabled"


def test_an_expired_key_is_refused_and_audited_under_its_name(alice, key_of):
    whole = key_of(alice, name="brief", expires_at=timezone.now() + timedelta(hours=1))

    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1), tick=False):
        answer = with_key(whole).get(ME)

    assert answer.status_code == 401
    assert _refused_as("brief") == "it has expired"


def test_a_key_of_a_disabled_principal_is_refused(alice, key_of):
    whole = key_of(alice, name="ci")
    alice.is_active = False
    alice.save()

    answer = with_key(whole).get(ME)

    assert answer.status_code == 401
    assert _refused_as("ci") == "its principal is disabled"


def test_a_wrong_secret_is_refused(alice, key_of):
    whole = key_of(alice, name="ci")
    wrong = whole[:-1] + ("A" if whole[-1] != "A" else "B")

    answer = with_key(wrong).get(ME)

    assert answer.status_code == 401
    assert _refused_as("ci") == "wrong secret"


def test_an_unknown_prefix_is_refused_like_a_wrong_secret(db):
    whole, _, _ = keys.make()

    answer = with_key(whole).get(ME)

    assert answer.status_code == 401
    assert answer.json()["detail"] == "This is not a valid API key."
    assert _refused_as("anonymous") == "unknown key"


def test_guessing_does_not_fill_the_trail(db):
    whole, _, _ = keys.make()

    for _ in range(5):
        with_key(whole).get(ME)

    assert Event.objects.filter(action="apikey.refuse").count() == 1


def test_a_digest_is_compared_for_an_unknown_key_too(monkeypatch, db):
    compared = []
    monkeypatch.setattr(keys.hmac, "compare_digest", lambda a, b: compared.append((a, b)))
    whole, _, _ = keys.make()

    with_key(whole).get(ME)

    assert len(compared) == 1


def test_a_key_is_bound_to_its_networks(alice, key_of):
    whole = key_of(alice, allowed_networks=["10.0.0.0/8"])

    inside = with_key(whole).get(ME, REMOTE_ADDR="10.1.2.3")
    outside = with_key(whole).get(ME, REMOTE_ADDR="192.0.2.1")

    assert inside.status_code == 200
    assert outside.status_code == 401


def test_a_forged_forwarded_header_does_not_move_the_caller(alice, key_of):
    whole = key_of(alice, allowed_networks=["10.0.0.0/8"])

    answer = with_key(whole).get(ME, REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="10.1.2.3")

    assert answer.status_code == 401


def test_last_use_is_stamped_once_a_minute(alice, key_of):
    client = with_key(key_of(alice, name="ci"))
    start = timezone.now()

    with time_machine.travel(start, tick=False):
        client.get(ME)
    with time_machine.travel(start + timedelta(seconds=59), tick=False):
        client.get(ME)
    within = ApiKey.objects.get(name="ci").last_used_at
    with time_machine.travel(start + timedelta(seconds=60), tick=False):
        client.get(ME)
    after = ApiKey.objects.get(name="ci").last_used_at

    assert within == start
    assert after == start + timedelta(seconds=60)


def test_two_keys_are_live_at_once(alice, key_of):
    first, second = key_of(alice), key_of(alice)

    assert with_key(first).get(ME).status_code == 200
    assert with_key(second).get(ME).status_code == 200


def test_the_system_holds_no_key(system, carol):
    with pytest.raises(services.SystemPrincipal):
        services.issue_api_key(actor=carol, principal=system, name="x", role_cap=Role.ADMIN)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("allowed_networks", ["10.0.0.0/33"]),
        ("allowed_networks", ["nonsense"]),
        ("expires_at", "2020-01-01T00:00:00Z"),
        ("role_cap", "emperor"),
        ("principal", "00000000-0000-4000-8000-000000000000"),
        ("name", ""),
    ],
)
def test_a_bad_request_names_its_field(carol, alice, client_of, field, value):
    body = {"name": "x", "principal": str(alice.pk), "role_cap": "viewer", field: value}

    answer = client_of(carol).post("/api/v1/api-keys/", body)

    assert answer.status_code == 400
    assert field in {error["field"].split(".")[0] for error in answer.json()["errors"]}
    assert not ApiKey.objects.filter(principal=alice).exists()


# --- Bounds ---------------------------------------------------------------------------------


def test_what_follows_a_key_is_no_part_of_it():
    whole, prefix, _ = keys.make()

    assert keys.parse(whole.encode())[0] == prefix
    assert keys.parse(f"{whole}A".encode()) is None


def test_a_key_ends_at_the_second_that_it_says(alice):
    ends = timezone.now()
    key = ApiKey(principal=alice, expires_at=ends)

    assert key.is_live(ends - timedelta(microseconds=1))
    assert not key.is_live(ends)
    assert not ApiKey(principal=alice, disabled_at=ends).is_live(ends)
    alice.is_active = False
    assert not ApiKey(principal=alice).is_live(ends)


def test_a_key_that_is_bound_to_networks_wants_an_address():
    assert not ApiKey(allowed_networks=["10.0.0.0/8"]).allows_address(None)
    assert ApiKey().allows_address(None)


def test_a_key_is_made_with_a_role_for_a_cap_and_a_future(carol, alice):
    asked = {"actor": carol, "principal": alice, "name": "x"}

    with pytest.raises(Invalid):
        services.issue_api_key(**asked, role_cap="emperor")
    with pytest.raises(Invalid):
        services.issue_api_key(**asked, role_cap=Role.VIEWER, expires_at=timezone.now())


def test_a_principal_has_one_key_of_a_name(carol, alice):
    asked = {"actor": carol, "name": "ci", "role_cap": Role.VIEWER}
    services.issue_api_key(**asked, principal=alice)
    services.issue_api_key(**asked, principal=carol)

    with pytest.raises(services.NameTaken):
        services.issue_api_key(**asked, principal=alice)


def test_a_key_takes_fifty_networks_and_no_more(carol, client_of):
    networks = [f"10.0.{n}.0/24" for n in range(51)]
    body = {"name": "x", "principal": "carol", "role_cap": "viewer"}
    client = client_of(carol)

    answer = client.post("/api/v1/api-keys/", {**body, "allowed_networks": networks})

    assert answer.status_code == 400
    answer = client.post("/api/v1/api-keys/", {**body, "allowed_networks": networks[1:]})
    assert answer.status_code == 201


@pytest.mark.parametrize("who", ["alice", "victor"])
def test_only_administrators_disable_keys(who, carol, key_of, client_of, request):
    key_of(carol, name="hers")
    key = ApiKey.objects.get(name="hers")

    answer = client_of(request.getfixturevalue(who)).post(f"/api/v1/api-keys/{key.pk}/disable/")

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_permission")
    key.refresh_from_db()
    assert key.disabled_at is None

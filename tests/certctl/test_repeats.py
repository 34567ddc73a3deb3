"""Idempotency-Key: nothing that a POST makes is made twice, whichever address it went to.

Carol administers and makes all kinds of things, alice asks, victor only reads.
"""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from django.db import IntegrityError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from audit.models import ChainHead, Event
from enrollment.services import create_label
from foundation.rest import repeats
from owners.models import ApiKey, IdempotencyRecord, Owner, Team
from tests.factories import PrincipalFactory
from tests.fixtures import new_key
from tests.races import beside, until_blocked

API = "/api/v1/"
# What an answer shows only once, and is null in the one that is given again.
ONCE = {"key", "token", "credential", "credentials"}
# POSTs that make nothing anew, and why each may be sent twice.
MAKES_NOTHING = {
    "agent-registrations/": "the same token and key get the same answer",
    "agent-tokens/{id}/withdraw/": "it is withdrawn already",
    "agents/{agent}/heartbeat/": "it was heard of already",
    "agents/{agent}/work/{job}/carry/": "it is the agent's already",
    "agents/{agent}/work/{job}/csr/": "it has that CSR already",
    "agents/{agent}/work/{job}/report/": "it is settled so already",
    "agents/{id}/retire/": "it is retired already",
    "alerts/{id}/acknowledge/": "the first to say so stays",
    "api-keys/{id}/disable/": "it is disabled already",
    "certificates/{id}/archive/": "409 the second time",
    "certificates/{id}/detach/": "404 not_bound the second time",
    "certificates/{id}/export/": "a look",
    "certificates/{id}/release-hold/": "409 not_on_hold the second time",
    "certificates/bulk-revoke/": "bound to its plan: 409 plan_changed the second time",
    "enrollment-credentials/{id}/block/": "it is blocked already",
    "enrollment-devices/{id}/block/": "it is blocked already",
    "enrollment-devices/{id}/unblock/": "it is open already",
    "enrollment-labels/{id}/block/": "it is blocked already",
    "enrollment-labels/{id}/unblock/": "it is open already",
    "issuers/{id}/successor/": "said again, what was signed before will do",
    "issuers/{id}/test/": "a look",
    "jobs/{id}/approve/": "409 invalid_move the second time",
    "jobs/{id}/cancel/": "409 invalid_move the second time",
    "jobs/{id}/csr/": "409 invalid_move the second time",
    "jobs/{id}/reject/": "409 invalid_move the second time",
    "jobs/{id}/retry/": "409 invalid_move the second time",
    "revocation-plans/{id}/confirm/": "409 invalid_move the second time",
    "revocation-plans/{id}/look/": "409 nothing_to_look_at the second time",
    "revocation-plans/{id}/pause/": "409 invalid_move the second time",
    "revocation-plans/{id}/resume/": "409 invalid_move the second time",
    "revocation-plans/{id}/stop/": "409 invalid_move the second time",
    "targets/{id}/test/": "a look",
}


def foreign():
    """Return a certificate that somebody else had signed."""
    key, name = new_key(), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a.example")])
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=4711,
        not_valid_before=timezone.now(),
        not_valid_after=timezone.now() + timedelta(days=30),
    ).add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example")]), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def bodies(carol, profile, local_ca, owner, places, csr_for, victor):
    """What makes one thing at each address, and another body for the same key."""
    label = create_label(
        actor=carol, protocol="est", path="old", issuer=local_ca, profile=profile, owner=owner
    )
    credential = {"label": str(label.pk), "names": ["dns:cam.demo.internal"]}
    request = {"owner": owner.name, "issuer": local_ca.slug, "profile": profile.slug}
    target = {"kind": "file", "config": {"at": "web-1"}}
    return {
        "agent-tokens/": {"name": "edge-1"},
        "owners/": {"name": "shop"},
        "teams/": {"name": "web"},
        "principals/": {"username": "dave", "password": "correct horse battery"},
        "api-keys/": {"name": "ci", "principal": "victor", "role_cap": "viewer"},
        "profiles/": {"slug": "tls", "name": "TLS", "allowed_sans": ["dns:*"]},
        "renewal-policies/": {"name": "short", "window": "P5D"},
        "issuers/": {
            "slug": "new", "name": "New", "common_name": "New CA", "lifetime_days": 100,
        },
        "targets/": {"name": "web-1", **target},
        "certificates/": {**request, "csr": csr_for("web.demo.internal")},
        "certificates/import/": {**request, "pem": foreign()},
        "revocation-plans/": {"criteria": {"profile": profile.slug}},
        "enrollment-labels/": {**request, "protocol": "est", "path": "new"},
        "enrollment-devices/": {"label": str(label.pk), "name": "cam-1"},
        "enrollment-credentials/": {**credential, "device": "cam-2"},
        "enrollment-credentials/bulk/": {
            "label": str(label.pk), "csv": "device,names\ncam-3,dns:cam-3.demo.internal\n",
        },
    }  # fmt: skip


def test_every_post_that_makes_something_can_be_sent_again(operations):
    posts = {
        path.removeprefix(API): {one["name"] for one in operation.get("parameters", [])}
        for method, path, operation in operations
        if method == "post"
    }
    repeatable = {path for path, names in posts.items() if repeats.HEADER in names}

    assert posts.keys() - repeatable == MAKES_NOTHING.keys()
    assert len(repeatable) >= 17


def test_what_carol_asks_for_twice_under_one_key_is_made_once(carol, client_of, bodies):
    client = client_of(carol)

    for path, body in bodies.items():
        events = ChainHead.objects.get().sequence
        first = client.post(API + path, body, HTTP_IDEMPOTENCY_KEY=f"key {path}")
        assert first.status_code == 201, (path, first.content)
        made = ChainHead.objects.get().sequence
        again = client.post(API + path, body, HTTP_IDEMPOTENCY_KEY=f"key {path}")
        assert made > events
        assert ChainHead.objects.get().sequence == made, path
        assert again.status_code == 201, path
        assert repeats.REPLAYED not in first.headers
        assert again.headers[repeats.REPLAYED] == "true"
        shown = dict.fromkeys(ONCE & first.json().keys())
        assert again.json() == first.json() | shown, path
        other = client.post(API + path, {**body, "x": 1}, HTTP_IDEMPOTENCY_KEY=f"key {path}")
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused"), path


def test_every_creation_is_tried_above(operations, bodies):
    creating = {
        path.removeprefix(API)
        for method, path, operation in operations
        if method == "post" and "201" in operation["responses"]
    }

    assert creating == bodies.keys()


def test_an_api_key_is_shown_once_and_kept_nowhere(carol, client_of, victor, anonymous):
    client, body = client_of(carol), {"name": "ci", "principal": "victor", "role_cap": "viewer"}
    made = client.post(API + "api-keys/", body, HTTP_IDEMPOTENCY_KEY="k").json()

    again = client.post(API + "api-keys/", body, HTTP_IDEMPOTENCY_KEY="k")

    assert again.json() == {**made, "key": None}
    kept = json.dumps(list(IdempotencyRecord.objects.values()), default=str)
    assert made["key"].rpartition("_")[2] not in kept
    assert ApiKey.objects.filter(principal=victor).count() == 1
    answer = anonymous.get(API + "me/", HTTP_AUTHORIZATION=f"Bearer {made['key']}")
    assert answer.status_code == 200


def test_a_password_cannot_be_guessed_from_what_is_kept(carol, client_of):
    body = {"username": "dave", "password": "correct horse battery"}
    client_of(carol).post(API + "principals/", body, HTTP_IDEMPOTENCY_KEY="k")

    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    plain = hashlib.sha256(f"POST {API}principals/\n{text}".encode()).hexdigest()
    record = IdempotencyRecord.objects.get()
    assert record.request_digest != plain
    assert "correct horse" not in json.dumps(record.body)


def test_an_answer_that_an_earlier_release_kept_is_given_again(carol, client_of):
    text = json.dumps({"name": "web"}, sort_keys=True, separators=(",", ":"))
    plain = hashlib.sha256(f"POST {API}teams/\n{text}".encode()).hexdigest()
    IdempotencyRecord.objects.create(
        principal=carol, key="k", request_digest=plain, status_code=201, body={"id": "old"}
    )

    again = client_of(carol).post(API + "teams/", {"name": "web"}, HTTP_IDEMPOTENCY_KEY="k")

    assert (again.status_code, again.json()) == (201, {"id": "old"})
    assert not Team.objects.exists()


def test_a_request_that_failed_leaves_its_key_free_and_a_refusal_in_the_trail(carol, client_of):
    client, address = client_of(carol), API + "principals/"
    PrincipalFactory(username="dave")
    taken = client.post(address, {"username": "Dave"}, HTTP_IDEMPOTENCY_KEY="k")
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")

    assert not IdempotencyRecord.objects.exists()
    assert Event.objects.filter(action="principal.create.refuse").count() == 1
    free = client.post(address, {"username": "erin"}, HTTP_IDEMPOTENCY_KEY="k")
    assert free.status_code == 201


def test_victor_gets_no_answer_of_carols(carol, victor, client_of):
    client_of(carol).post(API + "teams/", {"name": "web"}, HTTP_IDEMPOTENCY_KEY="k")

    answer = client_of(victor).post(API + "teams/", {"name": "web"}, HTTP_IDEMPOTENCY_KEY="k")

    assert answer.status_code == 403


def test_who_repeats_a_change_that_was_made_is_not_told_that_the_tag_is_stale(
    alice, client_of, issued
):
    client, address = client_of(alice), f"{API}certificates/{issued.pk}/"
    tag = client.get(address).headers["ETag"]

    first, again = (
        client.post(f"{address}renew/", {}, HTTP_IF_MATCH=tag, HTTP_IDEMPOTENCY_KEY="k")
        for _ in range(2)
    )

    assert client.get(address).headers["ETag"] != tag
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_once_under_one_key_one_makes_it(carol, client_of):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to wait for")
    clients = [client_of(carol), client_of(carol)]

    def post(client):
        return client.post(API + "owners/", {"name": "shop"}, HTTP_IDEMPOTENCY_KEY="k")

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            ChainHead.objects.select_for_update().get(pk=1)
            calls = [beside(pool, lambda client=client: post(client)) for client in clients]
            for call in calls:
                until_blocked(call)
        answers = [call.result(timeout=20) for call in calls]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert sum(repeats.REPLAYED in answer.headers for answer in answers) == 1
    assert Owner.objects.filter(name="shop").count() == 1


@pytest.mark.django_db(transaction=True)
def test_answers_of_the_first_release_stay_when_their_table_moves(carol):
    """The table is put back as it was, and moved again."""
    moved = import_module("owners.migrations.0002_idempotency_records").Migration
    migration = moved("0002_idempotency_records", "owners")
    before = MigrationLoader(connection).project_state(moved.dependencies)
    table = IdempotencyRecord._meta.db_table
    IdempotencyRecord.objects.create(principal=carol, key="k", request_digest="d", body={"a": 1})

    with connection.schema_editor(atomic=True) as editor:
        migration.unapply(before.clone(), editor)
    as_it_was = connection.introspection.table_names()
    with connection.schema_editor(atomic=True) as editor:
        migration.apply(before.clone(), editor)

    assert "jobs_idempotencyrecord" in as_it_was
    assert table not in as_it_was
    assert list(IdempotencyRecord.objects.values_list("key", "body")) == [("k", {"a": 1})]
    with pytest.raises(IntegrityError):
        IdempotencyRecord.objects.create(principal=carol, key="k", request_digest="d")

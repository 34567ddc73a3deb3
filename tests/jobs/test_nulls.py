"""Null in a body is as absent: no end, no plan, the current version. Carol administers."""

import pytest

from certificates.models import Revocation
from owners.models import ApiKey


@pytest.mark.parametrize("given", [{}, {"version": None}])
def test_no_version_and_null_both_revoke_the_current_one(issued, carol, client_of, given):
    body = {"reason": "superseded", **given}

    answer = client_of(carol).post(f"/api/v1/certificates/{issued.pk}/revoke/", body)

    assert answer.status_code < 300, answer.json()
    assert Revocation.objects.get().version == issued.versions.get()


@pytest.mark.parametrize("version", ["", [], {}, "nonsense", "\x00"])
def test_what_is_no_version_is_a_mistake_of_who_asks(issued, carol, client_of, version):
    body = {"reason": "superseded", "version": version}

    answer = client_of(carol).post(f"/api/v1/certificates/{issued.pk}/revoke/", body)

    assert answer.status_code == 400
    assert not Revocation.objects.exists()


def test_a_hold_is_released_where_the_version_is_null(issued, carol, client_of):
    client, at = client_of(carol), f"/api/v1/certificates/{issued.pk}"
    client.post(f"{at}/revoke/", {"reason": "certificateHold", "version": None})
    assert Revocation.objects.exists()

    answer = client.post(f"{at}/release-hold/", {"version": None})

    assert answer.status_code < 300, answer.json()


@pytest.mark.parametrize("given", [{}, {"plan": None}])
def test_no_plan_and_null_both_revoke_what_meets_the_criteria(issued, carol, client_of, given):
    body = {"criteria": {"ids": [str(issued.pk)]}, "reason": "superseded", **given}

    answer = client_of(carol).post("/api/v1/certificates/bulk-revoke/", body)

    assert answer.status_code < 300, answer.json()
    assert Revocation.objects.get().version == issued.versions.get()


@pytest.mark.parametrize("given", [{}, {"expires_at": None}])
def test_a_key_of_no_end_and_of_null_does_not_expire(alice, carol, client_of, given):
    client = client_of(carol)
    body = {"name": "ci", "principal": "alice", "role_cap": "viewer", **given}

    answer = client.post("/api/v1/api-keys/", body)

    assert answer.status_code == 201, answer.json()
    assert answer.json()["expires_at"] is None
    assert ApiKey.objects.get(name="ci").expires_at is None

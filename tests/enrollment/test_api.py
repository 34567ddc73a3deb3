"""Labels, devices, credentials and enrollments over REST.

Carol administers labels, alice and bob make credentials and block, victor only reads.
"""

import csv
import io
import logging
import re

import pytest

from audit.models import Event
from certificates.models import Version
from enrollment import services
from enrollment.models import Credential, Device, Enrollment, Label
from issuers.models import Profile
from jobs import services as job_services
from jobs.models import Job
from tests.enrollment.conftest import DEVICE, OPEN, OTHER, ask_by, everywhere
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db
LABELS = "/api/v1/enrollment-labels/"
DEVICES = "/api/v1/enrollment-devices/"
CREDENTIALS = "/api/v1/enrollment-credentials/"
BULK = f"{CREDENTIALS}bulk/"
ENROLLMENTS = "/api/v1/enrollments/"
HEADING = "device,names,one_time,expires_at"


@pytest.fixture
def new_label(local_ca, device_profile, owner):
    return {
        "protocol": "scep",
        "path": "routers",
        "issuer": "issuing",
        "profile": "devices",
        "owner": "web-shop",
    }


def codes(answer):
    return [(error["field"], error["code"]) for error in answer.json()["errors"]]


def credential_for(at, **options):
    body = {"label": str(at.pk), "device": DEVICE, "names": [f"dns:{DEVICE}"]}
    return body | options


# --- Labels ---------------------------------------------------------------------------------


def test_an_administrator_makes_a_label_and_its_principal_asks_for_it(carol, client_of, new_label):
    answer = client_of(carol).post(LABELS, {**new_label, "approve_renewals": True})

    assert answer.status_code == 201, answer.json()
    shown = answer.json()
    assert (shown["issuer"], shown["profile"], shown["enabled"]) == ("issuing", "devices", True)
    assert (shown["principal_name"], shown["approve_renewals"]) == ("scep-routers", True)
    event = Event.objects.get(action="label.create")
    assert (event.actor, event.door) == (carol, "rest")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"path": "simpleenroll"}, ("path", "reserved")),
        ({"path": "Not a path"}, ("path", "invalid")),
        ({"accepts": ["anything"]}, ("accepts.0", "invalid_choice")),
        ({"server_keys": True}, ("server_keys", "est_only")),
        ({"profile": "no-rsa"}, ("profile", "no_rsa")),
        ({"profile": "nobody"}, ("profile", "unknown_profile")),
        ({"hourly_limit": 0}, ("hourly_limit", "min_value")),
        ({"trust_anchors_pem": "no PEM"}, ("trust_anchors_pem", "invalid")),
        ({"ra_certificate": None}, ("ra_certificate", "not_editable")),
        ({"principal": None}, ("principal", "not_editable")),
        ({"pathh": "x"}, ("pathh", "unknown_field")),
    ],
)
def test_what_is_wrong_with_a_label_is_told_by_field(carol, client_of, new_label, change, error):
    keys = {**OPEN, "key_algorithms": ["ecdsa-p256"]}
    Profile.objects.create(slug="no-rsa", approval_required_for=[], **keys)

    answer = client_of(carol).post(LABELS, {**new_label, **change})

    assert answer.status_code == 400
    assert error in codes(answer)
    assert not Label.objects.exists()


def test_a_second_label_of_the_same_path_is_a_conflict(carol, client_of, new_label):
    client = client_of(carol)
    assert client.post(LABELS, new_label).status_code == 201

    answer = client.post(LABELS, new_label)

    assert answer.status_code == 409
    assert Label.objects.count() == 1


def test_a_label_is_changed_but_never_its_address(carol, client_of, label):
    client = client_of(carol)

    changed = client.patch(f"{LABELS}{label.pk}/", {"hourly_limit": 3, "environment": "lab"})
    refused = client.patch(f"{LABELS}{label.pk}/", {"path": "elsewhere"})

    assert (changed.status_code, changed.json()["hourly_limit"]) == (200, 3)
    assert codes(refused) == [("path", "not_editable")]
    assert Event.objects.get(action="label.update").data["changes"]["hourly_limit"] == {
        "before": 10,
        "after": 3,
    }


def test_an_operator_blocks_a_label_and_an_administrator_opens_it(alice, carol, client_of, label):
    address = f"{LABELS}{label.pk}/"

    blocked = client_of(alice).post(f"{address}block/", {"reason": "stolen van"})
    refused = client_of(alice).post(f"{address}unblock/")
    opened = client_of(carol).post(f"{address}unblock/")

    assert (blocked.status_code, blocked.json()["enabled"]) == (200, False)
    assert Event.objects.get(action="label.block").data["reason"] == "stolen van"
    assert refused.status_code == 403
    assert (opened.status_code, opened.json()["enabled"]) == (200, True)


# --- Who may what ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("victor", set()),
        ("alice", {"device", "credential", "bulk", "block", "block device", "block credential"}),
        (
            "carol",
            {
                "label",
                "change",
                "device",
                "credential",
                "bulk",
                "block",
                "unblock",
                "block device",
                "unblock device",
                "block credential",
            },
        ),
    ],
)
def test_each_role_may_what_the_table_of_roles_says(
    who, may, request, client_of, label, new_label, secret_for
):
    client = client_of(request.getfixturevalue(who))
    made = secret_for(label, OTHER)
    device = f"{DEVICES}{made.credential.device_id}/"
    tries = {
        "label": (LABELS, new_label),
        "change": (f"{LABELS}{label.pk}/", {"hourly_limit": 4}),
        "device": (DEVICES, {"label": str(label.pk), "name": "cam-9"}),
        "credential": (CREDENTIALS, credential_for(label)),
        "bulk": (BULK, {"label": str(label.pk), "csv": f"{HEADING}\ncam-7,dns:*.demo.internal,,"}),
        "block credential": (f"{CREDENTIALS}{made.credential.pk}/block/", {}),
        "block device": (f"{device}block/", {}),
        "unblock device": (f"{device}unblock/", {}),
        "block": (f"{LABELS}{label.pk}/block/", {}),
        "unblock": (f"{LABELS}{label.pk}/unblock/", {}),
    }

    answers = {
        name: (client.patch if name == "change" else client.post)(address, body).status_code
        for name, (address, body) in tries.items()
    }

    assert {name for name, code in answers.items() if code in {200, 201}} == may
    assert {code for name, code in answers.items() if name not in may} <= {403}
    refused = Event.objects.filter(action__endswith=".refuse").count()
    assert refused == len(tries) - len(may)


@pytest.mark.parametrize("address", [LABELS, DEVICES, ENROLLMENTS, CREDENTIALS])
def test_who_reads_what(address, client_of, anonymous, victor, alice, label):
    assert anonymous.get(address).status_code == 401
    assert client_of(alice).get(address).status_code == 200
    expected = 403 if address == CREDENTIALS else 200
    assert client_of(victor).get(address).status_code == expected


def test_a_key_that_is_capped_makes_no_credential(alice, client_of, label):
    client = client_of(alice, role_cap="viewer")

    assert client.post(CREDENTIALS, credential_for(label)).status_code == 403
    assert not Credential.objects.exists()


# --- Credentials ------------------------------------------------------------------------------


def test_the_text_is_in_the_first_answer_and_never_again(alice, client_of, label):
    client = client_of(alice)

    made = client.post(CREDENTIALS, credential_for(label))

    assert made.status_code == 201, made.json()
    assert made.headers["Cache-Control"] == "no-store"
    text = made.json()["credential"]
    credential = Credential.objects.get()
    assert (made.json()["one_time"], credential.created_by) == (True, alice)
    for address in (CREDENTIALS, f"{CREDENTIALS}{credential.pk}/", ENROLLMENTS, DEVICES):
        shown = client.get(address).content.decode()
        assert text not in shown
        assert credential.digest not in shown
        assert "digest" not in shown


@pytest.mark.parametrize("door", ["one", "bulk", "as CSV", "with a key"])
def test_the_text_is_in_no_row_event_or_log_line(door, alice, client_of, label, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    client, table = client_of(alice), {"label": str(label.pk), "csv": TABLE}

    made = {
        "one": lambda: client.post(CREDENTIALS, credential_for(label)),
        "bulk": lambda: client.post(BULK, table),
        "as CSV": lambda: client.post(BULK, table, headers={"Accept": "text/csv"}),
        "with a key": lambda: client.post(
            CREDENTIALS, credential_for(label), headers={"Idempotency-Key": "once"}
        ),
    }[door]()

    texts = re.findall(r"[a-z2-9]{10}-([a-z2-9]{32})", made.content.decode())
    kept = everywhere() + caplog.text + "".join(capsys.readouterr())
    assert len(texts) == Credential.objects.count() > 0
    assert [text for text in texts if text in kept] == []


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_asked_twice_under_one_key_the_texts_are_shown_once_and_made_once(
    accept, alice, client_of, label
):
    client, headers = client_of(alice), {"Idempotency-Key": "once", "Accept": accept}
    bulk_headers = {**headers, "Idempotency-Key": "twice"}
    table = {"label": str(label.pk), "csv": TABLE}

    one, again = (
        client.post(CREDENTIALS, credential_for(label), headers={"Idempotency-Key": "once"})
        for _ in range(2)
    )
    many, once_more = (client.post(BULK, table, headers=bulk_headers) for _ in range(2))

    assert again.json() == {**one.json(), "credential": None}
    assert (many.status_code, once_more.status_code) == (201, 201)
    assert once_more.content in {b"", b'{"credentials":null}'}
    assert again.headers["Idempotency-Replayed"] == once_more.headers["Idempotency-Replayed"]
    assert Credential.objects.count() == 1 + len(TABLE.strip().splitlines()) - 1


@pytest.mark.parametrize("name", ["created_by", "digest", "prefix", "credential", "spent_on"])
def test_nobody_makes_a_credential_in_somebody_elses_name_or_of_their_own_words(
    name, alice, bob, client_of, label
):
    answer = client_of(alice).post(CREDENTIALS, credential_for(label, **{name: str(bob.pk)}))

    assert (answer.status_code, codes(answer)) == (400, [(name, "unknown_field")])
    assert not Credential.objects.exists()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"names": []}, ("names", "required")),
        ({"names": ["camera"]}, ("names", "invalid")),
        ({"device": "", "one_time": True}, ("one_time", "shared")),
        ({"expires_at": "2020-01-01T00:00:00Z"}, ("expires_at", "past")),
        ({"label": "00000000-0000-0000-0000-000000000000"}, ("label", "does_not_exist")),
    ],
)
def test_what_is_wrong_with_a_credential_is_told_by_field(alice, client_of, label, change, error):
    answer = client_of(alice).post(CREDENTIALS, credential_for(label, **change))

    assert answer.status_code == 400
    assert error in codes(answer)
    assert not Credential.objects.exists()


def test_blocking_a_credential_ends_what_it_brought(alice, bob, client_of, slow_label, secret_for):
    made = secret_for(slow_label)
    answer = ask_by(slow_label, made, make_csr(DEVICE))

    blocked = client_of(bob).post(f"{CREDENTIALS}{made.credential.pk}/block/")

    assert blocked.json()["disabled_at"]
    assert Job.objects.get(pk=answer.enrollment.job_id).status == "Cancelled"


# --- In bulk -----------------------------------------------------------------------------------

TABLE = (
    f"{HEADING}\n"
    "cam-1,dns:cam-1.demo.internal,true,2090-01-01T00:00:00Z\n"
    "cam-2,dns:cam-2.demo.internal dns:*.cam-2.demo.internal,false,\n"
    ",dns:*.demo.internal,,\n"
)


def test_a_csv_makes_a_credential_for_each_row(alice, client_of, label):
    answer = client_of(alice).post(BULK, {"label": str(label.pk), "csv": TABLE})

    assert answer.status_code == 201, answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    rows = answer.json()["credentials"]
    assert [(row["device_name"], row["one_time"]) for row in rows] == [
        ("cam-1", True),
        ("cam-2", False),
        (None, False),
    ]
    assert rows[1]["names"] == ["dns:cam-2.demo.internal", "dns:*.cam-2.demo.internal"]
    assert len({row["credential"] for row in rows}) == 3
    assert set(Device.objects.values_list("name", flat=True)) == {"cam-1", "cam-2"}


def test_the_answer_comes_as_csv_too(alice, client_of, label):
    table = f"{TABLE}=1+1,dns:x.demo.internal,,\n"

    answer = client_of(alice).post(
        BULK, {"label": str(label.pk), "csv": table}, headers={"Accept": "text/csv"}
    )

    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["device"] for row in rows] == ["cam-1", "cam-2", "", "'=1+1"]
    made = services.by_secret(
        label=label, text=rows[0]["credential"], user="cam-1", via=label.principal.via
    )
    assert Credential.objects.get(pk=made.credential).device.name == "cam-1"


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ("device,names,colour\ncam-1,dns:a.example,red", ("csv", "unknown_column")),
        ("device\ncam-1", ("csv", "missing_column")),
        ("device,names,names\ncam-1,dns:a.example,", ("csv", "repeated_column")),
        (HEADING, ("csv", "empty")),
        (f"{HEADING}\ncam-1,dns:a.example,,\ncam-2,dns:b.example", ("2.row", "wrong_length")),
        (f"{HEADING}\ncam-1,dns:a.example,maybe,", ("1.one_time", "invalid")),
        (f"{HEADING}\ncam-1,dns:a.example,,tomorrow", ("1.expires_at", "invalid")),
        (f"{HEADING}\ncam-1,dns:a.example,,2090-01-01T00:00:00", ("1.expires_at", "invalid")),
        (f"{HEADING}\ncam-1,dns:a.example,,2090-13-41T00:00:00Z", ("1.expires_at", "invalid")),
        (
            f"{HEADING}\ncam-1,dns:a.example,,9999-12-31T23:59:59-14:00",
            ("1.expires_at", "invalid"),
        ),
        (f"{HEADING}\ncam-1,dns:a.example,,\ncam-2,nonsense,,", ("2.names", "invalid")),
        (f"{HEADING}\ncam-1,dns:{'a' * 252},,", ("1.names", "max_length")),
        (f"{HEADING}\n{'c' * 101},dns:a.example,,", ("1.device", "max_length")),
        (f"{HEADING}\ncam\u200b,dns:a.example,,", ("1.device", "invalid")),
        (f"{HEADING}\ncam-1,,,", ("1.names", "required")),
        (f'{HEADING}\n"cam-1,dns:a.example,,', ("csv", "invalid")),
    ],
)
def test_one_wrong_row_and_nothing_is_made(alice, client_of, label, table, error):
    answer = client_of(alice).post(
        BULK, {"label": str(label.pk), "csv": table}, headers={"Accept": "text/csv"}
    )

    assert answer.status_code == 400
    assert error in codes(answer)
    assert not Credential.objects.exists()
    assert not Device.objects.exists()


def test_many_take_as_many_queries_as_few(alice, client_of, label, django_assert_max_num_queries):
    """So that whoever else writes to the trail waits for one step of it, not for thousands."""
    rows = "\n".join(f"cam-{number},dns:cam-{number}.demo.internal,," for number in range(400))
    client = client_of(alice)

    with django_assert_max_num_queries(50):
        answer = client.post(BULK, {"label": str(label.pk), "csv": f"{HEADING}\n{rows}"})

    assert answer.status_code == 201
    assert Event.objects.filter(action="device.create").count() == 400
    assert Event.objects.filter(action="credential.create").count() == 400


def test_a_device_that_is_there_already_gets_its_credential_too(alice, client_of, label):
    there = services.create_device(actor=alice, label_id=label.pk, name="cam-1")
    came = Device.objects.create(label=label, name="cam-2", announced=False)

    answer = client_of(alice).post(BULK, {"label": str(label.pk), "csv": TABLE})

    assert answer.status_code == 201
    assert {one.device for one in Credential.objects.all()} == {there, came, None}
    came.refresh_from_db()
    assert came.announced
    assert Event.objects.filter(action="device.create").count() == 1


def test_more_rows_than_are_made_at_once_are_refused(alice, client_of, label, monkeypatch):
    monkeypatch.setattr("enrollment.services.spreadsheets.MAX_AT_ONCE", 2)

    answer = client_of(alice).post(BULK, {"label": str(label.pk), "csv": TABLE})

    assert codes(answer) == [("csv", "too_many")]


# --- Devices and what they hold ---------------------------------------------------------------


def test_blocking_a_device_answers_with_what_it_holds_and_where_to_revoke_it(
    alice, client_of, label, secret_for
):
    version = ask_by(label, secret_for(label), make_csr(DEVICE)).version
    client, device = client_of(alice), Device.objects.get()

    answer = client.post(f"{DEVICES}{device.pk}/block/", {"reason": "lost"})

    (held,) = answer.json()["holds"]
    assert (held["serial"], held["issuer"]) == (version.serial, "issuing")
    assert answer.json()["blocked_because"] == "lost"
    assert client.post(held["revoke"], {"reason": "superseded"}).status_code == 200
    assert hasattr(Version.objects.get(), "revocation")
    again = client.post(f"{DEVICES}{device.pk}/block/", {})
    assert again.json()["holds"] == []


def test_a_device_of_the_same_name_is_a_conflict(alice, client_of, label):
    body = {"label": str(label.pk), "name": "cam-9"}
    client = client_of(alice)

    assert client.post(DEVICES, body).status_code == 201
    assert client.post(DEVICES, body).json()["code"] == "device_taken"


def test_a_devices_name_is_printable(alice, client_of, label):
    answer = client_of(alice).post(DEVICES, {"label": str(label.pk), "name": "cam\n1"})

    assert (answer.status_code, codes(answer)) == (400, [("name", "invalid")])
    assert not Device.objects.exists()


# --- Enrollments -------------------------------------------------------------------------------


@pytest.fixture
def outcomes(label, slow_label, secret_for, bob):
    """One enrollment of each outcome."""
    third = "cam-3.demo.internal"
    issued = ask_by(label, secret_for(label), make_csr(DEVICE)).enrollment
    waiting = ask_by(slow_label, secret_for(slow_label, third), make_csr(third)).enrollment
    refused = ask_by(slow_label, secret_for(slow_label, OTHER), make_csr(OTHER)).enrollment
    job_services.reject_job(job_id=refused.job_id, actor=bob, reason="whose is it?")
    return {"Issued": issued, "Waiting": waiting, "Refused": refused}


def test_each_enrollment_shows_its_outcome_and_can_be_looked_for_by_it(victor, client_of, outcomes):
    client = client_of(victor)

    for outcome, enrollment in outcomes.items():
        (row,) = client.get(f"{ENROLLMENTS}?outcome={outcome}").json()["results"]
        assert (row["id"], row["outcome"]) == (str(enrollment.pk), outcome)
    assert "whose is it?" in client.get(f"{ENROLLMENTS}?outcome=Refused").content.decode()
    assert client.get(f"{ENROLLMENTS}?outcome=Lost").status_code == 400
    issued = outcomes["Issued"]
    for name in ("label", "device", "certificate"):
        key = getattr(issued, f"{name}_id")
        (row,) = client.get(f"{ENROLLMENTS}?{name}={key}").json()["results"]
        assert row["id"] == str(issued.pk)
    assert row["collected_at"]


def test_what_failed_and_is_tried_again_waits(victor, client_of, outcomes):
    waiting = outcomes["Waiting"]
    Job.objects.filter(pk=waiting.job_id).update(status="Failed", attempts=1)
    client = client_of(victor)

    assert client.get(f"{ENROLLMENTS}?outcome=Waiting").json()["count"] == 1
    Job.objects.filter(pk=waiting.job_id).update(given_up=True)
    assert client.get(f"{ENROLLMENTS}?outcome=Waiting").json()["count"] == 0
    assert client.get(f"{ENROLLMENTS}?outcome=Refused").json()["count"] == 2
    assert client.get(f"{ENROLLMENTS}{waiting.pk}/").json()["outcome"] == "Refused"


def test_lists_take_as_many_queries_for_one_as_for_many(
    alice, client_of, outcomes, django_assert_max_num_queries
):
    client = client_of(alice)
    for address in (LABELS, DEVICES, CREDENTIALS, ENROLLMENTS):
        with django_assert_max_num_queries(8):
            assert client.get(address).json()["count"] >= 2


def test_nobody_writes_an_enrollment(carol, client_of, outcomes):
    client = client_of(carol)
    address = f"{ENROLLMENTS}{outcomes['Waiting'].pk}/"

    answers = {
        client.post(ENROLLMENTS, {}).status_code,
        client.patch(address, {}).status_code,
        client.delete(address).status_code,
    }

    assert answers == {405}
    assert Enrollment.objects.count() == 3


# --- Jobs and versions ---------------------------------------------------------------------------


def test_job_version_and_review_say_which_device_and_who_vouched_for_it(
    bob, alice, client_of, outcomes
):
    client = client_of(bob)
    waiting = outcomes["Waiting"]

    job = client.get(f"/api/v1/jobs/{waiting.job_id}/").json()
    review = client.get(f"/api/v1/jobs/{waiting.job_id}/review/").json()
    issued = Version.objects.get()
    version = client.get(f"/api/v1/versions/{issued.pk}/").json()

    assert (job["device"], job["wants_approval"]) == (f"est/slow-cams/{waiting.device}", True)
    assert (review["device"], review["vouched_by"]) == (job["device"], "alice")
    assert version["device"] == f"est/cams/{DEVICE}"


def test_of_what_no_device_asked_nobody_vouched(bob, client_of, awaiting_without_device):
    review = client_of(bob).get(f"/api/v1/jobs/{awaiting_without_device.pk}/review/").json()

    assert (review["device"], review["vouched_by"]) == ("", "")


@pytest.fixture
def awaiting_without_device(alice, owner, local_ca, profile):
    return job_services.request_issuance(
        actor=alice,
        owner=owner,
        issuer=local_ca,
        profile=profile,
        csr_pem=make_csr("a.demo.internal"),
    ).job

"""Plans over REST: for administrators alone, in the API's manner.

Carol and dave administer, bob operates, victor only reads.
"""

import csv
from io import StringIO

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as fuzzing
from hypothesis import strategies as st

from audit.models import Event
from certificates.models import Revocation
from revocation.models import Plan
from revocation.services import CRITERIA
from tests.revocation.conftest import PLANS

pytestmark = pytest.mark.django_db
BODY = {"criteria": {"owner": "web-shop"}}
ACTS = ("confirm", "look", "pause", "resume", "stop")


def test_a_plan_goes_from_the_preview_to_the_report(make, carol, client_of, run):
    make(3)
    client = client_of(carol)

    made = client.post(PLANS, {**BODY, "reason": "superseded", "wave_size": 2})
    assert made.status_code == 201, made.content
    plan = made.json()
    address = f"{PLANS}{plan['id']}/"
    tag = client.get(address).headers["ETag"]
    confirmed = client.post(f"{address}confirm/", {"digest": plan["digest"]}, HTTP_IF_MATCH=tag)
    assert (confirmed.status_code, confirmed.json()["status"]) == (200, "Running")
    run()

    shown = client.get(address).json()
    assert (shown["status"], shown["revoked"], shown["waves"]) == ("Completed", 3, 2)
    report = client.get(f"{address}report/?page_size=2").json()
    assert (report["count"], len(report["results"])) == (3, 2)
    assert report["outcomes"] == [{"outcome": "revoked", "code": "", "count": 3}]
    table = client.get(f"{address}report/", HTTP_ACCEPT="text/csv")
    text = b"".join(table.streaming_content).decode()
    rows = list(csv.DictReader(StringIO(text)))
    assert [row["owner"] for row in rows] == ["web-shop"] * 3
    assert table.headers["Content-Disposition"].startswith("attachment")
    assert client.get(PLANS).json()["count"] == 1


def test_a_stale_tag_confirms_nothing(make, carol, client_of):
    make(2)
    client = client_of(carol)
    plan = client.post(PLANS, BODY).json()

    answer = client.post(
        f"{PLANS}{plan['id']}/confirm/", {"digest": plan["digest"]}, HTTP_IF_MATCH='"old"'
    )

    assert answer.status_code == 412
    assert Plan.objects.get().status == "Previewed"


def test_it_is_paused_resumed_and_stopped(make, carol, dave, client_of):
    make(2)
    client = client_of(carol)
    plan = client.post(PLANS, BODY).json()
    address = f"{PLANS}{plan['id']}/"
    client.post(f"{address}confirm/", {"digest": plan["digest"]})

    statuses = [
        client_of(dave).post(f"{address}{act}/", {"note": act}).json()["status"]
        for act in ("pause", "resume", "stop")
    ]

    assert statuses == ["Paused", "Running", "Stopped"]
    again = client.post(f"{address}resume/", {})
    assert (again.status_code, again.json()["code"]) == (409, "invalid_move")


@pytest.mark.parametrize("name", ["bob", "victor"])
def test_who_does_not_administer_is_refused_everything_on_record(
    request, make, carol, client_of, name
):
    make(1)
    actor = request.getfixturevalue(name)
    address = f"{PLANS}{client_of(carol).post(PLANS, BODY).json()['id']}/"
    client = client_of(actor)

    for answer in (
        client.get(PLANS),
        client.get(address),
        client.get(f"{address}report/"),
        client.post(PLANS, BODY),
        *(client.post(f"{address}{act}/", {}) for act in ACTS),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_permission")

    refused = set(
        Event.objects.filter(actor=actor, action__startswith="revocation_plan").values_list(
            "action", flat=True
        )
    )
    assert refused == {f"revocation_plan.{act}.refuse" for act in ("create", *ACTS)}
    assert Plan.objects.get().status == "Previewed"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**BODY, "everything": True}, "everything"),
        ({**BODY, "owner": "web-shop"}, "owner"),
        ({"criteria": {"colour": "red"}}, "criteria.colour"),
        ({"criteria": {}}, "criteria"),
        ({**BODY, "replace_first": True}, "replace_by"),
        ({**BODY, "wave_size": 0}, "wave_size"),
        ({**BODY, "reason": "boredom"}, "reason"),
    ],
)
def test_what_a_plan_may_not_say_is_refused_at_its_field(make, carol, client_of, body, field):
    answer = client_of(carol).post(PLANS, body)

    assert answer.status_code == 400
    assert field in {one["field"] for one in answer.json()["errors"]}
    assert not Plan.objects.exists()


def test_a_plan_is_not_confirmed_unseen(make, carol, client_of):
    make(1)
    client = client_of(carol)
    plan = client.post(PLANS, BODY).json()

    answer = client.post(f"{PLANS}{plan['id']}/confirm/", {})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "digest")


@pytest.fixture
def client(carol, client_of):
    return client_of(carol)


odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["from", "to", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@fuzzing(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    criteria=st.dictionaries(st.sampled_from([*CRITERIA, "colour", ""]), odd, max_size=4) | odd,
    body=st.dictionaries(
        st.sampled_from(["reason", "note", "wave_size", "replace_by", "unproven", "x"]), odd
    ),
)
def test_whatever_the_criteria_are_the_answer_is_a_plan_or_a_problem(client, criteria, body):
    for path, more in ((PLANS, body), ("/api/v1/certificates/bulk-revoke/", {"dry_run": True})):
        answer = client.post(path, {"criteria": criteria, **more})

        assert answer.status_code in {200, 201, 400}, (criteria, more, answer.content)
        if answer.status_code == 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
    assert not Revocation.objects.exists()

"""Whatever is given at any door is answered below 500: each parameter, path, cursor and field."""

import json
from base64 import b64encode
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import resolve, reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import Event
from foundation.outcomes import Outcome
from foundation.texts import UnusableText, check_texts

NUL, HALF = "a\0b", "a\ud800b"
WORDS = [
    NUL,
    "",
    "-1",
    "1E999999",
    "9" * 5000,
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "00000000-0000-0000-0000-000000000000",
    "true",
    "\N{CYCLONE}'\"\\%_",
]
VALUES: list[object] = [
    NUL,
    HALF,
    *WORDS[1:],
    None,
    True,
    -1,
    10**30,
    1e300,
    [],
    {},
    [NUL],
    [HALF, None, {}],
    {NUL: HALF},
    {"kind": [[NUL]], "CN": 1},
    ["x"] * 600,
    "P1Y",
    "P9999999999D",
]
DEEP = 60
CURSORS = [
    "",
    "\N{CYCLONE}",
    "AAAA",
    *(
        b64encode(text).decode()
        for text in (b"p=x", b"p=%00", b"o=999999999&p=", b"r=x", b"p=9" * 9, b"p=" + b"9" * 5000)
    ),
]
PROFILE = {"slug": "p", "name": "P", "allowed_sans": ["dns:*"]}
WHOLE = {  # bodies that would do, so that each field is read by what stands behind the form
    "/api/v1/profiles/": PROFILE,
    "/api/v1/teams/": {"name": "t"},
    "/api/v1/owners/": {"name": "o", "email": "o@example.com"},
    "/api/v1/targets/": {"name": "t", "kind": "file", "config": {}},
    "/api/v1/principals/": {"username": "dora"},
    "/api/v1/renewal-policies/": {"name": "r"},
    "/api/v1/certificates/bulk-revoke/": {"criteria": {"owner": "nobody"}, "dry_run": True},
}


@pytest.fixture(autouse=True)
def _many_may_be_asked(settings):
    settings.API_RATE = "1000000/min"


def answered(response):
    assert response.status_code < 500, (response.request, response.content[:300])
    return response


def body_of(api, operation):
    """Return the schema of an operation's body; None where it reads none."""
    content = operation.get("requestBody", {}).get("content", {})
    ref = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    return api["components"]["schemas"].get(ref.rpartition("/")[2])


def queries(operation):
    return [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]


@pytest.mark.django_db(transaction=True)
def test_every_parameter_of_every_list_takes_anything(carol, client_of, operations, address):
    client = client_of(carol)
    for method, path, operation in operations:
        if method != "get":
            continue
        for name in queries(operation):
            for word in CURSORS if name == "cursor" else WORDS:
                answered(client.get(f"{address(path)}?{urlencode({name: word})}"))


@pytest.mark.django_db(transaction=True)
def test_every_order_is_walked_by_a_forged_cursor(carol, client_of, operations, api, rows):
    client = client_of(carol)
    for method, path, operation in operations:
        if method != "get" or "sort" not in queries(operation):
            continue
        answer = client.get(f"{path}?sort=no")
        assert answer.status_code == 400
        for name in resolve(path).func.cls.ordering_fields:
            for cursor in CURSORS:
                answered(client.get(f"{path}?sort={name}&cursor={quote(cursor)}&page_size=1"))


@pytest.mark.django_db(transaction=True)
def test_every_path_takes_any_key(carol, client_of, operations):
    client = client_of(carol)
    for method, path, _ in operations:
        if "{" not in path:
            continue
        for word in WORDS[:1] + WORDS[2:]:
            place = quote(word[:200], safe="")
            at = path.replace("{id}", place).replace("{version}", place)
            answered(client.generic(method.upper(), at, "{}", content_type="application/json"))


@pytest.mark.timeout(600)  # some three thousand requests, on a machine that may be busy
@pytest.mark.django_db(transaction=True)
def test_every_field_of_every_body_takes_anything(carol, client_of, operations, address, api):
    client = client_of(carol)
    tried = 0
    for method, path, operation in operations:
        body = body_of(api, operation)
        if method == "get" or body is None:
            continue
        for name in body.get("properties", {}):
            for value in VALUES:
                given_body = json.dumps({**WHOLE.get(path, {}), name: value})
                answered(
                    client.generic(
                        method.upper(), address(path), given_body, content_type="application/json"
                    )
                )
                tried += 1
    assert tried > 1500


@pytest.mark.django_db(transaction=True)
def test_any_json_is_read_by_every_form(carol, client_of, operations, address, api):
    client = client_of(carol)
    forms = [
        (method, address(path), sorted(body.get("properties", {})), WHOLE.get(path, {}))
        for method, path, operation in operations
        if method != "get" and (body := body_of(api, operation)) is not None
    ]
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    anything = st.recursive(
        leaves | st.sampled_from([NUL, HALF]),
        lambda more: st.lists(more, max_size=3) | st.dictionaries(st.text(), more, max_size=3),
        max_leaves=6,
    )

    @settings(
        max_examples=150,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def ask(data):
        method, path, names, whole = data.draw(st.sampled_from(forms))
        given_body = dict(whole)
        for name in data.draw(st.lists(st.sampled_from(names), max_size=3)) if names else ():
            given_body[name] = data.draw(anything)
        answered(
            client.generic(
                method.upper(), path, json.dumps(given_body), content_type="application/json"
            )
        )

    ask()


@pytest.mark.django_db(transaction=True)
def test_every_list_of_the_admin_takes_anything(carol, browse, rows):
    client = browse(carol)
    for model, page in admin.site._registry.items():
        info = (model._meta.app_label, model._meta.model_name)
        at = reverse("admin:{}_{}_changelist".format(*info))
        request = RequestFactory().get(at)
        request.user = carol
        for name in [*page._lookups(request), "q", "o", "p", "e", "_facets", "all", "_to_field"]:
            for word in (NUL, "x", "9" * 40, "-1"):
                answered(client.get(f"{at}?{urlencode({name: word})}"))
        answered(client.get(f"{at}{quote(NUL)}/change/"))
        answered(client.post(at, {"action": "delete_selected", "_selected_action": NUL}))


def test_a_nul_is_400_and_in_the_trail_by_whatever_part_of_a_request(carol, client_of, browse):
    client, pages = client_of(carol), browse(carol)

    answers = [
        client.get("/api/v1/certificates/?name=a%00b"),
        client.get("/api/v1/certificates/a%00b/"),
        client.post("/api/v1/teams/", {"name": NUL}, format="json"),
        client.post("/api/v1/teams/", '{"name": "a\\ud800"}', content_type="application/json"),
        pages.get("/admin/owners/team/?q=a%00b"),
        pages.post("/admin/owners/team/add/", {"name": NUL}),
    ]

    assert [answer.status_code for answer in answers] == [400] * 6
    refusals = Event.objects.filter(action__endswith=".refuse", actor=carol)
    assert sorted(refusals.values_list("action", flat=True)) == [
        "records.view.refuse",
        "records.view.refuse",
        "records.view.refuse",
        "team.create.refuse",
        "team.create.refuse",
        "team.create.refuse",
    ]


def test_a_cookie_or_header_with_a_nul_is_looked_up_by_nobody(anonymous, client):
    client.cookies.load({"sessionid": "x"})
    escaped = client.get("/admin/", headers={"cookie": 'sessionid="a\\000b"'})
    plain = anonymous.get("/api/v1/me/", HTTP_AUTHORIZATION="Bearer a\0b")

    for answer in (escaped, plain):
        assert (answer.status_code, answer.json()["code"]) == (400, "unusable_text")


def test_the_places_of_unusable_text_are_named_however_deep():
    deep = NUL
    for _ in range(DEEP * 100):
        deep = [deep]

    with pytest.raises(UnusableText) as refusal:
        check_texts({"a": {"b": [HALF]}, "c": deep, "d": "fine"})

    assert {error["field"] for error in refusal.value.errors} == {"a.b", "c"}


def test_words_that_repeat_the_input_can_always_be_sent():
    outcome = Outcome(400, "invalid", f"{HALF} is nothing.", [{"detail": NUL}])

    assert json.dumps([outcome.detail, outcome.errors], ensure_ascii=False).encode()
    assert "\0" not in outcome.errors[0]["detail"]

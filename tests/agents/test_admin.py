"""Agents in the admin: carol makes tokens and retires, alice and victor look."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Token
from audit.models import Event
from deployments.models import Agent, Target
from tests.agents.conftest import Host
from tests.jobs.conftest import NAME

AGENTS = "/admin/deployments/agent/"
TOKENS = "/admin/agents/token/"


def text(answer):
    return answer.content.decode()


def test_carol_makes_a_token_that_her_page_shows_once(carol, browse):
    browser = browse(carol)

    made = browser.post(f"{TOKENS}add/", {"name": "edge-1", "networks": "192.0.2.0/24"})

    assert made.status_code == 200
    assert "no-store" in made.headers["Cache-Control"]
    token = made.context["made"].text
    assert token in text(made)
    row = Token.objects.get()
    assert (row.created_by, row.networks) == (carol, ["192.0.2.0/24"])
    later = text(browser.get(f"{TOKENS}{row.pk}/change/"))
    assert token not in later
    assert row.digest not in later
    assert Host().register(token).status_code == 200
    assert Event.objects.get(action="agent.create_token").door == "admin"


def test_a_mistake_in_a_token_is_shown_at_its_field(carol, browse):
    answer = browse(carol).post(f"{TOKENS}add/", {"name": "edge-1", "networks": "everywhere"})

    assert "Not a network" in text(answer)
    assert not Token.objects.exists()


def test_carol_withdraws_a_token(carol, browse, token_for):
    row, browser = token_for().token, browse(carol)

    browser.post(f"{TOKENS}{row.pk}/withdraw/", {"confirmed": "yes"})

    row.refresh_from_db()
    assert row.withdrawn_at is not None


@pytest.mark.parametrize("who", ["alice", "victor"])
def test_who_makes_no_tokens_sees_none_and_no_button_for_it(who, request, browse, edge):
    browser = browse(request.getfixturevalue(who))

    assert browser.get(TOKENS).status_code == 403
    assert browser.get(f"{TOKENS}add/").status_code == 403
    assert "Make a token" not in text(browser.get(AGENTS))
    page = browser.get(f"{AGENTS}{edge.agent.pk}/change/")
    assert page.status_code == 200
    assert "Retire…" not in text(page)
    refused = browser.post(
        f"{AGENTS}{edge.agent.pk}/retire/", {"confirmed": "yes", "confirm_name": edge.agent.name}
    )
    assert refused.status_code == 403
    assert Agent.objects.get().retired_at is None


def test_the_page_says_how_an_agent_is_and_what_depends_on_it(edge, alice, browse, ask, profile):
    clock = timezone.now() + timedelta(days=365)
    edge.beat(os="Debian 13", clock=clock.isoformat())
    there = Target.objects.create(name="web-1", kind="file", agent=edge.agent)
    ask(profile, NAME, csr_pem="", sans=[f"dns:{NAME}"], targets=[there])

    page = text(browse(alice).get(f"{AGENTS}{edge.agent.pk}/change/"))

    for words in ("Online", "Debian 13", "ahead of ours", "web-1", NAME, "carol"):
        assert words in page, words
    assert edge.key not in page


def test_an_agent_is_retired_by_whoever_types_its_name(edge, carol, browse):
    browser, address = browse(carol), f"{AGENTS}{edge.agent.pk}/retire/"
    Target.objects.create(name="web-1", kind="file", agent=edge.agent)

    question = text(browser.get(address))
    wrong = browser.post(address, {"confirmed": "yes", "confirm_name": "edge-2"})

    assert "1 target" in question
    assert "web-1" in question
    assert wrong.status_code == 400
    assert Agent.objects.get().retired_at is None
    browser.post(address, {"confirmed": "yes", "confirm_name": "edge-1"})
    assert Agent.objects.get().state == "Retired"
    assert Event.objects.get(action="agent.retire").door == "admin"
    assert "Retire…" not in text(browser.get(f"{AGENTS}{edge.agent.pk}/change/"))


def test_the_list_asks_as_much_for_many_as_for_one(carol, browse, django_assert_max_num_queries):
    browser = browse(carol)
    for number in range(30):
        Agent.objects.create(name=f"edge-{number:02}")

    with django_assert_max_num_queries(12):
        page = text(browser.get(AGENTS))

    assert page.count("Registered") >= 30


def test_the_page_asks_as_much_for_many_dependents_as_for_few(
    edge, carol, browse, django_assert_max_num_queries
):
    browser = browse(carol)
    for number in range(30):
        Target.objects.create(name=f"web-{number:02}", kind="file", agent=edge.agent)

    with django_assert_max_num_queries(20):
        assert browser.get(f"{AGENTS}{edge.agent.pk}/change/").status_code == 200

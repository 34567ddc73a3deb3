"""Agents and their tokens from the command line: carol administers, alice is an operator."""

import json

import pytest

from agents.models import Token
from agents.services import Host, register
from audit.via import Door, Via
from deployments.models import Agent


@pytest.fixture
def edge(shell_of, carol):
    """An agent that registered with a token that carol made at her terminal."""
    made = shell_of(carol)("agent", "token", "create", "edge-1", "-o", "name")
    assert made.exit_code == 0, made.output
    via = Via(door=Door.AGENT, remote_address="127.0.0.1")
    return register(
        token=made.stdout.strip(), key_digest="a" * 64, instance="i", host=Host(), via=via
    ).agent


def test_a_token_is_made_into_a_file_listed_and_withdrawn(shell_of, carol, tmp_path):
    shell, file = shell_of(carol), tmp_path / "web-1.token"

    made = shell("agent", "token", "create", "web-1", "--file", file, "-o", "json")
    again = shell("agent", "token", "create", "web-2", "--file", file)
    listed = json.loads(shell("agent", "token", "list", "-o", "json").stdout)
    withdrawn = shell("agent", "token", "withdraw", "web-1", "-o", "json")

    assert made.exit_code == 0, made.output
    assert "token" not in json.loads(made.stdout)
    assert file.read_text().startswith("certctl-token_")
    assert file.stat().st_mode & 0o777 == 0o600
    assert again.exit_code == 5
    assert [(row["name"], row["state"]) for row in listed] == [("web-1", "open")]
    assert json.loads(withdrawn.stdout)["state"] == "withdrawn"
    assert Token.objects.get().withdrawn_at is not None


def test_an_operator_makes_no_token_and_leaves_no_empty_file(shell_of, alice, tmp_path):
    file = tmp_path / "web-1.token"

    refused = shell_of(alice)("agent", "token", "create", "web-1", "--file", file)

    assert refused.exit_code == 3, refused.output
    assert not file.exists()
    assert not Token.objects.exists()


def test_an_agent_is_shown_with_its_dependents_and_retired_by_its_name(edge, shell_of, carol):
    shell = shell_of(carol)

    shown = shell("agent", "show", "edge-1", "-o", "json")
    dependents = shell("agent", "dependents", "edge-1")
    unasked = shell("agent", "retire", "edge-1")
    before = Agent.objects.get(pk=edge.pk).retired_at
    retired = shell("agent", "retire", "edge-1", "--yes", "-o", "json")

    assert json.loads(shown.stdout)["name"] == "edge-1"
    assert "Nothing depends on it." in dependents.stderr
    assert unasked.exit_code == 2
    assert before is None
    assert json.loads(retired.stdout)["state"] == "Retired"


def test_an_operator_looks_at_agents_and_retires_none(edge, shell_of, alice):
    shell = shell_of(alice)

    assert shell("agent", "list", "-o", "name").stdout == "edge-1\n"
    assert shell("agent", "retire", "edge-1", "--yes").exit_code == 3
    assert Agent.objects.get(pk=edge.pk).retired_at is None

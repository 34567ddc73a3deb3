"""Agents and their registration tokens in the admin."""

from agents.admin.agents import AgentAdmin
from agents.admin.tokens import TokenAdmin

__all__ = ["AgentAdmin", "TokenAdmin"]

"""The use cases of agents: registered, heard of, given work, retired."""

from agents.services.heartbeats import (
    Host,
    OtherInstance,
    check_instance,
    heartbeat,
    miss_silent_agents,
    next_heartbeat,
)
from agents.services.keys import KeyKnown, begin_using, rotate_key
from agents.services.registering import InvalidToken, Registered, register
from agents.services.retiring import Dependents, dependents_of, retire_agent
from agents.services.tokens import (
    AgentNameTaken,
    MadeToken,
    TokenUsed,
    create_token,
    withdraw_token,
)
from agents.services.work import Work, work_of

__all__ = [
    "AgentNameTaken",
    "Dependents",
    "Host",
    "InvalidToken",
    "KeyKnown",
    "MadeToken",
    "OtherInstance",
    "Registered",
    "TokenUsed",
    "Work",
    "begin_using",
    "check_instance",
    "create_token",
    "dependents_of",
    "heartbeat",
    "miss_silent_agents",
    "next_heartbeat",
    "register",
    "retire_agent",
    "rotate_key",
    "withdraw_token",
    "work_of",
]

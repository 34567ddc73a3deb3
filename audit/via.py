"""Through which door an actor came: recorded with every event, decides nothing about rights."""

from dataclasses import dataclass
from enum import StrEnum

from foundation.preconditions import Expectation


class Door(StrEnum):
    """The ways into certctl."""

    REST = "rest"
    ADMIN = "admin"
    CLI = "cli"
    MCP = "mcp"
    EST = "est"
    SCEP = "scep"
    ACME = "acme"
    AGENT = "agent"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Via:
    """How the actor of this call came in."""

    door: Door = Door.SYSTEM
    api_key: str = ""
    request_id: str = ""
    remote_address: str | None = None
    client_request_id: str = ""  # as the client or its proxy chose it; ours is the other
    client: str = ""  # a program of ours and its release, as it calls itself: a claim, no proof
    expects: Expectation | None = None  # of the row that the act is about; in no event

"""What a request was answered: kept where the same request again must get the same answer."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """HTTP status and JSON body, and whether it is an old answer."""

    status: int
    body: Any
    replayed: bool = False

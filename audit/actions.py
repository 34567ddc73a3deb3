"""The closed list of what the trail can say: the names of use cases, and of further events.

A use case puts its own name here (audit.use_cases). What happens inside one, or is nobody's act,
an app declares in its module `events`, which is loaded at the start. docs/audit.md holds the
whole list as a table: `manage.py audit_actions --into docs/audit.md` writes it.
"""

import pkgutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from django.apps import apps
from django.utils.module_loading import autodiscover_modules

REFUSE = ".refuse"
LONGEST = 64  # of the column

# What an edge refuses that is no use case: a look at what is not theirs, and a request for a
# change that no route offers.
VIEW = "records.view"
CHANGE = "records.change"


class UnknownAction(ValueError):
    """The trail has no such word: declare it first."""


@dataclass(frozen=True, slots=True)
class Action:
    """A name in the trail, what it says, and the function whose name it is if it is a use case."""

    name: str
    words: str
    function: str = ""


ACTIONS: dict[str, Action] = {}


def add(action: Action) -> None:
    """Put `action` on the list; a use case takes the place of a declaration of the same name."""
    if len(action.name + REFUSE) > LONGEST or action.name.count(".") != 1:
        raise ValueError(f"{action.name} is no name: noun.verb, {LONGEST} with its refusal.")
    known = ACTIONS.get(action.name)
    if known is None or not known.function:
        ACTIONS[action.name] = action
    elif action.function not in {"", known.function}:
        raise ValueError(f"{action.name} is already {known.function}.")


def declare(events: Mapping[str, str]) -> None:
    """Put further events on the list: {name: what it says}."""
    for name, words in events.items():
        add(Action(name, words))


def load() -> None:
    """Load every module of services: a use case is on the list once its module is loaded.

    Also those that no door imports yet.
    """
    autodiscover_modules("services", "accounts", "crl")
    for config in apps.get_app_configs():
        package = f"{config.name}.services"
        where = getattr(sys.modules.get(package), "__path__", ())
        for module in pkgutil.iter_modules(where, f"{package}."):
            import_module(module.name)


def is_known(action: str) -> bool:
    """Whether the trail has that word, or the refusal of that word."""
    return action in ACTIONS or action.removesuffix(REFUSE) in ACTIONS


def check(action: str) -> None:
    """Raise UnknownAction for a name that is not on the list."""
    if not is_known(action):
        raise UnknownAction(f"The trail knows no {action!r}: see audit.actions.")


def table() -> str:
    """Return the list as a table in Markdown, by name; use cases in bold, for they are refused."""
    rows = [
        f"| {f'**`{one.name}`**' if one.function else f'`{one.name}`'} | {one.words} |"
        for one in sorted(ACTIONS.values(), key=lambda one: one.name)
    ]
    return "\n".join(["| Action | Says |", "|---|---|", *rows])


declare(
    {
        VIEW: "Refused only: a look at what is not theirs to see.",
        CHANGE: "Refused only: a change that no route offers.",
    }
)

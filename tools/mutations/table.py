"""The table of mutations: one TOML file for each app, each mutation under its own heading.

    ["jobs.approve.not-self"]
    kind = "permission"
    symbol = "jobs.policy:check_may_approve"
    old = "if _asked(actor, job):"
    new = "if False:"
    on = "sqlite"
    test = "tests/jobs/test_decisions.py::test_the_requester_does_not_approve"

`symbol` is `module:Class.function`, a module alone, or the path of a file that is not Python. `old`
stands in it exactly once; white space may differ. A mutation that no test can notice says why not
in `equivalent`. TOML itself refuses two of one id.
"""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parent / "table"


class Kind(StrEnum):
    """What is taken out."""

    LOCK = "lock"
    FENCE = "fence"
    PERMISSION = "permission"
    TRIGGER = "trigger"
    CONSTRAINT = "constraint"
    BOUND = "bound"


class Database(StrEnum):
    """Where a mutation must die."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


class BadTable(Exception):
    """The table says something that nobody can follow."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One piece of source text to be replaced, and the tests that must notice."""

    id: str
    kind: Kind
    symbol: str
    old: str
    new: str
    databases: tuple[Database, ...]
    tests: tuple[str, ...]
    equivalent: str = ""

    @classmethod
    def read(cls, name: str, entry: dict[str, Any]) -> "Mutation":
        """Make a mutation of its heading and what stands under it; raises BadTable."""
        unknown = entry.keys() - {"kind", "symbol", "old", "new", "on", "test", "equivalent"}
        if unknown:
            raise BadTable(f"{name}: nobody knows {', '.join(sorted(unknown))}")
        try:
            on, test = entry["on"], entry["test"]
            return cls(
                id=name,
                kind=Kind(entry["kind"]),
                symbol=entry["symbol"],
                old=entry["old"],
                new=entry["new"],
                databases=tuple(Database) if on == "both" else (Database(on),),
                tests=(test,) if isinstance(test, str) else tuple(test),
                equivalent=entry.get("equivalent", ""),
            )
        except (KeyError, ValueError) as error:
            raise BadTable(f"{name}: {error}") from None


def load(folder: Path = TABLE) -> list[Mutation]:
    """Read the whole table, file by file, in its own order; raises BadTable."""
    mutations: dict[str, Mutation] = {}
    for file in sorted(folder.glob("*.toml")):
        try:
            entries = tomllib.loads(file.read_text("utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise BadTable(f"{file.name}: {error}") from None
        for name, entry in entries.items():
            if name in mutations:
                raise BadTable(f"{file.name}: {name} stands in another file too")
            mutations[name] = Mutation.read(name, entry)
    return list(mutations.values())


def choose(mutations: list[Mutation], patterns: list[str]) -> list[Mutation]:
    """Keep those whose id matches one of the shell patterns; all of them without any."""
    return [m for m in mutations if not patterns or any(fnmatchcase(m.id, p) for p in patterns)]

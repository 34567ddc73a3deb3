"""Draw mutations at random from all apps, and say which no test notices.

    python -m tools.mutations.draw --seed 6 --count 100

The table holds what somebody thought of; this finds what nobody did. A change is made in a copy of
the tree, and the tests that enter its function are run, those of its app and the shortest first.
What survives is either equivalent or wants a test. Exit status 1: something survived.
"""

import argparse
import json
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers import NoServer
from tools.mutations.chances import Chance, chances
from tools.mutations.nursery import KILLED
from tools.mutations.runner import FAILED, PASSED, Slot, slots
from tools.mutations.source import sources
from tools.mutations.table import Database

ROOT = Path(__file__).resolve().parent.parent.parent
ENOUGH = 60.0  # seconds of tests for one change
LEARNING = 3600  # seconds within which all tests are through
TRYING = 180  # seconds within which those of one change are; what hangs is noticed

Reach = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One change to one file."""

    path: str
    source: str
    chance: Chance

    def __str__(self) -> str:
        raw = self.source.encode()[self.chance.begin : self.chance.end].decode()
        before, after = (" ".join(text.split()) for text in (raw, self.chance.new))
        return f"{self.path}:{self.chance.line} {self.chance.kind}: {before}  ->  {after}"


def draw(root: Path, *, seed: int, count: int) -> list[Drawn]:
    """Draw `count` changes: of each app as many, and of each kind as likely."""
    apps: defaultdict[str, defaultdict[str, list[Drawn]]] = defaultdict(lambda: defaultdict(list))
    for module, path, source in sources(root):
        if "migrations" not in path.parts:
            name = path.relative_to(root).as_posix()
            for chance in chances(source):
                apps[module.partition(".")[0]][chance.kind].append(Drawn(name, source, chance))
    chooser = random.Random(seed)  # noqa: S311 - the same seed is to give the same changes
    drawn: list[Drawn] = []
    while len(drawn) < count and any(some for kinds in apps.values() for some in kinds.values()):
        for kinds in apps.values():
            left = [kind for kind, some in kinds.items() if some]
            if left and len(drawn) < count:
                some = kinds[chooser.choice(left)]
                drawn.append(some.pop(chooser.randrange(len(some))))
    return drawn


def learn(slot: Slot, database: Database, tests: Sequence[str]) -> Reach:
    """Run tests, but the longest, once, and return which enter which function."""
    with_reach = slot.environments[database] | {"CERTCTL_REACH": str(slot.root.parent / "reach")}
    slot.environments[database] = with_reach
    arguments = ["-p", "tools.mutations.reach", "-m", "not takes", "--tb=short", *tests]
    status, output = slot.pytest(database, arguments, timeout=LEARNING)
    if status != PASSED:
        raise NoServer(f"without any change:\n{output[-4000:]}")
    reach: Reach = json.loads(Path(with_reach["CERTCTL_REACH"]).read_text("utf-8"))
    return reach


def tests_of(drawn: Drawn, reach: Reach) -> list[str]:
    """Return the tests that enter the function, its app's and the shortest first, up to a bound.

    Where none is known: all of the app.
    """
    folder = f"tests/{drawn.path.partition('/')[0]}/"
    known = reach.get(f"{drawn.path}:{drawn.chance.function}", {})
    chosen: list[str] = []
    spent = 0.0
    for test in sorted(known, key=lambda test: (not test.startswith(folder), known[test])):
        if chosen and spent + known[test] > ENOUGH:
            break
        chosen.append(test)
        spent += known[test]
    return chosen or [folder]


def try_out(slot: Slot, database: Database, drawn: Drawn, tests: list[str]) -> str:
    """Make the change, run the tests, undo it; return how it fared."""
    path = slot.root / drawn.path
    path.write_text(drawn.chance.made(drawn.source), "utf-8")
    try:
        arguments = ["-x", "--tb=line", "-m", "not takes", *tests]
        status, output = slot.pytest(database, arguments, timeout=TRYING)
    finally:
        path.write_text(drawn.source, "utf-8")
    if status == PASSED:
        return "SURVIVED"
    if status == KILLED:
        return "hangs"
    # A module that no longer loads is noticed too.
    return "killed" if status == FAILED or "error" in output.lower() else f"UNKNOWN {status}"


def results(slot: Slot, database: Database, some: list[Drawn], reach: Reach) -> Iterator[str]:
    """Try every change; print one line on each and yield how it fared."""
    for drawn in some:
        began, tests = time.monotonic(), tests_of(drawn, reach)
        fared = try_out(slot, database, drawn, tests)
        seconds = time.monotonic() - began
        print(f"{fared:9} {drawn} ({len(tests)} tests, {seconds:.0f} s)", flush=True)
        yield fared


def stop(number: int, frame: object) -> None:
    """Leave by way of every `finally`, so that servers end and copies go."""
    raise SystemExit(128 + number)


def main() -> int:
    """Draw, try, and say what survived."""
    parser = argparse.ArgumentParser(prog="tools.mutations.draw", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--on", type=Database, choices=list(Database), default=Database.SQLITE)
    parser.add_argument("--reach", type=Path, help="where it is kept which tests enter what")
    parser.add_argument("--tests", nargs="+", default=["tests"], help="from which that is learnt")
    parser.add_argument("--skip", type=int, default=0, help="so many of what is drawn")
    parser.add_argument("--only", nargs="+", default=[""], metavar="PATH", help="as paths begin")
    parser.add_argument("--list", action="store_true", help="what is drawn, and run nothing")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    some = draw(ROOT, seed=options.seed, count=options.count)
    some = [drawn for drawn in some[options.skip :] if drawn.path.startswith(tuple(options.only))]
    if options.list:
        print(*some, sep="\n")
        return 0
    try:
        with slots(ROOT, on={options.on}, tests=["tests"], count=1) as [slot]:
            if options.reach and options.reach.is_file():
                reach = json.loads(options.reach.read_text("utf-8"))
            else:
                reach = learn(slot, options.on, options.tests)
            if options.reach:
                options.reach.write_text(json.dumps(reach), "utf-8")
            counts = Counter(results(slot, options.on, some, reach))
    except NoServer as error:
        print(error, file=sys.stderr)
        return 2
    print(", ".join(f"{count} {fared}" for fared, count in counts.items()))
    return 1 if counts["SURVIVED"] else 0


if __name__ == "__main__":
    sys.exit(main())

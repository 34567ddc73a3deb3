"""Run the tests of a mutation against a copy of the tree in which only that mutation is made."""

import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.servers import NoServer, postgres, redis
from tools.mutations import databases
from tools.mutations.nursery import KILLED
from tools.mutations.source import Stale, change, check_tests
from tools.mutations.table import Database, Mutation

TEST_TIMEOUT = 60  # seconds for one test; a lock taken out may well leave one waiting
RUN_TIMEOUT = 300  # seconds for the tests of one mutation, after which they are ended
BASELINE_TIMEOUT = 3600  # seconds for all tests of the table, on each database
# Shared with the tree that is copied, since nothing there is changed.
LINKED = (".venv", "var")
PASSED, FAILED = 0, 1  # pytest's exit statuses
QUIET = (
    "-q",
    "-n",
    "0",
    "-p",
    "no:cacheprovider",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)


class Outcome(Enum):
    """How a mutation fared; the values are what is printed."""

    KILLED = "killed"
    SURVIVED = "SURVIVED"
    DOCUMENTED = "survived, as documented"
    STALE = "STALE"


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one mutation, with the failure that killed it or what is wrong."""

    mutation: Mutation
    outcome: Outcome
    why: str
    seconds: float


class Slot:
    """A copy of the tree in which one mutation at a time is made and its tests are run."""

    def __init__(self, root: Path, environments: dict[Database, dict[str, str]]) -> None:
        self.root = root
        self.environments = environments
        self.templates: dict[Database, str] = {}
        self._nursery: subprocess.Popen[str] | None = None

    def open(self, tests: Sequence[str]) -> None:
        """Start the nursery, from which runs of these tests will be copied."""
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tools.mutations.nursery", *tests],
            cwd=self.root,
            env=self.environments[Database.SQLITE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us
        )
        self._said()

    def close(self) -> None:
        """End the nursery, and the tests that it runs just now."""
        if self._nursery is not None:
            with self._nursery:
                self._nursery.terminate()

    def pytest(
        self,
        database: Database,
        arguments: Sequence[str],
        *,
        migrate: bool = False,
        timeout: float = RUN_TIMEOUT,
    ) -> tuple[int, str]:
        """Run pytest on a fresh database; return its exit status and what it printed.

        With `migrate` the database is made by the migrations as they stand in this copy.
        """
        assert self._nursery is not None  # noqa: S101 - open() comes first
        assert self._nursery.stdin is not None  # noqa: S101 - stdin=PIPE
        with tempfile.TemporaryDirectory(prefix="run-", dir=self.root.parent) as folder:
            environment = self.environments[database] | {"CERTCTL_TEST_DIR": folder}
            reuse = [] if migrate else ["--reuse-db"]
            if not migrate:
                databases.copy(self.templates[database], database, environment)
            order = {
                "arguments": [*QUIET, *reuse, *arguments],
                "environment": environment,
                "output": f"{folder}/output",
                "timeout": timeout,
            }
            self._nursery.stdin.write(json.dumps(order) + "\n")
            self._nursery.stdin.flush()
            status = int(self._said())
            return status, Path(folder, "output").read_text("utf-8", errors="replace")

    def _said(self) -> str:
        assert self._nursery is not None  # noqa: S101
        assert self._nursery.stdout is not None  # noqa: S101 - stdout=PIPE
        line = self._nursery.stdout.readline()
        if not line:
            raise NoServer("The process that runs the tests has ended.")
        return line


def copy_tree(source: Path, destination: Path) -> None:
    """Copy what git knows or would add, and link what is only read."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=source,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        original = source / name
        if original.is_file() and name not in LINKED:
            (destination / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(original, destination / name)
    for name in LINKED:
        if (source / name).exists():
            (destination / name).symlink_to((source / name).resolve())
    # Found stale by their contents rather than by size and second, for we edit within one second.
    subprocess.run(
        [
            *(sys.executable, "-m", "compileall", "-q", "-x", r"/(\.venv|var)/"),
            *("--invalidation-mode", "checked-hash", "."),
        ],
        cwd=destination,
        check=True,
    )


@contextmanager
def slots(
    source: Path, *, on: Collection[Database], tests: Sequence[str], count: int
) -> Iterator[list[Slot]]:
    """Copy the tree `count` times and start the servers for `on`, until the block ends.

    Runs of `tests` begin faster than those of others.
    """
    plain = {k: v for k, v in os.environ.items() if not k.startswith("CERTCTL_TEST_")}
    plain["PYTHONDONTWRITEBYTECODE"] = "1"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="certctl-mutants-")))
        folder.chmod(0o755)  # the tests start servers under other accounts from here
        server = stack.enter_context(postgres()) if Database.POSTGRES in on else ""
        made: list[Slot] = []
        for number in range(count):
            root = folder / f"slot{number}" / "tree"
            root.mkdir(parents=True)
            copy_tree(source, root)
            environment = {**plain, "CERTCTL_TEST_REDIS_URL": stack.enter_context(redis())}
            slot = Slot(root, {Database.SQLITE: environment})
            if server:
                url = databases.create(server, f"slot{number}")
                environment = {**environment, "CERTCTL_TEST_DATABASE_URL": url}
                slot.environments[Database.POSTGRES] = environment
            slot.templates = (
                made[0].templates if made else databases.templates(slot.root, slot.environments)
            )
            made.append(slot)
        with ThreadPoolExecutor(max_workers=count) as pool:
            list(pool.map(lambda slot: slot.open(tests), made))
        for slot in made:
            stack.callback(slot.close)
        yield made


def baseline(every: Sequence[Slot], mutations: Sequence[Mutation]) -> str:
    """Run all named tests on the tree as it is; return what fails, or nothing."""
    parts: list[tuple[Slot, Database, list[str]]] = []
    for database in Database:
        tests = sorted({t for m in mutations if database in m.databases for t in m.tests})
        parts += [(slot, database, tests[n :: len(every)]) for n, slot in enumerate(every)]

    def run_part(slot: Slot, database: Database, tests: list[str]) -> str:
        if not tests:
            return ""
        status, output = slot.pytest(database, ["--tb=short", *tests], timeout=BASELINE_TIMEOUT)
        return "" if status == PASSED else f"without any mutation, on {database}:\n{output}"

    with ThreadPoolExecutor(max_workers=len(every)) as pool:
        # One after the other within a slot: each has one tree and one database.
        ours = [[part for part in parts if part[0] is slot] for slot in every]
        done = pool.map(lambda some: [run_part(*part) for part in some], ours)
        return "\n".join(words for some in done for words in some if words)


def try_out(slot: Slot, mutation: Mutation) -> Result:
    """Make the mutation in the slot's tree, run its tests where it must die, and undo it."""
    began = time.monotonic()
    try:
        check_tests(slot.root, mutation)
        edit = change(slot.root, mutation)
        edit.path.write_text(edit.after, "utf-8")
        try:
            outcome, why = _outcome(slot, mutation)
        finally:
            edit.path.write_text(edit.before, "utf-8")
    except Stale as error:
        outcome, why = Outcome.STALE, str(error)
    return Result(mutation, outcome, why, time.monotonic() - began)


def _outcome(slot: Slot, mutation: Mutation) -> tuple[Outcome, str]:
    reasons = []
    arguments = ["-x", "--tb=line", f"--timeout={TEST_TIMEOUT}", *mutation.tests]
    migrate = ".migrations." in mutation.symbol
    for database in mutation.databases:
        status, output = slot.pytest(database, arguments, migrate=migrate)
        if status == KILLED:
            reasons.append(f"ended after {RUN_TIMEOUT} s")
            continue
        if status == PASSED:
            if mutation.equivalent:
                return Outcome.DOCUMENTED, mutation.equivalent
            return Outcome.SURVIVED, f"{', '.join(mutation.tests)} on {database}"
        # An error before the test, such as a migration that no longer runs, shows nothing.
        if status != FAILED or not re.search(r"\d+ failed", output):
            raise Stale(f"the tests do not run on {database}:\n{output[-1000:]}")
        reasons.append(_reason(output))
    if mutation.equivalent:
        raise Stale("it dies: take out `equivalent`")
    return Outcome.KILLED, "; ".join(dict.fromkeys(reasons))


def _reason(output: str) -> str:
    """Return the line that says why a test failed."""
    lines = [line.strip() for line in output.splitlines()]
    told = [line for line in lines if re.match(r"(E\s|/.+:\d+: |FAILED|ERROR|ended after)", line)]
    return told[0][:200] if told else ""


def run(every: Sequence[Slot], mutations: Sequence[Mutation]) -> Iterator[Result]:
    """Try all mutations, as many at once as there are slots; yield results as they come."""
    idle: queue.SimpleQueue[Slot] = queue.SimpleQueue()
    for slot in every:
        idle.put(slot)

    def one(mutation: Mutation) -> Result:
        slot = idle.get()
        try:
            return try_out(slot, mutation)
        finally:
            idle.put(slot)

    with ThreadPoolExecutor(max_workers=len(every)) as pool:
        try:
            for done in as_completed([pool.submit(one, mutation) for mutation in mutations]):
                yield done.result()
        except BaseException:
            # Stopped: nobody waits for tests that are under way.
            pool.shutdown(wait=False, cancel_futures=True)
            for slot in every:
                slot.close()
            raise

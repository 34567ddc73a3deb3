"""Run the tests of a mutation against a copy of the tree in which only that mutation is made."""

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import psycopg

from tests.servers import postgres, redis
from tools.mutations.source import Stale, change, check_tests
from tools.mutations.table import Database, Mutation

TEST_TIMEOUT = 60  # seconds for one test; a lock taken out may well leave one waiting
RUN_TIMEOUT = 300  # seconds for one run of pytest, after which it is ended from outside
# Shared with the tree that is copied, since nothing there is changed.
LINKED = (".venv", "var")
PASSED, FAILED = 0, 1  # pytest's exit statuses


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


@dataclass(slots=True)
class Slot:
    """A copy of the tree, and the environment of the tests that run in it, by database."""

    root: Path
    environments: dict[Database, dict[str, str]] = field(default_factory=dict)

    def pytest(self, database: Database, arguments: Sequence[str]) -> tuple[int, str]:
        """Run pytest here; return its exit status and what it printed."""
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments],
            cwd=self.root,
            env=self.environments[database],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=RUN_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return FAILED, f"{output}\nended after {RUN_TIMEOUT} s"
        return process.returncode, output


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
def slots(source: Path, *, count: int, databases: set[Database]) -> Iterator[list[Slot]]:
    """Copy the tree `count` times and start the servers, until the block ends."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith("CERTCTL_TEST_")}
    plain["PYTHONDONTWRITEBYTECODE"] = "1"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="certctl-mutants-")))
        folder.chmod(0o755)  # the tests start servers under other accounts from here
        server = stack.enter_context(postgres()) if Database.POSTGRES in databases else ""
        made = []
        for number in range(count):
            root = folder / f"slot{number}"
            root.mkdir()
            copy_tree(source, root)
            slot = Slot(root)
            environment = {**plain, "CERTCTL_TEST_REDIS_URL": stack.enter_context(redis())}
            slot.environments[Database.SQLITE] = environment
            if server:
                with psycopg.connect(server, autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE slot{number}")
                url = f"{server.rpartition('/')[0]}/slot{number}"
                environment = {**environment, "CERTCTL_TEST_DATABASE_URL": url}
                slot.environments[Database.POSTGRES] = environment
            made.append(slot)
        yield made


def baseline(slot: Slot, mutations: Sequence[Mutation], database: Database, *, jobs: int) -> str:
    """Run all named tests of a database on the tree as it is; return what fails, or nothing."""
    tests = {t: None for m in mutations if database in m.databases for t in m.tests}
    if not tests:
        return ""
    arguments = ["-n", str(jobs), "--tb=short", *tests]
    status, output = slot.pytest(database, arguments)
    return "" if status == PASSED else f"without any mutation, on {database}:\n{output}"


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
    arguments = ["-n", "0", "-x", "--tb=line", f"--timeout={TEST_TIMEOUT}", *mutation.tests]
    for database in mutation.databases:
        status, output = slot.pytest(database, arguments)
        if status == PASSED:
            if mutation.equivalent:
                return Outcome.DOCUMENTED, mutation.equivalent
            return Outcome.SURVIVED, f"{', '.join(mutation.tests)} on {database}"
        # An error before the test, such as a migration that no longer runs, shows nothing.
        if status != FAILED or not re.search(r"\d+ failed|ended after", output):
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
    results: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()

    def one(mutation: Mutation) -> None:
        slot = idle.get()
        try:
            results.put(try_out(slot, mutation))
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for it
            results.put(error)
        finally:
            idle.put(slot)

    with ThreadPoolExecutor(max_workers=len(every)) as pool:
        for mutation in mutations:
            pool.submit(one, mutation)
        try:
            for _ in mutations:
                result = results.get()
                if isinstance(result, BaseException):
                    raise result
                yield result
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

"""Take each lock, fence, permission, trigger, constraint and bound out, and see a test die of it.

    python -m tools.mutations --only 'jobs.*' --jobs 2

Works on copies of the tree. Exit status 0: all killed, or survived as the table documents.
"""

import argparse
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from tests.servers import NoServer
from tools.mutations.relocate import relocate
from tools.mutations.runner import Outcome, Result, baseline, run, slots
from tools.mutations.table import TABLE, Database, choose, load

ROOT = Path(__file__).resolve().parent.parent.parent


def show(result: Result, *, verbose: bool) -> None:
    """Print one line on a mutation, and why where that is of interest."""
    print(f"{result.outcome.value:9} {result.mutation.id} ({result.seconds:.0f} s)", flush=True)
    if verbose or result.outcome is not Outcome.KILLED:
        print(f"          {result.why}", flush=True)


def stop(number: int, frame: object) -> None:
    """Leave by way of every `finally`, so that servers end and copies go."""
    raise SystemExit(128 + number)


def main() -> int:
    """Run what was asked for and say how each mutation ended."""
    parser = argparse.ArgumentParser(prog="tools.mutations", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help="of ids")
    parser.add_argument("--on", choices=[d.value for d in Database], help="this database alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at once")
    parser.add_argument("--list", action="store_true", help="the ids, and run nothing")
    parser.add_argument("--relocate", action="store_true", help="name anew what moved; run nothing")
    parser.add_argument("--no-baseline", action="store_true", help="trust the tests to pass")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what killed each")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    mutations = choose(load(), options.only)
    if options.on:
        mutations = [m for m in mutations if m.databases == (Database(options.on),)]
    if options.list:
        for mutation in mutations:
            print(f"{mutation.kind:10} {'+'.join(mutation.databases):15} {mutation.id}")
        return 0
    if options.relocate:
        for line in relocate(ROOT, TABLE, mutations):
            print(line)
        return 0
    if not mutations:
        print("no mutation has such an id", file=sys.stderr)
        return 2
    began, counts = time.monotonic(), Counter[Outcome]()
    count = max(1, min(options.jobs, len(mutations)))
    try:
        on = {database for mutation in mutations for database in mutation.databases}
        tests = list(dict.fromkeys(test for mutation in mutations for test in mutation.tests))
        with slots(ROOT, on=on, tests=tests, count=count) as every:
            failed = "" if options.no_baseline else baseline(every, mutations)
            if failed:
                print(failed, file=sys.stderr)
                return 2
            for result in run(every, mutations):
                show(result, verbose=options.verbose)
                counts[result.outcome] += 1
    except NoServer as error:
        print(error, file=sys.stderr)
        return 2
    survived = counts[Outcome.SURVIVED] + counts[Outcome.DOCUMENTED]
    print(
        f"{counts[Outcome.KILLED]} killed, {survived} survived"
        f" ({counts[Outcome.DOCUMENTED]} documented), {counts[Outcome.STALE]} stale"
        f" in {time.monotonic() - began:.0f} s"
    )
    return 1 if counts[Outcome.SURVIVED] + counts[Outcome.STALE] else 0


if __name__ == "__main__":
    sys.exit(main())

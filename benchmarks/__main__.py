"""Measure the hot paths: `make bench`, or `python -m benchmarks --database sqlite --rounds 3`.

Prints medians over the rounds of the 50th, 95th and 99th percentile, and ratios to what was
measured in the same run: absolute figures do not repeat from one machine to the next.
"""

import argparse
import signal
import sys
from collections.abc import Iterator

from certctl.demo.programs import NoProgram
from tests.servers import NoServer
from tools.run_tests import stop
from tools.served import Served, served


def main() -> int:
    """Measure what was asked for and print it."""
    options = _options()
    signal.signal(signal.SIGTERM, stop)
    is_among_many = options.only_search or options.only_lists
    # A worker would begin to renew what ends soon.
    web, worker = (1, False) if is_among_many else (options.web_workers, True)
    try:
        with served(options.database, workers=web, worker=worker) as installation:
            # What is measured has models, which the installation's settings make.
            from benchmarks import machine

            print(machine.describe(), flush=True)
            print(f"{options.rounds} rounds, {web} web processes", flush=True)
            for line in _measured(installation, options):
                print(line, flush=True)
            print(f"load after: {machine.load()}")
    except (NoProgram, NoServer) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--database", choices=("postgres", "sqlite"), default="postgres")
    add("--rounds", type=int, default=5)
    add("--devices", type=int, default=100, help="new devices in each round")
    add("--parallel", type=int, default=10, help="devices that ask at once")
    add("--web-workers", type=int, default=2, help="processes of the web server")
    add("--revocations", type=int, default=10_000, help="of a plan; 0: none")
    add("--only-revocations", action="store_true", help="bulk revocation, no more")
    add("--only-ocsp", action="store_true", help="OCSP, no more")
    add("--only-search", action="store_true", help="the admin's search, no more")
    add("--only-lists", action="store_true", help="lists, no more")
    add("--certificates", type=int, default=100_000, help="that search and lists are among")
    add("--only-cases", default="", help="lists whose name holds this")
    add("--only-crl", action="store_true", help="CRLs, no more")
    add("--crl-entries", type=int, nargs="*", default=[10_000, 100_000], help="sizes, rising")
    return parser.parse_args()


def _measured(installation: Served, options: argparse.Namespace) -> Iterator[str]:
    """Measure what was asked for; give the lines of its tables."""
    from benchmarks import crl, many, ocsp

    if options.only_search or options.only_lists:
        yield from many.measure(
            installation,
            certificates=options.certificates,
            rounds=options.rounds,
            search=options.only_search,
            lists_=options.only_lists,
            only=options.only_cases,
        )
        return
    is_all = not (options.only_ocsp or options.only_crl or options.only_revocations)
    if is_all:
        yield from _enrolling(installation, options)
    if is_all or options.only_ocsp:
        yield from ocsp.measure(installation, rounds=options.rounds)
    if options.revocations and (is_all or options.only_revocations):
        yield from _revoking(installation, options)
    if is_all or options.only_crl:
        yield from crl.measure(installation, rounds=options.rounds, sizes=options.crl_entries)


def _enrolling(installation: Served, options: argparse.Namespace) -> Iterator[str]:
    from benchmarks import enrollment, scep
    from benchmarks.measure import HEAD

    said = {"devices": options.devices, "parallel": options.parallel, "rounds": options.rounds}
    yield f"{options.devices} devices a round, {options.parallel} at once, through nginx with TLS"
    series = enrollment.measure(installation, **said)
    yield from (HEAD, *(one.line() for one in series), *enrollment.verdict(series))
    yield from (HEAD, *(one.line() for one in scep.measure(installation, **said)))


def _revoking(installation: Served, options: argparse.Namespace) -> list[str]:
    from benchmarks import revocation

    return revocation.measure(
        port=installation.port, revocations=options.revocations, rounds=min(options.rounds, 3)
    )


if __name__ == "__main__":
    sys.exit(main())

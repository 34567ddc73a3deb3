"""Measure the hot paths: `make bench`, or `python -m benchmarks --database sqlite --rounds 3`.

Prints medians over the rounds of the 50th, 95th and 99th percentile, and ratios to what was
measured in the same run: absolute figures do not repeat from one machine to the next.
"""

import argparse
import signal
import sys

from certctl.demo.programs import NoProgram
from tests.servers import NoServer
from tools.run_tests import stop
from tools.served import served


def main() -> int:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("postgres", "sqlite"), default="postgres")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--devices", type=int, default=100, help="new devices in each round")
    parser.add_argument("--parallel", type=int, default=10, help="devices that ask at once")
    parser.add_argument("--web-workers", type=int, default=2, help="processes of the web server")
    parser.add_argument("--revocations", type=int, default=10_000, help="of a plan; 0: none")
    parser.add_argument("--only-ocsp", action="store_true", help="leave out enrolling")
    parser.add_argument("--only-search", action="store_true", help="the admin's search, no more")
    parser.add_argument("--only-lists", action="store_true", help="lists, no more")
    parser.add_argument(
        "--certificates", type=int, default=100_000, help="that search and lists are among"
    )
    parser.add_argument("--only-cases", default="", help="lists whose name holds this")
    parser.add_argument("--only-crl", action="store_true", help="leave out all but CRLs")
    parser.add_argument(
        "--crl-entries",
        type=int,
        nargs="*",
        default=[10_000, 100_000],
        help="sizes of CRLs, rising",
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    among_many = options.only_search or options.only_lists
    # A worker would begin to renew what ends soon.
    web, worker = (1, False) if among_many else (options.web_workers, True)
    try:
        with served(options.database, workers=web, worker=worker) as installation:
            # What they measure has models, which the installation's settings make.
            from benchmarks import crl, enrollment, machine, ocsp, revocation, scep
            from benchmarks.measure import HEAD

            print(machine.describe(), flush=True)
            if among_many:
                from benchmarks import many

                for line in many.measure(
                    installation,
                    certificates=options.certificates,
                    rounds=options.rounds,
                    search=options.only_search,
                    lists_=options.only_lists,
                    only=options.only_cases,
                ):
                    print(line, flush=True)
                print(f"load after: {machine.load()}")
                return 0
            print(
                f"{options.rounds} rounds of {options.devices} devices, {options.parallel} at once,"
                f" {options.web_workers} web processes, through nginx with TLS",
                flush=True,
            )
            if options.only_ocsp:
                print(*ocsp.measure(installation, rounds=options.rounds), sep="\n")
                return 0
            if options.only_crl:
                for line in crl.measure(
                    installation, rounds=options.rounds, sizes=options.crl_entries
                ):
                    print(line, flush=True)
                print(f"load after: {machine.load()}")
                return 0
            series = enrollment.measure(
                installation,
                rounds=options.rounds,
                devices=options.devices,
                parallel=options.parallel,
            )
            print(HEAD, *(one.line() for one in series), *enrollment.verdict(series), sep="\n")
            by_scep = scep.measure(
                installation,
                rounds=options.rounds,
                devices=options.devices,
                parallel=options.parallel,
            )
            print(HEAD, *(one.line() for one in by_scep), sep="\n")
            print(*ocsp.measure(installation, rounds=options.rounds), sep="\n")
            if options.revocations:
                lines = revocation.measure(revocations=options.revocations, rounds=3)
                print(*lines, sep="\n")
            for line in crl.measure(installation, rounds=options.rounds, sizes=options.crl_entries):
                print(line, flush=True)
            print(f"load after: {machine.load()}")
    except (NoProgram, NoServer) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

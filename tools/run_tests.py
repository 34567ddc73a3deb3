"""Run the test suite on SQLite, on PostgreSQL, or on one after the other.

    python -m tools.run_tests sqlite postgres -- -k approval

What stands behind `--` goes to pytest. The servers are started once here, not once in each of
xdist's workers, and end with us. Every half runs even if the one before it failed.
"""

import argparse
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from certctl.demo.programs import NoProgram, bring_openssl
from tests.servers import NoServer, postgres, redis
from tools.browser import NoBrowser, bring

ROOT = Path(__file__).resolve().parent.parent
INTERRUPTED = 130  # what a shell calls a program that Ctrl-C ended


def ensure_openssl() -> None:
    """Bring openssl where root on Debian may; else say what to do."""
    try:
        bring_openssl()
    except NoProgram as error:
        print(f"tests: {error}", file=sys.stderr, flush=True)  # its tests will fail and say so


def ensure_browser() -> None:
    """Bring the browser before the workers would all look for it; they inherit where it is."""
    try:
        os.environ["CERTCTL_CHROMIUM"] = str(bring())
    except NoBrowser as error:
        print(f"tests: {error}", file=sys.stderr, flush=True)  # its tests will fail and say so


def run_half(half: str, arguments: list[str]) -> int:
    """Run pytest against one database; give its exit status."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CERTCTL_TEST_")}
    environment["PYTHONUNBUFFERED"] = "1"
    workers = [] if any(a.startswith(("-n", "--numprocesses")) for a in arguments) else ["-n"]
    workers += [str(os.cpu_count() or 1)] if workers else []
    # Two at a time, or the first worker would be given all of the longest (tests/order.py).
    workers += ["--maxschedchunk", "2"]
    with ExitStack() as servers:
        environment["CERTCTL_TEST_REDIS_URL"] = servers.enter_context(redis())
        if half == "postgres":
            environment["CERTCTL_TEST_DATABASE_URL"] = servers.enter_context(postgres())
        print(f"\n=== Tests on {half} ===", flush=True)
        command = [sys.executable, "-m", "pytest", *workers, *arguments]
        pytest = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            return pytest.wait()
        except KeyboardInterrupt:
            pytest.wait()  # the terminal's Ctrl-C reached it too: let it tidy up
            raise
        except SystemExit:
            pytest.send_signal(signal.SIGINT)  # SIGTERM reached only us
            pytest.wait()
            raise


def stop(number: int, frame: object) -> None:
    """Leave by way of every `finally`, so that the servers end."""
    raise SystemExit(128 + number)


def main() -> int:
    """Run the halves and say how each ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("halves", nargs="+", choices=("sqlite", "postgres"))
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    theirs = sys.argv[split + 1 :]
    halves: list[str] = parser.parse_args(sys.argv[1:split]).halves
    signal.signal(signal.SIGTERM, stop)
    ensure_openssl()
    ensure_browser()
    ended = {}
    for half in halves:
        try:
            ended[half] = run_half(half, theirs)
        except (NoProgram, NoServer) as error:
            print(f"tests: {error}", file=sys.stderr, flush=True)
            ended[half] = 1
        except KeyboardInterrupt:
            return INTERRUPTED
    print()
    for half, status in ended.items():
        print(f"tests on {half}: {'passed' if status == 0 else f'FAILED ({status})'}")
    return 1 if any(ended.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

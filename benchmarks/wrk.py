"""Load by `wrk` (Debian has it), since a client in Python is slower than what it asks."""

import re
import shutil
import subprocess
from dataclasses import dataclass

CONNECTIONS = 64
SECONDS = 3
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_TAIL = re.compile(r"99%\s+([\d.]+)(us|ms|s)\b")
_ALL = re.compile(r"(\d+) requests in")
_MILLI = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Run:
    """One round: requests a second, the 99th percentile in milliseconds, and how many in all."""

    rate: float
    tail: float
    requests: int


def program() -> str | None:
    """Return where it is; None where it is not installed."""
    return shutil.which("wrk")


def run(arguments: list[str]) -> Run:
    """Ask for some seconds over many connections; raises RuntimeError where one is refused."""
    command = [str(program()), "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", *arguments]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    rate, tail, count = _RATE.search(output), _TAIL.search(output), _ALL.search(output)
    if rate is None or tail is None or count is None or "Non-2xx" in output:
        raise RuntimeError(output)
    return Run(float(rate[1]), float(tail[1]) * _MILLI[tail[2]], int(count[1]))

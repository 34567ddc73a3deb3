"""Run a handful of processes as one: start, restart what dies, stop all together.

honcho was tried first: it ends everything when one process dies, where a control plane must get
its worker back. See docs/decisions/0006-own-supervisor.md.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from certctl.embedded import BASE

STOP_WITHIN = 10.0  # seconds between SIGTERM and SIGKILL
STEADY = 10.0  # a process that lived so many seconds is restarted at once
PR_SET_PDEATHSIG = 1


@dataclass
class Program:
    """One process to keep alive."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    failures: int = 0
    not_before: float = 0.0


class Supervisor:
    """Keeps programs running until it is told to stop.

    Each writes to a log file of its own, so that the terminal stays readable. Each is a session of
    its own, so that a Ctrl-C reaches only us and we stop them in order; and each gets SIGTERM from
    the kernel should we be killed ourselves (Linux), so that nothing is ever left behind.
    """

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = programs
        self.stopping = threading.Event()

    def start(self) -> None:
        """Start every program, and take over SIGINT, SIGTERM and SIGHUP."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        for program in self.programs:
            self._spawn(program)

    def watch(self) -> None:
        """Restart what dies, until a signal comes; then stop everything."""
        try:
            while not self.stopping.wait(0.25):
                self.revive()
        finally:
            self.stop()

    def revive(self) -> None:
        """Restart each program that has died, slower each time that it dies young."""
        now = time.monotonic()
        for program in self.programs:
            process = program.process
            if process is not None and process.poll() is not None:
                program.process = None
                young = now - program.started < STEADY
                program.failures = program.failures + 1 if young else 0
                program.not_before = now + min(2.0**program.failures, 30.0) * young
                print(  # noqa: T201 - the terminal is this program's user interface
                    f"[{program.name}] ended with {process.returncode}; restarting it"
                    f" (see {program.log})",
                    file=sys.stderr,
                    flush=True,
                )
            if program.process is None and now >= program.not_before:
                self._spawn(program)

    def stop(self) -> None:
        """End every program and what it started: SIGTERM first, SIGKILL for what stays."""
        self.stopping.set()
        alive = [p.process for p in self.programs if p.process and p.process.poll() is None]
        for process in alive:
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN
        for process in alive:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            # Also for a group whose leader is gone but whose children are not.
            _signal_group(process, signal.SIGKILL)

    def _spawn(self, program: Program) -> None:
        with program.log.open("ab") as log:
            program.process = subprocess.Popen(  # noqa: S603 - an argument list of our own
                program.command,
                cwd=BASE,  # where our packages lie, wherever we were started
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **program.environment},
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread is running yet here
            )
        program.started = time.monotonic()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping.set()


def _signal_group(process: "subprocess.Popen[bytes]", number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

"""The process group: restarts what dies, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from certctl.supervisor import Program, Supervisor

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def wait_for(condition, *, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor([Program("sleeper", SLEEPER, tmp_path / "sleeper.log")])
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield made
    made.stop()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.takes(2)
def test_a_program_that_dies_is_started_again(supervisor):
    supervisor.start()
    first = supervisor.programs[0].process.pid

    os.kill(first, signal.SIGKILL)

    def revived():
        supervisor.revive()
        process = supervisor.programs[0].process
        return process is not None and process.pid != first

    assert wait_for(revived)


def test_a_program_that_dies_young_is_restarted_ever_more_slowly(supervisor):
    supervisor.start()
    program = supervisor.programs[0]

    for _ in range(2):
        program.process.kill()
        program.process.wait()
        supervisor.revive()
        program.not_before = 0
        supervisor.revive()

    program.process.kill()
    program.process.wait()
    supervisor.revive()
    assert program.failures == 3
    assert program.process is None


@pytest.mark.takes(2)
def test_stopping_ends_children_of_children_too(tmp_path):
    pid_file = tmp_path / "grandchild"
    script = (
        "import subprocess, sys, time;"
        f"p = subprocess.Popen({SLEEPER!r}); open({str(pid_file)!r}, 'w').write(str(p.pid));"
        "time.sleep(60)"
    )
    supervisor = Supervisor([Program("x", [sys.executable, "-c", script], tmp_path / "log")])
    supervisor._spawn(supervisor.programs[0])
    assert wait_for(lambda: pid_file.exists() and pid_file.read_text())

    supervisor.stop()

    assert wait_for(lambda: not alive(int(pid_file.read_text())))


@pytest.mark.takes(2)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_killed_supervisor_leaves_nothing_behind(tmp_path):
    pid_file = tmp_path / "child"
    script = f"""
import pathlib, time
from certctl.supervisor import Program, Supervisor
s = Supervisor([Program("x", {SLEEPER!r}, pathlib.Path({str(tmp_path / "log")!r}))])
s.start()
pathlib.Path({str(pid_file)!r}).write_text(str(s.programs[0].process.pid))
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script])
    assert wait_for(lambda: pid_file.exists() and pid_file.read_text())
    child = int(pid_file.read_text())

    parent.kill()
    parent.wait()

    assert wait_for(lambda: not alive(child))

"""Programs are started by argument list, only if they are allowed, and not for ever."""

import errno
import os
import signal
import time
from pathlib import Path

import pytest

from deployments import policy
from deployments.connectors.on_disk import commands
from foundation.errors import ConnectorError


def run(*arguments, permanent=True):
    commands.run(arguments, programs=policy.here().programs, what="reload", permanent=permanent)


def failure(*arguments, permanent=True):
    with pytest.raises(ConnectorError) as caught:
        run(*arguments, permanent=permanent)
    return caught.value


def test_a_program_that_is_not_allowed_is_not_started(tmp_path, program):
    program("other", "exit 0")

    assert failure("/bin/touch", str(tmp_path / "trace")).permanent
    assert not (tmp_path / "trace").exists()


def test_a_program_is_not_looked_up_on_the_path(tmp_path, settings):
    settings.TARGET_COMMANDS = ["touch"]

    assert failure("touch", str(tmp_path / "trace")).permanent
    assert not (tmp_path / "trace").exists()


def test_arguments_go_through_no_shell(tmp_path, program):
    echo = program("echo", f'printf "%s\\n" "$@" > {tmp_path}/out')

    run(echo, "$(id)", "; rm -rf x", "a b", "*")

    assert (tmp_path / "out").read_text().splitlines() == ["$(id)", "; rm -rf x", "a b", "*"]


def test_a_program_gets_nothing_of_ours(tmp_path, program, monkeypatch):
    monkeypatch.setenv("CERTCTL_SECRET_OF_OURS", "hunter2")
    look = program("look", f"env > {tmp_path}/env", f"pwd > {tmp_path}/pwd", "cat")

    run(look)

    assert "hunter2" not in (tmp_path / "env").read_text()
    assert (tmp_path / "pwd").read_text() == "/\n"


def test_a_program_cannot_read_our_input(program, monkeypatch):
    monkeypatch.setattr(commands, "TIMEOUT", 2)
    reads = program("reads", "cat")
    ours, theirs = os.pipe()
    saved = os.dup(0)
    os.dup2(ours, 0)

    try:
        run(reads)  # would wait for our input to end
    finally:
        os.dup2(saved, 0)
        for descriptor in (ours, theirs, saved):
            os.close(descriptor)


def test_no_more_output_is_kept_than_is_shown(program):
    loud = program("loud", "yes x | head -c 1000000")

    _, output = commands._run([loud], time.monotonic() + 20)

    assert len(output) <= commands._KEPT


@pytest.mark.parametrize("permanent", [True, False])
def test_a_failure_is_told_with_its_output(program, permanent):
    broken = program("broken", "echo to stdout", "echo to stderr >&2", "exit 3")

    error = failure(broken, permanent=permanent)

    assert error.permanent is permanent
    assert "status 3" in error.detail
    assert "to stdout to stderr" in error.detail


def test_output_is_trimmed_and_holds_no_key(program):
    leaky = program(
        "leaky",
        "yes x | head -c 1000000",
        "echo; echo -----BEGIN PRIVATE KEY-----; echo c2VjcmV0; echo -----END PRIVATE KEY-----",
        "echo; echo AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKKKLLLL",
        "echo the end",
        "exit 1",
    )

    detail = failure(leaky).detail

    assert "c2VjcmV0" not in detail
    assert "BBBB" not in detail
    assert detail.endswith("the end")
    assert len(detail) < 700


def test_half_a_key_is_not_shown_either(program):
    leaky = program("leaky", "echo c2VjcmV0; echo -----END PRIVATE KEY-----; exit 1")

    assert "c2VjcmV0" not in failure(leaky).detail


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path, program, monkeypatch):
    monkeypatch.setattr(commands, "TIMEOUT", 0.5)
    hangs = program("hangs", f"sleep 60 & echo $! > {tmp_path}/pid", "echo waiting", "wait")

    error = failure(hangs)

    assert not error.permanent
    assert "did not end" in error.detail
    assert "waiting" in error.detail
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_program_that_closes_its_output_is_still_waited_for(program, monkeypatch):
    monkeypatch.setattr(commands, "TIMEOUT", 0.5)
    quiet = program("quiet", "exec >&- 2>&-", "sleep 60")

    assert "did not end" in failure(quiet).detail


def test_a_daemon_that_keeps_the_output_open_is_not_waited_for(tmp_path, program):
    starts = program("starts", f"sleep 60 & echo $! > {tmp_path}/pid", "exit 0")
    began = time.monotonic()

    run(starts)

    assert time.monotonic() - began < 10
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_a_program_that_is_not_there_is_a_permanent_error(tmp_path, settings):
    settings.TARGET_COMMANDS = [str(tmp_path / "nothing")]

    assert failure(str(tmp_path / "nothing"), permanent=False).permanent


@pytest.mark.parametrize(
    ("number", "permanent"),
    [
        (errno.ENOENT, True),
        (errno.EACCES, True),
        (errno.ENOEXEC, True),
        (errno.EAGAIN, False),
        (errno.ENOMEM, False),
        (errno.ETXTBSY, False),
        (errno.EINTR, False),
        (errno.EMFILE, False),
    ],
)
def test_a_program_that_cannot_be_started_now_may_be_later(program, monkeypatch, number, permanent):
    def fail(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(commands, "_run", fail)

    error = failure(program("reload", "exit 0"), permanent=False)

    assert error.permanent is permanent
    assert os.strerror(number) in error.detail


@pytest.mark.parametrize(
    "arguments",
    [None, "nginx -t", [], [""], ["a", 1], ["a", "b\n"], ["a", "b\0"], ["a"] * 33, ["a" * 1025]],
)
def test_only_lists_of_printable_text_are_argument_lists(arguments):
    assert commands.shape_error(arguments)


@pytest.mark.parametrize(
    ("allowed", "found"),
    [
        (["/usr/sbin/nginx", "/bin/true"], "/usr/sbin/nginx"),
        (["/usr/sbin/nginx", "/opt/nginx"], ""),
        (["nginx"], ""),
        ([], ""),
    ],
)
def test_a_program_is_found_by_name_where_one_is_allowed(allowed, found):
    assert commands.named("nginx", allowed) == found


def gone(pid):
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return True
        if state.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False
